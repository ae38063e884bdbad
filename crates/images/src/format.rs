//! The formats, and their limits.

use serde::{Deserialize, Serialize};

/// Most pixels of a picture that is held in memory to be encoded.
const MOST_PIXELS: u64 = 1 << 28;
/// The same for AVIF, whose encoder takes seconds for a million.
const MOST_AVIF_PIXELS: u64 = 1 << 26;

/// A format of pictures that are encoded whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageFormat {
    /// JPEG: 8 bits, with losses that are hard to see.
    Jpeg,
    /// WebP: 8 bits, without loss.
    WebP,
    /// TIFF: 8 or 16 bits, without loss.
    Tiff,
    /// AVIF: 8 bits, with losses that are hard to see.
    Avif,
}

/// A picture that its format does not hold, or that takes too much memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{width} x {height} pixels: {} has at most {side} a side, and {pixels} in all", .format.name())]
pub struct TooLarge {
    format: ImageFormat,
    width: u32,
    height: u32,
    side: u32,
    pixels: u64,
}

impl ImageFormat {
    /// What a file's extension says that it is.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "webp" => Some(Self::WebP),
            "tif" | "tiff" => Some(Self::Tiff),
            "avif" => Some(Self::Avif),
            _ => None,
        }
    }

    /// What a file begins as; of one with fewer than 12 bytes `None`.
    #[must_use]
    pub fn of_mark(mark: &[u8]) -> Option<Self> {
        match *mark.first_chunk::<12>()? {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Some(Self::WebP),
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(Self::Tiff),
            [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f'] => Some(Self::Avif),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Avif => "AVIF",
        }
    }

    /// Whether it has 16 bits a channel.
    #[must_use]
    pub const fn has_sixteen_bits(self) -> bool {
        matches!(self, Self::Tiff)
    }

    /// Whether a picture of so many columns and rows can be written.
    ///
    /// # Errors
    /// The limits that it is over.
    pub fn check(self, (width, height): (u32, u32)) -> Result<(), TooLarge> {
        let (side, pixels) = match self {
            Self::Jpeg => (u32::from(u16::MAX), MOST_PIXELS),
            // Sides have 14 bits.
            Self::WebP => (1 << 14, MOST_PIXELS),
            Self::Tiff => (1 << 20, MOST_PIXELS),
            Self::Avif => (1 << 16, MOST_AVIF_PIXELS),
        };
        let fits = width.max(height) <= side && u64::from(width) * u64::from(height) <= pixels;
        fits.then_some(()).ok_or(TooLarge {
            format: self,
            width,
            height,
            side,
            pixels,
        })
    }
}
