//! How often a strip may be delivered, and what is remembered of its failures.
//!
//! Both queues ask the same question here, so that a strip which kills its workers is put aside after
//! the same number of deliveries whichever queue is behind it.

use crate::job::MAX_DELIVERIES;
use crate::protocol::lines::reason_line;

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

/// What the queue itself says when a lease ran out, after the owner.
const NO_HEARTBEAT: &str = ": no heartbeat";

/// The reason that the queue itself gives when a lease ran out.
#[must_use]
pub fn expired_reason(owner: &str) -> String {
    reason_line(&format!("{owner}{NO_HEARTBEAT}"))
}

/// Who reported a failed delivery, or caused it by silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureSource<'a> {
    /// The worker of that name said itself that it failed.
    Worker(&'a str),
    /// The process of that name fell silent: died, or was cut off.
    Silent(&'a str),
}

/// Whose failure a reason that was kept is about; `None` where it names nobody.
#[must_use]
pub fn failure_source(reason: &str) -> Option<FailureSource<'_>> {
    if let Some(process) = reason.strip_suffix(NO_HEARTBEAT) {
        return Some(FailureSource::Silent(process));
    }
    let (name, _) = reason.split_once(": ")?;
    Some(FailureSource::Worker(name))
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
    fn reasons_say_whose_failure_it_was() {
        assert_eq!(
            failure_source("a.b: it: burnt"),
            Some(FailureSource::Worker("a.b"))
        );
        let silent = expired_reason("box.local.12.00ff");
        assert_eq!(
            failure_source(&silent),
            Some(FailureSource::Silent("box.local.12.00ff"))
        );
        assert_eq!(failure_source("nobody"), None);
    }

    #[test]
    fn so_many_reasons_are_kept_and_no_more() {
        let mut reasons = Vec::new();
        for _ in 0..100 {
            remember(&mut reasons, "x");
        }
        assert_eq!(reasons.len(), MAX_REASONS);
    }
}
