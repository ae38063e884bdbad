//! How many bits each step of an orbit needs: fewer and fewer.
//!
//! Let d_j = dZ_j/dC, h the pixel spacing. An error of u in step j grows as the distance between the orbits of neighbouring
//! pixels does, which is h |d_j| there: it shifts what follows by u / (h |d_j|) of a pixel, whatever comes later. The first
//! step needs all bits of the point, u = 2^-64 h; when the derivative has grown to 2^k, an orbit with k bits less is as exact.
//! At the end, where images of pixels are as far apart as the numbers are large, a hundred are left. Orbits of
//! deep views pass half of their steps with half of the bits or so.
//!
//! Steps are made with [`MORE`] bits more than that, so what tapering adds in N steps is less than N 2^-96 of a pixel,
//! nothing beside what the first steps lose. Where a value close to 0 makes the derivative smaller again, that margin
//! serves for [`MORE`] bits, and then the format grows: the square of a short number is long, and none of it is lost.

use super::replay;
use super::scaled::{Scaled, power_of_two};
use super::stepping::format::Format;

/// Bits that a step has beyond those it needs when the format is chosen. Between two choices it uses them up.
const MORE: i64 = 32;

/// Chooses formats.
pub(super) struct Taper {
    /// Bits that a derivative of 1 needs.
    bits: i64,
    format: Format,
    /// log2 of the derivatives between which the format is right.
    range: [i64; 2],
    /// Their squares, times 4^-`exponent`.
    squares: [f64; 2],
    exponent: i64,
}

impl Taper {
    /// For a point of so many bits; begins with all of them.
    pub(super) fn new(bits: u32) -> Self {
        let mut new = Self {
            bits: i64::from(bits),
            format: Format::of(bits),
            range: [0; 2],
            squares: [0.0; 2],
            exponent: 0,
        };
        new.ranged();
        new
    }

    /// The format that is right.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// The fewest bits, which replays have, too.
    fn least(&self) -> i64 {
        i64::from(Format::Limbs(replay::LIMBS).bits()).min(self.bits)
    }

    fn ranged(&mut self) {
        let held = i64::from(self.format.bits());
        let low = if held < self.bits {
            self.bits - held
        } else {
            i64::MIN
        };
        // The next shorter one: a limb less, or an eighth of the digits.
        let mut less = held - (held / 32).max(64);
        while less > self.least() && Format::of(less as u32) == self.format {
            less -= held / 32;
        }
        let high = if less >= self.least() {
            self.bits + MORE - i64::from(Format::of(less as u32).bits())
        } else {
            i64::MAX
        };
        self.range = [low, high];
        self.scaled();
    }

    fn scaled(&mut self) {
        self.squares = self.range.map(|log2| {
            let log2 = log2.saturating_sub(self.exponent);
            match log2 {
                ..-500 => 0.0,
                -500..=500 => power_of_two(2 * log2),
                501.. => f64::INFINITY,
            }
        });
    }

    /// The format for a step to a value with this derivative, where another one is right than before.
    #[inline(always)]
    pub(super) fn change(&mut self, slope: &Scaled) -> Option<Format> {
        if slope.exponent != self.exponent {
            self.exponent = slope.exponent;
            self.scaled();
        }
        let norm2 = slope.norm2();
        let [low, high] = self.squares;
        if norm2 >= low && norm2 <= high {
            return None;
        }
        self.choose(norm2)
    }

    #[cold]
    fn choose(&mut self, norm2: f64) -> Option<Format> {
        let needed = if norm2 > 0.0 && norm2.is_finite() {
            let log2 = i64::from(libm::ilogb(norm2)).div_euclid(2) + self.exponent;
            self.bits + MORE - log2
        } else {
            self.bits
        };
        let needed = needed.clamp(self.least(), self.bits);
        let format = Format::of(u32::try_from(needed).unwrap_or(u32::MAX));
        if format == self.format {
            return None;
        }
        self.format = format;
        self.ranged();
        Some(format)
    }
}
