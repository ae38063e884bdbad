//! From queue to files: keeps a window of strips queued, takes what workers deliver, journals it, and hands
//! strips in order to the files. The same loop in process and on a farm.
//!
//! - [`mod@feeding`]: the tasks that talk with the queue; [`leaving`]: the way to the files
//! - [`table`]: where everything of a job lies, and what moves next; [`justice`]: what follows from audits;
//!   decided without I/O by [`letters`] (strips
//!   that fail), [`health`] (figures, and workers that fail), [`tail`] (the end of a job) and [`audit`]

mod audit;
mod feeding;
mod health;
mod helpers;
mod justice;
mod leaving;
mod letters;
mod table;
mod tail;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use farm_queue::protocol::blob::DecodedBlob;
use farm_queue::{JobQueue, JobReport, JobSpec, QueueError};
use farm_worker::Fault;
use fractal::{BackendChoice, ReferenceOrbit, Strip, StripBuffer};
use tokio::sync::mpsc::{Permit, channel};

use crate::bar::Bar;
use crate::journal::{Entry, Journal};
use crate::output::{Files, OutputError};
use crate::report::Tally;
use feeding::{Heard, feeding, listening, tending};
use helpers::Helpers;
use justice::Computing;
use table::{Read, Table};

/// How long nothing may come before the user is told who is there.
const SILENCE: Duration = Duration::from_secs(5);
/// How often the queue is told how the job stands, and looked after.
const TICK: Duration = Duration::from_secs(1);
/// Batches of results that may wait here, of strips that may wait to be queued, and of questions.
const BATCHES: usize = 2;
/// Strips that may wait for the journal before no more are taken from the queue.
const UNJOURNALLED: usize = 8;

/// Why a picture was not finished.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The queue stayed out of reach, or answered what it should not.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Strips failed on every worker that had them.
    #[error("{0}")]
    Dead(String),
    /// A file could not be begun once more.
    #[error(transparent)]
    Restart(#[from] OutputError),
    /// A file's thread ended early; the file says why.
    #[error("a file could not be written")]
    Output,
    /// Nobody is left who could compute the others: every device of a render in process has hung for so long.
    #[error("every device has hung for {:.0} s; the picture may be rendered elsewhere, or with another --backend", .0.as_secs_f64())]
    Hung(Duration),
    /// A task or thread of this process ended in the midst of its work.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The user or the system asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// What was done of a job before this process took it up.
#[derive(Debug, Default)]
pub struct Past {
    /// Strips in its journal.
    pub stored: BTreeSet<u32>,
    /// All strips below this one were queued.
    pub queued: u32,
}

/// One created job and all that its strips meet.
pub struct Work<'a, Q> {
    /// The queue that knows the job.
    pub queue: &'a Arc<Q>,
    /// The job.
    pub job: &'a Arc<JobSpec>,
    /// Its reference orbit, where its pixels are computed from one.
    pub orbit: Option<Arc<ReferenceOrbit>>,
    /// Its journal, where it has one.
    pub journal: Option<&'a Journal>,
    /// What was done before.
    pub past: Past,
    /// How long the queue may be out of reach.
    pub limit: Duration,
    /// Its files.
    pub files: &'a mut Files,
    /// Told of every strip.
    pub bar: &'a Bar,
    /// Told of every strip.
    pub tally: &'a mut Tally,
    /// Workers are elsewhere, and may not be there at all.
    pub on_farm: bool,
    /// Strips of a hundred that are audited.
    pub audit: u8,
    /// What is told of the job and this process: title and submitter.
    pub about: JobReport,
}

/// Renders the strips of a created job until all are with the files; and how the job stood at the end.
///
/// The error is the first thing that keeps the picture from being finished. The job is still in the queue then, as it
/// is after success: the caller ends it. `ends` ends it before its time, and says why.
pub async fn collect<Q: JobQueue>(
    work: Work<'_, Q>,
    ends: impl Future<Output = CollectError>,
) -> (Result<(), CollectError>, JobReport) {
    let (queue, job) = (Arc::clone(work.queue), Arc::clone(work.job));
    let (on_farm, limit) = (work.on_farm, work.limit);
    let mut table = Table::new(work);
    tokio::pin!(ends);
    let mut ended = tokio::select! {
        ended = turning(&queue, &job, on_farm, limit, &mut table) => ended,
        why = &mut ends => Err(why),
    };
    if ended.is_ok() {
        ended = tokio::select! {
            left = table.leaving.end() => left,
            why = &mut ends => Err(why),
        };
    } else {
        // What has come is not lost.
        while let (Some(journal), Some(entry)) = (table.journal, table.to_journal.pop_front()) {
            if let Some(place) = journal.place().await {
                place.send(entry);
            }
        }
    }
    let report = table.report();
    (ended, report)
}

async fn turning<Q: JobQueue>(
    queue: &Arc<Q>,
    job: &Arc<JobSpec>,
    on_farm: bool,
    limit: Duration,
    table: &mut Table<'_>,
) -> Result<(), CollectError> {
    if on_farm {
        take_up(queue, job, table).await;
    }
    let (say, mut heard) = channel(BATCHES);
    let (feed, wanted) = channel(BATCHES);
    let (ask, asks) = channel(BATCHES);
    let shared = || (Arc::clone(queue), Arc::clone(job));
    let mut helpers = Helpers::default();
    let (to, of) = shared();
    helpers.start(
        "the task that queues strips",
        feeding(to, of, limit, wanted, say.clone()),
    );
    let (to, of) = shared();
    helpers.start(
        "the task that looks for results",
        listening(to, of, limit, say.clone()),
    );
    let (to, of) = shared();
    helpers.start(
        "the task that reports to the queue",
        tending(to, of, asks, say),
    );
    let silence = tokio::time::sleep(SILENCE);
    tokio::pin!(silence);
    // In process the workers are known to be there.
    let mut told = !on_farm;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        table.turn();
        if table.is_complete() {
            return Ok(());
        }
        if let Some(dead) = table.stuck() {
            return Err(dead);
        }
        let journal = table.journal;
        let door = table.leaving.door();
        tokio::select! {
            news = heard.recv(), if table.to_journal.len() < UNJOURNALLED => {
                let Some(news) = news else {
                    return Err(helpers.ended().await.into());
                };
                told |= matches!(&news, Heard::Results(results) if !results.is_empty());
                table.hear(news)?;
            }
            Ok(place) = feed.reserve(), if !table.orders.is_empty() => {
                place.send(std::mem::take(&mut table.orders));
            }
            Ok(place) = ask.reserve(), if !table.asks.is_empty() => {
                if let Some(question) = table.asks.pop_front() {
                    place.send(question);
                }
            }
            fault = helpers.ended() => {
                // Its last word, where it had one.
                while let Ok(news) = heard.try_recv() {
                    table.hear(news)?;
                }
                return Err(fault.into());
            }
            place = journal_place(journal), if !table.to_journal.is_empty() => {
                // It ends only when it is told to, also where it cannot write any more.
                let place = place.ok_or_else(|| Fault::ended("the thread that writes the journal"))?;
                if let Some(entry) = table.to_journal.pop_front() {
                    place.send(entry);
                }
            }
            // There may be room for more strips now.
            () = written(journal) => {}
            read = reading(&mut table.reading), if table.reading.is_some() => table.was_read(read),
            truth = computing(&mut table.computing), if table.computing.is_some() => table.computed(truth?)?,
            place = door.reserve(), if table.next.is_some() => match (place, table.next.take()) {
                (Ok(place), Some(strip)) => place.send(strip),
                _ => return Err(table.leaving.ended_early().await),
            },
            _ = tick.tick() => table.tick(),
            () = &mut silence, if !told => {
                told = true;
                tell_who_is_there(queue, job).await;
            }
        }
    }
}

/// Goes on with what the queue still has of a job that was left.
async fn take_up<Q: JobQueue>(queue: &Arc<Q>, job: &JobSpec, table: &mut Table<'_>) {
    let left = table.left_under_way();
    if left.is_empty() {
        return;
    }
    match queue.repair(&job.id, &left).await {
        Ok(missing) => {
            let missing: BTreeSet<u32> = missing.iter().map(|strip| strip.index).collect();
            let there = left.iter().map(|strip| strip.index);
            table
                .assembly
                .already(there.filter(|strip| !missing.contains(strip)));
        }
        Err(error) => tracing::warn!(%error, "strips that were under way are queued again"),
    }
}

/// A place in the journal; for ever nothing without one.
async fn journal_place(journal: Option<&Journal>) -> Option<Permit<'_, Entry>> {
    match journal {
        Some(journal) => journal.place().await,
        None => std::future::pending().await,
    }
}

async fn written(journal: Option<&Journal>) {
    match journal {
        Some(journal) => journal.written().await,
        None => std::future::pending().await,
    }
}

/// Waits for the strip that is read back from the journal.
async fn reading(reading: &mut Option<(Strip, Read)>) -> (Strip, Option<DecodedBlob>) {
    match reading {
        Some((strip, read)) => (*strip, read.await),
        None => std::future::pending().await,
    }
}

/// Waits for the strip that is computed here.
async fn computing(computing: &mut Option<Computing>) -> Result<Option<StripBuffer>, Fault> {
    match computing {
        Some(computing) => (&mut computing.task)
            .await
            .map_err(|error| Fault::of_task("the task that computes audited strips", error)),
        None => std::future::pending().await,
    }
}

/// Says once who could be working when nothing has come: a farm without workers, or without such as the
/// job asks for, would be waited for in silence.
async fn tell_who_is_there<Q: JobQueue>(queue: &Arc<Q>, job: &JobSpec) {
    let asked = match job.backend {
        BackendChoice::Auto => "any backend",
        BackendChoice::Cpu => "--backend cpu",
        BackendChoice::Gpu => "--backend gpu",
    };
    match queue.workers().await {
        Ok(0) => {
            tracing::warn!("no worker is on the farm; start farm-worker with the same --redis");
        }
        Ok(workers) => tracing::warn!(
            workers,
            "no strip has come yet; the job asks for {asked} and workers of build {}, and a strip may simply take this long",
            short_build(job.build)
        ),
        Err(error) => tracing::warn!(%error, "cannot ask who is on the farm"),
    }
}

/// A build as people see it: enough of its digest to tell it from others.
#[must_use]
pub fn short_build(build: u64) -> String {
    format!("{:08x}", build >> 32)
}
