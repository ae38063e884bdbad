//! The point C of a reference orbit, exact.

use dashu_int::{IBig, UBig};

use crate::axis::Axis;
use crate::floatexp::FloatExp;
use crate::frame::FrameSpec;
use crate::view::View;

/// Bits beyond those that tell pixels apart. An orbit's rounding errors grow as its derivative does, and so does the
/// distance between the orbits of neighbouring pixels: what counts is that one is far below the other.
pub const GUARD_BITS: u32 = 64;

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

/// `floor(numerator / denominator * 2^bits)`
fn fixed(numerator: &IBig, denominator: &UBig, bits: u32) -> IBig {
    // Shifted up so far that flooring towards zero of a negative number cannot matter: half a guard bit.
    (numerator << bits as usize) / IBig::from(denominator.clone())
}

impl ReferencePoint {
    /// Fractional bits that a frame needs: those of its pixel spacing, and [`GUARD_BITS`].
    #[must_use]
    pub fn bits_for(frame: &FrameSpec) -> u32 {
        let depth = (-frame.spacing_log2()).ceil().max(0.0);
        depth as u32 + GUARD_BITS
    }

    /// The middle of a frame's view.
    #[must_use]
    pub fn centre_of(frame: &FrameSpec) -> Self {
        let bits = Self::bits_for(frame);
        let part = |(numerator, denominator): (IBig, UBig)| fixed(&numerator, &denominator, bits);
        let middle = |low: &crate::Decimal, high: &crate::Decimal| {
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

    fn of_axis(&self, axis: &Axis, own: &IBig) -> Vec<FloatExp> {
        // All over one denominator, and the differences are short numbers again: cut to what matters of them.
        let (first, denominator) = axis.fraction(0);
        let (second, _) = axis.fraction(1);
        let step = &second - &first;
        let scale = self.bits as usize;
        let mut difference = (first << scale) - own * IBig::from(denominator.clone());
        let step = step << scale;
        let denominator = denominator << scale;
        (0..axis.len())
            .map(|_| {
                let offset = FloatExp::from_fraction(&difference, &denominator);
                difference += &step;
                offset
            })
            .collect()
    }
}
