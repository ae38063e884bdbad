//! Paints a picture in memory, and encodes it.

use std::io::{self, Seek, Write};

use colour::{Basis, Canvas, Depth, Painter, Scheme};
use image::codecs::avif::AvifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};
use tiff::TiffError;
use tiff::encoder::colortype::{RGB8, RGB16};
use tiff::encoder::{Compression, DeflateLevel, DirectoryEncoder, TiffEncoder, TiffKindStandard};
use tiff::tags::{Predictor, Tag};

use super::exif;
use super::format::ImageFormat;
use crate::rows::RowSource;
use crate::texts::{SOFTWARE, Texts, in_ascii};

/// Quality of JPEG, of 100: fine lines stay free of halos.
const JPEG_QUALITY: u8 = 95;
/// Quality of AVIF, of 100, which is another scale.
const AVIF_QUALITY: u8 = 90;
/// Speed of AVIF's encoder, 1 to 10: a fifth of the time of the slowest for a few percent of size.
const AVIF_SPEED: u8 = 7;
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
        let side = colours.samples.side();
        let (width, height) = self.samples;
        let size = (width / side, height / side);
        self.format.check(size).map_err(io::Error::other)?;
        let painter = Painter::new(&colours, basis);
        let mut canvas = Canvas::new(&painter, width, height);
        let mut rgb = Vec::new();
        while let Some(rows) = source.next_rows()? {
            canvas.push(rows, &mut rgb);
        }
        self.encode(out, size, colours.depth, &rgb)
    }

    fn encode(
        &self,
        out: &mut (impl Write + Seek),
        size: (u32, u32),
        depth: Depth,
        rgb: &[u8],
    ) -> io::Result<()> {
        let done = match self.format {
            ImageFormat::Jpeg => {
                self.with_texts(JpegEncoder::new_with_quality(out, JPEG_QUALITY), size, rgb)
            }
            ImageFormat::WebP => self.with_texts(WebPEncoder::new_lossless(out), size, rgb),
            // Without texts: players of a few years ago (ffmpeg 5) refuse files that have them beside the pixels.
            ImageFormat::Avif => {
                let encoder = AvifEncoder::new_with_speed_quality(out, AVIF_SPEED, AVIF_QUALITY);
                encoder.write_image(rgb, size.0, size.1, ExtendedColorType::Rgb8)
            }
            ImageFormat::Tiff => return self.tiff(out, size, depth, rgb).map_err(tiff_error),
        };
        done.map_err(|error| match error {
            ImageError::IoError(error) => error,
            other => io::Error::other(other),
        })
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

    fn tiff(
        &self,
        out: &mut (impl Write + Seek),
        (width, height): (u32, u32),
        depth: Depth,
        rgb: &[u8],
    ) -> Result<(), TiffError> {
        let mut encoder = TiffEncoder::new(out)?
            .with_compression(Compression::Deflate(DeflateLevel::Balanced))
            .with_predictor(Predictor::Horizontal);
        match depth {
            Depth::Eight => {
                let mut picture = encoder.new_image::<RGB8>(width, height)?;
                self.tiff_texts(picture.encoder())?;
                picture.write_data(rgb)
            }
            Depth::Sixteen => {
                let (pairs, _) = rgb.as_chunks();
                let rgb: Vec<u16> = pairs.iter().copied().map(u16::from_be_bytes).collect();
                let mut picture = encoder.new_image::<RGB16>(width, height)?;
                self.tiff_texts(picture.encoder())?;
                picture.write_data(&rgb)
            }
        }
    }

    fn tiff_texts<W: Write + Seek>(
        &self,
        directory: &mut DirectoryEncoder<'_, W, TiffKindStandard>,
    ) -> Result<(), TiffError> {
        let description = self.description();
        if !description.is_empty() {
            directory.write_tag(Tag::ImageDescription, description.as_str())?;
        }
        directory.write_tag(Tag::Software, SOFTWARE)
    }
}

fn tiff_error(error: TiffError) -> io::Error {
    match error {
        TiffError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
