//! The point C of a reference orbit, exact.

use dashu_int::ops::{BitTest, UnsignedAbs};
use dashu_int::{IBig, UBig};

use crate::numbers::decimal::Decimal;
use crate::numbers::floatexp::{ComplexExp, FloatExp};
use crate::picture::counts::Counts;
use crate::picture::frame::FrameSpec;
use crate::plane::axis::Axis;
use crate::plane::transform::TurnedAxes;
use crate::plane::view::View;

/// Bits beyond those that tell pixels apart.
///
/// Let d_n = dZ_n/dC, h the pixel spacing and u = 2^-bits the rounding of a step. An error made in step j has grown to
/// u |d_n/d_j| at step n, the distance between the orbits of neighbouring pixels to h |d_n|: the one is u / (h |d_j|)
/// of the other, whatever the derivative has become. d_j = 2 Z d + 1 is about 1 or more, but for steps j at which
/// that sum happens to cancel. So all N steps together shift the orbit by about N u / h = N 2^-64 of a pixel: 2^-31
/// after 10^10 iterations, far less than what deltas in `f64` lose. The period does not matter: where the reference
/// wraps, its errors start anew with d_1 = 1, and count as those of that many steps again.
pub const GUARD_BITS: u32 = 64;

/// The same where counts have to be certain: then the orbit is shifted by less than what pairs of doubles lose of deltas.
const SETTLED_GUARD_BITS: u32 = GUARD_BITS + 48;

/// A point of the plane in fixed point: `re / 2^bits`, `im / 2^bits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferencePoint {
    /// Real part, times 2^`bits`.
    pub re: IBig,
    /// Imaginary part, times 2^`bits`.
    pub im: IBig,
    /// Fractional bits, of the point and of its orbit.
    pub bits: u32,
}

/// The largest modulus of sums of a column and a row, of which the real parts and the imaginary parts of the first and the
/// last are given: that of a corner.
#[must_use]
pub fn farthest(columns: &[[FloatExp; 2]; 2], rows: &[[FloatExp; 2]; 2]) -> FloatExp {
    let mut far = FloatExp::ZERO;
    for (col, row) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let part = |part: usize| columns[part][col] + rows[part][row];
        let size = ComplexExp::new(part(0), part(1)).abs();
        if size > far {
            far = size;
        }
    }
    far
}

/// `floor(numerator / denominator * 2^bits)`
fn fixed(numerator: &IBig, denominator: &UBig, bits: u32) -> IBig {
    // Shifted up so far that flooring towards zero of a negative number cannot matter: half a guard bit.
    (numerator << bits as usize) / IBig::from(denominator.clone())
}

impl ReferencePoint {
    /// Fractional bits that a frame needs: those of its pixel spacing, and [`GUARD_BITS`], or more where counts have to be certain.
    #[must_use]
    pub fn bits_for(frame: &FrameSpec) -> u32 {
        let depth = (-frame.spacing_log2()).ceil().max(0.0);
        depth as u32
            + match frame.counts {
                Counts::Fast => GUARD_BITS,
                Counts::Settled => SETTLED_GUARD_BITS,
            }
    }

    /// The middle of a frame's view, or the point of the real axis beside it where a row of samples lies on that axis.
    ///
    /// Orbits of such a row are real, and so is then the reference: their deltas have an imaginary part of exactly 0.
    #[must_use]
    pub fn centre_of(frame: &FrameSpec) -> Self {
        let middle = Self::middle_of(frame);
        if frame.transform.is_identity() && frame.axes().1.meets_zero() {
            return Self {
                im: IBig::ZERO,
                ..middle
            };
        }
        middle
    }

    /// The middle of a frame's view.
    #[must_use]
    pub fn middle_of(frame: &FrameSpec) -> Self {
        let bits = Self::bits_for(frame);
        let part = |(numerator, denominator): (IBig, UBig)| fixed(&numerator, &denominator, bits);
        let middle = |low: &Decimal, high: &Decimal| {
            let ((a, b), (c, d)) = (low.to_fraction(), high.to_fraction());
            let sum = a * IBig::from(d.clone()) + c * IBig::from(b.clone());
            part((sum, b * d * UBig::from(2u8)))
        };
        let (re, im) = match &frame.view {
            View::Centre { re, im, .. } => (part(re.to_fraction()), part(im.to_fraction())),
            View::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            } => (middle(xmin, xmax), middle(ymin, ymax)),
        };
        Self { re, im, bits }
    }

    /// How far the samples of a frame lie from this point: (columns, rows), exact up to one rounding each.
    #[must_use]
    pub fn offsets(&self, frame: &FrameSpec) -> (Vec<FloatExp>, Vec<FloatExp>) {
        let (x, y) = frame.axes();
        (self.of_axis(&x, &self.re), self.of_axis(&y, &self.im))
    }

    /// The same of a turned view, whose samples are sums of what their column and their row say: real and imaginary parts
    /// of columns, and of rows. `None` where the view is upright.
    #[must_use]
    pub fn turned_offsets(&self, frame: &FrameSpec) -> Option<[[Vec<FloatExp>; 2]; 2]> {
        let axes = frame.turned_axes()?;
        let [re, im] = &axes.columns;
        // The centre is in the columns.
        let columns = [self.of_axis(re, &self.re), self.of_axis(im, &self.im)];
        let rows = axes.rows.map(|axis| self.of_axis(&axis, &IBig::ZERO));
        Some([columns, rows])
    }

    fn of_axis(&self, axis: &Axis, own: &IBig) -> Vec<FloatExp> {
        /// Bits of a sum from which on the error of its cut parts is less than a double's rounding. One sample at most
        /// lies nearer to the point than that says: 2^-92 of a step.
        const CERTAIN: usize = 100;
        let (first, step, exponent) = self.cut_axis(axis, own);
        let begin = axis.place(0);
        (0..axis.len())
            .map(|index| {
                let offset = &first + &step * IBig::from(axis.place(index) - begin);
                // Such a sample comes from all digits: it may well be the point itself, and 0 is then 0. Where that is the
                // real axis, no orbit leaves it.
                if offset.clone().unsigned_abs().bit_len() < CERTAIN {
                    let (numerator, denominator) = axis.fraction(index);
                    let scale = self.bits as usize;
                    let offset = (numerator << scale) - own * IBig::from(denominator.clone());
                    return FloatExp::from_fraction(&offset, &(denominator << scale));
                }
                FloatExp::from_big(&offset, exponent)
            })
            .collect()
    }

    /// The first offset and the step of an axis in units of 2^exponent, far below the step: the differences are short
    /// numbers, and a division of all digits for each sample would take longer than the picture.
    fn cut_axis(&self, axis: &Axis, own: &IBig) -> (IBig, IBig, i64) {
        /// Bits of the step: its error times the samples is nothing beside a double's rounding.
        const KEPT: i64 = 192;
        let (first, denominator) = axis.fraction(0);
        let scale = self.bits as usize;
        let difference = (&first << scale) - own * IBig::from(denominator.clone());
        let step = axis.step.clone() << scale;
        let denominator = IBig::from(denominator << scale);
        let length = |value: &IBig| {
            i64::try_from(value.clone().unsigned_abs().bit_len()).unwrap_or(i64::MAX)
        };
        // A single sample may have no step.
        let unit = if step == IBig::ZERO {
            &difference
        } else {
            &step
        };
        let shift = KEPT - (length(unit) - length(&denominator));
        let amount = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
        let cut = |value: IBig| {
            if shift >= 0 {
                (value << amount) / &denominator
            } else {
                value / (&denominator << amount)
            }
        };
        (cut(difference), cut(step), -shift)
    }

    /// Distance to the farthest sample of a frame: half its diagonal for the centre.
    #[must_use]
    pub fn reach(&self, frame: &FrameSpec) -> FloatExp {
        if let Some(axes) = frame.turned_axes() {
            return self.turned_reach(&axes);
        }
        let (x, y) = frame.axes();
        let far = |axis: &Axis, own: &IBig| {
            let (first, step, exponent) = self.cut_axis(axis, own);
            let last = &first + step * IBig::from(axis.place(axis.len() - 1) - axis.place(0));
            let [first, last] = [first, last].map(|end| FloatExp::from_big(&end, exponent).abs());
            if first > last { first } else { last }
        };
        ComplexExp::new(far(&x, &self.re), far(&y, &self.im)).abs()
    }

    fn turned_reach(&self, axes: &TurnedAxes) -> FloatExp {
        let ends = |axis: &Axis, own: &IBig| {
            let (first, step, exponent) = self.cut_axis(axis, own);
            let last = &first + step * IBig::from(axis.place(axis.len() - 1) - axis.place(0));
            [first, last].map(|end| FloatExp::from_big(&end, exponent))
        };
        let ([re, im], none) = (&axes.columns, IBig::ZERO);
        let columns = [ends(re, &self.re), ends(im, &self.im)];
        let rows = [ends(&axes.rows[0], &none), ends(&axes.rows[1], &none)];
        farthest(&columns, &rows)
    }

    /// Whether both parts are below `bound` in modulus.
    pub(crate) fn within(&self, bound: f64) -> bool {
        [&self.re, &self.im].into_iter().all(|part| {
            FloatExp::from_big(part, -i64::from(self.bits)).abs() < FloatExp::from_f64(bound)
        })
    }
}
