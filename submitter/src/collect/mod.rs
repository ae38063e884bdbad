//! From queue to files: keeps a window of strips queued, takes what workers deliver, journals it, and hands
//! strips in order to the files. The same loop in process and on a farm.
//!
//! - [`feeding`]: the tasks that talk with the queue; [`leaving`]: the way to the files

mod feeding;
mod leaving;
mod letters;

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use farm_queue::protocol::blob::Decoded;
use farm_queue::protocol::spec::largest_strip_bytes;
use farm_queue::{Collected, JobQueue, JobSpec, QueueError};
use fractal::{BackendChoice, Strip, StripBuffer};
use tokio::sync::mpsc::channel;
use tokio::task::JoinHandle;

use crate::assembly::{Assembly, Next};
use crate::bar::Bar;
use crate::journal::{Entry, Event, Journal};
use crate::output::Files;
use crate::report::Tally;
use feeding::{feeding, listening};
use leaving::Leaving;
use letters::{DeadLetters, Verdict};

/// How long nothing may come before the user is told who is there.
const SILENCE: Duration = Duration::from_secs(5);
/// Batches of results that may wait here, and of strips that may wait to be queued.
const BATCHES: usize = 2;
/// Strips that may wait for the journal before no more are taken from the queue.
const UNJOURNALLED: usize = 8;
/// Bytes of strips that wait in memory for their turn where the journal has them too.
const EARLY_BYTES: u64 = 64 << 20;

/// Why a picture was not finished.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The queue stayed out of reach, or answered what it should not.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Strips failed on every worker that had them.
    #[error("{0}")]
    Dead(String),
    /// A file's thread ended early; the file says why.
    #[error("a file could not be written")]
    Output,
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
    /// Its journal, where it has one.
    pub journal: Option<&'a Journal>,
    /// What was done before.
    pub past: Past,
    /// Its files.
    pub files: &'a mut Files,
    /// Told of every strip.
    pub bar: &'a Bar,
    /// Told of every strip.
    pub tally: &'a mut Tally,
    /// Workers are elsewhere, and may not be there at all.
    pub on_farm: bool,
}

/// Renders the strips of a created job until all are with the files.
///
/// # Errors
/// The first thing that keeps the picture from being finished. The job is still in the queue then, as it
/// is after success: the caller ends it.
pub async fn collect<Q: JobQueue>(
    work: Work<'_, Q>,
    interrupt: impl Future<Output = ()>,
) -> Result<(), CollectError> {
    let (queue, job, on_farm) = (work.queue, work.job, work.on_farm);
    let (found, mut results) = channel(BATCHES);
    let (feed, wanted) = channel(BATCHES);
    let _tasks = [
        AbortOnDrop(tokio::spawn(feeding(
            Arc::clone(queue),
            Arc::clone(job),
            wanted,
            found.clone(),
        ))),
        AbortOnDrop(tokio::spawn(listening(
            Arc::clone(queue),
            Arc::clone(job),
            found,
        ))),
    ];
    let leaving = Leaving::start(work.files.senders());
    tokio::pin!(interrupt);
    let silence = tokio::time::sleep(SILENCE);
    tokio::pin!(silence);
    // In process the workers are known to be there.
    let mut told = !on_farm;
    let mut table = Table::new(work);
    // At most a window of strips.
    let mut to_queue: Vec<Strip> = Vec::new();
    let ended = loop {
        to_queue.extend(table.strips_to_queue());
        table.turn();
        if table.is_complete() {
            break Ok(());
        }
        if let Some(dead) = table.stuck() {
            break Err(dead);
        }
        let journal = table.journal;
        tokio::select! {
            batch = results.recv(), if table.to_journal.len() < UNJOURNALLED => {
                // Both tasks end with an error as their last word, never without one.
                let batch = match batch {
                    Some(Ok(batch)) => batch,
                    Some(Err(error)) => break Err(error.into()),
                    None => break Err(CollectError::Interrupted),
                };
                told |= !batch.is_empty();
                let taken: Result<(), _> = batch.into_iter().try_for_each(|found| table.take(found));
                if let Err(error) = taken {
                    break Err(error);
                }
            }
            Ok(place) = feed.reserve(), if !to_queue.is_empty() => {
                place.send(std::mem::take(&mut to_queue));
            }
            Some(place) = journal_place(journal), if !table.to_journal.is_empty() => {
                if let Some(entry) = table.to_journal.pop_front() {
                    place.send(entry);
                }
            }
            read = reading(&mut table.reading), if table.reading.is_some() => table.was_read(read),
            place = leaving.door().reserve(), if table.next.is_some() => match (place, table.next.take()) {
                (Ok(place), Some(strip)) => place.send(strip),
                _ => break Err(CollectError::Output),
            },
            () = &mut silence, if !told => {
                told = true;
                tell_who_is_there(queue, job).await;
            }
            () = &mut interrupt => break Err(CollectError::Interrupted),
        }
    };
    if ended.is_err() {
        // What has come is not lost.
        while let (Some(journal), Some(entry)) = (table.journal, table.to_journal.pop_front()) {
            if let Some(place) = journal.place().await {
                place.send(entry);
            }
        }
        return ended;
    }
    tokio::select! {
        all_left = leaving.end() => if all_left { Ok(()) } else { Err(CollectError::Output) },
        () = &mut interrupt => Err(CollectError::Interrupted),
    }
}

/// A place in the journal; for ever nothing without one.
async fn journal_place(journal: Option<&Journal>) -> Option<tokio::sync::mpsc::Permit<'_, Entry>> {
    match journal {
        Some(journal) => journal.place().await,
        None => std::future::pending().await,
    }
}

type Read = Pin<Box<dyn Future<Output = Option<Decoded>> + Send>>;

/// Waits for the strip that is read back from the journal.
async fn reading(reading: &mut Option<(Strip, Read)>) -> (Strip, Option<Decoded>) {
    match reading {
        Some((strip, read)) => (*strip, read.await),
        None => std::future::pending().await,
    }
}

/// Where everything of a job lies between the queue, the journal and the files.
struct Table<'a> {
    journal: Option<&'a Journal>,
    assembly: Assembly,
    letters: DeadLetters,
    /// At most a batch of strips more than [`UNJOURNALLED`].
    to_journal: VecDeque<Entry>,
    /// The strip that is read back now.
    reading: Option<(Strip, Read)>,
    /// The next strip to leave.
    next: Option<Arc<StripBuffer>>,
    past: Past,
    bar: &'a Bar,
    tally: &'a mut Tally,
}

impl<'a> Table<'a> {
    fn new<Q: JobQueue>(work: Work<'a, Q>) -> Self {
        let job = work.job;
        let window = work.queue.window_bytes() / largest_strip_bytes(job).max(1);
        let window = u32::try_from(window).unwrap_or(u32::MAX);
        let stored = work.past.stored.iter().copied();
        work.tally.resumed = stored.len() as u64;
        work.bar.resumed(work.tally.resumed);
        Self {
            journal: work.journal,
            assembly: Assembly::new(job.strips, window, EARLY_BYTES, stored),
            letters: DeadLetters::default(),
            to_journal: VecDeque::new(),
            reading: None,
            next: None,
            past: work.past,
            bar: work.bar,
            tally: work.tally,
        }
    }

    fn journalled(&self) -> bool {
        self.journal.is_some_and(Journal::works)
    }

    fn is_complete(&self) -> bool {
        self.assembly.is_complete() && self.next.is_none() && self.reading.is_none()
    }

    fn strips_to_queue(&mut self) -> Vec<Strip> {
        let before = self.assembly.queued_below();
        let unwritten = self.journal.map_or(0, Journal::unwritten);
        let journalled = self.journalled();
        let strips = self.assembly.strips_to_queue(unwritten, journalled);
        let below = self.assembly.queued_below();
        if below > before.max(self.past.queued) && journalled {
            self.to_journal
                .push_back(Entry::Event(Event::Queued(below)));
        }
        // What was under way when the job was left.
        let again = strips
            .iter()
            .filter(|strip| strip.index >= before && strip.index < self.past.queued);
        self.tally.recomputed += again.count() as u64;
        strips
    }

    /// Moves what can move without waiting.
    fn turn(&mut self) {
        if let Some(journal) = self.journal {
            self.assembly.evict(|strip| journal.holds(strip));
        }
        if self.next.is_some() || self.reading.is_some() {
            return;
        }
        match (self.assembly.next(), self.journal) {
            (Some(Next::Here(buffer)), _) => self.next = Some(buffer),
            (Some(Next::Stored(strip)), Some(journal)) => {
                self.reading = Some((strip, Box::pin(journal.reader(strip))));
            }
            // Nothing is stored without a journal.
            (Some(Next::Stored(strip)), None) => self.assembly.unread(strip.index),
            (None, _) => {}
        }
    }

    fn was_read(&mut self, (strip, read): (Strip, Option<Decoded>)) {
        self.reading = None;
        let resumed = self.past.stored.remove(&strip.index);
        match read {
            Some(Decoded {
                buffer,
                worker,
                attempt,
            }) => {
                if resumed {
                    self.tally.count(&buffer, &worker, attempt);
                }
                self.next = Some(Arc::new(buffer));
            }
            None => {
                self.assembly.unread(strip.index);
                self.tally.recomputed += 1;
                self.tally.resumed -= u64::from(resumed);
            }
        }
    }

    /// One result: into the assembly and the journal, or its strip back to the queue.
    fn take(&mut self, found: Collected) -> Result<(), CollectError> {
        match found {
            Collected::Strip {
                buffer,
                worker,
                attempt,
            } => {
                if self.assembly.accept(Arc::clone(&buffer)) {
                    self.tally.count(&buffer, &worker, attempt);
                    self.letters.forget(buffer.strip.index);
                    self.bar.strip();
                    self.bar.workers(self.tally.workers_seen());
                    if let Some(journal) = self.journal.filter(|journal| journal.works()) {
                        journal.announce();
                        self.to_journal.push_back(Entry::Strip {
                            buffer,
                            worker,
                            attempt,
                        });
                    }
                }
            }
            Collected::Rejected { strip, reason } => {
                tracing::warn!(
                    strip = strip.map(|strip| strip.index),
                    reason,
                    "result rejected"
                );
                self.tally.rejected += 1;
                if let Some(strip) = strip.filter(|strip| self.assembly.awaits(strip.index)) {
                    match self.letters.rejected(strip, reason) {
                        Verdict::Again => self.assembly.queue_again(strip.index),
                        Verdict::Dead => self.dead(strip)?,
                    }
                }
            }
            Collected::Dead { strip, reasons } if self.assembly.awaits(strip.index) => {
                self.letters.died(strip, reasons);
                self.dead(strip)?;
            }
            Collected::Dead { .. } => {}
        }
        Ok(())
    }

    /// A strip is dead: with a journal the others go on, so that they need not be computed again.
    fn dead(&mut self, strip: Strip) -> Result<(), CollectError> {
        self.assembly.give_up(strip.index);
        if !self.journalled() {
            return Err(CollectError::Dead(self.letters.to_string()));
        }
        tracing::error!(
            strip = strip.index,
            "strip failed too often; the others go on"
        );
        Ok(())
    }

    /// The end of a job in which only dead strips are missing.
    fn stuck(&self) -> Option<CollectError> {
        let stuck = self.assembly.is_stuck() && self.next.is_none() && self.reading.is_none();
        stuck.then(|| CollectError::Dead(self.letters.to_string()))
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
            "no strip has come yet; the job asks for {asked}, and a strip may simply take this long"
        ),
        Err(error) => tracing::warn!(%error, "cannot ask who is on the farm"),
    }
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
