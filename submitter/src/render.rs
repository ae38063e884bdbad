//! `submitter render`: a plan becomes files.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::cpu::CpuDevice;
use engine::{PreparedFrame, Progress, device};
use farm_queue::memory::MemoryQueue;
use farm_queue::redis::RedisJobQueue;
use farm_queue::{JobId, JobQueue, JobSpec, QueueError};
use farm_worker::Meters;
use fractal::{Axis, BackendChoice, FrameSpec, Measure, MeasureSet, Plane, Strip};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::bar::Bar;
use crate::collect::{CollectError, collect};
use crate::colour::Colours;
use crate::output::{self, Reserved, Writer};
use crate::patience::Patience;
use crate::plan::{OutputKind, Place, RenderPlan};
use crate::report::{OutputReport, Report, Tally};

/// Samples along the longer side from which the colour range is found.
const RANGE_SAMPLES: u32 = 48;
/// Iterations of such a sample at most: they are computed before anything else starts.
const RANGE_ITERATIONS: u64 = 100_000;
/// Share of the escaped samples that lie below the palette's upper end.
const RANGE_HIGH: f64 = 0.995;
/// How long a device of this process may show no progress before its strip goes to another one.
const STRIP_TIMEOUT: Duration = Duration::from_secs(60);
/// How long ending a job may take before the program ends without it; its keys expire by themselves.
const FINISH_PATIENCE: Duration = Duration::from_secs(5);

/// Renders `plan`; `interrupt` stops it at any time.
///
/// # Errors
/// One line; nothing is left of the files then.
pub async fn render(
    plan: RenderPlan,
    quiet: bool,
    interrupt: impl Future<Output = ()>,
) -> anyhow::Result<Report> {
    let started = Instant::now();
    // All that can be refused is refused before any work starts: places of files, devices, the farm.
    let reserved = plan
        .outputs
        .iter()
        .map(|output| Reserved::new(output, &plan.frame))
        .collect::<Result<Vec<_>, _>>()?;
    let job = Arc::new(JobSpec {
        id: JobId::generate(),
        frame: plan.frame.clone(),
        strips: plan.strips,
        backend: plan.backend,
        max_workers: match plan.place {
            Place::InProcess { .. } => None,
            Place::Farm { workers, .. } => workers,
        },
        build: engine::build_id(),
    });
    match &plan.place {
        Place::InProcess { workers } => {
            let queue = Arc::new(MemoryQueue::default());
            let crew = Crew::start(&queue, plan.backend, *workers)?;
            let report = run(&queue, &plan, &job, reserved, quiet, started, interrupt).await;
            crew.stop().await;
            report
        }
        Place::Farm { farm, .. } => {
            tokio::pin!(interrupt);
            let queue = tokio::select! {
                connected = RedisJobQueue::connect(&**farm) => Arc::new(connected?),
                () = &mut interrupt => return Err(CollectError::Interrupted.into()),
            };
            run(&queue, &plan, &job, reserved, quiet, started, interrupt).await
        }
    }
}

/// One job from its creation to its files in their places.
async fn run<Q: JobQueue>(
    queue: &Arc<Q>,
    plan: &RenderPlan,
    job: &Arc<JobSpec>,
    reserved: Vec<Reserved>,
    quiet: bool,
    started: Instant,
    interrupt: impl Future<Output = ()>,
) -> anyhow::Result<Report> {
    let range = match plan.colours.range {
        Some(range) => range,
        None if plan
            .outputs
            .iter()
            .any(|output| output.kind == OutputKind::Png) =>
        {
            colour_range(&plan.frame)
        }
        None => (0.0, 1.0),
    };
    let making = output::Job {
        frame: Arc::new(plan.frame.clone()),
        colours: Arc::new(Colours::new(plan.colours.palette, range)),
        compression: plan.compression,
    };
    // Before any file has a thread: a thread that is not waited for may be too late to remove its file.
    queue.create(Arc::clone(job)).await?;
    let writers = reserved
        .into_iter()
        .map(|place| place.start(making.clone()))
        .collect::<Result<Vec<Writer>, _>>()?;
    let bar = Bar::new(&plan.frame, plan.strips.count(), quiet);
    let mut tally = Tally::default();
    let on_farm = matches!(plan.place, Place::Farm { .. });
    let collected = collect(queue, job, &writers, &bar, &mut tally, on_farm, interrupt).await;
    // Also after a failure: nobody should work on, and no key stay behind.
    let clear = async {
        let mut patience = Patience::new();
        while let Err(error) = queue.finish(&job.id).await {
            patience.bear(error, "job not cleared").await?;
        }
        Ok::<(), QueueError>(())
    };
    match tokio::time::timeout(FINISH_PATIENCE, clear).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the job was not cleared; its keys will expire"),
        Err(_) => tracing::warn!("the job was not cleared in time; its keys will expire"),
    }
    // Dropping a writer ends its thread and removes its file, so every path below cleans up.
    let written = tokio::task::spawn_blocking(move || {
        writers.into_iter().map(Writer::finish).collect::<Vec<_>>()
    })
    .await?;
    bar.clear();
    match collected {
        // The file says better what is wrong with it.
        Ok(()) | Err(CollectError::Output) => {}
        Err(error) => return Err(error.into()),
    }
    let written = written.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut outputs = Vec::new();
    for file in written {
        let busy_secs = file.busy_secs;
        let path = file.publish()?;
        let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        outputs.push(OutputReport {
            path: path.to_string_lossy().into_owned(),
            bytes,
            busy_secs,
        });
    }
    let mut report = Report {
        job: job.id.to_string(),
        width: plan.frame.width,
        height: plan.frame.height,
        pixels: plan.frame.pixels(),
        iterations_total: 0,
        elapsed_secs: started.elapsed().as_secs_f64(),
        strips: plan.strips.count(),
        redelivered: 0,
        rejected: 0,
        colour_range: range,
        outputs,
        workers: Vec::new(),
    };
    report.set_tally(&tally);
    Ok(report)
}

/// The workers of a render in process.
struct Crew {
    stop: Vec<oneshot::Sender<()>>,
    workers: JoinSet<()>,
}

impl Crew {
    /// Opens devices for `workers` workers that share this machine's cores.
    fn start(
        queue: &Arc<MemoryQueue>,
        choice: BackendChoice,
        workers: u16,
    ) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (workers > 1).then(|| (cores / usize::from(workers)).max(1));
        let mut crew = Self {
            stop: Vec::new(),
            workers: JoinSet::new(),
        };
        for number in 1..=workers {
            let name = if workers == 1 {
                "in process".to_owned()
            } else {
                format!("in process {number}")
            };
            let devices = device::open(choice, threads)?;
            let settings = farm_worker::Settings {
                backend: choice,
                cpu_threads: threads,
                grace: Duration::ZERO,
                strip_timeout: STRIP_TIMEOUT,
            };
            let meters = Arc::new(Meters::new(env!("CARGO_PKG_VERSION"), engine::build_id()));
            let (stop, stopped) = oneshot::channel();
            let worker =
                farm_worker::run(queue.as_worker(&name), devices, settings, meters, async {
                    let _ = stopped.await;
                });
            crew.workers.spawn(async move {
                worker.await;
            });
            crew.stop.push(stop);
        }
        Ok(crew)
    }

    async fn stop(mut self) {
        drop(std::mem::take(&mut self.stop));
        while self.workers.join_next().await.is_some() {}
    }
}

/// The smooth counts that the palette spans: from the lowest to nearly the highest of a coarse grid of
/// samples over the view, which the processor computes in milliseconds.
fn colour_range(frame: &FrameSpec) -> (f64, f64) {
    let scale = f64::from(RANGE_SAMPLES) / f64::from(frame.width.max(frame.height));
    let side = |samples: u32| ((f64::from(samples) * scale) as u32).clamp(1, samples);
    let coarse = FrameSpec {
        width: side(frame.width),
        height: side(frame.height),
        iterations: frame.iterations.min(RANGE_ITERATIONS),
        measures: MeasureSet::default().with(Measure::Smooth),
        ..frame.clone()
    };
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: coarse.height,
    };
    // Samples of the frame's own columns and rows: a view by its centre is as wide as its sides are, so a
    // smaller frame of other proportions would show another part of the plane.
    let picked = |axis: &Axis, samples: u32| -> Vec<f64> {
        let index = |sample| u64::from(sample) * u64::from(axis.len()) / u64::from(samples);
        (0..samples)
            .map(|sample| axis.at(index(sample) as u32))
            .collect()
    };
    let (columns, rows) = frame.axes();
    let smooth = PreparedFrame::new(coarse).ok().and_then(|mut coarse| {
        coarse.columns = picked(&columns, coarse.spec.width);
        coarse.rows = picked(&rows, coarse.spec.height);
        CpuDevice::new(Some(1))
            .compute(&coarse, strip, &Progress::default())
            .ok()
    });
    let mut escaped: Vec<f32> = match smooth
        .as_ref()
        .and_then(|buffer| buffer.plane(Measure::Smooth))
    {
        Some(Plane::Smooth(values)) => values
            .iter()
            .copied()
            .filter(|value| *value != 0.0)
            .collect(),
        _ => Vec::new(),
    };
    escaped.sort_by(f32::total_cmp);
    let at = |share: f64| {
        escaped
            .get((escaped.len() as f64 * share) as usize)
            .copied()
    };
    match (escaped.first(), at(RANGE_HIGH)) {
        (Some(low), Some(high)) if high > *low => (f64::from(*low), f64::from(high)),
        (Some(low), _) => (f64::from(*low), f64::from(*low) + 1.0),
        _ => (0.0, 1.0),
    }
}

/// Resolves when the user presses Ctrl-C or the system asks the program to stop.
///
/// Listens from the call on, not from the first poll: what comes while files and devices are still being
/// opened must not end the program over its files. Call it within the runtime.
pub fn interrupted() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let signals = {
        use tokio::signal::unix::{SignalKind, signal};
        [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
    };
    async move {
        #[cfg(unix)]
        if let [Ok(mut interrupt), Ok(mut terminate)] = signals {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
