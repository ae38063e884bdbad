//! What makes the steps z := z² + C, and what all ways of it share.

use dashu_int::ops::UnsignedAbs;
use dashu_int::{IBig, Sign, UBig};

use super::format::{Format, INTEGER};
use crate::numbers::floatexp::{ComplexExp, FloatExp};

/// Parts of C must be below this, and z before a step in modulus: then everything fits.
pub(crate) const BOUND: f64 = 4.0;

/// Bits that the largest format of an orbit of so many bits has after the point, in limbs.
pub(crate) fn fraction_for(bits: u32) -> usize {
    fraction_bits(Format::of(bits).limbs())
}

/// Fractional bits of parts of `n` limbs.
pub(crate) fn fraction_bits(n: usize) -> usize {
    64 * n - INTEGER as usize
}

/// A part: whether it is below 0, and its modulus.
pub(crate) type Part<'a> = (bool, &'a [u64]);

/// Something that makes steps.
pub(crate) trait Stepper: Send {
    /// Makes a step. |z| is below [`BOUND`] before it. Gives z, rounded to nearest; a part below 2^-900 or so may
    /// have lost bits that [`Stepper::exact`] has.
    fn step(&mut self) -> [f64; 2];

    /// z, exactly.
    fn parts(&mut self) -> [Part<'_>; 2];

    /// Goes on from elsewhere, with what the format has room for.
    fn set(&mut self, parts: [Part<'_>; 2]);

    /// z rounded to nearest with an exponent of its own.
    fn exact(&mut self) -> ComplexExp {
        let [re, im] = self.parts().map(|part| {
            let exponent = -(fraction_bits(part.1.len()) as i64);
            FloatExp::from_big(&to_big(part), exponent)
        });
        ComplexExp::new(re, im)
    }
}

/// A part as an integer of [`fraction_bits`] of its limbs.
pub(in crate::reference) fn to_big((negative, words): Part<'_>) -> IBig {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let sign = if negative {
        Sign::Negative
    } else {
        Sign::Positive
    };
    IBig::from_parts(sign, UBig::from_le_bytes(&bytes))
}

/// A part as an integer with so many bits after the point.
pub(crate) fn to_big_of(part: Part<'_>, fraction: usize) -> IBig {
    let held = fraction_bits(part.1.len());
    if fraction >= held {
        to_big(part) << (fraction - held)
    } else {
        to_big(part) >> (held - fraction)
    }
}

/// A number as a part.
pub(crate) fn words_of(value: &IBig) -> (bool, Vec<u64>) {
    let bytes = value.clone().unsigned_abs().to_le_bytes();
    let word = |chunk: &[u8]| {
        let mut own = [0; 8];
        own[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(own)
    };
    let negative = value.sign() == Sign::Negative;
    (negative, bytes.chunks(8).map(word).collect())
}

/// 2^`n` in the range of normal doubles.
#[inline(always)]
fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

/// A part rounded to nearest, ties to even.
#[inline(always)]
pub(in crate::reference) fn to_f64(negative: bool, words: &[u64]) -> f64 {
    let top = words[words.len() - 1];
    if top == 0 {
        return small_to_f64(negative, words);
    }
    let zeros = top.leading_zeros();
    let next = words[words.len() - 2];
    let mut kept = top << zeros | (next >> 1 >> (63 - zeros));
    // Eleven bits are too many. Only where they are a tie, the limbs below decide.
    if kept & 0x7ff == 0x400 && lost(&words[..words.len() - 1], zeros) {
        kept |= 1;
    }
    finish(negative, kept, INTEGER as i32 - 64 - zeros as i32)
}

/// Whether anything but 0 lies below the top `taken` bits.
#[cold]
fn lost(words: &[u64], taken: u32) -> bool {
    let (next, rest) = words.split_last().unwrap_or((&0, &[]));
    next << taken != 0 || rest.iter().any(|&word| word != 0)
}

/// `kept * 2^exponent`, the lowest bit being a sticky one.
#[inline(always)]
fn finish(negative: bool, kept: u64, exponent: i32) -> f64 {
    // 63 bits and a sticky one make a signed number, whose conversion is an instruction.
    let value = (kept >> 1 | kept & 1) as i64 as f64 * power_of_two(exponent + 1);
    if negative { -value } else { value }
}

/// [`to_f64`] where the top limb is 0.
#[cold]
fn small_to_f64(negative: bool, words: &[u64]) -> f64 {
    let Some(top) = words.iter().rposition(|&word| word != 0) else {
        return 0.0;
    };
    let below = words.len() - 1 - top;
    let zeros = words[top].leading_zeros();
    let next = if top > 0 { words[top - 1] } else { 0 };
    let mut kept = words[top] << zeros | (next >> 1 >> (63 - zeros));
    if top > 0 && lost(&words[..top], zeros) {
        kept |= 1;
    }
    let exponent =
        INTEGER as i32 - 64 - zeros as i32 - 64 * i32::try_from(below).unwrap_or(1 << 20);
    if exponent > -960 {
        finish(negative, kept, exponent)
    } else {
        libm::scalbn(finish(negative, kept, 0), exponent)
    }
}
