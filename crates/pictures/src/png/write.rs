//! PNG, RGB of 8 or 16 bits, a row at a time: painted on this thread, filtered and deflated on another, so that
//! neither waits for the other.

use std::io::{self, Write};
use std::sync::mpsc::sync_channel;

use png::text_metadata::{ITXtChunk, ZTXtChunk};
use png::{BitDepth, ColorType, Encoder, EncodingError, Filter, SrgbRenderingIntent, Writer};

use colour::{Basis, Canvas, Depth, Painter, Scheme};

use crate::kinds::Compression;
use crate::rows::{RowSource, uneven_samples};
use crate::texts::{SOFTWARE, Texts, in_latin1};

/// Painted parts that may wait for the encoder, and as many that it has given back.
const PAINTED: usize = 2;

/// What a PNG is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PngPicture<'a> {
    /// Columns and rows of samples.
    pub(crate) samples: (u32, u32),
    /// Its colours.
    pub(crate) colours: &'a Scheme,
    /// How hard it is compressed.
    pub(crate) compression: Compression,
    /// What it says of itself, where that is known.
    pub(crate) texts: Option<&'a Texts>,
}

impl PngPicture<'_> {
    /// Paints all rows of `source`, and encodes them.
    ///
    /// # Errors
    /// Those of the source and of `out`.
    pub(crate) fn write(
        &self,
        out: &mut (dyn Write + Send),
        source: &mut dyn RowSource,
        basis: &Basis,
    ) -> io::Result<()> {
        let painter = Painter::new(self.colours, basis);
        let mut canvas = Canvas::new(&painter, self.samples.0, self.samples.1);
        let (colours, compression) = (self.colours, self.compression);
        let size = (colours.samples.pixels(self.samples)).ok_or_else(uneven_samples)?;
        std::thread::scope(|scope| {
            let (painted, to_encode) = sync_channel::<Vec<u8>>(PAINTED);
            let (emptied, reusable) = sync_channel::<Vec<u8>>(PAINTED);
            let encoder = std::thread::Builder::new()
                .name("deflate-png".into())
                .spawn_scoped(scope, move || {
                    let mut encoder = encoder(out, size, colours.depth, compression);
                    encoder
                        .add_text_chunk("Software".to_owned(), SOFTWARE.to_owned())
                        .map_err(io_error)?;
                    let mut header = encoder.write_header().map_err(io_error)?;
                    // What is known with the last pixels only stands behind them.
                    let is_late = self.texts.is_some_and(|texts| texts.settling.is_some());
                    let write_own = |header: &mut _| match self.texts.and_then(Texts::own_in_full) {
                        Some((name, text)) => write_text(header, name, &text),
                        None => Ok(()),
                    };
                    if !is_late {
                        write_own(&mut header).map_err(io_error)?;
                    }
                    let mut rows = header.stream_writer().map_err(io_error)?;
                    for part in to_encode {
                        rows.write_all(&part)?;
                        // Nobody takes it back at the end.
                        let _ = emptied.try_send(part);
                    }
                    rows.finish().map_err(io_error)?;
                    if is_late {
                        write_own(&mut header).map_err(io_error)?;
                    }
                    Ok(())
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
}

/// A compressed text. zTXt, as programs that paint over pictures (ImageMagick) leave iTXt out; what that has no
/// characters for is written as TOML's escapes.
pub(super) fn write_text<W: Write>(
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

/// The bytes of a picture of RGB pixels that is in memory; of 16 bits a channel, the higher byte is first.
///
/// # Errors
/// When the pixels are not as many as `size` says.
pub fn encode(
    size: (u32, u32),
    depth: Depth,
    rgb: &[u8],
    compression: Compression,
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
    compression: Compression,
) -> Encoder<'a, W> {
    let mut encoder = Encoder::new(out, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(match depth {
        Depth::Eight => BitDepth::Eight,
        Depth::Sixteen => BitDepth::Sixteen,
    });
    let (compression, filter) = match compression {
        Compression::Fast => (png::Compression::Fast, Filter::Up),
        Compression::Balanced => (png::Compression::Balanced, Filter::Adaptive),
        Compression::High => (png::Compression::High, Filter::Adaptive),
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
