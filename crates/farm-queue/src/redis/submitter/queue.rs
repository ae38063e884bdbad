//! The calls of a submitter.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ::redis::{Pipeline, cmd};
use fractal::Strip;
use tokio::time::Instant;

use super::commands::{CHUNK, publish};
use super::connection::RedisJobQueue;
use super::job::{Job, Standing};
use super::strips;
use crate::job::{JobId, JobSpec};
use crate::orbit::SharedOrbit;
use crate::order::Order;
use crate::protocol::choice::{DEFAULT_PRIORITY, URGENT};
use crate::protocol::{entry, keys};
use crate::queue::{Collected, JobQueue, QueueError};
use crate::redis::connect::CONTROL_TIMEOUT;
use crate::redis::{orbits, scripts};
use crate::status::{JobOrders, JobReport, JobState, UnderWay};

/// How often the keys of a job are given new lifetimes: so many times within one, and at least so often.
const KEEPS: u32 = 4;
const KEEP_INTERVAL: Duration = Duration::from_secs(60);
impl JobQueue for RedisJobQueue {
    fn window_bytes(&self) -> u64 {
        self.window_bytes
    }

    async fn create(&self, job: Arc<JobSpec>) -> Result<(), QueueError> {
        let known = Job::new(Arc::clone(&job), self.control.server());
        known.set_standing(Standing {
            priority: self.priority,
            ..Standing::default()
        });
        tokio::try_join!(self.prune(), self.publish_job(&known, false))?;
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.entry(job.id.clone()).or_insert(Arc::new(known));
        Ok(())
    }

    async fn share_orbit(&self, id: &JobId, orbit: SharedOrbit) -> Result<(), QueueError> {
        let job = self.known(id)?;
        let orbit = job.orbit.get_or_init(|| orbit);
        orbits::store(&self.control, id, orbit, false, job.lifetime()).await
    }

    async fn outlive(&self, id: &JobId) -> Result<(), QueueError> {
        let job = self.known(id)?;
        if job.outlive() {
            self.keep(&job).await?;
        }
        Ok(())
    }

    async fn enqueue(&self, id: &JobId, orders: &[Order]) -> Result<(), QueueError> {
        let job = self.known(id)?;
        let keys = &job.keys;
        let mut all = Pipeline::new();
        for chunk in orders.chunks(CHUNK) {
            let mut call = (scripts::ENQUEUE.call(&[&keys.queue, &keys.bits, &keys.got]))
                .arg(entry::ENTRY_VERSION);
            for order in chunk {
                call = call
                    .arg(order.issue.slot(order.strip, job.spec.strips))
                    .arg(order.not.as_deref().unwrap_or_default())
                    .arg(if order.extra { "1" } else { "" });
            }
            all.add_command(call.command());
        }
        let is_urgent = job.standing().priority >= URGENT * DEFAULT_PRIORITY;
        all.add_command(publish(match is_urgent {
            true => keys::WAKE_URGENT,
            false => keys::WAKE_WORK,
        }));
        for answer in self.control.all(&all, CONTROL_TIMEOUT).await? {
            if self.control.read::<i64>(answer)? < 0 {
                return Err(self.reason_gone(&job).await);
            }
        }
        Ok(())
    }

    async fn collect(&self, job: &JobId, wait: Duration) -> Result<Vec<Collected>, QueueError> {
        let deadline = Instant::now() + wait;
        let id = job;
        let job = self.known(id)?;
        let mut reading = job.reading.lock().await;
        loop {
            if reading.kept.elapsed() > (job.lifetime() / KEEPS).min(KEEP_INTERVAL) {
                self.keep(&job).await?;
                reading.kept = Instant::now();
            }
            job.remove_fetched(&mut reading).await?;
            if !reading.ready.is_empty() {
                return Ok(std::mem::take(&mut reading.ready));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            job.read_new(&mut reading, left).await?;
            if reading.ready.is_empty() && Instant::now() >= deadline {
                // Nothing for a whole wait: because nothing is done, or because the job is gone?
                let mut ask = cmd("EXISTS");
                ask.arg(&job.keys.queue);
                if job.link.query::<i64>(&ask, CONTROL_TIMEOUT).await? == 0 {
                    return Err(self.reason_gone(&job).await);
                }
                return Ok(Vec::new());
            }
        }
    }

    async fn repair(&self, job: &JobId, awaited: &[Strip]) -> Result<Vec<Strip>, QueueError> {
        let job = self.known(job)?;
        // It reads, which a server that is no master any more lets it do for ever.
        job.link.renew().await;
        // One that was cancelled is not to come back.
        if self.publish_job(&job, true).await?.state == JobState::Cancelled {
            return Err(QueueError::Cancelled(job.spec.id.clone()));
        }
        if let Some(orbit) = job.orbit.get() {
            // What is there may be why nothing comes: workers refuse what is not the orbit.
            orbits::store(&self.control, &job.spec.id, orbit, true, job.lifetime()).await?;
        }
        self.keep(&job).await?;
        // What was lost may have been thrown away: somebody may have set the server up anew.
        self.watch.look(&self.control).await;
        strips::missing(&self.control, &job, awaited).await
    }

    async fn report(&self, job: &JobId, report: &JobReport) -> Result<JobOrders, QueueError> {
        let job = self.known(job)?;
        if self.watch.is_due() {
            self.watch.look(&self.control).await;
        }
        self.send_report(&job, report).await
    }

    async fn under_way(&self, job: &JobId) -> Result<UnderWay, QueueError> {
        let job = self.known(job)?;
        strips::under_way(&self.control, &job.keys, job.spec.strips).await
    }

    async fn failures(&self, job: &JobId) -> Result<Vec<String>, QueueError> {
        self.known(job)?.failures().await
    }

    async fn quarantine(&self, worker: &str, reason: &str) -> Result<(), QueueError> {
        self.put_into_quarantine(worker, reason).await
    }

    async fn finish(&self, job: &JobId) -> Result<(), QueueError> {
        // The look is soon enough to be told of the whole job.
        tokio::join!(self.watch.look(&self.control), self.remove_job(job, None)).1
    }

    async fn fail(&self, job: &JobId, report: &JobReport) -> Result<(), QueueError> {
        self.remove_job(job, Some(report)).await
    }

    async fn workers(&self) -> Result<usize, QueueError> {
        self.control
            .script(&scripts::WORKERS.call(&[keys::WORKERS]))
            .await
    }
}
