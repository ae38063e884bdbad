//! PNG, 8-bit RGB, a row at a time: painted on this thread, filtered and deflated on another, so that
//! neither waits for the other. The only module that names the `png` crate.

use std::io::{self, Write};
use std::sync::mpsc::sync_channel;

use fractal::{FrameSpec, Measure, Plane};
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter, SrgbRenderingIntent};

use super::Strips;
use crate::cli::CompressionArg;
use crate::colour::{Colours, RGB_BYTES};

/// Painted strips that may wait for the encoder, and as many that it has given back.
const PAINTED: usize = 2;

pub(super) fn write(
    out: &mut (impl Write + Send),
    frame: &FrameSpec,
    colours: &Colours,
    compression: CompressionArg,
    strips: &mut Strips,
) -> io::Result<()> {
    std::thread::scope(|scope| {
        let (painted, to_encode) = sync_channel::<Vec<u8>>(PAINTED);
        let (emptied, reusable) = sync_channel::<Vec<u8>>(PAINTED);
        let encoder = std::thread::Builder::new()
            .name("deflate-png".into())
            .spawn_scoped(scope, move || {
                let mut encoder = encoder(out, frame, compression);
                encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
                let mut header = encoder.write_header().map_err(io_error)?;
                let mut rows = header.stream_writer().map_err(io_error)?;
                for strip in to_encode {
                    rows.write_all(&strip)?;
                    // Nobody takes it back at the end.
                    let _ = emptied.try_send(strip);
                }
                rows.finish().map_err(io_error)
            })?;
        let mut paint_all = || {
            for strip in &mut *strips {
                let strip = strip?;
                let Some(Plane::Smooth(smooth)) = strip.plane(Measure::Smooth) else {
                    return Err(io::Error::other("a strip came without its smooth count"));
                };
                let mut rgb = reusable.try_recv().unwrap_or_default();
                rgb.resize(smooth.len() * RGB_BYTES, 0);
                colours.paint(smooth, &mut rgb);
                if painted.send(rgb).is_err() {
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

fn encoder<'a, W: Write>(out: W, frame: &FrameSpec, compression: CompressionArg) -> Encoder<'a, W> {
    let mut encoder = Encoder::new(out, frame.width, frame.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let (compression, filter) = match compression {
        CompressionArg::Fast => (Compression::Fast, Filter::Up),
        CompressionArg::Balanced => (Compression::Balanced, Filter::Adaptive),
        CompressionArg::High => (Compression::High, Filter::Adaptive),
    };
    encoder.set_compression(compression);
    encoder.set_filter(filter);
    encoder
}

/// What the system said, without the encoder's wrapping.
fn io_error(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
