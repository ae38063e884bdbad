//! The queue between submitters and workers: its protocol, in process and in Redis.
//!
//! A submitter creates a job, keeps a window of its strips queued, and collects buffers; workers lease
//! strips, keep their leases alive, and deliver. What holds whichever implementation is behind it:
//!
//! - a strip that was enqueued is collected at least once, unless its job is finished or it is dead;
//! - the first delivery of a strip wins, later ones change nothing;
//! - a lease whose owner stopped its heartbeats is handed to somebody else, and the old owner cannot
//!   take it back;
//! - a finished job leaves nothing behind.
//!
//! The queue knows no colours and no kernels: buffers are bytes with a header to it.
//!
//! - [`queue`]: the two traits, a worker's and a submitter's; [`job`]: what a job is; [`order`]: what is asked
//!   for of it; [`status`]: what is told of jobs and workers; [`mod@orbit`]: reference orbits, by their content
//! - [`protocol`]: what travels and what is decided, pure
//! - [`memory`]: the queue in process
//! - [`redis`]: the queue between machines

#![forbid(unsafe_code)]

pub mod job;
pub mod memory;
pub mod orbit;
pub mod order;
pub mod protocol;
pub mod queue;
pub mod redis;
pub mod status;

pub use crate::redis::{RedisJobQueue, RedisWorkerQueue};
pub use job::{JobId, JobSpec};
pub use memory::MemoryQueue;
pub use orbit::{OrbitKey, SharedOrbit};
pub use order::{Issue, Order};
pub use queue::{
    AcceptedBackends, Collected, DeliveryOutcome, JobQueue, Lease, LeaseState, QueueError,
    WorkerQueue,
};
pub use status::{
    JobOrders, JobReport, JobState, LeaveOrder, UnderWay, WorkerAbout, WorkerFigures,
};
