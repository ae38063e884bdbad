//! Pairs of vectors: each lane's number is the sum of its two.

use super::simd::Simd;

/// A number of each lane.
pub(in crate::cpu) type Wide<S> = (<S as Simd>::V, <S as Simd>::V);

/// High and low parts of both parts of a complex number of each lane, in memory.
pub(in crate::cpu) type Lanes = [[[f64; 8]; 2]; 2];

/// From memory.
#[inline(always)]
pub(in crate::cpu) fn load<S: Simd>(s: S, [re, im]: &Lanes) -> [Wide<S>; 2] {
    [
        (s.load(&re[0]), s.load(&re[1])),
        (s.load(&im[0]), s.load(&im[1])),
    ]
}

/// To memory.
#[inline(always)]
pub(in crate::cpu) fn store<S: Simd>(s: S, to: &mut Lanes, from: [Wide<S>; 2]) {
    for (to, from) in to.iter_mut().zip(from) {
        s.store(&mut to[0], from.0);
        s.store(&mut to[1], from.1);
    }
}

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
pub(in crate::cpu) fn twice_plus<S: Simd>(s: S, reference: Wide<S>, z: Wide<S>) -> Wide<S> {
    let (high, rest) = exact_sum(s, s.add(reference.0, reference.0), z.0);
    (high, s.add(rest, s.fma(s.splat(2.0), reference.1, z.1)))
}

/// z² + c
#[inline(always)]
pub(in crate::cpu) fn square_plus<S: Simd>(s: S, z: [Wide<S>; 2], c: [Wide<S>; 2]) -> [Wide<S>; 2] {
    let [x, y] = z;
    let (xx, yy) = (product(s, x, x), product(s, y, y));
    let twice_x = (s.add(x.0, x.0), s.add(x.1, x.1));
    let xy = product(s, twice_x, y);
    let none = s.splat(0.0);
    let re = exact_difference(s, xx.0, yy.0);
    [
        sum_with(s, re, c[0], s.sub(yy.1, xx.1)),
        sum_with(s, (xy.0, none), c[1], s.sub(none, xy.1)),
    ]
}

/// p q + r
#[inline(always)]
pub(in crate::cpu) fn times_plus<S: Simd>(
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

#[cfg(test)]
mod tests {
    use dashu_int::IBig;

    use super::*;
    use crate::cpu::simd::Portable;

    type Values = <Portable as Simd>::V;

    /// log2 of the unit of exact numbers.
    const BITS: usize = 1200;

    fn whole(value: f64) -> IBig {
        let raw = value.to_bits();
        let mantissa = raw & ((1 << 52) - 1) | 1 << 52;
        let size = IBig::from(mantissa) << (BITS + (raw >> 52 & 0x7ff) as usize - 1075);
        match value {
            0.0 => IBig::ZERO,
            _ if value < 0.0 => -size,
            _ => size,
        }
    }

    fn exact((high, low): (Values, Values)) -> IBig {
        whole(high[0]) + whole(low[0])
    }

    fn size(value: &IBig) -> IBig {
        if *value < IBig::ZERO {
            -value
        } else {
            value.clone()
        }
    }

    /// Whether `made` is `wanted` but for 2^-102 of `of`.
    fn is_near(made: (Values, Values), wanted: IBig, of: &IBig) -> bool {
        size(&(exact(made) - wanted)) << 102 <= *of
    }

    #[test]
    fn steps_err_by_less_than_their_unit() {
        let s = Portable;
        let mut state = 7u64;
        let mut next = |scale: f64| {
            state = state
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            let unit = (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
            unit * scale
        };
        for round in 0..4000 {
            // Sums that cancel, too.
            let close = round % 3 == 0;
            let mut pair = |scale: f64| {
                let high = next(scale);
                (s.splat(high), s.splat(next(high.abs() * f64::EPSILON)))
            };
            let mut p = [pair(4.0), pair(4.0)];
            let (q, mut r) = ([pair(3.0), pair(3.0)], [pair(2.0), pair(2.0)]);
            if close {
                p[0] = p[1];
                r[0].0 = s.splat(-(p[0].0[0] * q[0].0[0] - p[1].0[0] * q[1].0[0]));
            }
            let [px, py, qx, qy, rx, ry] = [p[0], p[1], q[0], q[1], r[0], r[1]].map(exact);
            let shift = |product: IBig| product >> BITS;
            let of =
                shift((size(&px) + size(&py)) * (size(&qx) + size(&qy))) + size(&rx) + size(&ry);
            let [x, y] = times_plus(s, p, q, r);
            assert!(is_near(x, shift(&px * &qx) - shift(&py * &qy) + &rx, &of));
            assert!(is_near(y, shift(&px * &qy) + shift(&py * &qx) + &ry, &of));
            let of =
                shift((size(&px) + size(&py)) * (size(&px) + size(&py))) + size(&rx) + size(&ry);
            let [x, y] = square_plus(s, p, r);
            assert!(is_near(x, shift(&px * &px) - shift(&py * &py) + &rx, &of));
            assert!(is_near(y, shift(IBig::from(2) * &px * &py) + &ry, &of));
            let sum = twice_plus(s, p[0], q[0]);
            assert!(is_near(
                sum,
                IBig::from(2) * &px + &qx,
                &(size(&px) + size(&qx))
            ));
        }
    }
}
