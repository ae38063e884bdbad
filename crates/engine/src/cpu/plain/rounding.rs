//! What rounding may have moved a plain orbit by.
//!
//! Let ẑ_n be what is computed, z_n the orbit of the sample's exact point, and e_n = ẑ_n - z_n. Then
//! e_(n+1) = 2 ẑ_n e_n - e_n² + ρ_n, where ρ_n is the rounding of the step and that of c. With u = 2^-53 the first part of a
//! step, fma(x, x, fma(-y, y, cx)), errs by u (2 |cx| + 2 y² + x²) at most, the second, fma(2x, y, cy), by
//! u (|cy| + 2 |xy|), and c by u |c|; so |ρ_n| <= u (3 |c| + 2 |z_n|²).
//!
//! As a sum, e_n = Σ r_k P_k, where P_k is the product of all 2 ẑ after step k and |r_k| <= u (3 |c| + 2 |z_k|²) + |e_k|².
//! By Cauchy and Schwarz |e_n|² <= n Σ |r_k P_k|². That sum, W, follows from |z|² alone, without a root:
//! W' = 4 |z|² W + r². For |e_k|² in r stands N W, N being more than the steps of any orbit. All of it is positive, so its own
//! rounding is a small share, which [`ABOVE`] allows for.
//!
//! Orbits whose counts doubles do not tell are made again in pairs of doubles, with the same bound in another u.
//!
//! A count n is settled where |ẑ_n| - E > R and |z_(n-1)| < R for certain: its square is |z_n - c|. An orbit that escaped
//! before would be outside at n - 1 as well, as orbits that come back are not settled this way at all.

use crate::cpu::simd::Simd;

/// Unit roundoff.
const UNIT: f64 = f64::EPSILON / 2.0;
/// u of pairs of doubles: each sum or product of them errs by less than 2^-102 of the moduli of what it is made of.
const PAIRED_UNIT: f64 = f64::from_bits((1023 - 99) << 52);
/// Slightly over 1: more than the rounding of all steps of a bound, up to [`MOST_STEPS`] of them.
const ABOVE: f64 = 1.01;
/// Most steps of an orbit that is followed.
const MOST_STEPS: u64 = 1 << 40;
/// More steps than a block has.
const SPARE_STEPS: u64 = 64;

/// What bounds of one frame's orbits have in common.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu) struct Rounding {
    /// By |z|².
    by_norm2: f64,
    /// Of c.
    by_c: f64,
    /// N.
    steps: f64,
}

impl Rounding {
    /// Of orbits of up to `limit` steps whose |c| is `c_max` at most.
    pub(in crate::cpu) fn new(c_max: f64, limit: u64) -> Self {
        Self::with_unit(UNIT, c_max, limit)
    }

    /// The same of orbits in pairs of doubles.
    pub(super) fn of_pairs(c_max: f64, limit: u64) -> Self {
        Self::with_unit(PAIRED_UNIT, c_max, limit)
    }

    fn with_unit(unit: f64, c_max: f64, limit: u64) -> Self {
        let steps = if limit <= MOST_STEPS {
            ABOVE * (limit + SPARE_STEPS) as f64
        } else {
            f64::INFINITY
        };
        Self {
            by_norm2: ABOVE * 2.0 * unit,
            by_c: ABOVE * 3.0 * unit * c_max,
            steps,
        }
    }

    /// W of z_1 = c.
    pub(super) fn of_c(&self) -> f64 {
        self.by_c * self.by_c
    }

    /// W after a step from a z of this |z|².
    #[inline(always)]
    pub(super) fn next<S: Simd>(&self, s: S, norm2: S::V, off2: S::V) -> S::V {
        let own = s.fma(norm2, s.splat(self.by_norm2), s.splat(self.by_c));
        let own = s.fma(s.splat(self.steps), off2, own);
        let grown = s.mul(norm2, off2);
        s.fma(grown, s.splat(4.0), s.mul(own, own))
    }

    /// E: the bound of |e| after any number of steps, from W.
    fn error(&self, off2: f64) -> f64 {
        (self.steps * off2).sqrt()
    }

    /// The same after `n` steps.
    fn error_after(&self, n: u64, off2: f64) -> f64 {
        (ABOVE * (n + 1) as f64 * off2).sqrt().min(self.error(off2))
    }

    /// Whether an orbit that is `z` after `n` steps, the first one outside of the radius, is that for certain.
    pub(super) fn is_escape(
        &self,
        n: u64,
        z: [f64; 2],
        c: [f64; 2],
        off2: f64,
        radius: f64,
    ) -> bool {
        self.is_beyond(n, z, c, self.error_after(n, off2), radius)
    }

    /// The same of a `z` that may be off by `error`.
    pub(in crate::cpu) fn is_beyond(
        &self,
        n: u64,
        z: [f64; 2],
        c: [f64; 2],
        error: f64,
        radius: f64,
    ) -> bool {
        let before2 = modulus([z[0] - c[0], z[1] - c[1]]) + error + self.by_c;
        let rounded = 4.0 * UNIT * (modulus(z) + modulus(c));
        modulus(z) - error - rounded > radius
            && (n <= 1 || before2 + rounded < radius * radius * (1.0 - 4.0 * UNIT))
    }

    /// Whether an orbit that is at `z`, and was never outside of the radius, never was for certain.
    pub(super) fn is_within(&self, norm2: f64, off2: f64, radius: f64) -> bool {
        self.is_bounded(norm2, self.error(off2), radius)
    }

    /// The same of a z that may be off by `error`.
    pub(in crate::cpu) fn is_bounded(&self, norm2: f64, error: f64, radius: f64) -> bool {
        norm2.sqrt() * (1.0 + 4.0 * UNIT) + error < radius
    }
}

fn modulus([x, y]: [f64; 2]) -> f64 {
    x.mul_add(x, y * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::Portable;

    /// A double-double product and sum, far more exact than what is tested.
    type Pair = [f64; 2];

    fn sum(a: Pair, b: Pair) -> Pair {
        let near = a[0] + b[0];
        let back = near - a[0];
        let lost = (a[0] - (near - back)) + (b[0] - back) + (a[1] + b[1]);
        let whole = near + lost;
        [whole, lost - (whole - near)]
    }

    fn product(a: Pair, b: Pair) -> Pair {
        let near = a[0] * b[0];
        let lost = a[0].mul_add(b[0], -near) + (a[0] * b[1] + a[1] * b[0]);
        let whole = near + lost;
        [whole, lost - (whole - near)]
    }

    #[test]
    fn errors_stay_below_their_bound_and_not_far_below() {
        let (mut seen, mut closest) = (0, 0.0f64);
        for i in 0..400u32 {
            // Points of a spiral around the set, none of which is a double.
            let (turn, size) = (f64::from(i) * 0.618, 0.3 + f64::from(i) / 500.0);
            let c = [
                [size * turn.cos() - 0.4, 3e-18 * f64::from(i % 7)],
                [size * turn.sin(), -2e-18 * f64::from(i % 5)],
            ];
            let rounding = Rounding::new(2.0, 500);
            let (mut x, mut y) = (c[0][0], c[1][0]);
            let (mut exact_x, mut exact_y) = (c[0], c[1]);
            let mut off2 = Portable.splat(rounding.of_c());
            for n in 1..500 {
                let minus = |[near, lost]: Pair| [-near, -lost];
                let twice = |[near, lost]: Pair| [2.0 * near, 2.0 * lost];
                let error = {
                    let [a, b] = [sum([x, 0.0], minus(exact_x)), sum([y, 0.0], minus(exact_y))];
                    modulus([a[0], b[0]])
                };
                let bound = rounding.error_after(n, off2[0]);
                if bound > 1e-6 || x.hypot(y) > 1e3 {
                    break;
                }
                assert!(error <= bound, "{error:e} over {bound:e} at {c:?}, {n}");
                (seen, closest) = (seen + 1, closest.max(error / bound));
                off2 = rounding.next(Portable, Portable.splat(x.mul_add(x, y * y)), off2);
                (x, y) = (
                    x.mul_add(x, (-y).mul_add(y, c[0][0])),
                    (x + x).mul_add(y, c[1][0]),
                );
                (exact_x, exact_y) = (
                    sum(
                        sum(product(exact_x, exact_x), minus(product(exact_y, exact_y))),
                        c[0],
                    ),
                    sum(twice(product(exact_x, exact_y)), c[1]),
                );
            }
        }
        // A bound of half the size would be seen to be wrong within a few times as many orbits.
        assert!(seen > 10_000 && closest > 0.1, "{seen}, {closest}");
    }

    #[test]
    fn a_count_within_its_error_of_the_radius_is_not_settled() {
        let rounding = Rounding::new(1.0, 100);
        let c = [0.5, 0.0];
        let is_escape = |z: [f64; 2], off2: f64| rounding.is_escape(10, z, c, off2, 2.0);
        assert!(is_escape([2.1, 0.0], 1e-20));
        // The error reaches from 2.1 to 2: 11 steps of it.
        assert!(!is_escape([2.1, 0.0], 0.1 * 0.1 / 11.0));
        // |z - c| is the square of the step before: over 4, the count was one less.
        assert!(is_escape([4.4, 0.0], 1e-20) && !is_escape([4.500_001, 0.0], 1e-20));
        assert!(!is_escape([4.5 - 1e-9, 0.0], 1e-18));
        assert!(!is_escape([2.1, 0.0], f64::INFINITY) && !is_escape([2.1, 0.0], f64::NAN));
        assert!(rounding.is_within(3.9, 1e-20, 2.0) && !rounding.is_within(3.9, 1e-4, 2.0));
        assert!(!Rounding::new(1.0, u64::MAX).is_within(0.1, 1e-30, 2.0));
    }
}
