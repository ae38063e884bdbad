//! Between bytes as pictures have them (sRGB, IEC 61966-2-1) and light, which is what may be averaged.

/// Light of the brightest byte.
const FULL: f64 = 65535.0;

/// Tables in both directions.
#[derive(Debug)]
pub struct Light {
    of_bytes: [u16; 256],
    bytes: Vec<u8>,
}

impl Light {
    /// Lays out the tables.
    #[must_use]
    pub fn new() -> Self {
        let light = |byte: usize| {
            let value = byte as f64 / 255.0;
            let light = if value <= 0.040_45 {
                value / 12.92
            } else {
                libm::pow((value + 0.055) / 1.055, 2.4)
            };
            (light * FULL).round() as u16
        };
        let byte = |light: u32| {
            let light = f64::from(light) / FULL;
            let value = if light <= 0.003_130_8 {
                light * 12.92
            } else {
                1.055 * libm::pow(light, 1.0 / 2.4) - 0.055
            };
            (value * 255.0).round() as u8
        };
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

    /// The byte for some light, 0 to 65535; what lies beyond is as its ends.
    #[must_use]
    pub fn byte(&self, light: f32) -> u8 {
        self.bytes[(light + 0.5).clamp(0.0, FULL as f32) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let light = Light::new();
        for byte in 0..=255 {
            assert_eq!(light.byte(f32::from(light.of(byte))), byte);
        }
        assert_eq!((light.of(0), light.of(255)), (0, 65535));
        assert_eq!((light.byte(-5.0), light.byte(1e9)), (0, 255));
        // Half the light is 188, not 128.
        assert_eq!(light.byte(32_767.5), 188);
    }
}
