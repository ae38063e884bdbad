//! Orbits as deltas along a reference, in doubles, and discs of them with a bound of all that moves them.
//!
//! A delta's step is z' = (Z + (Z + z)) z + c, c the delta of its point. It goes over to the start of the reference where
//! Z + z is smaller than z, and at the reference's end, as the kernels' deltas do. With a reference that stays at 0 the
//! same steps are those of plain orbits, z' = z² + c.

use fractal::ReferenceOrbit;

use crate::deep::complex::{add, mul};
use crate::deep::minibrot::{ROUNDING, modulus, sum_norm};

/// Over 1 by more than the rounding of all operations of a radius' step.
const ABOVE: f64 = 1.0 + 16.0 * f64::EPSILON;
/// More than what a number loses that falls below the range of doubles, as all numbers of a step do together.
const TINY: f64 = f64::from_bits((1023 - 900) << 52); // 2^-900

/// A reference orbit in doubles.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    values: &'a [[f64; 2]],
    last: usize,
}

/// Where an orbit is: its delta from the reference's value at `m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) z: [f64; 2],
    pub(super) m: usize,
}

impl Place {
    /// Of an orbit at `z` that is at the start of the reference.
    pub(super) const fn at(z: [f64; 2]) -> Self {
        Self { z, m: 0 }
    }
}

/// A disc around an orbit's place, with a centre that moves as c does.
#[derive(Clone, Copy, Debug)]
pub(super) struct MovingDisc {
    pub(super) place: Place,
    /// By how much the centre moves when c does.
    pub(super) slope: [f64; 2],
    pub(super) radius: f64,
}

/// The larger of |re| and |im|.
#[inline(always)]
fn size(p: [f64; 2]) -> f64 {
    p[0].abs().max(p[1].abs())
}

impl Course<'static> {
    /// That of plain orbits, whose deltas are themselves.
    pub const PLAIN: Self = Self {
        values: &[[0.0; 2]; 2],
        last: 1,
    };
}

impl<'a> Course<'a> {
    /// Along a reference that begins at 0.
    #[must_use]
    pub fn along(orbit: &'a ReferenceOrbit) -> Self {
        Self {
            values: &orbit.values,
            last: orbit.steps() as usize,
        }
    }

    /// Z + z
    #[inline(always)]
    pub(super) fn full(&self, place: Place) -> [f64; 2] {
        add(self.values[place.m], place.z)
    }

    /// One step.
    #[inline(always)]
    pub(super) fn step(&self, Place { z, m }: Place, c: [f64; 2]) -> Place {
        let reference = self.values[m];
        // Unfused: most builds of this have no instruction for fused ones.
        let z = add(mul(add(reference, add(reference, z)), z), c);
        let m = m + 1;
        let full = add(self.values[m], z);
        if m == self.last || size(full) < size(z) {
            return Place::at(full);
        }
        Place { z, m }
    }

    /// One step of a disc that moves with c: all z + a g + h with |h| <= `radius`, for the c + g with |g| <= `spread`, where
    /// a is `slope`.
    ///
    /// With Z + e the true reference, |e| <= rho |Z|, and d = a g + h, the true delta goes to (2 (Z + e) + z + d)(z + d) + c + g.
    /// Of this (2Z + z) z + c is the next z, 2 (Z + z) a g + g moves with c, and 2 (Z + z) h + d² + 2e (z + d) is left, whose
    /// modulus the next radius bounds. Rounding adds at most rho (|Z| + |Z + z|) |z| to the next z, rho |c| twice (c was rounded
    /// itself), and rho (4 |Z + z| |a| + 2 |Z| |a| + 1) |g| to the next a g. At the start of the reference Z is no part of a delta
    /// any more: its error becomes the delta's.
    #[inline(always)]
    pub(super) fn step_of_disc(&self, disc: MovingDisc, c: [f64; 2], spread: f64) -> MovingDisc {
        let MovingDisc {
            place,
            slope,
            radius,
        } = disc;
        let reference = self.values[place.m];
        let full = add(reference, place.z);
        let (far, size, steep) = (sum_norm(reference), sum_norm(place.z), sum_norm(slope));
        let out = sum_norm(full);
        let wide = modulus(slope) * spread + radius;
        let rounding = 2.0 * far * (size + wide)
            + (far + out) * size
            + 2.0 * sum_norm(c)
            + ((4.0 * out + 2.0 * far) * steep + 1.0) * spread;
        let left = 2.0 * modulus(full) * radius + wide * wide;
        let mut radius = (left + ROUNDING * rounding + TINY) * ABOVE;
        let next = self.step(place, c);
        if next.m == 0 {
            let far = sum_norm(self.values[place.m + 1]);
            radius = (radius + ROUNDING * (far + sum_norm(next.z))) * ABOVE;
        }
        MovingDisc {
            place: next,
            slope: add(mul(add(full, full), slope), [1.0, 0.0]),
            radius,
        }
    }

    /// What is not exact about Z + z, where an orbit is as a point of the plane.
    pub(super) fn rounding(&self, place: Place) -> f64 {
        ROUNDING * (sum_norm(self.values[place.m]) + sum_norm(self.full(place)))
    }
}
