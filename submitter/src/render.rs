//! `submitter render` and `submitter resume`: a plan becomes files.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::protocol::spec::largest_strip_bytes;
use farm_queue::{JobId, JobQueue, JobReport, JobSpec, QueueError, SharedOrbit};

use crate::bar::Bar;
use crate::collect::{CollectError, Past, Work, collect};
use crate::colour::Needs;
use crate::deep;
use crate::interrupt::aside;
use crate::journal::store::Taken;
use crate::journal::{Begin, Journal, Saved, Store, saved};
use crate::on_queue::{OnQueue, on_queue};
use crate::output::{self, Files, Reserved};
use crate::patience::{LONG_PATIENCE, PATIENCE, Patience};
use crate::plan::{OutputKind, Place, RenderPlan};
use crate::report::{OutputReport, Report, Tally};

/// How long ending a job may take before the program ends without it, its keys expiring by themselves: of one that
/// was given up, and of one whose picture is in its place.
const FINISH_PATIENCE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];
/// Share of the window that strips of a young job may be held back from the disk, as a divisor: they count as
/// under way.
const HELD_SHARE: u64 = 2;

/// How a render ended.
#[derive(Debug)]
pub struct Ending {
    /// Its report; or why there is no picture, in one line.
    pub report: anyhow::Result<Report>,
    /// The job, where its journal was kept and it can be resumed.
    pub kept: Option<JobId>,
}

/// The job that a plan makes.
#[must_use]
pub fn job_of(plan: &RenderPlan, id: JobId, orbit: Option<&SharedOrbit>) -> JobSpec {
    JobSpec {
        id,
        frame: plan.frame.clone(),
        strips: plan.strips,
        backend: plan.backend,
        max_workers: match plan.place {
            Place::InProcess { .. } => None,
            Place::Farm { workers, .. } => workers,
        },
        build: build(),
        orbit: orbit.map(|shared| shared.key.clone()),
        arithmetic: plan.arithmetic.only,
    }
}

/// What identifies the kernels of this build.
#[must_use]
pub fn build() -> u64 {
    engine::build_id()
}

/// Renders `plan`, going on with `taken` where there is one; `interrupt` stops it at any time.
pub async fn render(
    plan: RenderPlan,
    taken: Option<Taken>,
    quiet: bool,
    interrupt: impl Future<Output = ()>,
) -> Ending {
    let mut kept = None;
    let report = rendered(plan, taken, quiet, &mut kept, interrupt).await;
    Ending { report, kept }
}

async fn rendered(
    plan: RenderPlan,
    taken: Option<Taken>,
    quiet: bool,
    kept: &mut Option<JobId>,
    interrupt: impl Future<Output = ()>,
) -> anyhow::Result<Report> {
    let started = Instant::now();
    let interrupt = async {
        interrupt.await;
        CollectError::Interrupted
    };
    tokio::pin!(interrupt);
    // All that can be refused is refused before any work starts: places of files, devices, the farm.
    let reserved = reserved(&plan)?;
    let taken = match (taken, same_command(&plan)) {
        (None, Some(look)) => {
            aside("reading the journals", quiet, interrupt.as_mut(), look).await?
        }
        (taken, _) => taken,
    };
    let begun = Begun {
        plan: &plan,
        quiet,
        started,
        taken,
        reserved,
        kept,
    };
    on_queue(&plan.place, plan.backend, quiet, interrupt, begun).await
}

/// Renders one of the pictures that a queue is kept for, without a journal or words of its own.
///
/// # Errors
/// As of any render.
pub async fn one_of_many<Q: JobQueue>(
    plan: &RenderPlan,
    orbit: Option<SharedOrbit>,
    queue: &Arc<Q>,
    ends: impl Future<Output = CollectError>,
) -> anyhow::Result<Report> {
    let reserved = reserved(plan)?;
    let job = Arc::new(job_of(plan, JobId::generate(), orbit.as_ref()));
    let run = Run {
        plan,
        job: &job,
        orbit,
        range: plan.colours.range.unwrap_or((0.0, 1.0)),
        quiet: true,
        begin_limit: LONG_PATIENCE,
        limit: LONG_PATIENCE,
        started: Instant::now(),
    };
    run.run(queue, None, reserved, &mut None, ends).await
}

/// The places of a plan's files, made sure of.
fn reserved(plan: &RenderPlan) -> Result<Vec<Reserved>, output::OutputError> {
    let outputs = plan.outputs.iter();
    outputs
        .map(|output| Reserved::new(output, &plan.frame, &plan.colours))
        .collect()
}

/// A render of which nothing can be refused any more.
struct Begun<'a> {
    plan: &'a RenderPlan,
    quiet: bool,
    started: Instant,
    taken: Option<Taken>,
    reserved: Vec<Reserved>,
    kept: &'a mut Option<JobId>,
}

impl OnQueue for Begun<'_> {
    type Done = Report;

    /// Prepares what its job needs, and runs it.
    async fn run<Q: JobQueue>(
        self,
        queue: &Arc<Q>,
        mut ends: Pin<&mut impl Future<Output = CollectError>>,
    ) -> anyhow::Result<Report> {
        let Self { plan, taken, .. } = self;
        let orbit = deep::reference(plan, self.quiet, ends.as_mut()).await?;
        // Pictures are coloured with it; files that tell the colours say the same alone and in company.
        let tells = |output: &crate::plan::Output| {
            use OutputKind::{Exr, Location, Png};
            matches!(output.kind, Png | Exr(_) | Location(_))
        };
        let range = match (&taken, plan.colours.range) {
            (Some(taken), _) => taken.saved.range,
            (None, Some(range)) => range,
            (None, None)
                if plan.colours.needs() == Needs::Range && plan.outputs.iter().any(tells) =>
            {
                (deep::sampled_values(plan, orbit.as_ref(), ends.as_mut()).await?).range()
            }
            (None, None) => (0.0, 1.0),
        };
        let id = taken.as_ref().map(|taken| taken.saved.job.id.clone());
        let id = id.unwrap_or_else(JobId::generate);
        let job = Arc::new(job_of(plan, id, orbit.as_ref()));
        if let Some(taken) = &taken
            && !self.quiet
        {
            crate::say(&format!(
                "going on with job {}: {} of {} strips are done",
                job.id,
                taken.found.strips.len(),
                plan.strips.count()
            ));
        }
        let limit = match plan.journal {
            Some(_) => LONG_PATIENCE,
            None => PATIENCE,
        };
        let is_begun = taken.is_some() || orbit.is_some();
        let run = Run {
            plan,
            job: &job,
            orbit,
            range,
            quiet: self.quiet,
            begin_limit: if is_begun { limit } else { Duration::ZERO },
            limit,
            started: self.started,
        };
        run.run(queue, taken, self.reserved, self.kept, ends).await
    }
}

/// A look for the journal of the same command, where one that was left is to be taken up.
fn same_command(plan: &RenderPlan) -> Option<impl FnOnce() -> Option<Taken> + Send + use<>> {
    let journal = plan.journal.as_ref().filter(|journal| !journal.fresh)?;
    let fingerprint = saved::fingerprint(plan, build())?;
    let store = Store::new(journal.folder.clone());
    Some(move || store.same(&fingerprint))
}

/// One job, and what its render was told.
struct Run<'a> {
    plan: &'a RenderPlan,
    job: &'a Arc<JobSpec>,
    orbit: Option<SharedOrbit>,
    range: (f64, f64),
    quiet: bool,
    /// How long the queue may be out of reach: longer where what is done is kept.
    limit: Duration,
    /// The same while the job is put up.
    begin_limit: Duration,
    started: Instant,
}

impl Run<'_> {
    /// From the job's creation to its files in their places.
    async fn run<Q: JobQueue>(
        &self,
        queue: &Arc<Q>,
        taken: Option<Taken>,
        reserved: Vec<Reserved>,
        kept: &mut Option<JobId>,
        ends: impl Future<Output = CollectError>,
    ) -> anyhow::Result<Report> {
        let (plan, job, range) = (self.plan, self.job, self.range);
        let making = output::Job {
            frame: Arc::new(plan.frame.clone()),
            about: Arc::new(output::About::new(&plan.location(Some(range)))),
            colours: Arc::new(plan.colours.clone()),
            range,
            compression: plan.compression,
        };
        tokio::pin!(ends);
        let is_taken = taken.is_some();
        // Before any file has a thread: a thread that is not waited for may be too late to remove its file.
        let begun = self.begin(queue, is_taken, ends.as_mut()).await;
        let files = match begun {
            Ok(()) => Files::start(reserved, making).map_err(anyhow::Error::from),
            Err(error) => Err(error.into()),
        };
        let mut files = match files {
            Ok(files) => files,
            Err(error) => {
                *kept = is_taken.then(|| job.id.clone());
                return Err(self.undone(queue, error).await);
            }
        };
        let past = taken.as_ref().map_or_else(Past::default, |taken| Past {
            stored: taken.found.strips.keys().copied().collect(),
            queued: taken.found.queued,
        });
        let journal = self.journal(taken, range, queue.window_bytes());
        let bar = Bar::new(&plan.frame, plan.strips.count(), self.quiet);
        let mut tally = Tally::default();
        let work = Work {
            queue,
            job,
            orbit: self.orbit.as_ref().map(|shared| Arc::clone(&shared.orbit)),
            journal: journal.as_ref(),
            past,
            limit: self.limit,
            files: &mut files,
            bar: &bar,
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
            aside("painting", self.quiet, ends, move || files.finish()).await
        } else {
            aside("removing what is unfinished", true, never, move || {
                files.finish()
            })
            .await
        };
        bar.clear();
        let published = written.and_then(|written| publish(collected, written));
        let elapsed_secs = self.started.elapsed().as_secs_f64();
        if is_done {
            // Last, so that a picture does not wait for a queue that is out of reach.
            self.clear(queue, &Ok(()), &state).await;
        }
        if let Some(journal) = journal
            && tokio::task::block_in_place(|| journal.end(published.is_err()))
        {
            *kept = Some(job.id.clone());
        }
        let mut report = Report {
            job: job.id.to_string(),
            width: plan.frame.width,
            height: plan.frame.height,
            pixels: plan.frame.pixels(),
            iterations_total: 0,
            elapsed_secs,
            strips: plan.strips.count(),
            redelivered: 0,
            rejected: 0,
            resumed: 0,
            recomputed: 0,
            speculated: 0,
            audited: 0,
            colour_range: plan.colours.ends(range),
            outputs: published?,
            workers: Vec::new(),
            fallback: None,
        };
        report.set_tally(&tally);
        Ok(report)
    }

    /// Makes the job known to the queue, with all that its strips need. A queue that is out of reach is borne where something
    /// was done before; where nothing was, trying again is the user's.
    async fn begin<Q: JobQueue>(
        &self,
        queue: &Arc<Q>,
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
    async fn undone<Q: JobQueue>(&self, queue: &Arc<Q>, error: anyhow::Error) -> anyhow::Error {
        let is_foreign = matches!(
            error.downcast_ref(),
            Some(CollectError::Queue(QueueError::Spec(_)))
        );
        // What lies under its name is not this job then.
        if !is_foreign {
            let ended = Err(CollectError::Interrupted);
            self.clear(queue, &ended, &JobReport::default()).await;
        }
        error
    }

    /// The job's journal, where it has one.
    fn journal(&self, taken: Option<Taken>, range: (f64, f64), window: u64) -> Option<Journal> {
        let begin = match taken {
            Some(taken) => Begin::Taken(Box::new(taken)),
            None => {
                let store = Store::new(self.plan.journal.as_ref()?.folder.clone());
                Begin::New(
                    store,
                    Box::new(Saved::new(self.plan, self.job, range, build())?),
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
            ..JobReport::default()
        }
    }

    /// Ends the job in the queue, which stood so at the end.
    async fn clear<Q: JobQueue>(
        &self,
        queue: &Arc<Q>,
        collected: &Result<(), CollectError>,
        state: &JobReport,
    ) {
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

/// Puts the files in their places, when all is well with all of them.
fn publish(
    collected: Result<(), CollectError>,
    written: Vec<Result<output::Written, output::OutputError>>,
) -> anyhow::Result<Vec<OutputReport>> {
    match collected {
        // The file says better what is wrong with it.
        Ok(()) | Err(CollectError::Output) => {}
        Err(error) => return Err(error.into()),
    }
    let written = written.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut outputs = Vec::new();
    for file in written {
        let busy_secs = file.busy_secs;
        let (path, bytes) = file.publish()?;
        outputs.push(OutputReport {
            path: path.to_string_lossy().into_owned(),
            bytes,
            busy_secs,
        });
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests;
