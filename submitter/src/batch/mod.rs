//! `submitter batch`: a list of jobs, one after another, each what its line on the command line would do.
//!
//! All are checked before the first begins; one that fails does not stop the others; a table says how they went.

mod file;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use farm_worker::{terminal, usage};
use serde::Serialize;

use crate::cli::files::BatchArgs;
use crate::cli::{Cli, Command};
use crate::collect::CollectError;
use crate::dry_run::DryRun;
use crate::one_file::FileId;
use crate::operate::tables;
use crate::plan;
use crate::report::Report;
use crate::zoom::pictures::Pattern;
use crate::zoom::{self, SequenceReport};

pub use file::BatchError;
use file::Job;

/// Some jobs failed, as the table says.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {jobs} jobs failed: {first}")]
struct SomeFailed {
    failed: usize,
    jobs: usize,
    /// Names of the first few.
    first: String,
}

/// Names of failed jobs that are said at the end.
const NAMED: usize = 3;

/// How a job went.
#[derive(Debug, Serialize)]
struct Outcome {
    name: String,
    command: String,
    outputs: Vec<String>,
    state: State,
    elapsed_secs: f64,
    /// Why it failed, in a line.
    error: Option<String>,
    /// What a render or a sequence says of itself.
    report: Option<Made>,
}

/// As it is told, without a tree of values between, whose numbers have 64 bits.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Made {
    Picture(Box<Report>),
    Sequence(Box<SequenceReport>),
}

/// All jobs, as programs read them.
#[derive(Debug, Serialize)]
struct Told<'a> {
    jobs: &'a [Outcome],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Done,
    Failed,
    Skipped,
    /// It was interrupted, or those before it were.
    Left,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Left => "left",
        }
    }
}

/// Does what `args` say.
///
/// # Errors
/// One line: about the file, or how many jobs failed.
pub fn run(args: &BatchArgs) -> anyhow::Result<()> {
    let jobs = file::read(&args.file)?;
    check(args, &jobs)?;
    if args.dry_run {
        return show(args, &jobs);
    }
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut interrupted = false;
    for (at, job) in jobs.iter().enumerate() {
        let mut outcome = Outcome {
            name: job.name.clone(),
            command: job.command.clone(),
            outputs: (job.outputs.iter())
                .map(|path| path.to_string_lossy().into_owned())
                .collect(),
            state: State::Left,
            elapsed_secs: 0.0,
            error: None,
            report: None,
        };
        if interrupted {
            outcomes.push(outcome);
            continue;
        }
        if args.skip_existing && is_there(args, job) {
            outcome.state = State::Skipped;
            outcomes.push(outcome);
            continue;
        }
        if !args.say.quiet {
            let (number, all, name) = (at + 1, jobs.len(), &job.name);
            terminal::say_alone(format_args!("job {number} of {all}: {name}"));
        }
        let started = Instant::now();
        let done = done(args, job);
        outcome.elapsed_secs = started.elapsed().as_secs_f64();
        match done {
            Ok(report) => (outcome.state, outcome.report) = (State::Done, report),
            Err(error) => {
                interrupted = matches!(error.downcast_ref(), Some(CollectError::Interrupted));
                if !interrupted {
                    outcome.state = State::Failed;
                    crate::say(&format!("{}: {error:#}", job.name));
                }
                outcome.error = Some(format!("{error:#}"));
            }
        }
        outcomes.push(outcome);
    }
    tell(args, &outcomes)?;
    if interrupted {
        return Err(CollectError::Interrupted.into());
    }
    let failed = outcomes.iter().filter(|job| job.state == State::Failed);
    let names: Vec<&str> = failed.map(|job| job.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(SomeFailed {
        failed: names.len(),
        jobs: jobs.len(),
        first: names[..names.len().min(NAMED)].join(", "),
    }
    .into())
}

/// Whether all files of a job are there: of numbered pictures as many as it makes.
fn is_there(args: &BatchArgs, job: &Job) -> bool {
    let pictures = || match parsed(args, job) {
        Ok(Command::Zoom(zoom)) => plan::zoom::plan(*zoom).map_or(0, |plan| plan.timing.frames),
        _ => 0,
    };
    let is_there = |path: &PathBuf| match Pattern::read(path) {
        Some(pattern) if job.command == "zoom" => {
            let count = pictures();
            count > 0 && pattern.are_there(count.into())
        }
        _ => path.is_file(),
    };
    !job.outputs.is_empty() && job.outputs.iter().all(is_there)
}

/// Finds every mistake that can be found before anything is computed.
fn check(args: &BatchArgs, jobs: &[Job]) -> Result<(), BatchError> {
    let mut writers: HashMap<FileId, &Job> = HashMap::new();
    let mut kept: HashSet<FileId> = HashSet::new();
    for job in jobs {
        let wrong = |reason: String| job.wrong(&args.file, reason);
        // What an earlier job will write is not there yet.
        let waits = (job.inputs.iter()).any(|input| writers.contains_key(&FileId::of(input)));
        let waits = waits
            || job
                .reused
                .as_ref()
                .is_some_and(|folder| kept.contains(&FileId::of(folder)));
        let planned = match parsed(args, job)? {
            _ if waits => Ok(()),
            Command::Render(render) => plan::plan(*render).map(drop),
            Command::Zoom(zoom) => plan::zoom::plan(*zoom).map(drop),
            _ => Ok(()),
        };
        planned.map_err(|error| wrong(error.to_string()))?;
        kept.extend(job.kept.as_deref().map(FileId::of));
        for output in &job.outputs {
            // A job's own are looked at where it is planned.
            if let Some(other) = writers.insert(FileId::of(output), job)
                && !std::ptr::eq(other, job)
            {
                let reason = format!("writes {}, as {} does", output.display(), other.name);
                return Err(wrong(reason));
            }
        }
    }
    Ok(())
}

/// A job's command line.
fn parsed(args: &BatchArgs, job: &Job) -> Result<Command, BatchError> {
    let mut words = job.words.clone();
    if args.say.quiet {
        words.insert(2, "--quiet".into());
    }
    // One line, as on the command line, without its name for it.
    <Cli as clap::Parser>::try_parse_from(&words)
        .map(|cli| cli.command)
        .map_err(|error| {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            let line = line.trim_start_matches("error: ").to_owned();
            job.wrong(&args.file, line)
        })
}

fn done(args: &BatchArgs, job: &Job) -> anyhow::Result<Option<Made>> {
    let command = parsed(args, job)?;
    crate::compute_with(command.threads().or(args.threads.threads));
    match command {
        Command::Render(mut render) => {
            render.log = args.log.clone();
            let report = crate::rendered(*render)?;
            Ok(report.map(|report| Made::Picture(Box::new(report))))
        }
        Command::Zoom(mut zoom) => {
            zoom.log = args.log.clone();
            let report = zoom::made(*zoom)?;
            Ok(Some(Made::Sequence(Box::new(report))))
        }
        other => crate::carry_out(other).map(|()| None),
    }
}

/// Says what each job would do.
fn show(args: &BatchArgs, jobs: &[Job]) -> anyhow::Result<()> {
    let runtime = usage::start(&args.log.level, args.log.format, "submitter-io")?;
    let mut text = String::new();
    for job in jobs {
        text += &format!("{}: {}\n", job.name, job.line());
        // One that waits for a file of an earlier one has no plan yet.
        if let Command::Render(render) = parsed(args, job)?
            && let Ok(placed) = crate::placed(&runtime, *render)
        {
            text += &DryRun::of(&placed).lines();
        }
        text.push('\n');
    }
    crate::to_stdout(text.as_bytes())
}

/// Says how all of them went.
fn tell(args: &BatchArgs, outcomes: &[Outcome]) -> anyhow::Result<()> {
    if args.say.json {
        let line =
            serde_json::to_string(&Told { jobs: outcomes }).context("cannot make the report")?;
        return crate::to_stdout((line + "\n").as_bytes());
    }
    let rows: Vec<Vec<String>> = outcomes
        .iter()
        .map(|job| {
            vec![
                job.name.clone(),
                job.state.word().to_owned(),
                tables::duration(job.elapsed_secs),
                job.error.clone().unwrap_or_else(|| job.outputs.join(", ")),
            ]
        })
        .collect();
    crate::to_stdout(&tables::table(&["JOB", "STATE", "TIME", "FILES"], &rows))
}
