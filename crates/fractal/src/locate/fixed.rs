//! Points in fixed point, as the search for a nucleus moves and writes them.

use dashu_int::ops::UnsignedAbs;
use dashu_int::{IBig, UBig};

use crate::numbers::decimal::Decimal;
use crate::numbers::floatexp::{ComplexExp, FloatExp};
use crate::reference::ReferencePoint;

/// The modulus of a number with so many fractional bits.
pub(crate) fn distance(re: &IBig, im: &IBig, bits: u32) -> FloatExp {
    let part = |value: &IBig| FloatExp::from_big(value, -i64::from(bits));
    ComplexExp::new(part(re), part(im)).abs()
}

/// The same point in other bits.
pub(crate) fn with_bits(point: &ReferencePoint, bits: u32) -> ReferencePoint {
    let part = |value: &IBig| {
        if bits >= point.bits {
            value << (bits - point.bits) as usize
        } else {
            value >> (point.bits - bits) as usize
        }
    };
    ReferencePoint {
        re: part(&point.re),
        im: part(&point.im),
        bits,
    }
}

/// A fixed-point number with so many decimal digits after the point.
pub(crate) fn decimal_of(value: &IBig, bits: u32, digits: usize) -> Option<Decimal> {
    let scaled = value * IBig::from(UBig::from(10u8).pow(digits));
    let rounded = (scaled + (IBig::ONE << (bits as usize - 1))) >> bits as usize;
    let text = rounded.clone().unsigned_abs().to_string();
    let text = format!("{text:0>width$}", width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    let sign = if rounded < IBig::ZERO { "-" } else { "" };
    format!("{sign}{whole}.{part}").parse().ok()
}

/// A number with so many fractional bits, and a small one added.
pub(crate) fn shifted(value: &IBig, by: FloatExp, bits: u32) -> IBig {
    if by.is_zero() {
        return value.clone();
    }
    // The mantissa as an integer of 53 bits, in the units of the number.
    let mantissa = IBig::from((by.mantissa() * (1u64 << 52) as f64) as i64);
    let power = by.exponent() - 52 + i64::from(bits);
    let amount = power.unsigned_abs() as usize;
    value
        + if power >= 0 {
            mantissa << amount
        } else {
            mantissa >> amount
        }
}
