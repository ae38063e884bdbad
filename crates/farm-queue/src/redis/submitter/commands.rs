//! Commands that several of a submitter's steps send.

use ::redis::{Cmd, Pipeline, cmd};

use crate::protocol::keys::{self, JobKeys};
use crate::redis::lifetimes::{JOB_LIFETIME, millis};

/// Most strips that one script queues, and most keys that one command removes.
pub(super) const CHUNK: usize = 512;

/// What says a message to all workers.
pub(super) fn publish(message: &str) -> Cmd {
    let mut say = cmd("PUBLISH");
    say.arg(keys::CONTROL).arg(message);
    say
}

/// Adds what gives the lists of jobs new lifetimes.
pub(super) fn prolong_lists(all: &mut Pipeline) {
    for list in [keys::JOBS, keys::ALL_JOBS] {
        all.cmd("PEXPIRE").arg(list).arg(millis(JOB_LIFETIME));
    }
}

/// Adds what removes a job of `strips` strips; its state stays if `keep_state`.
pub(in crate::redis) fn add_removal(
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
