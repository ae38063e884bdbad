//! The queue in process: what a render uses without `--redis`.
//!
//! It is the table of [`crate::protocol::table`], one a job, behind one lock that is held for microseconds and never
//! across an await, so every call is cancel-safe; buffers pass through it by reference. It answers to the same
//! conformance suite as the queue in Redis.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fractal::{ReferenceOrbit, Strip, StripBuffer};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::job::{JobId, JobSpec, LEASE};
use crate::orbit::SharedOrbit;
use crate::order::{Issue, Order};
use crate::protocol::attempts::{self, Blame};
use crate::protocol::choice::{Chooser, DEFAULT_PRIORITY};
use crate::protocol::failures::Failures;
use crate::protocol::table::{Committed, Entry, EntryId, JobTable, Limits, Taken};
use crate::protocol::window::MEMORY_WINDOW_BYTES;
use crate::queue::{
    Accepts, Collected, Delivered, JobQueue, Lease, LeaseState, QueueError, SAMPLED_FAILURES,
    WorkerQueue,
};
use crate::status::{self, JobOrders, JobReport, UnderWay, WorkerAbout, WorkerFigures};

/// How long a worker stays in quarantine.
const QUARANTINE: Duration = Duration::from_secs(60);

/// The queue in process. Clones are handles to the same queue, for the same worker.
#[derive(Clone)]
pub struct MemoryQueue {
    shared: Arc<Shared>,
    worker: Arc<str>,
}

struct Shared {
    lease: Duration,
    /// The moment from which the tables count their time.
    start: Instant,
    state: Mutex<State>,
    /// Something may be leased, or a job ended.
    work: Notify,
    /// Something may be collected, or a job ended.
    results: Notify,
    /// A job ended.
    ended: Notify,
}

struct State {
    jobs: BTreeMap<JobId, Job>,
    workers: BTreeSet<Arc<str>>,
    quarantined: HashMap<Arc<str>, Instant>,
    /// What each worker leaves to others.
    failures: HashMap<Arc<str>, Failures<EntryId>>,
    chooser: Chooser,
}

struct Job {
    spec: Arc<JobSpec>,
    orbit: Option<Arc<ReferenceOrbit>>,
    table: JobTable<Arc<str>, Delivery>,
}

/// What a worker handed over for a slot.
struct Delivery {
    buffer: Arc<StripBuffer>,
    worker: Arc<str>,
    attempt: u32,
}

impl Default for MemoryQueue {
    fn default() -> Self {
        Self::new("in process")
    }
}

impl MemoryQueue {
    /// An empty queue, seen as `worker`.
    #[must_use]
    pub fn new(worker: &str) -> Self {
        Self::with_lease(worker, LEASE)
    }

    /// An empty queue whose leases last `lease`, seen as `worker`.
    #[must_use]
    pub fn with_lease(worker: &str, lease: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                lease,
                start: Instant::now(),
                state: Mutex::new(State {
                    jobs: BTreeMap::new(),
                    workers: BTreeSet::new(),
                    quarantined: HashMap::new(),
                    failures: HashMap::new(),
                    chooser: Chooser::new(RandomState::new().hash_one(0)),
                }),
                work: Notify::new(),
                results: Notify::new(),
                ended: Notify::new(),
            }),
            worker: worker.into(),
        }
    }

    /// The same queue, seen as another worker.
    #[must_use]
    pub fn as_worker(&self, worker: &str) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            worker: worker.into(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; and if it did, every entry would still be whole.
        (self.shared.state.lock()).unwrap_or_else(PoisonError::into_inner)
    }

    /// The time by the tables' clock.
    fn now(&self) -> Duration {
        self.shared.start.elapsed()
    }

    /// Leases a strip if there is one; else the moment at which the next lease runs out.
    fn try_lease(&self, accepts: Accepts) -> Result<Lease, Option<Instant>> {
        let mut state = self.state();
        let state = &mut *state;
        if !state.workers.contains(&self.worker) {
            state.workers.insert(Arc::clone(&self.worker));
        }
        if let Some(until) = state.quarantined.get(&self.worker).copied() {
            if until > Instant::now() {
                return Err(Some(until));
            }
            state.quarantined.remove(&self.worker);
        }
        let now = self.now();
        let others = u32::try_from(state.workers.len() - 1).unwrap_or(u32::MAX);
        let failures = state.failures.get(&self.worker);
        let jobs = state.jobs.keys();
        let all = jobs.map(|id| (id.clone(), DEFAULT_PRIORITY)).collect();
        let mut next_expiry = None;
        for id in state.chooser.order(all) {
            let Some(job) = state.jobs.get_mut(&id) else {
                continue;
            };
            if !accepts.admits(job.spec.backend) || !self.joins(job, now) {
                state.chooser.idle(&id);
                continue;
            }
            let passed = failures.map_or_else(Vec::new, |f| f.passed(&id, others, now));
            let taken = (job.table.claim(&self.worker, now, &passed))
                .or_else(|| job.table.lease(&self.worker, now));
            if job.table.letters(0).next().is_some() {
                self.shared.results.notify_waiters();
            }
            if let Some(taken) = taken
                && let Some((strip, issue)) = job.wanted(taken.entry.slot)
            {
                state.chooser.served(&id);
                return Ok(Lease {
                    job: Arc::clone(&job.spec),
                    strip,
                    issue,
                    attempt: taken.attempt,
                    entry: taken.id.to_string(),
                });
            }
            let again = failures.and_then(|f| f.next_end(&id, now));
            let expiry = job.table.next_expiry().into_iter().chain(again).min();
            let expiry = expiry.map(|expiry| self.shared.start + expiry);
            next_expiry = next_expiry.into_iter().chain(expiry).min();
            state.chooser.idle(&id);
        }
        Err(next_expiry)
    }

    /// Whether this worker is one of the job's workers, or becomes one.
    fn joins(&self, job: &mut Job, now: Duration) -> bool {
        job.spec.max_workers.is_none_or(|most| {
            let until = now + 2 * self.shared.lease;
            job.table.join(&self.worker, most.into(), now, until)
        })
    }

    /// A change of what `lease` may still hold.
    fn give_back(&self, lease: &Lease, change: impl FnOnce(&mut Job, &Taken<Arc<str>>)) {
        let mut state = self.state();
        if let Some(job) = state.jobs.get_mut(&lease.job.id)
            && let Some(taken) = taken(lease)
        {
            change(job, &taken);
        }
        drop(state);
        self.shared.work.notify_waiters();
        self.shared.results.notify_waiters();
    }
}

/// The entry that a lease is about; `None` for a lease of no queue of ours.
fn taken(lease: &Lease) -> Option<Taken<Arc<str>>> {
    Some(Taken {
        id: lease.entry.parse().ok()?,
        attempt: lease.attempt,
        entry: Entry::plain(lease.slot()),
    })
}

impl Job {
    /// What a slot is for.
    fn wanted(&self, slot: u32) -> Option<(Strip, Issue)> {
        let plan = self.spec.strips;
        let (index, issue) = match slot.checked_sub(plan.count()) {
            None => (slot, Issue::Render),
            Some(index) => (index, Issue::Audit),
        };
        Some((plan.strip(index)?, issue))
    }

    /// Whatever was announced, and the dead letters.
    fn collect(&mut self) -> Vec<Collected> {
        let announced: Vec<_> = self.table.announced(0).collect();
        let mut collected = Vec::with_capacity(announced.len());
        for (id, slot) in announced {
            let Some((strip, issue)) = self.wanted(slot) else {
                self.table.reject(slot, id);
                continue;
            };
            let fits = |delivery: &Delivery| delivery.buffer.fits(&self.spec.frame, strip);
            if self.table.result(slot).is_some_and(fits) {
                let blamed = (self.table.reasons(slot).iter())
                    .filter_map(|reason| match attempts::blame(reason)? {
                        Blame::Worker(name) | Blame::Silent(name) => Some(name.to_owned()),
                    })
                    .collect();
                let Some(delivery) = self.table.take(slot, id) else {
                    continue;
                };
                collected.push(Collected::Strip {
                    buffer: delivery.buffer,
                    worker: delivery.worker.to_string(),
                    attempt: delivery.attempt,
                    issue,
                    blamed,
                });
            } else {
                let worker = self.table.result(slot).map(|delivery| &delivery.worker);
                let reason = worker.map_or_else(
                    || "an announced buffer is not there".to_owned(),
                    |worker| format!("{worker}: a buffer that does not fit its strip"),
                );
                self.table.reject(slot, id);
                collected.push(Collected::Rejected {
                    strip: (issue == Issue::Render).then_some(strip),
                    reason,
                });
            }
        }
        let letters: Vec<_> = self.table.letters(0).map(|(id, _)| id).collect();
        for id in letters {
            if let Some(letter) = self.table.remove_letter(id)
                && let Some((strip, issue)) = self.wanted(letter.slot)
            {
                collected.push(Collected::Dead {
                    strip,
                    issue,
                    reasons: letter.reasons,
                });
            }
        }
        collected
    }
}

impl WorkerQueue for MemoryQueue {
    async fn lease(&self, accepts: Accepts, wait: Duration) -> Result<Option<Lease>, QueueError> {
        let deadline = Instant::now() + wait;
        loop {
            // Registered before the look, so that nothing is missed between the look and the wait.
            let changed = self.shared.work.notified();
            let next_expiry = match self.try_lease(accepts) {
                Ok(lease) => return Ok(Some(lease)),
                Err(next_expiry) => next_expiry,
            };
            let now = Instant::now();
            if now >= deadline {
                return Ok(None);
            }
            let until = next_expiry.map_or(deadline, |expiry| expiry.min(deadline));
            // Either way it looks again.
            let _ = timeout_at(until, changed).await;
        }
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<LeaseState, QueueError> {
        let mut state = self.state();
        let Some(job) = state.jobs.get_mut(&lease.job.id) else {
            return Ok(LeaseState::JobGone);
        };
        let Some(taken) = taken(lease) else {
            return Ok(LeaseState::Lost);
        };
        let now = self.now();
        let answer = job.table.heartbeat(&self.worker, &taken, now);
        if answer == LeaseState::Held {
            // A long strip keeps its worker's place too; whether it still has one does not matter.
            self.joins(job, now);
        }
        Ok(answer)
    }

    async fn deliver(
        &self,
        lease: &Lease,
        buffer: Arc<StripBuffer>,
    ) -> Result<Delivered, QueueError> {
        let mut state = self.state();
        let Some(job) = state.jobs.get_mut(&lease.job.id) else {
            return Ok(Delivered::JobGone);
        };
        let delivery = Delivery {
            buffer,
            worker: Arc::clone(&self.worker),
            attempt: lease.attempt,
        };
        job.table.store(lease.slot(), delivery);
        let id = taken(lease).map_or(0, |taken| taken.id);
        let committed = job.table.commit(id, lease.slot());
        drop(state);
        match committed {
            Committed::First => {
                self.shared.results.notify_waiters();
                Ok(Delivered::First)
            }
            Committed::Duplicate => Ok(Delivered::Duplicate),
            Committed::JobGone => Ok(Delivered::JobGone),
            Committed::NoBuffer => Err(QueueError::Server("the buffer vanished".to_owned())),
        }
    }

    async fn release(&self, lease: &Lease) -> Result<(), QueueError> {
        self.give_back(lease, |job, taken| {
            job.table.release(&self.worker, taken);
        });
        Ok(())
    }

    async fn fail(&self, lease: &Lease, reason: &str) -> Result<(), QueueError> {
        if let Some(taken) = taken(lease) {
            let mut state = self.state();
            let failures = state.failures.entry(Arc::clone(&self.worker)).or_default();
            failures.failed(&lease.job.id, taken.id, self.now());
        }
        self.give_back(lease, |job, taken| {
            let reason = format!("{}: {reason}", self.worker);
            job.table.fail(&self.worker, taken, &reason);
        });
        Ok(())
    }

    async fn leave_to_others(&self, _: &JobId) {
        // Its workers are one process: what one cannot do, none can.
    }

    async fn orbit(
        &self,
        job: &JobSpec,
        most: u64,
        _: &(dyn Fn() + Sync),
    ) -> Result<Option<Arc<ReferenceOrbit>>, QueueError> {
        let state = self.state();
        let orbit = state.jobs.get(&job.id).and_then(|job| job.orbit.clone());
        match orbit.as_ref().map(|orbit| orbit.steps() + 1) {
            Some(values) if values > most => Err(QueueError::LongOrbit(values)),
            _ => Ok(orbit),
        }
    }

    async fn leave(&self) -> Result<(), QueueError> {
        let mut state = self.state();
        let mut holds = false;
        for job in state.jobs.values_mut() {
            holds |= !job.table.leave(&self.worker);
        }
        if !holds {
            state.workers.remove(&self.worker);
            state.failures.remove(&self.worker);
        }
        drop(state);
        // What the others left to this one is theirs again.
        self.shared.work.notify_waiters();
        Ok(())
    }

    async fn hint(&self) {
        self.shared.ended.notified().await;
    }

    async fn drained(&self) {
        // Nobody can ask for it.
        std::future::pending::<()>().await;
    }

    fn describe(&self, _: WorkerAbout) {}

    fn depth(&self) -> Option<u64> {
        // Whoever renders in process sees it in the bar.
        None
    }

    fn tell(&self, _: WorkerFigures) {}
}

impl JobQueue for MemoryQueue {
    fn window_bytes(&self) -> u64 {
        MEMORY_WINDOW_BYTES
    }

    async fn create(&self, job: Arc<JobSpec>) -> Result<(), QueueError> {
        crate::protocol::spec::check(&job).map_err(|error| QueueError::Spec(error.to_string()))?;
        let limits = Limits {
            lease: self.shared.lease,
            ..Limits::default()
        };
        let mut state = self.state();
        let entry = state.jobs.entry(job.id.clone());
        let made = entry.or_insert_with(|| Job {
            spec: job,
            orbit: None,
            table: JobTable::new(limits),
        });
        made.table.create();
        Ok(())
    }

    async fn share_orbit(&self, job: &JobId, orbit: SharedOrbit) -> Result<(), QueueError> {
        let mut state = self.state();
        let known = (state.jobs.get_mut(job)).ok_or_else(|| QueueError::JobGone(job.clone()))?;
        known.orbit = Some(orbit.orbit);
        Ok(())
    }

    async fn outlive(&self, _: &JobId) -> Result<(), QueueError> {
        // It ends with its process.
        Ok(())
    }

    async fn enqueue(&self, job: &JobId, orders: &[Order]) -> Result<(), QueueError> {
        let mut state = self.state();
        let queued = (state.jobs.get_mut(job)).ok_or_else(|| QueueError::JobGone(job.clone()))?;
        let plan = queued.spec.strips;
        let entries = orders.iter().map(|order| Entry {
            slot: order.issue.slot(order.strip, plan),
            not: order.not.as_deref().map(Arc::from),
            extra: order.extra,
        });
        queued.table.enqueue(entries);
        drop(state);
        self.shared.work.notify_waiters();
        Ok(())
    }

    async fn collect(&self, job: &JobId, wait: Duration) -> Result<Vec<Collected>, QueueError> {
        let deadline = Instant::now() + wait;
        loop {
            let changed = self.shared.results.notified();
            let collected = {
                let mut state = self.state();
                let known = state.jobs.get_mut(job);
                known
                    .ok_or_else(|| QueueError::JobGone(job.clone()))?
                    .collect()
            };
            if !collected.is_empty() || Instant::now() >= deadline {
                return Ok(collected);
            }
            // Either way it looks again.
            let _ = timeout_at(deadline, changed).await;
        }
    }

    async fn repair(&self, job: &JobId, awaited: &[Strip]) -> Result<Vec<Strip>, QueueError> {
        let state = self.state();
        let known = (state.jobs.get(job)).ok_or_else(|| QueueError::JobGone(job.clone()))?;
        let slots: Vec<u32> = awaited.iter().map(|strip| strip.index).collect();
        let missing = known.table.missing(&slots).into_iter();
        Ok(missing
            .filter_map(|slot| known.spec.strips.strip(slot))
            .collect())
    }

    async fn report(&self, job: &JobId, _: &JobReport) -> Result<JobOrders, QueueError> {
        // Nobody else could read it, nor want anything.
        self.repair(job, &[]).await.map(|_| JobOrders::default())
    }

    async fn failures(&self, job: &JobId) -> Result<Vec<String>, QueueError> {
        let state = self.state();
        let job = (state.jobs.get(job)).ok_or_else(|| QueueError::JobGone(job.clone()))?;
        let slots = 0..job.spec.strips.count();
        let failed = slots
            .map(|slot| job.table.reasons(slot))
            .filter(|reasons| !reasons.is_empty());
        Ok(failed.take(SAMPLED_FAILURES).flatten().cloned().collect())
    }

    async fn under_way(&self, job: &JobId) -> Result<UnderWay, QueueError> {
        let state = self.state();
        let job = (state.jobs.get(job)).ok_or_else(|| QueueError::JobGone(job.clone()))?;
        let mut way = UnderWay::default();
        for (id, entry, holder) in job.table.under_way() {
            let Some((strip, issue)) = job.wanted(entry.slot) else {
                continue;
            };
            match holder {
                Some((worker, attempt)) => way.leases.push(status::Leased {
                    strip,
                    issue,
                    worker: worker.to_string(),
                    attempt,
                    entry: id.to_string(),
                }),
                None => way.waiting += u64::from(issue == Issue::Render),
            }
        }
        Ok(way)
    }

    async fn quarantine(&self, worker: &str, reason: &str) -> Result<(), QueueError> {
        tracing::warn!(worker, reason, "in quarantine");
        let until = Instant::now() + QUARANTINE;
        self.state().quarantined.insert(worker.into(), until);
        Ok(())
    }

    async fn fail(&self, job: &JobId, _: &JobReport) -> Result<(), QueueError> {
        self.finish(job).await
    }

    async fn finish(&self, job: &JobId) -> Result<(), QueueError> {
        self.state().jobs.remove(job);
        self.shared.ended.notify_waiters();
        self.shared.work.notify_waiters();
        self.shared.results.notify_waiters();
        Ok(())
    }

    async fn workers(&self) -> Result<usize, QueueError> {
        Ok(self.state().workers.len())
    }
}
