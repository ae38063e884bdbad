//! What such pictures say, whatever program wrote them: their size, channels and texts, and a small one of each. AVIF is
//! written and not read: no decoder of it is pure Rust.

use std::io::{self, BufRead, Seek};
use std::path::Path;

use colour::Depth;
use disk::limited::take_limited;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError, ImageReader, Limits};
use tiff::decoder::Decoder as TiffDecoder;
use tiff::tags::Tag;

use super::exif;
use super::format::ImageFormat;
use crate::contents::{ChannelContents, Contents};
use crate::kinds::Compression;
use crate::png;
use crate::texts::MAX_TEXT_BYTES;

/// Most bytes of a picture that is unpacked for a small one of it.
const MOST_UNPACKED: u64 = 1 << 30;
/// Most of a JPEG's bytes before its pixels.
const MOST_SEGMENTS: usize = 1 << 10;

/// Size and channels; `None` of AVIF.
pub(crate) fn contents(
    file: impl BufRead + Seek,
    format: ImageFormat,
) -> io::Result<Option<Contents>> {
    let Some(known) = known(format) else {
        return Ok(None);
    };
    let decoder = ImageReader::with_format(file, known)
        .into_decoder()
        .map_err(io_error)?;
    let (width, height) = decoder.dimensions();
    let colours = decoder.color_type();
    let names: &[&str] = match (colours.has_color(), colours.has_alpha()) {
        (true, true) => &["red", "green", "blue", "alpha"],
        (true, false) => &["red", "green", "blue"],
        (false, true) => &["grey", "alpha"],
        (false, false) => &["grey"],
    };
    let kind = kind(colours);
    let channels = (names.iter()).map(|name| ChannelContents::new(*name, kind.as_str()));
    Ok(Some(Contents {
        width: width as usize,
        height: height as usize,
        channels: channels.collect(),
    }))
}

fn kind(colours: ColorType) -> String {
    let bits = colours.bits_per_pixel() / u16::from(colours.channel_count());
    match colours {
        ColorType::Rgb32F | ColorType::Rgba32F => format!("{bits} bits, float"),
        _ => format!("{bits} bits"),
    }
}

/// The texts, name and text: those of Exif or of TIFF's directory, and the comments of a JPEG.
pub(crate) fn texts(
    mut file: impl BufRead + Seek,
    format: ImageFormat,
) -> io::Result<Vec<(String, String)>> {
    match format {
        ImageFormat::Jpeg => {
            let comments = comments(&mut file)?;
            file.rewind()?;
            let exif = JpegDecoder::new(file).and_then(|mut decoder| decoder.exif_metadata());
            Ok([texts_of(exif), comments].concat())
        }
        ImageFormat::WebP => {
            let exif = WebPDecoder::new(file).and_then(|mut decoder| decoder.exif_metadata());
            Ok(texts_of(exif))
        }
        ImageFormat::Tiff => {
            let mut decoder = TiffDecoder::new(file).map_err(io::Error::other)?;
            let mut text = |tag, name: &str| {
                let value = decoder.find_tag(tag).ok().flatten()?.into_string().ok()?;
                Some((name.to_owned(), value))
            };
            let description = text(Tag::ImageDescription, exif::DESCRIPTION);
            let made_by = text(Tag::Software, exif::MADE_BY);
            Ok(description.into_iter().chain(made_by).collect())
        }
        ImageFormat::Avif => Ok(Vec::new()),
    }
}

/// A picture without readable texts is a picture all the same.
fn texts_of(exif: Result<Option<Vec<u8>>, ImageError>) -> Vec<(String, String)> {
    exif.ok()
        .flatten()
        .map_or_else(Vec::new, |exif| exif::read(&exif))
}

/// The comments of a JPEG, which stand in segments before its pixels (ITU T.81, annex B).
fn comments(file: &mut (impl BufRead + Seek)) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut taken = 0;
    file.seek_relative(2)?;
    for _ in 0..MOST_SEGMENTS {
        let head = take_limited(io::Read::take(&mut *file, 4), 4)?;
        let [0xff, kind, high, low] = head[..] else {
            break;
        };
        let Some(length) = u16::from_be_bytes([high, low]).checked_sub(2) else {
            break;
        };
        match kind {
            0xda => break, // pixels
            0xfe if taken + u64::from(length) <= MAX_TEXT_BYTES => {
                let length = u64::from(length);
                taken += length;
                let text = take_limited(io::Read::take(&mut *file, length), length)?;
                found.push((
                    "Comment".to_owned(),
                    String::from_utf8_lossy(&text)
                        .trim_end_matches('\0')
                        .to_owned(),
                ));
            }
            _ => file.seek_relative(i64::from(length))?,
        }
    }
    Ok(found)
}

/// A small picture of a picture's file, as a PNG: of at most `side` pixels a side, its shape kept.
///
/// # Errors
/// What is wrong with the file: it holds no picture that is read, or one over a gigabyte.
pub fn thumbnail(path: &Path, side: u32) -> io::Result<Vec<u8>> {
    let mut reader = ImageReader::open(path)?.with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_UNPACKED);
    reader.limits(limits);
    let picture = reader.decode().map_err(io_error)?;
    let side = side.max(1);
    let small = match picture.width().max(picture.height()) <= side {
        true => picture,
        false => picture.thumbnail(side, side),
    };
    let rgb = small.to_rgb8();
    png::write::encode(
        rgb.dimensions(),
        Depth::Eight,
        rgb.as_raw(),
        Compression::Balanced,
    )
}

/// The format as `image` knows it, where it reads it.
fn known(format: ImageFormat) -> Option<image::ImageFormat> {
    match format {
        ImageFormat::Jpeg => Some(image::ImageFormat::Jpeg),
        ImageFormat::WebP => Some(image::ImageFormat::WebP),
        ImageFormat::Tiff => Some(image::ImageFormat::Tiff),
        ImageFormat::Avif => None,
    }
}

fn io_error(error: ImageError) -> io::Error {
    match error {
        ImageError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
