//! Steps that many tests begin with or end in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::protocol::keys::JobKeys;
use farm_queue::{Collected, JobId, JobQueue, JobSpec, Lease, WorkerQueue};

use super::farms::Farm;
use super::samples::*;
use super::server::Server;

/// Creates a job and queues all its strips.
pub(crate) async fn submit(farm: &impl Farm, job: &Arc<JobSpec>) {
    farm.jobs().create(Arc::clone(job)).await.unwrap();
    farm.jobs().enqueue(&job.id, &orders(job)).await.unwrap();
}

pub(crate) async fn lease(worker: &impl WorkerQueue) -> Lease {
    worker.lease(CPU, SOON).await.unwrap().expect("a strip")
}

pub(crate) async fn nothing(worker: &impl WorkerQueue) {
    let lease = worker.lease(CPU, NOW).await.unwrap();
    assert!(lease.is_none(), "{lease:?}");
}

/// Collects `count` things.
pub(crate) async fn collect(jobs: &impl JobQueue, job: &JobId, count: usize) -> Vec<Collected> {
    let start = Instant::now();
    let mut all = Vec::new();
    while all.len() < count {
        assert!(start.elapsed() < 2 * SOON, "only {all:?}");
        all.extend(jobs.collect(job, Duration::from_secs(1)).await.unwrap());
    }
    assert_eq!(all.len(), count, "{all:?}");
    all
}

/// Plants `bytes` in the place of strip 0's result and announces it, as a committed one would be.
pub(crate) fn plant(server: &Server, job: &JobSpec, bytes: &[u8]) {
    let keys = JobKeys::new(&job.id);
    let result = keys.result(0);
    let set: [&[u8]; 3] = [b"SET", result.as_bytes(), bytes];
    server.ask::<()>(&set);
    server.ask::<i64>(&["SETBIT", &keys.bits, "0", "1"]);
    server.ask::<String>(&["XADD", &keys.done, "*", "v", "2", "s", "0"]);
}
