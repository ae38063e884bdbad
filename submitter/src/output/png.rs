//! PNG, RGB of 8 or 16 bits, a row at a time: painted on this thread, filtered and deflated on another, so that
//! neither waits for the other. The only module that names the `png` crate.

use std::borrow::Cow;
use std::io::{self, BufRead, Cursor, Seek, Write};
use std::path::Path;
use std::sync::mpsc::sync_channel;

use png::text_metadata::{ITXtChunk, ZTXtChunk};
use png::{
    BitDepth, ColorType, Compression, Decoder, DecodingError, Encoder, EncodingError, Filter,
    SrgbRenderingIntent, Writer,
};

use super::contents::{Channel, Contents};
use super::rows::{RowSource, Spool};
use super::{About, SOFTWARE};
use crate::cli::CompressionArg;
use crate::colour::{Basis, Canvas, Depth, Needs, Painter, Scheme};
use crate::location::MAX_BYTES;

/// Painted parts that may wait for the encoder, and as many that it has given back.
const PAINTED: usize = 2;
/// Bytes of a file's mark and header, behind which other chunks may stand.
const HEADER_BYTES: usize = 33;

/// What a picture is made with.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// Columns and rows of samples.
    pub samples: (u32, u32),
    /// Its colours.
    pub colours: &'a Scheme,
    /// Values at the palette's ends, where they are needed.
    pub range: (f64, f64),
    /// How hard it is compressed.
    pub compression: CompressionArg,
    /// What it says of itself, where that is known.
    pub about: Option<&'a About>,
    /// A folder for values that must wait on the disk.
    pub folder: &'a Path,
}

impl Picture<'_> {
    /// Paints all rows of `source`, and encodes them.
    ///
    /// # Errors
    /// Those of the source and of `out`.
    pub fn write(
        &self,
        out: &mut (impl Write + Send),
        source: &mut impl RowSource,
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
        out: &mut (impl Write + Send),
        source: &mut impl RowSource,
        basis: &Basis,
    ) -> io::Result<()> {
        let painter = Painter::new(self.colours, basis);
        let (width, height) = self.samples;
        let mut canvas = Canvas::new(&painter, width, height);
        std::thread::scope(|scope| {
            let (painted, to_encode) = sync_channel::<Vec<u8>>(PAINTED);
            let (emptied, reusable) = sync_channel::<Vec<u8>>(PAINTED);
            let encoder = std::thread::Builder::new()
                .name("deflate-png".into())
                .spawn_scoped(scope, move || {
                    let mut encoder = self.encoder(out);
                    encoder
                        .add_text_chunk("Software".to_owned(), SOFTWARE.to_owned())
                        .map_err(io_error)?;
                    let mut header = encoder.write_header().map_err(io_error)?;
                    if let Some(about) = self.about {
                        let [(name, text), _] = about.texts();
                        write_text(&mut header, name, text).map_err(io_error)?;
                    }
                    let mut rows = header.stream_writer().map_err(io_error)?;
                    for part in to_encode {
                        rows.write_all(&part)?;
                        // Nobody takes it back at the end.
                        let _ = emptied.try_send(part);
                    }
                    rows.finish().map_err(io_error)
                })?;
            let mut paint_all = || {
                while let Some(rows) = source.next_rows()? {
                    let mut bytes = reusable.try_recv().unwrap_or_default();
                    bytes.clear();
                    canvas.push(rows, &mut bytes);
                    if painted.send(bytes).is_err() {
                        break; // the encoder failed; it says why
                    }
                }
                Ok(())
            };
            let all_painted = paint_all();
            drop(painted);
            let encoded = encoder
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a fault in the PNG encoder")));
            all_painted.and(encoded)
        })
    }

    fn encoder<'a, W: Write>(&self, out: W) -> Encoder<'a, W> {
        let side = self.colours.samples.side();
        let (width, height) = self.samples;
        let size = (width / side, height / side);
        encoder(out, size, self.colours.depth, self.compression)
    }
}

/// A compressed text. zTXt, as programs that paint over pictures (ImageMagick) leave iTXt out; what that has no
/// characters for is written as TOML's escapes.
fn write_text<W: Write>(
    header: &mut Writer<W>,
    name: &str,
    text: &str,
) -> Result<(), EncodingError> {
    if let Some(escaped) = in_latin1(text) {
        let mut chunk = ZTXtChunk::new(name, escaped);
        chunk.compress_text()?;
        return header.write_text_chunk(&chunk);
    }
    let mut chunk = ITXtChunk::new(name, text);
    chunk.compress_text()?;
    header.write_text_chunk(&chunk)
}

/// A text in TOML in characters of Latin-1; `None` where that takes escapes and there are strings that have none.
fn in_latin1(text: &str) -> Option<Cow<'_, str>> {
    let is_latin1 = |c: char| u32::from(c) < 0x100;
    if text.chars().all(is_latin1) {
        return Some(Cow::Borrowed(text));
    }
    let escaped = |c: char| match u32::from(c) {
        code if is_latin1(c) => char::from_u32(code).map(String::from),
        code => Some(format!("\\U{code:08X}")),
    };
    (!text.contains('\'')).then(|| text.chars().filter_map(escaped).collect::<String>().into())
}

/// A picture that is in memory.
pub(super) fn whole(
    size: (u32, u32),
    depth: Depth,
    rgb: &[u8],
    compression: CompressionArg,
) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let encoder = encoder(&mut out, size, depth, compression);
    let mut writer = encoder.write_header().map_err(io_error)?;
    writer.write_image_data(rgb).map_err(io_error)?;
    writer.finish().map_err(io_error)?;
    Ok(out)
}

fn encoder<'a, W: Write>(
    out: W,
    (width, height): (u32, u32),
    depth: Depth,
    compression: CompressionArg,
) -> Encoder<'a, W> {
    let mut encoder = Encoder::new(out, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(match depth {
        Depth::Eight => BitDepth::Eight,
        Depth::Sixteen => BitDepth::Sixteen,
    });
    let (compression, filter) = match compression {
        CompressionArg::Fast => (Compression::Fast, Filter::Up),
        CompressionArg::Balanced => (Compression::Balanced, Filter::Adaptive),
        CompressionArg::High => (Compression::High, Filter::Adaptive),
    };
    encoder.set_compression(compression);
    encoder.set_filter(filter);
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    encoder
}

/// What the system said, without the encoder's wrapping.
fn io_error(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// Size and channels.
pub(super) fn contents(file: impl BufRead + Seek) -> io::Result<Contents> {
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
    let channels = names.iter().map(|name| Channel::new(*name, kind.as_str()));
    Ok(Contents {
        width: info.width as usize,
        height: info.height as usize,
        channels: channels.collect(),
    })
}

/// The texts of chunks, by their names. Each is read in a picture of its own: one that is broken takes no other with it.
pub(super) fn texts(chunks: &[Vec<u8>]) -> Vec<(String, String)> {
    let Ok(blank) = whole((1, 1), Depth::Eight, &[0; 3], CompressionArg::Fast) else {
        return Vec::new();
    };
    let (begin, rest) = blank.split_at(HEADER_BYTES);
    let picture = |chunk: &Vec<u8>| Cursor::new([begin, chunk, rest].concat());
    let texts = chunks.iter().map(|chunk| text(picture(chunk)));
    texts.filter_map(Result::ok).flatten().collect()
}

/// The text of a picture that has no more than one.
fn text(file: impl BufRead + Seek) -> Result<Option<(String, String)>, DecodingError> {
    let limit = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
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
    use crate::output::chunks;
    use crate::output::texts::Begun;

    /// A picture with chunks before its pixels and behind them.
    fn with(before: &[Vec<u8>], behind: &[Vec<u8>]) -> Vec<u8> {
        let blank = whole((1, 1), Depth::Eight, &[9; 3], CompressionArg::Fast).unwrap();
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
        Begun::open(file.path()).unwrap().texts().unwrap()
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
        let bomb = written("Bomb", &"x".repeat(MAX_BYTES as usize + 1));
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
