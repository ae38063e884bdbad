//! Complex numbers as pairs of doubles, and as numbers with exponents, in the forms that the deep kernels need.

use fractal::{ComplexExp, FloatExp};

/// 2^`n` as far as it is a double, 0 or infinite beyond.
#[inline(always)]
pub(super) fn power_of_two(n: i64) -> f64 {
    if n == 0 {
        return 1.0;
    }
    FloatExp::new(1.0, n).to_f64()
}

/// |p|
#[inline(always)]
pub(super) fn modulus(p: [f64; 2]) -> f64 {
    p[0].mul_add(p[0], p[1] * p[1]).sqrt()
}

/// The larger one.
pub(super) fn larger(a: FloatExp, b: FloatExp) -> FloatExp {
    if b > a { b } else { a }
}

/// Exponent of the larger part; far below any other for zero.
pub(super) fn exponent_of(z: ComplexExp) -> i64 {
    let part = |value: FloatExp| {
        if value.is_zero() {
            i64::MIN / 4
        } else {
            value.exponent()
        }
    };
    part(z.re).max(part(z.im))
}

/// `value` / `c_max`, the share of the largest |c|
pub(super) fn share(value: FloatExp, c_max: FloatExp) -> f64 {
    if c_max.is_zero() {
        0.0
    } else {
        (value / c_max).to_f64()
    }
}
