//! What deltas and blocks are made of.

use std::fmt::Debug;
use std::ops::{Add, Mul, Neg, Sub};

use fractal::FloatExp;

/// Numbers that deltas and blocks are made of: doubles, and doubles with an exponent of their own.
pub(super) trait Real:
    Copy
    + Debug
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + Send
    + Sync
{
    const ZERO: Self;
    fn of(value: f64) -> Self;
    fn narrow(value: FloatExp) -> Self;
    fn to_f64(self) -> f64;
    fn wide(self) -> FloatExp;
    fn abs(self) -> Self;
    fn root(self) -> Self;
    /// Times 2^`power`.
    fn shifted(self, power: i64) -> Self;
    fn is_finite(self) -> bool;
    fn quotient(self, by: Self) -> Self;

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if other > self { other } else { self }
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        if other < self { other } else { self }
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn narrow(value: FloatExp) -> Self {
        value.to_f64()
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    fn wide(self) -> FloatExp {
        FloatExp::from_f64(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    fn shifted(self, power: i64) -> Self {
        FloatExp::new(self, power).to_f64()
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
    #[inline(always)]
    fn quotient(self, by: Self) -> Self {
        self / by
    }
}

impl Real for FloatExp {
    const ZERO: Self = FloatExp::ZERO;

    #[inline]
    fn of(value: f64) -> Self {
        FloatExp::from_f64(value)
    }
    #[inline]
    fn narrow(value: FloatExp) -> Self {
        value
    }
    #[inline]
    fn to_f64(self) -> f64 {
        FloatExp::to_f64(self)
    }
    #[inline]
    fn wide(self) -> FloatExp {
        self
    }
    #[inline]
    fn abs(self) -> Self {
        FloatExp::abs(self)
    }
    #[inline]
    fn root(self) -> Self {
        self.sqrt()
    }
    fn shifted(self, power: i64) -> Self {
        self * FloatExp::new(1.0, power)
    }
    #[inline]
    fn is_finite(self) -> bool {
        self.mantissa().is_finite()
    }
    #[inline]
    fn quotient(self, by: Self) -> Self {
        self / by
    }
}
