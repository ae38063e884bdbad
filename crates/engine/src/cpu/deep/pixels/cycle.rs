//! Orbits that repeat themselves exactly.
//!
//! After a rebasing a pixel's whole state is its z: the reference begins anew, and what follows is a function of z
//! alone, as long as blocks do not end at the iteration limit. If the same z comes twice, bit for bit, so does everything
//! between, for ever. Whole cycles are then jumped over, and what is left before the limit is iterated, so every value
//! is the one that all steps would have led to. Pixels that an attracting cycle has caught get there by rounding.

use super::pixel::Pixel;

/// What a pixel's returns to the start of the reference are compared with (Brent, 1980).
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    z: [f64; 2],
    exponent: i64,
    n: u64,
    returns: u64,
    /// The return at which the next state is kept.
    next: u64,
}

impl Watch {
    /// Nothing has been seen; nor will it be where cycles are not looked for.
    pub(super) const fn new(on: bool) -> Self {
        Self {
            z: [f64::NAN; 2],
            exponent: 0,
            n: 0,
            returns: 0,
            next: if on { 4 } else { u64::MAX },
        }
    }

    /// Looks at a pixel that is at the start of the reference. If it has been there before, it is made older by all
    /// whole cycles that fit in before `limit`.
    #[inline(always)]
    pub(super) fn look(&mut self, pixel: &mut Pixel, limit: u64) {
        if pixel.z == self.z && pixel.exponent == self.exponent {
            let cycle = (pixel.n - self.n).max(1);
            pixel.n += limit.saturating_sub(pixel.n) / cycle * cycle;
        }
        self.returns += 1;
        if self.returns >= self.next {
            self.next = 2 * self.returns;
            (self.z, self.exponent, self.n) = (pixel.z, pixel.exponent, pixel.n);
        }
    }
}
