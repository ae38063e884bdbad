//! Reference orbits in Redis: by their content, once for all jobs that use them.
//!
//! An orbit lies in pieces under its digest, beside the set of jobs that use it. The last of them that ends removes
//! it; what is left by submitters that died expires.

use std::time::Duration;

use ::redis::{Cmd, Pipeline, Value, cmd, from_redis_value};

use crate::job::JobId;
use crate::orbit::{ORBIT_CHUNK, OrbitKey, SharedOrbit};
use crate::protocol::keys;
use crate::queue::QueueError;
use crate::redis::connect::{CONTROL_TIMEOUT, Link, bulk_timeout};
use crate::redis::lifetimes::millis;
use crate::redis::scripts;

/// Makes an orbit known to workers, for `job`: what the server has not got of it yet, or `all` of it, where what
/// is there may be something else.
pub(super) async fn store(
    link: &Link,
    job: &JobId,
    shared: &SharedOrbit,
    all: bool,
    lifetime: Duration,
) -> Result<(), QueueError> {
    let names = keys::orbit(&shared.key);
    let mut ask = Pipeline::new();
    // Before the look: whoever ends meanwhile must see that somebody uses it.
    ask.cmd("SADD").arg(&names[0]).arg(job.as_str());
    prolong(&mut ask, &names, lifetime);
    let answers = link.pipeline(&ask, CONTROL_TIMEOUT).await?;
    for (answer, name) in answers.iter().take(1).zip(&names) {
        if let Value::ServerError(_) = answer {
            return Err(QueueError::Server(format!("{name} is no set")));
        }
    }
    // The last answers say what is there: first of all the set.
    let first_piece = answers.len().saturating_sub(names.len()) + 1;
    let there = answers
        .into_iter()
        .skip(first_piece)
        .map(|answer| from_redis_value::<i64>(answer).is_ok_and(|there| there == 1));
    let pieces = shared.encoded().chunks(ORBIT_CHUNK as usize);
    for ((name, piece), there) in names.iter().skip(1).zip(pieces).zip(there) {
        if there && !all {
            continue;
        }
        let mut set = cmd("SET");
        set.arg(name).arg(piece).arg("PX").arg(millis(lifetime));
        let timeout = bulk_timeout(piece.len() as u64);
        link.query::<Value>(&set, timeout).await?;
    }
    Ok(())
}

/// Adds what gives an orbit a new lifetime, and says how many answers at the end tell of its keys: 0 for what is not
/// there.
pub(super) fn prolong_orbit(keep: &mut Pipeline, key: &OrbitKey, lifetime: Duration) -> usize {
    let names = keys::orbit(key);
    prolong(keep, &names, lifetime);
    names.len()
}

/// Gives keys at least this lifetime, and asks which are there, in this order: another job may have given them a longer
/// one.
fn prolong(pipeline: &mut Pipeline, names: &[String], lifetime: Duration) {
    for name in names {
        for condition in ["NX", "GT"] {
            let expire = pipeline.cmd("PEXPIRE").arg(name);
            expire.arg(millis(lifetime)).arg(condition);
        }
    }
    for name in names {
        pipeline.cmd("EXISTS").arg(name);
    }
}

/// What says that `job` needs an orbit no more; it is removed if no other job does.
pub(super) fn leave(job: &JobId, key: &OrbitKey) -> Cmd {
    let names = keys::orbit(key);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    scripts::ORPHAN.call(&names).arg(job.as_str()).command()
}

/// The bytes of an orbit; `None` where a piece is not there. `piece` is called after each.
pub(super) async fn fetch(
    link: &Link,
    key: &OrbitKey,
    piece: &(dyn Fn() + Sync),
) -> Result<Option<Vec<u8>>, QueueError> {
    let mut bytes = Vec::new();
    for (name, chunk) in keys::orbit(key).iter().skip(1).zip(0u64..) {
        let mut ask = cmd("GETRANGE");
        // One byte over, so that a longer one is seen to be another.
        ask.arg(name).arg(0).arg(ORBIT_CHUNK);
        let part: Vec<u8> = link.query(&ask, bulk_timeout(ORBIT_CHUNK)).await?;
        let expected = (key.bytes() - chunk * ORBIT_CHUNK).min(ORBIT_CHUNK);
        if part.len() as u64 != expected {
            return Ok(None);
        }
        if bytes.is_empty() {
            bytes.reserve_exact(usize::try_from(key.bytes()).unwrap_or(0));
        }
        bytes.extend_from_slice(&part);
        piece();
    }
    Ok(Some(bytes))
}
