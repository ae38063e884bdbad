//! Fractions of big integers: rounded to doubles, rounded down, and their logarithms.

use dashu_int::ops::{BitTest, DivRem, UnsignedAbs};
use dashu_int::{IBig, Sign, UBig};

/// Bits of a number's magnitude.
pub(crate) fn bits(value: &IBig) -> usize {
    value.as_sign_words().1.len() * dashu_int::Word::BITS as usize
        - (value.as_sign_words().1.last()).map_or(0, |word| word.leading_zeros() as usize)
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

/// `numerator / denominator` rounded down; the denominator is greater than zero.
pub(crate) fn floor(numerator: IBig, denominator: &IBig) -> IBig {
    let (quotient, remainder) = numerator.div_rem(denominator);
    if remainder < IBig::ZERO {
        quotient - IBig::ONE
    } else {
        quotient
    }
}

/// `numerator / denominator * 2^exponent` as an unevaluated sum of two doubles.
pub(crate) fn scaled_fraction_to_pair(
    numerator: &IBig,
    denominator: &UBig,
    exponent: i64,
) -> [f64; 2] {
    /// Bits of the quotient: more than two doubles have.
    const QUOTIENT_BITS: i64 = 170;
    let shift = QUOTIENT_BITS - (bits(numerator) as i64 - denominator.bit_len() as i64);
    let amount = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
    let quotient = if shift >= 0 {
        (numerator << amount) / IBig::from(denominator.clone())
    } else {
        numerator / IBig::from(denominator << amount)
    };
    let power = exponent - shift;
    let near = scaled_fraction_to_f64(&quotient, &UBig::ONE, power);
    let (fraction, near_power) = libm::frexp(near);
    // The nearest one in units of the quotient's last bit: whole unless it lies below all range.
    let up = i64::from(near_power) - 53 - power;
    let Ok(up) = usize::try_from(up) else {
        return [near, 0.0];
    };
    let rest = quotient - (IBig::from((fraction * (1u64 << 53) as f64) as i64) << up);
    [near, scaled_fraction_to_f64(&rest, &UBig::ONE, power)]
}

/// `numerator / denominator` rounded to the nearest `f64`, ties to even.
///
/// Below `f64`'s normal range the result is rounded twice; beyond it, it is infinite.
pub(crate) fn fraction_to_f64(numerator: &IBig, denominator: &UBig) -> f64 {
    scaled_fraction_to_f64(numerator, denominator, 0)
}

/// `numerator / denominator * 2^exponent`, rounded as [`fraction_to_f64`] does.
pub(crate) fn scaled_fraction_to_f64(numerator: &IBig, denominator: &UBig, exponent: i64) -> f64 {
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
    let exponent = exponent - shift;
    let scaled = libm::scalbn(
        quotient as f64,
        i32::try_from(exponent).unwrap_or(if exponent < 0 { i32::MIN } else { i32::MAX }),
    );
    if sign == Sign::Negative {
        -scaled
    } else {
        scaled
    }
}
/// `value` in fixed point; exact, since a finite `f64` of ordinary size has fewer bits than `bits`.
pub(crate) fn from_f64(value: f64, bits: usize) -> IBig {
    let scaled = libm::frexp(value);
    let mantissa = IBig::from((scaled.0 * 2f64.powi(53)) as i64);
    let shift = i64::from(scaled.1) - 53 + i64::try_from(bits).unwrap_or(i64::MAX);
    let amount = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
    if shift >= 0 {
        mantissa << amount
    } else {
        mantissa >> amount
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_point_of_f64_is_exact() {
        assert_eq!(from_f64(0.75, 8), IBig::from(192));
        assert_eq!(from_f64(-256.0, 4), IBig::from(-4096));
        assert_eq!(from_f64(0.0, 100), IBig::ZERO);
    }
}
