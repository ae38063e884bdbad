//! Jobs as they are answered.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Problem;
use crate::jobs::growth::Figures;
use crate::jobs::queue::{Jobs, Known, Wanted};
use crate::jobs::record::{JobState, OutputFile, now};
use crate::jobs::request::JobRequest;

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobAnswer {
    /// Its name.
    job: String,
    /// The name of its first file.
    title: String,
    /// `picture` or `sequence`.
    kind: &'static str,
    /// `queued`, `done`, `failed` or `cancelled`; also of what is under way where it is so, `running` or `waiting`.
    state: &'static str,
    /// Columns of pixels.
    width: u32,
    /// Rows of pixels.
    height: u32,
    /// When it was handed in, in milliseconds since 1970.
    submitted: u64,
    /// When it ended, likewise.
    ended: Option<u64>,
    /// Seconds that it was under way.
    seconds: f64,
    /// Bytes of the disk that it may need until it is done.
    need: u64,
    /// Iterations that were made for it.
    iterations: f64,
    /// Why it failed, or waits.
    error: Option<String>,
    /// Its files, once they are there.
    outputs: Vec<OutputFile>,
    /// Strips, by worker.
    workers: BTreeMap<String, u64>,
    /// How far it is, where it is under way.
    progress: Option<Figures>,
    /// What the farm calls it, where it is under way there.
    farm_job: Option<String>,
    /// What was asked for.
    request: JobRequest,
}

/// Jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobsAnswer {
    /// The jobs, the newest first.
    jobs: Vec<JobAnswer>,
    /// Whether there are more.
    more: bool,
    /// How many there are in each state.
    counts: BTreeMap<&'static str, usize>,
    /// How many are under way.
    running: usize,
    /// The time of the server, in milliseconds since 1970.
    now: u64,
}

impl JobAnswer {
    /// Of a job.
    #[must_use]
    pub fn of(known: Known) -> Self {
        let Known {
            record,
            figures,
            farm_job,
            waits,
        } = known;
        let state = match (&record.state, &figures, &waits) {
            (JobState::Queued, Some(_), _) => "running",
            (JobState::Queued, None, Some(_)) => "waiting",
            (state, ..) => state.name(),
        };
        let seconds = figures.as_ref().map_or(0.0, |figures| figures.seconds);
        Self {
            title: record.request.title().to_owned(),
            kind: record.request.kind(),
            state,
            width: record.size.0,
            height: record.size.1,
            submitted: record.submitted,
            ended: record.ended,
            seconds: record.seconds + seconds,
            need: record.need,
            iterations: record.iterations,
            error: record.error.or(waits),
            outputs: record.outputs,
            workers: record.workers,
            progress: figures,
            farm_job,
            request: record.request,
            job: record.job,
        }
    }
}

impl JobsAnswer {
    /// Whether any of the server's jobs is under way.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.running > 0
    }

    /// The jobs that are wanted.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of(jobs: &Jobs, wanted: &Wanted) -> Result<Self, Problem> {
        let (listed, more) = jobs.list(wanted)?;
        let (counts, running) = jobs.counts();
        Ok(Self {
            jobs: listed.into_iter().map(JobAnswer::of).collect(),
            more,
            counts,
            running,
            now: now(),
        })
    }
}
