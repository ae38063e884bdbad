//! What a pixel may be off by, after blocks and at its end.

use super::pixel::{End, Pixel, norm2, size};
use crate::cpu::deep::frame::Deep;
use crate::cpu::deep::numbers::{modulus, power_of_two};
use crate::cpu::deep::rounding::{Bound, about};
use crate::cpu::plan::Plan;
use crate::deep::bla::Entry;
use crate::deep::jets::{Jet, PolynomialLoss};

impl End {
    /// Whether its count is certain, of a point c rounded to doubles; bounds are those of orbits that stay outside.
    pub(in crate::cpu::deep) fn is_certain(&self, plan: &Plan, c: [f64; 2]) -> bool {
        plan.outside_for_good
            && if self.count == 0 {
                plan.rounding
                    .is_bounded(self.norm2(), self.error, plan.radius.radius)
            } else {
                plan.rounding
                    .is_beyond(self.count, self.z, c, self.error, plan.radius.radius)
            }
    }
}

impl Pixel {
    /// Moves a pixel whose delta is larger than its orbit to the start of the reference, where the tile it comes from has not:
    /// bounds of steps are those of deltas that are not.
    pub(in crate::cpu::deep) fn rebase_alone(&mut self, deep: &Deep<'_>) {
        let full = self.full(deep);
        if size(full) >= size(self.z) * power_of_two(self.exponent) || self.m == 0 {
            return;
        }
        if self.exponent != 0 {
            self.bound.root = f64::INFINITY;
            return;
        }
        let reference = deep.orbit.values[self.m as usize];
        self.bound = deep.rounding.rebased(self.bound, reference, full);
        (self.z, self.m) = (full, 0);
    }

    /// Follows the bound through a jet of `steps` steps, for its `u` and `w`; the jet's |dz'/dz|².
    ///
    /// An error e of z becomes e times a derivative somewhere between the two values of u, which is no more than `slack` from
    /// that at `u` (see [`PolynomialLoss`]).
    #[inline(always)]
    pub(super) fn follow_bound(
        &mut self,
        deep: &Deep<'_>,
        jet: &Jet,
        [u, w]: [[f64; 2]; 2],
        steps: u64,
    ) -> f64 {
        const INNER: f64 = PolynomialLoss::INNER;
        let loss = deep.losses.polynomial(steps, self.m);
        let is_exact = (deep.rounding).is_below(self.bound, jet.inverse * (2.0 / INNER));
        let linear = modulus(jet.a);
        let by_u = modulus(jet.by_u(u, w));
        let size = about(u).min(1.0);
        let lost = linear * loss.lost_at(size);
        let by_c = linear * f64::from(loss.of_c);
        let scale = linear * jet.inverse;
        let growth = scale * (by_u + f64::from(loss.slack));
        self.bound = deep.rounding.polynomial(self.bound, growth, by_c, lost);
        // Also where no bound is known.
        if !(is_exact && norm2(u) < (1.0 - INNER) * (1.0 - INNER)) {
            self.bound.root = f64::INFINITY;
        }
        (scale * by_u) * (scale * by_u)
    }

    /// The same after a block of linear and square terms, in doubles, whose derivative is `tangent`.
    #[inline(always)]
    pub(super) fn bound_after_block(
        &self,
        deep: &Deep<'_>,
        entry: &Entry,
        tangent: [f64; 2],
        steps: u64,
    ) -> Bound {
        let loss = deep.losses.loss(steps, self.m);
        let (of_z, of_c) = (f64::from(loss.of_z), f64::from(loss.of_c));
        let by_z = about(entry.a) * about(self.z);
        let by_c = about(entry.b) * deep.rounding.near_c_max;
        let growth = modulus(tangent) * (1.0 + 8.0 * of_z);
        deep.rounding
            .block(self.bound, growth, [by_z, by_c], of_z * by_z + of_c * by_c)
    }

    /// What z may be off by where it is `full` beside the reference; 0 where counts need not be certain.
    #[inline(always)]
    pub(super) fn error(&self, deep: &Deep<'_>, full: [f64; 2]) -> f64 {
        if deep.settled {
            self.known_error(deep, full)
        } else {
            0.0
        }
    }

    #[inline(never)]
    fn known_error(&self, deep: &Deep<'_>, full: [f64; 2]) -> f64 {
        deep.rounding.error(self.bound) * power_of_two(self.exponent)
            + deep
                .rounding
                .of_sum(deep.orbit.values[self.m as usize], full)
    }
}
