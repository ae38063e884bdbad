//! The worker: leases strips, computes them on its devices, delivers the buffers.
//!
//! It knows no colours and no files, and the queue only through its trait, so the same loop runs in a
//! process of its own on Redis and inside the submitter on a queue in memory.
//!
//! - [`worker`]: all lanes of one worker, until it is told to stop
//! - [`lane`]: one device, a few strips at a time: lease, compute, deliver
//! - [`keepalive`]: heartbeats beside whatever a strip is waiting for
//! - [`shared`]: what all lanes share: settings, counts, whether to stop
//! - [`frames`]: the last few jobs' frames, made ready for kernels
//! - [`farm_args`]: how both programs get into the farm's Redis
//! - [`usage`]: what both programs share of their command lines

#![forbid(unsafe_code)]

pub mod farm_args;
pub mod frames;
pub mod keepalive;
pub mod lane;
pub mod shared;
pub mod usage;
pub mod worker;

pub use shared::{Settings, Stats};
pub use worker::run;
