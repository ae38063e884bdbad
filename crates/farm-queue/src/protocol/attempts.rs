//! How often a strip may be delivered, and what is remembered of its failures.
//!
//! Both queues ask the same question here, so that a strip which kills its workers is put aside after
//! the same number of deliveries whichever queue is behind it.

use crate::job::{JobId, MAX_DELIVERIES};
use crate::protocol::signing::{FarmKey, hex};

/// Most bytes that are kept of one reason.
pub const MAX_REASON_BYTES: usize = 240;
/// Most reasons that are kept of one strip: one per delivery, and one of the queue itself.
pub const MAX_REASONS: usize = MAX_DELIVERIES as usize + 1;

/// What becomes of a strip that was delivered before and has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is delivered again, as this attempt.
    Deliver(u32),
    /// It is put to the dead letters.
    Dead,
}

/// What follows `deliveries` counted deliveries without a result.
#[must_use]
pub fn after(deliveries: u32) -> Next {
    if deliveries >= MAX_DELIVERIES {
        Next::Dead
    } else {
        Next::Deliver(deliveries + 1)
    }
}

/// A reason as it is kept: one line of bounded length, without control characters.
#[must_use]
pub fn reason_line(reason: &str) -> String {
    let mut line = String::new();
    for c in reason.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if line.len() + c.len_utf8() > MAX_REASON_BYTES {
            break;
        }
        line.push(c);
    }
    line
}

/// Most bytes of a worker's name.
pub const MAX_NAME_BYTES: usize = 64;
/// What the queue itself says when a lease ran out, after the owner.
const NO_HEARTBEAT: &str = ": no heartbeat";

/// A worker's name as it is used everywhere: one line of bounded length without the colon that ends it in
/// reasons.
#[must_use]
pub fn worker_name(name: &str) -> String {
    let line = reason_line(name).replace(':', "_");
    line[..line.floor_char_boundary(MAX_NAME_BYTES)].to_owned()
}

/// The name of a worker among the names of its processes, `NAME.PID.RANDOM`.
#[must_use]
pub fn worker_of(process: &str) -> &str {
    process.rsplitn(3, '.').nth(2).unwrap_or(process)
}

/// The reason that the queue itself gives when a lease ran out.
#[must_use]
pub fn expired_reason(owner: &str) -> String {
    reason_line(&format!("{owner}{NO_HEARTBEAT}"))
}

/// Who is to blame for a failed delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame<'a> {
    /// The worker of that name said itself that it failed.
    Worker(&'a str),
    /// The process of that name fell silent: died, or was cut off.
    Silent(&'a str),
}

/// Who is to blame by a reason that was kept.
#[must_use]
pub fn blame(reason: &str) -> Option<Blame<'_>> {
    if let Some(process) = reason.strip_suffix(NO_HEARTBEAT) {
        return Some(Blame::Silent(process));
    }
    let (name, _) = reason.split_once(": ")?;
    Some(Blame::Worker(name))
}

/// What stands between a reason and its seal.
const SEAL_MARK: &str = " #";
/// Letters of a reason's seal.
const SEAL_LETTERS: usize = 16;
/// What seals of reasons are made for.
const PURPOSE: &str = "mandelfarm failure 1";

fn seal_of(reason: &str, key: &FarmKey, job: &JobId, slot: u32) -> String {
    let worker = reason.split_once(": ").map_or("", |(name, _)| name);
    let pieces = [&job.to_bytes()[..], &slot.to_le_bytes(), reason.as_bytes()];
    let mut letters = hex(&key.seal(worker, PURPOSE, pieces.into_iter()));
    letters.truncate(SEAL_LETTERS);
    letters
}

/// A reason as it is kept on a farm with a key: it names the worker that failed, and nobody else can make it up.
#[must_use]
pub fn sealed_reason(reason: &str, key: &FarmKey, job: &JobId, slot: u32) -> String {
    let mut line = reason_line(reason);
    line.truncate(line.floor_char_boundary(MAX_REASON_BYTES - SEAL_MARK.len() - SEAL_LETTERS));
    let seal = seal_of(&line, key, job, slot);
    line + SEAL_MARK + &seal
}

/// A reason without its seal, for people.
#[must_use]
pub fn bare_reason(line: &str) -> &str {
    split_seal(line).map_or(line, |(reason, _)| reason)
}

fn split_seal(line: &str) -> Option<(&str, &str)> {
    let (reason, seal) = line.rsplit_once(SEAL_MARK)?;
    let is_letter = |letter: u8| letter.is_ascii_hexdigit();
    (seal.len() == SEAL_LETTERS && seal.bytes().all(is_letter)).then_some((reason, seal))
}

/// The reason in a line that was sealed with this key, for this strip.
#[must_use]
pub fn unsealed<'a>(line: &'a str, key: &FarmKey, job: &JobId, slot: u32) -> Option<&'a str> {
    let (reason, seal) = split_seal(line)?;
    (seal_of(reason, key, job, slot) == seal).then_some(reason)
}

/// Adds `reason` to those kept of a strip; what is over [`MAX_REASONS`] is left out.
pub fn remember(reasons: &mut Vec<String>, reason: &str) {
    if reasons.len() < MAX_REASONS {
        reasons.push(reason_line(reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_deliveries_and_no_more() {
        assert_eq!(after(0), Next::Deliver(1));
        assert_eq!(after(MAX_DELIVERIES - 1), Next::Deliver(MAX_DELIVERIES));
        assert_eq!(after(MAX_DELIVERIES), Next::Dead);
        assert_eq!(after(u32::MAX), Next::Dead);
    }

    #[test]
    fn reasons_say_who_is_to_blame() {
        assert_eq!(blame("a.b: it: burnt"), Some(Blame::Worker("a.b")));
        let silent = expired_reason("box.local.12.00ff");
        assert_eq!(blame(&silent), Some(Blame::Silent("box.local.12.00ff")));
        assert_eq!(worker_of("box.local.12.00ff"), "box.local");
        assert_eq!(worker_of("in process"), "in process");
        assert_eq!(blame("nobody"), None);
        assert_eq!(worker_name("a: b\n"), "a_ b ");
        assert_eq!(worker_name(&"é".repeat(99)).len(), MAX_NAME_BYTES);
    }

    #[test]
    fn sealed_reasons_are_of_one_key_one_job_and_one_strip() {
        let key = |of| FarmKey::new(&[of; 32]).unwrap();
        let (job, ours) = (JobId::generate(), key(1));
        for reason in ["w: burnt", &format!("w: {}", "é".repeat(400)), "w: see #12"] {
            let line = sealed_reason(reason, &ours, &job, 7);
            assert_eq!(reason_line(&line), line);
            let read = unsealed(&line, &ours, &job, 7).unwrap();
            assert!(reason.starts_with(read) && bare_reason(&line) == read);
            assert_eq!(unsealed(&line, &key(2), &job, 7), None);
            assert_eq!(unsealed(&line, &ours, &job, 8), None);
            assert_eq!(unsealed(&line, &ours, &JobId::generate(), 7), None);
            assert_eq!(unsealed(&line.replace("w:", "x:"), &ours, &job, 7), None);
            assert_eq!(unsealed(reason, &ours, &job, 7), None);
        }
        assert_eq!(bare_reason("w: no seal"), "w: no seal");
    }

    #[test]
    fn reasons_are_bounded_lines() {
        assert_eq!(reason_line("a\nb\tc"), "a b c");
        assert_eq!(reason_line(&"é".repeat(1000)).len(), MAX_REASON_BYTES);
        let mut reasons = Vec::new();
        for _ in 0..100 {
            remember(&mut reasons, "x");
        }
        assert_eq!(reasons.len(), MAX_REASONS);
    }
}
