//! Numbers of two doubles, some 2^-104 of themselves exact, and complex numbers of them with an exponent.

use fractal::{FloatExp, ReferenceOrbit};

/// A number as the sum of two doubles that do not overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pair(pub(crate) f64, pub(crate) f64);

impl Pair {
    /// a + b, exact, of which |a| >= |b|.
    #[inline(always)]
    pub(crate) fn of_sorted(a: f64, b: f64) -> Self {
        let sum = a + b;
        Self(sum, b - (sum - a))
    }

    /// a + b, exact (Knuth).
    #[inline(always)]
    pub(crate) fn of_sum(a: f64, b: f64) -> Self {
        let sum = a + b;
        let back = sum - a;
        Self(sum, (a - (sum - back)) + (b - back))
    }

    /// a b, exact (Dekker): not every processor that this is built for has an instruction for it.
    pub(crate) fn of_product(a: f64, b: f64) -> Self {
        const SPLIT: f64 = ((1u64 << 27) + 1) as f64;
        let halves = |a: f64| {
            let far = SPLIT * a;
            let high = far - (far - a);
            (high, a - high)
        };
        let ((ah, al), (bh, bl)) = (halves(a), halves(b));
        let product = a * b;
        let rest = ((ah * bh - product) + ah * bl + al * bh) + al * bl;
        Self(product, rest)
    }

    /// Plus a number that is no larger.
    #[inline(always)]
    pub(crate) fn plus_small(self, small: f64) -> Self {
        let sum = Self::of_sorted(self.0, small);
        Self::of_sorted(sum.0, sum.1 + self.1)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let (high, low) = (Self::of_sum(self.0, other.0), Self::of_sum(self.1, other.1));
        let sum = Self::of_sorted(high.0, high.1 + low.0);
        Self::of_sorted(sum.0, sum.1 + low.1)
    }

    pub(crate) fn times(self, other: Self) -> Self {
        let high = Self::of_product(self.0, other.0);
        Self::of_sorted(high.0, high.1 + (self.0 * other.1 + self.1 * other.0))
    }

    pub(crate) fn negated(self) -> Self {
        Self(-self.0, -self.1)
    }

    pub(crate) fn scaled(self, by: f64) -> Self {
        Self(self.0 * by, self.1 * by)
    }
}

/// a b, not summed up.
#[inline(always)]
fn product(a: Pair, b: Pair) -> Pair {
    let high = a.0 * b.0;
    let rest = a.0.mul_add(b.0, -high);
    Pair(high, a.0.mul_add(b.1, a.1.mul_add(b.0, rest)))
}

/// a + b + c
#[inline(always)]
fn sum_of(a: Pair, b: Pair, c: Pair) -> Pair {
    let first = Pair::of_sum(a.0, b.0);
    let second = Pair::of_sum(first.0, c.0);
    let rest = (first.1 + second.1) + ((a.1 + b.1) + c.1);
    Pair::of_sorted(second.0, rest)
}

/// p q + r, as exact as 2^-102 (|p| |q| + |r|); fast where the processor has fused products.
#[inline(always)]
pub(crate) fn times_plus(p: [Pair; 2], q: [Pair; 2], r: [Pair; 2]) -> [Pair; 2] {
    let (xx, yy) = (product(p[0], q[0]), product(p[1], q[1]));
    let (xy, yx) = (product(p[0], q[1]), product(p[1], q[0]));
    [sum_of(xx, Pair(-yy.0, -yy.1), r[0]), sum_of(xy, yx, r[1])]
}

/// A complex number of pairs times a power of two.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Complex {
    pub(crate) re: Pair,
    pub(crate) im: Pair,
    pub(crate) exponent: i64,
}

/// 2^`n`, 0 far below the range of doubles.
fn power_of_two(n: i64) -> f64 {
    FloatExp::new(1.0, n).to_f64()
}

impl Complex {
    pub(crate) const ONE: Self = Self {
        re: Pair(1.0, 0.0),
        im: Pair(0.0, 0.0),
        exponent: 0,
    };

    pub(crate) const ZERO: Self = Self {
        re: Pair(0.0, 0.0),
        im: Pair(0.0, 0.0),
        exponent: 0,
    };

    /// Its parts times 2^-`exponent`, as far as doubles reach.
    pub(crate) fn in_units_of(self, exponent: i64) -> [Pair; 2] {
        // In two steps: each factor is a double where the result is one.
        let by = self.exponent - exponent;
        let (half, rest) = (power_of_two(by / 2), power_of_two(by - by / 2));
        [self.re, self.im].map(|part| part.scaled(half).scaled(rest))
    }

    /// With a larger part of 1 to 2.
    pub(crate) fn normal(self) -> Self {
        let size = self.re.0.abs().max(self.im.0.abs());
        if size == 0.0 || !size.is_finite() {
            return self;
        }
        let exponent = FloatExp::from_f64(size).exponent();
        let by = power_of_two(-exponent);
        Self {
            re: self.re.scaled(by),
            im: self.im.scaled(by),
            exponent: self.exponent + exponent,
        }
    }

    /// 2^`exponent` times these parts.
    pub(crate) fn new([re, im]: [Pair; 2], exponent: i64) -> Self {
        Self { re, im, exponent }.normal()
    }

    /// The same number of an exponent beside each part.
    pub(crate) fn of(parts: [[FloatExp; 2]; 2]) -> Self {
        let [re, im] = parts.map(|[high, low]| {
            let exponent = high.exponent();
            let part = |value: FloatExp| {
                if value.is_zero() {
                    0.0
                } else {
                    value.scaled(exponent)
                }
            };
            (Pair(part(high), part(low)), exponent)
        });
        let of = |(part, exponent): (Pair, i64)| Self {
            re: part,
            im: Pair::default(),
            exponent,
        };
        let turned = |p: Self| Self {
            re: p.im,
            im: p.re,
            ..p
        };
        if re.0.0 == 0.0 {
            return turned(of(im)).normal();
        }
        if im.0.0 == 0.0 {
            return of(re).normal();
        }
        of(re).plus(turned(of(im)))
    }

    /// Its larger part is this times 2^`exponent`.
    pub(crate) fn size(self) -> f64 {
        self.re.0.abs().max(self.im.0.abs())
    }

    /// A bound of its modulus.
    pub(crate) fn abs(self) -> FloatExp {
        let [x, y] = [self.re.0, self.im.0];
        FloatExp::new(
            (x * x + y * y).sqrt() * (1.0 + 4.0 * f64::EPSILON),
            self.exponent,
        )
    }

    /// 2 Z_m
    pub(crate) fn twice(orbit: &ReferenceOrbit, lows: &[[f64; 2]], m: u64) -> Self {
        let z = orbit.at(m);
        let exponent = z.re.exponent().max(z.im.exponent());
        let [x, y] = orbit.values[m as usize];
        if FloatExp::from_f64(x.abs().max(y.abs())).exponent() == exponent {
            let [low_x, low_y] = lows[m as usize];
            let value = Self {
                re: Pair(x, low_x),
                im: Pair(y, low_y),
                exponent: 1,
            };
            return value.normal();
        }
        Self {
            re: Pair(z.re.scaled(exponent), 0.0),
            im: Pair(z.im.scaled(exponent), 0.0),
            exponent: exponent + 1,
        }
    }

    pub(crate) fn times(self, other: Self) -> Self {
        let re = self
            .re
            .times(other.re)
            .plus(self.im.times(other.im).negated());
        let im = self.re.times(other.im).plus(self.im.times(other.re));
        let exponent = self.exponent + other.exponent;
        Self { re, im, exponent }.normal()
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let (large, small) = if self.exponent < other.exponent {
            (other, self)
        } else {
            (self, other)
        };
        let by = power_of_two(small.exponent - large.exponent);
        Self {
            re: large.re.plus(small.re.scaled(by)),
            im: large.im.plus(small.im.scaled(by)),
            exponent: large.exponent,
        }
        .normal()
    }

    /// Its parts rounded, times 2^-`exponent`.
    pub(crate) fn rounded(self, exponent: i64) -> [f64; 2] {
        [self.re, self.im].map(|part| FloatExp::new(part.0, self.exponent - exponent).to_f64())
    }

    /// Times a number.
    pub(crate) fn scaled(self, by: FloatExp) -> Self {
        let factor = Self {
            re: Pair(by.mantissa(), 0.0),
            im: Pair(0.0, 0.0),
            exponent: by.exponent(),
        };
        self.times(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_sums_have_the_bits_of_two_doubles() {
        let third = |sign: f64| Complex {
            re: Pair(sign / 3.0, -sign / 3.0 * 2f64.powi(-54)),
            im: Pair(0.2, 0.0),
            exponent: 0,
        };
        let (a, b) = (third(1.0).normal(), third(-1.0).normal());
        // (1/3 + i/5)(-1/3 + i/5) = -1/9 - 1/25, but for what 0.2 and 1/3 are off by.
        let product = a.times(b);
        let fifth = Pair::of_product(0.2, 0.2);
        let ninth = Pair(1.0 / 3.0, 1.0 / 3.0 * -(2f64.powi(-54)));
        let ninth = ninth.times(ninth);
        let known = ninth.plus(fifth).negated();
        let by = power_of_two(product.exponent);
        let off = product.re.scaled(by).plus(known.negated());
        assert!(off.0.abs() < 1e-31, "{off:?}");
        // Far apart, the smaller one is kept as far as pairs reach.
        let small = Complex {
            exponent: -60,
            ..Complex::ONE
        };
        let sum = Complex::ONE.plus(small);
        assert_eq!((sum.re.0, sum.re.1), (1.0, 2f64.powi(-60)));
        assert_eq!(sum.rounded(1), [0.5, 0.0]);
    }
}
