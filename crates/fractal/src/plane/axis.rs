//! The exact coordinate of every column and row of a picture.
//!
//! A coordinate is a fraction of big integers computed from the global index of its column or row, so
//! it cannot depend on the strip that asks for it, and is rounded once, to nearest.

use dashu_int::ops::{BitTest, DivRem, UnsignedAbs};
use dashu_int::{IBig, UBig};

use crate::numbers::fraction::{
    bits, floor, fraction_log2, fraction_to_f64, scaled_fraction_to_f64, scaled_fraction_to_pair,
};

/// Samples along one side of a picture: `(origin + step * place) / denominator`, where the place of a sample is its
/// index, or close to [`PARTS`] times that where samples are displaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    pub(crate) origin: IBig,
    pub(crate) step: IBig,
    pub(crate) denominator: UBig,
    pub(crate) len: u32,
    pub(crate) displaced: bool,
}

/// Parts of a spacing in which samples are displaced.
const PARTS: i64 = 256;

/// How many parts of a spacing sample `index` is displaced by, from -128 to 127: a hash of it, every value as often.
fn displaced_by(index: u32) -> i64 {
    // Chris Wellons' `lowbias32`: a bijection of 32 bits without pattern.
    let hash = (index ^ (index >> 16)).wrapping_mul(0x7feb_352d);
    let hash = (hash ^ (hash >> 15)).wrapping_mul(0x846c_a68b);
    i64::from((hash ^ (hash >> 16)) >> 24) - PARTS / 2
}

/// How far a sample is displaced along a displaced axis, in spacings: within half a spacing, so that samples stay in
/// order.
#[must_use]
pub fn displacement(index: u32) -> f32 {
    displaced_by(index) as f32 / PARTS as f32
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

    /// The same samples, each displaced within its own spacing: [`displacement`].
    pub(crate) fn displaced(self) -> Self {
        let parts = UBig::from(PARTS.unsigned_abs());
        Self {
            origin: self.origin * IBig::from(PARTS),
            denominator: self.denominator * parts,
            displaced: true,
            ..self
        }
    }

    /// How many steps sample `index` is away from the origin.
    pub(crate) fn place(&self, index: u32) -> i64 {
        if self.displaced {
            i64::from(index) * PARTS + displaced_by(index)
        } else {
            i64::from(index)
        }
    }

    /// The exact coordinate of sample `index` as a fraction `(numerator, denominator)`.
    #[must_use]
    pub fn fraction(&self, index: u32) -> (IBig, &UBig) {
        (
            &self.origin + &self.step * IBig::from(self.place(index)),
            &self.denominator,
        )
    }

    /// Whether a sample lies at exactly 0.
    #[must_use]
    pub fn meets_zero(&self) -> bool {
        if self.step == IBig::ZERO {
            return self.len > 0 && self.origin == IBig::ZERO;
        }
        let (quotient, remainder) = (-&self.origin).div_rem(&self.step);
        if remainder != IBig::ZERO {
            return false;
        }
        let Ok(place) = i64::try_from(quotient) else {
            return false;
        };
        // A displaced sample is within half a spacing of its own place.
        let parts = if self.displaced { PARTS } else { 1 };
        let index = (place + parts / 2).div_euclid(parts);
        [index - 1, index, index + 1]
            .into_iter()
            .filter_map(|index| u32::try_from(index).ok())
            .any(|index| index < self.len && self.place(index) == place)
    }

    /// The coordinate of sample `index`, rounded to the nearest `f64`.
    #[must_use]
    pub fn at(&self, index: u32) -> f64 {
        if let Some(cut) = Cut::of(self) {
            let numerator = &cut.origin + &cut.step * IBig::from(self.place(index));
            return cut.to_f64(&numerator, index);
        }
        let (numerator, denominator) = self.fraction(index);
        fraction_to_f64(&numerator, denominator)
    }

    /// The coordinates of the samples `range`, each rounded to the nearest `f64`.
    ///
    /// Time a sample is bounded whatever the number of digits.
    #[must_use]
    pub fn to_f64s(&self, range: std::ops::Range<u32>) -> Vec<f64> {
        if self.displaced {
            return range.map(|index| self.at(index)).collect();
        }
        if let Some(cut) = Cut::of(self) {
            let mut numerator = &cut.origin + &cut.step * IBig::from(range.start);
            return range
                .map(|index| {
                    let value = cut.to_f64(&numerator, index);
                    numerator += &cut.step;
                    value
                })
                .collect();
        }
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
        floor(numerator << bits, &IBig::from(denominator.clone()))
    }

    /// `factor * (value - from) + to` in the place of each value; fractions with denominators greater than zero.
    pub(crate) fn mapped(
        &self,
        from: &(IBig, UBig),
        factor: &(IBig, UBig),
        to: &(IBig, UBig),
    ) -> Self {
        let scale = &factor.1 * &self.denominator * &from.1;
        let origin = &self.origin * IBig::from(from.1.clone())
            - &from.0 * IBig::from(self.denominator.clone());
        let (times, more) = (
            &factor.0 * IBig::from(to.1.clone()),
            &to.0 * IBig::from(scale.clone()),
        );
        Self {
            origin: origin * &times + more,
            step: &self.step * IBig::from(from.1.clone()) * times,
            denominator: scale * &to.1,
            ..*self
        }
    }

    /// All samples, each as an unevaluated sum of two doubles: the nearest one, and what is left to about 2^-105 of it.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<[f64; 2]> {
        let cut = Cut::of(self);
        let pair = |index: u32| {
            if let Some(cut) = &cut {
                let numerator = &cut.origin + &cut.step * IBig::from(self.place(index));
                if bits(&numerator) >= Cut::CERTAIN {
                    return scaled_fraction_to_pair(&numerator, &cut.denominator, cut.exponent);
                }
            }
            let (numerator, denominator) = self.fraction(index);
            scaled_fraction_to_pair(&numerator, denominator, 0)
        };
        (0..self.len).map(pair).collect()
    }

    /// log2 of the distance between neighbouring samples, or of its mean where they are displaced, to within 2^-40;
    /// `None` when it is zero.
    #[must_use]
    pub fn spacing_log2(&self) -> Option<f64> {
        let steps = if self.displaced { PARTS as f64 } else { 1.0 };
        let step = fraction_log2(&self.step.clone().unsigned_abs(), &self.denominator)?;
        Some(step + libm::log2(steps))
    }
}

/// An axis of very many digits, cut to its leading bits for rounding samples to `f64`.
///
/// A division by 100,000 digits takes a tenth of a millisecond and a picture has up to 2^18 columns and rows, so the
/// digits that decide nothing are left out before. Let the largest of the numerators' terms have `KEPT` bits after
/// the cut. Cutting moves a sample's numerator by less than `1 + place` < 2^33 of its units. Where at least
/// `CERTAIN` bits are left of the sum, that and the cut of the denominator are less than 2^-400 of the value: it is
/// the correctly rounded one unless the exact value lies that close to where rounding changes, and then it is the
/// neighbour. Where fewer are left, the terms cancel, and the sample is computed from all digits; that is so for one
/// sample at most: either the origin outweighs all steps together and nothing cancels, or a step is so long that no
/// second sample is near zero. A step of a deep view may be cut to nothing: it is far below what `f64` shows.
///
/// The cut depends on the axis alone, so all strips and all ways to ask for a sample agree.
struct Cut<'a> {
    whole: &'a Axis,
    origin: IBig,
    step: IBig,
    denominator: UBig,
    /// log2 of what the quotient of the cut parts has to be multiplied by.
    exponent: i64,
}

impl<'a> Cut<'a> {
    /// Bits that are kept of numerators, and of the denominator.
    const KEPT: usize = 1024;
    /// Bits of numerators or of the denominator up to which nothing is cut.
    const SHORT: usize = 2 * Self::KEPT;
    /// Bits of a cut numerator from which on its error is negligible.
    const CERTAIN: usize = 512;

    /// `None` for an axis that is short enough to be taken as it is.
    fn of(whole: &'a Axis) -> Option<Self> {
        let last = whole.place(whole.len).unsigned_abs();
        let len_bits = (u64::BITS - last.leading_zeros()) as usize;
        let numerator_bits = bits(&whole.origin).max(bits(&whole.step) + len_bits);
        let denominator_bits = whole.denominator.bit_len();
        if numerator_bits.max(denominator_bits) <= Self::SHORT {
            return None;
        }
        let numerator_cut = numerator_bits.saturating_sub(Self::KEPT);
        let denominator_cut = denominator_bits.saturating_sub(Self::KEPT);
        Some(Self {
            whole,
            origin: &whole.origin >> numerator_cut,
            step: &whole.step >> numerator_cut,
            denominator: &whole.denominator >> denominator_cut,
            exponent: numerator_cut as i64 - denominator_cut as i64,
        })
    }

    /// Sample `index`, whose cut numerator is `numerator`.
    fn to_f64(&self, numerator: &IBig, index: u32) -> f64 {
        if bits(numerator) < Self::CERTAIN {
            let (numerator, denominator) = self.whole.fraction(index);
            return fraction_to_f64(&numerator, denominator);
        }
        scaled_fraction_to_f64(numerator, &self.denominator, self.exponent)
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

    fn axis(origin: IBig, step: IBig, denominator: UBig) -> Axis {
        let len = 1 << 17;
        Axis {
            origin,
            step,
            denominator,
            len,
            displaced: false,
        }
    }

    /// What the samples are when no digit is left out.
    fn exactly(axis: &Axis, range: std::ops::Range<u32>) -> Vec<f64> {
        range
            .map(|index| {
                let (numerator, denominator) = axis.fraction(index);
                fraction_to_f64(&numerator, denominator)
            })
            .collect()
    }

    proptest! {
        #[test]
        fn cut_axes_round_as_whole_ones(
            origin in any::<i128>(), step in any::<i128>(), denominator in 1u128.., depth in 0usize..3000,
            digits in 600usize..1500, start in 0u32..131_000,
        ) {
            let scale = IBig::from(10u8).pow(digits);
            let axis = axis(
                IBig::from(origin) * &scale + IBig::from(7),
                ((IBig::from(step) * &scale) >> depth) + IBig::from(3),
                UBig::from(denominator) * UBig::from(10u8).pow(digits) + UBig::ONE,
            );
            prop_assert!(Cut::of(&axis).is_some());
            let values = axis.to_f64s(start..start + 50);
            prop_assert_eq!(&values, &exactly(&axis, start..start + 50));
            let alone: Vec<f64> = (start..start + 50).map(|index| axis.at(index)).collect();
            prop_assert_eq!(values, alone);
        }
    }

    /// The sample at zero, and one next to nothing, come from all digits: the cut would leave them garbage.
    #[test]
    fn samples_at_zero_survive_the_cut() {
        let step = UBig::from(10u8).pow(3000) / UBig::from(7u8);
        let denominator = UBig::from(10u8).pow(3000);
        for off in [IBig::ZERO, IBig::from(10u8).pow(2900)] {
            let origin = off - IBig::from(step.clone()) * IBig::from(5000);
            let axis = axis(origin, IBig::from(step.clone()), denominator.clone());
            let values = axis.to_f64s(4990..5010);
            assert_eq!(values, exactly(&axis, 4990..5010));
            assert!(values[10].abs() < 2e-100 && values[11] > 0.1);
        }
    }

    #[test]
    fn pairs_hold_twice_the_digits() {
        let third = axis(IBig::from(-1), IBig::from(1), UBig::from(3u8));
        for (index, [near, rest]) in third.to_pairs()[..1000].iter().enumerate() {
            let index = index as i64 - 1;
            assert_eq!(*near, index as f64 / 3.0);
            // 3 (near + rest) = index, by exact products.
            let off = libm::fma(*near, 3.0, -(index as f64)) + 3.0 * rest;
            assert!(
                off.abs() <= index.abs() as f64 * 2f64.powi(-104),
                "{index}: {off}"
            );
        }
        // Far more digits than are looked at.
        let scale = IBig::from(10).pow(3000);
        let long = axis(
            -scale.clone(),
            scale,
            UBig::from(10u8).pow(3000) * UBig::from(3u8),
        );
        for (cut, whole) in long.to_pairs().iter().zip(third.to_pairs()).take(1000) {
            let apart = (cut[1] - whole[1]).abs();
            assert!(cut[0] == whole[0] && apart <= cut[0].abs() * 2f64.powi(-160));
        }
        let deep = axis(IBig::from(1), IBig::from(1), UBig::from(10u8).pow(400));
        assert_eq!(deep.to_pairs()[7], [0.0, 0.0]);
    }

    /// Coordinates of numbers that a job may have take no longer than short ones, within a small factor.
    #[test]
    fn a_hundred_thousand_digits_take_no_time() {
        let denominator = UBig::from(10u8).pow(100_000);
        let step = IBig::from(denominator.clone() / UBig::from(3u8 << 5)) >> 17;
        let axis = axis(
            -IBig::from(denominator.clone() / UBig::from(7u8)),
            step,
            denominator,
        );
        let begun = std::time::Instant::now();
        let values = axis.to_f64s(0..1 << 17);
        let elapsed = begun.elapsed();
        assert_eq!(values.len(), 1 << 17);
        // Dividing all digits takes tens of seconds.
        assert!(elapsed < std::time::Duration::from_secs(3), "{elapsed:?}");
        assert_eq!(values[99_990..99_995], exactly(&axis, 99_990..99_995));
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
            displaced: false,
        };
        assert_eq!(axis.fixed_point(0, 2), IBig::from(-2)); // -4/3
        assert_eq!(axis.fixed_point(1, 2), IBig::from(1)); // 4/3
    }

    /// Within half a spacing, in order, exact, and the same whichever way they are asked for.
    #[test]
    fn displaced_samples_stay_in_their_places() {
        let even = axis(IBig::from(-7), IBig::from(3), UBig::from(1_000_003u32));
        let displaced = even.clone().displaced();
        assert_eq!(even.spacing_log2(), displaced.spacing_log2());
        let (evenly, values) = (even.to_f64s(0..5000), displaced.to_f64s(0..5000));
        let spacing = 3.0 / 1_000_003.0;
        let mut moved = 0.0;
        for index in 0..5000u32 {
            let by = (values[index as usize] - evenly[index as usize]) / spacing;
            assert!(
                (by - f64::from(displacement(index))).abs() < 1e-6,
                "{index}"
            );
            // Doubles of this size tell a spacing's millionths apart, and no less.
            assert!(by.abs() < 0.5 + 1e-6, "{index}: {by}");
            assert_eq!(displaced.at(index), values[index as usize]);
            let (numerator, denominator) = displaced.fraction(index);
            assert_eq!(
                fraction_to_f64(&numerator, denominator),
                values[index as usize]
            );
            moved += by;
        }
        assert!(values.is_sorted());
        assert!(
            (moved / 5000.0f64).abs() < 0.02,
            "no side is preferred: {moved}"
        );
        assert_ne!(values, evenly);
    }
}
