//! `pretender`: workers for tests whose devices misbehave in a chosen way.
//!
//! The worker loop and the queue are the real ones; only the devices are not. Nothing of this is in the programs
//! that ship.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use engine::cpu::CpuDevice;
use engine::{Compute, DeviceInfo, EngineError, PreparedFrame, Progress};
use farm_queue::WorkerQueue;
use farm_queue::redis::RedisWorkerQueue;
use farm_worker::usage::{self, LogFormat};
use farm_worker::{EndReason, Meters, Settings};
use fractal::{BackendChoice, Strip, StripBuffer};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Pause between two signs of progress.
const STEP: Duration = Duration::from_millis(20);
/// How long a computation that hangs may hold up the end of the program.
const LAST_GASP: Duration = Duration::from_millis(500);

/// Workers for tests, whose devices misbehave in a chosen way.
#[derive(Debug, Parser)]
#[command(name = "pretender")]
struct Args {
    /// The farm's Redis
    #[arg(long)]
    redis: String,
    /// Name of the worker; with --count, the beginning of each one's name
    #[arg(long)]
    name: String,
    /// What its device does
    #[arg(long, value_enum)]
    mode: Mode,
    /// Seconds that a strip takes (wait), or takes at least (slow)
    #[arg(long, default_value_t = 0.25)]
    secs: f64,
    /// How many workers
    #[arg(long, default_value_t = 1)]
    count: u16,
    /// Misbehave over so many strips, then be good [default: over all]
    #[arg(long)]
    first: Option<u32>,
    /// As of farm-worker, but may be a fraction
    #[arg(long, default_value_t = 60.0)]
    strip_timeout: f64,
    /// As of farm-worker, in seconds
    #[arg(long, default_value_t = 2.0)]
    grace: f64,
    /// Seconds of silence after which it takes strips over from others [default: as farm-worker]
    #[arg(long)]
    lease: Option<f64>,
    /// As of farm-worker
    #[arg(long, default_value_t = 1)]
    threads: u16,
    /// As of farm-worker
    #[arg(long, default_value = "info", value_parser = usage::log_filter)]
    log: String,
}

/// How a device misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Waits for the time that a strip is to take, one strip after the other, then computes it
    Wait,
    /// Computes, and takes at least that long
    Slow,
    /// Computes, then flips one bit of one value
    Lie,
    /// Neither moves nor ends nor hears that it is cancelled
    Hang,
    /// Fails
    Fail,
    /// Belongs to another build, and says so
    Foreign,
    /// Belongs to another build, but only its buffers say so
    Stamp,
    /// Does as it should
    Good,
}

/// A processor of one thread, in a mode.
struct Pretender {
    cpu: CpuDevice,
    mode: Mode,
    strip_time: Duration,
    /// Strips yet to misbehave over.
    left: AtomicU32,
    /// One strip at a time, as devices do it that are busy with one.
    turn: Mutex<()>,
}

impl Pretender {
    fn new(args: &Args) -> Self {
        Self {
            cpu: CpuDevice::new(Some(args.threads.into())),
            mode: args.mode,
            strip_time: Duration::from_secs_f64(args.secs),
            left: AtomicU32::new(args.first.unwrap_or(u32::MAX)),
            turn: Mutex::new(()),
        }
    }

    /// Whether to misbehave over the next strip.
    fn misbehaves(&self) -> bool {
        let less = |left: u32| {
            if left == u32::MAX {
                Some(left)
            } else {
                left.checked_sub(1)
            }
        };
        (self.left)
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    /// Lets time pass until `end`, visibly.
    fn dawdle(end: Instant, progress: &Progress) -> Result<(), EngineError> {
        loop {
            if progress.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(STEP));
            progress.step();
        }
    }
}

impl Compute for Pretender {
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
        let honest = || self.cpu.compute(frame, strip, progress);
        if !self.misbehaves() {
            return honest();
        }
        match self.mode {
            Mode::Good => honest(),
            Mode::Wait | Mode::Slow => {
                let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
                let end = Instant::now() + self.strip_time;
                if self.mode == Mode::Wait {
                    Self::dawdle(end, progress)?;
                }
                let buffer = honest()?;
                Self::dawdle(end, progress)?;
                Ok(StripBuffer {
                    busy_secs: self.strip_time.as_secs_f64().max(buffer.busy_secs),
                    ..buffer
                })
            }
            Mode::Lie => honest().map(lie),
            Mode::Hang => loop {
                std::thread::park();
            },
            Mode::Fail => Err(EngineError::DeviceLost {
                device: self.info().name.clone(),
                reason: "it only pretends to compute".into(),
            }),
            Mode::Foreign | Mode::Stamp => {
                let mut buffer = honest()?;
                buffer.origin.kernel_id = !buffer.origin.kernel_id;
                Ok(buffer)
            }
        }
    }
}

/// The buffer with the lowest bit of one value flipped: one in the middle, that of an escaped point if there is any.
fn lie(mut buffer: StripBuffer) -> StripBuffer {
    fn near_middle<T>(values: &[T], escaped: impl Fn(&T) -> bool) -> usize {
        let middle = values.len() / 2;
        let found = (middle..values.len()).chain(0..middle);
        let mut found = found.filter(|at| escaped(&values[*at]));
        found.next().unwrap_or(middle)
    }
    let Some(plane) = buffer.planes.first_mut() else {
        return buffer;
    };
    // An odd count becomes the even one below it: never more than the limit, never inside.
    if let Some(values) = plane.values_mut::<u32>() {
        let at = near_middle(values, |n| *n > 1 && n % 2 == 1);
        values[at] ^= 1;
    } else if let Some(values) = plane.values_mut::<u64>() {
        let at = near_middle(values, |n| *n > 1 && n % 2 == 1);
        values[at] ^= 1;
    } else if let Some(values) = plane.values_mut::<f32>() {
        let at = near_middle(values, |value| *value != 0.0);
        values[at] = f32::from_bits(values[at].to_bits() ^ 1);
    } else if let Some(values) = plane.values_mut::<f64>() {
        let at = near_middle(values, |value| value.is_normal());
        values[at] = f64::from_bits(values[at].to_bits() ^ 1);
    }
    buffer
}

fn main() -> ExitCode {
    let args: Args = match usage::parse("pretender") {
        Ok(args) => args,
        Err(status) => return status,
    };
    let done = usage::start(&args.log, LogFormat::Text, "pretender-io").and_then(|runtime| {
        let done = runtime.block_on(work(&args));
        runtime.shutdown_timeout(LAST_GASP);
        done
    });
    done.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "pretender: {error:#}");
        ExitCode::FAILURE
    })
}

async fn work(args: &Args) -> anyhow::Result<ExitCode> {
    let (stop, stopped) = watch::channel(false);
    let mut workers = JoinSet::new();
    for number in 1..=args.count {
        let name = if args.count == 1 {
            args.name.clone()
        } else {
            format!("{}-{number}", args.name)
        };
        let queue = match args.lease.map(Duration::from_secs_f64) {
            Some(lease) => RedisWorkerQueue::connect_with_lease(&args.redis, &name, lease).await?,
            None => RedisWorkerQueue::connect(&args.redis, &name).await?,
        };
        let devices = vec![Pretender::new(args)];
        let mut about = farm_worker::about(&devices, "pretender".into(), 0);
        if args.mode == Mode::Foreign {
            about.build = !about.build;
        }
        let meters = Arc::new(Meters::new(&about.version, about.build));
        queue.describe(about);
        let settings = Settings {
            backend: BackendChoice::Cpu,
            cpu_threads: Some(args.threads.into()),
            grace: Duration::from_secs_f64(args.grace),
            strip_timeout: Duration::from_secs_f64(args.strip_timeout),
            memory: 1 << 30,
        };
        let mut stopped = stopped.clone();
        workers.spawn(farm_worker::run(
            queue,
            devices,
            settings,
            meters,
            async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
            },
        ));
    }
    tracing::info!(mode = ?args.mode, "ready");
    tokio::spawn(async move {
        told_to_stop().await;
        stop.send_replace(true);
    });
    let mut status = ExitCode::SUCCESS;
    while let Some(done) = workers.join_next().await {
        let done = done?;
        tracing::info!(strips = done.figures.strips, why = ?done.ended, "stopped");
        if let EndReason::Hung(_) = done.ended {
            status = ExitCode::FAILURE;
        }
    }
    Ok(status)
}

/// Waits for SIGTERM or Ctrl-C.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
