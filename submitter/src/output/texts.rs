//! The texts that pictures carry beside their pixels: whatever program wrote them, by their names.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::{exr, png};
use crate::location::MAX_BYTES;

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
        let mut begin = Vec::new();
        File::open(path)?.take(8).read_to_end(&mut begin)?;
        Ok(match begin.as_slice() {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'] => Some(Self::Png),
            [0x76, 0x2f, 0x31, 0x01, ..] => Some(Self::Exr),
            _ => None,
        })
    }
}

/// The texts of a picture, name and text; those over [`MAX_BYTES`] are left out.
///
/// # Errors
/// What is wrong with the picture.
pub fn read(path: &Path, picture: Picture) -> io::Result<Vec<(String, String)>> {
    let file = BufReader::new(File::open(path)?);
    let mut texts = match picture {
        Picture::Png => png::texts(file),
        Picture::Exr => exr::texts(file),
    }?;
    texts.retain(|(_, text)| text.len() as u64 <= MAX_BYTES);
    Ok(texts)
}
