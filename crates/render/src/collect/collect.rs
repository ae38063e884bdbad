//! From queue to files: keeps a window of strips queued, takes what workers deliver, journals it, and hands strips in order
//! to the files. The same loop in process and on a farm.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use farm_queue::protocol::blob::DecodedBlob;
use farm_queue::{JobQueue, JobReport, JobSpec};
use farm_worker::Fault;
use fractal::{BackendChoice, Strip, StripBuffer};
use tokio::sync::mpsc::{Permit, channel};

use super::audit::computing::Computing;
use super::ledger::ledger::{Read, StripLedger};
use super::queue_tasks::{Heard, feed_strips, listen_for_results, tend_to_job};
use super::tasks::Tasks;
use super::work::Work;
use crate::error::CollectError;
use crate::job::short_build;
use crate::journal::journal::{Entry, Journal};
use crate::queue::Queue;

/// How long nothing may come before the user is told who is there.
const SILENCE: Duration = Duration::from_secs(5);
/// How often the queue is told how the job stands, and looked after.
const TICK: Duration = Duration::from_secs(1);
/// Batches of results that may wait here, of strips that may wait to be queued, and of questions.
const BATCHES: usize = 2;
/// Strips that may wait for the journal before no more are taken from the queue.
const UNJOURNALLED: usize = 8;

/// Renders the strips of a created job until all are with the files; and how the job stood at the end.
///
/// The error is the first thing that keeps the picture from being finished. The job is still in the queue then, as it
/// is after success: the caller ends it. `ends` ends it before its time, and says why.
pub async fn collect(
    work: Work<'_>,
    ends: impl Future<Output = CollectError>,
) -> (Result<(), CollectError>, JobReport) {
    let (queue, job) = (work.queue.clone(), Arc::clone(work.job));
    let (on_farm, limit) = (work.on_farm, work.limit);
    let mut ledger = StripLedger::new(work);
    tokio::pin!(ends);
    let mut ended = tokio::select! {
        ended = run_loop(&queue, &job, on_farm, limit, &mut ledger) => ended,
        why = &mut ends => Err(why),
    };
    if ended.is_ok() {
        ended = tokio::select! {
            left = ledger.to_files.end() => left,
            why = &mut ends => Err(why),
        };
    } else {
        // What has come is not lost.
        while let (Some(journal), Some(entry)) = (ledger.journal, ledger.to_journal.pop_front()) {
            if let Some(place) = journal.place().await {
                place.send(entry);
            }
        }
    }
    let report = ledger.report();
    (ended, report)
}

async fn run_loop(
    queue: &Queue,
    job: &Arc<JobSpec>,
    on_farm: bool,
    limit: Duration,
    ledger: &mut StripLedger<'_>,
) -> Result<(), CollectError> {
    if on_farm {
        take_up(queue, job, ledger).await;
    }
    let (say, mut heard) = channel(BATCHES);
    let (feed, wanted) = channel(BATCHES);
    let (ask, asks) = channel(BATCHES);
    let shared = || (queue.clone(), Arc::clone(job));
    let mut tasks = Tasks::default();
    let (to, of) = shared();
    tasks.start(
        "the task that queues strips",
        feed_strips(to, of, limit, wanted, say.clone()),
    );
    let (to, of) = shared();
    tasks.start(
        "the task that looks for results",
        listen_for_results(to, of, limit, say.clone()),
    );
    let (to, of) = shared();
    tasks.start(
        "the task that reports to the queue",
        tend_to_job(to, of, asks, say),
    );
    let silence = tokio::time::sleep(SILENCE);
    tokio::pin!(silence);
    // In process the workers are known to be there.
    let mut told = !on_farm;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ledger.turn();
        if ledger.is_complete() {
            return Ok(());
        }
        if let Some(dead) = ledger.stuck() {
            return Err(dead);
        }
        let journal = ledger.journal;
        let door = ledger.to_files.door();
        tokio::select! {
            news = heard.recv(), if ledger.to_journal.len() < UNJOURNALLED => {
                let Some(news) = news else {
                    return Err(tasks.ended().await.into());
                };
                told |= matches!(&news, Heard::Results(results) if !results.is_empty());
                ledger.hear(news)?;
            }
            Ok(place) = feed.reserve(), if !ledger.orders.is_empty() => {
                place.send(std::mem::take(&mut ledger.orders));
            }
            Ok(place) = ask.reserve(), if !ledger.asks.is_empty() => {
                if let Some(question) = ledger.asks.pop_front() {
                    place.send(question);
                }
            }
            fault = tasks.ended() => {
                // Its last word, where it had one.
                while let Ok(news) = heard.try_recv() {
                    ledger.hear(news)?;
                }
                return Err(fault.into());
            }
            place = journal_place(journal), if !ledger.to_journal.is_empty() => {
                // It ends only when it is told to, also where it cannot write any more.
                let place = place.ok_or_else(|| Fault::ended("the thread that writes the journal"))?;
                if let Some(entry) = ledger.to_journal.pop_front() {
                    place.send(entry);
                }
            }
            // There may be room for more strips now.
            () = written(journal) => {}
            read = reading(&mut ledger.reading), if ledger.reading.is_some() => ledger.was_read(read),
            computed = computing(&mut ledger.computing), if ledger.computing.is_some() => ledger.take_own(computed?)?,
            place = door.reserve(), if ledger.next.is_some() => match (place, ledger.next.take()) {
                (Ok(place), Some(strip)) => place.send(strip),
                _ => return Err(ledger.to_files.ended_early().await),
            },
            _ = tick.tick() => ledger.tick(),
            () = &mut silence, if !told => {
                told = true;
                tell_who_is_there(queue, job).await;
            }
        }
    }
}

/// Goes on with what the queue still has of a job that was left.
async fn take_up(queue: &Queue, job: &JobSpec, ledger: &mut StripLedger<'_>) {
    let left = ledger.left_under_way();
    if left.is_empty() {
        return;
    }
    match queue.repair(&job.id, &left).await {
        Ok(missing) => {
            let missing: BTreeSet<u32> = missing.iter().map(|strip| strip.index).collect();
            let there = left.iter().map(|strip| strip.index);
            ledger
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
async fn tell_who_is_there(queue: &Queue, job: &JobSpec) {
    let asked = match job.backend {
        BackendChoice::Auto => "any backend".to_owned(),
        one => format!("--backend {}", one.name()),
    };
    match queue.workers().await {
        Ok(0) => {
            tracing::warn!("no worker is on the farm; start farm-worker with the same --redis");
        }
        Ok(workers) => tracing::warn!(
            workers,
            "no strip has come yet; the job asks for {asked} and workers of build {}{}, and a strip may simply take this long",
            short_build(job.build),
            (job.on.as_deref()).map_or_else(String::new, |tag| format!(" with the tag {tag}"))
        ),
        Err(error) => tracing::warn!(%error, "cannot ask who is on the farm"),
    }
}
