//! PNG, RGB of 8 or 16 bits, a row at a time: painted on this thread, filtered and deflated on another, so that
//! neither waits for the other. The only module that names the `png` crate.

use std::io::{self, BufRead, Seek, Write};
use std::path::Path;
use std::sync::mpsc::sync_channel;

use png::text_metadata::ITXtChunk;
use png::{
    BitDepth, ColorType, Compression, Decoder, DecodingError, Encoder, EncodingError, Filter,
    SrgbRenderingIntent,
};

use super::contents::{Channel, Contents};
use super::rows::{RowSource, Spool};
use super::{About, SOFTWARE};
use crate::cli::CompressionArg;
use crate::colour::{Basis, Canvas, Depth, Needs, Painter, Scheme};
use crate::location::MAX_BYTES;

/// Painted parts that may wait for the encoder, and as many that it has given back.
const PAINTED: usize = 2;

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
                        let mut chunk = ITXtChunk::new(name, text);
                        chunk.compress_text().map_err(io_error)?;
                        header.write_text_chunk(&chunk).map_err(io_error)?;
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

/// The texts before the pixels, by their names.
pub(super) fn texts(file: impl BufRead + Seek) -> io::Result<Vec<(String, String)>> {
    let limit = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
    let reader = Decoder::new(file).read_info().map_err(decoding_error)?;
    let info = reader.info();
    let mut texts: Vec<(String, String)> = info
        .uncompressed_latin1_text
        .iter()
        .map(|chunk| (chunk.keyword.clone(), chunk.text.clone()))
        .collect();
    for chunk in &info.compressed_latin1_text {
        let mut chunk = chunk.clone();
        if chunk.decompress_text_with_limit(limit).is_ok() {
            let text = chunk.get_text().map_err(decoding_error)?;
            texts.push((chunk.keyword, text));
        }
    }
    for chunk in &info.utf8_text {
        let mut chunk = chunk.clone();
        if chunk.decompress_text_with_limit(limit).is_ok() {
            let text = chunk.get_text().map_err(decoding_error)?;
            texts.push((chunk.keyword, text));
        }
    }
    Ok(texts)
}

fn decoding_error(error: DecodingError) -> io::Error {
    match error {
        DecodingError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
