//! A palette laid out for places: colours in linear light, between which one goes in straight lines, and in 8 bits.

use super::srgb;
use crate::scheme::palette::Palette;
use crate::scheme::rgb::Rgb;

/// Colours in a turn.
const STEPS_LOG2: u32 = 12;
const STEPS: u32 = 1 << STEPS_LOG2;
const SHIFT: u32 = u32::BITS - STEPS_LOG2;

/// Linear light of red, green and blue, 0 to 1, and one to spare.
pub type Linear = [f32; 4];

/// A palette's colours.
#[derive(Clone, Debug)]
pub struct Tables {
    /// At the start of each step, at the end of the last, and one more: the inside.
    linear: Vec<Linear>,
    /// The same to the nearest of 8 bits, and one byte to spare.
    bytes: Vec<[u8; 4]>,
}

impl Tables {
    /// Lays out a palette; there and back in one turn where `turns` says that it comes again and it does not close.
    #[must_use]
    pub fn new(palette: &Palette, inside: Rgb, turns: bool) -> Self {
        let (gradient, closes) = palette.gradient();
        let is_mirrored = turns && !closes;
        let colours = (0..=STEPS).map(|step| {
            let place = f64::from(step) / f64::from(STEPS);
            let place = if is_mirrored {
                1.0 - (1.0 - 2.0 * place).abs()
            } else {
                place
            };
            let [r, g, b, _] = gradient.at(place as f32).clamp().to_array();
            [r, g, b].map(|value| {
                if value.is_finite() {
                    f64::from(value)
                } else {
                    0.0
                }
            })
        });
        let inside = inside.0.map(|value| f64::from(value) / 255.0);
        let colours: Vec<[f64; 3]> = colours.chain([inside]).collect();
        let linear = |[r, g, b]: &[f64; 3]| {
            let [r, g, b] = [r, g, b].map(|value| srgb::to_linear(*value) as f32);
            [r, g, b, 0.0]
        };
        let byte = |value: f64| (value * 255.0).round() as u8;
        Self {
            linear: colours.iter().map(linear).collect(),
            bytes: (colours.iter())
                .map(|[r, g, b]| [byte(*r), byte(*g), byte(*b), 0])
                .collect(),
        }
    }

    /// The inside.
    #[must_use]
    pub fn inside(&self) -> Linear {
        self.linear[STEPS as usize + 1]
    }

    /// The inside, in 8 bits.
    #[must_use]
    pub fn inside_bytes(&self) -> [u8; 4] {
        self.bytes[STEPS as usize + 1]
    }

    /// Colour at a place.
    #[inline]
    #[must_use]
    pub fn at(&self, place: u32) -> Linear {
        let step = (place >> SHIFT) as usize;
        let part = (place & ((1 << SHIFT) - 1)) as f32 * (1.0 / (1u32 << SHIFT) as f32);
        let (from, to) = (self.linear[step], self.linear[step + 1]);
        std::array::from_fn(|i| from[i] + part * (to[i] - from[i]))
    }

    /// Colour at the step nearest to a place, in 8 bits; the inside where `is_inside`.
    #[inline]
    #[must_use]
    pub fn bytes_at(&self, place: u32, is_inside: bool) -> [u8; 4] {
        let nearest = ((place >> (SHIFT - 1)) + 1) >> 1;
        let step = if is_inside { STEPS + 1 } else { nearest };
        self.bytes[step as usize]
    }
}
