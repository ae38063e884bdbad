//! The queue in process as a worker sees it.

use std::sync::Arc;
use std::time::Duration;

use fractal::{ReferenceOrbit, StripBuffer};
use tokio::time::{Instant, timeout_at};

use super::job::Delivery;
use super::queue::{MemoryQueue, taken_entry};
use crate::job::{JobId, JobSpec};
use crate::protocol::table::CommitOutcome;
use crate::queue::{AcceptedBackends, DeliveryOutcome, Lease, LeaseState, QueueError, WorkerQueue};
use crate::status::{LeaveOrder, WorkerAbout, WorkerFigures};

impl WorkerQueue for MemoryQueue {
    async fn lease(
        &self,
        accepts: AcceptedBackends,
        wait: Duration,
    ) -> Result<Option<Lease>, QueueError> {
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
        let Some(taken) = taken_entry(lease) else {
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
    ) -> Result<DeliveryOutcome, QueueError> {
        let mut state = self.state();
        let Some(job) = state.jobs.get_mut(&lease.job.id) else {
            return Ok(DeliveryOutcome::JobGone);
        };
        let delivery = Delivery {
            buffer,
            worker: Arc::clone(&self.worker),
            attempt: lease.attempt,
        };
        job.table.store(lease.slot(), delivery);
        let id = taken_entry(lease).map_or(0, |taken| taken.id);
        let committed = job.table.commit(id, lease.slot());
        drop(state);
        match committed {
            CommitOutcome::First => {
                self.shared.results.notify_waiters();
                Ok(DeliveryOutcome::First)
            }
            CommitOutcome::Duplicate => Ok(DeliveryOutcome::Duplicate),
            CommitOutcome::JobGone => Ok(DeliveryOutcome::JobGone),
            CommitOutcome::NoBuffer => Err(QueueError::Server("the buffer vanished".to_owned())),
        }
    }

    async fn release(&self, lease: &Lease) -> Result<(), QueueError> {
        self.give_back(lease, |job, taken| {
            job.table.release(&self.worker, taken);
        });
        Ok(())
    }

    async fn fail(&self, lease: &Lease, reason: &str) -> Result<(), QueueError> {
        if let Some(taken) = taken_entry(lease) {
            let mut state = self.state();
            let failures = state.failures.entry(Arc::clone(&self.worker)).or_default();
            failures.note_failure(&lease.job.id, taken.id, self.now());
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

    async fn leave_order(&self) -> LeaveOrder {
        // Nobody can give one.
        std::future::pending().await
    }

    fn describe(&self, _: WorkerAbout) {}

    fn depth(&self) -> Option<u64> {
        // Whoever renders in process sees it in the bar.
        None
    }

    fn tell(&self, _: WorkerFigures) {}
}
