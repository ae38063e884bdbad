//! Strips: full-width bands of rows, the unit of work.

use serde::{Deserialize, Serialize};

/// A full-width band of rows of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Strip {
    /// Position among the strips of its picture, from row 0 on.
    pub index: u32,
    /// First row.
    pub row0: u32,
    /// Number of rows, at least 1.
    pub rows: u32,
}

/// How a picture is cut into strips: `strip_rows` rows each, the last one perhaps fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StripPlan {
    /// Rows of the picture.
    pub height: u32,
    /// Rows of a strip, at least 1.
    pub strip_rows: u32,
}

/// Most bytes that the payload of one strip may have: one Redis value of 4 MiB stalls all clients for
/// 5 ms, one of 16 MiB for 70 ms, so no strip is larger than this, except one of a single row.
pub const MAX_STRIP_BYTES: u64 = 4 << 20;
/// Payload that the default strip height aims at.
const TARGET_STRIP_BYTES: u64 = 1 << 20;
/// Strips that a small picture is cut into at least, so that several workers find some.
const MIN_STRIPS: u32 = 16;

impl StripPlan {
    /// The default cut: strips of about 1 MiB, but at least sixteen of them, and at least one row each.
    #[must_use]
    pub fn for_picture(width: u32, height: u32, bytes_per_pixel: usize) -> Self {
        let row_bytes = (u64::from(width) * bytes_per_pixel as u64).max(1);
        let by_bytes = u32::try_from(TARGET_STRIP_BYTES / row_bytes).unwrap_or(u32::MAX);
        Self {
            height,
            strip_rows: by_bytes.min(height.div_ceil(MIN_STRIPS)).max(1),
        }
    }

    /// Number of strips.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.height.div_ceil(self.strip_rows)
    }

    /// Strip `index`; `None` past the last.
    #[must_use]
    pub fn strip(&self, index: u32) -> Option<Strip> {
        let row0 = index
            .checked_mul(self.strip_rows)
            .filter(|row0| *row0 < self.height)?;
        Some(Strip {
            index,
            row0,
            rows: self.strip_rows.min(self.height - row0),
        })
    }

    /// All strips from the top down.
    pub fn strips(self) -> impl Iterator<Item = Strip> {
        (0..self.count()).filter_map(move |index| self.strip(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strips_tile_the_picture(height in 1u32..3000, strip_rows in 1u32..500) {
            let plan = StripPlan { height, strip_rows };
            let mut next = 0;
            for (index, strip) in plan.strips().enumerate() {
                prop_assert_eq!(strip.index as usize, index);
                prop_assert_eq!(strip.row0, next);
                prop_assert!((1..=strip_rows).contains(&strip.rows));
                next += strip.rows;
            }
            prop_assert_eq!(next, height);
            prop_assert_eq!(plan.strip(plan.count()), None);
        }
    }

    #[test]
    fn defaults_aim_at_a_mebibyte() {
        assert_eq!(StripPlan::for_picture(10240, 12288, 4).strip_rows, 25);
        assert_eq!(StripPlan::for_picture(131_072, 131_072, 16).strip_rows, 1);
        assert_eq!(StripPlan::for_picture(100, 64, 4).strip_rows, 4);
        assert_eq!(StripPlan::for_picture(1, 1, 4).count(), 1);
    }
}
