//! Strips that end otherwise than by a delivery at once: late ones, those of jobs that end, and those that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use engine::EngineError;
use engine::cpu::CpuDevice;
use farm_queue::queue::{AcceptedBackends, DeliveryOutcome, Lease, LeaseState, QueueError};
use farm_queue::{
    JobId, JobQueue, JobSpec, LeaveOrder, MemoryQueue, WorkerAbout, WorkerFigures, WorkerQueue,
};
use farm_worker::EndReason;
use fractal::{ReferenceOrbit, StripBuffer};

use crate::setup::*;

/// A queue that takes buffers late, or never.
struct Late {
    inner: MemoryQueue,
    offers: AtomicU32,
    takes: bool,
}

impl WorkerQueue for Late {
    async fn lease(
        &self,
        accepts: AcceptedBackends,
        wait: Duration,
    ) -> Result<Option<Lease>, QueueError> {
        if !self.takes && self.offers.load(Ordering::SeqCst) > 0 {
            return Err(QueueError::Server("planted".into()));
        }
        self.inner.lease(accepts, wait).await
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<LeaseState, QueueError> {
        self.inner.heartbeat(lease).await
    }

    async fn deliver(
        &self,
        lease: &Lease,
        buffer: Arc<StripBuffer>,
    ) -> Result<DeliveryOutcome, QueueError> {
        let offers = self.offers.fetch_add(1, Ordering::SeqCst);
        if !self.takes {
            return Err(QueueError::Server("planted".into()));
        }
        if offers == 0 {
            tokio::time::sleep(3 * TIMEOUT).await;
            return Err(QueueError::OutOfMemory("planted".into()));
        }
        self.inner.deliver(lease, buffer).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), QueueError> {
        self.inner.release(lease).await
    }

    async fn fail(&self, lease: &Lease, reason: &str) -> Result<(), QueueError> {
        WorkerQueue::fail(&self.inner, lease, reason).await
    }

    async fn leave_to_others(&self, job: &JobId) {
        self.inner.leave_to_others(job).await;
    }

    async fn orbit(
        &self,
        job: &JobSpec,
        most: u64,
        piece: &(dyn Fn() + Sync),
    ) -> Result<Option<Arc<ReferenceOrbit>>, QueueError> {
        self.inner.orbit(job, most, piece).await
    }

    async fn leave(&self) -> Result<(), QueueError> {
        self.inner.leave().await
    }

    async fn hint(&self) {
        self.inner.hint().await;
    }

    async fn leave_order(&self) -> LeaveOrder {
        // As if an operator had asked as soon as the first buffer was taken.
        while !self.takes || self.offers.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(STEP).await;
        }
        LeaveOrder::Drain
    }

    fn describe(&self, about: WorkerAbout) {
        self.inner.describe(about);
    }

    fn depth(&self) -> Option<u64> {
        self.inner.depth()
    }

    fn tell(&self, figures: WorkerFigures) {
        self.inner.tell(figures);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_delivery_is_no_hang_and_a_drained_worker_ends() {
    let (queue, job) = queued(1).await;
    let late = Late {
        inner: queue.as_worker("late"),
        offers: AtomicU32::new(0),
        takes: true,
    };
    let mut worker = start(late, Fake::new(|_| Ok(())));
    let strips = collected(&queue, &job).await;
    assert_eq!(strips, [(0, "late".to_owned(), 1)]);
    let done = tokio::time::timeout(PATIENCE, &mut worker.done).await;
    let done = done.expect("it ends by itself").unwrap();
    assert_eq!(
        (done.ended, done.figures.failed),
        (EndReason::Ordered(LeaveOrder::Drain), 0)
    );
    assert_eq!(worker.figure("farm_worker_delivery_retries_total"), 1.0);
    assert_eq!(
        worker.figure("farm_worker_queue_errors_total{call=\"deliver\"}"),
        1.0
    );
}

/// As one that may not open a new connection any more, while its heartbeats go on over an open one.
#[tokio::test(flavor = "multi_thread")]
async fn a_strip_whose_buffer_is_never_taken_is_somebody_elses() {
    let (queue, job) = queued(1).await;
    let refused = Late {
        inner: queue.as_worker("refused"),
        offers: AtomicU32::new(0),
        takes: false,
    };
    let worker = start(refused, Fake::new(|_| Ok(())));
    until("it has a buffer that nobody takes", || {
        worker.figure("farm_worker_queue_errors_total{call=\"deliver\"}") >= 1.0
    })
    .await;
    let _other = start(queue.as_worker("other"), Fake::new(|_| Ok(())));
    let strips = collected(&queue, &job).await;
    assert_eq!(strips, [(0, "other".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_with_its_job_is_dropped_at_once() {
    let (queue, job) = queued(2).await;
    let steps = Arc::new(AtomicU32::new(0));
    let made = Arc::clone(&steps);
    let worker = start(
        queue.as_worker("worker"),
        Fake::new(move |progress| {
            while !progress.is_cancelled() {
                std::thread::sleep(STEP);
                progress.step();
                made.fetch_add(1, Ordering::SeqCst);
            }
            Err(EngineError::Cancelled)
        }),
    );
    // Not at the very start: what a queue hints at before anybody listens is lost, and told by the next heartbeat.
    until("both are well under way", || {
        steps.load(Ordering::SeqCst) >= 20 && worker.figure("farm_worker_strips_in_hand") == 2.0
    })
    .await;
    let asked = Instant::now();
    queue.finish(&job.id).await.unwrap();
    until("both are dropped", || {
        worker.figure("farm_worker_strips_total{outcome=\"job_gone\"}") == 2.0
    })
    .await;
    // Far sooner than the next heartbeat that is due.
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(worker.stop().await.figures.failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_and_panics_of_a_device_are_failures_and_counted() {
    let (queue, job) = queued(2).await;
    let calls = AtomicU32::new(0);
    let device = CpuDevice::new(Some(1)).info().name.clone();
    let lost = device.clone();
    let worker = start(
        queue.as_worker("worker"),
        Fake::new(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Err(EngineError::DeviceLost {
                device: lost.clone(),
                reason: "planted".into(),
            }),
            1 => panic!("planted"),
            _ => Ok(()),
        }),
    );
    let strips = collected(&queue, &job).await;
    assert_eq!(
        strips
            .iter()
            .map(|(_, _, attempt)| attempt - 1)
            .sum::<u32>(),
        2
    );
    // The submitter has a buffer before its worker hears that it was taken.
    until("all is counted", || {
        worker.figure("farm_worker_strips_in_hand") == 0.0
    })
    .await;
    let errors = format!("farm_worker_device_errors_total{{backend=\"cpu\",device=\"{device}\"}}");
    assert_eq!(worker.figure(&errors), 2.0);
    assert_eq!(
        worker.figure("farm_worker_strips_total{outcome=\"failed\"}"),
        2.0
    );
    assert_eq!(
        worker.figure("farm_worker_strips_total{outcome=\"delivered\"}"),
        2.0
    );
    assert_eq!(worker.figure("farm_worker_pixels_total"), 32.0);
    assert_eq!(worker.figure("farm_worker_up"), 1.0);
    assert!(worker.meters.text().ends_with("# EOF\n"));
    worker.stop().await;
}
