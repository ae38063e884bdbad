//! The queue in Redis as a submitter sees it.
//!
//! Each job is read on a connection of its own, because a read that waits holds up whatever comes after
//! it. What was fetched is kept until the caller has it: a call of `collect` that is dropped half-way loses
//! nothing.

pub(super) mod health;
mod reading;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use ::redis::{Cmd, Pipeline, cmd, from_redis_value};
use fractal::Strip;
use tokio::time::Instant;

use crate::job::{JobId, JobSpec};
use crate::orbit::SharedOrbit;
use crate::order::Order;
use crate::protocol::keys::{self, JobKeys};
use crate::protocol::signing::FarmKey;
use crate::protocol::{entry, window};
use crate::queue::{Collected, JobQueue, QueueError};
use crate::redis::connect::{CONTROL_TIMEOUT, ConnectOptions, Link, Server};
use crate::redis::{JOB_LIFETIME, millis, orbits, scripts};
use crate::status::{JobOrders, JobReport, UnderWay};
pub(super) use health::removal;
use reading::Job;
use watch::Watch;

/// How often the keys of a job are given new lifetimes: so many times within one, and at least so often.
const KEEPS: u32 = 4;
const KEEP_INTERVAL: Duration = Duration::from_secs(60);
/// Most strips that one script queues, and most keys that one command removes.
const CHUNK: usize = 512;

/// A submitter's end of the queue in Redis.
pub struct RedisJobQueue {
    control: Link,
    window_bytes: u64,
    watch: Watch,
    jobs: StdMutex<HashMap<JobId, Arc<Job>>>,
}

impl RedisJobQueue {
    /// Connects to the farm of `options` (an address, at least), after checking that the server is fit for it.
    ///
    /// # Errors
    /// What is wrong with the address or the server; nothing within about 3 seconds is an error, too.
    pub async fn connect(options: impl Into<ConnectOptions>) -> Result<Self, QueueError> {
        let server = Server::parse(&options.into())?;
        if let Some(worker) = server.farm_key().and_then(FarmKey::worker) {
            return Err(QueueError::Options(format!(
                "the farm key is that of the worker {worker:?} alone; a submitter needs the farm's own"
            )));
        }
        let control = Link::keeping_scripts(Arc::clone(&server));
        let memory = server.check(&control).await?;
        Ok(Self {
            control,
            window_bytes: window::redis_window_bytes(memory.limit),
            watch: Watch::new(&memory),
            jobs: StdMutex::default(),
        })
    }

    fn job(&self, id: &JobId) -> Option<Arc<Job>> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.get(id).cloned()
    }

    fn forget(&self, id: &JobId) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.remove(id);
    }

    fn known(&self, id: &JobId) -> Result<Arc<Job>, QueueError> {
        self.job(id).ok_or_else(|| QueueError::JobGone(id.clone()))
    }

    async fn say(&self, message: &str) -> Result<(), QueueError> {
        self.control.query(&said(message), CONTROL_TIMEOUT).await
    }

    /// Gives the keys of a job new lifetimes.
    async fn keep(&self, job: &Job) -> Result<(), QueueError> {
        let mut keep = Pipeline::new();
        let lifetime = job.lifetime();
        for key in job.keys.fixed() {
            keep.cmd("PEXPIRE").arg(key).arg(millis(lifetime));
        }
        keep_lists(&mut keep);
        let pieces =
            (job.spec.orbit.as_ref()).map_or(0, |key| orbits::keep(&mut keep, key, lifetime));
        let answers = self.control.pipeline(&keep, CONTROL_TIMEOUT).await?;
        // Others than this job's own keys may be thrown away by themselves, and workers that have theirs go on.
        let mut of_orbit = answers.into_iter().rev().take(pieces);
        let is_gone =
            of_orbit.any(|there| from_redis_value::<i64>(there).is_ok_and(|there| there == 0));
        if let (true, Some(orbit)) = (is_gone, job.orbit.get()) {
            tracing::warn!(job = %job.spec.id, "the queue had lost the reference orbit; it is there again");
            orbits::store(&self.control, &job.spec.id, orbit, false, lifetime).await?;
        }
        Ok(())
    }

    /// Takes the names of jobs of which nothing is left out of the lists.
    async fn prune(&self) -> Result<(), QueueError> {
        type KeyOf = fn(JobKeys) -> String;
        // A job without its spec cannot be worked on; one that has ended still has its state.
        let lists: [(&str, KeyOf); 2] = [
            (keys::JOBS, |keys| keys.spec),
            (keys::ALL_JOBS, |keys| keys.state),
        ];
        let mut ask = Pipeline::with_capacity(lists.len());
        for (list, _) in lists {
            ask.cmd("ZRANGE").arg(list).arg(0).arg(CHUNK - 1);
        }
        let listed = self.control.all(&ask, CONTROL_TIMEOUT).await?;
        for ((list, key_of), names) in lists.into_iter().zip(listed) {
            let names: Vec<String> = self.control.read(names)?;
            let mut ask = Pipeline::with_capacity(names.len());
            for name in &names {
                // What is no job's name has no keys, whatever lies there.
                let key = JobId::parse(name).map(|id| key_of(JobKeys::new(&id)));
                ask.cmd("EXISTS").arg(key.unwrap_or_default());
            }
            if names.is_empty() {
                continue;
            }
            let answers = self.control.pipeline(&ask, CONTROL_TIMEOUT).await?;
            let mut remove = cmd("ZREM");
            remove.arg(list);
            let mut gone = false;
            for (name, exists) in names.iter().zip(answers) {
                if from_redis_value::<i64>(exists).is_ok_and(|exists| exists == 0) {
                    remove.arg(name);
                    gone = true;
                }
            }
            if gone {
                self.control.query::<i64>(&remove, CONTROL_TIMEOUT).await?;
            }
        }
        Ok(())
    }
}

/// What says a message to all workers.
fn said(message: &str) -> Cmd {
    let mut say = cmd("PUBLISH");
    say.arg(keys::CONTROL).arg(message);
    say
}

/// Adds what gives the lists of jobs new lifetimes.
fn keep_lists(all: &mut Pipeline) {
    for list in [keys::JOBS, keys::ALL_JOBS] {
        all.cmd("PEXPIRE").arg(list).arg(millis(JOB_LIFETIME));
    }
}

impl JobQueue for RedisJobQueue {
    fn window_bytes(&self) -> u64 {
        self.window_bytes
    }

    async fn create(&self, job: Arc<JobSpec>) -> Result<(), QueueError> {
        let known = Job::new(Arc::clone(&job), self.control.server());
        tokio::try_join!(self.prune(), self.put_up(&known, false))?;
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
        all.add_command(said(keys::WAKE_WORK));
        for answer in self.control.all(&all, CONTROL_TIMEOUT).await? {
            if self.control.read::<i64>(answer)? < 0 {
                return Err(self.why_gone(&job).await);
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
            job.settle(&mut reading).await?;
            if !reading.ready.is_empty() {
                return Ok(std::mem::take(&mut reading.ready));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            job.read(&mut reading, left).await?;
            if reading.ready.is_empty() && Instant::now() >= deadline {
                // Nothing for a whole wait: because nothing is done, or because the job is gone?
                let mut ask = cmd("EXISTS");
                ask.arg(&job.keys.queue);
                if job.link.query::<i64>(&ask, CONTROL_TIMEOUT).await? == 0 {
                    return Err(self.why_gone(&job).await);
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
        if self.put_up(&job, true).await?.state == crate::JobState::Cancelled {
            return Err(QueueError::Cancelled(job.spec.id.clone()));
        }
        if let Some(orbit) = job.orbit.get() {
            // What is there may be why nothing comes: workers refuse what is not the orbit.
            orbits::store(&self.control, &job.spec.id, orbit, true, job.lifetime()).await?;
        }
        self.keep(&job).await?;
        // What was lost may have been thrown away: somebody may have set the server up anew.
        self.watch.look(&self.control).await;
        health::missing(&self.control, &job, awaited).await
    }

    async fn report(&self, job: &JobId, report: &JobReport) -> Result<JobOrders, QueueError> {
        let job = self.known(job)?;
        if self.watch.is_due() {
            self.watch.look(&self.control).await;
        }
        self.say_report(&job, report).await
    }

    async fn under_way(&self, job: &JobId) -> Result<UnderWay, QueueError> {
        let job = self.known(job)?;
        health::under_way(&self.control, &job.keys, job.spec.strips).await
    }

    async fn failures(&self, job: &JobId) -> Result<Vec<String>, QueueError> {
        self.known(job)?.failures().await
    }

    async fn quarantine(&self, worker: &str, reason: &str) -> Result<(), QueueError> {
        self.put_into_quarantine(worker, reason).await
    }

    async fn finish(&self, job: &JobId) -> Result<(), QueueError> {
        // The look is soon enough to be told of the whole job.
        tokio::join!(self.watch.look(&self.control), self.clear(job, None)).1
    }

    async fn fail(&self, job: &JobId, report: &JobReport) -> Result<(), QueueError> {
        self.clear(job, Some(report)).await
    }

    async fn workers(&self) -> Result<usize, QueueError> {
        self.control
            .script(&scripts::WORKERS.call(&[keys::WORKERS]))
            .await
    }
}
