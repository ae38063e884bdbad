//! What pixels in pairs of doubles need of a frame.

use crate::cpu::deep::frame::Deep;
use crate::cpu::deep::numbers::power_of_two;
use crate::cpu::deep::rounding::Rounding;
use crate::deep::pairs::{Pair, PairedTables};
use crate::frame::PreparedFrame;

/// log2 of the smallest z without an exponent: the square of its bound is a double.
pub(super) const SMALLEST_LOG2: i64 = -200;
/// Where the low parts of a reference value are not known, how much it may be off by.
const UNPAIRED: f64 = f64::EPSILON;

/// What pixels in pairs need of a frame.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu::deep) struct Paired<'a> {
    pub(super) deep: &'a Deep<'a>,
    pub(super) frame: &'a PreparedFrame,
    pub(super) tables: &'a PairedTables,
    pub(super) rounding: Rounding,
    /// Blocks are not looked for where z's larger part is this or more.
    pub(super) skippable: f64,
}

/// The smallest z that goes to a lane.
pub(super) fn smallest() -> f64 {
    power_of_two(SMALLEST_LOG2)
}

impl<'a> Paired<'a> {
    /// Of a frame whose orbits begin at 0; `rounding` is that of pairs.
    pub(in crate::cpu::deep) fn new(
        frame: &'a PreparedFrame,
        deep: &'a Deep<'a>,
        tables: &'a PairedTables,
        rounding: Rounding,
    ) -> Self {
        Self {
            deep,
            frame,
            tables,
            rounding,
            skippable: tables.jets.farthest.max(smallest()),
        }
    }

    #[inline(always)]
    pub(super) fn near(&self, m: u64) -> [Pair; 2] {
        self.tables.near(self.deep.orbit, m)
    }

    /// What Z_m may be off by as a share of itself, beyond what pairs are.
    #[inline(always)]
    pub(super) fn lacking(&self, m: u64) -> f64 {
        if m > 0 && self.tables.lows[m as usize] == [0.0; 2] {
            UNPAIRED
        } else {
            0.0
        }
    }
}
