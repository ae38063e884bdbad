//! Smooth counts to colours.
//!
//! position = log2(1 + smooth - low) / log2(1 + high - low), clamped to 0..1, on the palette; inside is
//! black. The logarithm spreads what lies far outside and what lies at the boundary over one palette.

use colorgrad::{Gradient, preset};

use crate::cli::PaletteArg;

/// Steps of the table in one octave of 1 + smooth - low: finer than 8 bits show on any palette.
const STEPS_LOG2: u32 = 10;
const SHIFT: u32 = f32::MANTISSA_DIGITS - 1 - STEPS_LOG2;
const INSIDE: [u8; 4] = [0, 0, 0, 0];

/// Bytes of an 8-bit RGB pixel.
pub const RGB_BYTES: usize = 3;

/// Pixels whose places in the table are found together, as vectors.
const RUN: usize = 64;

/// A palette laid out for one range of smooth counts.
#[derive(Debug)]
pub struct Colours {
    low: f32,
    /// First the colour of the inside, then colours by the leading bits of 1 + smooth - low, which are its
    /// logarithm, nearly. Three bytes and one to spare.
    table: Vec<[u8; 4]>,
}

impl Colours {
    /// Lays `palette` over the smooth counts from `low` to `high`.
    #[must_use]
    pub fn new(palette: PaletteArg, (low, high): (f64, f64)) -> Self {
        let gradient: Box<dyn Gradient> = match palette {
            PaletteArg::Plasma => Box::new(preset::plasma()),
            PaletteArg::Viridis => Box::new(preset::viridis()),
            PaletteArg::Magma => Box::new(preset::magma()),
            PaletteArg::Inferno => Box::new(preset::inferno()),
            PaletteArg::Cividis => Box::new(preset::cividis()),
            PaletteArg::Turbo => Box::new(preset::turbo()),
        };
        let octaves = (1.0 + (high - low).max(f64::MIN_POSITIVE)).log2();
        let last = key((1.0 + (high - low)) as f32);
        let outside = (0..=last).map(|key| {
            let value = f32::from_bits((key << SHIFT) + 1f32.to_bits());
            let [r, g, b, _] = gradient
                .at((f64::from(value).log2() / octaves) as f32)
                .to_rgba8();
            [r, g, b, 0]
        });
        Self {
            low: low as f32,
            table: [INSIDE].into_iter().chain(outside).collect(),
        }
    }

    /// Colours a run of smooth counts; `rgb` has three bytes for each.
    pub fn paint(&self, smooth: &[f32], rgb: &mut [u8]) {
        let last = (self.table.len() - 2) as u32;
        let mut places = [0u32; RUN];
        for (values, pixels) in smooth.chunks(RUN).zip(rgb.chunks_mut(RUN * RGB_BYTES)) {
            for (place, value) in places.iter_mut().zip(values) {
                // NaN and what lies below the range both become 1 here, the start of the colours.
                let outside = key(1.0 + (value - self.low)).min(last) + 1;
                *place = if *value == 0.0 { 0 } else { outside };
            }
            for (pixel, place) in pixels.chunks_exact_mut(RGB_BYTES).zip(places) {
                pixel.copy_from_slice(&self.table[place as usize][..RGB_BYTES]);
            }
        }
    }
}

/// The leading bits of `value` above those of 1.
fn key(value: f32) -> u32 {
    (value.max(1.0).to_bits() - 1f32.to_bits()) >> SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_are_the_ends_of_the_palette() {
        let colours = Colours::new(PaletteArg::Plasma, (10.0, 1000.0));
        let mut rgb = [0u8; 18];
        colours.paint(&[10.0, 1000.0, 0.0, 2.0, 1e9, f32::NAN], &mut rgb);
        let pixels: Vec<&[u8]> = rgb.chunks(3).collect();
        let close = |a: &[u8], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 3);
        assert!(close(pixels[0], [13, 8, 135]), "{pixels:?}");
        assert!(close(pixels[1], [240, 249, 33]), "{pixels:?}");
        assert_eq!(pixels[2], [0, 0, 0]);
        assert_eq!(pixels[3], pixels[0], "below the range");
        assert_eq!(pixels[4], pixels[1], "above the range");
        assert_eq!(pixels[5], pixels[0], "not a number");
    }

    #[test]
    fn colours_change_without_jumps() {
        let colours = Colours::new(PaletteArg::Turbo, (1.0, 300.0));
        let smooth: Vec<f32> = (0..30_000).map(|i| 1.0 + i as f32 * 0.01).collect();
        let mut rgb = vec![0; smooth.len() * RGB_BYTES];
        colours.paint(&smooth, &mut rgb);
        for (a, b) in rgb.chunks(3).zip(rgb.chunks(3).skip(1)) {
            assert!(
                a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 8),
                "{a:?} {b:?}"
            );
        }
    }
}
