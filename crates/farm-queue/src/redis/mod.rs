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
mod lifetimes;
mod orbits;
mod reply;
mod scripts;
mod spares;
mod submitter;
mod wake;
mod worker;

pub use connect::{ConnectOptions, CredentialSource, Credentials, Identity, Secret};
pub use control::RedisControl;
pub use lifetimes::{
    ENDED_LIFETIME, JOB_LIFETIME, PRESENCE_LIFETIME, RESULT_LIFETIME, YOUNG_LIFETIME,
};
pub use submitter::RedisJobQueue;
pub use worker::RedisWorkerQueue;
