//! A plan becomes a picture: in files, in memory, or both.

use crate::deed::Deed;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use colour::Needs;
use farm_queue::protocol::spec::largest_strip_bytes;
use farm_queue::{JobId, JobQueue, JobReport, JobSpec, QueueError, SharedOrbit};

use crate::collect::collect::collect;
use crate::collect::work::{Past, Work};
use crate::error::{CollectError, RenderError};
use crate::files::{self, Files, Reserved, reserve};
use crate::job::{build, job_of};
use crate::journal::journal::{Begin, Journal};
use crate::journal::plan_file::{SavedPlan, fingerprint};
use crate::journal::store::{Store, TakenJournal};
use crate::picture::Picture;
use crate::plan::{Place, RenderPlan};
use crate::prepare::orbit;
use crate::progress::{Ending, Event, Progress, Silent};
use crate::queue::Queue;
use crate::queue::open::OpenQueue;
use crate::queue::retry::{LONG_PATIENCE, PATIENCE, Patience};
use crate::report::{Report, Tally};
use crate::stop::{Stop, aside};

/// How long ending a job may take before the program ends without it, its keys expiring by themselves: of one that
/// was given up, and of one whose picture is in its place.
const FINISH_PATIENCE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];
/// Share of the window that strips of a young job may be held back from the disk, as a divisor: they count as
/// under way.
const HELD_SHARE: u64 = 2;

/// A picture that was rendered.
#[derive(Debug)]
pub struct Rendered {
    /// What a render says when it is done.
    pub report: Report,
    /// The picture itself, where the plan keeps it.
    pub picture: Option<Picture>,
}

/// Why there is no picture, and whether there may be one later.
#[derive(Debug)]
pub struct RenderFailed {
    /// Why.
    pub error: RenderError,
    /// The job, where its journal was kept and it can be resumed.
    pub kept: Option<JobId>,
}

impl<E: Into<RenderError>> From<E> for RenderFailed {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            kept: None,
        }
    }
}

/// Renders `plan`, going on with the journal that was `taken` where there is one. `stop` ends it at any time.
///
/// All that can be refused is refused before any work starts.
///
/// # Errors
/// Why there is no picture; nothing is left of its files then.
pub fn render<'a>(
    plan: &'a RenderPlan,
    taken: Option<TakenJournal>,
    progress: &'a dyn Progress,
    stop: &'a Stop,
) -> Deed<'a, Result<Rendered, RenderFailed>> {
    Box::pin(async move {
        let started = Instant::now();
        let mut ends = pin!(stop.interrupts());
        let reserved = reserve(&plan.outputs, &plan.frame, &plan.colours)?;
        let taken = match (taken, same_command(plan)) {
            (None, Some(look)) => {
                aside("reading the journals", progress, true, ends.as_mut(), look).await?
            }
            (taken, _) => taken,
        };
        let mut opened =
            OpenQueue::open(&plan.place, plan.backend, progress, ends.as_mut()).await?;
        let queue = opened.queue();
        let done = {
            let ends = pin!(opened.until_ended(ends));
            prepare_and_run(plan, taken, reserved, started, &queue, progress, ends).await
        };
        opened.close().await;
        done
    })
}

/// Renders one of the pictures that a queue is kept open for, without a journal; nobody is told of it.
///
/// # Errors
/// As of any render.
pub fn render_on<'a>(
    queue: &'a Queue,
    plan: &'a RenderPlan,
    orbit: Option<SharedOrbit>,
    stop: &'a Stop,
) -> Deed<'a, Result<Rendered, RenderError>> {
    Box::pin(async move {
        let job = Arc::new(job_of(plan, JobId::generate(), orbit.as_ref()));
        let run = JobRun {
            plan,
            job: &job,
            orbit,
            range: plan.colours.range.unwrap_or((0.0, 1.0)),
            progress: &Silent,
            begin_limit: LONG_PATIENCE,
            limit: LONG_PATIENCE,
            started: Instant::now(),
        };
        let reserved = reserve(&plan.outputs, &plan.frame, &plan.colours)?;
        let done = run.run(queue, None, reserved, stop.interrupts()).await;
        done.map_err(|failed| failed.error)
    })
}

/// A look for the journal of the same command, where one that was left is to be taken up.
fn same_command(plan: &RenderPlan) -> Option<impl FnOnce() -> Option<TakenJournal> + Send + use<>> {
    let journal = plan.journal.as_ref().filter(|journal| !journal.fresh)?;
    let fingerprint = fingerprint(plan, build())?;
    let store = Store::new(journal.folder.clone());
    Some(move || store.same(&fingerprint))
}

/// Prepares what the job of a plan needs, and runs it.
async fn prepare_and_run(
    plan: &RenderPlan,
    taken: Option<TakenJournal>,
    reserved: Vec<Reserved>,
    started: Instant,
    queue: &Queue,
    progress: &dyn Progress,
    mut ends: Pin<&mut impl Future<Output = CollectError>>,
) -> Result<Rendered, RenderFailed> {
    let orbit = orbit::reference(plan, progress, ends.as_mut()).await?;
    let range = match (&taken, plan.colours.range) {
        (Some(taken), _) => taken.saved.range,
        (None, Some(range)) => range,
        (None, None) if plan.colours.needs() == Needs::Range && plan.tells_colours() => {
            (orbit::sampled_values(plan, orbit.as_ref(), ends.as_mut()).await?).range()
        }
        (None, None) => (0.0, 1.0),
    };
    let id = taken.as_ref().map(|taken| taken.saved.job.id.clone());
    let id = id.unwrap_or_else(JobId::generate);
    let job = Arc::new(job_of(plan, id, orbit.as_ref()));
    if let Some(taken) = &taken {
        progress.tell(Event::Note(&format!(
            "going on with job {}: {} of {} strips are done",
            job.id,
            taken.found.strips.len(),
            plan.strips.count()
        )));
    }
    let limit = match plan.journal {
        Some(_) => LONG_PATIENCE,
        None => PATIENCE,
    };
    let is_begun = taken.is_some() || orbit.is_some();
    let run = JobRun {
        plan,
        job: &job,
        orbit,
        range,
        progress,
        begin_limit: if is_begun { limit } else { Duration::ZERO },
        limit,
        started,
    };
    run.run(queue, taken, reserved, ends).await
}

/// One job, and what its render was told.
struct JobRun<'a> {
    plan: &'a RenderPlan,
    job: &'a Arc<JobSpec>,
    orbit: Option<SharedOrbit>,
    range: (f64, f64),
    progress: &'a dyn Progress,
    /// How long the queue may be out of reach: longer where what is done is kept.
    limit: Duration,
    /// The same while the job is put up.
    begin_limit: Duration,
    started: Instant,
}

impl JobRun<'_> {
    /// From the job's creation to its files in their places.
    async fn run(
        &self,
        queue: &Queue,
        taken: Option<TakenJournal>,
        reserved: Vec<Reserved>,
        ends: impl Future<Output = CollectError>,
    ) -> Result<Rendered, RenderFailed> {
        let (plan, job, range) = (self.plan, self.job, self.range);
        let contents = files::Contents {
            frame: Arc::new(plan.frame.clone()),
            location: Arc::new(plan.location(Some(range))),
            colours: Arc::new(plan.colours.clone()),
            range,
            compression: plan.compression,
        };
        tokio::pin!(ends);
        let is_taken = taken.is_some();
        // Before any file has a thread: a thread that is not waited for may be too late to remove its file.
        let begun = self.begin(queue, is_taken, ends.as_mut()).await;
        let files = match begun {
            Ok(()) => Files::start(reserved, plan.keeps, contents).map_err(RenderError::from),
            Err(error) => Err(error.into()),
        };
        let mut files = match files {
            Ok(files) => files,
            Err(error) => {
                let kept = is_taken.then(|| job.id.clone());
                let error = self.undone(queue, error).await;
                return Err(RenderFailed { error, kept });
            }
        };
        let past = taken.as_ref().map_or_else(Past::default, |taken| Past {
            stored: taken.found.strips.keys().copied().collect(),
            queued: taken.found.queued,
        });
        let journal = self.journal(taken, range, queue.window_bytes());
        let began = Event::PictureBegan {
            strips: plan.strips.count(),
            samples: plan.frame.pixels(),
        };
        let ending = Ending::after(self.progress, began, Event::PictureEnded);
        let mut tally = Tally::default();
        let work = Work {
            queue,
            job,
            orbit: self.orbit.as_ref().map(|shared| Arc::clone(&shared.orbit)),
            journal: journal.as_ref(),
            past,
            limit: self.limit,
            files: &mut files,
            progress: self.progress,
            tally: &mut tally,
            on_farm: matches!(plan.place, Place::Farm { .. }),
            audit: plan.audit,
            about: self.about(),
        };
        let (collected, state) = collect(work, ends.as_mut()).await;
        let is_done = collected.is_ok();
        if let (Err(CollectError::Dead(_)), Some(journal)) = (&collected, &journal) {
            journal.job_failed();
        }
        if !is_done {
            // Nobody should work on, and no key stay behind.
            self.clear(queue, &collected, &state).await;
        }
        // Ending a file that was not finished removes it, so every path below cleans up.
        // Some are painted only now. Those that were not finished are waited for: they remove themselves.
        let never = std::future::pending();
        let written = if is_done {
            aside("painting", self.progress, true, ends, move || {
                files.finish()
            })
            .await
        } else {
            let what = "removing what is unfinished";
            aside(what, self.progress, false, never, move || files.finish()).await
        };
        drop(ending);
        let published = written.and_then(|finished| finished.publish(collected));
        let elapsed_secs = self.started.elapsed().as_secs_f64();
        if is_done {
            // Last, so that a picture does not wait for a queue that is out of reach.
            self.clear(queue, &Ok(()), &state).await;
        }
        let keeps = journal
            .is_some_and(|journal| tokio::task::block_in_place(|| journal.end(published.is_err())));
        let (outputs, picture) = published.map_err(|error| RenderFailed {
            error,
            kept: keeps.then(|| job.id.clone()),
        })?;
        let mut report = Report {
            job: job.id.to_string(),
            width: plan.frame.width,
            height: plan.frame.height,
            pixels: plan.frame.pixels(),
            counts: plan.frame.counts,
            elapsed_secs,
            strips: plan.strips.count(),
            colour_range: plan.colours.ends(range),
            outputs,
            ..Report::default()
        };
        report.set_tally(&tally);
        Ok(Rendered { report, picture })
    }

    /// Makes the job known to the queue, with all that its strips need. A queue that is out of reach is borne where something
    /// was done before; where nothing was, trying again is the user's.
    async fn begin(
        &self,
        queue: &Queue,
        is_taken: bool,
        ends: impl Future<Output = CollectError>,
    ) -> Result<(), CollectError> {
        let id = &self.job.id;
        let once = async || {
            queue.create(Arc::clone(self.job)).await?;
            if is_taken {
                queue.outlive(id).await?;
            }
            match &self.orbit {
                Some(orbit) => queue.share_orbit(id, orbit.clone()).await,
                None => Ok(()),
            }
        };
        let all = async {
            let mut patience = Patience::new(self.begin_limit);
            // Made twice is harmless, so an unknown outcome is tried again.
            while let Err(error) = once().await {
                patience.bear(error, "the job is not queued yet").await?;
            }
            Ok(())
        };
        tokio::select! {
            made = all => made,
            why = ends => Err(why),
        }
    }

    /// A job that may be there, but of which nothing will be queued, is taken off the queue; the error that it came to.
    async fn undone(&self, queue: &Queue, error: RenderError) -> RenderError {
        let is_foreign = matches!(
            error,
            RenderError::Collect(CollectError::Queue(QueueError::Spec(_)))
        );
        // What lies under its name is not this job then.
        if !is_foreign {
            let ended = Err(CollectError::Interrupted);
            self.clear(queue, &ended, &JobReport::default()).await;
        }
        error
    }

    /// The job's journal, where it has one.
    fn journal(
        &self,
        taken: Option<TakenJournal>,
        range: (f64, f64),
        window: u64,
    ) -> Option<Journal> {
        let begin = match taken {
            Some(taken) => Begin::Taken(Box::new(taken)),
            None => {
                let store = Store::new(self.plan.journal.as_ref()?.folder.clone());
                Begin::New(
                    store,
                    Box::new(SavedPlan::new(self.plan, self.job, range, build())?),
                )
            }
        };
        // What is held counts as under way, and at least one strip has to be.
        let held = (window / HELD_SHARE).saturating_sub(largest_strip_bytes(self.job));
        Journal::open(begin, self.job, held)
            .inspect_err(|error| tracing::warn!(%error, "there is no journal"))
            .ok()
    }

    /// What operators are told of the job.
    fn about(&self) -> JobReport {
        let title = self.plan.outputs.first();
        let title = title.and_then(|output| output.path.file_name());
        let host = gethostname::gethostname();
        JobReport {
            title: title.unwrap_or_default().to_string_lossy().into_owned(),
            submitter: format!("{} {}", host.to_string_lossy(), std::process::id()),
            owner: match &self.plan.place {
                Place::Farm { terms, .. } => terms.owner.clone().unwrap_or_default(),
                Place::InProcess { .. } => String::new(),
            },
            ..JobReport::default()
        }
    }

    /// Ends the job in the queue, which stood so at the end.
    async fn clear(&self, queue: &Queue, collected: &Result<(), CollectError>, state: &JobReport) {
        let id = &self.job.id;
        let clear = async {
            let mut patience = Patience::new(PATIENCE);
            loop {
                let ended = match collected {
                    Err(CollectError::Dead(_)) => queue.fail(id, state).await,
                    // Of one that was cancelled, what was left to tell this submitter.
                    _ => queue.finish(id).await,
                };
                match ended {
                    Ok(()) => return Ok::<(), QueueError>(()),
                    Err(error) => patience.bear(error, "job not cleared").await?,
                }
            }
        };
        let patience = FINISH_PATIENCE[usize::from(collected.is_ok())];
        match tokio::time::timeout(patience, clear).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the job was not cleared; its keys will expire");
            }
            Err(_) => tracing::warn!("the job was not cleared in time; its keys will expire"),
        }
    }
}
