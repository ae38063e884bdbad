//! The queue of a render: in memory with workers in process, or a farm's.

use std::sync::Arc;
use std::time::Duration;

use farm_queue::memory::MemoryQueue;
use farm_queue::redis::RedisJobQueue;
use farm_queue::{
    Collected, JobId, JobOrders, JobQueue, JobReport, JobSpec, Order, QueueError, SharedOrbit,
    UnderWay,
};
use fractal::Strip;

/// Either; clones are the same one.
#[derive(Clone)]
pub enum Queue {
    /// In this process.
    Memory(Arc<MemoryQueue>),
    /// On the farm's Redis.
    Redis(Arc<RedisJobQueue>),
    /// One that fails.
    #[cfg(test)]
    Failing(Arc<crate::tests::failing_queue::Failing>),
}

/// The same call of whichever it is.
macro_rules! of_either {
    ($queue:expr, $call:ident($($argument:expr),*)) => {
        match $queue {
            Queue::Memory(queue) => queue.$call($($argument),*).await,
            Queue::Redis(queue) => queue.$call($($argument),*).await,
            #[cfg(test)]
            Queue::Failing(queue) => queue.$call($($argument),*).await,
        }
    };
}

impl JobQueue for Queue {
    fn window_bytes(&self) -> u64 {
        match self {
            Self::Memory(queue) => queue.window_bytes(),
            Self::Redis(queue) => queue.window_bytes(),
            #[cfg(test)]
            Self::Failing(queue) => queue.window_bytes(),
        }
    }

    async fn create(&self, job: Arc<JobSpec>) -> Result<(), QueueError> {
        of_either!(self, create(job))
    }

    async fn share_orbit(&self, job: &JobId, orbit: SharedOrbit) -> Result<(), QueueError> {
        of_either!(self, share_orbit(job, orbit))
    }

    async fn outlive(&self, job: &JobId) -> Result<(), QueueError> {
        of_either!(self, outlive(job))
    }

    async fn enqueue(&self, job: &JobId, orders: &[Order]) -> Result<(), QueueError> {
        of_either!(self, enqueue(job, orders))
    }

    async fn collect(&self, job: &JobId, wait: Duration) -> Result<Vec<Collected>, QueueError> {
        of_either!(self, collect(job, wait))
    }

    async fn repair(&self, job: &JobId, awaited: &[Strip]) -> Result<Vec<Strip>, QueueError> {
        of_either!(self, repair(job, awaited))
    }

    async fn report(&self, job: &JobId, report: &JobReport) -> Result<JobOrders, QueueError> {
        of_either!(self, report(job, report))
    }

    async fn under_way(&self, job: &JobId) -> Result<UnderWay, QueueError> {
        of_either!(self, under_way(job))
    }

    async fn failures(&self, job: &JobId) -> Result<Vec<String>, QueueError> {
        of_either!(self, failures(job))
    }

    async fn quarantine(&self, worker: &str, reason: &str) -> Result<(), QueueError> {
        of_either!(self, quarantine(worker, reason))
    }

    async fn finish(&self, job: &JobId) -> Result<(), QueueError> {
        of_either!(self, finish(job))
    }

    async fn fail(&self, job: &JobId, report: &JobReport) -> Result<(), QueueError> {
        of_either!(self, fail(job, report))
    }

    async fn workers(&self) -> Result<usize, QueueError> {
        of_either!(self, workers())
    }
}
