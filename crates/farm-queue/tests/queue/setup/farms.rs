//! Farms for the conformance suite: one with each kind of queue.

use std::future::Future;

use farm_queue::{JobId, JobQueue, MemoryQueue, RedisJobQueue, RedisWorkerQueue, WorkerQueue};

use super::samples::LEASE;
use super::server::Server;

/// A farm with one kind of queue.
pub(crate) trait Farm: Send + Sync {
    type Worker: WorkerQueue;
    type Jobs: JobQueue;

    /// Another worker.
    fn worker(&self, name: &str) -> impl Future<Output = Self::Worker> + Send;
    /// The submitter's end.
    fn jobs(&self) -> &Self::Jobs;
    /// What the queue still holds of a job.
    fn residue(&self, job: &JobId) -> Vec<String>;
}

pub(crate) struct MemoryFarm(MemoryQueue);

impl MemoryFarm {
    pub(crate) async fn start() -> Self {
        Self(MemoryQueue::with_lease("first", LEASE))
    }
}

impl Farm for MemoryFarm {
    type Worker = MemoryQueue;
    type Jobs = MemoryQueue;

    async fn worker(&self, name: &str) -> MemoryQueue {
        self.0.as_worker(name)
    }

    fn jobs(&self) -> &MemoryQueue {
        &self.0
    }

    fn residue(&self, _: &JobId) -> Vec<String> {
        // It drops a job as a whole; that it does is tested by what it answers.
        Vec::new()
    }
}

pub(crate) struct RedisFarm {
    jobs: RedisJobQueue,
    pub(crate) server: Server,
}

impl RedisFarm {
    pub(crate) async fn start() -> Self {
        let server = Server::start();
        let jobs = RedisJobQueue::connect(server.url()).await.unwrap();
        Self { jobs, server }
    }
}

impl Farm for RedisFarm {
    type Worker = RedisWorkerQueue;
    type Jobs = RedisJobQueue;

    async fn worker(&self, name: &str) -> RedisWorkerQueue {
        RedisWorkerQueue::connect_with_lease(self.server.url(), name, LEASE)
            .await
            .unwrap()
    }

    fn jobs(&self) -> &RedisJobQueue {
        &self.jobs
    }

    fn residue(&self, job: &JobId) -> Vec<String> {
        self.server.keys(&format!("mf:{{{job}}}*"))
    }
}
