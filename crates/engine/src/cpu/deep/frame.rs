//! What the kernels of one deep frame have in common.

use fractal::{ComplexExp, FloatExp, ReferenceOrbit};

use super::axes::{Axes, crossed};
use super::numbers::{power_of_two, share};
use super::rounding::Rounding;
use crate::cpu::plan::Plan;
use crate::deep::bla::{Entry, LOWEST_LEVEL};
use crate::deep::{BlaTable, JetTable, LossTable};
use crate::frame::{DeepFrame, PreparedFrame};
use crate::progress::Progress;

/// log2 of the smallest c that doubles hold with all their bits.
const NORMAL_LOG2: f64 = -965.0;

/// log2 of a series' error in pixels over the relative error of a skipped step: 2^-32 of a pixel for 2^-40. Where counts are
/// chaotic even a millionth of a pixel shows.
const PIXEL_LOG2: i64 = 8;
/// The relative error for which a series' is taken where counts have to be certain. For less, squares would end earlier, and
/// their pixels go longer ways each; for more, more of them would have to go again.
const SETTLED_SERIES_LOG2: i32 = -46;
/// Fewest steps of a block for which a tail goes back to deltas.
const LONG: u64 = 256;
/// Blocks are looked for where |z| is below this share of their farthest reach: above it too few are left.
const WELL_BELOW: f64 = 1.0 / 32.0;
/// Below this the range of doubles may end in one step.
pub(super) const SMALLEST_SKIPPABLE: f64 = f64::from_bits((1023 - 400) << 52); // 2^-400

/// What the kernels need of one frame, for one escape radius.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deep<'a> {
    pub(super) orbit: &'a ReferenceOrbit,
    table: &'a BlaTable,
    pub(super) jets: &'a JetTable,
    /// Whether each count has to be certain: then with bounds of errors, and with what blocks lose.
    pub(super) settled: bool,
    pub(super) rounding: Rounding,
    pub(super) losses: &'a LossTable,
    /// The size of a pixel as a share of the largest |c|.
    pub(super) unit_share: f64,
    pub(super) columns: &'a [FloatExp],
    pub(super) rows: &'a [FloatExp],
    /// The same in doubles, as far as they reach, and in pixels from the first one.
    pub(super) axes: &'a Axes,
    frame: &'a PreparedFrame,
    deep: &'a DeepFrame,
    /// What the rounding of a turned view's sums may move a sample by; 0 of an upright one, whose samples are rounded by
    /// themselves.
    pub(super) slack: FloatExp,
    /// Size of a pixel.
    pub(super) spacing: FloatExp,
    /// Steps M of the reference.
    pub(super) last: u64,
    /// Iteration limit N.
    pub(super) limit: u64,
    /// Escape radius.
    pub(super) radius: f64,
    pub(super) z0: (f64, f64),
    /// Whether exact cycles are looked for.
    pub(super) cycles: bool,
    /// Deltas below this need an exponent of their upright: c beside them would have lost bits, or they themselves.
    pub(super) tiny: f64,
    /// Blocks are not looked for where z's larger part is this or more.
    pub(super) skippable: f64,
    /// From this steep² on pixels are iterated as plain orbits; infinite where they may not be. See [`super::pixels::tail`].
    pub(super) tail_steep2: f64,
    /// Below this |2z|² plain orbits go on as deltas: there long blocks begin.
    pub(super) returning2: f64,
    /// By how many pixels the truncation of one series may move what is computed.
    pub(super) tolerance: f64,
    /// The size of a pixel in doubles.
    pub(super) unit: [f64; 2],
    /// Numbers with exponents above this need no shared one.
    narrow: i64,
    /// Whether the reference is real.
    on_axis: bool,
    progress: &'a Progress,
}

impl<'a> Deep<'a> {
    /// See [`PreparedFrame::starts_beyond`].
    pub(super) fn starts_beyond(&self, col: u32, row: u32) -> Option<bool> {
        self.frame.starts_beyond(col as usize, row as usize)
    }

    /// `escape_radius` is the frame's upright, or that of the stability measure.
    pub(super) fn new(
        frame: &'a PreparedFrame,
        deep: &'a DeepFrame,
        axes: &'a Axes,
        plan: &Plan,
        escape_radius: f64,
        progress: &'a Progress,
    ) -> Self {
        let narrow = if frame.spacing_log2 >= NORMAL_LOG2 {
            -900
        } else {
            -500
        };
        Self {
            orbit: &deep.orbit,
            table: deep.bla(),
            jets: deep.jets(),
            settled: plan.settled,
            rounding: Rounding::new(deep, plan.c_max2.sqrt(), plan.limit),
            losses: deep.losses(),
            unit_share: share(deep.pixel_spacing, deep.c_max()),
            columns: &deep.columns,
            rows: &deep.rows,
            axes,
            frame,
            deep,
            slack: match deep.cross {
                None => FloatExp::ZERO,
                Some(_) => deep.c_max() * FloatExp::new(1.0, -50),
            },
            spacing: deep.pixel_spacing,
            last: deep.orbit.steps(),
            limit: plan.limit,
            radius: escape_radius,
            z0: plan.z0,
            cycles: plan.cycles,
            tiny: power_of_two(narrow),
            skippable: (deep.jets().farthest * WELL_BELOW).max(SMALLEST_SKIPPABLE),
            tail_steep2: f64::INFINITY,
            returning2: 4.0 * deep.jets().first_reach(LONG),
            tolerance: power_of_two(
                i64::from(if plan.settled {
                    SETTLED_SERIES_LOG2
                } else {
                    deep.epsilon_log2
                }) + PIXEL_LOG2,
            ),
            unit: [deep.pixel_spacing.to_f64(), 0.0],
            narrow,
            on_axis: deep.orbit.is_real(),
            progress,
        }
    }

    /// The picture's columns and rows.
    pub(super) fn extent(&self) -> (u32, u32) {
        (self.columns.len() as u32, self.rows.len() as u32)
    }

    /// c of a pixel.
    #[inline(always)]
    pub(super) fn wide_c(&self, col: u32, row: u32) -> ComplexExp {
        match &self.deep.cross {
            None => ComplexExp::new(self.columns[col as usize], self.rows[row as usize]),
            Some(_) => self.deep.at(col as usize, row as usize),
        }
    }

    /// Whether a pixel's orbit is real, and so are its deltas: c and the reference lie on the real axis.
    #[inline(always)]
    pub(super) fn is_real(&self, col: u32, row: u32) -> bool {
        self.on_axis && self.wide_c(col, row).im.is_zero()
    }

    /// c of a pixel in doubles, as far as they reach.
    #[inline(always)]
    pub(super) fn near_c(&self, col: u32, row: u32) -> [f64; 2] {
        let [columns, rows] = &self.axes.near;
        let upright = [columns[col as usize], rows[row as usize]];
        match &self.axes.cross {
            None => upright,
            Some(cross) => crossed(upright, &cross.near, col, row),
        }
    }

    /// c of a pixel as a share of the largest |c|.
    #[inline(always)]
    pub(super) fn share_of_c(&self, col: u32, row: u32) -> [f64; 2] {
        let [columns, rows] = &self.axes.shares;
        let upright = [columns[col as usize], rows[row as usize]];
        match &self.axes.cross {
            None => upright,
            Some(cross) => crossed(upright, &cross.shares, col, row),
        }
    }

    /// Where a pixel itself is, rounded to doubles.
    #[inline(always)]
    pub(super) fn point(&self, col: u32, row: u32) -> [f64; 2] {
        self.frame.at(col as usize, row as usize)
    }

    /// The exponent that numbers share of which the largest has `exponent`.
    #[inline(always)]
    pub(super) fn shared(&self, exponent: i64) -> i64 {
        if exponent > self.narrow { 0 } else { exponent }
    }

    /// The longest block from `m` that may be skipped after `n` steps, and its steps: none, and 1.
    #[inline(always)]
    pub(super) fn longest(
        &self,
        m: u64,
        n: u64,
        fits: impl Fn(&Entry) -> bool,
    ) -> (Option<&'a Entry>, u64) {
        let mut best = (None, 1);
        let mut level = LOWEST_LEVEL;
        while let Some(entry) = self.table.entry(level, m)
            && n + (1 << level) <= self.limit
            && fits(entry)
        {
            best = (Some(entry), 1 << level);
            level += 1;
        }
        best
    }

    /// Shows that the computation moves; `false` if it is cancelled.
    #[inline(never)]
    pub(super) fn look(&self) -> bool {
        self.progress.step();
        !self.progress.is_cancelled()
    }
}
