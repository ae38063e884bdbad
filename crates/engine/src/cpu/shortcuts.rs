//! Points that are known to lie inside without iterating.
//!
//! Both tests are exact descriptions of the set's two largest parts, taken with a margin that is far
//! above the rounding of their evaluation, so they never claim a point that is outside. The orbit
//! must begin at z₀ = 0, and the escape radius be at least 2.

use super::simd::Simd;

/// How far inside a point must be to be claimed: rounding errs by less than 1e-14 here. The rest of the
/// margin keeps away from orbits that are so slow to settle that rounding might carry them off.
const MARGIN: f64 = 1.0 / (1u64 << 30) as f64;

/// The lanes whose c is inside the main cardioid, q (q + (x - 1/4)) <= y²/4 with q = (x - 1/4)² + y², or
/// inside the disc of period 2, (x + 1)² + y² <= 1/16.
///
/// Both follow from |multiplier| <= 1 of the fixed point and of the cycle of two.
#[inline(always)]
pub(super) fn inside<S: Simd>(s: S, cx: S::V, cy: S::V) -> u32 {
    let y2 = s.mul(cy, cy);
    let p = s.add(cx, s.splat(-0.25));
    let q = s.fma(p, p, y2);
    let cardioid = s.fma(q, s.add(q, p), s.splat(MARGIN));
    let r = s.add(cx, s.splat(1.0));
    let disc = s.fma(r, r, y2);
    s.bits(s.le(cardioid, s.mul(y2, s.splat(0.25)))) | s.bits(s.le(disc, s.splat(0.0625 - MARGIN)))
}
