//! What a worker's calls and its tasks share: links, and what it knows and holds.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::Instant;

use crate::job::{JobId, JobSpec};
use crate::protocol::choice::Chooser;
use crate::protocol::failures::Failures;
use crate::protocol::keys::{self, JobKeys};
use crate::queue::{Lease, QueueError};
use crate::redis::connect::Link;
use crate::redis::lifetimes::millis;
use crate::redis::scripts;
use crate::redis::wake::HintCounts;
use crate::status::{LeaveOrder, WorkerAbout, WorkerFigures};

/// Idle time that makes an entry look given up, so that anybody may take it over at once.
pub(super) const GIVEN_BACK_IDLE: Duration = Duration::from_secs(24 * 3600);
/// Waits between looks while there is nothing to lease: the shortest, just after there was something, and the longest.
const POLL_WAITS: (Duration, Duration) = (Duration::from_millis(30), Duration::from_secs(1));
/// Share of the time since the last lease that one wait lasts, as a divisor.
const WAIT_SHARE: u32 = 2;

/// Most jobs that a worker is offered at a time.
pub(super) const MAX_LISTED: usize = 1024;
/// What a worker's calls and its tasks share.
pub(super) struct Inner {
    pub(super) name: String,
    pub(super) consumer: String,
    pub(super) lease: Duration,
    /// The moment from which failures count their time.
    pub(super) start: Instant,
    /// Small commands: leases and heartbeats never queue behind an upload.
    pub(super) control: Link,
    /// Buffers.
    pub(super) bulk: Link,
    pub(super) heard: Arc<watch::Sender<HintCounts>>,
    pub(super) state: Mutex<WorkerState>,
    pub(super) leave_order: watch::Sender<Option<LeaveOrder>>,
    /// A task of this queue that has ended.
    pub(super) broken: watch::Sender<Option<&'static str>>,
    pub(super) malformed: AtomicU64,
    pub(super) left: AtomicBool,
    /// Held while a sign of life is given.
    pub(super) signs: AsyncMutex<()>,
}

/// What a worker knows of the farm, and what it holds.
pub(super) struct WorkerState {
    pub(super) chooser: Chooser,
    pub(super) jobs: HashMap<JobId, KnownJob>,
    /// Entries that this worker knows it was assigned: leases, and those on their way to a lane.
    pub(super) held: HashSet<(JobId, String)>,
    /// Entries that this worker leaves to others.
    pub(super) failures: Failures<String>,
    /// Jobs of which an answer that may have assigned a strip got lost.
    pub(super) lost_answers: HashSet<JobId>,
    pub(super) last_lease: Option<Instant>,
    /// When the list of jobs was last asked for.
    pub(super) listed: Option<Instant>,
    /// The jobs that were on it.
    pub(super) offered: HashSet<JobId>,
    /// Builds of jobs that this worker cannot serve, each told once.
    pub(super) foreign_builds: HashSet<u64>,
    pub(super) about: WorkerAbout,
    pub(super) figures: WorkerFigures,
    pub(super) quarantined_until: Option<Instant>,
    pub(super) depth: Option<u64>,
    /// Claim hints that were acted on.
    pub(super) claims_seen: u64,
    /// Urgent hints that were acted on.
    pub(super) urgent_seen: u64,
}

/// What is known of a job.
pub(super) enum KnownJob {
    Good {
        spec: Arc<JobSpec>,
        keys: Arc<JobKeys>,
        next_scan: Instant,
    },
    /// Not to be looked at for a while.
    Skip {
        until: Instant,
        /// Why, as it was said; `None` where nothing was.
        refused: Option<String>,
    },
}

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, WorkerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long to wait before the next look, unless a hint comes first.
    pub(super) fn poll_wait(&self) -> Duration {
        let (soon, later) = POLL_WAITS;
        let longest = later.min(self.lease / 4);
        // Longer and longer: many workers that wait would keep the server from those that work. What hints tell
        // of is looked at without waiting.
        let last_lease = self.state().last_lease;
        last_lease.map_or(longest, |at| {
            (at.elapsed() / WAIT_SHARE).clamp(soon.min(longest), longest)
        })
    }

    pub(super) fn no_longer_holds(&self, lease: &Lease) {
        self.state()
            .held
            .remove(&(lease.job.id.clone(), lease.entry.clone()));
    }

    pub(super) async fn release(&self, lease: &Lease) -> Result<(), QueueError> {
        let keys = JobKeys::new(&lease.job.id);
        self.give_back(&keys, &lease.entry, lease.attempt).await?;
        self.given_back(lease);
        Ok(())
    }

    /// Gives an entry back uncounted.
    pub(super) async fn give_back(
        &self,
        job: &JobKeys,
        entry: &str,
        attempt: u32,
    ) -> Result<(), QueueError> {
        let call = (scripts::RELEASE.call(&[&job.queue]))
            .arg(keys::GROUP)
            .arg(&self.consumer)
            .arg(entry)
            .arg(attempt)
            .arg(keys::RELEASED)
            .arg(millis(GIVEN_BACK_IDLE))
            .arg(keys::CONTROL)
            .arg(keys::WAKE_CLAIM);
        self.control.script::<i64>(&call).await.map(drop)
    }

    /// This worker looks at once, too, even if it does not hear its own hint.
    pub(super) fn given_back(&self, lease: &Lease) {
        self.no_longer_holds(lease);
        if let Some(KnownJob::Good { next_scan, .. }) = self.state().jobs.get_mut(&lease.job.id) {
            *next_scan = Instant::now();
        }
    }
}
