//! Whole files of bounded length: whatever comes from outside and is held in memory is read here.
//!
//! What counts is what is read, not what the system says of the file: devices, pipes and files that grow say nothing of
//! their length.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Why something was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system did not let it be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It goes on after so many bytes.
    #[error("more than {0} bytes")]
    TooLong(u64),
    /// It is no text; text is UTF-8.
    #[error("no text: byte {0} is not UTF-8")]
    NotText(usize),
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error,
            other => Self::new(io::ErrorKind::InvalidData, other.to_string()),
        }
    }
}

/// All of a file of at most `most` bytes: a regular one, a pipe or a device.
///
/// # Errors
/// When it cannot be read, or is longer.
pub fn read_limited(path: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
    take_limited(File::open(path)?, most)
}

/// The same of a text, without the mark that some editors begin one with.
///
/// # Errors
/// When it cannot be read, is longer, or is no text.
pub fn read_text_limited(path: &Path, most: u64) -> Result<String, ReadError> {
    let bytes = read_limited(path, most)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| ReadError::NotText(error.utf8_error().valid_up_to()))?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// All that a source has, of at most `most` bytes.
///
/// # Errors
/// When it cannot be read, or has more.
pub fn take_limited(source: impl Read, most: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    // One byte more tells that there is more.
    (source.take(most.saturating_add(1))).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(ReadError::TooLong(most));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_limited_and_not_what_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "\u{feff}four").unwrap();
        assert_eq!(read_limited(&path, 7).unwrap().len(), 7);
        assert_eq!(read_text_limited(&path, 7).unwrap(), "four");
        let long = read_limited(&path, 6).unwrap_err();
        assert_eq!(long.to_string(), "more than 6 bytes");
        std::fs::write(&path, b"ab\xff").unwrap();
        let no_text = read_text_limited(&path, 6).unwrap_err();
        assert!(matches!(no_text, ReadError::NotText(2)), "{no_text}");
        let nowhere = read_limited(&folder.path().join("y"), 6).unwrap_err();
        assert!(matches!(nowhere, ReadError::Io(_)), "{nowhere}");
    }

    /// A device that never ends says that it has no bytes at all.
    #[cfg(unix)]
    #[test]
    fn what_never_ends_is_left_at_the_limit() {
        let zero = Path::new("/dev/zero");
        assert_eq!(std::fs::metadata(zero).unwrap().len(), 0);
        let error = read_limited(zero, 1 << 20).unwrap_err();
        assert!(matches!(error, ReadError::TooLong(0x10_0000)), "{error}");
        let mut endless = io::repeat(7);
        assert!(take_limited(&mut endless, 100).is_err());
        assert_eq!(take_limited(endless.take(100), 100).unwrap(), [7; 100]);
    }
}
