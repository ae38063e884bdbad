//! Floatexp: a double with an exponent of its own, for numbers far below the range of `f64`.
//!
//! At a zoom of 1e1000 a pixel is 2^-3300 wide. Its mantissa fits a double, its exponent does not.

use std::cmp::Ordering;

use dashu_int::ops::{BitTest, UnsignedAbs};
use dashu_int::{IBig, Sign, UBig};

/// `mantissa * 2^exponent` with 1 <= |mantissa| < 2, or zero with exponent 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FloatExp {
    mantissa: f64,
    exponent: i64,
}

/// Exponents farther apart than this have no bit in common: the smaller number does not change the sum.
const APART: i64 = 120;

/// 2^`n`, for `n` within the range of normal doubles.
#[inline(always)]
fn power_of_two(n: i64) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

impl FloatExp {
    /// Zero.
    pub const ZERO: Self = Self {
        mantissa: 0.0,
        exponent: 0,
    };
    /// One.
    pub const ONE: Self = Self {
        mantissa: 1.0,
        exponent: 0,
    };

    /// `mantissa * 2^exponent` for any finite `mantissa`, subnormal ones too.
    #[inline]
    #[must_use]
    pub fn new(mantissa: f64, exponent: i64) -> Self {
        const FRACTION: u64 = !(0x7ff << 52);
        let bits = mantissa.to_bits();
        let power = (bits >> 52 & 0x7ff) as i64;
        if power != 0 && power != 0x7ff {
            return Self {
                mantissa: f64::from_bits(bits & FRACTION | 1023 << 52),
                exponent: exponent + power - 1023,
            };
        }
        if mantissa == 0.0 {
            return Self::ZERO;
        }
        let (fraction, power) = libm::frexp(mantissa);
        Self {
            mantissa: 2.0 * fraction,
            exponent: exponent + i64::from(power) - 1,
        }
    }

    /// The same number.
    #[must_use]
    pub fn from_f64(value: f64) -> Self {
        Self::new(value, 0)
    }

    /// `value * 2^exponent`, rounded to nearest, ties to even.
    #[must_use]
    pub fn from_big(value: &IBig, exponent: i64) -> Self {
        const KEPT: usize = 64;
        let (sign, magnitude) = (value.sign(), value.clone().unsigned_abs());
        let cut = magnitude.bit_len().saturating_sub(KEPT);
        // One sticky bit below the kept ones decides ties; `u128` to `f64` rounds to nearest.
        let lost = magnitude.trailing_zeros().is_some_and(|zeros| zeros < cut);
        let top = u128::try_from(magnitude >> cut).unwrap_or(u128::MAX);
        let top = (top << 1 | u128::from(lost)) as f64;
        let signed = if sign == Sign::Negative { -top } else { top };
        let cut = i64::try_from(cut).unwrap_or(i64::MAX);
        Self::new(signed, exponent + cut - 1)
    }

    /// `numerator / denominator`, rounded to within one unit in the last place.
    ///
    /// # Panics
    /// If the denominator is zero.
    #[must_use]
    pub fn from_fraction(numerator: &IBig, denominator: &UBig) -> Self {
        /// Bits of the quotient: more than a double's.
        const QUOTIENT: i64 = 66;
        let bits = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let length = bits(numerator.clone().unsigned_abs().bit_len());
        let shift = QUOTIENT - (length - bits(denominator.bit_len()));
        let amount = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
        let quotient = if shift >= 0 {
            (numerator << amount) / IBig::from(denominator.clone())
        } else {
            numerator / IBig::from(denominator << amount)
        };
        Self::from_big(&quotient, -shift)
    }

    /// The mantissa: 0, or 1 to 2 in modulus.
    #[inline(always)]
    #[must_use]
    pub fn mantissa(self) -> f64 {
        self.mantissa
    }

    /// The power of two that the mantissa is multiplied by.
    #[inline(always)]
    #[must_use]
    pub fn exponent(self) -> i64 {
        self.exponent
    }

    /// The nearest `f64`: 0 below its range, infinite above.
    #[inline]
    #[must_use]
    pub fn to_f64(self) -> f64 {
        if (-1022..=1023).contains(&self.exponent) {
            return self.mantissa * power_of_two(self.exponent);
        }
        let power = self.exponent.clamp(-2000, 2000);
        libm::scalbn(self.mantissa, i32::try_from(power).unwrap_or_default())
    }

    /// This number times 2^-`exponent` as `f64`: how kernels share one exponent among several numbers.
    #[must_use]
    pub fn scaled(self, exponent: i64) -> f64 {
        Self {
            mantissa: self.mantissa,
            exponent: self.exponent - exponent,
        }
        .to_f64()
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.mantissa == 0.0
    }

    /// Its modulus.
    #[must_use]
    pub fn abs(self) -> Self {
        Self {
            mantissa: self.mantissa.abs(),
            ..self
        }
    }

    /// log2 of its modulus; minus infinity for zero.
    #[must_use]
    pub fn log2(self) -> f64 {
        if self.is_zero() {
            return f64::NEG_INFINITY;
        }
        self.exponent as f64 + libm::log2(self.mantissa.abs())
    }

    /// The square root; of a negative number NaN.
    #[must_use]
    pub fn sqrt(self) -> Self {
        let odd = self.exponent.rem_euclid(2);
        let root = libm::sqrt(self.mantissa * if odd == 1 { 2.0 } else { 1.0 });
        Self::new(root, (self.exponent - odd) / 2)
    }
}

impl std::ops::Mul for FloatExp {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::new(
            self.mantissa * other.mantissa,
            self.exponent + other.exponent,
        )
    }
}

impl std::ops::Div for FloatExp {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        Self::new(
            self.mantissa / other.mantissa,
            self.exponent - other.exponent,
        )
    }
}

impl std::ops::Neg for FloatExp {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            mantissa: -self.mantissa,
            ..self
        }
    }
}

impl std::ops::Add for FloatExp {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if self.is_zero() {
            return other;
        }
        if other.is_zero() {
            return self;
        }
        let (large, small) = if self.exponent >= other.exponent {
            (self, other)
        } else {
            (other, self)
        };
        let apart = large.exponent - small.exponent;
        if apart > APART {
            return large;
        }
        let sum = large.mantissa + small.mantissa * power_of_two(-apart);
        Self::new(sum, large.exponent)
    }
}

impl std::ops::Sub for FloatExp {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl PartialOrd for FloatExp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let difference = *self - *other;
        difference.mantissa.partial_cmp(&0.0)
    }
}

/// A complex number of two [`FloatExp`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ComplexExp {
    /// Real part.
    pub re: FloatExp,
    /// Imaginary part.
    pub im: FloatExp,
}

impl ComplexExp {
    /// Zero.
    pub const ZERO: Self = Self {
        re: FloatExp::ZERO,
        im: FloatExp::ZERO,
    };

    /// From its parts.
    #[must_use]
    pub fn new(re: FloatExp, im: FloatExp) -> Self {
        Self { re, im }
    }

    /// From parts within the range of `f64`.
    #[must_use]
    pub fn from_f64(re: f64, im: f64) -> Self {
        Self::new(FloatExp::from_f64(re), FloatExp::from_f64(im))
    }

    /// Square of its modulus.
    #[must_use]
    pub fn norm2(self) -> FloatExp {
        self.re * self.re + self.im * self.im
    }

    /// Its modulus.
    #[must_use]
    pub fn abs(self) -> FloatExp {
        self.norm2().sqrt()
    }
}

impl std::ops::Add for ComplexExp {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
}

impl std::ops::Sub for ComplexExp {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }
}

impl std::ops::Mul for ComplexExp {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::new(
            self.re * other.re - self.im * other.im,
            self.re * other.im + self.im * other.re,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_doubles_where_they_reach(a in -1e30f64..1e30, b in -1e30f64..1e30) {
            let (x, y) = (FloatExp::from_f64(a), FloatExp::from_f64(b));
            prop_assert_eq!((x + y).to_f64(), a + b);
            prop_assert_eq!((x - y).to_f64(), a - b);
            prop_assert_eq!((x * y).to_f64(), a * b);
            prop_assert_eq!(x.partial_cmp(&y), a.partial_cmp(&b));
            prop_assert_eq!(x.abs().sqrt().to_f64(), a.abs().sqrt());
            if b != 0.0 {
                prop_assert_eq!((x / y).to_f64(), a / b);
            }
        }

        #[test]
        fn big_numbers_are_rounded_to_nearest(value in any::<i128>(), far in 0usize..5000) {
            let exact = IBig::from(value) << far;
            let there = FloatExp::from_big(&exact, -i64::try_from(far).unwrap());
            prop_assert_eq!(there.to_f64(), value as f64);
        }
    }

    #[test]
    fn reaches_past_f64() {
        let deep = FloatExp::from_fraction(&IBig::from(-3), &UBig::from(10u8).pow(8000));
        assert!((deep.log2() - (3f64.log2() - 8000.0 * 10f64.log2())).abs() < 1e-6);
        assert_eq!(deep.to_f64(), 0.0);
        let back = deep / FloatExp::from_fraction(&IBig::ONE, &UBig::from(10u8).pow(8000));
        assert!((back.to_f64() + 3.0).abs() < 1e-15);
        assert_eq!(
            FloatExp::from_fraction(&IBig::ZERO, &UBig::ONE),
            FloatExp::ZERO
        );
        assert_eq!(FloatExp::from_f64(5e-324).exponent(), -1074);
        let z = ComplexExp::new(deep, deep * FloatExp::from_f64(2.0));
        assert!(((z * z).abs().log2() - 2.0 * z.abs().log2()).abs() < 1e-9);
    }
}
