//! What the kernels of one deep frame have in common.

use fractal::{ComplexExp, FloatExp, ReferenceOrbit};

use crate::cpu::band::Plan;
use crate::deep::BlaTable;
use crate::deep::bla::{Entry, LOWEST_LEVEL};
use crate::prepared::{DeepFrame, PreparedFrame};
use crate::progress::Progress;

/// log2 of the smallest c that doubles hold with all their bits.
const NORMAL_LOG2: f64 = -965.0;

/// 2^`n` as far as it is a double, 0 or infinite beyond.
#[inline(always)]
pub(super) fn power_of_two(n: i64) -> f64 {
    if n == 0 {
        return 1.0;
    }
    FloatExp::new(1.0, n).to_f64()
}

/// The larger one.
pub(super) fn larger(a: FloatExp, b: FloatExp) -> FloatExp {
    if b > a { b } else { a }
}

/// Exponent of the larger part; far below any other for zero.
pub(super) fn exponent_of(z: ComplexExp) -> i64 {
    let part = |value: FloatExp| {
        if value.is_zero() {
            i64::MIN / 4
        } else {
            value.exponent()
        }
    };
    part(z.re).max(part(z.im))
}

/// One frame and one kind of escape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deep<'a> {
    pub(super) orbit: &'a ReferenceOrbit,
    table: &'a BlaTable,
    pub(super) columns: &'a [FloatExp],
    pub(super) rows: &'a [FloatExp],
    /// Distance between columns and between rows in pixels, which is +-1 but for samples that are not square.
    pub(super) step: [f64; 2],
    /// Size of a pixel.
    pub(super) spacing: FloatExp,
    /// Steps M of the reference.
    pub(super) last: u64,
    /// Iteration limit N.
    pub(super) limit: u64,
    /// Escape radius.
    pub(super) radius: f64,
    pub(super) z0: (f64, f64),
    /// Deltas below this need an exponent of their own: c beside them would have lost bits, or they themselves.
    pub(super) tiny: f64,
    /// Exponents over this need none.
    narrow: i64,
    progress: &'a Progress,
}

impl<'a> Deep<'a> {
    /// `escape_radius` is the frame's own, or that of the stability measure.
    pub(super) fn new(
        frame: &'a PreparedFrame,
        deep: &'a DeepFrame,
        plan: &Plan,
        escape_radius: f64,
        progress: &'a Progress,
    ) -> Self {
        let spacing = deep.pixel_spacing;
        let step = |values: &[FloatExp]| match values {
            [first, .., last] => {
                let gaps = (values.len() - 1) as f64;
                ((*last - *first) / spacing).to_f64() / gaps
            }
            _ => 0.0,
        };
        let narrow = if frame.spacing_log2 >= NORMAL_LOG2 {
            -900
        } else {
            -500
        };
        Self {
            orbit: &deep.orbit,
            table: deep.bla(),
            columns: &deep.columns,
            rows: &deep.rows,
            step: [step(&deep.columns), step(&deep.rows)],
            spacing,
            last: deep.orbit.steps(),
            limit: plan.limit,
            radius: escape_radius,
            z0: plan.z0,
            tiny: power_of_two(narrow),
            narrow,
            progress,
        }
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

/// A square of pixels, cut off where the picture ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Square {
    pub(super) col: u32,
    pub(super) row: u32,
    pub(super) size: u32,
}

impl Square {
    /// One past its last column and row.
    pub(super) fn ends(&self, deep: &Deep<'_>) -> (u32, u32) {
        let (width, height) = (deep.columns.len() as u32, deep.rows.len() as u32);
        (
            (self.col + self.size).min(width),
            (self.row + self.size).min(height),
        )
    }

    /// Its four quarters that lie within the picture.
    pub(super) fn quarters(self, deep: &Deep<'_>) -> impl Iterator<Item = Self> {
        let size = self.size / 2;
        let (width, height) = (deep.columns.len() as u32, deep.rows.len() as u32);
        [(0, 0), (size, 0), (0, size), (size, size)]
            .into_iter()
            .map(move |(right, down)| Self {
                col: self.col + right,
                row: self.row + down,
                size,
            })
            .filter(move |part| part.col < width && part.row < height)
    }
}

/// Where a square of pixels lies in the plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The centre, as a delta from the reference point.
    pub(super) c: ComplexExp,
    /// The same in doubles.
    pub(super) near: [f64; 2],
    /// No pixel's centre is farther away.
    pub(super) radius: FloatExp,
    pub(super) near_radius: f64,
    /// The same in pixels.
    pub(super) radius_pixels: f64,
    /// Column and row of the centre.
    middle: [f64; 2],
    /// u of one column and of one row.
    pub(super) unit: [f64; 2],
}

impl Place {
    pub(super) fn of(deep: &Deep<'_>, square: Square) -> Self {
        let (col_end, row_end) = square.ends(deep);
        let half = |first: u32, end: u32| f64::from(end - 1 - first) / 2.0;
        let (across, down) = (half(square.col, col_end), half(square.row, row_end));
        let (x, y) = (across * deep.step[0], down * deep.step[1]);
        let radius_pixels = match (x * x + y * y).sqrt() {
            // A single pixel: any radius serves.
            0.0 => 1.0,
            radius => radius,
        };
        let radius = deep.spacing * FloatExp::from_f64(radius_pixels);
        let middle = |values: &[FloatExp], first: u32, end: u32| {
            (values[first as usize] + values[end as usize - 1]) * FloatExp::from_f64(0.5)
        };
        let c = ComplexExp::new(
            middle(deep.columns, square.col, col_end),
            middle(deep.rows, square.row, row_end),
        );
        Self {
            c,
            near: [c.re.to_f64(), c.im.to_f64()],
            radius,
            near_radius: radius.to_f64(),
            radius_pixels,
            middle: [f64::from(square.col) + across, f64::from(square.row) + down],
            unit: [deep.step[0] / radius_pixels, deep.step[1] / radius_pixels],
        }
    }

    /// u of a column and a row.
    #[inline(always)]
    pub(super) fn u(&self, col: u32, row: u32) -> [f64; 2] {
        [
            (f64::from(col) - self.middle[0]) * self.unit[0],
            (f64::from(row) - self.middle[1]) * self.unit[1],
        ]
    }

    /// The centre of `part`, a place within this one, as u here, and its radius in units of this one's.
    pub(super) fn within(&self, part: &Self) -> ([f64; 2], f64) {
        let u = [
            (part.middle[0] - self.middle[0]) * self.unit[0],
            (part.middle[1] - self.middle[1]) * self.unit[1],
        ];
        (u, part.radius_pixels / self.radius_pixels)
    }
}
