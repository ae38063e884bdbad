//! `farm-worker`: the program around the worker loop.

#![forbid(unsafe_code)]

mod bench;
mod cli;

use std::io::{IsTerminal, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use cli::{Cli, Command, WorkArgs};
use engine::device;
use farm_queue::redis::RedisWorkerQueue;
use farm_worker::farm_args;
use tracing_subscriber::EnvFilter;

/// How long strips in hand may take to finish on SIGTERM before they are given back.
const GRACE: Duration = Duration::from_secs(2);
/// How long computations that nobody waits for any more may keep the process.
const LAST_GASP: Duration = Duration::from_millis(500);
/// Exit status after Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let cli: Cli = match farm_worker::usage::parse("farm-worker") {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    if cli.command.is_none()
        && let Some(warning) = farm_args::conceal(cli.work.redis.as_deref())
    {
        let _ = writeln!(std::io::stderr(), "farm-worker: warning: {warning}");
    }
    let done = match cli.command {
        Some(Command::Bench(args)) => bench::run(&args).map(|()| ExitCode::SUCCESS),
        None => work(cli.work),
    };
    done.unwrap_or_else(|error| {
        // One line, whatever the chain of causes.
        let _ = writeln!(std::io::stderr(), "farm-worker: {error:#}");
        if farm_worker::usage::is_misuse(&error) {
            ExitCode::from(farm_worker::usage::USAGE)
        } else {
            ExitCode::FAILURE
        }
    })
}

fn work(args: WorkArgs) -> anyhow::Result<ExitCode> {
    let url = args.redis_url()?.to_owned();
    let filter = EnvFilter::try_new(&args.log)
        .with_context(|| format!("--log '{}' is no log level", args.log))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.init(); // in colour, unless NO_COLOR says otherwise
    } else {
        log.with_ansi(false).init();
    }
    let farm = cli::farm(&url, &args.farm)?;
    let choice = args.backend.into();
    let threads = args.threads.map(usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("farm-io")
        .enable_all()
        .build()
        .context("cannot start the I/O threads")?;
    let done = runtime.block_on(async {
        let mut stop = pin!(told_to_stop());
        let name = args.name.unwrap_or_else(cli::host_name);
        // The queue first: a wrong address is known at once, opening adapters takes a second or two.
        let opened = async {
            let queue = RedisWorkerQueue::connect(&farm, &name).await?;
            let open = move || device::open(choice, threads);
            anyhow::Ok((queue, tokio::task::spawn_blocking(open).await??))
        };
        let (queue, devices) = tokio::select! {
            opened = opened => opened?,
            status = &mut stop => return Ok(status),
        };
        let lanes: Vec<_> = devices
            .iter()
            .map(|device| device.info().name.as_str())
            .collect();
        tracing::info!(worker = name, lanes = ?lanes, "ready");
        let settings = farm_worker::Settings {
            backend: choice,
            cpu_threads: threads,
            grace: GRACE,
        };
        let mut status = ExitCode::SUCCESS;
        let shutdown = async { status = stop.await };
        let stats = farm_worker::run(queue, devices, settings, shutdown).await;
        tracing::info!(strips = stats.strips, pixels = stats.pixels, "stopped");
        Ok(status)
    });
    // Dropped, it would wait for computations in the middle of a step, which may be one of minutes: their strips
    // were given back, and nobody takes what they find.
    runtime.shutdown_timeout(LAST_GASP);
    done
}

/// Waits for SIGTERM (an operator's orderly stop) or Ctrl-C, and says with which status to exit. Listens
/// from the call on, which has to be made within the runtime.
fn told_to_stop() -> impl Future<Output = ExitCode> {
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
