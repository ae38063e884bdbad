//! How counts are made: as fast as doubles go, or each for certain.

use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};

use crate::picture::measure::{Measure, MeasureSet};

/// How counts are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// In one arithmetic for all pixels, whose rounding changes a few of them.
    #[default]
    Fast,
    /// Each with a proved bound of its error; those that are not certain are computed again in longer arithmetic.
    Settled,
}

impl Counts {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Fast, Self::Settled];

    /// The name on the command line, in files and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Settled => "settled",
        }
    }

    /// Whether nothing is said of them.
    #[must_use]
    pub fn is_fast(&self) -> bool {
        *self == Self::Fast
    }

    /// Whether such counts can be made of these measures.
    ///
    /// # Errors
    /// Why they cannot be settled.
    pub(crate) fn check(self, measures: MeasureSet) -> Result<(), SettledError> {
        if !self.is_fast() && measures.iter().all(|measure| measure == Measure::Stability) {
            return Err(SettledError::NoCounts);
        }
        Ok(())
    }
}

/// Why counts cannot be settled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettledError {
    /// Stability is no count.
    #[error("settled counts are counts: stability alone has none")]
    NoCounts,
}

/// What it took to settle the counts of some pixels. Both are sums over pixels, each of which depends on that pixel
/// alone: how a picture is cut does not change them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settling {
    /// Pixels that were computed again in longer arithmetic.
    pub again: u64,
    /// Pixels that stayed unsettled.
    pub unsettled: u64,
}

impl Settling {
    /// In words.
    #[must_use]
    pub fn words(self) -> String {
        let Self { again, unsettled } = self;
        let pixels = if again == 1 { "pixel" } else { "pixels" };
        format!("{again} {pixels} went again, {unsettled} stayed unsettled")
    }
}

impl Add for Settling {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            again: self.again.saturating_add(other.again),
            unsettled: self.unsettled.saturating_add(other.unsettled),
        }
    }
}

impl AddAssign for Settling {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Settling {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            again: self.again.saturating_sub(other.again),
            unsettled: self.unsettled.saturating_sub(other.unsettled),
        }
    }
}

impl SubAssign for Settling {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_data() {
        for counts in Counts::ALL {
            let text = serde_json::to_string(&counts).unwrap();
            assert_eq!(text, format!("\"{}\"", counts.name()));
            assert_eq!(serde_json::from_str::<Counts>(&text).unwrap(), counts);
        }
        assert!(serde_json::from_str::<Counts>("\"slow\"").is_err());
        assert_eq!(Counts::default(), Counts::Fast);
    }

    #[test]
    fn sums_stop_at_the_largest() {
        let some = |again, unsettled| Settling { again, unsettled };
        assert_eq!(some(3, 1) + some(4, 0), some(7, 1));
        assert_eq!(
            some(u64::MAX, 1) + some(1, u64::MAX),
            some(u64::MAX, u64::MAX)
        );
        assert_eq!(some(7, 1) - some(4, 0), some(3, 1));
        assert_eq!(some(0, 0) - some(1, 1), some(0, 0));
        assert_eq!(
            some(7, 0).words(),
            "7 pixels went again, 0 stayed unsettled"
        );
        assert_eq!(some(1, 1).words(), "1 pixel went again, 1 stayed unsettled");
    }

    #[test]
    fn what_cannot_be_settled_is_refused() {
        let smooth = MeasureSet::default().with(Measure::Smooth);
        let stability = MeasureSet::default().with(Measure::Stability);
        let both = smooth.with(Measure::Stability);
        for measures in [smooth, both] {
            assert_eq!(Counts::Settled.check(measures), Ok(()));
        }
        assert_eq!(
            Counts::Settled.check(stability),
            Err(SettledError::NoCounts)
        );
        assert_eq!(Counts::Fast.check(stability), Ok(()));
    }
}
