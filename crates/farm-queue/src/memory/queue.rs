//! The queue in process: its state behind one lock, and the search for a strip to lease.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::job::Job;
use crate::job::{JobId, LEASE};
use crate::protocol::choice::{Chooser, DEFAULT_PRIORITY};
use crate::protocol::failures::Failures;
use crate::protocol::table::{Entry, EntryId, TakenEntry};
use crate::queue::{AcceptedBackends, Lease};

/// The queue in process. Clones are handles to the same queue, for the same worker.
#[derive(Clone)]
pub struct MemoryQueue {
    pub(super) shared: Arc<Shared>,
    pub(super) worker: Arc<str>,
}

/// What all handles share.
pub(super) struct Shared {
    pub(super) lease: Duration,
    /// The moment from which the tables count their time.
    pub(super) start: Instant,
    pub(super) state: Mutex<QueueState>,
    /// Something may be leased, or a job ended.
    pub(super) work: Notify,
    /// Something may be collected, or a job ended.
    pub(super) results: Notify,
    /// A job ended.
    pub(super) ended: Notify,
}

/// Jobs and workers.
pub(super) struct QueueState {
    pub(super) jobs: BTreeMap<JobId, Job>,
    pub(super) workers: BTreeSet<Arc<str>>,
    pub(super) quarantined: HashMap<Arc<str>, Instant>,
    /// What each worker leaves to others.
    pub(super) failures: HashMap<Arc<str>, Failures<EntryId>>,
    pub(super) chooser: Chooser,
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
                state: Mutex::new(QueueState {
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

    pub(super) fn state(&self) -> MutexGuard<'_, QueueState> {
        // Nothing panics while it holds the lock; and if it did, every entry would still be whole.
        (self.shared.state.lock()).unwrap_or_else(PoisonError::into_inner)
    }

    /// The time by the tables' clock.
    pub(super) fn now(&self) -> Duration {
        self.shared.start.elapsed()
    }

    /// Leases a strip if there is one; else the moment at which the next lease runs out.
    pub(super) fn try_lease(&self, accepts: AcceptedBackends) -> Result<Lease, Option<Instant>> {
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
                state.chooser.note_idle(&id);
                continue;
            }
            let passed = failures.map_or_else(Vec::new, |f| f.passed_over(&id, others, now));
            let taken = (job.table.claim(&self.worker, now, &passed))
                .or_else(|| job.table.lease(&self.worker, now));
            if job.table.letters(0).next().is_some() {
                self.shared.results.notify_waiters();
            }
            if let Some(taken) = taken
                && let Some((strip, issue)) = job.strip_of(taken.entry.slot)
            {
                state.chooser.note_served(&id);
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
            state.chooser.note_idle(&id);
        }
        Err(next_expiry)
    }

    /// Whether this worker is one of the job's workers, or becomes one.
    pub(super) fn joins(&self, job: &mut Job, now: Duration) -> bool {
        job.spec.max_workers.is_none_or(|most| {
            let until = now + 2 * self.shared.lease;
            job.table.join(&self.worker, most.into(), now, until)
        })
    }

    /// A change of what `lease` may still hold.
    pub(super) fn give_back(
        &self,
        lease: &Lease,
        change: impl FnOnce(&mut Job, &TakenEntry<Arc<str>>),
    ) {
        let mut state = self.state();
        if let Some(job) = state.jobs.get_mut(&lease.job.id)
            && let Some(taken) = taken_entry(lease)
        {
            change(job, &taken);
        }
        drop(state);
        self.shared.work.notify_waiters();
        self.shared.results.notify_waiters();
    }
}

/// The entry that a lease is about; `None` for a lease of no queue of ours.
pub(super) fn taken_entry(lease: &Lease) -> Option<TakenEntry<Arc<str>>> {
    Some(TakenEntry {
        id: lease.entry.parse().ok()?,
        attempt: lease.attempt,
        entry: Entry::plain(lease.slot()),
    })
}
