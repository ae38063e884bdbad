//! Files of pixels as they are found: what kind they are, what they hold, and the texts that they carry, whatever program
//! wrote them.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::Path;

use disk::limited::take_limited;
use images::ImageFormat;
use images::exif::MAX_TEXT_BYTES;
use images::passing::Passing;

use crate::contents::Contents;
use crate::npy::header::MARK as ARRAY;
use crate::{exr, npy, png};

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 20;
/// Bytes that tell what a file is.
const MARK_BYTES: u64 = 12;
/// What a PNG begins as.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Most bytes of a TIFF in a pipe, which must be whole before its texts are read.
const MOST_PIPED: u64 = 1 << 28;

/// A kind of picture that carries texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureFormat {
    /// PNG.
    Png,
    /// OpenEXR.
    Exr,
    /// One that is encoded whole.
    Image(ImageFormat),
}

/// A file of which only the first bytes were looked at: it is read from its first byte, and once, so that a pipe will do.
#[derive(Debug)]
pub struct OpenedFile {
    mark: Cursor<Vec<u8>>,
    /// From behind the mark.
    file: BufReader<File>,
    /// Whether what is not wanted of it need not be read.
    seeks: bool,
}

impl OpenedFile {
    /// Opens a file, and looks at what it begins as.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let seeks = file.metadata()?.is_file();
        let mut file = BufReader::new(file);
        let mark = take_limited(file.by_ref().take(MARK_BYTES), MARK_BYTES)?;
        let mark = Cursor::new(mark);
        Ok(Self { mark, file, seeks })
    }

    /// The kind of picture that it begins as; `None` for anything else.
    #[must_use]
    pub fn picture(&self) -> Option<PictureFormat> {
        match self.mark.get_ref().as_slice() {
            mark if mark.starts_with(PNG) => Some(PictureFormat::Png),
            mark if mark.starts_with(&exr::MARK) => Some(PictureFormat::Exr),
            mark => ImageFormat::of_mark(mark).map(PictureFormat::Image),
        }
    }

    /// Whether it begins as an array of numpy's.
    #[must_use]
    pub fn is_array(&self) -> bool {
        self.mark.get_ref().starts_with(ARRAY)
    }

    /// The texts of a picture, name and text; those over [`MAX_TEXT_BYTES`] are left out. None of anything else.
    ///
    /// # Errors
    /// What is wrong with the picture.
    pub fn texts(mut self) -> io::Result<Vec<(String, String)>> {
        let mut texts = match self.picture() {
            Some(PictureFormat::Png) => {
                self.mark.set_position(PNG.len() as u64);
                png::read::texts(&png::chunks::texts(&mut self)?)
            }
            Some(PictureFormat::Exr) => exr::describe::texts(self)?,
            Some(PictureFormat::Image(ImageFormat::Jpeg)) => images::segments::jpeg(&mut self)?,
            Some(PictureFormat::Image(ImageFormat::WebP)) => images::segments::webp(&mut self)?,
            Some(PictureFormat::Image(ImageFormat::Tiff)) if self.seeks => {
                self.file.rewind()?;
                images::read::tiff_texts(self.file)?
            }
            Some(PictureFormat::Image(ImageFormat::Tiff)) => {
                images::read::tiff_texts(Cursor::new(take_limited(self, MOST_PIPED)?))?
            }
            Some(PictureFormat::Image(ImageFormat::Avif)) | None => Vec::new(),
        };
        texts.retain(|(_, text)| text.len() as u64 <= MAX_TEXT_BYTES);
        Ok(texts)
    }
}

impl Read for OpenedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.mark.read(into)? {
            0 => self.file.read(into),
            count => Ok(count),
        }
    }
}

impl Passing for OpenedFile {
    fn pass(&mut self, bytes: u32) -> io::Result<()> {
        let mut mark = self.mark.by_ref().take(bytes.into());
        let left = bytes - io::copy(&mut mark, &mut io::sink())? as u32;
        if self.seeks {
            return self.file.seek_relative(left.into());
        }
        io::copy(&mut self.file.by_ref().take(left.into()), &mut io::sink()).map(drop)
    }
}

/// Whether a file begins as a picture that carries texts.
#[must_use]
pub fn is_picture(path: &Path) -> bool {
    OpenedFile::open(path).is_ok_and(|file| file.picture().is_some())
}

/// Looks through a file: a picture, or an array of numpy's; `None` where that takes a decoder which is not there.
///
/// # Errors
/// What is wrong with it.
pub fn contents_of(path: &Path, picture: Option<PictureFormat>) -> io::Result<Option<Contents>> {
    let file = BufReader::with_capacity(READ_BYTES, File::open(path)?);
    match picture {
        Some(PictureFormat::Png) => png::read::contents(file).map(Some),
        Some(PictureFormat::Exr) => exr::describe::contents(file).map(Some),
        Some(PictureFormat::Image(format)) => {
            Ok(images::read::read_properties(file, format)?.map(Contents::from))
        }
        None => npy::read::contents(file).map(Some),
    }
}
