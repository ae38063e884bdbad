//! Workers with devices that behave as a test wants, on a queue in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::cpu::CpuDevice;
use engine::{Compute, DeviceInfo, EngineError, PreparedFrame, Progress};
use farm_queue::queue::Collected;
use farm_queue::{JobId, JobQueue, JobSpec, MemoryQueue, Order, WorkerQueue};
use farm_worker::{Meters, Settings, WorkerEnd};
use fractal::{
    BackendChoice, FrameSpec, Grid, Measure, MeasureSet, Strip, StripBuffer, StripPlan, View,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Time-out of strips: long enough for a loaded machine, short enough for a test.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(800);
/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// A step of a fake computation.
pub(crate) const STEP: Duration = Duration::from_millis(20);

/// What a device does before it computes a strip.
pub(crate) type Manner = Box<dyn Fn(&Progress) -> Result<(), EngineError> + Send + Sync>;

/// A processor with a manner.
pub(crate) struct Fake {
    cpu: CpuDevice,
    manner: Manner,
}

impl Fake {
    pub(crate) fn new(
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

pub(crate) fn job(rows: u32) -> Arc<JobSpec> {
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
            formula: fractal::Formula::default(),
            julia: None,
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: fractal::Counts::Fast,
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
        on: None,
    })
}

/// A running worker, and how to stop it.
pub(crate) struct Running {
    pub(crate) done: JoinHandle<WorkerEnd>,
    stop: oneshot::Sender<()>,
    pub(crate) meters: Arc<Meters>,
}

pub(crate) fn start<Q: WorkerQueue, D: Compute + 'static>(queue: Q, devices: Vec<D>) -> Running {
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
    pub(crate) async fn stop(self) -> WorkerEnd {
        let _ = self.stop.send(());
        let done = tokio::time::timeout(PATIENCE, self.done).await;
        done.expect("stops in time").expect("does not panic")
    }

    /// A figure of its metrics.
    pub(crate) fn figure(&self, line: &str) -> f64 {
        let text = self.meters.text();
        let found = text.lines().find_map(|found| found.strip_prefix(line));
        let value = found.unwrap_or_else(|| panic!("{line} in {text}"));
        value.trim().parse().expect("a number")
    }
}

pub(crate) async fn queued(rows: u32) -> (MemoryQueue, Arc<JobSpec>) {
    let (queue, job) = (MemoryQueue::new("submitter"), job(rows));
    queue.create(Arc::clone(&job)).await.unwrap();
    let orders: Vec<Order> = job.strips.strips().map(Order::from).collect();
    queue.enqueue(&job.id, &orders).await.unwrap();
    (queue, job)
}

/// All strips of a job as they come: who made each, and in which delivery.
pub(crate) async fn collected(queue: &MemoryQueue, job: &JobSpec) -> Vec<(u32, String, u32)> {
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

pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
