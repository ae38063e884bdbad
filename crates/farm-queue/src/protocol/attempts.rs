//! How often a strip may be delivered, and what is remembered of its failures.
//!
//! Both queues ask the same question here, so that a strip which kills its workers is put aside after
//! the same number of deliveries whichever queue is behind it.

use crate::job::MAX_DELIVERIES;

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

/// The reason that the queue itself gives when a lease ran out.
#[must_use]
pub fn expired_reason(owner: &str) -> String {
    reason_line(&format!("{owner}: no heartbeat"))
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
