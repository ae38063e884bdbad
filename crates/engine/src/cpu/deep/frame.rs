//! What the kernels of one deep frame have in common.

use fractal::{ComplexExp, FloatExp, ReferenceOrbit};

use crate::cpu::band::Plan;
use crate::deep::bla::{Entry, LOWEST_LEVEL};
use crate::deep::{BlaTable, JetTable};
use crate::prepared::{DeepFrame, PreparedFrame};
use crate::progress::Progress;
use crate::turned::Cross;

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

/// p q + r
#[inline(always)]
pub(super) fn times_plus(p: [f64; 2], q: [f64; 2], r: [f64; 2]) -> [f64; 2] {
    [
        p[0].mul_add(q[0], (-p[1]).mul_add(q[1], r[0])),
        p[0].mul_add(q[1], p[1].mul_add(q[0], r[1])),
    ]
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

/// `value` / `reach`
fn share(value: FloatExp, reach: FloatExp) -> f64 {
    if reach.is_zero() {
        0.0
    } else {
        (value / reach).to_f64()
    }
}

/// The columns (first) and rows of a frame as deltas, in doubles and in pixels.
#[derive(Clone, Debug)]
pub(super) struct Axes {
    /// 0 below the range of doubles.
    pub(super) near: [Vec<f64>; 2],
    /// Distance from the first one.
    pub(super) pixels: [Vec<f64>; 2],
    /// Share of the largest |c|.
    pub(super) shares: [Vec<f64>; 2],
    /// What a turned view has beside them.
    pub(super) cross: Option<CrossAxes>,
}

/// The other parts of a turned view's columns and rows: see [`Cross`].
#[derive(Clone, Debug)]
pub(super) struct CrossAxes {
    near: Cross<f64>,
    pixels: Cross<f64>,
    shares: Cross<f64>,
}

impl Axes {
    pub(super) fn new(deep: &DeepFrame) -> Self {
        let (columns, rows) = (&deep.columns, &deep.rows);
        let (spacing, reach) = (deep.pixel_spacing, deep.reach());
        let near = |values: &[FloatExp]| values.iter().map(|value| value.to_f64()).collect();
        let pixels = |values: &[FloatExp]| {
            let first = values.first().copied().unwrap_or_default();
            let distance = |value: &FloatExp| ((*value - first) / spacing).to_f64();
            values.iter().map(distance).collect()
        };
        let shares = |values: &[FloatExp]| {
            let share = |value: &FloatExp| share(*value, reach);
            values.iter().map(share).collect()
        };
        let cross = deep.cross.as_ref().map(|cross| {
            let first = |values: &[FloatExp]| values.first().copied().unwrap_or_default();
            let [column, row] = [first(&cross.columns), first(&cross.rows)];
            let pixel = |value: FloatExp| (value / spacing).to_f64();
            let share = |value: FloatExp| share(value, reach);
            CrossAxes {
                near: cross.map(FloatExp::to_f64, FloatExp::to_f64),
                pixels: cross.map(|value| pixel(value - column), |value| pixel(value - row)),
                shares: cross.map(share, share),
            }
        });
        Self {
            cross,
            shares: [shares(columns), shares(rows)],
            near: [near(columns), near(rows)],
            pixels: [pixels(columns), pixels(rows)],
        }
    }
}

/// A sample of a turned view, of which `own` are the column's real and the row's imaginary part.
#[inline(always)]
fn crossed(own: [f64; 2], cross: &Cross<f64>, col: u32, row: u32) -> [f64; 2] {
    [
        own[0] + cross.rows[row as usize],
        cross.columns[col as usize] + own[1],
    ]
}

/// log2 of what a series may be off in pixels over what a skipped step may be off in itself: 2^-32 of a pixel where that is
/// 2^-40. Where counts are chaotic even a millionth of a pixel is seen.
const PIXEL_LOG2: i64 = 8;
/// Steps of a block that is worth leaving plain orbits for.
const LONG: u64 = 256;
/// Share of the farthest block from which on blocks are looked for: above it too few are left to be worth it.
const WELL_BELOW: f64 = 1.0 / 32.0;
/// Below this the range of doubles may end in one step.
pub(super) const SMALLEST_SKIPPABLE: f64 = f64::from_bits((1023 - 400) << 52); // 2^-400

/// One frame and one kind of escape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deep<'a> {
    pub(super) orbit: &'a ReferenceOrbit,
    table: &'a BlaTable,
    pub(super) jets: &'a JetTable,
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
    /// Deltas below this need an exponent of their own: c beside them would have lost bits, or they themselves.
    pub(super) tiny: f64,
    /// Blocks are not looked for where z's larger part is this or more.
    pub(super) skippable: f64,
    /// From this s² on pixels are iterated as plain orbits; infinite where they may not be. See [`super::tail`].
    pub(super) steep2: f64,
    /// Below this 4|z|² plain orbits go on as deltas: there long blocks begin.
    pub(super) returning: f64,
    /// By how many pixels the truncation of one series may move what is computed.
    pub(super) tolerance: f64,
    /// The size of a pixel in doubles.
    pub(super) unit: [f64; 2],
    /// Exponents over this need none.
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

    /// `escape_radius` is the frame's own, or that of the stability measure.
    pub(super) fn new(
        frame: &'a PreparedFrame,
        deep: &'a DeepFrame,
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
            unit_share: share(deep.pixel_spacing, deep.reach()),
            columns: &deep.columns,
            rows: &deep.rows,
            axes: &deep.trees().axes,
            frame,
            deep,
            slack: match deep.cross {
                None => FloatExp::ZERO,
                Some(_) => deep.reach() * FloatExp::new(1.0, -50),
            },
            spacing: deep.pixel_spacing,
            last: deep.orbit.steps(),
            limit: plan.limit,
            radius: escape_radius,
            z0: plan.z0,
            cycles: plan.cycles,
            tiny: power_of_two(narrow),
            skippable: (deep.jets().farthest * WELL_BELOW).max(SMALLEST_SKIPPABLE),
            steep2: f64::INFINITY,
            returning: 4.0 * deep.jets().first_reach(LONG),
            tolerance: power_of_two(i64::from(deep.epsilon_log2) + PIXEL_LOG2),
            unit: [deep.pixel_spacing.to_f64(), 0.0],
            narrow,
            on_axis: deep.orbit.is_real(),
            progress,
        }
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
        let own = [columns[col as usize], rows[row as usize]];
        match &self.axes.cross {
            None => own,
            Some(cross) => crossed(own, &cross.near, col, row),
        }
    }

    /// c of a pixel as a share of the largest |c|.
    #[inline(always)]
    pub(super) fn share_of_c(&self, col: u32, row: u32) -> [f64; 2] {
        let [columns, rows] = &self.axes.shares;
        let own = [columns[col as usize], rows[row as usize]];
        match &self.axes.cross {
            None => own,
            Some(cross) => crossed(own, &cross.shares, col, row),
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
    /// The centre in pixels.
    middle: [f64; 2],
}

impl Place {
    pub(super) fn of(deep: &Deep<'_>, square: Square) -> Self {
        let (col_end, row_end) = square.ends(deep);
        if let Some(cross) = &deep.axes.cross {
            return Self::turned(deep, cross, square);
        }
        let ends = |axis: usize, first: u32, end: u32| {
            let values = &deep.axes.pixels[axis];
            (values[first as usize], values[end as usize - 1])
        };
        let (across, down) = (ends(0, square.col, col_end), ends(1, square.row, row_end));
        let (x, y) = ((across.1 - across.0) / 2.0, (down.1 - down.0) / 2.0);
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
            middle: [(across.0 + across.1) / 2.0, (down.0 + down.1) / 2.0],
        }
    }

    /// That of a turned view's square, a parallelogram in the plane.
    fn turned(deep: &Deep<'_>, cross: &CrossAxes, square: Square) -> Self {
        let (col_end, row_end) = square.ends(deep);
        let corners = [(square.col, square.row), (col_end - 1, row_end - 1)];
        let [columns, rows] = &deep.axes.pixels;
        let at = |(col, row): (u32, u32)| {
            let own = [columns[col as usize], rows[row as usize]];
            crossed(own, &cross.pixels, col, row)
        };
        let half = |a: [f64; 2], b: [f64; 2]| {
            let (x, y) = ((b[0] - a[0]) / 2.0, (b[1] - a[1]) / 2.0);
            (x * x + y * y).sqrt()
        };
        let [first, last] = corners.map(at);
        let [right, left] = [(col_end - 1, square.row), (square.col, row_end - 1)].map(at);
        let radius_pixels = match half(first, last).max(half(right, left)) {
            // A single pixel: any radius serves.
            0.0 => 1.0,
            radius => radius,
        };
        let [begin, end] = corners.map(|(col, row)| deep.wide_c(col, row));
        let middle = |a: FloatExp, b: FloatExp| (a + b) * FloatExp::from_f64(0.5);
        let c = ComplexExp::new(middle(begin.re, end.re), middle(begin.im, end.im));
        let radius = deep.spacing * FloatExp::from_f64(radius_pixels);
        Self {
            c,
            near: [c.re.to_f64(), c.im.to_f64()],
            radius,
            near_radius: radius.to_f64(),
            radius_pixels,
            middle: [(first[0] + last[0]) / 2.0, (first[1] + last[1]) / 2.0],
        }
    }

    /// What a turned view's column (`axis` 0) or row (1) adds to the other part of u.
    #[inline(always)]
    pub(super) fn cross_u(&self, deep: &Deep<'_>, axis: usize, at: u32) -> Option<f64> {
        let pixels = &deep.axes.cross.as_ref()?.pixels;
        let values = if axis == 0 {
            &pixels.columns
        } else {
            &pixels.rows
        };
        Some(values[at as usize] / self.radius_pixels)
    }

    /// The part of u that belongs to a column (`axis` 0) or a row (1).
    #[inline(always)]
    pub(super) fn u(&self, deep: &Deep<'_>, axis: usize, at: u32) -> f64 {
        (deep.axes.pixels[axis][at as usize] - self.middle[axis]) / self.radius_pixels
    }

    /// The centre of `part`, a place within this one, as u here, and its radius in units of this one's.
    pub(super) fn within(&self, part: &Self) -> ([f64; 2], f64) {
        let u = [
            (part.middle[0] - self.middle[0]) / self.radius_pixels,
            (part.middle[1] - self.middle[1]) / self.radius_pixels,
        ];
        (u, part.radius_pixels / self.radius_pixels)
    }
}
