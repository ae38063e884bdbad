//! The queue in Redis: what holds a farm of several machines together.
//!
//! This is the only module that names the `redis` crate. [`crate::protocol::keys`] has the table of
//! keys; the orders in which they change are these, and each is there for a reason:
//!
//! - **deliver**: store the buffer; then, in one script, mark the strip, announce it, and acknowledge its
//!   entry. Whatever is lost in between (a worker, the tail of the server's log), the strip is either
//!   still queued or its buffer is there. The other way round strips get lost.
//! - **collect**: read the announcement, fetch the buffer, check it; then, in one script, note that it was
//!   collected, remove it, and remove the announcement. A late worker that stores the buffer once more
//!   finds the note and removes what it stored.
//! - **heartbeat**, **release**, **fail**: only if the server says that the entry is still this worker's and
//!   this attempt's, in one script. Neither `XCLAIM` nor `XACK` asks that by itself.
//! - **create**: spec and stream first, then the name in the list of jobs; **finish**: the name first, then the
//!   stream, then the rest. Whoever sees a name finds a whole job or none.
//!
//! All time is the server's. Every script may be called twice, and may write some bytes when the server
//! is out of memory if what it does frees some: only `create`, `enqueue` and buffers are refused then.

pub mod acl;
mod connect;
pub mod control;
mod orbits;
mod reply;
mod scripts;
mod spares;
mod submitter;
mod wake;
mod worker;

use std::time::Duration;

pub use connect::{ConnectOptions, Identity, Secret};
pub use control::RedisControl;
pub use submitter::RedisJobQueue;
pub use worker::RedisWorkerQueue;

/// How long a job's keys outlive the last sign of its submitter, where another one could go on with it.
pub const JOB_LIFETIME: Duration = Duration::from_secs(3600);
/// The same where none could: there is no journal, or not yet. What is left of a submitter that was killed in its
/// first second takes up memory and workers for no longer than this; of one that was only away it is put up anew.
pub const YOUNG_LIFETIME: Duration = Duration::from_secs(30);
/// How long the state of a job that failed or was cancelled stays readable.
pub const ENDED_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How long a buffer waits to be collected.
pub const RESULT_LIFETIME: Duration = Duration::from_secs(3600);
/// How long a worker counts as alive after it last said so.
pub const PRESENCE_LIFETIME: Duration = Duration::from_secs(15);

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
