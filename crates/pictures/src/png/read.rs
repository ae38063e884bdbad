//! What a PNG says: its size and channels, and its texts.

use std::io::{self, BufRead, Cursor, Seek};

use colour::Depth;
use images::exif::MAX_TEXT_BYTES;
use png::{ColorType, Decoder, DecodingError};

use super::write::encode;
use crate::contents::{ChannelContents, Contents};
use crate::kinds::Compression;

/// Bytes of a file's mark and header, behind which other chunks may stand.
const HEADER_BYTES: usize = 33;

/// Most texts of a file, and bytes of all of them together once they are unpacked: a small file may hold a thousand times as
/// much as it is long.
const MOST_TEXTS: usize = 1024;
const MOST_UNPACKED: usize = 8 * MAX_TEXT_BYTES as usize;

/// Size and channels.
pub(crate) fn contents(file: impl BufRead + Seek) -> io::Result<Contents> {
    let reader = Decoder::new(file).read_info().map_err(decoding_error)?;
    let info = reader.info();
    let names: &[&str] = match info.color_type {
        ColorType::Grayscale => &["grey"],
        ColorType::Rgb => &["red", "green", "blue"],
        ColorType::Indexed => &["palette"],
        ColorType::GrayscaleAlpha => &["grey", "alpha"],
        ColorType::Rgba => &["red", "green", "blue", "alpha"],
    };
    let kind = format!("{} bits", info.bit_depth as u8);
    let channels = names
        .iter()
        .map(|name| ChannelContents::new(*name, kind.as_str()));
    Ok(Contents {
        width: info.width as usize,
        height: info.height as usize,
        channels: channels.collect(),
    })
}

/// The texts of chunks, by their names. Each is read in a picture of its own: one that is broken takes no other with it.
pub(crate) fn texts(chunks: &[Vec<u8>]) -> Vec<(String, String)> {
    let Ok(blank) = encode((1, 1), Depth::Eight, &[0; 3], Compression::Fast) else {
        return Vec::new();
    };
    let (begin, rest) = blank.split_at(HEADER_BYTES);
    let picture = |chunk: &Vec<u8>| Cursor::new([begin, chunk, rest].concat());
    let mut left = MOST_UNPACKED;
    let texts = chunks.iter().take(MOST_TEXTS).map_while(|chunk| {
        let limit = left.min(usize::try_from(MAX_TEXT_BYTES).unwrap_or(usize::MAX));
        let read = (limit > 0).then(|| text(picture(chunk), limit))?;
        // One that is over the limit was unpacked as far as that.
        let unpacked = match &read {
            Ok(text) => text.as_ref().map_or(0, |(_, text)| text.len()),
            Err(_) => limit,
        };
        left = left.saturating_sub(unpacked);
        Some(read)
    });
    texts.filter_map(Result::ok).flatten().collect()
}

/// The text of a picture that has no more than one, of at most `limit` bytes where it is packed.
fn text(
    file: impl BufRead + Seek,
    limit: usize,
) -> Result<Option<(String, String)>, DecodingError> {
    let reader = Decoder::new(file).read_info()?;
    let info = reader.info();
    if let Some(chunk) = info.uncompressed_latin1_text.first() {
        return Ok(Some((chunk.keyword.clone(), chunk.text.clone())));
    }
    if let Some(mut chunk) = info.compressed_latin1_text.first().cloned() {
        chunk.decompress_text_with_limit(limit)?;
        let text = chunk.get_text()?;
        return Ok(Some((chunk.keyword, text)));
    }
    let Some(mut chunk) = info.utf8_text.first().cloned() else {
        return Ok(None);
    };
    chunk.decompress_text_with_limit(limit)?;
    let text = chunk.get_text()?;
    Ok(Some((chunk.keyword, text)))
}

fn decoding_error(error: DecodingError) -> io::Error {
    match error {
        DecodingError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use png::Encoder;

    use super::super::chunks;
    use super::super::write::write_text;
    use crate::open::OpenedFile;

    /// A picture with chunks before its pixels and behind them.
    fn with(before: &[Vec<u8>], behind: &[Vec<u8>]) -> Vec<u8> {
        let blank = encode((1, 1), Depth::Eight, &[9; 3], Compression::Fast).unwrap();
        let end = blank.len() - 12;
        let parts = [
            &blank[..HEADER_BYTES],
            &before.concat(),
            &blank[HEADER_BYTES..end],
            &behind.concat(),
            &blank[end..],
        ];
        parts.concat()
    }

    #[test]
    fn what_many_small_chunks_unpack_to_has_a_limit() {
        let long = "a".repeat(MAX_TEXT_BYTES as usize);
        let packed = written("k", &long);
        assert!(packed.len() < long.len() / 100, "{}", packed.len());
        let many = vec![packed; 50];
        assert_eq!(texts(&many).len(), MOST_UNPACKED / long.len());
        let short = vec![written("k", "a"); MOST_TEXTS + 5];
        assert_eq!(texts(&short).len(), MOST_TEXTS);
    }

    /// The chunk that a text is written as.
    fn written(name: &str, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut header = Encoder::new(&mut out, 1, 1).write_header().unwrap();
        write_text(&mut header, name, text).unwrap();
        drop(header);
        let chunks = chunks::texts(&mut std::io::Cursor::new(out[8..].to_vec())).unwrap();
        assert_eq!(chunks.len(), 1);
        chunks.into_iter().next().unwrap()
    }

    fn read(bytes: &[u8]) -> Vec<(String, String)> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        OpenedFile::open(file.path()).unwrap().texts().unwrap()
    }

    #[test]
    fn texts_of_every_kind_are_read_on_both_sides_of_the_pixels() {
        let plain = |kind: &[u8; 4], data: &[u8]| {
            let check = crc(&[&kind[..], data].concat());
            let length = (data.len() as u32).to_be_bytes();
            [&length[..], kind, data, &check.to_be_bytes()].concat()
        };
        let text = plain(b"tEXt", b"Comment\0caf\xe9");
        let packed = written("Packed", "re = \"0\"");
        let wide = plain(b"iTXt", "Wide\0\0\0\0\0\u{3b1}".as_bytes());
        assert_eq!(&packed[4..8], b"zTXt");
        let own = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let all = [
            own("Comment", "caf\u{e9}"),
            own("Packed", "re = \"0\""),
            own("Wide", "\u{3b1}"),
        ];
        let chunks = [text, packed.clone(), wide];
        assert_eq!(read(&with(&chunks, &[])), all);
        assert_eq!(read(&with(&[], &chunks)), all);
        // A broken one takes no other with it.
        let mut broken = packed.clone();
        broken[10] = b'X';
        let end = broken.len() - 6;
        broken[end] ^= 0xff;
        assert_eq!(read(&with(&[], &[broken, packed])), all[1..2]);
        // What unpacks to more than a location has is left out.
        let bomb = written("Bomb", &"x".repeat(MAX_TEXT_BYTES as usize + 1));
        assert!(bomb.len() < 100_000);
        assert_eq!(read(&with(&[bomb], &chunks)), all);
    }

    #[test]
    fn texts_are_written_as_most_programs_keep_them() {
        for (text, kind, becomes) in [
            ("a = \"\u{e9}\"", b"zTXt", "a = \"\u{e9}\""),
            ("a = \"\u{3b1}\"", b"zTXt", "a = \"\\U000003B1\""),
            ("a = '\u{3b1}'", b"iTXt", "a = '\u{3b1}'"),
        ] {
            let chunk = written("Mandelfarm", text);
            assert_eq!(&chunk[4..8], kind, "{text}");
            assert_eq!(read(&with(&[], &[chunk]))[0].1, becomes);
        }
    }

    /// CRC-32 as PNG has it, bit by bit.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
        !bytes.iter().fold(u32::MAX, byte)
    }
}
