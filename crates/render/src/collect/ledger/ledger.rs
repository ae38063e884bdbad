//! Where everything of a job lies between the queue, the journal and the files, and what moves next. No waiting:
//! the loop around it does that.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use engine::PreparedFrame;
use farm_queue::protocol::blob::DecodedBlob;
use farm_queue::protocol::spec::largest_strip_bytes;
use farm_queue::{JobOrders, JobQueue, JobReport, JobSpec, JobState, Order, UnderWay};
use fractal::{ReferenceOrbit, Strip, StripBuffer};

use super::assembly::{Assembly, Next};
use super::failed_strips::FailedStrips;
use super::standing::{FailureCounts, Rate, Silence};
use super::stragglers::Stragglers;
use crate::collect::audit::audits::{self, Audits};
use crate::collect::audit::computing::Computing;
use crate::collect::queue_tasks::{Ask, Heard};
use crate::collect::to_files::FileFeed;
use crate::collect::work::{Past, Work};
use crate::error::CollectError;
use crate::files::Files;
use crate::journal::journal::{Entry, Journal};
use crate::journal::records::JobEvent;
use crate::progress::{Event as Told, Progress};
use crate::report::Tally;

/// Bytes of strips that wait in memory for their turn where the journal has them too.
const EARLY_BYTES: u64 = 64 << 20;
/// Most different failures of workers that are told.
const MOST_TOLD: usize = 64;

/// A strip on its way back from the journal.
pub type Read = Pin<Box<dyn Future<Output = Option<DecodedBlob>> + Send>>;

/// The strips of one job, and all that is known of them.
pub struct StripLedger<'a> {
    pub(in crate::collect) job: &'a Arc<JobSpec>,
    pub(in crate::collect) orbit: Option<Arc<ReferenceOrbit>>,
    pub(in crate::collect) journal: Option<&'a Journal>,
    pub(in crate::collect) files: &'a mut Files,
    pub(in crate::collect) progress: &'a dyn Progress,
    pub(in crate::collect) tally: &'a mut Tally,
    pub(in crate::collect) on_farm: bool,
    pub(in crate::collect) about: JobReport,
    pub(in crate::collect) past: Past,
    pub(in crate::collect) assembly: Assembly,
    pub(in crate::collect) failed_strips: FailedStrips,
    pub(in crate::collect) failure_counts: FailureCounts,
    pub(in crate::collect) stragglers: Stragglers,
    pub(in crate::collect) audits: Audits,
    pub(in crate::collect) silence: Silence,
    pub(in crate::collect) rate: Rate,
    pub(in crate::collect) state: JobState,
    /// How often operators asked for another try, when first heard.
    pub(in crate::collect) retries: Option<u64>,
    /// Digest of each strip's worker's name.
    pub(in crate::collect) makers: HashMap<u32, u64>,
    pub(in crate::collect) wrong_workers: HashSet<String>,
    pub(in crate::collect) warned: bool,
    /// At most a window of strips, a copy of each, and their audits.
    pub(in crate::collect) orders: Vec<Order>,
    /// Strips on their way to the queue.
    pub(in crate::collect) fed: HashSet<u32>,
    /// At most one of each kind, and quarantines.
    pub(in crate::collect) asks: VecDeque<Ask>,
    /// The queue knows that another process could go on with the job.
    pub(in crate::collect) outlives: bool,
    pub(in crate::collect) reporting: bool,
    pub(in crate::collect) looking: bool,
    pub(in crate::collect) repairing: bool,
    pub(in crate::collect) counting: bool,
    /// Why workers failed, as was told already.
    pub(in crate::collect) failures: HashSet<String>,
    /// Workers on the farm, as last heard; asked for while audits are open.
    pub(in crate::collect) workers: Option<usize>,
    /// Audits that may be open beside a window of strips.
    pub(in crate::collect) most_audits: u32,
    /// At most a batch of strips more than the loop lets wait.
    pub(in crate::collect) to_journal: VecDeque<Entry>,
    /// The strip that is read back now.
    pub(in crate::collect) reading: Option<(Strip, Read)>,
    /// The next strip to leave.
    pub(in crate::collect) next: Option<Arc<StripBuffer>>,
    /// The way to the files.
    pub(in crate::collect) to_files: FileFeed,
    /// Strips that this process is to compute itself.
    pub(in crate::collect) to_compute: VecDeque<Strip>,
    pub(in crate::collect) computing: Option<Computing>,
    pub(in crate::collect) frame: Arc<OnceLock<Option<PreparedFrame>>>,
}

impl<'a> StripLedger<'a> {
    /// As a job begins or goes on.
    pub fn new(work: Work<'a>) -> Self {
        let job = work.job;
        let window = work.queue.window_bytes() / largest_strip_bytes(job).max(1);
        let window = u32::try_from(window).unwrap_or(u32::MAX);
        let stored = work.past.stored.iter().copied();
        work.tally.resumed = stored.len() as u64;
        work.progress.tell(Told::StripsResumed(work.tally.resumed));
        let now = Instant::now();
        Self {
            job,
            orbit: work.orbit,
            journal: work.journal,
            to_files: FileFeed::start(work.files.senders()),
            files: work.files,
            progress: work.progress,
            tally: work.tally,
            on_farm: work.on_farm,
            about: work.about,
            assembly: Assembly::new(job.strips, window, EARLY_BYTES, stored),
            past: work.past,
            failed_strips: FailedStrips::default(),
            failure_counts: FailureCounts::default(),
            stragglers: Stragglers::default(),
            audits: Audits::new(work.audit),
            silence: Silence::new(now),
            rate: Rate::new(now),
            state: JobState::Running,
            retries: None,
            makers: HashMap::new(),
            wrong_workers: HashSet::new(),
            warned: false,
            orders: Vec::new(),
            fed: HashSet::new(),
            asks: VecDeque::new(),
            outlives: false,
            reporting: false,
            looking: false,
            repairing: false,
            counting: false,
            failures: HashSet::new(),
            workers: None,
            most_audits: (window / 2).max(1),
            to_journal: VecDeque::new(),
            reading: None,
            next: None,
            to_compute: VecDeque::new(),
            computing: None,
            frame: Arc::default(),
        }
    }

    /// Strips that were under way when the job was left.
    pub fn left_under_way(&self) -> Vec<Strip> {
        (0..self.past.queued)
            .filter(|strip| !self.past.stored.contains(strip))
            .filter_map(|strip| self.job.strips.strip(strip))
            .collect()
    }

    pub(super) fn journalled(&self) -> bool {
        self.journal.is_some_and(Journal::works)
    }

    /// Whether all strips are on their way to the files, and all audits are in.
    pub fn is_complete(&self) -> bool {
        self.assembly.is_complete()
            && self.next.is_none()
            && self.reading.is_none()
            && self.audits.open() == 0
            && self.computing.is_none()
    }

    /// The end of a job in which only dead strips are missing.
    pub fn stuck(&self) -> Option<CollectError> {
        let stuck = self.assembly.is_stuck()
            && self.next.is_none()
            && self.reading.is_none()
            && self.journal.is_none_or(|journal| journal.unwritten() == 0);
        stuck.then(|| CollectError::Dead(self.failed_strips.to_string()))
    }

    /// How it stands.
    pub fn report(&mut self) -> JobReport {
        self.tally.audited = self.audits.settled();
        let come = (self.assembly.come(), self.job.strips.count());
        JobReport {
            title: self.about.title.clone(),
            submitter: self.about.submitter.clone(),
            owner: self.about.owner.clone(),
            ..(self.rate).report(come, self.tally, &self.failed_strips, Instant::now())
        }
    }

    /// Moves what can move without waiting.
    pub fn turn(&mut self) {
        self.queue_more();
        if let Some(journal) = self.journal {
            self.assembly.evict(|strip| journal.holds(strip));
        }
        if self.computing.is_none()
            && let Some(strip) = self.to_compute.pop_front()
        {
            let orbit = self.orbit.clone();
            self.computing = Some(Computing::start(self.job, orbit, &self.frame, strip));
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

    fn queue_more(&mut self) {
        let before = self.assembly.queued_below().max(self.past.queued);
        let unwritten = self.journal.map_or(0, Journal::unwritten);
        let journalled = self.journalled();
        // Audits have half a window of their own; what is beyond takes places of strips, which bounds memory.
        let beyond = self.audits.open().saturating_sub(self.most_audits);
        let elsewhere = unwritten.saturating_add(beyond);
        let strips = self.assembly.strips_to_queue(elsewhere, journalled);
        let below = self.assembly.queued_below();
        if below > before && journalled {
            self.to_journal
                .push_back(Entry::Event(JobEvent::Queued(below)));
        }
        for strip in strips {
            self.tally.recomputed += u64::from(strip.index < before);
            self.fed.insert(strip.index);
            self.orders.push(Order {
                not: self.wrong_workers.iter().next().cloned(),
                ..strip.into()
            });
        }
    }

    /// Once a second.
    pub fn tick(&mut self) {
        let now = Instant::now();
        if !self.reporting {
            self.reporting = true;
            let report = Box::new(self.report());
            self.asks.push_back(Ask::Report(report));
        }
        if !self.outlives && self.journal.is_some_and(Journal::is_on_disk) {
            self.outlives = true;
            self.asks.push_back(Ask::Outlive);
        }
        let running = self.state == JobState::Running;
        let all_queued = self.assembly.all_queued() && self.fed.is_empty();
        if all_queued && running && self.assembly.under_way() > 0 && !self.looking {
            self.looking = true;
            self.asks.push_back(Ask::UnderWay);
        }
        if self.on_farm && self.silence.is_long(now) {
            self.repair();
        }
        if self.on_farm && self.audits.open() > 0 && !self.counting {
            self.counting = true;
            self.asks.push_back(Ask::Workers);
        }
        // With nobody to ask there is nothing to wait for.
        let nobody = !self.on_farm || self.workers.is_some_and(|workers| workers <= 1);
        let alone = self.tally.workers_seen() <= 1;
        if nobody || alone || self.assembly.under_way() == 0 {
            let patience = if nobody {
                Duration::ZERO
            } else {
                audits::PATIENCE
            };
            for (strip, here) in self.audits.overdue(patience, now) {
                self.audit_here(strip, here);
            }
        }
        for (strip, here) in self.audits.beyond(self.most_audits, now) {
            self.audit_here(strip, here);
        }
    }

    fn repair(&mut self) {
        if self.repairing {
            return;
        }
        self.repairing = true;
        self.asks.push_back(Ask::Failures);
        let awaited = self.assembly.awaited();
        let on_queue = awaited
            .filter(|strip| !self.fed.contains(&strip.index))
            .collect();
        self.asks.push_back(Ask::Repair(on_queue));
    }

    /// What was heard of the queue.
    pub fn hear(&mut self, heard: Heard) -> Result<(), CollectError> {
        match heard {
            Heard::Results(results) => {
                if !results.is_empty() {
                    self.silence.broken(Instant::now());
                }
                results
                    .into_iter()
                    .try_for_each(|result| self.take(result))?;
                self.progress
                    .tell(Told::StripsDone(self.assembly.come().into()));
                if self.state == JobState::Running {
                    self.progress.tell(Told::Workers(self.tally.workers_seen()));
                }
            }
            Heard::Queued(strips) => {
                for strip in strips {
                    self.fed.remove(&strip);
                }
            }
            Heard::Trouble => {
                self.repair();
                self.orders.extend(self.audits.orders());
            }
            Heard::Orders(orders) => {
                self.reporting = false;
                if let Some(orders) = orders {
                    self.obey(orders);
                }
            }
            Heard::Workers(workers) => {
                self.counting = false;
                self.workers = workers;
            }
            Heard::UnderWay(under_way) => {
                self.looking = false;
                if let Some(under_way) = under_way {
                    self.look(&under_way);
                }
            }
            Heard::Failures(failures) => {
                for failure in failures.into_iter().flatten() {
                    if self.failures.len() < MOST_TOLD && self.failures.insert(failure.clone()) {
                        tracing::warn!("a worker failed at a strip: {failure}");
                    }
                }
            }
            Heard::Missing(missing) => {
                self.repairing = false;
                for strip in missing.into_iter().flatten() {
                    if self.assembly.awaits(strip.index) && !self.fed.contains(&strip.index) {
                        self.tally.recomputed += 1;
                        self.assembly.queue_again(strip.index);
                    }
                }
            }
            Heard::Failed(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn obey(&mut self, orders: JobOrders) {
        if orders.state != self.state {
            match orders.state {
                JobState::Paused => {
                    tracing::warn!(job = %self.job.id, "paused by an operator");
                    self.progress.tell(Told::Paused);
                }
                JobState::Running => {
                    tracing::warn!(job = %self.job.id, "goes on");
                    self.progress.tell(Told::Workers(self.tally.workers_seen()));
                }
                JobState::Cancelled | JobState::Failed => {}
            }
            self.state = orders.state;
        }
        let before = *self.retries.get_or_insert(orders.retries);
        if orders.retries > before {
            self.retries = Some(orders.retries);
            let dead: Vec<u32> = self.assembly.dead().map(|strip| strip.index).collect();
            for strip in &dead {
                self.failed_strips.forget(*strip);
            }
            self.assembly.revoke(dead);
        }
    }

    fn look(&mut self, under_way: &UnderWay) {
        let assembly = &self.assembly;
        let awaits = |strip| assembly.awaits(strip);
        let late = self.stragglers.look(under_way, awaits, Instant::now());
        for order in &late {
            tracing::info!(
                strip = order.strip.index,
                worker = order.not,
                "late; others may have it too"
            );
        }
        self.tally.speculated += late.len() as u64;
        self.orders.extend(late);
    }

    /// A strip came back from the journal.
    pub fn was_read(&mut self, (strip, read): (Strip, Option<DecodedBlob>)) {
        self.reading = None;
        let resumed = self.past.stored.remove(&strip.index);
        match read {
            Some(DecodedBlob {
                buffer,
                worker,
                attempt,
            }) => {
                let buffer = Arc::new(buffer);
                if resumed {
                    self.tally.count(&buffer, &worker, attempt);
                    self.show(&buffer, &worker);
                    self.orders
                        .extend(self.audits.came(&buffer, &worker, Instant::now()));
                }
                self.next = Some(buffer);
            }
            None => {
                self.assembly.unread(strip.index);
                self.tally.recomputed += 1;
                self.tally.resumed -= u64::from(resumed);
            }
        }
    }
}
