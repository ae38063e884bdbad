//! How the values of a picture, or of all pictures of a sequence, are distributed: from it come ranges and ranks.
//!
//! A bounded sample of pixels, chosen by a hash of their rows and columns and by nothing else: of a picture of up to
//! [`MOST_VALUES`] pixels all of them, of a larger one each with the same chance. So it does not matter in which
//! order, in what strips or on how many threads values come, or how distributions are merged.

use serde::{Deserialize, Serialize};

/// Most values that are kept: ranks are within a thousandth, mostly.
const MOST_VALUES: usize = 1 << 19;
/// Share of the values that lie below the upper end of the range.
const RANGE_HIGH: f64 = 0.995;

/// Samples along the longer side from which a colour range is found.
const RANGE_SAMPLES: u32 = 48;

/// How many of `width` columns and `height` rows a range of values is found from, evenly chosen.
#[must_use]
pub fn sampled_size(width: u32, height: u32) -> (u32, u32) {
    let scale = f64::from(RANGE_SAMPLES) / f64::from(width.max(height));
    let side = |samples: u32| ((f64::from(samples) * scale) as u32).clamp(1, samples);
    (side(width), side(height))
}

/// Which columns or rows those `samples` of `all` are.
#[must_use]
pub fn sampled_places(samples: u32, all: u32) -> Vec<u32> {
    let at = |sample| (u64::from(sample) * u64::from(all) / u64::from(samples)) as u32;
    (0..samples).map(at).collect()
}

/// A sample of the values of pixels outside of the set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Hashes of pixels that are kept are at most this: 2^k - 1.
    most: u32,
    /// Hash and value of each.
    kept: Vec<(u32, f32)>,
}

impl Default for Distribution {
    fn default() -> Self {
        Self::new()
    }
}

impl Distribution {
    /// Of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            most: u32::MAX,
            kept: Vec::new(),
        }
    }

    /// Of all `rows`, the first of which is row 0.
    #[must_use]
    pub fn of_rows<'a>(rows: impl IntoIterator<Item = &'a [f32]>) -> Self {
        let mut distribution = Self::new();
        for (row, values) in (0..).zip(rows) {
            distribution.add_row(row, values);
        }
        distribution
    }

    /// Adds the values of row `row`; 0 is inside and does not count.
    pub fn add_row(&mut self, row: u32, values: &[f32]) {
        let row = mixed(row ^ 0x9e37_79b9);
        for (column, value) in values.iter().enumerate() {
            let hash = mixed(row.wrapping_add(column as u32));
            if hash <= self.most && *value != 0.0 && value.is_finite() {
                self.kept.push((hash, *value));
            }
        }
        self.thin();
    }

    /// Adds all that another holds.
    pub fn merge(&mut self, other: &Self) {
        self.most = self.most.min(other.most);
        self.kept.extend_from_slice(&other.kept);
        let most = self.most;
        self.kept.retain(|(hash, _)| *hash <= most);
        self.thin();
    }

    fn thin(&mut self) {
        while self.kept.len() > MOST_VALUES && self.most > 0 {
            self.most >>= 1;
            let most = self.most;
            self.kept.retain(|(hash, _)| *hash <= most);
        }
    }

    /// The same of values that are `factor` times as large.
    #[must_use]
    pub fn scaled(mut self, factor: f32) -> Self {
        self.kept.iter_mut().for_each(|(_, value)| *value *= factor);
        self
    }

    /// The values in order.
    #[must_use]
    pub fn sorted(&self) -> Vec<f32> {
        let mut values: Vec<f32> = self.kept.iter().map(|(_, value)| *value).collect();
        values.sort_unstable_by(f32::total_cmp);
        values
    }

    /// The range that a palette spans: from the lowest value to nearly the highest. 0 to 1 where there are none.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let sorted = self.sorted();
        let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied();
        match (sorted.first(), at(RANGE_HIGH)) {
            (Some(low), Some(high)) if high > *low => (f64::from(*low), f64::from(high)),
            (Some(low), _) => (f64::from(*low), f64::from(*low) + 1.0),
            _ => (0.0, 1.0),
        }
    }
}

/// A bijection of 32 bits without pattern (Chris Wellons' `lowbias32`).
fn mixed(value: u32) -> u32 {
    let value = (value ^ (value >> 16)).wrapping_mul(0x7feb_352d);
    let value = (value ^ (value >> 15)).wrapping_mul(0x846c_a68b);
    value ^ (value >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(row: u32) -> Vec<f32> {
        (0..2000u32)
            .map(|column| (mixed(row * 2000 + column) % 997) as f32)
            .collect()
    }

    /// However values come, and however parts are put together.
    #[test]
    fn order_and_parts_do_not_matter() {
        let rows: Vec<u32> = (0..900).collect();
        let mut whole = Distribution::new();
        rows.iter().for_each(|at| whole.add_row(*at, &row(*at)));
        assert!(whole.kept.len() > MOST_VALUES / 2 - 10_000 && whole.kept.len() <= MOST_VALUES);
        let mut merged = Distribution::new();
        for part in rows.rchunks(70) {
            let mut own = Distribution::new();
            part.iter().rev().for_each(|at| own.add_row(*at, &row(*at)));
            merged.merge(&own);
        }
        assert_eq!(whole.most, merged.most);
        assert_eq!(whole.sorted(), merged.sorted());
        let mut other = Distribution::new();
        rows[1..]
            .iter()
            .for_each(|at| other.add_row(*at, &row(*at)));
        assert_ne!(whole.sorted(), other.sorted(), "control");
    }

    #[test]
    fn a_sample_stands_for_all() {
        let mut distribution = Distribution::new();
        for at in 0..900 {
            distribution.add_row(at, &row(at));
        }
        let sorted = distribution.sorted();
        for share in [0.1, 0.5, 0.9] {
            let value = sorted[(sorted.len() as f64 * share) as usize];
            assert!(
                (f64::from(value) / 997.0 - share).abs() < 0.003,
                "{share}: {value}"
            );
        }
    }

    #[test]
    fn the_inside_does_not_count() {
        let mut distribution = Distribution::new();
        assert_eq!(distribution.range(), (0.0, 1.0));
        distribution.add_row(0, &[0.0, 5.0, f32::NAN, f32::INFINITY, 0.0]);
        assert_eq!(distribution.sorted(), [5.0]);
        assert_eq!(distribution.range(), (5.0, 6.0));
        distribution.add_row(1, &[3.0]);
        assert_eq!(distribution.range(), (3.0, 5.0));
        assert_eq!(distribution.scaled(0.5).range(), (1.5, 2.5));
    }
}
