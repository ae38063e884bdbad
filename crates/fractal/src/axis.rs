//! The exact coordinate of every column and row of a picture.
//!
//! A coordinate is a fraction of big integers computed from the global index of its column or row, so
//! it cannot depend on the strip that asks for it, and is rounded once, to nearest.

use dashu_int::ops::BitTest;
use dashu_int::ops::DivRem;
use dashu_int::ops::UnsignedAbs;
use dashu_int::{IBig, Sign, UBig};

/// Equally spaced samples along one side of a picture: `(origin + step * index) / denominator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    pub(crate) origin: IBig,
    pub(crate) step: IBig,
    pub(crate) denominator: UBig,
    pub(crate) len: u32,
}

impl Axis {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are no samples; a valid frame has none such.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The exact coordinate of sample `index` as a fraction `(numerator, denominator)`.
    #[must_use]
    pub fn fraction(&self, index: u32) -> (IBig, &UBig) {
        (
            &self.origin + &self.step * IBig::from(index),
            &self.denominator,
        )
    }

    /// The coordinate of sample `index`, rounded to the nearest `f64`.
    #[must_use]
    pub fn at(&self, index: u32) -> f64 {
        let (numerator, denominator) = self.fraction(index);
        fraction_to_f64(&numerator, denominator)
    }

    /// The coordinates of the samples `range`, each rounded to the nearest `f64`.
    #[must_use]
    pub fn to_f64s(&self, range: std::ops::Range<u32>) -> Vec<f64> {
        let mut numerator = &self.origin + &self.step * IBig::from(range.start);
        range
            .map(|_| {
                let value = fraction_to_f64(&numerator, &self.denominator);
                numerator += &self.step;
                value
            })
            .collect()
    }

    /// The coordinate of sample `index` as `floor(value * 2^bits)`, for the oracle.
    #[must_use]
    pub fn fixed_point(&self, index: u32, bits: usize) -> IBig {
        let (numerator, denominator) = self.fraction(index);
        let scaled = numerator << bits;
        let denominator = IBig::from(denominator.clone());
        let (quotient, remainder) = (&scaled).div_rem(&denominator);
        if remainder < IBig::ZERO {
            quotient - IBig::ONE
        } else {
            quotient
        }
    }

    /// log2 of the distance between neighbouring samples, to within 2^-40; `None` when it is zero.
    #[must_use]
    pub fn spacing_log2(&self) -> Option<f64> {
        fraction_log2(&self.step.clone().unsigned_abs(), &self.denominator)
    }
}

/// log2 of a positive fraction far outside `f64`'s range too; `None` when it is zero.
pub(crate) fn fraction_log2(numerator: &UBig, denominator: &UBig) -> Option<f64> {
    let top = |value: &UBig| {
        let shift = value.bit_len().saturating_sub(64);
        let leading = u64::try_from(value >> shift).unwrap_or(u64::MAX);
        libm::log2(leading as f64) + shift as f64
    };
    (!numerator.is_zero()).then(|| top(numerator) - top(denominator))
}

/// `numerator / denominator` rounded to the nearest `f64`, ties to even.
///
/// Below `f64`'s normal range the result is rounded twice; beyond it, it is infinite.
pub(crate) fn fraction_to_f64(numerator: &IBig, denominator: &UBig) -> f64 {
    /// Bits of the quotient: more than `f64`'s 53 and a sticky bit, less than `u128`'s 128.
    const QUOTIENT_BITS: i64 = 66;
    let (sign, magnitude) = (numerator.sign(), numerator.clone().unsigned_abs());
    if magnitude.is_zero() {
        return 0.0;
    }
    let bits = |value: &UBig| i64::try_from(value.bit_len()).unwrap_or(i64::MAX);
    // Scale so that the quotient has QUOTIENT_BITS or one bit more.
    let shift = QUOTIENT_BITS - (bits(&magnitude) - bits(denominator));
    let amount = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
    let (quotient, remainder) = if shift >= 0 {
        (magnitude << amount).div_rem(denominator)
    } else {
        magnitude.div_rem(denominator << amount)
    };
    // The remainder only decides ties: one sticky bit holds all of it that matters.
    let sticky = u128::from(!remainder.is_zero());
    let quotient = u128::try_from(quotient).unwrap_or(u128::MAX) | sticky;
    let scaled = libm::scalbn(
        quotient as f64,
        i32::try_from(-shift).unwrap_or(if shift > 0 { i32::MIN } else { i32::MAX }),
    );
    if sign == Sign::Negative {
        -scaled
    } else {
        scaled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rounds_as_f64_division_does(a in -(1i64 << 53)..(1i64 << 53), b in 1u64..(1 << 53)) {
            // Both operands are exact in f64, so IEEE division is correctly rounded too.
            prop_assert_eq!(fraction_to_f64(&IBig::from(a), &UBig::from(b)), a as f64 / b as f64);
        }
    }

    #[test]
    fn logarithm_reaches_past_f64() {
        let deep = UBig::from(10u8).pow(8000);
        let expected = -8000.0 * 10f64.log2();
        assert!((fraction_log2(&UBig::ONE, &deep).unwrap() - expected).abs() < 1e-6);
        assert_eq!(fraction_log2(&UBig::ZERO, &deep), None);
    }

    #[test]
    fn fixed_point_rounds_down_on_both_sides_of_zero() {
        let axis = Axis {
            origin: IBig::from(-1),
            step: IBig::from(2),
            denominator: UBig::from(3u8),
            len: 2,
        };
        assert_eq!(axis.fixed_point(0, 2), IBig::from(-2)); // -4/3
        assert_eq!(axis.fixed_point(1, 2), IBig::from(1)); // 4/3
    }
}
