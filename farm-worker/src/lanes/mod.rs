//! The lanes of a worker: a device each, and a few strips at a time.
//!
//! - [`lane`]: lease, compute, deliver; [`pace`]: how many strips a lane has in hand
//! - [`station`]: a device with what is seen of it from outside; [`gate`]: tells slow from hung
//! - [`keepalive`]: heartbeats beside whatever a strip is waiting for
//! - [`frames`]: the last few jobs' frames, made ready for kernels; [`memory`]: how much they may take
//! - [`shared`]: what all lanes share: settings, whether to stop

pub(crate) mod frames;
mod gate;
mod keepalive;
pub(crate) mod lane;
pub mod memory;
pub(crate) mod pace;
pub(crate) mod shared;
pub(crate) mod station;

pub use shared::Settings;
