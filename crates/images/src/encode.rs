//! Pixels as a file of each format.

use std::io::{self, Seek, Write};

use image::codecs::avif::AvifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};
use tiff::TiffError;
use tiff::encoder::colortype::{ColorType, RGB8, RGB16};
use tiff::encoder::{Compression, DeflateLevel, TiffEncoder, TiffValue};
use tiff::tags::{Predictor, Tag};

use crate::error::{image_error, tiff_error};
use crate::exif;
use crate::format::ImageFormat;

/// Quality of JPEG, of 100: fine lines stay free of halos.
const JPEG_QUALITY: u8 = 95;
/// Quality of AVIF, of 100, which is another scale.
const AVIF_QUALITY: u8 = 90;
/// Speed of AVIF's encoder, 1 to 10: a fifth of the time of the slowest for a few percent of size.
const AVIF_SPEED: u8 = 7;
/// Threads of AVIF's encoder. It cuts a picture into as many tiles, which decide the bytes: a fixed number, so that those
/// do not depend on cores.
const AVIF_THREADS: usize = 4;
/// Most bytes of a JPEG's texts: they lie in one segment, whose length has 16 bits.
const MOST_JPEG_TEXT: usize = 65_000;

/// Where a file goes: what is written and sought in. By `dyn` of it encoders are compiled here, once.
pub trait WriteSeek: Write + Seek {}

impl<T: Write + Seek> WriteSeek for T {}

/// Red, green and blue of each pixel, row by row.
#[derive(Clone, Copy, Debug)]
pub enum Pixels<'a> {
    /// 8 bits each.
    Eight(&'a [u8]),
    /// 16 bits each, which TIFF alone has.
    Sixteen(&'a [u16]),
}

/// What a picture is encoded as.
#[derive(Clone, Copy, Debug)]
pub struct Encoding<'a> {
    /// Its format.
    pub format: ImageFormat,
    /// Columns and rows.
    pub size: (u32, u32),
    /// What it shows, in ASCII; may be empty. AVIF has no texts.
    pub description: &'a str,
    /// The program that made it.
    pub made_by: &'a str,
}

impl Encoding<'_> {
    /// Encodes pixels.
    ///
    /// # Errors
    /// Those of the encoder and of `out`, and values of 16 bits where the format has 8.
    ///
    /// # Panics
    /// If there are not as many pixels as `size` says.
    pub fn write(&self, out: &mut dyn WriteSeek, pixels: Pixels<'_>) -> io::Result<()> {
        match (self.format, pixels) {
            (ImageFormat::Tiff, Pixels::Eight(rgb)) => {
                self.tiff::<RGB8>(out, rgb).map_err(tiff_error)
            }
            (ImageFormat::Tiff, Pixels::Sixteen(rgb)) => {
                self.tiff::<RGB16>(out, rgb).map_err(tiff_error)
            }
            (format, Pixels::Sixteen(_)) => {
                let reason = format!("{} has 8 bits a channel", format.name());
                Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
            }
            (ImageFormat::Jpeg, Pixels::Eight(rgb)) => {
                let encoder = JpegEncoder::new_with_quality(out, JPEG_QUALITY);
                self.with_texts(encoder, rgb).map_err(image_error)
            }
            (ImageFormat::WebP, Pixels::Eight(rgb)) => {
                let encoder = WebPEncoder::new_lossless(out);
                self.with_texts(encoder, rgb).map_err(image_error)
            }
            // Without texts: players of a few years ago (ffmpeg 5) refuse files that have them beside the pixels.
            (ImageFormat::Avif, Pixels::Eight(rgb)) => {
                let encoder = AvifEncoder::new_with_speed_quality(out, AVIF_SPEED, AVIF_QUALITY)
                    .with_num_threads(Some(AVIF_THREADS));
                let (width, height) = self.size;
                (encoder.write_image(rgb, width, height, ExtendedColorType::Rgb8))
                    .map_err(image_error)
            }
        }
    }

    fn with_texts(&self, mut encoder: impl ImageEncoder, rgb: &[u8]) -> Result<(), ImageError> {
        let mut texts = exif::write(self.description, self.made_by);
        if self.format == ImageFormat::Jpeg && texts.len() > MOST_JPEG_TEXT {
            tracing::warn!("a JPEG has no room for what makes it again: keep that as .toml");
            texts = exif::write("", self.made_by);
        }
        encoder
            .set_exif_metadata(texts)
            .map_err(ImageError::Unsupported)?;
        let (width, height) = self.size;
        encoder.write_image(rgb, width, height, ExtendedColorType::Rgb8)
    }

    fn tiff<C: ColorType>(&self, out: &mut dyn WriteSeek, rgb: &[C::Inner]) -> Result<(), TiffError>
    where
        [C::Inner]: TiffValue,
    {
        let mut encoder = TiffEncoder::new(out)?
            .with_compression(Compression::Deflate(DeflateLevel::Balanced))
            .with_predictor(Predictor::Horizontal);
        let mut picture = encoder.new_image::<C>(self.size.0, self.size.1)?;
        if !self.description.is_empty() {
            (picture.encoder()).write_tag(Tag::ImageDescription, self.description)?;
        }
        picture.encoder().write_tag(Tag::Software, self.made_by)?;
        picture.write_data(rgb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_refused_where_a_format_has_eight() {
        for format in [ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Avif] {
            let encoding = Encoding {
                format,
                size: (1, 1),
                description: "",
                made_by: "",
            };
            let mut out = io::Cursor::new(Vec::new());
            let written = encoding.write(&mut out, Pixels::Sixteen(&[0; 3]));
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::InvalidInput);
            assert!(!format.has_sixteen_bits());
            assert!(encoding.write(&mut out, Pixels::Eight(&[0; 3])).is_ok());
        }
    }
}
