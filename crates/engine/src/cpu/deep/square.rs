//! Squares of pixels, and where they lie in the plane.

use fractal::{ComplexExp, FloatExp};

use super::axes::{CrossAxes, crossed};
use super::frame::Deep;
pub(super) use crate::deep::Square;

/// Side of the squares that tasks compute.
pub(in crate::cpu) const TASK: u32 = 64;
/// Side of the smallest squares that have a series of their upright.
pub(super) const SMALLEST: u32 = 8;

/// A disc of the plane around a square of pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disc {
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

impl Disc {
    pub(super) fn of(deep: &Deep<'_>, square: Square) -> Self {
        let (col_end, row_end) = square.ends(deep.extent());
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

    /// The disc of a turned view's square, a parallelogram in the plane.
    fn turned(deep: &Deep<'_>, cross: &CrossAxes, square: Square) -> Self {
        let (col_end, row_end) = square.ends(deep.extent());
        let corners = [(square.col, square.row), (col_end - 1, row_end - 1)];
        let [columns, rows] = &deep.axes.pixels;
        let at = |(col, row): (u32, u32)| {
            let upright = [columns[col as usize], rows[row as usize]];
            crossed(upright, &cross.pixels, col, row)
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

    /// What a turned view's column (`axis` 0) or row (1) adds to the other part of t.
    #[inline(always)]
    pub(super) fn cross_t(&self, deep: &Deep<'_>, axis: usize, at: u32) -> Option<f64> {
        let pixels = &deep.axes.cross.as_ref()?.pixels;
        let values = if axis == 0 {
            &pixels.columns
        } else {
            &pixels.rows
        };
        Some(values[at as usize] / self.radius_pixels)
    }

    /// The part of t, the position in the disc in units of its radius, that belongs to a column (`axis` 0) or a row (1).
    #[inline(always)]
    pub(super) fn t(&self, deep: &Deep<'_>, axis: usize, at: u32) -> f64 {
        (deep.axes.pixels[axis][at as usize] - self.middle[axis]) / self.radius_pixels
    }

    /// The centre of `part`, a disc within this one, as t here, and its radius in units of this one's.
    pub(super) fn within(&self, part: &Self) -> ([f64; 2], f64) {
        let t = [
            (part.middle[0] - self.middle[0]) / self.radius_pixels,
            (part.middle[1] - self.middle[1]) / self.radius_pixels,
        ];
        (t, part.radius_pixels / self.radius_pixels)
    }
}
