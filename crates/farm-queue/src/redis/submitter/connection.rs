//! A submitter's connection to the farm, and what it keeps there of its jobs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use ::redis::{Pipeline, cmd, from_redis_value};

use super::commands::{CHUNK, prolong_lists, publish};
use super::job::Job;
use super::watch::Watch;
use crate::job::JobId;
use crate::protocol::choice::DEFAULT_PRIORITY;
use crate::protocol::keys::{self, JobKeys};
use crate::protocol::signing::FarmKey;
use crate::protocol::window;
use crate::queue::QueueError;
use crate::redis::connect::{CONTROL_TIMEOUT, ConnectOptions, Link, Server, check_server};
use crate::redis::lifetimes::millis;
use crate::redis::orbits;

/// A submitter's end of the queue in Redis.
pub struct RedisJobQueue {
    pub(super) control: Link,
    pub(super) window_bytes: u64,
    pub(super) watch: Watch,
    pub(super) jobs: StdMutex<HashMap<JobId, Arc<Job>>>,
    /// Of jobs that it creates.
    pub(super) priority: f64,
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
        let memory = check_server(&control).await?;
        Ok(Self {
            control,
            window_bytes: window::redis_window_bytes(memory.limit),
            watch: Watch::new(&memory),
            jobs: StdMutex::default(),
            priority: DEFAULT_PRIORITY,
        })
    }

    /// The same for jobs of another weight: one of 3 gets three times the strips of one of 1.
    #[must_use]
    pub fn of_priority(self, priority: f64) -> Self {
        Self { priority, ..self }
    }

    pub(super) fn job(&self, id: &JobId) -> Option<Arc<Job>> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.get(id).cloned()
    }

    pub(super) fn forget(&self, id: &JobId) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.remove(id);
    }

    pub(super) fn known(&self, id: &JobId) -> Result<Arc<Job>, QueueError> {
        self.job(id).ok_or_else(|| QueueError::JobGone(id.clone()))
    }

    pub(super) async fn publish(&self, message: &str) -> Result<(), QueueError> {
        self.control.query(&publish(message), CONTROL_TIMEOUT).await
    }

    /// Gives the keys of a job new lifetimes.
    pub(super) async fn keep(&self, job: &Job) -> Result<(), QueueError> {
        let mut keep = Pipeline::new();
        let lifetime = job.lifetime();
        for key in job.keys.fixed() {
            keep.cmd("PEXPIRE").arg(key).arg(millis(lifetime));
        }
        prolong_lists(&mut keep);
        let pieces = (job.spec.orbit.as_ref())
            .map_or(0, |key| orbits::prolong_orbit(&mut keep, key, lifetime));
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
    pub(super) async fn prune(&self) -> Result<(), QueueError> {
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
