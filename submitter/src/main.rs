//! `submitter`: renders pictures in process or on a farm.
//!
//! Data goes one way: argv -> [`cli`] (as typed) -> [`plan`] (complete, printable) -> strips ([`assembly`])
//! -> queue -> workers -> buffers ([`collect`]), kept in a [`journal`] -> in order -> [`colour`] -> files
//! ([`output`]).

#![forbid(unsafe_code)]

mod acl;
mod assembly;
mod bar;
mod batch;
mod beat;
mod cli;
mod collect;
mod colour;
mod crew;
mod deep;
mod dry_run;
mod fallback;
mod info;
mod input;
mod interrupt;
mod journal;
mod locate;
mod location;
mod on_queue;
mod one_file;
mod operate;
mod output;
mod patience;
mod placing;
mod plan;
mod range;
mod recolour;
mod render;
mod report;
mod resume;
mod scale;
mod sealed;
mod world;
mod zoom;

use std::io::{ErrorKind, Write, stdout};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use batch::BatchError;
use clap::CommandFactory;
use cli::{Cli, Command, RenderArgs};
use collect::CollectError;
use farm_worker::{farm_args, terminal, usage};
use journal::Taken;
use placing::Placed;
use plan::{OutputKind, PlanError, RenderPlan};
use report::Report;
use tokio::runtime::Runtime;
use world::WorldError;
use world::stage::Stage;

/// Exit status after Ctrl-C or SIGTERM.
const INTERRUPTED: u8 = 130;
/// How long computations that nobody waits for any more may hold up the end of the program.
const LAST_GASP: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let cli: Cli = match usage::parse("submitter") {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    if let Some(warning) = farm_args::conceal(cli.command.redis()) {
        say(&format!("warning: {warning}"));
    }
    let done = interrupt::until_interrupted(move || run(cli.command));
    // Of threads that are not waited for.
    output::remove_own();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever the chain of causes.
            say(&format!("{error:#}"));
            match (
                error.downcast_ref::<PlanError>(),
                error.downcast_ref::<CollectError>(),
            ) {
                (Some(_), _) => ExitCode::from(usage::USAGE),
                (_, Some(CollectError::Interrupted)) => ExitCode::from(INTERRUPTED),
                _ if error.is::<BatchError>()
                    || error.is::<WorldError>()
                    || usage::is_misuse(&error) =>
                {
                    ExitCode::from(usage::USAGE)
                }
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// Does what a command line says.
fn run(command: Command) -> anyhow::Result<()> {
    compute_with(command.threads());
    carry_out(command)
}

/// The same with the threads that there are.
fn carry_out(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Render(args) => render(*args),
        Command::Zoom(args) => zoom::run(*args),
        Command::Plan(args) => show_plan(*args),
        Command::Locate(args) => locate::run(*args),
        Command::Colour(args) => recolour::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Batch(args) => batch::run(&args),
        Command::Resume(args) => resume::resume(*args),
        Command::Scale(args) => scale::run(&args),
        Command::Jobs(command) => ask_farm(operate::jobs(command)),
        Command::Workers(command) => ask_farm(operate::workers(command)),
        Command::World(command) => world::run(command),
        Command::RedisAcl(args) => acl::lines(&args).and_then(|lines| to_stdout(lines.as_bytes())),
        Command::WorkerKey(args) => {
            acl::worker_key(&args).and_then(|line| to_stdout(line.as_bytes()))
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "submitter", &mut script);
            to_stdout(&script)
        }
    }
}

/// Lets what follows compute and paint with so many threads, or with one for each core.
fn compute_with(threads: Option<u16>) {
    let threads = threads.map_or(0, usize::from);
    fractal::threads::want(threads);
    if threads > 0 {
        // What has no threads of its own, as packing EXR; a later command of a batch finds them started.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("threads-{number}"))
            .build_global();
    }
}

/// Writes data, words or JSON, with nothing in them that a terminal obeys; a reader that has gone away has had enough, and that is no failure.
fn to_stdout(data: &[u8]) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match out
        .write_all(&terminal::data(data))
        .and_then(|()| out.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        _ => Ok(()),
    }
}

/// One line for people, beside the data on stdout.
fn say(line: &str) {
    terminal::say("submitter", line);
}

/// Asks something of a farm, and prints the answer.
fn ask_farm(asked: impl Future<Output = anyhow::Result<Vec<u8>>>) -> anyhow::Result<()> {
    let runtime = usage::start("warn", usage::LogFormat::Text, "submitter-io")?;
    let answer = runtime.block_on(asked)?;
    to_stdout(&answer)
}

/// Says what a render would do.
fn show_plan(args: RenderArgs) -> anyhow::Result<()> {
    let json = args.say.json;
    let runtime = usage::start(&args.log.level, args.log.format, "submitter-io")?;
    let shown = dry_run::DryRun::of(&placed(&runtime, args)?);
    let text = if json {
        serde_json::to_string(&shown).context("cannot make the report")? + "\n"
    } else {
        shown.lines()
    };
    to_stdout(text.as_bytes())
}

fn render(args: RenderArgs) -> anyhow::Result<()> {
    let json = args.say.json;
    match rendered(args)? {
        Some(report) if json => tell(&report),
        _ => Ok(()),
    }
}

/// Renders; the report, where there was something to compute.
fn rendered(args: RenderArgs) -> anyhow::Result<Option<Report>> {
    let (json, quiet) = (args.say.json, args.say.quiet);
    let runtime = usage::start(&args.log.level, args.log.format, "submitter-io")?;
    let (stage, redis) = (args.stage.clone(), args.access.redis.clone());
    let workers = args.crew.workers;
    let plan = plan::plan(args)?;
    if plan.computes_nothing() {
        return convert(&plan, quiet, json).map(|()| None);
    }
    let placed = placing::placed(&stage, redis.as_deref(), workers, plan);
    let placed = runtime.block_on(placed)?;
    perform(runtime, placed, None, quiet).map(Some)
}

/// Prints a report for programs.
fn tell(report: &Report) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(report).context("cannot make the report")?;
    line.push(b'\n');
    to_stdout(&line)
}

/// Writes the place of a plan that asks for nothing else.
fn convert(plan: &RenderPlan, quiet: bool, json: bool) -> anyhow::Result<()> {
    if !quiet {
        for warning in &plan.warnings {
            say(&format!("warning: {warning}"));
        }
    }
    let about = output::About::new(&plan.location(None));
    let mut paths = Vec::new();
    for output in &plan.outputs {
        if let OutputKind::Location(format) = output.kind {
            output::write_whole(&output.path, about.text(format).as_bytes())?;
            paths.push(output.path.to_string_lossy().into_owned());
        }
    }
    if json {
        let report = serde_json::json!({ "outputs": paths });
        to_stdout(format!("{report}\n").as_bytes())?;
    }
    Ok(())
}

/// Lowers arguments to a plan, and finds its place.
fn placed(runtime: &Runtime, args: RenderArgs) -> anyhow::Result<Placed> {
    let (stage, redis) = (args.stage.clone(), args.access.redis.clone());
    let workers = args.crew.workers;
    let plan = plan::plan(args)?;
    runtime.block_on(placing::placed(&stage, redis.as_deref(), workers, plan))
}

/// Renders a plan in its place, going on with `taken`, and says how it went.
fn finish(
    runtime: Runtime,
    placed: Placed,
    taken: Option<Taken>,
    quiet: bool,
    json: bool,
) -> anyhow::Result<()> {
    let report = perform(runtime, placed, taken, quiet)?;
    if json { tell(&report) } else { Ok(()) }
}

fn perform(
    runtime: Runtime,
    placed: Placed,
    taken: Option<Taken>,
    quiet: bool,
) -> anyhow::Result<Report> {
    let Placed {
        mut plan,
        network,
        decision,
    } = placed;
    if !quiet {
        for warning in &plan.warnings {
            say(&format!("warning: {warning}"));
        }
        if let Some(decision) = &decision {
            say(&decision.line());
        }
    }
    let folder = plan.journal.as_ref().map(|journal| journal.folder.clone());
    let is_passing = (network.as_ref()).is_some_and(|(network, _)| network.has_own_redis());
    let ending = runtime.block_on(async {
        let mut interrupt = pin!(interrupt::interrupted());
        let stage = match network {
            None => None,
            Some((network, workers)) => Some(
                Stage::boot(network, &mut plan.place, workers, quiet, interrupt.as_mut()).await?,
            ),
        };
        // What was booted is shut down again, whatever comes.
        let _hold = interrupt::hold();
        let ending = render::render(plan, taken, quiet, interrupt).await;
        if let Some(stage) = stage {
            stage.end().await;
        }
        anyhow::Ok(ending)
    })?;
    runtime.shutdown_timeout(LAST_GASP);
    let mut report = match ending.kept {
        // Its Redis is gone with its world, and there is no other way to name that.
        Some(_) if is_passing => {
            (ending.report).context("stopped, and the same command again goes on with it")?
        }
        // Still one line, and what is wrong closes it.
        Some(job) => ending
            .report
            .with_context(|| format!("stopped, and {}", resume::hint(&job, folder)))?,
        None => ending.report?,
    };
    report.fallback = decision;
    if !quiet {
        terminal::say_alone(report.summary());
    }
    Ok(report)
}
