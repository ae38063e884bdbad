//! A picture of colours, in any of the formats that hold such.

use std::io;
use std::path::Path;

use colour::{Basis, Needs, Scheme};
use images::{ImageFormat, WriteSeek};
use serde::{Deserialize, Serialize};

use crate::kinds::Compression;
use crate::png::write::PngPicture;
use crate::rows::{RowSource, Spool};
use crate::texts::Texts;
use crate::whole::WholePicture;

/// A format of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColourFormat {
    /// PNG, which is written row by row.
    Png,
    /// One that is encoded whole.
    Image(ImageFormat),
}

impl ColourFormat {
    /// What a file's extension says that it holds.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        if extension.eq_ignore_ascii_case("png") {
            return Some(Self::Png);
        }
        ImageFormat::of_extension(extension).map(Self::Image)
    }
}

/// What a picture is made with.
#[derive(Clone, Copy, Debug)]
pub struct ColourPicture<'a> {
    /// What it is written as.
    pub format: ColourFormat,
    /// Columns and rows of samples.
    pub samples: (u32, u32),
    /// Its colours.
    pub colours: &'a Scheme,
    /// Values at the palette's ends, where they are needed.
    pub range: (f64, f64),
    /// How hard a PNG is compressed.
    pub compression: Compression,
    /// What it says of itself, where that is known.
    pub texts: Option<&'a Texts>,
    /// A folder for values that must wait on the disk.
    pub folder: &'a Path,
}

impl ColourPicture<'_> {
    /// Paints all rows of `source`, and encodes them.
    ///
    /// # Errors
    /// Those of the source and of `out`, a size that the format has not, and samples that make up no whole pixels.
    pub fn write(
        &self,
        out: &mut (dyn WriteSeek + Send),
        source: &mut dyn RowSource,
    ) -> io::Result<()> {
        if self.colours.needs() == Needs::Ranks {
            let width = self.samples.0 as usize;
            let (mut kept, distribution) = Spool::fill(source, width, self.folder)?;
            return self.paint(out, &mut kept, &Basis::Whole(distribution));
        }
        let (low, high) = self.range;
        self.paint(out, source, &Basis::Range(low, high))
    }

    fn paint(
        &self,
        out: &mut (dyn WriteSeek + Send),
        source: &mut dyn RowSource,
        basis: &Basis,
    ) -> io::Result<()> {
        let Self {
            samples,
            colours,
            texts,
            compression,
            ..
        } = *self;
        match self.format {
            ColourFormat::Png => PngPicture {
                samples,
                colours,
                compression,
                texts,
            }
            .write(out, source, basis),
            ColourFormat::Image(format) => WholePicture {
                format,
                samples,
                colours,
                texts,
            }
            .write(out, source, basis),
        }
    }
}
