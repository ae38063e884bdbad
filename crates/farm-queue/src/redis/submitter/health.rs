//! Whether a job is whole in the server, and what becomes of it: putting it up, repairing, reporting, ending.

use std::collections::HashSet;
use std::time::Duration;

use ::redis::{Pipeline, Value, cmd, from_redis_value};
use fractal::{Strip, StripPlan};

use crate::job::JobId;
use crate::order::Issue;
use crate::protocol::choice::DEFAULT_PRIORITY;
use crate::protocol::keys::{self, JobKeys};
use crate::protocol::{entry, lines, spec};
use crate::queue::QueueError;
use crate::redis::connect::{CONTROL_TIMEOUT, Link, bulk_timeout};
use crate::redis::submitter::reading::Job;
use crate::redis::submitter::{CHUNK, RedisJobQueue, keep_lists, said};
use crate::redis::{ENDED_LIFETIME, millis, orbits, reply, scripts};
use crate::status::{JobOrders, JobReport, JobState, Leased, UnderWay};

/// Entries that one look at a stream reads.
const PAGE: usize = 4096;
/// Most pages of a stream that are looked at: more entries than any window has.
const MAX_PAGES: usize = 256;
/// Most strips under way that are looked at one by one.
const MAX_LEASES: usize = 256;
/// How long a worker stays in quarantine: the first time, at most, and after how long that is forgotten.
const QUARANTINE: [Duration; 3] = [
    Duration::from_secs(60),
    Duration::from_secs(3600),
    Duration::from_secs(24 * 3600),
];

/// What the server says of a job's state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) state: JobState,
    pub(super) priority: f64,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            state: JobState::Running,
            priority: DEFAULT_PRIORITY,
        }
    }
}

impl RedisJobQueue {
    /// Makes the job known to the server, or what the server lost of it; one that has ended stays so if `repair`.
    pub(super) async fn put_up(&self, job: &Job, repair: bool) -> Result<Standing, QueueError> {
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
        list(&mut all, job, listed, last);
        keep_lists(&mut all);
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
        job.note(standing);
        if !repair && standing != last {
            // It was there before, and an operator has changed it since.
            self.unlist(job, listed).await?;
        }
        let listed = lists_of(standing.state);
        if (repair || standing != last) && !listed.is_empty() {
            let mut all = Pipeline::new();
            list(&mut all, job, listed, standing);
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
    pub(super) async fn why_gone(&self, job: &Job) -> QueueError {
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

    pub(super) async fn say_report(
        &self,
        job: &Job,
        report: &JobReport,
    ) -> Result<JobOrders, QueueError> {
        let gone = || QueueError::JobGone(job.spec.id.clone());
        let call = (scripts::REPORT.call(&[&job.keys.state, &job.keys.queue])).arg(text_of(report));
        let answer: Option<(String, u64, f64)> = self.control.script(&call).await?;
        let (state, retries, priority) = answer.ok_or_else(gone)?;
        let state = JobState::parse(&state).ok_or_else(gone)?;
        job.note(Standing { state, priority });
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
        self.say(keys::WAKE_ORDERS).await
    }

    /// Removes a job; of one that failed, the state with its last report stays for a while.
    pub(super) async fn clear(
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
        removal(&mut all, &keys, strips, failed.is_some());
        if let Some(key) = orbit {
            all.add_command(orbits::leave(id, &key));
        }
        all.add_command(said(keys::WAKE_ENDED));
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
fn list(all: &mut Pipeline, job: &Job, lists: &[&str], standing: Standing) {
    for list in lists {
        let add = all.cmd("ZADD").arg(list).arg("NX");
        add.arg(standing.priority).arg(job.spec.id.as_str());
    }
}

/// Adds what removes a job of `strips` strips; its state stays if `keep_state`.
pub(in crate::redis) fn removal(
    remove: &mut Pipeline,
    keys: &JobKeys,
    strips: u32,
    keep_state: bool,
) {
    // The stream is among these: from here on, whoever delivers removes what it stored.
    let fixed = keys.fixed();
    let removed = fixed.len() - usize::from(keep_state);
    remove.cmd("UNLINK").arg(&fixed[..removed]);
    // Results of audits, too.
    let slots = strips.saturating_mul(2);
    for first in (0..slots).step_by(CHUNK) {
        let last = slots.min(first + CHUNK as u32);
        let results: Vec<String> = (first..last).map(|slot| keys.result(slot)).collect();
        remove.cmd("UNLINK").arg(results);
    }
}

/// A report as it is stored.
fn text_of(report: &JobReport) -> Vec<u8> {
    // Plain data with text keys: it can always be written.
    serde_json::to_vec(report).unwrap_or_default()
}

/// Every entry of a stream, page by page.
async fn entries(link: &Link, stream: &str) -> Result<Vec<reply::Entry>, QueueError> {
    let mut all: Vec<reply::Entry> = Vec::new();
    for _ in 0..MAX_PAGES {
        let from = all
            .last()
            .map_or("-".to_owned(), |(id, _)| format!("({id}"));
        let mut ask = cmd("XRANGE");
        ask.arg(stream).arg(from).arg("+").arg("COUNT").arg(PAGE);
        let page = reply::entries(link.query::<Value>(&ask, bulk_timeout(0)).await?);
        let last = page.len() < PAGE;
        all.extend(page);
        if last {
            break;
        }
    }
    Ok(all)
}

/// Which of the `awaited` strips the server does not hold any more. A strip that moves on while this looks may be
/// named although it is there; queued once more, it does no harm.
pub(super) async fn missing(
    link: &Link,
    job: &Job,
    awaited: &[Strip],
) -> Result<Vec<Strip>, QueueError> {
    let mut held = HashSet::new();
    // In the order in which a strip goes through them.
    for stream in [&job.keys.queue, &job.keys.done, &job.keys.dead] {
        for (_, fields) in entries(link, stream).await? {
            if let Ok((strip, Issue::Render)) = entry::strip(&fields, job.spec.strips) {
                held.insert(strip.index);
            }
        }
    }
    let missing = awaited.iter().filter(|strip| !held.contains(&strip.index));
    Ok(missing.copied().collect())
}

/// Which strips of a job wait, and who has the others.
pub(in crate::redis) async fn under_way(
    link: &Link,
    keys: &JobKeys,
    plan: StripPlan,
) -> Result<UnderWay, QueueError> {
    let queue = &keys.queue;
    let mut ask = Pipeline::with_capacity(2);
    ask.cmd("XLEN").arg(queue);
    ask.cmd("XPENDING")
        .arg(queue)
        .arg(keys::GROUP)
        .arg("-")
        .arg("+")
        .arg(MAX_LEASES);
    let mut answers = link.pipeline(&ask, CONTROL_TIMEOUT).await?.into_iter();
    let mut next = || {
        let answer = answers.next().unwrap_or(Value::Nil);
        (answer.extract_error()).map_err(|error| link.server().error(&error))
    };
    let total: u64 = link.read(next()?)?;
    // A stream without its group has nothing under way.
    let pending: Vec<(String, String, u64, u32)> = next()
        .ok()
        .and_then(|value| from_redis_value(value).ok())
        .unwrap_or_default();
    let leased: Vec<_> = (pending.into_iter())
        .filter(|(_, owner, ..)| owner != keys::RELEASED && owner != keys::FAILED)
        .collect();
    let mut way = UnderWay {
        waiting: total.saturating_sub(leased.len() as u64),
        leases: Vec::with_capacity(leased.len()),
    };
    // Few enough to be looked at one by one: audits that nobody may do do not count as waiting.
    if total > 2 * MAX_LEASES as u64 {
        return Ok(way);
    }
    let orders: Vec<_> = (entries(link, queue).await?.into_iter())
        .filter_map(|(id, fields)| Some((id, entry::order(&fields, plan).ok()?)))
        .collect();
    way.waiting = 0;
    for (id, order) in orders {
        match leased.iter().find(|(entry, ..)| *entry == id) {
            Some((entry, owner, _, deliveries)) => way.leases.push(Leased {
                strip: order.strip,
                issue: order.issue,
                worker: lines::worker_of(owner).to_owned(),
                attempt: *deliveries,
                entry: entry.clone(),
            }),
            None => way.waiting += u64::from(order.issue == Issue::Render),
        }
    }
    Ok(way)
}
