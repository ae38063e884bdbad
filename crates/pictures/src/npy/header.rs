//! The header of numpy's arrays: versions 1 to 3 are read, 1.0 is written
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::io::Read;

use super::numbers::Numbers;

/// Bytes before the first value of what is written: a multiple of 64, as the format asks for.
pub(crate) const HEADER_BYTES: usize = 128;
/// What all versions of the format begin with.
pub(crate) const MARK: &[u8] = b"\x93NUMPY";
/// Version 1.0.
const VERSION: [u8; 2] = [1, 0];
/// Most bytes of a header that is read: numpy's own limit is 10,000.
const MAX_HEADER: usize = 1 << 16;

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The type of the values, as numpy calls it.
    pub(super) descr: String,
    /// The same.
    pub(super) numbers: Numbers,
    /// Whether columns lie one after another, and not rows.
    pub(super) by_columns: bool,
    /// Sides, the outermost first.
    pub(super) shape: Vec<u64>,
    /// Bytes before the first value.
    pub(super) start: u64,
}

impl Header {
    /// Reads the header of an array of numbers; `file` is then at the first value.
    ///
    /// # Errors
    /// What is wrong with it, as what follows "is no array of numpy's".
    pub(super) fn read(mut file: impl Read) -> Result<Self, String> {
        let mut next = |count: usize| {
            let mut bytes = vec![0; count];
            file.read_exact(&mut bytes)
                .map_err(|_| "it is too short".to_owned())?;
            Ok::<_, String>(bytes)
        };
        let begin = next(MARK.len() + VERSION.len())?;
        let Some([major, _]) = begin.strip_prefix(MARK) else {
            return Err("it begins otherwise".to_owned());
        };
        // Version 1 has 16 bits for the header's length, later ones 32.
        let length = next(if *major == 1 { 2 } else { 4 })?;
        let start = (begin.len() + length.len()) as u64;
        let length = (length.iter().rev()).fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
        if length > MAX_HEADER {
            return Err("its header is too long".to_owned());
        }
        let text = next(length)?;
        Self::parse(&String::from_utf8_lossy(&text), start + length as u64)
    }

    /// A Python dictionary, written one way by all programs.
    fn parse(text: &str, start: u64) -> Result<Self, String> {
        let field = |name: &str| {
            let found = text.split_once(&format!("'{name}':"));
            let (_, rest) = found.ok_or_else(|| format!("its header has no '{name}'"))?;
            Ok::<_, String>(rest.trim_start())
        };
        let descr = field("descr")?.strip_prefix('\'');
        let descr = descr.and_then(|descr| descr.split('\'').next());
        let (descr, numbers) = descr
            .and_then(|descr| Some((descr.to_owned(), Numbers::of(descr)?)))
            .ok_or("values are no whole or floating numbers of 1 to 8 bytes")?;
        let by_columns = field("fortran_order")?.starts_with("True");
        let shape = field("shape")?.strip_prefix('(');
        let sides = shape.and_then(|rest| rest.split_once(')'));
        let shape = sides.and_then(|(sides, _)| {
            let sides = sides.split(',').map(str::trim);
            let sides = sides.filter(|side| !side.is_empty());
            sides.map(|side| side.parse().ok()).collect()
        });
        Ok(Self {
            descr,
            numbers,
            by_columns,
            shape: shape.ok_or("its shape is no list of sides")?,
            start,
        })
    }
}

/// The header of `width` x `height` values of a type that numpy calls `descr`.
pub(super) fn written(descr: &str, (width, height): (u32, u32)) -> Vec<u8> {
    let text =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({height}, {width}), }}");
    let text_bytes = HEADER_BYTES - MARK.len() - VERSION.len() - 2;
    let mut header = [MARK, &VERSION, &(text_bytes as u16).to_le_bytes()].concat();
    header.extend_from_slice(text.as_bytes());
    header.resize(HEADER_BYTES - 1, b' ');
    header.push(b'\n');
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let bytes = written("<f4", (3, 2));
        assert_eq!(bytes.len(), HEADER_BYTES);
        let header = Header::read(&bytes[..]).unwrap();
        assert_eq!((&*header.descr, &header.shape[..]), ("<f4", &[2, 3][..]));
        assert_eq!((header.start, header.by_columns), (128, false));
        for cut in 0..bytes.len() {
            assert!(Header::read(&bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn every_version_is_read_and_a_long_header_refused() {
        let text = b"{'descr': '>i2', 'fortran_order': True, 'shape': (7,), }";
        let array = |version: u8, length: &[u8]| [MARK, &[version, 0], length, &text[..]].concat();
        let length = text.len() as u8;
        for bytes in [
            array(1, &[length, 0]),
            array(2, &[length, 0, 0, 0]),
            array(3, &[length, 0, 0, 0]),
        ] {
            let header = Header::read(&bytes[..]).unwrap();
            assert_eq!((header.by_columns, &header.shape[..]), (true, &[7][..]));
            assert_eq!(header.start, bytes.len() as u64);
        }
        let long = Header::read(&array(2, &[0, 0, 2, 0])[..]).unwrap_err();
        assert_eq!(long, "its header is too long");
        let text = Header::parse("{'descr': '<U4', 'fortran_order': False, 'shape': (1,)}", 0);
        assert!(text.unwrap_err().contains("no whole or floating numbers"));
    }
}
