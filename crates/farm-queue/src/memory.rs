//! The queue in process: what a render uses without `--redis`.
//!
//! It keeps the same promises as the queue in Redis, by the same protocol functions, and answers to the
//! same conformance suite; buffers pass through it by reference. All state lies behind one lock that is
//! held for microseconds and never across an await, so every call is cancel-safe.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fractal::{Strip, StripBuffer, StripPlan};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::job::{JobId, JobSpec, LEASE};
use crate::order::{Issue, Order};
use crate::protocol::attempts::{self, Blame, Next};
use crate::protocol::choice::{Chooser, DEFAULT_PRIORITY};
use crate::protocol::window::MEMORY_WINDOW_BYTES;
use crate::queue::{
    Accepts, Collected, Delivered, JobQueue, Lease, LeaseState, QueueError, WorkerQueue,
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
    chooser: Chooser,
    next_entry: u64,
}

struct Job {
    spec: Arc<JobSpec>,
    /// To do, in the order in which it is handed out.
    queue: VecDeque<Entry>,
    /// Under way, by entry.
    leased: HashMap<u64, Leased>,
    /// Strips with a committed buffer.
    committed: BTreeSet<u32>,
    /// To be collected.
    ready: VecDeque<Collected>,
    /// Workers of a job with a cap on them, and until when they count.
    crew: HashMap<Arc<str>, Instant>,
}

struct Entry {
    id: u64,
    order: Order,
    deliveries: u32,
    reasons: Vec<String>,
}

impl Entry {
    fn slot(&self, plan: StripPlan) -> u32 {
        self.order.issue.slot(self.order.strip, plan)
    }
}

struct Leased {
    entry: Entry,
    owner: Arc<str>,
    until: Instant,
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
                state: Mutex::new(State {
                    jobs: BTreeMap::new(),
                    workers: BTreeSet::new(),
                    quarantined: HashMap::new(),
                    chooser: Chooser::new(RandomState::new().hash_one(0)),
                    next_entry: 1,
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

    /// Leases a strip if there is one; else the moment at which the next lease runs out.
    fn try_lease(&self, accepts: Accepts) -> Result<Lease, Option<Instant>> {
        let mut state = self.state();
        let state = &mut *state;
        state.workers.insert(Arc::clone(&self.worker));
        let now = Instant::now();
        if let Some(until) = state
            .quarantined
            .get(&self.worker)
            .filter(|until| **until > now)
        {
            return Err(Some(*until));
        }
        let mut offered = Vec::new();
        let mut next_expiry = None;
        for (id, job) in &mut state.jobs {
            if job.expire(now) {
                self.shared.results.notify_waiters();
            }
            if !accepts.admits(job.spec.backend) || !job.has_place_for(&self.worker, now) {
                continue;
            }
            if job.next_for(&self.worker).is_some() {
                offered.push((id.clone(), DEFAULT_PRIORITY));
            }
            let earliest = job.leased.values().map(|leased| leased.until).min();
            next_expiry = next_expiry.into_iter().chain(earliest).min();
        }
        let Some(id) = state.chooser.order(offered).into_iter().next() else {
            return Err(next_expiry);
        };
        let Some((job, mut entry)) = state.jobs.get_mut(&id).and_then(|job| {
            let at = job.next_for(&self.worker)?;
            let entry = job.queue.remove(at)?;
            Some((job, entry))
        }) else {
            return Err(next_expiry);
        };
        state.chooser.served(&id);
        (job.crew).insert(Arc::clone(&self.worker), now + 2 * self.shared.lease);
        entry.deliveries += 1;
        let lease = Lease {
            job: Arc::clone(&job.spec),
            strip: entry.order.strip,
            issue: entry.order.issue,
            attempt: entry.deliveries,
            entry: entry.id.to_string(),
        };
        let leased = Leased {
            entry,
            owner: Arc::clone(&self.worker),
            until: now + self.shared.lease,
        };
        job.leased.insert(leased.entry.id, leased);
        Ok(lease)
    }

    /// Takes back a strip that `lease` still holds.
    fn give_back(&self, lease: &Lease, change: impl FnOnce(&mut Job, Entry)) {
        let mut state = self.state();
        if let Some(job) = state.jobs.get_mut(&lease.job.id)
            && let Some(entry) = job.take(lease)
        {
            change(job, entry);
        }
        drop(state);
        self.shared.work.notify_waiters();
        self.shared.results.notify_waiters();
    }
}

impl Job {
    /// Puts what nobody keeps alive back into the queue, ahead of the rest; whether something died of it.
    fn expire(&mut self, now: Instant) -> bool {
        let mut ran_out: Vec<u64> = (self.leased.iter())
            .filter(|(_, leased)| leased.until <= now)
            .map(|(id, _)| *id)
            .collect();
        ran_out.sort_unstable_by(|a, b| b.cmp(a));
        let found = !ran_out.is_empty();
        for id in ran_out {
            if let Some(Leased {
                mut entry, owner, ..
            }) = self.leased.remove(&id)
            {
                attempts::remember(&mut entry.reasons, &attempts::expired_reason(&owner));
                self.requeue(entry);
            }
        }
        found
    }

    /// Queues a strip once more, or puts it to the dead letters.
    fn requeue(&mut self, entry: Entry) {
        if self.committed.contains(&entry.slot(self.spec.strips)) {
            return;
        }
        match attempts::after(entry.deliveries) {
            Next::Deliver(_) => self.queue.push_front(entry),
            Next::Dead => self.ready.push_back(Collected::Dead {
                strip: entry.order.strip,
                issue: entry.order.issue,
                reasons: entry.reasons,
            }),
        }
    }

    /// The first entry in the queue that `worker` may have.
    fn next_for(&self, worker: &str) -> Option<usize> {
        (self.queue.iter()).position(|entry| entry.order.not.as_deref() != Some(worker))
    }

    /// Whether `worker` is one of the job's workers, or may become one.
    fn has_place_for(&mut self, worker: &Arc<str>, now: Instant) -> bool {
        let Some(most) = self.spec.max_workers else {
            return true;
        };
        self.crew.retain(|_, until| *until > now);
        self.crew.contains_key(worker) || self.crew.len() < usize::from(most)
    }

    /// The lease's place, if it is still the one that was given out.
    fn held(&mut self, lease: &Lease) -> Option<&mut Leased> {
        let id = lease.entry.parse().ok()?;
        (self.leased.get_mut(&id)).filter(|leased| leased.entry.deliveries == lease.attempt)
    }

    fn take(&mut self, lease: &Lease) -> Option<Entry> {
        let id = self.held(lease)?.entry.id;
        self.leased.remove(&id).map(|leased| leased.entry)
    }

    /// Forgets an entry whose strip is done, whoever holds it now; why it failed before.
    fn acknowledge(&mut self, entry: &str) -> Vec<String> {
        let Ok(id) = entry.parse::<u64>() else {
            return Vec::new();
        };
        let queued = (self.queue.iter()).position(|queued| queued.id == id);
        (self.leased.remove(&id).map(|leased| leased.entry))
            .or_else(|| queued.and_then(|at| self.queue.remove(at)))
            .map_or_else(Vec::new, |entry| entry.reasons)
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
        let committed = job.committed.contains(&lease.slot());
        Ok(match job.held(lease) {
            Some(_) if committed => {
                job.acknowledge(&lease.entry);
                LeaseState::Lost
            }
            Some(leased) => {
                let now = Instant::now();
                leased.until = now + self.shared.lease;
                (job.crew).insert(Arc::clone(&self.worker), now + 2 * self.shared.lease);
                LeaseState::Held
            }
            None => LeaseState::Lost,
        })
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
        let reasons = job.acknowledge(&lease.entry);
        if job.committed.contains(&lease.slot()) {
            return Ok(Delivered::Duplicate);
        }
        if buffer.fits(&job.spec.frame, lease.strip) {
            job.committed.insert(lease.slot());
            job.ready.push_back(Collected::Strip {
                buffer,
                worker: self.worker.to_string(),
                attempt: lease.attempt,
                issue: lease.issue,
                blamed: reasons
                    .iter()
                    .filter_map(|reason| match attempts::blame(reason)? {
                        Blame::Worker(name) | Blame::Silent(name) => Some(name.to_owned()),
                    })
                    .collect(),
            });
        } else {
            job.ready.push_back(Collected::Rejected {
                strip: Some(lease.strip),
                reason: format!("{}: a buffer that does not fit its strip", self.worker),
            });
        }
        drop(state);
        self.shared.results.notify_waiters();
        Ok(Delivered::First)
    }

    async fn release(&self, lease: &Lease) -> Result<(), QueueError> {
        self.give_back(lease, |job, mut entry| {
            entry.deliveries -= 1;
            job.queue.push_front(entry);
        });
        Ok(())
    }

    async fn fail(&self, lease: &Lease, reason: &str) -> Result<(), QueueError> {
        self.give_back(lease, |job, mut entry| {
            attempts::remember(&mut entry.reasons, &format!("{}: {reason}", self.worker));
            job.requeue(entry);
        });
        Ok(())
    }

    async fn leave(&self) -> Result<(), QueueError> {
        let mut state = self.state();
        for job in state.jobs.values_mut() {
            job.crew.remove(&self.worker);
        }
        let holds = |job: &Job| job.leased.values().any(|l| l.owner == self.worker);
        if !state.jobs.values().any(holds) {
            state.workers.remove(&self.worker);
        }
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

    fn tell(&self, _: WorkerFigures) {}
}

impl JobQueue for MemoryQueue {
    fn window_bytes(&self) -> u64 {
        MEMORY_WINDOW_BYTES
    }

    async fn create(&self, job: Arc<JobSpec>) -> Result<(), QueueError> {
        crate::protocol::spec::check(&job).map_err(|error| QueueError::Spec(error.to_string()))?;
        self.state().jobs.entry(job.id.clone()).or_insert(Job {
            spec: job,
            queue: VecDeque::new(),
            leased: HashMap::new(),
            committed: BTreeSet::new(),
            ready: VecDeque::new(),
            crew: HashMap::new(),
        });
        Ok(())
    }

    async fn enqueue(&self, job: &JobId, orders: &[Order]) -> Result<(), QueueError> {
        let mut state = self.state();
        let state = &mut *state;
        let queued = (state.jobs.get_mut(job)).ok_or_else(|| QueueError::JobGone(job.clone()))?;
        for order in orders {
            let entry = Entry {
                id: state.next_entry,
                order: order.clone(),
                deliveries: 0,
                reasons: Vec::new(),
            };
            if !order.extra {
                queued.committed.remove(&entry.slot(queued.spec.strips));
            }
            queued.queue.push_back(entry);
            state.next_entry += 1;
        }
        self.shared.work.notify_waiters();
        Ok(())
    }

    async fn collect(&self, job: &JobId, wait: Duration) -> Result<Vec<Collected>, QueueError> {
        let deadline = Instant::now() + wait;
        loop {
            let changed = self.shared.results.notified();
            let next_expiry = {
                let mut state = self.state();
                let job =
                    (state.jobs.get_mut(job)).ok_or_else(|| QueueError::JobGone(job.clone()))?;
                // Without workers nobody else would find out that a strip is dead.
                if job.expire(Instant::now()) {
                    self.shared.work.notify_waiters();
                }
                if !job.ready.is_empty() {
                    return Ok(job.ready.drain(..).collect());
                }
                job.leased.values().map(|leased| leased.until).min()
            };
            if Instant::now() >= deadline {
                return Ok(Vec::new());
            }
            let until = next_expiry.map_or(deadline, |expiry| expiry.min(deadline));
            let _ = timeout_at(until, changed).await;
        }
    }

    async fn repair(&self, job: &JobId, _: &[Strip]) -> Result<Vec<Strip>, QueueError> {
        // Memory loses nothing but whole jobs.
        let state = self.state();
        let known = state.jobs.contains_key(job);
        known
            .then(Vec::new)
            .ok_or_else(|| QueueError::JobGone(job.clone()))
    }

    async fn report(&self, job: &JobId, _: &JobReport) -> Result<JobOrders, QueueError> {
        // Nobody else could read it, nor want anything.
        self.repair(job, &[]).await.map(|_| JobOrders::default())
    }

    async fn under_way(&self, job: &JobId) -> Result<UnderWay, QueueError> {
        let state = self.state();
        let job = (state.jobs.get(job)).ok_or_else(|| QueueError::JobGone(job.clone()))?;
        let render = |entry: &&Entry| entry.order.issue == Issue::Render;
        let lease = |leased: &Leased| status::Leased {
            strip: leased.entry.order.strip,
            issue: leased.entry.order.issue,
            worker: leased.owner.to_string(),
            attempt: leased.entry.deliveries,
            entry: leased.entry.id.to_string(),
        };
        Ok(UnderWay {
            waiting: job.queue.iter().filter(render).count() as u64,
            leases: job.leased.values().map(lease).collect(),
        })
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
