//! Between light, which is what may be averaged, and the bytes that frames have (sRGB, IEC 61966-2-1): of 8 bits, rounded or
//! with noise in place of rounding, or of 16.

use std::sync::OnceLock;

use pulp::Arch;

use super::resample::{CHANNELS, FULL};
use colour::{Depth, Encoder, Noise, Scheme, from_linear, to_linear};

/// Where the noise of a frame begins, away from that of the frame before it, in rows and columns. Of a pixel it is another one in
/// each frame: a moving picture is not seen through a still pane, and noise averages out in time.
const NOISE_STEP: (u32, u32) = (23, 41);

/// Values that are found in the table together, as vectors.
const RUN: usize = 96;
/// From here on single precision has whole numbers only.
const WHOLE: f32 = (1u32 << 23) as f32;

/// Tables in both directions.
#[derive(Debug)]
pub struct Light {
    of_bytes: [u16; 256],
    bytes: Vec<u8>,
}

impl Light {
    /// Laid out when first asked for.
    #[must_use]
    pub fn get() -> &'static Self {
        static LIGHT: OnceLock<Light> = OnceLock::new();
        LIGHT.get_or_init(Self::new)
    }

    fn new() -> Self {
        let full = f64::from(FULL);
        let light = |byte: usize| (to_linear(byte as f64 / 255.0) * full).round() as u16;
        let byte = |light: u32| (from_linear(f64::from(light) / full) * 255.0).round() as u8;
        Self {
            of_bytes: std::array::from_fn(light),
            bytes: (0..=u32::from(u16::MAX)).map(byte).collect(),
        }
    }

    /// The light of a byte.
    #[must_use]
    pub fn of(&self, byte: u8) -> u16 {
        self.of_bytes[usize::from(byte)]
    }

    /// The bytes for some light, 0 to 65535; what lies beyond is as its ends.
    pub fn bytes(&self, light: &[f32], out: &mut [u8]) {
        Arch::new().dispatch(|| self.bytes_by_runs(light, out));
    }

    #[inline(always)]
    fn bytes_by_runs(&self, light: &[f32], out: &mut [u8]) {
        let mut places = [0u16; RUN];
        for (light, out) in light.chunks(RUN).zip(out.chunks_mut(RUN)) {
            for (place, light) in places.iter_mut().zip(light) {
                // To the nearest whole number: there is none between those of this size. Not by a conversion, of which
                // vectors have none that takes what is no number.
                let shifted = light.clamp(0.0, FULL) + WHOLE;
                *place = shifted.to_bits() as u16;
            }
            for (byte, place) in out.iter_mut().zip(places) {
                *byte = self.bytes[usize::from(place)];
            }
        }
    }
}

/// How frames are written.
#[derive(Debug)]
pub enum Encoding {
    /// 8 bits, rounded.
    Eight(&'static Light),
    /// 8 bits, with noise in place of rounding.
    Noisy(Encoder, Noise),
    /// 16 bits, the higher byte first.
    Sixteen(Encoder),
}

impl Encoding {
    /// As a scheme has it.
    #[must_use]
    pub fn of(scheme: &Scheme) -> Self {
        match (scheme.depth, scheme.dither) {
            (Depth::Sixteen, _) => Self::Sixteen(Encoder::new()),
            (Depth::Eight, true) => Self::Noisy(Encoder::new(), Noise::get()),
            (Depth::Eight, false) => Self::Eight(Light::get()),
        }
    }

    /// Bytes of a pixel.
    #[must_use]
    pub fn pixel_bytes(&self) -> usize {
        match self {
            Self::Eight(_) | Self::Noisy(..) => CHANNELS,
            Self::Sixteen(_) => 2 * CHANNELS,
        }
    }

    /// Writes row `row` of frame `frame`, whose pixels' channels have so much light.
    pub fn row(&self, frame: u32, row: u32, light: &[f32], out: &mut [u8]) {
        match self {
            Self::Eight(table) => table.bytes(light, out),
            Self::Noisy(encoder, noise) => {
                let row = row.wrapping_add(frame.wrapping_mul(NOISE_STEP.0));
                let columns = frame.wrapping_mul(NOISE_STEP.1)..;
                let pixels = light.chunks_exact(CHANNELS);
                let bytes = out.chunks_exact_mut(CHANNELS);
                for ((bytes, pixel), column) in bytes.zip(pixels).zip(columns) {
                    let thresholds = noise.at(row, column);
                    for ((byte, value), threshold) in bytes.iter_mut().zip(pixel).zip(thresholds) {
                        *byte = (encoder.encode(value / FULL) * 255.0 + threshold) as u8;
                    }
                }
            }
            Self::Sixteen(encoder) => {
                for (pair, value) in out.as_chunks_mut().0.iter_mut().zip(light) {
                    let value = encoder.encode(value / FULL) * 65535.0 + 0.5;
                    *pair = (value as u16).to_be_bytes();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let table = Light::get();
        let lights: Vec<f32> = (0..=255).map(|byte| f32::from(table.of(byte))).collect();
        let mut bytes = [0; 256];
        table.bytes(&lights, &mut bytes);
        assert!(bytes.iter().eq(&(0..=255).collect::<Vec<u8>>()));
        assert_eq!((table.of(0), table.of(255)), (0, 65535));
        let mut bytes = [9; 4];
        // Half the light is 188, not 128.
        table.bytes(&[-5.0, 1e9, 32_767.5, 65_534.6], &mut bytes);
        assert_eq!(bytes, [0, 255, 188, 255]);
    }

    /// 16 bits tell apart what 8 do not; noise does on average, over pixels and over frames.
    #[test]
    fn encodings_keep_what_they_have_room_for() {
        let written = |encoding: &Encoding, frame: u32, light: f32| {
            let mut out = vec![0; 64 * encoding.pixel_bytes()];
            encoding.row(frame, 5, &[light; 64 * CHANNELS], &mut out);
            out
        };
        let (a, b) = (9000.0, 9010.0);
        let eight = Encoding::Eight(Light::get());
        assert_eq!(written(&eight, 0, a), written(&eight, 0, b));
        let sixteen = Encoding::Sixteen(Encoder::new());
        let deep = |light: f32| {
            let bytes = written(&sixteen, 0, light);
            u16::from_be_bytes([bytes[0], bytes[1]])
        };
        assert!(deep(b) > deep(a));
        assert_eq!(
            (deep(-1.0), deep(0.0), deep(FULL), deep(1e9)),
            (0, 0, 65535, 65535)
        );
        assert_eq!((deep(a) + 128) / 257, u16::from(written(&eight, 0, a)[0]));
        let noisy = Encoding::Noisy(Encoder::new(), Noise::get());
        let mean = |light: f32| {
            let frames = (0..64).flat_map(|frame| written(&noisy, frame, light));
            frames.map(f64::from).sum::<f64>() / f64::from(64 * 64 * 3)
        };
        let exact = |light: f32| f64::from(deep(light)) / 257.0;
        for light in [a, b] {
            assert!(
                (mean(light) - exact(light)).abs() < 0.02,
                "{} {}",
                mean(light),
                exact(light)
            );
        }
        assert_ne!(written(&noisy, 0, a), written(&noisy, 1, a), "another pane");
        assert!(written(&noisy, 3, 0.0).iter().all(|byte| *byte == 0));
    }
}
