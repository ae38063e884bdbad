//! The worker: leases strips, computes them on its devices, delivers the buffers.
//!
//! It knows no colours and no files, and the queue only through its trait, so the same loop runs in a
//! process of its own on Redis and inside the submitter on a queue in memory.
//!
//! - [`worker`]: all lanes of one worker, until it is told to stop
//! - [`lane`]: one device, a few strips at a time: lease, compute, deliver
//! - [`station`]: a device with what is seen of it from outside; [`gate`]: tells slow from hung
//! - [`keepalive`]: heartbeats beside whatever a strip is waiting for
//! - [`shared`]: what all lanes share: settings, whether to stop
//! - [`frames`]: the last few jobs' frames, made ready for kernels
//! - [`fault`]: a helper that ended in the midst of its work
//! - [`choice`]: which of a machine's devices it takes
//! - [`meters`]: what a worker counts; [`exporter`]: the same over HTTP, for Prometheus
//! - [`limited`]: whole files of bounded length, for both programs
//! - [`farm_args`]: how both programs get into the farm's Redis
//! - [`usage`]: what both programs share of their command lines and their start; [`log_file`]: a log of bounded size

#![forbid(unsafe_code)]

pub mod choice;
pub mod count;
pub mod exporter;
pub mod farm_args;
mod fault;
pub mod frames;
mod gate;
mod keepalive;
mod lane;
pub mod limited;
mod log_file;
pub mod memory;
pub mod meters;
mod pace;
pub mod shared;
mod station;
pub mod terminal;
pub mod usage;
pub mod worker;

pub use fault::Fault;
pub use meters::Meters;
pub use shared::Settings;
pub use worker::{EndReason, WorkerEnd, about, run};
