//! A worker whose devices hang, crawl, wait for each other or break: what it does with their strips.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use engine::cpu::CpuDevice;
use engine::{Compute, DeviceInfo, EngineError, PreparedFrame, Progress};
use farm_queue::queue::{
    AcceptedBackends, Collected, DeliveryOutcome, Lease, LeaseState, QueueError,
};
use farm_queue::{
    JobId, JobQueue, JobSpec, MemoryQueue, Order, WorkerAbout, WorkerFigures, WorkerQueue,
};
use farm_worker::{EndReason, Meters, Settings, WorkerEnd};
use fractal::{
    BackendChoice, FrameSpec, Grid, Measure, MeasureSet, ReferenceOrbit, Strip, StripBuffer,
    StripPlan, View,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Time-out of strips: long enough for a loaded machine, short enough for a test.
const TIMEOUT: Duration = Duration::from_millis(800);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// A step of a fake computation.
const STEP: Duration = Duration::from_millis(20);

/// What a device does before it computes a strip.
type Manner = Box<dyn Fn(&Progress) -> Result<(), EngineError> + Send + Sync>;

/// A processor with a manner.
struct Fake {
    cpu: CpuDevice,
    manner: Manner,
}

impl Fake {
    fn new(
        manner: impl Fn(&Progress) -> Result<(), EngineError> + Send + Sync + 'static,
    ) -> Vec<Self> {
        vec![Self {
            cpu: CpuDevice::new(Some(1)),
            manner: Box::new(manner),
        }]
    }
}

impl Compute for Fake {
    fn info(&self) -> &DeviceInfo {
        self.cpu.info()
    }

    fn compute(
        &self,
        frame: &PreparedFrame,
        strip: Strip,
        _: bool,
        progress: &Progress,
    ) -> Result<StripBuffer, EngineError> {
        (self.manner)(progress)?;
        self.cpu.compute(frame, strip, progress)
    }
}

fn job(rows: u32) -> Arc<JobSpec> {
    Arc::new(JobSpec {
        id: JobId::generate(),
        frame: FrameSpec {
            view: View::Bounds {
                xmin: "-2".parse().unwrap(),
                xmax: "0.5".parse().unwrap(),
                ymin: "-1.5".parse().unwrap(),
                ymax: "1.5".parse().unwrap(),
            },
            transform: fractal::Transform::default(),
            grid: Grid::Pixels,
            width: 16,
            height: rows,
            iterations: 100,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            measures: MeasureSet::default().with(Measure::Iterations),
        },
        strips: StripPlan {
            height: rows,
            strip_rows: 1,
        },
        backend: BackendChoice::Cpu,
        max_workers: None,
        build: engine::build_id(),
        orbit: None,
        arithmetic: None,
    })
}

/// A running worker, and how to stop it.
struct Running {
    done: JoinHandle<WorkerEnd>,
    stop: oneshot::Sender<()>,
    meters: Arc<Meters>,
}

fn start<Q: WorkerQueue, D: Compute + 'static>(queue: Q, devices: Vec<D>) -> Running {
    let meters = Arc::new(Meters::new("test", engine::build_id()));
    let settings = Settings {
        backend: BackendChoice::Cpu,
        cpu_threads: Some(1),
        grace: Duration::ZERO,
        strip_timeout: TIMEOUT,
        memory: 1 << 30,
    };
    let (stop, stopped) = oneshot::channel();
    let worker = farm_worker::run(queue, devices, settings, Arc::clone(&meters), async {
        let _ = stopped.await;
    });
    Running {
        done: tokio::spawn(worker),
        stop,
        meters,
    }
}

impl Running {
    async fn stop(self) -> WorkerEnd {
        let _ = self.stop.send(());
        let done = tokio::time::timeout(PATIENCE, self.done).await;
        done.expect("stops in time").expect("does not panic")
    }

    /// A figure of its metrics.
    fn figure(&self, line: &str) -> f64 {
        let text = self.meters.text();
        let found = text.lines().find_map(|found| found.strip_prefix(line));
        let value = found.unwrap_or_else(|| panic!("{line} in {text}"));
        value.trim().parse().expect("a number")
    }
}

async fn queued(rows: u32) -> (MemoryQueue, Arc<JobSpec>) {
    let (queue, job) = (MemoryQueue::new("submitter"), job(rows));
    queue.create(Arc::clone(&job)).await.unwrap();
    let orders: Vec<Order> = job.strips.strips().map(Order::from).collect();
    queue.enqueue(&job.id, &orders).await.unwrap();
    (queue, job)
}

/// All strips of a job as they come: who made each, and in which delivery.
async fn collected(queue: &MemoryQueue, job: &JobSpec) -> Vec<(u32, String, u32)> {
    let began = Instant::now();
    let mut strips = Vec::new();
    while strips.len() < job.strips.count() as usize {
        assert!(began.elapsed() < PATIENCE, "only {strips:?}");
        for found in queue
            .collect(&job.id, Duration::from_secs(1))
            .await
            .unwrap()
        {
            match found {
                Collected::Strip {
                    buffer,
                    worker,
                    attempt,
                    ..
                } => strips.push((buffer.strip.index, worker, attempt)),
                other => panic!("{other:?}"),
            }
        }
    }
    strips
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strip_that_hangs_is_given_to_others_and_the_device_rests_until_it_ends() {
    let (queue, job) = queued(20).await;
    let (hangs, done) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
    let (still, counted) = (Arc::clone(&hangs), Arc::clone(&done));
    // Hears no cancel while it hangs.
    let bad = Fake::new(move |_| {
        while still.load(Ordering::SeqCst) {
            std::thread::sleep(STEP);
        }
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let bad = start(queue.as_worker("bad"), bad);
    until("both of its turns hang", || {
        bad.figure("farm_worker_strips_in_hand") == 2.0
    })
    .await;
    let good = start(queue.as_worker("good"), Fake::new(|_| Ok(())));
    let strips = collected(&queue, &job).await;
    assert!(strips.iter().all(|(_, worker, _)| worker == "good"));
    let again = strips
        .iter()
        .filter(|(_, _, attempt)| *attempt == 2)
        .count();
    assert_eq!(again, 2, "{strips:?}");
    assert_eq!(
        bad.figure("farm_worker_strips_total{outcome=\"failed\"}"),
        2.0
    );
    assert_eq!(bad.figure("farm_worker_hung_computations"), 2.0);
    assert_eq!(good.figure("farm_worker_retries_total"), 2.0);
    good.stop().await;
    // More work: it is left alone by who hangs, and taken by who has recovered.
    hangs.store(false, Ordering::SeqCst);
    until("it has ended what hung", || {
        bad.figure("farm_worker_hung_computations") == 0.0
    })
    .await;
    assert_eq!(done.load(Ordering::SeqCst), 2);
    let second = self::job(3);
    queue.create(Arc::clone(&second)).await.unwrap();
    let orders: Vec<Order> = second.strips.strips().map(Order::from).collect();
    queue.enqueue(&second.id, &orders).await.unwrap();
    let strips = collected(&queue, &second).await;
    assert!(
        strips
            .iter()
            .all(|(_, worker, attempt)| worker == "bad" && *attempt == 1)
    );
    assert_eq!(bad.stop().await.ended, EndReason::Told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_devices_all_hang_ends() {
    let (queue, _) = queued(20).await;
    let hangs = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&hangs);
    let mut worker = start(
        queue.as_worker("bad"),
        Fake::new(move |_| {
            while still.load(Ordering::SeqCst) {
                std::thread::sleep(STEP);
            }
            Ok(())
        }),
    );
    let done = tokio::time::timeout(PATIENCE, &mut worker.done).await;
    // Before anything is asserted: the test's end would wait for it.
    hangs.store(false, Ordering::SeqCst);
    let done = done.expect("it ends by itself").unwrap();
    assert!(
        matches!(done.ended, EndReason::Hung(hung) if hung >= TIMEOUT),
        "{done:?}"
    );
    assert_eq!((done.figures.strips, done.figures.failed), (0, 2));
    assert_eq!(worker.figure("farm_worker_up"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_one_device_that_works_goes_on() {
    let (queue, job) = queued(40).await;
    let hangs = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&hangs);
    let mut devices = Fake::new(move |_| {
        while still.load(Ordering::SeqCst) {
            std::thread::sleep(STEP);
        }
        Ok(())
    });
    // Slow enough for the other one to get its share.
    devices.extend(Fake::new(|progress| {
        for _ in 0..5 {
            std::thread::sleep(STEP);
            progress.step();
        }
        Ok(())
    }));
    let worker = start(queue.as_worker("half"), devices);
    let strips = collected(&queue, &job).await;
    assert_eq!(
        strips
            .iter()
            .filter(|(_, _, attempt)| *attempt == 2)
            .count(),
        2
    );
    // As long as it takes a worker without any to end.
    tokio::time::sleep(2 * TIMEOUT).await;
    assert!(!worker.done.is_finished());
    hangs.store(false, Ordering::SeqCst);
    assert_eq!(worker.stop().await.ended, EndReason::Told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_strip_that_moves_is_left_to_its_device() {
    let (queue, job) = queued(2).await;
    let worker = start(
        queue.as_worker("slow"),
        Fake::new(|progress| {
            let began = Instant::now();
            while began.elapsed() < 3 * TIMEOUT {
                std::thread::sleep(STEP);
                progress.step();
            }
            Ok(())
        }),
    );
    let strips = collected(&queue, &job).await;
    assert!(
        strips.iter().all(|(_, _, attempt)| *attempt == 1),
        "{strips:?}"
    );
    assert_eq!(worker.stop().await.figures.failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strip_that_waits_for_its_device_is_not_taken_for_hung() {
    let (queue, job) = queued(4).await;
    // One at a time, as on a processor whose threads all work on the first: the second stands still meanwhile.
    let turn = Mutex::new(());
    let worker = start(
        queue.as_worker("one"),
        Fake::new(move |progress| {
            let _turn = turn.lock();
            let began = Instant::now();
            while began.elapsed() < 2 * TIMEOUT {
                std::thread::sleep(STEP);
                progress.step();
            }
            Ok(())
        }),
    );
    let strips = collected(&queue, &job).await;
    assert!(
        strips.iter().all(|(_, _, attempt)| *attempt == 1),
        "{strips:?}"
    );
    assert_eq!(worker.stop().await.figures.failed, 0);
}

/// A queue that takes buffers late.
struct Late {
    inner: MemoryQueue,
    offers: AtomicU32,
}

impl WorkerQueue for Late {
    async fn lease(
        &self,
        accepts: AcceptedBackends,
        wait: Duration,
    ) -> Result<Option<Lease>, QueueError> {
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
        if self.offers.fetch_add(1, Ordering::SeqCst) == 0 {
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

    async fn drained(&self) {
        // As if an operator had asked as soon as the first buffer was taken.
        while self.offers.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(STEP).await;
        }
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
    };
    let mut worker = start(late, Fake::new(|_| Ok(())));
    let strips = collected(&queue, &job).await;
    assert_eq!(strips, [(0, "late".to_owned(), 1)]);
    let done = tokio::time::timeout(PATIENCE, &mut worker.done).await;
    let done = done.expect("it ends by itself").unwrap();
    assert_eq!((done.ended, done.figures.failed), (EndReason::Drained, 0));
    assert_eq!(worker.figure("farm_worker_delivery_retries_total"), 1.0);
    assert_eq!(
        worker.figure("farm_worker_queue_errors_total{call=\"deliver\"}"),
        1.0
    );
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
