//! Paints a picture in memory, and encodes it.

use std::io::{self, Seek, Write};

use colour::{Basis, Canvas, Depth, Painter, Scheme};
use image::codecs::avif::AvifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};
use tiff::TiffError;
use tiff::encoder::colortype::{ColorType, RGB8, RGB16};
use tiff::encoder::{Compression, DeflateLevel, TiffEncoder, TiffValue};
use tiff::tags::{Predictor, Tag};

use super::error::{image_error, tiff_error};
use super::exif;
use super::format::ImageFormat;
use crate::rows::{RowSource, uneven_samples};
use crate::texts::{SOFTWARE, Texts, in_ascii};

/// Quality of JPEG, of 100: fine lines stay free of halos.
const JPEG_QUALITY: u8 = 95;
/// Quality of AVIF, of 100, which is another scale.
const AVIF_QUALITY: u8 = 90;
/// Speed of AVIF's encoder, 1 to 10: a fifth of the time of the slowest for a few percent of size.
const AVIF_SPEED: u8 = 7;
/// Threads of AVIF's encoder. It cuts a picture into as many tiles, which decide the bytes: a fixed number, so that those
/// do not depend on cores.
const AVIF_THREADS: usize = 4;
/// Values of a pixel.
const CHANNELS: usize = 3;
/// Most bytes of a JPEG's texts: they lie in one segment, whose length has 16 bits.
const MOST_JPEG_TEXT: usize = 65_000;

/// What a picture is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImagePicture<'a> {
    pub(crate) format: ImageFormat,
    /// Columns and rows of samples.
    pub(crate) samples: (u32, u32),
    pub(crate) colours: &'a Scheme,
    /// What it says of itself, where that is known.
    pub(crate) texts: Option<&'a Texts>,
}

impl ImagePicture<'_> {
    /// Paints all rows of `source`, and encodes them.
    ///
    /// # Errors
    /// Those of the source, of the encoder and of `out`, and a picture that is too large.
    pub(crate) fn write(
        &self,
        out: &mut (impl Write + Seek),
        source: &mut impl RowSource,
        basis: &Basis,
    ) -> io::Result<()> {
        let mut colours = self.colours.clone();
        if !self.format.has_sixteen_bits() {
            colours.depth = Depth::Eight;
        }
        let size = (colours.samples.pixels(self.samples)).ok_or_else(uneven_samples)?;
        self.format.check(size).map_err(io::Error::other)?;
        let painter = Painter::new(&colours, basis);
        let mut canvas = Canvas::new(&painter, self.samples.0, self.samples.1);
        let count = size.0 as usize * size.1 as usize * CHANNELS;
        match colours.depth {
            Depth::Eight => {
                let mut rgb = Vec::with_capacity(count);
                while let Some(rows) = source.next_rows()? {
                    canvas.push(rows, &mut rgb);
                }
                self.encode(out, size, &rgb)
            }
            Depth::Sixteen => {
                let (mut rgb, mut painted) = (Vec::with_capacity(count), Vec::new());
                while let Some(rows) = source.next_rows()? {
                    painted.clear();
                    canvas.push(rows, &mut painted);
                    let (pairs, _) = painted.as_chunks();
                    rgb.extend(pairs.iter().copied().map(u16::from_be_bytes));
                }
                self.tiff::<RGB16>(out, size, &rgb).map_err(tiff_error)
            }
        }
    }

    fn encode(
        &self,
        out: &mut (impl Write + Seek),
        size: (u32, u32),
        rgb: &[u8],
    ) -> io::Result<()> {
        let done = match self.format {
            ImageFormat::Jpeg => {
                self.with_texts(JpegEncoder::new_with_quality(out, JPEG_QUALITY), size, rgb)
            }
            ImageFormat::WebP => self.with_texts(WebPEncoder::new_lossless(out), size, rgb),
            // Without texts: players of a few years ago (ffmpeg 5) refuse files that have them beside the pixels.
            ImageFormat::Avif => {
                let encoder = AvifEncoder::new_with_speed_quality(out, AVIF_SPEED, AVIF_QUALITY)
                    .with_num_threads(Some(AVIF_THREADS));
                encoder.write_image(rgb, size.0, size.1, ExtendedColorType::Rgb8)
            }
            ImageFormat::Tiff => return self.tiff::<RGB8>(out, size, rgb).map_err(tiff_error),
        };
        done.map_err(image_error)
    }

    fn with_texts(
        &self,
        mut encoder: impl ImageEncoder,
        (width, height): (u32, u32),
        rgb: &[u8],
    ) -> Result<(), ImageError> {
        let mut texts = exif::write(&self.description(), SOFTWARE);
        if self.format == ImageFormat::Jpeg && texts.len() > MOST_JPEG_TEXT {
            tracing::warn!("a JPEG has no room for what makes it again: keep that as .toml");
            texts = exif::write("", SOFTWARE);
        }
        encoder
            .set_exif_metadata(texts)
            .map_err(ImageError::Unsupported)?;
        encoder.write_image(rgb, width, height, ExtendedColorType::Rgb8)
    }

    /// What makes it again, in the characters that Exif and TIFF have.
    fn description(&self) -> String {
        let own = self.texts.and_then(|texts| texts.own.as_ref());
        let text = own.and_then(|(_, text)| in_ascii(text));
        text.map_or_else(String::new, |text| text.into_owned())
    }

    fn tiff<C: ColorType>(
        &self,
        out: &mut (impl Write + Seek),
        (width, height): (u32, u32),
        rgb: &[C::Inner],
    ) -> Result<(), TiffError>
    where
        [C::Inner]: TiffValue,
    {
        let mut encoder = TiffEncoder::new(out)?
            .with_compression(Compression::Deflate(DeflateLevel::Balanced))
            .with_predictor(Predictor::Horizontal);
        let mut picture = encoder.new_image::<C>(width, height)?;
        let description = self.description();
        if !description.is_empty() {
            (picture.encoder()).write_tag(Tag::ImageDescription, description.as_str())?;
        }
        picture.encoder().write_tag(Tag::Software, SOFTWARE)?;
        picture.write_data(rgb)
    }
}
