//! The worker: leases strips, computes them on its devices, delivers the buffers.
//!
//! It knows no colours and no files, and the queue only through its trait, so the same loop runs in a
//! process of its own on Redis and inside the submitter on a queue in memory.
//!
//! - [`worker`]: all lanes of one worker, until it is told to stop
//! - [`lanes`]: a device each: lease, compute, deliver, with heartbeats beside it
//! - [`metrics`]: what a worker counts, and the same over HTTP
//! - [`program`]: what both programs share: their start, options, logs, and what they say on a terminal
//! - [`fault`]: a helper that ended in the midst of its work
//! - [`start`]: the program `farm-worker`, [`cli`] its command line, [`hours`] when it works, [`mod@bench`] its command that measures; `submitter`'s
//!   package builds it

#![forbid(unsafe_code)]

mod bench;
pub mod cli;
mod fault;
pub mod hours;
mod lanes;
mod metrics;
mod program;
mod start;
mod worker;

pub use fault::Fault;
pub use lanes::{Settings, memory};
pub use metrics::{Meters, exporter};
pub use program::{choice, farm_args, terminal, usage};
pub use start::main;
pub use worker::{EndReason, WorkerEnd, about, run};
