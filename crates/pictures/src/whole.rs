//! Pictures of colours in formats that are encoded whole: painted in memory, then encoded; and small ones of files.

use std::io;
use std::path::Path;

use colour::{Basis, Canvas, Depth, Painter, Scheme};
use images::{Encoding, ImageFormat, Pixels, WriteSeek};

use crate::kinds::Compression;
use crate::png;
use crate::rows::{RowSource, uneven_samples};
use crate::texts::{SOFTWARE, Texts, in_ascii};

/// Values of a pixel.
const CHANNELS: usize = 3;

/// What a picture is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholePicture<'a> {
    pub(crate) format: ImageFormat,
    /// Columns and rows of samples.
    pub(crate) samples: (u32, u32),
    pub(crate) colours: &'a Scheme,
    /// What it says of itself, where that is known.
    pub(crate) texts: Option<&'a Texts>,
}

impl WholePicture<'_> {
    /// Paints all rows of `source`, and encodes them.
    ///
    /// # Errors
    /// Those of the source, of the encoder and of `out`, and a picture that is too large.
    pub(crate) fn write(
        &self,
        out: &mut dyn WriteSeek,
        source: &mut dyn RowSource,
        basis: &Basis,
    ) -> io::Result<()> {
        let mut colours = self.colours.clone();
        if !self.format.has_sixteen_bits() {
            colours.depth = Depth::Eight;
        }
        let size = (colours.samples.pixels(self.samples)).ok_or_else(uneven_samples)?;
        self.format.check(size).map_err(io::Error::other)?;
        // When all is painted: what it says may be known only then.
        let encode = |out: &mut dyn WriteSeek, pixels: Pixels<'_>| {
            let encoding = Encoding {
                format: self.format,
                size,
                description: &self.description(),
                made_by: SOFTWARE,
            };
            encoding.write(out, pixels)
        };
        let painter = Painter::new(&colours, basis);
        let mut canvas = Canvas::new(&painter, self.samples.0, self.samples.1);
        let count = size.0 as usize * size.1 as usize * CHANNELS;
        match colours.depth {
            Depth::Eight => {
                let mut rgb = Vec::with_capacity(count);
                while let Some(rows) = source.next_rows()? {
                    canvas.push(rows, &mut rgb);
                }
                encode(out, Pixels::Eight(&rgb))
            }
            Depth::Sixteen => {
                let (mut rgb, mut painted) = (Vec::with_capacity(count), Vec::new());
                while let Some(rows) = source.next_rows()? {
                    painted.clear();
                    canvas.push(rows, &mut painted);
                    let (pairs, _) = painted.as_chunks();
                    rgb.extend(pairs.iter().copied().map(u16::from_be_bytes));
                }
                encode(out, Pixels::Sixteen(&rgb))
            }
        }
    }

    /// What makes it again, in the characters that Exif and TIFF have.
    fn description(&self) -> String {
        let own = self.texts.and_then(Texts::own_in_full);
        let text = own.and_then(|(_, text)| in_ascii(&text).map(|text| text.into_owned()));
        text.unwrap_or_default()
    }
}

/// A small picture of a picture's file, as a PNG of 8 bits: of at most `side` pixels a side, its shape kept, and of its own
/// size where it is no larger. PNG, JPEG, WebP and TIFF are read, of 8 and of 16 bits; what is transparent is opaque.
///
/// # Errors
/// What is wrong with the file: it holds no picture that is read, or takes over a gigabyte, packed or unpacked.
pub fn thumbnail(path: &Path, side: u32) -> io::Result<Vec<u8>> {
    let (size, rgb) = images::read::read_small(path, side)?;
    png::write::encode(size, Depth::Eight, &rgb, Compression::Balanced)
}
