//! Jobs that begin, or do not, on a queue that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use farm_queue::memory::MemoryQueue;
use farm_queue::{
    Collected, JobId, JobOrders, JobQueue, JobReport, JobSpec, Order, QueueError, SharedOrbit,
    UnderWay,
};
use fractal::{Measure, MeasureSet, Strip};
use tokio::sync::Notify;

use super::plans::plan_at;
use crate::error::{CollectError, RenderError};
use crate::plan::{Output, OutputKind};
use crate::prepare::orbit;
use crate::progress::Silent;
use crate::queue::Queue;
use crate::render::render_on;
use crate::stop::Stop;

/// A queue of which some calls fail, so often; and how often a job was created and ended.
#[derive(Default)]
pub struct Failing {
    queue: MemoryQueue,
    creates: AtomicU32,
    orbits: AtomicU32,
    wrong: bool,
    created: AtomicU32,
    /// Strips were queued.
    queued: Notify,
    ended: AtomicU32,
}

impl Failing {
    fn fails(&self, left: &AtomicU32) -> Result<(), QueueError> {
        let less = |left: u32| left.checked_sub(1);
        match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
            Err(_) => Ok(()),
            Ok(_) if self.wrong => Err(QueueError::Server("no".to_owned())),
            Ok(_) => Err(QueueError::Unreachable {
                address: "nowhere".to_owned(),
                reason: "a blip".to_owned(),
            }),
        }
    }
}

impl JobQueue for Failing {
    fn window_bytes(&self) -> u64 {
        self.queue.window_bytes()
    }

    async fn create(&self, job: Arc<JobSpec>) -> Result<(), QueueError> {
        self.queue.create(job).await?;
        self.created.fetch_add(1, Ordering::Relaxed);
        // As where the answer is lost.
        self.fails(&self.creates)
    }

    async fn share_orbit(&self, job: &JobId, orbit: SharedOrbit) -> Result<(), QueueError> {
        self.fails(&self.orbits)?;
        self.queue.share_orbit(job, orbit).await
    }

    async fn outlive(&self, job: &JobId) -> Result<(), QueueError> {
        self.queue.outlive(job).await
    }

    async fn enqueue(&self, job: &JobId, orders: &[Order]) -> Result<(), QueueError> {
        self.queued.notify_one();
        self.queue.enqueue(job, orders).await
    }

    async fn collect(&self, job: &JobId, wait: Duration) -> Result<Vec<Collected>, QueueError> {
        self.queue.collect(job, wait).await
    }

    async fn repair(&self, job: &JobId, awaited: &[Strip]) -> Result<Vec<Strip>, QueueError> {
        self.queue.repair(job, awaited).await
    }

    async fn report(&self, job: &JobId, report: &JobReport) -> Result<JobOrders, QueueError> {
        self.queue.report(job, report).await
    }

    async fn under_way(&self, job: &JobId) -> Result<UnderWay, QueueError> {
        self.queue.under_way(job).await
    }

    async fn failures(&self, job: &JobId) -> Result<Vec<String>, QueueError> {
        self.queue.failures(job).await
    }

    async fn quarantine(&self, worker: &str, reason: &str) -> Result<(), QueueError> {
        self.queue.quarantine(worker, reason).await
    }

    async fn finish(&self, job: &JobId) -> Result<(), QueueError> {
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.queue.finish(job).await
    }

    async fn fail(&self, job: &JobId, report: &JobReport) -> Result<(), QueueError> {
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.queue.fail(job, report).await
    }

    async fn workers(&self) -> Result<usize, QueueError> {
        self.queue.workers().await
    }
}

/// Begins the job of a deep view on a queue, and renders nothing of it; whether it was interrupted.
async fn begin(queue: &Arc<Failing>, stop: &Stop) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan_at("-0.75", "0.1", "1e30");
    plan.arithmetic.deltas = true;
    plan.frame.iterations = 99;
    plan.frame.measures = MeasureSet::default().with(Measure::Smooth);
    plan.outputs = vec![Output {
        path: folder.path().join("x.npy"),
        kind: OutputKind::Npy(Measure::Smooth),
    }];
    let orbit = orbit::reference(&plan, &Silent, std::pin::pin!(std::future::pending()))
        .await
        .unwrap();
    assert!(orbit.is_some());
    let ended = render_on(&Queue::Failing(Arc::clone(queue)), &plan, orbit, stop).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let why = ended.unwrap_err();
    matches!(why, RenderError::Collect(CollectError::Interrupted))
}

/// How often its job was created, and ended.
fn counts(queue: &Failing) -> (u32, u32) {
    (
        queue.created.load(Ordering::Relaxed),
        queue.ended.load(Ordering::Relaxed),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blip_while_a_job_is_made_is_borne() {
    let queue = Arc::new(Failing {
        creates: 2.into(),
        orbits: 1.into(),
        ..Failing::default()
    });
    // It comes to its strips, of which nobody computes any.
    let stop = Stop::new();
    let stops = async {
        queue.queued.notified().await;
        stop.request();
    };
    assert!(tokio::join!(begin(&queue, &stop), stops).0);
    assert_eq!(counts(&queue), (4, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_cannot_be_begun_is_taken_off_the_queue() {
    let queue = Arc::new(Failing {
        orbits: 1.into(),
        wrong: true,
        ..Failing::default()
    });
    assert!(!begin(&queue, &Stop::new()).await);
    assert_eq!(counts(&queue), (1, 1));
    // Interrupted while it waits for the queue.
    let queue = Arc::new(Failing {
        creates: u32::MAX.into(),
        ..Failing::default()
    });
    let stop = Stop::new();
    let stops = async {
        while counts(&queue).0 < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.request();
    };
    assert!(tokio::join!(begin(&queue, &stop), stops).0);
    assert_eq!(counts(&queue).1, 1);
}
