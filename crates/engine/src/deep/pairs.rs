//! A and B of blocks of steps in pairs of doubles.
//!
//! Each join of blocks rounds, and a long block is one of many joins: in doubles A and B would be off by some 2^-53 for each
//! of its steps. Where counts have to be certain they are computed in pairs of doubles from a reference orbit that has its low
//! parts, and rounded once.

use fractal::{FloatExp, ReferenceOrbit};

use super::bla::{BlaTable, LOWEST_LEVEL};
use super::jets::{self, JetTable};
use super::parallel::parallel_map;

/// A number as the sum of two doubles that do not overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Pair(f64, f64);

impl Pair {
    /// a + b, exact, of which |a| >= |b|.
    fn of_sorted(a: f64, b: f64) -> Self {
        let sum = a + b;
        Self(sum, b - (sum - a))
    }

    /// a + b, exact (Knuth).
    fn of_sum(a: f64, b: f64) -> Self {
        let sum = a + b;
        let back = sum - a;
        Self(sum, (a - (sum - back)) + (b - back))
    }

    /// a b, exact (Dekker): not every processor that this is built for has an instruction for it.
    fn of_product(a: f64, b: f64) -> Self {
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

    fn plus(self, other: Self) -> Self {
        let (high, low) = (Self::of_sum(self.0, other.0), Self::of_sum(self.1, other.1));
        let sum = Self::of_sorted(high.0, high.1 + low.0);
        Self::of_sorted(sum.0, sum.1 + low.1)
    }

    fn times(self, other: Self) -> Self {
        let high = Self::of_product(self.0, other.0);
        Self::of_sorted(high.0, high.1 + (self.0 * other.1 + self.1 * other.0))
    }

    fn negated(self) -> Self {
        Self(-self.0, -self.1)
    }

    fn scaled(self, by: f64) -> Self {
        Self(self.0 * by, self.1 * by)
    }
}

/// A complex number of pairs times a power of two.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Complex {
    re: Pair,
    im: Pair,
    exponent: i64,
}

/// 2^`n`, 0 far below the range of doubles.
fn power_of_two(n: i64) -> f64 {
    FloatExp::new(1.0, n).to_f64()
}

impl Complex {
    const ONE: Self = Self {
        re: Pair(1.0, 0.0),
        im: Pair(0.0, 0.0),
        exponent: 0,
    };

    /// With a larger part of 1 to 2.
    fn normal(self) -> Self {
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

    /// 2 Z_m
    fn twice(orbit: &ReferenceOrbit, lows: &[[f64; 2]], m: u64) -> Self {
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

    fn times(self, other: Self) -> Self {
        let re = self
            .re
            .times(other.re)
            .plus(self.im.times(other.im).negated());
        let im = self.re.times(other.im).plus(self.im.times(other.re));
        let exponent = self.exponent + other.exponent;
        Self { re, im, exponent }.normal()
    }

    fn plus(self, other: Self) -> Self {
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
    fn rounded(self, exponent: i64) -> [f64; 2] {
        [self.re, self.im].map(|part| FloatExp::new(part.0, self.exponent - exponent).to_f64())
    }

    /// Times a number.
    fn scaled(self, by: FloatExp) -> Self {
        let factor = Self {
            re: Pair(by.mantissa(), 0.0),
            im: Pair(0.0, 0.0),
            exponent: by.exponent(),
        };
        self.times(factor)
    }
}

/// A and B of a block.
type Linear = (Complex, Complex);

fn joined((ax, bx): Linear, (ay, by): Linear) -> Linear {
    (ay.times(ax), ay.times(bx).plus(by))
}

/// Puts A and B into the blocks of `table` and `jets`, of a frame whose largest |c| is `c_max`; `lows` are those of
/// [`fractal::reference::low_parts`].
pub(crate) fn refine(
    table: &mut BlaTable,
    jets: &mut JetTable,
    orbit: &ReferenceOrbit,
    lows: &[[f64; 2]],
    c_max: FloatExp,
) {
    let first = |i: usize| -> Linear {
        let from = 1 + ((i as u64) << LOWEST_LEVEL);
        let mut all = (Complex::twice(orbit, lows, from), Complex::ONE);
        for m in from + 1..from + (1 << LOWEST_LEVEL) {
            all = joined(all, (Complex::twice(orbit, lows, m), Complex::ONE));
        }
        all
    };
    let mut level: Vec<Linear> = Vec::new();
    for (at, entries) in table.levels.iter_mut().enumerate() {
        level = match at {
            0 => parallel_map(entries.len(), &first),
            _ => parallel_map(entries.len(), &|i| joined(level[2 * i], level[2 * i + 1])),
        };
        for (entry, (a, b)) in entries.iter_mut().zip(&level) {
            entry.a = a.rounded(i64::from(entry.a_exponent));
            entry.b = b.rounded(i64::from(entry.b_exponent));
        }
        let of_jets = (at as u32 + LOWEST_LEVEL).checked_sub(jets::LOWEST_LEVEL);
        let Some(polynomials) = of_jets.and_then(|at| jets.levels.get_mut(at as usize)) else {
            continue;
        };
        for (jet, (a, b)) in polynomials.iter_mut().zip(&level) {
            if jet.inverse < f64::INFINITY {
                let radius = FloatExp::ONE / FloatExp::from_f64(jet.inverse);
                jet.a = a.scaled(radius).rounded(0);
                jet.b = b.scaled(c_max).rounded(0);
            }
        }
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
