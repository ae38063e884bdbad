//! A painter: a scheme and what it had to know of the picture, with all tables laid out. It has no state: any rows,
//! in any order, on any thread.

use super::distribution::Distribution;
use super::light::{Neighbourhood, Relief, Spacing};
use super::mapping::Places;
use super::noise::Noise;
use super::srgb::Encoder;
use super::tables::{Linear, Tables};
use crate::scheme::scheme::{ColourBy, Depth, Light, Mapping, Needs, Repeat, Samples, Scheme};

/// Pixels whose places are found together, as vectors.
const RUN: usize = 64;
/// Bytes of an 8-bit RGB pixel.
const RGB_BYTES: usize = 3;
/// Share of a turn below which steps of the short cut's table are not seen.
const FINE: f64 = 1.0 / 1024.0;
/// Values from which on all are whole.
const WHOLE: f32 = (1 << 23) as f32;

/// What is known of the values of a whole picture or sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Basis {
    /// The range that the palette spans; the scheme's own goes before it.
    Range(f64, f64),
    /// Their distribution.
    Whole(Distribution),
}

/// A scheme made ready.
#[derive(Clone, Debug)]
pub struct Painter {
    places: Places,
    tables: Tables,
    /// Colours by pieces, the inside first, where the plainest path is good enough.
    short_cut: Option<Vec<[u8; 4]>>,
    is_plain: bool,
    is_banded: bool,
    relief: Option<Relief>,
    noise: Option<Noise>,
    depth: Depth,
    samples: Samples,
    encoder: Encoder,
}

impl Painter {
    /// Lays out the tables of `scheme` over what is known of the values.
    #[must_use]
    pub fn new(scheme: &Scheme, basis: &Basis) -> Self {
        let turns = (scheme.repeat, scheme.offset);
        let scale = scheme.scale();
        let range = (scheme.range).unwrap_or_else(|| scheme.in_pixels(basis.range()));
        let places = match (scheme.needs(), basis) {
            (Needs::Ranks, Basis::Whole(values)) => Places::of_ranks(values, turns),
            // Ranks of values of which no more is known than their range rise evenly.
            (Needs::Ranks, _) => Places::of_range(Mapping::Linear, scale, range, turns),
            _ => Places::of_range(scheme.mapping, scale, range, turns),
        };
        let comes_again = match scheme.repeat {
            Some(Repeat::Cycles(cycles)) => cycles > 1.0,
            Some(Repeat::Period(_)) => true,
            None => false,
        };
        let tables = Tables::new(&scheme.palette, scheme.inside, comes_again);
        let is_banded = scheme.colour == ColourBy::Bands;
        let is_plain = scheme.depth == Depth::Eight
            && !scheme.dither
            && scheme.light.is_none()
            && scheme.samples == Samples::ONE;
        let short_cut = (is_plain && !is_banded && places.is_finer_than(FINE)).then(|| {
            let pieces = 0..places.pieces();
            let outside = pieces.map(|piece| tables.bytes_at(places.middle(piece), false));
            [tables.inside_bytes()].into_iter().chain(outside).collect()
        });
        Self {
            places,
            short_cut,
            is_plain,
            is_banded,
            relief: scheme.light.map(|light: Light| Relief::new(light)),
            noise: scheme.dither.then(Noise::get),
            depth: scheme.depth,
            samples: scheme.samples,
            encoder: Encoder::new(),
            tables,
        }
    }

    /// Samples of a pixel.
    #[must_use]
    pub fn samples(&self) -> Samples {
        self.samples
    }

    /// Whether rows are lit, so that it matters what is beside them.
    #[must_use]
    pub fn is_lit(&self) -> bool {
        self.relief.is_some()
    }

    /// Whether a value alone gives the bytes of its pixel: [`Self::paint`].
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Colours a run of values, the plain way; `rgb` has three bytes for each.
    pub fn paint(&self, values: &[f32], rgb: &mut [u8]) {
        let Some(colours) = &self.short_cut else {
            return self.paint_places(values, rgb);
        };
        let mut at = [0u32; RUN];
        for (values, pixels) in values.chunks(RUN).zip(rgb.chunks_mut(RUN * RGB_BYTES)) {
            for (at, value) in at.iter_mut().zip(values) {
                let outside = self.places.piece(*value) + 1;
                *at = if *value == 0.0 { 0 } else { outside };
            }
            for (pixel, at) in pixels.chunks_exact_mut(RGB_BYTES).zip(at) {
                pixel.copy_from_slice(&colours[at as usize][..RGB_BYTES]);
            }
        }
    }

    fn paint_places(&self, values: &[f32], rgb: &mut [u8]) {
        for (value, pixel) in values.iter().zip(rgb.chunks_exact_mut(RGB_BYTES)) {
            let place = self.places.place(self.coloured(*value));
            let colour = self.tables.bytes_at(place, *value == 0.0);
            pixel.copy_from_slice(&colour[..RGB_BYTES]);
        }
    }

    /// Colours a row in linear light: `values` are what is coloured, `beside` the smooth counts that give the relief.
    pub fn light(
        &self,
        values: &[f32],
        beside: Option<(Neighbourhood<'_>, Spacing<'_>)>,
        out: &mut [Linear],
    ) {
        for (value, out) in values.iter().zip(&mut *out) {
            *out = if *value == 0.0 {
                self.tables.inside()
            } else {
                self.tables.at(self.places.place(self.coloured(*value)))
            };
        }
        let (Some(relief), Some((beside, spacing))) = (&self.relief, beside) else {
            return;
        };
        // What precision leaves of a difference is the same at any scale; as a slope it grows with that.
        let nearer = 1.0 / spacing.pitch;
        for (column, (value, out)) in values.iter().zip(out).enumerate() {
            let smooth = beside.row[column];
            if *value != 0.0 && smooth != 0.0 {
                let (right, down) = beside.slope(column, &spacing);
                *out = relief.apply(*out, (right, -down), smooth * nearer);
            }
        }
    }

    /// Appends row `row` of a picture in sRGB: three bytes a pixel, or three pairs with the higher byte first.
    pub fn encode(&self, row: u32, pixels: &[Linear], out: &mut Vec<u8>) {
        match (self.depth, self.noise) {
            (Depth::Sixteen, _) => {
                for [r, g, b, _] in pixels {
                    for light in [r, g, b] {
                        let value = self.encoder.encode(*light) * 65535.0 + 0.5;
                        out.extend_from_slice(&(value as u16).to_be_bytes());
                    }
                }
            }
            (Depth::Eight, Some(noise)) => {
                for (column, [r, g, b, _]) in pixels.iter().enumerate() {
                    let threshold = noise.at(row, column as u32);
                    for (light, threshold) in [r, g, b].into_iter().zip(threshold) {
                        out.push((self.encoder.encode(*light) * 255.0 + threshold) as u8);
                    }
                }
            }
            (Depth::Eight, None) => {
                for [r, g, b, _] in pixels {
                    let byte = |light: &f32| (self.encoder.encode(*light) * 255.0 + 0.5) as u8;
                    out.extend_from_slice(&[byte(r), byte(g), byte(b)]);
                }
            }
        }
    }

    #[inline]
    fn coloured(&self, value: f32) -> f32 {
        if self.is_banded && value < WHOLE {
            value as i32 as f32
        } else {
            value
        }
    }
}

impl Basis {
    /// The range that a palette spans.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        match self {
            Self::Range(low, high) => (*low, *high),
            Self::Whole(values) => values.range(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint::canvas::{Canvas, Rows};

    fn painted(scheme: &Scheme, basis: &Basis, values: &[f32], width: u32) -> Vec<u8> {
        let painter = Painter::new(scheme, basis);
        let height = values.len() as u32 / width;
        let mut canvas = Canvas::new(&painter, width, height);
        let mut out = Vec::new();
        let smooth = Some(values);
        canvas.push(Rows { values, smooth }, &mut out);
        out
    }

    #[test]
    fn the_ends_of_the_range_are_the_ends_of_the_palette() {
        let values = [10.0, 1000.0, 0.0, 2.0, 1e9, f32::NAN];
        let bytes = painted(&Scheme::default(), &Basis::Range(10.0, 1000.0), &values, 6);
        let pixels: Vec<&[u8]> = bytes.chunks(3).collect();
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
        let values: Vec<f32> = (0..30_000).map(|i| 1.0 + i as f32 * 0.01).collect();
        for repeat in [None, Some(Repeat::Period(30.0)), Some(Repeat::Cycles(2.5))] {
            let palette = "turbo".parse().unwrap();
            let scheme = Scheme {
                palette,
                repeat,
                mapping: repeat.map_or(Mapping::Log, |_| Mapping::Linear),
                ..Scheme::default()
            };
            let bytes = painted(&scheme, &Basis::Range(1.0, 300.0), &values, 30_000);
            for (a, b) in bytes.chunks(3).zip(bytes.chunks(3).skip(1)) {
                let jump = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(jump <= Some(8), "{repeat:?}: {a:?} {b:?}");
            }
        }
    }

    /// The short cut, the plain path and the one by way of linear light differ by less than their tables' steps.
    #[test]
    fn all_paths_give_the_same_colours() {
        let values: Vec<f32> = (0..4000u16).map(|i| f32::from(i) * 0.25).collect();
        let basis = Basis::Range(1.0, 900.0);
        let short = Painter::new(&Scheme::default(), &basis);
        assert!(short.short_cut.is_some());
        let no_short_cut = Painter {
            short_cut: None,
            ..short.clone()
        };
        let sixteen = Scheme {
            depth: Depth::Sixteen,
            ..Scheme::default()
        };
        let deep = painted(&sixteen, &basis, &values, 4000);
        let mut plain = [vec![0; values.len() * 3], vec![0; values.len() * 3]];
        short.paint(&values, &mut plain[0]);
        no_short_cut.paint(&values, &mut plain[1]);
        assert_eq!(deep.len(), 2 * plain[0].len());
        for (index, pair) in deep.chunks(2).enumerate() {
            let exact = f64::from(u16::from_be_bytes([pair[0], pair[1]])) / 257.0;
            for bytes in &plain {
                let error = (f64::from(bytes[index]) - exact).abs();
                assert!(error < 1.5, "{index}: {} is not {exact}", bytes[index]);
            }
        }
        let distinct: std::collections::BTreeSet<&[u8]> = deep.chunks(6).collect();
        assert!(
            distinct.len() > 3000,
            "16 bits tell {} colours apart",
            distinct.len()
        );
    }

    #[test]
    fn bands_are_flat_between_counts() {
        let bands = Scheme {
            colour: ColourBy::Bands,
            ..Scheme::default()
        };
        let bytes = painted(
            &bands,
            &Basis::Range(1.0, 10.0),
            &[3.01, 3.5, 3.99, 4.01],
            4,
        );
        assert_eq!(bytes[0..3], bytes[6..9]);
        assert_ne!(bytes[0..3], bytes[9..12]);
    }

    /// Each pixel is rounded one way or the other so that on average nothing is lost; without noise it is.
    #[test]
    fn noise_keeps_means() {
        let flat = vec![[0.05f32, 0.2, 0.7, 0.0]; 4096];
        let mut scheme = Scheme::default();
        let mean_error = |scheme: &Scheme| {
            let painter = Painter::new(scheme, &Basis::Range(0.0, 1.0));
            let mut bytes = Vec::new();
            (0..64).for_each(|row| painter.encode(row, &flat[..64], &mut bytes));
            let errors = (0..3).map(|channel| {
                let sum: f64 = bytes
                    .iter()
                    .skip(channel)
                    .step_by(3)
                    .map(|b| f64::from(*b))
                    .sum();
                let exact = f64::from(painter.encoder.encode(flat[0][channel])) * 255.0;
                (sum / 4096.0 - exact).abs()
            });
            errors.fold(0.0, f64::max)
        };
        assert!(mean_error(&scheme) > 0.1, "control");
        scheme.dither = true;
        assert!(mean_error(&scheme) < 1e-3);
        // Black and white stay what they are.
        let ends = [[0.0; 4], [1.0; 4]];
        let painter = Painter::new(&scheme, &Basis::Range(0.0, 1.0));
        let mut bytes = Vec::new();
        (0..64).for_each(|row| painter.encode(row, &ends, &mut bytes));
        assert!(bytes.chunks(6).all(|pair| pair == [0, 0, 0, 255, 255, 255]));
    }

    /// Half black, half white is half the light, not half the value.
    #[test]
    fn samples_are_averaged_in_linear_light() {
        let scheme = Scheme {
            palette: "black, white".parse().unwrap(),
            samples: 4.try_into().unwrap(),
            range: Some((1.0, 2.0)),
            ..Scheme::default()
        };
        let bytes = painted(&scheme, &Basis::Range(0.0, 1.0), &[1.0, 2.0, 0.0, 2.0], 2);
        assert_eq!(bytes, [188, 188, 188]);
    }
}
