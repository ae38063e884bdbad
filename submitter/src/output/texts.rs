//! The texts that pictures carry beside their pixels: whatever program wrote them, by their names.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use farm_worker::limited::take_limited;

use super::chunks::{self, Passing};
use super::{exr, png};
use crate::location::MAX_BYTES;

/// Bytes that tell what a file is.
const MARK_BYTES: u64 = 8;

/// A kind of picture that carries texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// PNG.
    Png,
    /// OpenEXR.
    Exr,
}

impl Picture {
    /// What a file begins as; `None` for anything else.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        Ok(Begun::open(path)?.picture())
    }
}

/// A file of which only the first bytes were read. It is read once from there on, so that a pipe will do.
#[derive(Debug)]
pub struct Begun {
    mark: Vec<u8>,
    file: BufReader<File>,
    /// Whether what is not wanted of it need not be read.
    seeks: bool,
}

impl Begun {
    /// Opens a file, and looks at what it begins as.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let seeks = file.metadata()?.is_file();
        let mut file = BufReader::new(file);
        let mark = take_limited(file.by_ref().take(MARK_BYTES), MARK_BYTES)?;
        Ok(Self { mark, file, seeks })
    }

    /// The kind of picture that it begins as; `None` for anything else.
    #[must_use]
    pub fn picture(&self) -> Option<Picture> {
        match self.mark.as_slice() {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'] => Some(Picture::Png),
            [0x76, 0x2f, 0x31, 0x01, ..] => Some(Picture::Exr),
            _ => None,
        }
    }

    /// All of it, from its first byte.
    pub fn bytes(self) -> impl Read {
        Cursor::new(self.mark).chain(self.file)
    }

    /// The texts of a picture, name and text; those over [`MAX_BYTES`] are left out. None of anything else.
    ///
    /// # Errors
    /// What is wrong with the picture.
    pub fn texts(mut self) -> io::Result<Vec<(String, String)>> {
        let mut texts = match self.picture() {
            Some(Picture::Png) => png::texts(&chunks::texts(&mut self)?),
            Some(Picture::Exr) => exr::texts(self.bytes())?,
            None => Vec::new(),
        };
        texts.retain(|(_, text)| text.len() as u64 <= MAX_BYTES);
        Ok(texts)
    }
}

impl Read for Begun {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

impl Passing for Begun {
    fn pass(&mut self, bytes: u32) -> io::Result<()> {
        if self.seeks {
            return self.file.seek_relative(i64::from(bytes));
        }
        io::copy(
            &mut self.file.by_ref().take(u64::from(bytes)),
            &mut io::sink(),
        )
        .map(drop)
    }
}
