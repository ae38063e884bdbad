//! Pairs of vectors: each lane's number is the sum of its two.

use crate::cpu::simd::Simd;

/// A number of each lane.
pub(super) type Wide<S> = (<S as Simd>::V, <S as Simd>::V);

/// a + b, exact (Knuth).
#[inline(always)]
fn exact_sum<S: Simd>(s: S, a: S::V, b: S::V) -> Wide<S> {
    let sum = s.add(a, b);
    let back = s.sub(sum, a);
    (sum, s.add(s.sub(a, s.sub(sum, back)), s.sub(b, back)))
}

/// a - b, exact.
#[inline(always)]
fn exact_difference<S: Simd>(s: S, a: S::V, b: S::V) -> Wide<S> {
    let sum = s.sub(a, b);
    let back = s.sub(sum, a);
    (sum, s.sub(s.sub(a, s.sub(sum, back)), s.add(b, back)))
}

/// a b, its second part negated.
#[inline(always)]
fn product<S: Simd>(s: S, a: Wide<S>, b: Wide<S>) -> Wide<S> {
    let high = s.mul(a.0, b.0);
    let rest = s.fnma(a.0, b.0, high);
    (high, s.fnma(a.0, b.1, s.fnma(a.1, b.0, rest)))
}

/// a + b + c and `rest`, of which the last one is far smaller.
#[inline(always)]
fn sum_with<S: Simd>(s: S, (a, a_rest): Wide<S>, c: Wide<S>, rest: S::V) -> Wide<S> {
    let (high, high_rest) = exact_sum(s, a, c.0);
    let low = s.add(s.add(a_rest, high_rest), s.add(rest, c.1));
    let sum = s.add(high, low);
    (sum, s.sub(low, s.sub(sum, high)))
}

/// 2 Z + z, whose parts may overlap.
#[inline(always)]
pub(super) fn twice_plus<S: Simd>(s: S, reference: Wide<S>, z: Wide<S>) -> Wide<S> {
    let (high, rest) = exact_sum(s, s.add(reference.0, reference.0), z.0);
    (high, s.add(rest, s.fma(s.splat(2.0), reference.1, z.1)))
}

/// p q + r
#[inline(always)]
pub(super) fn times_plus<S: Simd>(
    s: S,
    p: [Wide<S>; 2],
    q: [Wide<S>; 2],
    r: [Wide<S>; 2],
) -> [Wide<S>; 2] {
    let (xx, yy) = (product(s, p[0], q[0]), product(s, p[1], q[1]));
    let (xy, yx) = (product(s, p[0], q[1]), product(s, p[1], q[0]));
    let re = exact_difference(s, xx.0, yy.0);
    let im = exact_sum(s, xy.0, yx.0);
    let none = s.splat(0.0);
    [
        sum_with(s, re, r[0], s.sub(yy.1, xx.1)),
        sum_with(s, im, r[1], s.sub(none, s.add(xy.1, yx.1))),
    ]
}
