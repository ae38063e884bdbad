//! Which strips of a job the server holds: waiting, under way, delivered or dead.

use std::collections::HashSet;

use ::redis::{Pipeline, Value, cmd, from_redis_value};
use fractal::{Strip, StripPlan};

use super::job::Job;
use crate::order::Issue;
use crate::protocol::keys::{self, JobKeys};
use crate::protocol::{entry, lines};
use crate::queue::QueueError;
use crate::redis::connect::{CONTROL_TIMEOUT, Link, bulk_timeout};
use crate::redis::reply;
use crate::status::{LeasedStrip, UnderWay};

/// Entries that one look at a stream reads.
const PAGE: usize = 4096;
/// Most pages of a stream that are looked at: more entries than any window has.
const MAX_PAGES: usize = 256;
/// Most strips under way that are looked at one by one.
const MAX_LEASES: usize = 256;
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
            Some((entry, owner, _, deliveries)) => way.leases.push(LeasedStrip {
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
