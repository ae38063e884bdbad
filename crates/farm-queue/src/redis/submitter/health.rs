//! A job's way through the server: it is put up, repaired, reported on and ended.

use std::time::Duration;

use ::redis::{Pipeline, Value, cmd, from_redis_value};

use super::commands::{add_removal, prolong_lists, publish};
use super::connection::RedisJobQueue;
use super::job::{Job, Standing};
use crate::job::JobId;
use crate::protocol::keys::{self, JobKeys};
use crate::protocol::{lines, spec};
use crate::queue::QueueError;
use crate::redis::connect::{CONTROL_TIMEOUT, bulk_timeout};
use crate::redis::lifetimes::{ENDED_LIFETIME, millis};
use crate::redis::{orbits, scripts};
use crate::status::{JobOrders, JobReport, JobState};

/// How long a worker stays in quarantine: the first time, at most, and after how long that is forgotten.
const QUARANTINE: [Duration; 3] = [
    Duration::from_secs(60),
    Duration::from_secs(3600),
    Duration::from_secs(24 * 3600),
];

impl RedisJobQueue {
    /// Makes the job known to the server, or what the server lost of it; one that has ended stays so if `repair`.
    pub(super) async fn publish_job(
        &self,
        job: &Job,
        repair: bool,
    ) -> Result<Standing, QueueError> {
        let text = spec::encode(&job.spec, self.control.server().farm_key())
            .map_err(|error| QueueError::Spec(error.to_string()))?;
        // What it was when the server last knew.
        let last = job.standing();
        let call = (scripts::CREATE.call(&[&job.keys.spec, &job.keys.queue, &job.keys.state]))
            .arg(&text)
            .arg(millis(job.lifetime()))
            .arg(keys::GROUP)
            .arg(last.priority)
            .arg(last.state.name())
            .arg(if repair { "1" } else { "" });
        let mut all = Pipeline::new();
        all.add_command(call.command());
        // What lies under its name now.
        let spec = all.cmd("GETRANGE").arg(&job.keys.spec);
        spec.arg(0).arg(spec::MAX_SPEC_BYTES);
        let listed: &'static [&'static str] = if repair { &[] } else { lists_of(last.state) };
        add_to_lists(&mut all, job, listed, last);
        prolong_lists(&mut all);
        let mut answers = (self.control.all(&all, CONTROL_TIMEOUT).await?).into_iter();
        let mut next = || answers.next().unwrap_or(Value::Nil);
        let (state, priority): (String, f64) = self.control.read(next())?;
        let lying: Vec<u8> = self.control.read(next())?;
        if let Err(error) = self.check_spec(job, &text, &lying) {
            // Listed just now, and another's: workers are not to be offered it.
            let mut added = listed.to_vec();
            added.retain(|_| from_redis_value::<i64>(next()).is_ok_and(|added| added == 1));
            self.unlist(job, &added).await?;
            return Err(error);
        }
        let standing = Standing {
            state: JobState::parse(&state).unwrap_or_default(),
            priority,
        };
        job.set_standing(standing);
        if !repair && standing != last {
            // It was there before, and an operator has changed it since.
            self.unlist(job, listed).await?;
        }
        let listed = lists_of(standing.state);
        if (repair || standing != last) && !listed.is_empty() {
            let mut all = Pipeline::new();
            add_to_lists(&mut all, job, listed, standing);
            self.control.all(&all, CONTROL_TIMEOUT).await?;
        }
        Ok(standing)
    }

    /// Takes a job out of lists.
    async fn unlist(&self, job: &Job, lists: &[&str]) -> Result<(), QueueError> {
        let mut all = Pipeline::new();
        for list in lists {
            all.cmd("ZREM").arg(list).arg(job.spec.id.as_str());
        }
        if all.is_empty() {
            return Ok(());
        }
        self.control.all(&all, CONTROL_TIMEOUT).await.map(drop)
    }

    /// Whether what lies under the job's name is this job, and signed by this farm: `text`, or the same in other bytes.
    fn check_spec(&self, job: &Job, text: &[u8], lying: &[u8]) -> Result<(), QueueError> {
        // Of a job that has ended nothing lies there.
        if lying.is_empty() || lying == text {
            return Ok(());
        }
        match spec::decode(lying, self.control.server().farm_key()) {
            Ok(read) if read == *job.spec => Ok(()),
            Ok(_) => Err(QueueError::Spec(
                "another one has its name already".to_owned(),
            )),
            Err(error) => Err(QueueError::Spec(format!("under its name lies a {error}"))),
        }
    }

    /// Why a job's stream is not there.
    pub(super) async fn reason_gone(&self, job: &Job) -> QueueError {
        let mut ask = cmd("HGET");
        ask.arg(&job.keys.state).arg("state");
        let id = job.spec.id.clone();
        match self
            .control
            .query::<Option<String>>(&ask, CONTROL_TIMEOUT)
            .await
        {
            Ok(Some(state)) if state == JobState::Cancelled.name() => QueueError::Cancelled(id),
            Ok(_) => QueueError::JobGone(id),
            Err(error) => error,
        }
    }

    pub(super) async fn send_report(
        &self,
        job: &Job,
        report: &JobReport,
    ) -> Result<JobOrders, QueueError> {
        let gone = || QueueError::JobGone(job.spec.id.clone());
        let call = (scripts::REPORT.call(&[&job.keys.state, &job.keys.queue])).arg(text_of(report));
        let answer: Option<(String, u64, f64)> = self.control.script(&call).await?;
        let (state, retries, priority) = answer.ok_or_else(gone)?;
        let state = JobState::parse(&state).ok_or_else(gone)?;
        job.set_standing(Standing { state, priority });
        Ok(JobOrders { state, retries })
    }

    pub(super) async fn put_into_quarantine(
        &self,
        worker: &str,
        reason: &str,
    ) -> Result<(), QueueError> {
        let mut call = (scripts::QUARANTINE.call(&[keys::QUARANTINE]))
            .arg(lines::worker_name(worker))
            .arg(lines::reason_line(reason));
        for time in QUARANTINE {
            call = call.arg(millis(time));
        }
        self.control.script::<u64>(&call).await?;
        self.publish(keys::WAKE_ORDERS).await
    }

    /// Removes a job; of one that failed, the state with its last report stays for a while.
    pub(super) async fn remove_job(
        &self,
        id: &JobId,
        failed: Option<&JobReport>,
    ) -> Result<(), QueueError> {
        let keys = JobKeys::new(id);
        let (strips, orbit) = match self.job(id) {
            Some(known) => (known.spec.strips.count(), known.spec.orbit.clone()),
            None => {
                let mut ask = cmd("GETRANGE");
                ask.arg(&keys.spec).arg(0).arg(spec::MAX_SPEC_BYTES);
                let text: Vec<u8> = self.control.query(&ask, CONTROL_TIMEOUT).await?;
                spec::decode(&text, None)
                    .map_or((0, None), |spec| (spec.strips.count(), spec.orbit))
            }
        };
        let mut all = Pipeline::new();
        let mut listed = vec![keys::JOBS];
        if let Some(report) = failed {
            // From here on the stream is gone, and whoever delivers removes what it stored.
            let call = (scripts::END.call(&[&keys.state, &keys.queue]))
                .arg(JobState::Failed.name())
                .arg(millis(ENDED_LIFETIME))
                .arg(text_of(report));
            all.add_command(call.command());
        } else {
            listed.push(keys::ALL_JOBS);
        }
        for list in listed {
            all.cmd("ZREM").arg(list).arg(id.as_str());
        }
        add_removal(&mut all, &keys, strips, failed.is_some());
        if let Some(key) = orbit {
            all.add_command(orbits::leave(id, &key));
        }
        all.add_command(publish(keys::WAKE_ENDED));
        self.control.all(&all, bulk_timeout(0)).await?;
        self.forget(id);
        Ok(())
    }
}

/// The lists that a job is in which stands so.
fn lists_of(state: JobState) -> &'static [&'static str] {
    match state {
        JobState::Running => &[keys::JOBS, keys::ALL_JOBS],
        JobState::Paused => &[keys::ALL_JOBS],
        JobState::Cancelled | JobState::Failed => &[],
    }
}

/// Adds what puts a job into lists, a command each, where it is not there yet.
fn add_to_lists(all: &mut Pipeline, job: &Job, lists: &[&str], standing: Standing) {
    for list in lists {
        let add = all.cmd("ZADD").arg(list).arg("NX");
        add.arg(standing.priority).arg(job.spec.id.as_str());
    }
}

/// A report as it is stored.
fn text_of(report: &JobReport) -> Vec<u8> {
    // Plain data with text keys: it can always be written.
    serde_json::to_vec(report).unwrap_or_default()
}
