//! Angles in integers.

use dashu_int::IBig;

use super::iterated::Formula;
use crate::{Decimal, FloatExp};

/// Bits beyond those that are wanted.
const GUARD_BITS: usize = 32;

/// The cosine and the sine of an angle in degrees, in fixed point of `bits` fractional bits, within two units of the last.
///
/// The angle in radians by Machin's formula for pi, made 2^8 times smaller, Taylor's series, and doubled eight times again.
#[must_use]
pub fn rotation(degrees: &Decimal, bits: usize) -> [IBig; 2] {
    const HALVINGS: usize = 8;
    let bits = bits + GUARD_BITS + HALVINGS;
    let (numerator, denominator) = degrees.to_fraction();
    let denominator = IBig::from(denominator);
    // Whole turns are left out before anything is rounded.
    let turn = IBig::from(360) * &denominator;
    let mut within = &numerator % &turn;
    if within < IBig::ZERO {
        within += &turn;
    }
    let angle = (pi(bits) * within) / (IBig::from(180) * denominator);
    let small: IBig = angle >> HALVINGS;
    let square: IBig = (&small * &small) >> bits;
    let one = IBig::ONE << bits;
    // sin x = x - x³/3! + ..., cos x = 1 - x²/2! + ...
    let series = |first: IBig, from: u64| {
        let (mut sum, mut term, mut n) = (first.clone(), first, from);
        while term != IBig::ZERO {
            term = -((&term * &square) >> bits) / IBig::from((n + 1) * (n + 2));
            sum += &term;
            n += 2;
        }
        sum
    };
    let (mut cos, mut sin) = (series(one, 0), series(small, 1));
    for _ in 0..HALVINGS {
        let square: IBig = (&cos * &cos - &sin * &sin) >> bits;
        sin = (&cos * &sin) >> (bits - 1);
        cos = square;
    }
    [cos, sin].map(|part| part >> (GUARD_BITS + HALVINGS))
}

/// The cosines and sines of a formula's angles, in the order of [`Formula::rotations`], each rounded once.
#[must_use]
pub fn turns_of(formula: &Formula) -> Vec<[f64; 2]> {
    const BITS: usize = 100;
    let rounded = |part: IBig| FloatExp::from_big(&part, -(BITS as i64)).to_f64();
    let turn = |degrees| rotation(degrees, BITS).map(rounded);
    formula.rotations().map(turn).collect()
}

/// pi = 16 atan(1/5) - 4 atan(1/239)
fn pi(bits: usize) -> IBig {
    let arctangent = |inverse: u64| {
        let mut power = (IBig::ONE << bits) / IBig::from(inverse);
        let square = IBig::from(inverse * inverse);
        let (mut sum, mut n) = (power.clone(), 1u64);
        while power != IBig::ZERO {
            power = -power / &square;
            n += 2;
            sum += &power / IBig::from(n);
        }
        sum
    };
    IBig::from(16) * arctangent(5) - IBig::from(4) * arctangent(239)
}
