//! How many bits a number has, and in what: limbs, or digits for transforms.
//!
//! Squares of few limbs are sums of products of limbs; longer ones are made by Fourier transforms over digits of 14 to 18
//! bits in doubles (`fourier`). Which it is depends on the number of bits alone, so everybody gets the same bits.
//!
//! **Transforms are exact.** Columns of a square are integers, and come out of transforms with an error below 1/2, so
//! rounding makes them exact whatever instructions a processor has. The error is at most ε |a|², |a|² being the sum of
//! the squares of all digits (Percival, "Rapid multiplication modulo the sum and difference of highly composite
//! numbers", 2003, theorem 5.1; Brent, Percival and Zimmermann, "Error bounds on complex floating-point multiplication",
//! 2007): a forward transform makes a relative error in the 2-norm, which counts twice in a square, and each result of the
//! inverse one is a sum over paths that make another. [`Length::error`] counts ε: a factor of 2 of the length is an
//! addition and a multiplication by a root of unity, a factor of 3 four additions and two multiplications. With
//! u = 2^-53, a complex addition has an error of u, a multiplication one of √5 u. The roots of `rustfft` are
//! sines and cosines of angles below 2π, rounded three times: at most [`ROOT`] u.
//!
//! Digits are as long as that bound allows where they are uniformly distributed; |a|² is then M 2^2b / 6 for M digits of b
//! bits. Whether |a|² keeps to it is looked at in each step; where not, columns are summed in integers.

/// Largest number of limbs; more bits are digits. Measured.
pub(in crate::reference) const MOST_LIMBS: usize = 56;
/// Bits before the point of a number in limbs.
pub(in crate::reference) const INTEGER: u32 = 6;
/// Error of a root of unity: 2π times the 2.4 roundings of its angle, and that of sine and cosine.
const ROOT: f64 = 16.0;
/// Error of a complex product of exact factors: √5, rounded up.
const PRODUCT: f64 = 2.24;
/// The error that transforms may make. 1/2 is too much.
const ALLOWED: f64 = 0.45;
/// How much larger than usual |a|² may be.
const SPARE: f64 = 1.25;

/// A length M of transforms, which is also the number of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reference) struct Length {
    /// M = 2^i 3^j, from [`Length::SHORTEST`] on.
    pub(in crate::reference) points: usize,
    /// Bits of a digit.
    pub(in crate::reference) digit: u32,
}

impl Length {
    const SHORTEST: usize = 64;

    /// The shortest of at least so many points.
    fn from_points(least: usize) -> Self {
        let mut best = usize::MAX;
        for threes in [1, 3, 9, 27, 81] {
            let twos = least.div_ceil(threes).next_power_of_two().max(4);
            best = best.min(twos * threes);
        }
        let mut length = Self {
            points: best,
            digit: 20,
        };
        while length.usual() * SPARE > length.most() {
            length.digit -= 1;
        }
        length
    }

    /// Fractional bits of numbers of this length: one digit is before the point.
    pub(in crate::reference) fn fraction(self) -> usize {
        (self.points - 1) * self.digit as usize
    }

    /// ε of a square.
    fn error(self) -> f64 {
        let twos = f64::from(self.points.trailing_zeros());
        let odd = self.points >> self.points.trailing_zeros();
        let threes = f64::from(odd.ilog(3));
        let transform = twos * (1.0 + PRODUCT + ROOT) + threes * (4.0 + 2.0 * PRODUCT + 1.0 + ROOT);
        // Twisted twice and back, squared, halves added, scaled.
        let rest = 3.0 * (PRODUCT + ROOT) + PRODUCT + 1.0 + 2.0;
        // 2^-53, and what products of these errors come to.
        (3.0 * transform + rest) * (f64::EPSILON / 2.0) * 1.001
    }

    /// The largest |a|² of which columns are exact by transforms.
    pub(in crate::reference) fn most(self) -> f64 {
        ALLOWED / self.error()
    }

    /// |a|² where all values of digits are equally frequent.
    fn usual(self) -> f64 {
        let base = crate::reference::scaled::power_of_two(i64::from(self.digit));
        self.points as f64 * base * base / 6.0
    }
}

/// How numbers are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reference) enum Format {
    /// In so many limbs.
    Limbs(usize),
    /// In digits.
    Digits(Length),
}

impl Format {
    /// The shortest whose steps lose no more than 2^-`bits` each.
    pub(in crate::reference) fn of(bits: u32) -> Self {
        let mut n = (bits as usize / 64).max(2);
        while Self::Limbs(n).bits() < bits {
            n += 1;
        }
        if n <= MOST_LIMBS {
            return Self::Limbs(n);
        }
        // Digits become shorter with the length, so a guess may be too short.
        let mut least = Length::SHORTEST;
        loop {
            let format = Self::Digits(Length::from_points(least));
            let Self::Digits(length) = format else {
                return format;
            };
            if format.bits() >= bits {
                return format;
            }
            let more = (bits as usize).div_ceil(length.digit as usize) + 2;
            least = more.max(length.points + 1);
        }
    }

    /// Bits after the point that a step keeps.
    ///
    /// In limbs, each of three high squares lacks less than n units of the limb above its lowest one, of which
    /// 2 * [`INTEGER`] bits lie before the point: together less than 3n 2^(12 - 64n). In digits, a step is rounded to
    /// nearest but for what columns far below carry.
    pub(in crate::reference) fn bits(self) -> u32 {
        let bits = match self {
            Self::Limbs(n) => 64 * n - 2 * INTEGER as usize - 3 - n.ilog2() as usize,
            Self::Digits(length) => length.fraction() - 1,
        };
        u32::try_from(bits).unwrap_or(u32::MAX)
    }

    /// Limbs that hold it.
    pub(in crate::reference) fn limbs(self) -> usize {
        match self {
            Self::Limbs(n) => n,
            Self::Digits(length) => (length.fraction() + INTEGER as usize).div_ceil(64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_as_long_as_the_error_bound_allows() {
        let mut last = 0;
        for points in 64..40_000 {
            let length = Length::from_points(points);
            assert!(length.points >= points && length.points <= points * 6 / 5 + 64);
            if length.points == last {
                continue;
            }
            last = length.points;
            assert!((12..20).contains(&length.digit), "{length:?}");
            assert!(length.usual() * SPARE * length.error() <= ALLOWED);
            let longer = Length {
                digit: length.digit + 1,
                ..length
            };
            assert!(longer.usual() * SPARE * longer.error() > ALLOWED);
            // Columns are far from where doubles lose units.
            assert!(length.most() < (1u64 << 46) as f64);
        }
    }

    #[test]
    fn formats_keep_the_bits_asked_for() {
        for bits in (0..80_000).chain(500_000..500_100) {
            let format = Format::of(bits);
            assert!(format.bits() >= bits, "{bits}: {format:?}");
            assert!(64 * format.limbs() >= bits as usize);
            if bits > 4000 {
                assert!(
                    f64::from(format.bits()) < 1.3 * f64::from(bits),
                    "{format:?}"
                );
            }
        }
    }
}
