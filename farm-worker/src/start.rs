//! `farm-worker`: the program around the worker loop.

use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use engine::bench::quick;
use engine::{Compute, Device, device};
use farm_queue::protocol::signing::FarmKey;
use farm_queue::redis::{ConnectOptions, RedisWorkerQueue};
use farm_queue::{LeaveOrder, WorkerAbout, WorkerQueue};
use tokio::task::JoinHandle;

use crate::cli::{self, Cli, WorkArgs};
use crate::exporter::Exporter;
use crate::hours::Hours;
use crate::program::choice::choose_devices;
use crate::program::{farm_args, terminal, usage};
use crate::{EndReason, Fault, Meters, Settings, bench, memory, worker};

/// How long strips in hand may take to finish on SIGTERM before they are given back.
const GRACE: Duration = Duration::from_secs(2);
/// How long computations that nobody waits for any more may keep the process.
const LAST_GASP: Duration = Duration::from_millis(500);
/// Exit status after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// The program `farm-worker`: reads the command line, works until it is told to stop, and says with which status to exit.
///
/// It takes signals and writes to streams, so a process has nothing beside it.
#[must_use]
pub fn main() -> ExitCode {
    let cli: Cli = match usage::parse("farm-worker") {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    if cli.command.is_none()
        && let Some(warning) = farm_args::conceal(cli.work.redis.as_deref())
    {
        terminal::say("farm-worker", format_args!("warning: {warning}"));
    }
    let done = match cli.command {
        Some(cli::Command::Bench(args)) => bench::run(&args).map(|()| ExitCode::SUCCESS),
        None => work(&cli.work),
    };
    done.unwrap_or_else(|error| {
        // One line, whatever the chain of causes.
        terminal::say("farm-worker", format_args!("{error:#}"));
        if usage::is_misuse(&error) {
            ExitCode::from(usage::USAGE)
        } else {
            ExitCode::FAILURE
        }
    })
}

/// What comes after a while of work.
enum Next {
    /// The end of the program.
    Exit(ExitCode),
    /// The next of its hours.
    Rest,
    /// The program anew, as it lies on the disk.
    StartAnew,
}

fn work(args: &WorkArgs) -> anyhow::Result<ExitCode> {
    let url = args.redis_url()?.to_owned();
    let metrics = args.metrics_address()?;
    let farm = cli::farm(&url, &args.farm)?;
    // Before there are other threads: they take it over.
    step_back(args.nice)?;
    let runtime = usage::start_logging_to(args.log_file(), &args.log, args.log_format, "farm-io")?;
    let meters = Arc::new(Meters::new(env!("CARGO_PKG_VERSION"), engine::build_id()));
    let done: anyhow::Result<Next> = runtime.block_on(async {
        let mut stop = pin!(wait_for_stop());
        let mut served = None;
        if let Some(address) = metrics {
            let exporter = (Exporter::bind(address).await)
                .with_context(|| format!("cannot serve metrics on {address}"))?;
            if let Ok(address) = exporter.address() {
                tracing::info!("metrics at http://{address}/metrics");
            }
            served = Some(tokio::spawn(exporter.serve(Arc::clone(&meters))));
        }
        loop {
            if let Some(hours) = args.hours.filter(|hours| !hours.are_now()) {
                tracing::info!("resting: the hours are {hours}");
                tokio::select! {
                    () = hours.until(true) => {}
                    status = &mut stop => return Ok(Next::Exit(status)),
                    fault = wait_for_exporter_end(&mut served) => return Err(fault.into()),
                }
            }
            match serve(&farm, args, &meters, stop.as_mut(), &mut served).await? {
                Next::Rest => {}
                next => return Ok(next),
            }
        }
    });
    // Dropped, it would wait for computations in the middle of a step, which may be one of minutes: their strips
    // were given back, and nobody takes what they find.
    runtime.shutdown_timeout(LAST_GASP);
    match done? {
        Next::StartAnew => Err(start_anew()),
        Next::Exit(status) => Ok(status),
        // The loop goes on with that.
        Next::Rest => Ok(ExitCode::SUCCESS),
    }
}

/// Joins the farm and works for it, until something else is to be done.
async fn serve<T>(
    farm: &ConnectOptions,
    args: &WorkArgs,
    meters: &Arc<Meters>,
    mut stop: Pin<&mut impl Future<Output = ExitCode>>,
    served: &mut Option<JoinHandle<T>>,
) -> anyhow::Result<Next> {
    let choice = args.backend.into();
    let threads = args.threads.map(usize::from);
    let host = cli::host_name();
    let keyed = (farm.farm_key.as_ref()).and_then(FarmKey::worker);
    let name = args.name.as_deref().or(keyed).unwrap_or(&host);
    // The queue first: a wrong address is known at once, opening adapters takes a second or two.
    let mut connecting = pin!(RedisWorkerQueue::connect(farm, name));
    let queue = tokio::select! {
        connected = &mut connecting => connected?,
        status = &mut stop => {
            // It may be listed already.
            if let Ok(Ok(queue)) = tokio::time::timeout(LAST_GASP, connecting).await {
                sign_off(&queue).await;
            }
            return Ok(Next::Exit(status));
        }
    };
    let wanted = args.devices.clone();
    let open = move || {
        let devices = choose_devices(device::open(choice, threads)?, &wanted)?;
        let speed: u64 = devices.iter().map(quick::speed).sum();
        anyhow::Ok((devices, speed))
    };
    let opened = tokio::select! {
        opened = tokio::task::spawn_blocking(open) => opened?,
        status = &mut stop => {
            sign_off(&queue).await;
            return Ok(Next::Exit(status));
        }
    };
    let (devices, speed) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            sign_off(&queue).await;
            return Err(error);
        }
    };
    queue.describe(WorkerAbout {
        threads: devices.iter().map(threads_of).sum(),
        tags: args.tags.clone(),
        ..worker::about(&devices, host.clone(), speed)
    });
    let lanes: Vec<_> = devices
        .iter()
        .map(|device| device.info().name.as_str())
        .collect();
    tracing::info!(worker = name, lanes = ?lanes, speed, "ready");
    let settings = Settings {
        backend: choice,
        cpu_threads: threads,
        grace: GRACE,
        strip_timeout: Duration::from_secs(args.strip_timeout.into()),
        memory: args.memory.unwrap_or_else(memory::share_of_machine),
    };
    let mut next = Next::Rest;
    let mut broken = None;
    let shutdown = async {
        tokio::select! {
            told = stop => next = Next::Exit(told),
            fault = wait_for_exporter_end(served) => broken = Some(fault),
            () = wait_for_end(args.hours) => {}
        }
    };
    let done = worker::run(queue, devices, settings, Arc::clone(meters), shutdown).await;
    tracing::info!(
        strips = done.figures.strips,
        pixels = done.figures.pixels,
        why = ?done.ended,
        "stopped"
    );
    match (done.ended, broken) {
        (_, Some(fault)) => Err(fault.into()),
        (EndReason::Told, _) => Ok(next),
        (EndReason::Ordered(LeaveOrder::Restart), _) => Ok(Next::StartAnew),
        (EndReason::Ordered(_), _) => Ok(Next::Exit(ExitCode::SUCCESS)),
        (EndReason::Hung(hung), _) => anyhow::bail!(
            "every device has hung for {:.0} s; start the worker again",
            hung.as_secs_f64()
        ),
        (EndReason::Broken(fault), _) => Err(fault.into()),
    }
}

/// Waits until the hours end; for ever where there are none.
async fn wait_for_end(hours: Option<Hours>) {
    match hours {
        Some(hours) => hours.until(false).await,
        None => std::future::pending().await,
    }
}

/// Lets other programs of this machine go first.
#[cfg(unix)]
fn step_back(nice: Option<u8>) -> anyhow::Result<()> {
    let Some(nice) = nice else { return Ok(()) };
    rustix::process::setpriority_process(None, nice.into()).context("--nice: the system refuses it")
}

/// Lets other programs of this machine go first.
#[cfg(not(unix))]
fn step_back(nice: Option<u8>) -> anyhow::Result<()> {
    match nice {
        Some(_) => anyhow::bail!("--nice: this system has no such thing"),
        None => Ok(()),
    }
}

/// Starts the program anew in this process, as it lies on the disk by now: it may have been upgraded. Comes back only when
/// that failed, with why.
#[cfg(unix)]
fn start_anew() -> anyhow::Error {
    use std::os::unix::process::CommandExt;
    let own = match std::env::current_exe() {
        Ok(own) => own,
        Err(error) => return error.into(),
    };
    // What Linux calls a program whose file was replaced by another one.
    let text = own.to_string_lossy();
    let own = match text.strip_suffix(" (deleted)") {
        Some(path) if !own.exists() => PathBuf::from(path),
        _ => own.clone(),
    };
    let error = Command::new(&own).args(std::env::args_os().skip(1)).exec();
    anyhow::Error::new(error).context(format!("cannot start {} anew", own.display()))
}

/// Where no program can take the place of another.
#[cfg(not(unix))]
fn start_anew() -> anyhow::Error {
    anyhow::anyhow!("told to start anew, which this system has not: start it again")
}

/// Waits until nobody serves metrics any more, where somebody did.
async fn wait_for_exporter_end<T>(served: &mut Option<JoinHandle<T>>) -> Fault {
    let name = "the task that serves metrics";
    match served {
        None => std::future::pending().await,
        Some(task) => match task.await {
            Ok(_) => Fault::ended(name),
            Err(error) => Fault::of_task(name, error),
        },
    }
}

/// Leaves a farm of which nothing was taken yet. One that does not answer will notice by itself.
async fn sign_off(queue: &RedisWorkerQueue) {
    if let Ok(Err(error)) = tokio::time::timeout(GRACE, queue.leave()).await {
        tracing::warn!(%error, "could not sign off; the farm will notice by itself");
    }
}

/// Threads of the processor that a device computes with.
fn threads_of(device: &Device) -> u32 {
    match device {
        Device::Cpu(cpu) => u32::try_from(cpu.threads()).unwrap_or(u32::MAX),
        Device::Gpu(_) => 0,
    }
}

/// Waits for SIGTERM (an operator's orderly stop) or Ctrl-C, and says with which status to exit. Listens
/// from the call on, which has to be made within the runtime.
fn wait_for_stop() -> impl Future<Output = ExitCode> {
    #[cfg(unix)]
    let signals = {
        use tokio::signal::unix::{SignalKind, signal};
        [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
    };
    async move {
        #[cfg(unix)]
        if let [Ok(mut interrupt), Ok(mut terminate)] = signals {
            return tokio::select! {
                _ = terminate.recv() => ExitCode::SUCCESS,
                _ = interrupt.recv() => ExitCode::from(INTERRUPTED),
            };
        }
        let _ = tokio::signal::ctrl_c().await;
        ExitCode::from(INTERRUPTED)
    }
}
