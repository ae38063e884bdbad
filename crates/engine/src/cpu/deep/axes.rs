//! The columns and rows of a frame as deltas from its reference point, in doubles and in pixels.

use fractal::FloatExp;

use super::numbers::share;
use crate::frame::DeepFrame;
use crate::frame::turned::Cross;

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
    pub(super) near: Cross<f64>,
    pub(super) pixels: Cross<f64>,
    pub(super) shares: Cross<f64>,
}

impl Axes {
    pub(super) fn new(deep: &DeepFrame) -> Self {
        let (columns, rows) = (&deep.columns, &deep.rows);
        let (spacing, c_max) = (deep.pixel_spacing, deep.c_max());
        let near = |values: &[FloatExp]| values.iter().map(|value| value.to_f64()).collect();
        let pixels = |values: &[FloatExp]| {
            let first = values.first().copied().unwrap_or_default();
            let distance = |value: &FloatExp| ((*value - first) / spacing).to_f64();
            values.iter().map(distance).collect()
        };
        let shares = |values: &[FloatExp]| {
            let share = |value: &FloatExp| share(*value, c_max);
            values.iter().map(share).collect()
        };
        let cross = deep.cross.as_ref().map(|cross| {
            let first = |values: &[FloatExp]| values.first().copied().unwrap_or_default();
            let [column, row] = [first(&cross.columns), first(&cross.rows)];
            let pixel = |value: FloatExp| (value / spacing).to_f64();
            let share = |value: FloatExp| share(value, c_max);
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

/// A sample of a turned view, of which `upright` are the column's real and the row's imaginary part.
#[inline(always)]
pub(super) fn crossed(upright: [f64; 2], cross: &Cross<f64>, col: u32, row: u32) -> [f64; 2] {
    [
        upright[0] + cross.rows[row as usize],
        cross.columns[col as usize] + upright[1],
    ]
}
