//! Fixed point of a fixed number of 64-bit limbs: what settles counts where doubles do not tell.

use dashu_int::{IBig, Sign};

use super::super::exact::Fixed;
use super::super::numbers::{Fold, Numbers};

/// A number of `N` limbs, the least significant first; the last holds the integer part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limbs<const N: usize> {
    negative: bool,
    words: [u64; N],
}

/// Three words of a column's sum.
#[derive(Clone, Copy, Default)]
struct Sum {
    low: u128,
    high: u64,
}

impl Sum {
    #[inline(always)]
    fn take(&mut self, a: u64, b: u64) {
        let (low, carry) = self.low.overflowing_add(u128::from(a) * u128::from(b));
        self.low = low;
        self.high += u64::from(carry);
    }

    /// The lowest word; what is left is for the next column.
    #[inline(always)]
    fn word(&mut self) -> u64 {
        let word = self.low as u64;
        self.low = self.low >> 64 | u128::from(self.high) << 64;
        self.high = 0;
        word
    }
}

impl<const N: usize> Limbs<N> {
    /// Fractional bits.
    pub(super) const BITS: usize = 64 * (N - 1);

    /// From an integer of as many fractional bits; what is too large is cut off.
    pub(super) fn of(value: &IBig) -> Self {
        let (sign, from) = value.as_sign_words();
        let mut words = [0; N];
        for (word, from) in words.iter_mut().zip(from) {
            *word = *from;
        }
        Self {
            negative: sign == Sign::Negative,
            words,
        }
    }

    /// Cut off below its last 64 significant bits and rounded to a double.
    #[inline(always)]
    pub(super) fn to_f64(self) -> f64 {
        let mut top = N - 1;
        while top > 0 && self.words[top] == 0 {
            top -= 1;
        }
        let below = if top > 0 { self.words[top - 1] } else { 0 };
        let magnitude = (u128::from(self.words[top]) << 64 | u128::from(below)) as f64;
        // Less than 2^128 times a power of two down to 2^-64 of the last limb.
        let power = 64 * (top as i64 - 1) - Self::BITS as i64;
        let scaled = if power >= -960 {
            magnitude * f64::from_bits(((1023 + power) as u64) << 52)
        } else {
            libm::scalbn(magnitude, power as i32)
        };
        if self.negative { -scaled } else { scaled }
    }

    #[inline(always)]
    fn negated(self) -> Self {
        Self {
            negative: !self.negative,
            ..self
        }
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        let mut words = [0; N];
        if self.negative == other.negative {
            let mut carry = false;
            for (word, (a, b)) in words.iter_mut().zip(self.words.iter().zip(&other.words)) {
                let (sum, one) = a.overflowing_add(*b);
                let (sum, two) = sum.overflowing_add(u64::from(carry));
                (*word, carry) = (sum, one | two);
            }
            return Self { words, ..self };
        }
        let mut borrow = false;
        for (word, (a, b)) in words.iter_mut().zip(self.words.iter().zip(&other.words)) {
            let (difference, one) = a.overflowing_sub(*b);
            let (difference, two) = difference.overflowing_sub(u64::from(borrow));
            (*word, borrow) = (difference, one | two);
        }
        if !borrow {
            return Self { words, ..self };
        }
        // The other one was the larger: its complement.
        let mut carry = true;
        for word in &mut words {
            (*word, carry) = (!*word).overflowing_add(u64::from(carry));
        }
        Self { words, ..other }
    }

    /// The product, less than two units of the last place smaller.
    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        let (a, b) = (&self.words, &other.words);
        let mut sum = Sum::default();
        // One column below the result's last: what those before it would carry is less than a unit of it.
        for i in 0..N - 1 {
            sum.take(a[i], b[N - 2 - i]);
        }
        sum.word();
        let mut words = [0; N];
        for (column, word) in words.iter_mut().enumerate() {
            let column = N - 1 + column;
            for i in column.saturating_sub(N - 1)..=column.min(N - 1) {
                sum.take(a[i], b[column - i]);
            }
            *word = sum.word();
        }
        Self {
            negative: self.negative != other.negative,
            words,
        }
    }
}

/// Orbits in such numbers.
pub(super) struct LimbNumbers<const N: usize> {
    pub(super) c: [Limbs<N>; 2],
    rotations: Vec<[Limbs<N>; 2]>,
}

impl<const N: usize> LimbNumbers<N> {
    /// The same as `fixed`, which has as many bits.
    pub(super) fn of(fixed: &Fixed, rotations: usize) -> Self {
        let pair = |parts: &[IBig; 2]| [Limbs::of(&parts[0]), Limbs::of(&parts[1])];
        Self {
            c: pair(&fixed.c),
            rotations: (0..rotations)
                .map(|index| pair(fixed.rotation(index)))
                .collect(),
        }
    }

    /// Cosine and sine of an angle.
    pub(super) fn rotation(&self, index: usize) -> &[Limbs<N>; 2] {
        &self.rotations[index]
    }

    #[inline(always)]
    fn product([a, b]: &[Limbs<N>; 2], [x, y]: &[Limbs<N>; 2]) -> [Limbs<N>; 2] {
        [
            a.times(x).plus(b.times(y).negated()),
            a.times(y).plus(b.times(x)),
        ]
    }
}

impl<const N: usize> Numbers for LimbNumbers<N> {
    type Value = [Limbs<N>; 2];

    #[inline(always)]
    fn square(&mut self, [x, y]: [Limbs<N>; 2]) -> [Limbs<N>; 2] {
        let re = x.plus(y).times(&x.plus(y.negated()));
        let xy = x.times(&y);
        [re, xy.plus(xy)]
    }

    #[inline(always)]
    fn multiply(&mut self, z: [Limbs<N>; 2], stored: &[Limbs<N>; 2]) -> [Limbs<N>; 2] {
        Self::product(&z, stored)
    }

    #[inline(always)]
    fn fold(&mut self, [x, y]: [Limbs<N>; 2], fold: Fold) -> [Limbs<N>; 2] {
        let modulus = |value: Limbs<N>| Limbs {
            negative: false,
            ..value
        };
        match fold {
            Fold::AbsX => [modulus(x), y],
            Fold::AbsY => [x, modulus(y)],
            Fold::NegX => [x.negated(), y],
            Fold::NegY => [x, y.negated()],
        }
    }

    #[inline(always)]
    fn rotate(&mut self, z: [Limbs<N>; 2], index: usize) -> [Limbs<N>; 2] {
        Self::product(&z, &self.rotations[index])
    }

    #[inline(always)]
    fn add(&mut self, [x, y]: [Limbs<N>; 2]) -> [Limbs<N>; 2] {
        [x.plus(self.c[0]), y.plus(self.c[1])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_and_products_are_those_of_integers(a in any::<i128>(), b in any::<i128>(), far in 0usize..60) {
            let (a, b) = (IBig::from(a) << far, IBig::from(b) << (60 - far));
            let (x, y) = (Limbs::<5>::of(&a), Limbs::<5>::of(&b));
            prop_assert_eq!(x.plus(y).words, Limbs::<5>::of(&(&a + &b)).words);
            let bits = Limbs::<5>::BITS;
            let exact: IBig = (&a * &b) >> (bits - 64);
            let back = |value: Limbs<5>| {
                let words = value.words.iter().rev().fold(IBig::ZERO, |all, word| (all << 64) + IBig::from(*word));
                if value.negative { -words } else { words }
            };
            let off = (exact >> 64) - back(x.times(&y));
            prop_assert!(off >= IBig::from(-2) && off <= IBig::from(2), "{off}");
            let size = x.to_f64();
            let expected = crate::FloatExp::from_big(&a, -(bits as i64)).to_f64();
            prop_assert!((size - expected).abs() <= expected.abs() * 2.3e-16);
        }
    }
}
