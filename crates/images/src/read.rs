//! What such pictures say, whatever program wrote them: their size, channels and texts, and a small one of each. AVIF is
//! written and not read: no decoder of it is pure Rust.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use disk::limited::take_limited;
use image::{ColorType, ImageDecoder, ImageReader, Limits};
use tiff::decoder::Decoder as TiffDecoder;
use tiff::tags::Tag;

use crate::error::{image_error, tiff_error};
use crate::exif;
use crate::format::ImageFormat;

/// Most bytes of a picture that is unpacked for a small one of it, and of its file.
const MOST_UNPACKED: u64 = 1 << 30;
/// Most bytes of a JPEG that are looked at for its size, which may stand behind a thumbnail or a profile.
const MOST_HEAD: u64 = 64 << 20;

/// What a file says before its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageProperties {
    /// Columns and rows.
    pub size: (u32, u32),
    /// Names of its channels, as they lie in the file.
    pub channels: &'static [&'static str],
    /// Type of each of their values.
    pub kind: String,
}

/// Size and channels; `None` of AVIF.
///
/// # Errors
/// What is wrong with the file.
pub fn read_properties(
    file: impl BufRead + Seek,
    format: ImageFormat,
) -> io::Result<Option<ImageProperties>> {
    match format {
        // Its decoder reads all that it is given.
        ImageFormat::Jpeg => {
            let head = take_limited(file.take(MOST_HEAD), MOST_HEAD)?;
            properties(Cursor::new(head), image::ImageFormat::Jpeg).map(Some)
        }
        ImageFormat::WebP => properties(file, image::ImageFormat::WebP).map(Some),
        ImageFormat::Tiff => properties(file, image::ImageFormat::Tiff).map(Some),
        ImageFormat::Avif => Ok(None),
    }
}

/// What a decoder says before it unpacks anything.
fn properties(
    file: impl BufRead + Seek,
    format: image::ImageFormat,
) -> io::Result<ImageProperties> {
    let reader = ImageReader::with_format(file, format);
    let decoder = reader.into_decoder().map_err(image_error)?;
    let colours = decoder.color_type();
    let channels: &[&str] = match (colours.has_color(), colours.has_alpha()) {
        (true, true) => &["red", "green", "blue", "alpha"],
        (true, false) => &["red", "green", "blue"],
        (false, true) => &["grey", "alpha"],
        (false, false) => &["grey"],
    };
    Ok(ImageProperties {
        size: decoder.dimensions(),
        channels,
        kind: kind(colours),
    })
}

fn kind(colours: ColorType) -> String {
    let bits = colours.bits_per_pixel() / u16::from(colours.channel_count());
    match colours {
        ColorType::Rgb32F | ColorType::Rgba32F => format!("{bits} bits, float"),
        _ => format!("{bits} bits"),
    }
}

/// The texts of a TIFF's directory, name and text.
///
/// # Errors
/// What is wrong with the file.
pub fn tiff_texts(file: impl BufRead + Seek) -> io::Result<Vec<(String, String)>> {
    let mut decoder = TiffDecoder::new(file).map_err(tiff_error)?;
    let mut text = |number| {
        let tag = Tag::from_u16_exhaustive(number);
        decoder.find_tag(tag).ok().flatten()?.into_string().ok()
    };
    let texts = exif::FIELDS
        .iter()
        .filter_map(|(number, name)| Some(((*name).to_owned(), text(*number)?)));
    Ok(texts.collect())
}

/// Columns and rows of a small picture, and its pixels: red, green and blue, a byte each, row by row.
pub type SmallPicture = ((u32, u32), Vec<u8>);

/// A small picture of a picture's file: of at most `side` pixels a side, its shape kept, and of its own size where it is no
/// larger. PNG, JPEG, WebP and TIFF are read, of 8 and of 16 bits; what is transparent is opaque.
///
/// # Errors
/// What is wrong with the file: it holds no picture that is read, or takes over a gigabyte, packed or unpacked.
pub fn read_small(path: &Path, side: u32) -> io::Result<SmallPicture> {
    let file = File::open(path)?;
    if file.metadata()?.len() > MOST_UNPACKED {
        return Err(io::Error::other("a picture of over a gigabyte"));
    }
    let mut reader = ImageReader::new(BufReader::new(file)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_UNPACKED);
    reader.limits(limits);
    let picture = reader.decode().map_err(image_error)?;
    let side = side.max(1);
    let small = match picture.width().max(picture.height()) <= side {
        true => picture,
        false => picture.thumbnail(side, side),
    };
    let rgb = small.to_rgb8();
    Ok((rgb.dimensions(), rgb.into_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiff::encoder::TiffEncoder;
    use tiff::encoder::colortype::Gray8;

    #[test]
    fn all_texts_of_a_tiff_are_read() {
        let mut out = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut out).unwrap();
        let mut picture = encoder.new_image::<Gray8>(1, 1).unwrap();
        for (number, name) in exif::FIELDS {
            let tag = Tag::from_u16_exhaustive(number);
            picture.encoder().write_tag(tag, name).unwrap();
        }
        picture.write_data(&[7]).unwrap();
        out.set_position(0);
        let all = exif::FIELDS.map(|(_, name)| (name.to_owned(), name.to_owned()));
        assert_eq!(tiff_texts(out).unwrap(), all);
    }
}
