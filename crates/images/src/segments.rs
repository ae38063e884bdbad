//! The texts of JPEG and WebP: Exif and comments stand in segments of their own, which are walked through once. What lies
//! between them is not read.

use std::io::{self, Read as _};

use disk::limited::take_limited;

use crate::exif::{self, MAX_TEXT_BYTES};
use crate::passing::Passing;

/// Most segments of a JPEG before its pixels.
const MOST_SEGMENTS: usize = 1 << 10;
/// Most bytes that fill the place before a segment.
const MOST_FILL: usize = 1 << 16;
/// A segment of a program's own: Exif, among others.
const APP1: u8 = 0xe1;
const COMMENT: u8 = 0xfe;

/// Most chunks of a WebP: each frame of a film is one.
const MOST_CHUNKS: usize = 1 << 16;
/// Bytes of a WebP's beginning, and of its own length those that are in it.
const RIFF_BYTES: u64 = 12;
const IN_RIFF: u64 = 4;
/// Bytes of a chunk's kind and length.
const HEAD_BYTES: u64 = 8;

/// The texts of a JPEG, from its first byte: those of Exif, then its comments. Segments begin with 0xff, as often as the
/// writer likes, then their kind and length (ITU T.81, annex B).
///
/// # Errors
/// When it cannot be read; what is no segment is the end.
pub fn jpeg(file: &mut impl Passing) -> io::Result<Vec<(String, String)>> {
    let (mut exif, mut comments, mut taken) = (None, Vec::new(), 0);
    file.pass(2)?;
    for _ in 0..MOST_SEGMENTS {
        let Some((kind, length)) = segment(file)? else {
            break;
        };
        if !matches!(kind, APP1 | COMMENT) {
            file.pass(length.into())?;
            continue;
        }
        let length = u64::from(length);
        let bytes = some(file, length)?;
        if kind == APP1 {
            if exif.is_none() && bytes.starts_with(exif::PREFIX) {
                exif = Some(exif::read(&bytes));
            }
        } else if taken + length <= MAX_TEXT_BYTES {
            taken += length;
            let text = String::from_utf8_lossy(&bytes);
            comments.push(("Comment".to_owned(), text.trim_end_matches('\0').to_owned()));
        }
    }
    Ok([exif.unwrap_or_default(), comments].concat())
}

/// The kind of the next segment, and the length of what is in it; `None` where pixels begin, or anything else.
fn segment(file: &mut impl Passing) -> io::Result<Option<(u8, u16)>> {
    let mut byte = || some(file, 1).map(|bytes| bytes.first().copied());
    if byte()? != Some(0xff) {
        return Ok(None);
    }
    let mut kind = byte()?;
    for _ in 0..MOST_FILL {
        if kind != Some(0xff) {
            break;
        }
        kind = byte()?;
    }
    let (Some(kind), Some(high), Some(low)) = (kind, byte()?, byte()?) else {
        return Ok(None);
    };
    // Those that have no length, pixels, and what fills without an end.
    if matches!(kind, 0x00 | 0x01 | 0xd0..=0xda | 0xff) {
        return Ok(None);
    }
    let length = u16::from_be_bytes([high, low]).checked_sub(2);
    Ok(length.map(|length| (kind, length)))
}

/// The texts of a WebP, from its first byte: those of Exif, in a chunk that may stand behind its pixels.
///
/// # Errors
/// When it cannot be read; what is no chunk is the end.
pub fn webp(file: &mut impl Passing) -> io::Result<Vec<(String, String)>> {
    let begin = some(file, RIFF_BYTES)?;
    let mut left = u64::from(number(&begin)).saturating_sub(IN_RIFF);
    for _ in 0..MOST_CHUNKS {
        let head = some(file, HEAD_BYTES)?;
        if left < HEAD_BYTES || head.len() as u64 != HEAD_BYTES {
            break;
        }
        let length = number(&head);
        if head.starts_with(b"EXIF") && u64::from(length) <= MAX_TEXT_BYTES {
            return Ok(exif::read(&some(file, length.into())?));
        }
        // Chunks begin at even places.
        file.pass(length)?;
        file.pass(length & 1)?;
        left = left.saturating_sub(HEAD_BYTES + u64::from(length) + u64::from(length & 1));
    }
    Ok(Vec::new())
}

/// So many bytes, or as many as there are.
fn some(file: &mut impl Passing, bytes: u64) -> io::Result<Vec<u8>> {
    Ok(take_limited(file.by_ref().take(bytes), bytes)?)
}

/// The number behind a kind of four bytes, the lower byte first.
fn number(head: &[u8]) -> u32 {
    let bytes = head.get(4..).and_then(<[u8]>::first_chunk).copied();
    bytes.map_or(0, u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// As Kalles Fraktaler writes it.
    const PLACE: &str = "Re: -0.75\r\nIm: 0.1\r\nZoom: 1E2\r\n";

    fn segment(kind: u8, data: &[u8]) -> Vec<u8> {
        let length = (data.len() as u16 + 2).to_be_bytes();
        [&[0xff, kind], &length[..], data].concat()
    }

    fn comment(text: &str) -> (String, String) {
        ("Comment".to_owned(), text.to_owned())
    }

    fn of_jpeg(segments: &[Vec<u8>]) -> Vec<(String, String)> {
        let bytes = [&[0xff, 0xd8][..], &segments.concat()].concat();
        jpeg(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn comments_of_a_jpeg_are_found_behind_whatever_fills() {
        let own = segment(COMMENT, PLACE.as_bytes());
        let ended = segment(COMMENT, format!("{PLACE}\0").as_bytes());
        let table = segment(0xdb, &[0xff; 65]);
        let pixels = segment(0xda, b"");
        for before in [vec![], vec![0xff], vec![0xff; 100]] {
            let all = [
                table.clone(),
                before.clone(),
                own.clone(),
                before,
                ended.clone(),
            ];
            assert_eq!(of_jpeg(&all), [comment(PLACE), comment(PLACE)]);
        }
        // Not behind the pixels, and what breaks off or is none has what stood before.
        let endless = vec![0xff; MOST_FILL + 10];
        for rest in [vec![0xff, COMMENT, 0, 1], vec![7], endless, pixels] {
            let all = [own.clone(), rest, own.clone()];
            assert_eq!(of_jpeg(&all), [comment(PLACE)]);
        }
        for end in [vec![], vec![0xff], vec![0xff, COMMENT, 0]] {
            assert_eq!(of_jpeg(&[own.clone(), end]), [comment(PLACE)]);
        }
        let many = vec![segment(COMMENT, &[b'x'; 65_000]); 40];
        assert_eq!(of_jpeg(&many).len() as u64, MAX_TEXT_BYTES / 65_000);
    }

    #[test]
    fn exif_of_a_jpeg_comes_before_its_comments_and_once() {
        let exif = |by: &str| segment(APP1, &[exif::PREFIX, &exif::write("", by)].concat());
        let other = segment(APP1, b"http://ns.adobe.com/xap/1.0/\0");
        let all = [
            segment(COMMENT, b"x"),
            other,
            exif("Some program"),
            exif("Another one"),
        ];
        let made_by = ("Software".to_owned(), "Some program".to_owned());
        assert_eq!(of_jpeg(&all), [made_by, comment("x")]);
    }

    #[test]
    fn exif_of_a_webp_is_found_behind_its_pixels() {
        let chunk = |kind: &[u8; 4], data: &[u8]| {
            let mut bytes = [&kind[..], &(data.len() as u32).to_le_bytes(), data].concat();
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            bytes
        };
        let of = |chunks: &[Vec<u8>]| {
            let chunks = chunks.concat();
            let length = (chunks.len() as u32 + 4).to_le_bytes();
            let bytes = [b"RIFF", &length[..], b"WEBP", &chunks].concat();
            webp(&mut Cursor::new(bytes)).unwrap()
        };
        let exif = chunk(b"EXIF", &exif::write("", "Some program"));
        let pixels = chunk(b"VP8L", &[7; 333]);
        let made_by = [("Software".to_owned(), "Some program".to_owned())];
        assert_eq!(of(&[pixels.clone(), exif.clone()]), made_by);
        assert_eq!(of(std::slice::from_ref(&exif)), made_by);
        // One that says that it is longer than anything is passed, and so is all behind it.
        let endless = [b"EXIF", &u32::MAX.to_le_bytes()[..]].concat();
        assert_eq!(of(&[pixels, endless, exif]), []);
        assert_eq!(webp(&mut Cursor::new(b"RIFF".to_vec())).unwrap(), []);
    }
}
