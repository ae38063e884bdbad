//! `submitter batch`: a list of jobs, one after another, each what its line on the command line would do.
//!
//! All are checked before the first begins; one that fails does not stop the others; a table says how they went.

mod file;
mod keys;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Instant;

use disk::FileId;
use farm_worker::terminal;
use requests::ErrorKind;
use requests::perform::colours;
use requests::perform::minibrot::minibrot;
use requests::perform::picture::{Made as Picture, PictureReport, picture, plan_picture};
use requests::perform::preview::Preview;
use requests::perform::sequence::SequenceReport;
use requests::plan;
use serde::Serialize;
use zoom::plan::pattern::Pattern;

use super::context::{Context, compute_with};
use super::{render, zoom as zoom_command};
use crate::cli::files::BatchArgs;
use crate::failure::Failure;
use crate::terminal::{say, tables, write_json, write_stdout};
use file::{BatchError, Job};
pub use keys::Work;

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
    Picture(Box<PictureReport>),
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

/// Does all jobs of a file, and says how they went.
pub async fn run(args: &BatchArgs, context: &Context) -> Result<(), Failure> {
    let jobs = file::read(&args.file).map_err(Failure::usage)?;
    check(args, &jobs).map_err(Failure::usage)?;
    if args.dry_run {
        return show(args, &jobs, context).await;
    }
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut interrupted = false;
    for (at, job) in jobs.iter().enumerate() {
        let mut outcome = Outcome {
            name: job.name.clone(),
            command: job.command.clone(),
            outputs: (job.keys.outputs().iter())
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
        if args.skip_existing && is_there(job) {
            outcome.state = State::Skipped;
            outcomes.push(outcome);
            continue;
        }
        if !args.say.quiet {
            let (number, all, name) = (at + 1, jobs.len(), &job.name);
            terminal::say_alone(format_args!("job {number} of {all}: {name}"));
        }
        let started = Instant::now();
        let done = carry_out(args, job, context).await;
        outcome.elapsed_secs = started.elapsed().as_secs_f64();
        match done {
            Ok(report) => (outcome.state, outcome.report) = (State::Done, report),
            Err(failure) => {
                interrupted = failure.kind() == ErrorKind::Interrupted;
                if !interrupted {
                    outcome.state = State::Failed;
                    say(&format!("{}: {}", job.name, failure.line()));
                }
                outcome.error = Some(failure.line().to_owned());
            }
        }
        outcomes.push(outcome);
    }
    tell(args, &outcomes)?;
    if interrupted {
        return Err(Failure::interrupted(None));
    }
    let failed = outcomes.iter().filter(|job| job.state == State::Failed);
    let names: Vec<&str> = failed.map(|job| job.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let first = names[..names.len().min(NAMED)].join(", ");
    Err(Failure::failed(format!(
        "{} of {} jobs failed: {first}",
        names.len(),
        jobs.len()
    )))
}

/// What the jobs of a file do, with their names; nothing is done.
///
/// # Errors
/// A mistake in the file.
pub fn works(args: &BatchArgs) -> Result<Vec<(String, Work)>, Failure> {
    let jobs = file::read(&args.file).map_err(Failure::usage)?;
    check(args, &jobs).map_err(Failure::usage)?;
    let wanted = jobs.into_iter();
    let wanted = wanted.filter(|job| !args.skip_existing || !is_there(job));
    let work = |job: Job| {
        let work = job.keys.clone().work();
        let work = work.map_err(|error| Failure::usage(job.wrong(&args.file, error)))?;
        Ok((job.name, work))
    };
    wanted.map(work).collect()
}

/// Whether all files of a job are there: of numbered pictures as many as it makes.
fn is_there(job: &Job) -> bool {
    let pictures = || match job.keys.clone().work() {
        Ok(Work::Zoom(request, means)) => {
            plan::sequence::sequence(&request, &means).map_or(0, |plan| plan.timing.frames)
        }
        _ => 0,
    };
    let outputs = job.keys.outputs();
    let mut are_there = outputs.iter().map(|path| match Pattern::read(path) {
        Some(pattern) if job.command == "zoom" => {
            let count = pictures();
            count > 0 && pattern.are_there(count.into())
        }
        _ => path.is_file(),
    });
    !outputs.is_empty() && are_there.all(|is_there| is_there)
}

/// Finds every mistake that can be found before anything is computed.
fn check(args: &BatchArgs, jobs: &[Job]) -> Result<(), BatchError> {
    let mut writers: HashMap<FileId, &Job> = HashMap::new();
    let mut kept: HashSet<FileId> = HashSet::new();
    for job in jobs {
        let wrong = |reason: String| job.wrong(&args.file, reason);
        let id = |path: Option<PathBuf>| path.map(|path| FileId::of(&path));
        let (keep, reuse) = job.keys.folders();
        // What an earlier job will write is not there yet.
        let waits = id(job.keys.input()).is_some_and(|input| writers.contains_key(&input))
            || id(reuse).is_some_and(|folder| kept.contains(&folder));
        let planned = match job.keys.clone().work().map_err(wrong)? {
            Work::Render(request, means) if waits => plan::picture::check_request(&request, &means),
            Work::Render(request, means) => plan::picture::picture(request, &means).map(drop),
            Work::Zoom(request, means) if waits => plan::sequence::check_request(&request, &means),
            Work::Zoom(request, means) => plan::sequence::sequence(&request, &means).map(drop),
            Work::Colour(request, means) => colours::check(&request, &means, !waits),
            Work::Locate(request, file, _) => {
                plan::minibrot::check_request(&request, file.is_some())
            }
        };
        planned.map_err(|error| wrong(error.to_string()))?;
        kept.extend(id(keep));
        for output in job.keys.outputs() {
            // A job's own are looked at where it is planned.
            if let Some(other) = writers.insert(FileId::of(&output), job)
                && !std::ptr::eq(other, job)
            {
                let reason = format!("writes {}, as {} does", output.display(), other.name);
                return Err(wrong(reason));
            }
        }
    }
    Ok(())
}

/// Does one job; what it says of itself.
async fn carry_out(
    args: &BatchArgs,
    job: &Job,
    context: &Context,
) -> Result<Option<Made>, Failure> {
    compute_with(job.keys.threads().or(args.threads.threads));
    let (progress, stop) = (&*context.progress, &context.stop);
    match job.keys.clone().work().map_err(Failure::usage)? {
        Work::Render(request, means) => match picture(request, means, progress, stop).await? {
            Picture::Rendered(rendered) => {
                render::say(&rendered.report, false, context)?;
                Ok(Some(Made::Picture(Box::new(rendered.report))))
            }
            Picture::Places(_) => Ok(None),
        },
        Work::Zoom(request, means) => {
            let report = zoom_command::make(request, means, context).await?;
            Ok(Some(Made::Sequence(Box::new(report))))
        }
        Work::Colour(request, means) => {
            let data = means.data.clone();
            let report = colours::colours(request, means, progress, stop).await?;
            super::colour::say_done(&report, &data, context);
            Ok(None)
        }
        Work::Locate(request, file, output) => {
            let location = minibrot(request, file, &context.progress, stop).await?;
            super::locate::write(&location, output.as_deref())?;
            Ok(None)
        }
    }
}

/// Says what each job would do.
async fn show(args: &BatchArgs, jobs: &[Job], context: &Context) -> Result<(), Failure> {
    let mut text = String::new();
    for job in jobs {
        text += &format!("{}: {}\n", job.name, job.line);
        let work = job.keys.clone().work();
        let work = work.map_err(|error| Failure::usage(job.wrong(&args.file, error)))?;
        // One that waits for a file of an earlier one has no plan yet.
        if let Work::Render(request, means) = work
            && let Ok((plan, placing)) =
                plan_picture(request, means, &*context.progress, &context.stop).await
        {
            text += &super::plan::lines(&Preview::of(&plan, &placing));
        }
        text.push('\n');
    }
    write_stdout(text.as_bytes())
}

/// Says how all of them went.
fn tell(args: &BatchArgs, outcomes: &[Outcome]) -> Result<(), Failure> {
    if args.say.json {
        return write_json(&Told { jobs: outcomes });
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
    write_stdout(&tables::table(&["JOB", "STATE", "TIME", "FILES"], &rows))
}
