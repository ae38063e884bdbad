//! What rounding and skipping may have moved a delta by.
//!
//! Let ŵ be what is computed, w the delta of the sample's exact point from the reference's exact value Z, and e = ŵ - w. A step
//! w' = 2 Z w + w² + c gives e' = 2 ẑ e - e² + ρ, where ẑ = Z + ŵ and ρ is the rounding of the step. With u = 2^-53, and |ŵ| at
//! most √2 |ẑ| as it is after each rebasing, f = fl(Z + ŵ) errs by 3.5 u |ẑ|, 2 Z + ŵ by 9.3 u |ẑ|, its product with ŵ and the
//! sum with c by 8.3 u |ẑ ŵ| + 2.5 u |c| more, and c itself by u |c| and by what the reference's own rounding amounts to, a shift
//! of C by N 2^-64 of a pixel (`fractal::reference::point`). So |ρ| <= 9 u |2 ẑ| |ŵ| + 3.5 u C + shift, C the largest |c|.
//!
//! As for plain orbits (`cpu::plain::rounding`) |e|² <= T Σ |ρ_k P_k|² after T steps and blocks, where P_k is the product of
//! all 2 ẑ after step k. By the same inequality (a + b + d)² <= (a² + d²) / 0.475 + 20 b²; here a is the rounding by ŵ, d what
//! stands for e², which is the first to tell where an orbit becomes uncertain, and b the rounding of c, mostly far smaller. So in
//! units of (19 u)², a little over 2 (9 u)² / 0.475, that sum is W' = |2 ẑ|² (W + s²) + f² + q W², s being the larger part of ŵ
//! (|ŵ|² <= 2 s²), f² room for c, and q W², with q = (19 u T)² / 0.475, for e². Lanes carry W; a pixel that is by itself R = √W,
//! so that no square leaves the range of doubles.
//!
//! A block of steps adds what it loses (`deep::losses`) and its own rounding, and multiplies R by a bound of its derivative.
//!
//! Pixels whose counts doubles do not tell go again in pairs of doubles, with the same bound in another u: a sum or a product
//! of pairs errs by less than 2^-102 of the sum of the moduli of what it is made of, and two to four of them stand for each
//! rounding above: u = 2^-99.

use fractal::FloatExp;

use super::numbers::{power_of_two, share};
use crate::cpu::simd::{Portable, Simd};
use crate::frame::DeepFrame;

/// Unit roundoff.
const UNIT: f64 = f64::EPSILON / 2.0;
/// u of pairs of doubles.
const PAIRED_UNIT: f64 = f64::from_bits((1023 - 99) << 52);
/// The unit of R, over u.
const STEPS: f64 = 19.0;
/// √20, and √(1 / 0.475), a little over: the weights of the smallest part of a step's error, and of the other two.
const SMALLEST: f64 = 4.4722;
const OTHERS: f64 = 1.451;
/// Slightly over 1: the rounding of bounds themselves, of up to 2^40 steps.
const ABOVE: f64 = 1.01;
/// Rounding of a block's few products, as a share of its sums, over u.
const BLOCK_ROUNDING: f64 = 16.0;
/// log2 of how many units of the reference's last place it may be shifted by in a step.
const SHIFT_LOG2: i64 = 2;
/// log2 of the least that a lane's step is taken to add: its square is a normal number.
const LEAST_LOG2: i64 = -480;
/// More steps than the blocks of lanes have.
const SPARE_STEPS: u64 = 64;

/// The bound of one pixel, in the unit and the exponent of its z.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bound {
    /// R
    pub(super) root: f64,
    /// T: steps and blocks so far.
    pub(super) terms: u64,
}

/// What the bounds of one frame have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounding {
    /// u, and the unit of R.
    unit: f64,
    step: f64,
    /// R of an error of 1.
    over_step: f64,
    /// R of the rounding of c alone, and as a share of C.
    wide_floor: FloatExp,
    floor_share: f64,
    /// f
    floor: f64,
    /// f² of lanes.
    floor2: f64,
    /// C of tails: |c| of the plane.
    plain_c: f64,
    /// C of deltas.
    pub(super) c_max: FloatExp,
    pub(super) near_c_max: f64,
}

/// Whether a sum of squares has lost nothing by the range of doubles that counts.
#[inline(always)]
fn is_safe(squares: f64) -> bool {
    /// 2^-900: squares that are lost are less by far.
    const LEAST: f64 = f64::from_bits((1023 - 900) << 52);
    squares > LEAST && squares < f64::INFINITY
}

/// A bound of √(a² + b²).
#[inline(always)]
pub(super) fn joined(a: f64, b: f64) -> f64 {
    let squares = a.mul_add(a, b * b);
    if is_safe(squares) {
        return squares.sqrt() * (1.0 + 4.0 * UNIT);
    }
    joined_anywhere(a, b)
}

/// The same by its series, without leaving the range of doubles.
#[cold]
#[inline(never)]
fn joined_anywhere(a: f64, b: f64) -> f64 {
    let (large, small) = if a < b { (b, a) } else { (a, b) };
    if large == 0.0 || large.is_infinite() {
        return large + small;
    }
    let ratio = small / large;
    let square = ratio * ratio;
    // The series alternates, and ends here with what it adds. No number stays none: comparisons fail.
    large * (1.0 + square * (0.5 + square * (square / 16.0 - 0.125))) * (1.0 + 8.0 * UNIT)
}

/// |p|, rounded up.
#[inline(always)]
fn modulus(p: [f64; 2]) -> f64 {
    let squares = p[0].mul_add(p[0], p[1] * p[1]);
    if is_safe(squares) {
        return squares.sqrt() * (1.0 + 4.0 * UNIT);
    }
    modulus_anywhere(p)
}

/// The same without leaving the range of doubles.
#[cold]
#[inline(never)]
fn modulus_anywhere([x, y]: [f64; 2]) -> f64 {
    let (x, y) = (x.abs(), y.abs());
    let (large, small) = if x < y { (y, x) } else { (x, y) };
    if large == 0.0 || large.is_infinite() {
        return large + small;
    }
    let ratio = small / large;
    large * (1.0 + ratio * ratio).sqrt() * (1.0 + 4.0 * UNIT)
}

/// The same, up to an eleventh over it, without a root.
#[inline(always)]
pub(super) fn about([x, y]: [f64; 2]) -> f64 {
    /// √2 - 1
    const SHARE: f64 = 0.414_214;
    let (x, y) = (x.abs(), y.abs());
    if x < y {
        SHARE.mul_add(x, y)
    } else {
        SHARE.mul_add(y, x)
    }
}

impl Rounding {
    /// Of a frame whose orbits have `limit` steps at most; `farthest` bounds |c| in the plane.
    pub(super) fn new(deep: &DeepFrame, farthest: f64, limit: u64) -> Self {
        Self::with_unit(deep, UNIT, farthest, limit)
    }

    /// The same of pairs of doubles.
    pub(super) fn of_pairs(deep: &DeepFrame, limit: u64) -> Self {
        Self::with_unit(deep, PAIRED_UNIT, f64::INFINITY, limit)
    }

    fn with_unit(deep: &DeepFrame, unit: f64, farthest: f64, limit: u64) -> Self {
        let c_max = deep.c_max();
        let steps = limit.saturating_add(SPARE_STEPS);
        let step = STEPS * unit;
        let bits = i64::from(deep.orbit.point.bits);
        let shift = FloatExp::new(steps as f64, SHIFT_LOG2 - bits);
        // What a turned view's sums lose, too.
        let sums = if deep.cross.is_some() { 8.0 } else { 0.0 };
        let own = FloatExp::from_f64((3.5 + sums) * unit) * c_max + shift;
        let wide_floor = own * FloatExp::from_f64(ABOVE / step);
        let floor = SMALLEST * wide_floor.to_f64();
        let in_lanes = floor.max(power_of_two(LEAST_LOG2));
        Self {
            unit,
            step,
            over_step: ABOVE / step,
            wide_floor,
            floor: floor.max(f64::MIN_POSITIVE),
            floor_share: share(wide_floor, c_max),
            floor2: in_lanes * in_lanes,
            plain_c: farthest,
            c_max,
            near_c_max: c_max.to_f64(),
        }
    }

    /// √q where at most `more` steps follow.
    #[inline(always)]
    fn root_q(&self, bound: Bound, more: u64) -> f64 {
        OTHERS * ABOVE * self.step * (bound.terms.saturating_add(more) as f64)
    }

    /// q of a lane that makes at most `more` steps.
    #[inline(always)]
    pub(super) fn q(&self, bound: Bound, more: u64) -> f64 {
        let root = self.root_q(bound, more);
        root * root
    }

    /// The bound with one more error.
    #[inline(always)]
    pub(super) fn with(&self, bound: Bound, error: f64) -> Bound {
        Bound {
            root: joined(bound.root, error * self.over_step),
            terms: bound.terms + 1,
        }
    }

    /// R of one error.
    pub(super) fn root_of(&self, error: FloatExp) -> FloatExp {
        error * FloatExp::from_f64(ABOVE / self.step)
    }

    /// W after a lane's step, from |2 ẑ|² and the larger part of ŵ before it, and q.
    #[inline(always)]
    pub(super) fn next<S: Simd>(
        &self,
        s: S,
        growth2: S::V,
        size: S::V,
        off2: S::V,
        q: S::V,
    ) -> S::V {
        let own = s.fma(size, size, off2);
        let squares = s.fma(off2, s.mul(off2, q), s.splat(self.floor2));
        s.fma(growth2, own, squares)
    }

    /// The same of a tail, a plain step in doubles: |ρ| <= u (3 |c| + 2 |z|²), and |2 z|² is `growth2`.
    #[inline(always)]
    pub(super) fn next_plain<S: Simd>(&self, s: S, growth2: S::V, off2: S::V, q: S::V) -> S::V {
        const SHARE: f64 = OTHERS * ABOVE / STEPS;
        let own = s.fma(
            growth2,
            s.splat(0.5 * SHARE),
            s.splat(3.0 * SHARE * self.plain_c),
        );
        let squares = s.fma(off2, s.mul(off2, q), s.mul(own, own));
        s.fma(growth2, off2, squares)
    }

    /// The same of one tail.
    #[inline(always)]
    pub(super) fn next_plain_one(&self, growth2: f64, off2: f64, q: f64) -> f64 {
        let all = |value| Portable.splat(value);
        self.next_plain(Portable, all(growth2), all(off2), all(q))[0]
    }

    /// R of a delta that is c itself, times 2^-`exponent`.
    pub(super) fn of_c(&self, exponent: i64) -> Bound {
        Bound {
            root: self.wide_floor.scaled(exponent).max(f64::MIN_POSITIVE),
            terms: 1,
        }
    }

    /// After a step from ŵ of the size `size`, where |ẑ| is `full`.
    #[inline(always)]
    pub(super) fn step(&self, bound: Bound, full: [f64; 2], size: f64) -> Bound {
        let terms = bound.terms + 1;
        let square = self.root_q(bound, 1) * bound.root * bound.root;
        let growth2 = 4.0 * full[0].mul_add(full[0], full[1] * full[1]);
        let own = bound.root.mul_add(bound.root, size * size);
        let squares = growth2.mul_add(own, self.floor.mul_add(self.floor, square * square));
        let root = if is_safe(squares) {
            squares.sqrt()
        } else {
            let growth = 2.0 * modulus(full);
            let added = joined(joined(bound.root, size) * growth, self.floor);
            joined(added, square)
        };
        Bound {
            root: root * (1.0 + 8.0 * UNIT),
            terms,
        }
    }

    /// The same with exponents; all values are times 2^their own.
    pub(super) fn wide_step(
        &self,
        bound: Bound,
        root: FloatExp,
        full: FloatExp,
        size: FloatExp,
    ) -> FloatExp {
        let growth = full + full;
        let square = FloatExp::from_f64(self.root_q(bound, 1)) * root * root;
        (wide_joined(root, size) * growth + self.wide_floor + square)
            * FloatExp::from_f64(1.0 + 32.0 * UNIT)
    }

    /// After a block whose derivative is `growth` at most, which makes `by_z` of z and `by_c` of C, and loses `lost` in all.
    #[inline(always)]
    pub(super) fn block(
        &self,
        bound: Bound,
        growth: f64,
        [by_z, by_c]: [f64; 2],
        lost: f64,
    ) -> Bound {
        let rounded = lost + BLOCK_ROUNDING * self.unit * (by_z + by_c);
        self.polynomial(bound, growth, by_c, rounded)
    }

    /// The same after a polynomial, where `lost` has its rounding, too.
    #[inline(always)]
    pub(super) fn polynomial(&self, bound: Bound, growth: f64, by_c: f64, lost: f64) -> Bound {
        // What C is off by is off in every step.
        let own = lost * self.over_step + by_c * self.floor_share + f64::MIN_POSITIVE;
        Bound {
            root: joined(growth * bound.root, own) * (1.0 + 16.0 * UNIT),
            terms: bound.terms + 1,
        }
    }

    /// The same with exponents.
    pub(super) fn wide_block(
        &self,
        root: FloatExp,
        growth: FloatExp,
        [by_z, by_c]: [FloatExp; 2],
        lost: FloatExp,
    ) -> FloatExp {
        let number = FloatExp::from_f64;
        let rounded = lost + (by_z + by_c) * number(BLOCK_ROUNDING * self.unit);
        let own = rounded * number(ABOVE / self.step) + by_c * number(self.floor_share);
        wide_joined(growth * root, own) * number(1.0 + 32.0 * UNIT)
    }

    /// After a step of a tile's points: |ẑ| is `full` at most, |ŵ| no more than the centre's `centre` and the `spread` of the
    /// others, which may be larger than |ẑ|. The rounding is 10 u (|ẑ| + |ŵ|) |ŵ| then, and some times as much of what
    /// coefficients spread over.
    pub(super) fn tile_step(
        &self,
        bound: Bound,
        root: FloatExp,
        full: FloatExp,
        centre: FloatExp,
        spread: FloatExp,
    ) -> FloatExp {
        const SHARE: f64 = 10.0 * ABOVE / STEPS;
        let number = FloatExp::from_f64;
        let own = (full + centre + spread) * (centre + spread * number(3.0)) * number(SHARE);
        let square = number(self.root_q(bound, 1)) * root * root;
        let all = wide_joined((full + full) * root, own + self.wide_floor + square);
        all * number(1.0 + 32.0 * UNIT)
    }

    /// After a rebasing by which Z and ŵ were summed to `full`.
    #[inline(always)]
    pub(super) fn rebased(&self, bound: Bound, reference: [f64; 2], full: [f64; 2]) -> Bound {
        let rounded = (about(reference) + about(full)) * (1.1 / STEPS);
        Bound {
            root: joined(bound.root, rounded),
            terms: bound.terms + 1,
        }
    }

    /// The same with exponents.
    pub(super) fn wide_rebased(
        &self,
        root: FloatExp,
        reference: FloatExp,
        full: FloatExp,
    ) -> FloatExp {
        wide_joined(root, (reference + full) * FloatExp::from_f64(1.1 / STEPS))
    }

    /// What the sum of a reference value and a delta to `full` may be off by in doubles.
    pub(super) fn of_sum(&self, reference: [f64; 2], full: [f64; 2]) -> f64 {
        ABOVE * UNIT * (about(reference) + 2.0 * about(full))
    }

    /// Whether E is less than 1 / `inverse`, which is no less than 2^-400.
    #[inline(always)]
    pub(super) fn is_below(&self, bound: Bound, inverse: f64) -> bool {
        let share = self.step * ABOVE * bound.root * inverse;
        share * share * ((bound.terms + 1) as f64) < 1.0
    }

    /// E: the bound of |e|, times 2^-exponent as R is.
    #[inline(always)]
    pub(super) fn error(&self, bound: Bound) -> f64 {
        self.step * ABOVE * bound.root * ((bound.terms + 1) as f64).sqrt()
    }
}

/// √(a² + b²), rounded up.
pub(super) fn wide_joined(a: FloatExp, b: FloatExp) -> FloatExp {
    (a * a + b * b).sqrt() * FloatExp::from_f64(1.0 + 8.0 * UNIT)
}
