//! Between linear light and sRGB (IEC 61966-2-1), one way by its formula, the other fast enough for every sample.

/// Leading bits of a number's mantissa that choose a piece of the curve.
const PIECE_BITS: u32 = 7;
const SHIFT: u32 = f32::MANTISSA_DIGITS - 1 - PIECE_BITS;
/// Where the curve begins to be tabulated: below, it is a straight line.
const LEAST: f32 = 1.0 / 512.0;
/// End of the straight line, in linear light.
const LINE_END: f64 = 0.003_130_8;
/// Its slope.
const LINE: f64 = 12.92;

/// Linear light of an sRGB value, both 0 to 1.
#[must_use]
pub fn to_linear(value: f64) -> f64 {
    if value <= LINE_END * LINE {
        value / LINE
    } else {
        libm::pow((value + 0.055) / 1.055, 2.4)
    }
}

/// sRGB value of linear light, both 0 to 1.
#[must_use]
pub fn from_linear(light: f64) -> f64 {
    if light <= LINE_END {
        light * LINE
    } else {
        1.055 * libm::pow(light, 1.0 / 2.4) - 0.055
    }
}

/// [`from_linear`] in straight pieces, within 2.2e-6.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// Value at the start of each piece, and what it rises by in one unit of the mantissa's last place.
    pieces: Vec<[f32; 2]>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// Lays out the pieces.
    #[must_use]
    pub fn new() -> Self {
        let count = (1f32.to_bits() - LEAST.to_bits()) >> SHIFT;
        let at = |piece: u32| {
            let start = f32::from_bits(LEAST.to_bits() + (piece << SHIFT));
            from_linear(f64::from(start))
        };
        let piece = |piece: u32| {
            let rise = (at(piece + 1) - at(piece)) / f64::from(1u32 << SHIFT);
            [at(piece) as f32, rise as f32]
        };
        // One more, flat, for 1 itself.
        let pieces = (0..count).map(piece).chain([[1.0, 0.0]]).collect();
        Self { pieces }
    }

    /// sRGB value of linear light; what is outside 0 to 1, or no number, is taken to the nearer of them or to 0.
    #[inline]
    #[must_use]
    pub fn encode(&self, light: f32) -> f32 {
        // Not `clamp`, which lets NaN through.
        let light = if light > 0.0 { light.min(1.0) } else { 0.0 };
        if light < LEAST {
            return light * LINE as f32;
        }
        let bits = light.to_bits() - LEAST.to_bits();
        let [start, rise] = self.pieces[(bits >> SHIFT) as usize];
        start + rise * (bits & ((1 << SHIFT) - 1)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_to_the_curve() {
        let encoder = Encoder::new();
        let mut worst = 0.0f64;
        for i in 0..=1_000_000 {
            let light = f64::from(i) / 1e6;
            let encoded = f64::from(encoder.encode(light as f32));
            worst = worst.max((encoded - from_linear(f64::from(light as f32))).abs());
        }
        assert!(worst < 2.2e-6, "{worst}");
        // Half a step of 16 bits is 7.6e-6.
        assert!(
            worst > 0.0,
            "a table that is no approximation is not tested"
        );
        assert_eq!(encoder.encode(f32::NAN), 0.0);
        assert_eq!((encoder.encode(-1.0), encoder.encode(2.0)), (0.0, 1.0));
    }

    #[test]
    fn all_8_bit_values_come_back() {
        let encoder = Encoder::new();
        for value in 0..=255u8 {
            let light = to_linear(f64::from(value) / 255.0) as f32;
            assert_eq!((encoder.encode(light) * 255.0 + 0.5) as u8, value);
        }
    }
}
