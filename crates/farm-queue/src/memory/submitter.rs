//! The queue in process as a submitter sees it.

use std::sync::Arc;
use std::time::Duration;

use fractal::Strip;
use tokio::time::{Instant, timeout_at};

use super::job::Job;
use super::queue::MemoryQueue;
use crate::job::{JobId, JobSpec};
use crate::orbit::SharedOrbit;
use crate::order::{Issue, Order};
use crate::protocol::table::{Entry, JobTable, Limits};
use crate::protocol::window::MEMORY_WINDOW_BYTES;
use crate::queue::{Collected, JobQueue, QueueError, SAMPLED_FAILURES};
use crate::status::{self, JobOrders, JobReport, UnderWay};

/// How long a worker stays in quarantine.
const QUARANTINE: Duration = Duration::from_secs(60);

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
            let Some((strip, issue)) = job.strip_of(entry.slot) else {
                continue;
            };
            match holder {
                Some((worker, attempt)) => way.leases.push(status::LeasedStrip {
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
