//! The farm as an operator sees it: its jobs, its workers, and what can be wanted of them.
//!
//! Everything here is for any machine that reaches the server; neither the submitter of a job nor its workers have to
//! be asked. What decides a job's fate is in its `state` hash, which its submitter reads about once a second, and in
//! the list of jobs that workers are offered.

use std::collections::BTreeMap;
use std::time::Duration;

use ::redis::{FromRedisValue, Pipeline, Value, cmd, from_redis_value};
use serde::Serialize;

use crate::job::{JobId, JobSpec};
use crate::protocol::keys::{self, JobKeys};
use crate::protocol::{lines, spec};
use crate::queue::QueueError;
use crate::redis::connect::{CONTROL_TIMEOUT, ConnectOptions, Link, Server, bulk_timeout};
use crate::redis::lifetimes::{ENDED_LIFETIME, millis};
use crate::redis::submitter::{add_removal, under_way};
use crate::redis::{orbits, scripts};
use crate::status::{JobReport, JobState, LeaveOrder, Quarantine, WorkerRecord};

/// How long a submitter may be silent before it counts as gone.
pub const SUBMITTER_SILENCE: Duration = Duration::from_secs(10);
/// Most jobs and workers that are listed.
const MAX_LISTED: usize = 4096;
/// How long an order to a worker waits for it.
const ORDER_LIFETIME: Duration = Duration::from_secs(3600);

/// An operator's end of the farm in Redis.
pub struct RedisControl {
    link: Link,
}

/// A job in a few words.
#[derive(Clone, Debug, Serialize)]
pub struct JobSummary {
    /// Its name.
    pub job: JobId,
    /// Whether it goes on.
    pub state: JobState,
    /// Its weight when workers choose among jobs.
    pub priority: f64,
    /// Seconds since it was submitted, by the server's clock.
    pub age_secs: f64,
    /// Seconds since its submitter's last sign of life.
    pub silent_secs: f64,
    /// How its submitter says it stands.
    pub report: JobReport,
}

impl JobSummary {
    /// Whether somebody collects its strips.
    #[must_use]
    pub fn has_submitter(&self) -> bool {
        self.silent_secs < SUBMITTER_SILENCE.as_secs_f64()
    }
}

/// All there is to know of a job.
#[derive(Clone, Debug, Serialize)]
pub struct JobDetails {
    /// In a few words.
    #[serde(flatten)]
    pub summary: JobSummary,
    /// What is computed and how it is cut; `None` when the job has ended.
    pub spec: Option<JobSpec>,
    /// Strips that no worker has.
    pub waiting: u64,
    /// Strips under way: by worker, the strips' indices; audits count too.
    pub under_way: BTreeMap<String, Vec<u32>>,
}

/// A worker process.
#[derive(Clone, Debug, Serialize)]
pub struct WorkerSummary {
    /// The process's own name: `NAME.PID.RANDOM`.
    pub process: String,
    /// What it says of itself.
    #[serde(flatten)]
    pub record: WorkerRecord,
    /// Whether it was asked to leave.
    pub draining: bool,
    /// Seconds that it is kept from strips for, and why; `None` when it is not.
    pub quarantine: Option<WorkerQuarantine>,
}

/// A worker's quarantine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkerQuarantine {
    /// Seconds left of it.
    pub secs_left: f64,
    /// How often it was in quarantine lately, this time included.
    pub strikes: u32,
    /// One line.
    pub reason: String,
}

/// What became of an operator's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderOutcome {
    /// It is so now.
    Done,
    /// There is no such job (any more).
    NoSuchJob,
    /// The job has ended, or nobody collects it: the wish makes no sense for it.
    Ended(JobState),
}

impl RedisControl {
    /// Connects to a farm.
    ///
    /// # Errors
    /// What is wrong with the address or the server.
    pub async fn connect(options: impl Into<ConnectOptions>) -> Result<Self, QueueError> {
        let server = Server::parse(&options.into())?;
        let link = Link::keeping_scripts(server);
        link.query::<Value>(&cmd("PING"), CONTROL_TIMEOUT).await?;
        Ok(Self { link })
    }

    async fn now_ms(&self) -> Result<u64, QueueError> {
        let (secs, micros): (u64, u64) = self.link.query(&cmd("TIME"), CONTROL_TIMEOUT).await?;
        Ok(secs * 1000 + micros / 1000)
    }

    /// All jobs, the most urgent first and of those the oldest.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn jobs(&self) -> Result<Vec<JobSummary>, QueueError> {
        let mut ask = cmd("ZREVRANGE");
        ask.arg(keys::ALL_JOBS).arg(0).arg(MAX_LISTED - 1);
        let names: Vec<String> = self.link.query(&ask, CONTROL_TIMEOUT).await?;
        let ids: Vec<JobId> = names.iter().filter_map(|name| JobId::parse(name)).collect();
        let mut jobs = self.summaries(&ids).await?;
        jobs.sort_by(|a, b| (b.priority.total_cmp(&a.priority)).then_with(|| a.job.cmp(&b.job)));
        Ok(jobs)
    }

    async fn summaries(&self, ids: &[JobId]) -> Result<Vec<JobSummary>, QueueError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.now_ms().await?;
        let mut ask = Pipeline::with_capacity(ids.len());
        for id in ids {
            ask.cmd("HMGET").arg(JobKeys::new(id).state);
            ask.arg(&["state", "priority", "created", "beat", "report"]);
        }
        let answers = self.link.pipeline(&ask, bulk_timeout(0)).await?;
        let summary = |(id, answer): (&JobId, Value)| {
            let mut fields = texts(answer).into_iter();
            let mut next = || fields.next().flatten();
            let state = JobState::parse(&next()?)?;
            let priority = next().and_then(|text| text.parse().ok()).unwrap_or(1.0);
            let mut secs_since = || {
                let then = next().and_then(|text| text.parse().ok()).unwrap_or(now);
                now.saturating_sub(then) as f64 / 1000.0
            };
            let (age_secs, silent_secs) = (secs_since(), secs_since());
            let report = next().and_then(|text| serde_json::from_str(&text).ok());
            Some(JobSummary {
                job: id.clone(),
                state,
                priority,
                age_secs,
                silent_secs,
                report: report.unwrap_or_default(),
            })
        };
        Ok(ids.iter().zip(answers).filter_map(summary).collect())
    }

    /// All about one job; `None` when the farm does not know it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn job(&self, id: &JobId) -> Result<Option<JobDetails>, QueueError> {
        let Some(summary) = self.summaries(std::slice::from_ref(id)).await?.pop() else {
            return Ok(None);
        };
        let keys = JobKeys::new(id);
        let mut ask = cmd("GETRANGE");
        ask.arg(&keys.spec).arg(0).arg(spec::MAX_SPEC_BYTES);
        let text: Vec<u8> = self.link.query(&ask, CONTROL_TIMEOUT).await?;
        let mut details = JobDetails {
            summary,
            spec: spec::decode(&text, None).ok(),
            waiting: 0,
            under_way: BTreeMap::new(),
        };
        if let Some(spec) = &details.spec {
            let way = under_way(&self.link, &keys, spec.strips).await?;
            details.waiting = way.waiting;
            for lease in way.leases {
                let strips = details.under_way.entry(lease.worker).or_default();
                strips.push(lease.strip.index);
            }
        }
        Ok(Some(details))
    }

    /// The job of that name, or the only one whose name begins or ends so.
    ///
    /// # Errors
    /// When the server does not answer. The inner error is one line for the user.
    pub async fn find(&self, name: &str) -> Result<Result<JobId, String>, QueueError> {
        if let Some(id) = JobId::parse(name) {
            return Ok(Ok(id));
        }
        let name = name.to_ascii_uppercase();
        let jobs = self.jobs().await?.into_iter().map(|job| job.job);
        let mut fitting = jobs.filter(|job| {
            !name.is_empty() && (job.as_str().starts_with(&name) || job.as_str().ends_with(&name))
        });
        Ok(match (fitting.next(), fitting.next()) {
            (Some(id), None) => Ok(id),
            (Some(_), Some(_)) => Err(format!(
                "'{name}' fits several jobs; see: submitter jobs list"
            )),
            (None, _) => Err(format!(
                "no job '{name}' on the farm; see: submitter jobs list"
            )),
        })
    }

    /// Changes the state hash of a job: what it is now, and how long its submitter has been silent.
    async fn order(
        &self,
        id: &JobId,
        what: &str,
        value: &str,
    ) -> Result<Option<(JobState, Duration)>, QueueError> {
        let keys = JobKeys::new(id);
        let call = (scripts::ORDER.call(&[&keys.state])).arg(what).arg(value);
        let answer: Option<(String, i64)> = self.link.script(&call).await?;
        Ok(answer.and_then(|(state, silent)| {
            let silent = Duration::from_millis(u64::try_from(silent).unwrap_or(0));
            Some((JobState::parse(&state)?, silent))
        }))
    }

    /// Sends commands together and says so to everybody.
    async fn send_and_publish(
        &self,
        commands: &mut Pipeline,
        message: &str,
    ) -> Result<(), QueueError> {
        commands.cmd("PUBLISH").arg(keys::CONTROL).arg(message);
        self.link.all(commands, bulk_timeout(0)).await?;
        Ok(())
    }

    /// Keeps workers from taking more strips of a job; those that they have are finished.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn pause(&self, id: &JobId) -> Result<OrderOutcome, QueueError> {
        match self.order(id, "state", JobState::Paused.name()).await? {
            None => Ok(OrderOutcome::NoSuchJob),
            Some((JobState::Paused, _)) => {
                let mut hide = Pipeline::new();
                hide.cmd("ZREM").arg(keys::JOBS).arg(id.as_str());
                self.send_and_publish(&mut hide, keys::WAKE_ORDERS).await?;
                Ok(OrderOutcome::Done)
            }
            Some((state, _)) => Ok(OrderOutcome::Ended(state)),
        }
    }

    /// Offers a paused job to workers again.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn resume(&self, id: &JobId) -> Result<OrderOutcome, QueueError> {
        match self.order(id, "state", JobState::Running.name()).await? {
            None => Ok(OrderOutcome::NoSuchJob),
            Some((JobState::Running, _)) => {
                let mut ask = cmd("HGET");
                ask.arg(JobKeys::new(id).state).arg("priority");
                let priority: Option<f64> = self.link.query(&ask, CONTROL_TIMEOUT).await?;
                let mut show = Pipeline::new();
                show.cmd("ZADD").arg(keys::JOBS);
                show.arg(priority.unwrap_or(1.0)).arg(id.as_str());
                self.send_and_publish(&mut show, keys::WAKE_WORK).await?;
                Ok(OrderOutcome::Done)
            }
            Some((state, _)) => Ok(OrderOutcome::Ended(state)),
        }
    }

    /// Ends a job: workers stop computing its strips, its submitter ends. Where that is gone, nothing of the job
    /// stays on the farm.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn cancel(&self, id: &JobId) -> Result<OrderOutcome, QueueError> {
        let Some((_, silent)) = self.order(id, "", "").await? else {
            return Ok(OrderOutcome::NoSuchJob);
        };
        let keys = JobKeys::new(id);
        let mut ask = cmd("GETRANGE");
        ask.arg(&keys.spec).arg(0).arg(spec::MAX_SPEC_BYTES);
        let text: Vec<u8> = self.link.query(&ask, CONTROL_TIMEOUT).await?;
        let (strips, orbit) =
            spec::decode(&text, None).map_or((0, None), |spec| (spec.strips.count(), spec.orbit));
        // From here on the stream is gone: whoever beats or delivers hears that the job is, too.
        let call = (scripts::END.call(&[&keys.state, &keys.queue]))
            .arg(JobState::Cancelled.name())
            .arg(millis(ENDED_LIFETIME))
            .arg("");
        let mut remove = Pipeline::new();
        remove.add_command(call.command());
        let nobody = silent > SUBMITTER_SILENCE;
        remove.cmd("ZREM").arg(keys::JOBS).arg(id.as_str());
        if nobody {
            remove.cmd("ZREM").arg(keys::ALL_JOBS).arg(id.as_str());
        }
        add_removal(&mut remove, &keys, strips, !nobody);
        if let Some(key) = orbit {
            remove.add_command(orbits::leave(id, &key));
        }
        self.send_and_publish(&mut remove, keys::WAKE_ENDED).await?;
        Ok(OrderOutcome::Done)
    }

    /// Asks a job's submitter to queue its dead strips again.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn retry(&self, id: &JobId) -> Result<OrderOutcome, QueueError> {
        match self.order(id, "", "").await? {
            None => Ok(OrderOutcome::NoSuchJob),
            Some((state, silent))
                if silent > SUBMITTER_SILENCE
                    || matches!(state, JobState::Failed | JobState::Cancelled) =>
            {
                Ok(OrderOutcome::Ended(state))
            }
            Some(_) => {
                self.order(id, "retries", "").await?;
                Ok(OrderOutcome::Done)
            }
        }
    }

    /// Gives a job another weight in the workers' choice.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn prioritise(&self, id: &JobId, priority: f64) -> Result<OrderOutcome, QueueError> {
        match self.order(id, "priority", &priority.to_string()).await? {
            None => Ok(OrderOutcome::NoSuchJob),
            Some((state @ (JobState::Failed | JobState::Cancelled), _)) => {
                Ok(OrderOutcome::Ended(state))
            }
            Some(_) => {
                let mut both = Pipeline::new();
                for list in [keys::JOBS, keys::ALL_JOBS] {
                    both.cmd("ZADD").arg(list).arg("XX");
                    both.arg(priority).arg(id.as_str());
                }
                self.send_and_publish(&mut both, keys::WAKE_ORDERS).await?;
                Ok(OrderOutcome::Done)
            }
        }
    }

    /// All workers that are alive, by name.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn workers(&self) -> Result<Vec<WorkerSummary>, QueueError> {
        let now = self.now_ms().await?;
        let mut ask = cmd("ZRANGEBYSCORE");
        ask.arg(keys::WORKERS).arg(now).arg("+inf");
        ask.arg("LIMIT").arg(0).arg(MAX_LISTED);
        let processes: Vec<String> = self.link.query(&ask, CONTROL_TIMEOUT).await?;
        if processes.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = Pipeline::with_capacity(processes.len() + 2);
        let worker_keys: Vec<String> = processes.iter().map(|name| keys::worker(name)).collect();
        ask.cmd("MGET").arg(worker_keys);
        ask.cmd("HMGET").arg(keys::ORDERS).arg(&processes);
        ask.cmd("HGETALL").arg(keys::QUARANTINE);
        let mut answers = self.link.pipeline(&ask, bulk_timeout(0)).await?.into_iter();
        let mut next = || answers.next().unwrap_or(Value::Nil);
        let (records, orders) = (texts(next()), texts(next()));
        let confined: BTreeMap<String, String> = read(next());
        let mut workers: Vec<_> = (processes.into_iter().zip(records).zip(orders))
            .map(|((process, record), order)| {
                let mut record: WorkerRecord = record
                    .and_then(|text| serde_json::from_str(&text).ok())
                    .unwrap_or_default();
                // What it is called decides its quarantine, whatever it says.
                lines::worker_of(&process).clone_into(&mut record.name);
                let quarantine = (confined.get(&record.name))
                    .and_then(|text| Quarantine::parse(text))
                    .filter(|quarantine| quarantine.until_ms > now)
                    .map(|quarantine| WorkerQuarantine {
                        secs_left: (quarantine.until_ms - now) as f64 / 1000.0,
                        strikes: quarantine.strikes,
                        reason: quarantine.reason,
                    });
                WorkerSummary {
                    process,
                    record,
                    draining: order.as_deref().and_then(LeaveOrder::parse).is_some(),
                    quarantine,
                }
            })
            .collect();
        workers.sort_by(|a, b| (&a.record.name, &a.process).cmp(&(&b.record.name, &b.process)));
        Ok(workers)
    }

    /// Asks the workers of that name, or the process of that name, to finish or give back what they have and
    /// leave: their processes.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn drain(&self, worker: &str) -> Result<Vec<String>, QueueError> {
        self.order_away(worker, LeaveOrder::Drain).await
    }

    /// Asks the workers of that name, or the process of that name, to leave as `how` says: their processes.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn order_away(
        &self,
        worker: &str,
        how: LeaveOrder,
    ) -> Result<Vec<String>, QueueError> {
        let of_name =
            |found: &WorkerSummary| found.process == worker || found.record.name == worker;
        let processes: Vec<String> = (self.workers().await?.into_iter())
            .filter(of_name)
            .map(|found| found.process)
            .collect();
        if !processes.is_empty() {
            let mut order = Pipeline::new();
            for process in &processes {
                order
                    .cmd("HSET")
                    .arg(keys::ORDERS)
                    .arg(process)
                    .arg(how.name());
            }
            order
                .cmd("PEXPIRE")
                .arg(keys::ORDERS)
                .arg(millis(ORDER_LIFETIME));
            self.send_and_publish(&mut order, keys::WAKE_ORDERS).await?;
        }
        Ok(processes)
    }

    /// Lets a worker out of quarantine and forgets its record; returns whether there was one.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn forgive(&self, worker: &str) -> Result<bool, QueueError> {
        let mut forget = cmd("HDEL");
        forget.arg(keys::QUARANTINE).arg(lines::worker_name(worker));
        let known: i64 = self.link.query(&forget, CONTROL_TIMEOUT).await?;
        self.send_and_publish(&mut Pipeline::new(), keys::WAKE_ORDERS)
            .await?;
        Ok(known > 0)
    }
}

/// A list of texts, some of which may be missing.
fn texts(value: Value) -> Vec<Option<String>> {
    read(value)
}

/// An answer of the type that it should have, or an empty one.
fn read<T: FromRedisValue + Default>(value: Value) -> T {
    from_redis_value(value).unwrap_or_default()
}
