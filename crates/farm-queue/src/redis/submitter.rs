//! The queue in Redis as a submitter sees it.
//!
//! Each job is read on a connection of its own, because a read that waits holds up whatever comes after
//! it. What was fetched is kept until the caller has it: a call of `collect` that is dropped half-way loses
//! nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use ::redis::{Pipeline, Value, cmd, from_redis_value};
use fractal::Strip;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::job::{JobId, JobSpec};
use crate::protocol::choice::DEFAULT_PRIORITY;
use crate::protocol::entry::Field;
use crate::protocol::keys::{self, JobKeys};
use crate::protocol::{blob, entry, spec, window};
use crate::queue::{Collected, JobQueue, QueueError};
use crate::redis::connect::{CONTROL_TIMEOUT, ConnectOptions, Link, Server, bulk_timeout};
use crate::redis::spares::Spares;
use crate::redis::{JOB_LIFETIME, millis, reply, scripts};

/// Most bytes of buffers that one round of fetching asks for.
const FETCH_BYTES: u64 = 16 << 20;
/// Most announcements that one round reads.
const MAX_FETCH: u64 = 64;
/// Most buffers whose memory is kept for the next ones, within [`FETCH_BYTES`], too.
const MAX_SPARES: u64 = 8;
/// Longest wait of one read on the server; a dropped call holds up the next one no longer than this.
const BLOCK_SLICE: Duration = Duration::from_secs(1);
/// How often the keys of a job are given new lifetimes.
const KEEP_INTERVAL: Duration = Duration::from_secs(60);
/// Most strips that one script queues, and most keys that one command removes.
const CHUNK: usize = 512;

/// A submitter's end of the queue in Redis.
pub struct RedisJobQueue {
    control: Link,
    window_bytes: u64,
    jobs: StdMutex<HashMap<JobId, Arc<Job>>>,
}

/// What a submitter keeps of a job that it created.
struct Job {
    spec: Arc<JobSpec>,
    keys: JobKeys,
    link: Link,
    reading: Mutex<Reading>,
}

struct Reading {
    /// The last announcement and the last dead letter that were read.
    done: String,
    dead: String,
    /// Fetched, not yet handed out.
    ready: Vec<Collected>,
    /// Fetched, not yet removed: strip and announcement.
    taken: Vec<(u32, String)>,
    /// Refused, not yet removed: strip and announcement.
    refused: Vec<(u32, String)>,
    /// Dead letters and malformed announcements, not yet removed.
    read_done: Vec<String>,
    read_dead: Vec<String>,
    kept: Instant,
    spares: Spares,
}

impl RedisJobQueue {
    /// Connects to the farm of `options` (an address, at least), after checking that the server is fit for it.
    ///
    /// # Errors
    /// What is wrong with the address or the server; nothing within about 3 seconds is an error, too.
    pub async fn connect(options: impl Into<ConnectOptions>) -> Result<Self, QueueError> {
        let server = Server::parse(&options.into())?;
        let control = Link::keeping_scripts(Arc::clone(&server));
        let maxmemory = server.check(&control).await?;
        Ok(Self {
            control,
            window_bytes: window::redis_window_bytes(maxmemory),
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
        let mut say = cmd("PUBLISH");
        say.arg(keys::CONTROL).arg(message);
        self.control.query(&say, CONTROL_TIMEOUT).await
    }

    /// Gives the keys of a job new lifetimes.
    async fn keep(&self, job: &Job) -> Result<(), QueueError> {
        let mut keep = Pipeline::new();
        for key in job.keys.fixed() {
            keep.cmd("PEXPIRE").arg(key).arg(millis(JOB_LIFETIME));
        }
        keep.cmd("PEXPIRE")
            .arg(keys::JOBS)
            .arg(millis(JOB_LIFETIME));
        self.control
            .pipeline(&keep, CONTROL_TIMEOUT)
            .await
            .map(drop)
    }

    /// Takes the names of jobs whose spec expired out of the list.
    async fn prune(&self) -> Result<(), QueueError> {
        let mut ask = cmd("ZRANGE");
        ask.arg(keys::JOBS).arg(0).arg(CHUNK - 1);
        let names: Vec<String> = self.control.query(&ask, CONTROL_TIMEOUT).await?;
        let mut ask = Pipeline::with_capacity(names.len());
        for name in &names {
            // What is no job's name has no spec, whatever lies there.
            let key = JobId::parse(name).map_or_else(String::new, |id| JobKeys::new(&id).spec);
            ask.cmd("EXISTS").arg(key);
        }
        if names.is_empty() {
            return Ok(());
        }
        let answers = self.control.pipeline(&ask, CONTROL_TIMEOUT).await?;
        let mut remove = cmd("ZREM");
        remove.arg(keys::JOBS);
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
        Ok(())
    }
}

/// Most announcements to read at once, so that their buffers stay within [`FETCH_BYTES`].
fn fetch_count(job: &JobSpec) -> u64 {
    (FETCH_BYTES / spec::largest_strip_bytes(job).max(1)).clamp(1, MAX_FETCH)
}

impl Job {
    /// Removes from the server what was fetched.
    async fn settle(&self, reading: &mut Reading) -> Result<(), QueueError> {
        let keys = &self.keys;
        if !reading.taken.is_empty() {
            let results: Vec<String> = (reading.taken.iter())
                .map(|(index, _)| keys.result(*index))
                .collect();
            let mut all = vec![keys.got.as_str(), keys.done.as_str()];
            all.extend(results.iter().map(String::as_str));
            let mut call = scripts::TAKE.call(&all).arg(millis(JOB_LIFETIME));
            for (index, announcement) in &reading.taken {
                call = call.arg(index).arg(announcement);
            }
            self.link.script::<i64>(&call).await?;
            reading.taken.clear();
        }
        while let Some((index, announcement)) = reading.refused.last() {
            let result = keys.result(*index);
            let call = (scripts::REJECT.call(&[&keys.bits, &keys.got, &keys.done, &result]))
                .arg(index)
                .arg(announcement);
            self.link.script::<i64>(&call).await?;
            reading.refused.pop();
        }
        for (stream, read) in [
            (&keys.done, &mut reading.read_done),
            (&keys.dead, &mut reading.read_dead),
        ] {
            if !read.is_empty() {
                let mut remove = cmd("XDEL");
                remove.arg(stream).arg(&*read);
                self.link.query::<i64>(&remove, CONTROL_TIMEOUT).await?;
                read.clear();
            }
        }
        Ok(())
    }

    /// Reads announcements and dead letters, waiting up to `wait`, and fetches what they announce.
    async fn read(&self, reading: &mut Reading, wait: Duration) -> Result<(), QueueError> {
        let mut ask = cmd("XREAD");
        ask.arg("COUNT").arg(fetch_count(&self.spec));
        let wait = wait.min(BLOCK_SLICE);
        if !wait.is_zero() {
            // 0 would mean for ever.
            ask.arg("BLOCK").arg(millis(wait).max(1));
        }
        ask.arg("STREAMS").arg(&self.keys.done).arg(&self.keys.dead);
        ask.arg(&reading.done).arg(&reading.dead);
        let answer = self.link.query(&ask, CONTROL_TIMEOUT + 2 * wait).await?;
        let mut announced = Vec::new();
        let mut dead = Vec::new();
        for (stream, entries) in reply::streams(answer) {
            if stream == self.keys.done {
                announced = entries;
            } else if stream == self.keys.dead {
                dead = entries;
            }
        }
        let done_until = announced.last().map(|(id, _)| id.clone());
        let (mut strips, mut malformed) = (Vec::new(), Vec::new());
        for (id, fields) in announced {
            match entry::strip(&fields, self.spec.strips) {
                Ok(strip) => strips.push((id, strip)),
                Err(error) => malformed.push((id, error)),
            }
        }
        // The last await: whatever is noted from here on is noted together.
        self.fetch(reading, strips).await?;
        if let Some(id) = done_until {
            reading.done = id;
        }
        for (id, error) in malformed {
            reading.read_done.push(id);
            reading.ready.push(Collected::Rejected {
                strip: None,
                reason: format!("an announcement: {error}"),
            });
        }
        for (id, fields) in dead {
            reading.ready.push(self.dead_letter(&fields));
            reading.dead.clone_from(&id);
            reading.read_dead.push(id);
        }
        Ok(())
    }

    fn dead_letter(&self, fields: &[Field]) -> Collected {
        match entry::strip(fields, self.spec.strips) {
            Ok(strip) => Collected::Dead {
                strip,
                reasons: entry::reasons(fields),
            },
            Err(error) => Collected::Rejected {
                strip: None,
                reason: format!("a dead letter: {error}"),
            },
        }
    }

    /// Fetches and checks announced buffers.
    async fn fetch(
        &self,
        reading: &mut Reading,
        strips: Vec<(String, Strip)>,
    ) -> Result<(), QueueError> {
        if strips.is_empty() {
            return Ok(());
        }
        let mut ask = Pipeline::with_capacity(strips.len());
        let mut most = 0;
        for (_, strip) in &strips {
            // One byte over the limit, so that an oversized buffer is seen to be one without being read.
            let limit = blob::MAX_HEADER_BYTES as u64 + spec::strip_bytes(&self.spec, strip.rows);
            let result = self.keys.result(strip.index);
            ask.cmd("GETRANGE").arg(result).arg(0).arg(limit);
            most += limit;
        }
        let answers = self.link.pipeline(&ask, bulk_timeout(most)).await?;
        for ((id, strip), answer) in strips.into_iter().zip(answers) {
            let read = answer
                .extract_error()
                .map_err(|error| error.to_string())
                .and_then(|value| match value {
                    Value::BulkString(bytes) if !bytes.is_empty() => {
                        let spare = reading.spares.take();
                        blob::decode_reusing(&bytes, &self.spec, strip, spare)
                            .map_err(|error| error.to_string())
                    }
                    _ => Err("an announced result is not there".to_owned()),
                });
            match read {
                Ok(decoded) => {
                    reading.taken.push((strip.index, id));
                    reading.ready.push(Collected::Strip {
                        buffer: reading.spares.lend(decoded.buffer),
                        worker: decoded.worker,
                        attempt: decoded.attempt,
                    });
                }
                Err(reason) => {
                    reading.refused.push((strip.index, id));
                    reading.ready.push(Collected::Rejected {
                        strip: Some(strip),
                        reason,
                    });
                }
            }
        }
        Ok(())
    }
}

impl JobQueue for RedisJobQueue {
    fn window_bytes(&self) -> u64 {
        self.window_bytes
    }

    async fn create(&self, job: Arc<JobSpec>) -> Result<(), QueueError> {
        let text = spec::encode(&job, self.control.server().farm_key())
            .map_err(|error| QueueError::Spec(error.to_string()))?;
        self.prune().await?;
        let keys = JobKeys::new(&job.id);
        let call = (scripts::CREATE.call(&[&keys.spec, &keys.queue]))
            .arg(text)
            .arg(millis(JOB_LIFETIME))
            .arg(keys::GROUP);
        self.control.script::<i64>(&call).await?;
        let mut list = cmd("ZADD");
        list.arg(keys::JOBS)
            .arg("NX")
            .arg(DEFAULT_PRIORITY)
            .arg(job.id.as_str());
        self.control.query::<i64>(&list, CONTROL_TIMEOUT).await?;
        let known = Job {
            link: Link::keeping_scripts(Arc::clone(self.control.server())),
            keys,
            reading: Mutex::new(Reading {
                done: "0-0".to_owned(),
                dead: "0-0".to_owned(),
                ready: Vec::new(),
                taken: Vec::new(),
                refused: Vec::new(),
                read_done: Vec::new(),
                read_dead: Vec::new(),
                kept: Instant::now(),
                spares: Spares::new(fetch_count(&job).min(MAX_SPARES) as usize),
            }),
            spec: job,
        };
        self.keep(&known).await?;
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.entry(known.spec.id.clone()).or_insert(Arc::new(known));
        Ok(())
    }

    async fn enqueue(&self, job: &JobId, strips: &[Strip]) -> Result<(), QueueError> {
        let keys = JobKeys::new(job);
        for chunk in strips.chunks(CHUNK) {
            let mut call = scripts::ENQUEUE
                .call(&[&keys.queue])
                .arg(entry::ENTRY_VERSION);
            for strip in chunk {
                call = call.arg(strip.index);
            }
            if self.control.script::<i64>(&call).await? < 0 {
                return Err(QueueError::JobGone(job.clone()));
            }
        }
        self.say(keys::WAKE_WORK).await
    }

    async fn collect(&self, job: &JobId, wait: Duration) -> Result<Vec<Collected>, QueueError> {
        let deadline = Instant::now() + wait;
        let id = job;
        let job = self.known(id)?;
        let mut reading = job.reading.lock().await;
        loop {
            if reading.kept.elapsed() > KEEP_INTERVAL {
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
                    return Err(QueueError::JobGone(id.clone()));
                }
                return Ok(Vec::new());
            }
        }
    }

    async fn finish(&self, job: &JobId) -> Result<(), QueueError> {
        let keys = JobKeys::new(job);
        let strips = match self.job(job) {
            Some(known) => known.spec.strips.count(),
            None => {
                let mut ask = cmd("GETRANGE");
                ask.arg(&keys.spec).arg(0).arg(spec::MAX_SPEC_BYTES);
                let text: Vec<u8> = self.control.query(&ask, CONTROL_TIMEOUT).await?;
                spec::decode(&text, None).map_or(0, |spec| spec.strips.count())
            }
        };
        let mut remove = Pipeline::new();
        remove.cmd("ZREM").arg(keys::JOBS).arg(job.as_str());
        // The stream is among these: from here on, whoever delivers removes what it stored.
        remove.cmd("UNLINK").arg(&keys.fixed());
        for first in (0..strips).step_by(CHUNK) {
            let last = strips.min(first + CHUNK as u32);
            let results: Vec<String> = (first..last).map(|index| keys.result(index)).collect();
            remove.cmd("UNLINK").arg(results);
        }
        for answer in self.control.pipeline(&remove, bulk_timeout(0)).await? {
            (answer.extract_error()).map_err(|error| self.control.server().error(&error))?;
        }
        self.forget(job);
        self.say(keys::WAKE_ENDED).await
    }

    async fn workers(&self) -> Result<usize, QueueError> {
        self.control
            .script(&scripts::WORKERS.call(&[keys::WORKERS]))
            .await
    }
}
