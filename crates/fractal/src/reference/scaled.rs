//! Complex numbers of two doubles with one exponent between them: for derivatives along orbits.
//!
//! [`ComplexExp`] normalises each part after each operation. Here that is done when a part nears the end of the
//! range of doubles, once in dozens of steps.

use crate::numbers::floatexp::{ComplexExp, FloatExp};

/// The larger part stays within 2^±this.
const RANGE: i64 = 100;
const LARGE: f64 = power_of_two(RANGE);
const SMALL: f64 = power_of_two(-RANGE);

/// 2^`n` in the range of normal doubles.
pub(crate) const fn power_of_two(n: i64) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

/// `(re + i im) * 2^exponent`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scaled {
    pub(crate) re: f64,
    pub(crate) im: f64,
    pub(crate) exponent: i64,
}

impl Scaled {
    pub(crate) const ZERO: Self = Self::real(0.0);
    pub(crate) const ONE: Self = Self::real(1.0);

    pub(crate) const fn real(re: f64) -> Self {
        Self {
            re,
            im: 0.0,
            exponent: 0,
        }
    }

    pub(crate) fn from_exp(value: ComplexExp) -> Self {
        let exponent = match (value.re.is_zero(), value.im.is_zero()) {
            (true, true) => return Self::ZERO,
            (false, true) => value.re.exponent(),
            (true, false) => value.im.exponent(),
            (false, false) => value.re.exponent().max(value.im.exponent()),
        };
        Self {
            re: value.re.scaled(exponent),
            im: value.im.scaled(exponent),
            exponent,
        }
    }

    pub(crate) fn to_exp(self) -> ComplexExp {
        ComplexExp::new(
            FloatExp::new(self.re, self.exponent),
            FloatExp::new(self.im, self.exponent),
        )
    }

    /// Whether it has to be [`Scaled::normalised`].
    #[inline(always)]
    fn out_of_range(self) -> bool {
        let larger = self.re.abs().max(self.im.abs());
        !(SMALL..=LARGE).contains(&larger)
    }

    /// The same number with its larger part within 1 and 2.
    #[cold]
    fn normalised(self) -> Self {
        let larger = self.re.abs().max(self.im.abs());
        if larger == 0.0 || !larger.is_finite() {
            return Self {
                exponent: 0,
                ..self
            };
        }
        let power = i64::from(libm::ilogb(larger)).clamp(-1020, 1020);
        let by = power_of_two(-power);
        Self {
            re: self.re * by,
            im: self.im * by,
            exponent: self.exponent + power,
        }
    }

    #[inline(always)]
    fn kept(self) -> Self {
        if self.out_of_range() {
            self.normalised()
        } else {
            self
        }
    }

    /// Times `re + i im`, whose modulus is within 2^±400.
    #[inline(always)]
    pub(crate) fn times(self, [re, im]: [f64; 2]) -> Self {
        Self {
            re: self.re * re - self.im * im,
            im: self.re * im + self.im * re,
            exponent: self.exponent,
        }
        .kept()
    }

    pub(crate) fn inverse(self) -> Self {
        let norm = self.norm2();
        Self {
            re: self.re / norm,
            im: -self.im / norm,
            exponent: -self.exponent,
        }
        .kept()
    }

    /// Square of the modulus, times 4^-`exponent`.
    #[inline(always)]
    pub(crate) fn norm2(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    pub(crate) fn abs(self) -> FloatExp {
        FloatExp::new(self.norm2().sqrt(), self.exponent)
    }
}

impl std::ops::Mul for Scaled {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let mut product = self.times([other.re, other.im]);
        product.exponent += other.exponent;
        if product.re == 0.0 && product.im == 0.0 {
            product.exponent = 0;
        }
        product
    }
}

impl std::ops::Add for Scaled {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // The one with the larger exponent may be the smaller number, by the range of both.
        let (high, low) = if self.exponent >= other.exponent {
            (self, other)
        } else {
            (other, self)
        };
        let apart = high.exponent - low.exponent;
        if apart > 3 * RANGE {
            return if high.re == 0.0 && high.im == 0.0 {
                low
            } else {
                high
            };
        }
        let by = power_of_two(-apart);
        Self {
            re: high.re + low.re * by,
            im: high.im + low.im * by,
            exponent: high.exponent,
        }
        .kept()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(a: ComplexExp, b: ComplexExp) -> bool {
        let apart = (a - b).abs();
        apart.is_zero() || apart.log2() < b.abs().log2() - 45.0
    }

    proptest! {
        #[test]
        fn agrees_with_floatexp(
            parts in prop::array::uniform4(-2.0f64..2.0),
            exponents in prop::array::uniform2(-4000i64..4000),
        ) {
            let a = ComplexExp::new(FloatExp::new(parts[0], exponents[0]), FloatExp::new(parts[1], exponents[0]));
            let b = ComplexExp::new(FloatExp::new(parts[2], exponents[1]), FloatExp::new(parts[3], exponents[1]));
            let (x, y) = (Scaled::from_exp(a), Scaled::from_exp(b));
            prop_assert!(near(x.to_exp(), a));
            prop_assert!(near((x * y).to_exp(), a * b));
            prop_assert!(near((x + y).to_exp(), a + b));
            prop_assert!((x.abs().log2() - a.abs().log2()).abs() < 1e-9);
            prop_assert!(near((x * x.inverse()).to_exp(), ComplexExp::from_f64(1.0, 0.0)));
        }
    }
}
