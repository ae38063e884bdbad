//! Strips that fail again and again, and why: those of one job that were given up among them.

use std::collections::BTreeMap;
use std::fmt;

use farm_queue::job::MAX_DELIVERIES;
use fractal::Strip;

/// Strips that are named with their reasons; of more only the number is told.
const NAMED: usize = 8;

/// What becomes of a strip whose result was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextTry {
    /// It is tried again.
    Again,
    /// A worker whose results nobody can read must not keep a strip for ever.
    Dead,
}

/// What is known of failures, by strip.
#[derive(Debug, Default)]
pub struct FailedStrips {
    /// Reasons of strips that are still tried.
    rejected: BTreeMap<u32, Vec<String>>,
    dead: BTreeMap<u32, (Strip, Vec<String>)>,
}

impl FailedStrips {
    /// A strip's result was of no use.
    pub fn rejected(&mut self, strip: Strip, reason: String) -> NextTry {
        let reasons = self.rejected.entry(strip.index).or_default();
        reasons.push(reason);
        if reasons.len() < MAX_DELIVERIES as usize {
            return NextTry::Again;
        }
        let reasons = std::mem::take(reasons);
        self.died(strip, reasons);
        NextTry::Dead
    }

    /// A strip was given up.
    pub fn died(&mut self, strip: Strip, reasons: Vec<String>) {
        self.rejected.remove(&strip.index);
        self.dead.insert(strip.index, (strip, reasons));
    }

    /// A strip has come, or is tried anew.
    pub fn forget(&mut self, strip: u32) {
        self.rejected.remove(&strip);
        self.dead.remove(&strip);
    }

    /// The strips that were given up, and why.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Strip, &[String])> {
        self.dead
            .values()
            .map(|(strip, reasons)| (*strip, reasons.as_slice()))
    }
}

impl fmt::Display for FailedStrips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (strip, reasons)) in self.iter().take(NAMED).enumerate() {
            let join = if number == 0 { "" } else { "; " };
            let why = if reasons.is_empty() {
                "and nobody said why".to_owned()
            } else {
                format!("each time: {}", reasons.join("; "))
            };
            let Strip { index, row0, .. } = strip;
            write!(f, "{join}strip {index} (rows from {row0}) failed {why}")?;
        }
        match self.dead.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(index: u32) -> Strip {
        Strip {
            index,
            row0: index * 4,
            rows: 4,
        }
    }

    #[test]
    fn a_strip_is_given_up_after_as_many_rejections_as_deliveries() {
        let mut failed = FailedStrips::default();
        for _ in 1..MAX_DELIVERIES {
            assert_eq!(failed.rejected(strip(3), "x".into()), NextTry::Again);
        }
        assert_eq!(failed.to_string(), "");
        assert_eq!(failed.rejected(strip(3), "y".into()), NextTry::Dead);
        assert_eq!(
            failed.to_string(),
            "strip 3 (rows from 12) failed each time: x; x; x; y"
        );
        failed.forget(3);
        assert_eq!(failed.iter().len(), 0);
        assert_eq!(failed.rejected(strip(3), "z".into()), NextTry::Again);
    }

    #[test]
    fn the_line_does_not_grow_with_the_farms_trouble() {
        let mut failed = FailedStrips::default();
        failed.died(strip(0), Vec::new());
        failed.died(strip(7), vec!["broken".into()]);
        assert_eq!(
            failed.to_string(),
            "strip 0 (rows from 0) failed and nobody said why; strip 7 (rows from 28) failed each time: broken"
        );
        (10..1000).for_each(|index| failed.died(strip(index), Vec::new()));
        assert!(failed.to_string().ends_with("; and 984 more"));
    }
}
