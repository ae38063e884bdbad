//! OpenEXR: the frame's measures as channels of one scan-line image, ZIP-compressed, sixteen rows at a
//! time. The only module that names the `exr` crate.
//!
//! Channels: `N` the iteration count (UINT, 0 is inside), or `N0` and `N1`, the low and the high 32 bits of long ones, `smooth`, `distance` (FLOAT), `stability`
//! (FLOAT: OpenEXR has no doubles).

use std::io::{self, Seek, Write};

use exr::block::writer::ChunksWriter;
use exr::block::{BlockIndex, UncompressedBlock};
use exr::compression::Compression;
use exr::error::Error;
use exr::math::Vec2;
use exr::meta::BlockDescription;
use exr::meta::attribute::{ChannelDescription, LineOrder, SampleType, Text};
use exr::meta::header::Header;
use fractal::{FrameSpec, Measure, MeasureSet, Plane, StripBuffer};
use smallvec::SmallVec;

use super::Strips;

/// Rows that ZIP16 compresses together.
const BLOCK_ROWS: usize = 16;

/// A channel: its name, the type of its samples, and the measure that it holds, or half of it.
type Channel = (&'static str, SampleType, Measure);

/// Name of the higher half of long counts.
const HIGH_COUNTS: &str = "N1";

fn channels(measure: Measure) -> &'static [Channel] {
    match measure {
        Measure::Iterations => &[("N", SampleType::U32, Measure::Iterations)],
        Measure::Smooth => &[("smooth", SampleType::F32, Measure::Smooth)],
        Measure::Distance => &[("distance", SampleType::F32, Measure::Distance)],
        Measure::Stability => &[("stability", SampleType::F32, Measure::Stability)],
        Measure::LongIterations => &[
            ("N0", SampleType::U32, Measure::LongIterations),
            (HIGH_COUNTS, SampleType::U32, Measure::LongIterations),
        ],
    }
}

pub(super) fn write(
    out: &mut (impl Write + Seek),
    frame: &FrameSpec,
    measures: MeasureSet,
    strips: &mut Strips,
) -> io::Result<()> {
    // The format wants channels, and so their samples in each row, in the order of their names.
    let mut own: Vec<&Channel> = measures.iter().flat_map(channels).collect();
    own.sort_by_key(|(name, ..)| *name);
    let (width, height) = (frame.width as usize, frame.height as usize);
    let described: SmallVec<[ChannelDescription; 5]> = own
        .iter()
        .map(|(name, kind, _)| ChannelDescription::named(*name, *kind))
        .collect();
    let header = Header::new(Text::new_or_panic("mandelbrot"), (width, height), described)
        .with_encoding(
            Compression::ZIP16,
            BlockDescription::ScanLines,
            LineOrder::Increasing,
        );
    let written = exr::block::write(out, SmallVec::from_elem(header, 1), true, |meta, chunks| {
        let mut blocks = chunks.sequential_blocks_compressor(&meta);
        let mut data: Vec<u8> = Vec::new();
        let mut row = 0;
        for strip in strips {
            let strip = strip.map_err(Error::Io)?;
            for strip_row in 0..strip.strip.rows as usize {
                append_row(&mut data, &strip, &own, strip_row)?;
                row += 1;
                if row % BLOCK_ROWS == 0 || row == height {
                    let first = (row - 1) / BLOCK_ROWS * BLOCK_ROWS;
                    let index = BlockIndex {
                        layer: 0,
                        pixel_position: Vec2(0, first),
                        pixel_size: Vec2(width, row - first),
                        level: Vec2(0, 0),
                    };
                    let data = std::mem::take(&mut data);
                    blocks.compress_block(first / BLOCK_ROWS, UncompressedBlock { index, data })?;
                }
            }
        }
        Ok(())
    });
    written.map_err(|error| match error {
        Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    })
}

/// Appends one row: all samples of the first channel, then of the second, and so on.
fn append_row(
    data: &mut Vec<u8>,
    strip: &StripBuffer,
    channels: &[&Channel],
    row: usize,
) -> Result<(), Error> {
    let width = strip.width as usize;
    let range = row * width..(row + 1) * width;
    for (name, _, measure) in channels {
        match strip.plane(*measure) {
            Some(Plane::Iterations(values)) => {
                data.extend_from_slice(bytemuck::cast_slice(&values[range.clone()]));
            }
            Some(Plane::LongIterations(values)) => {
                let shift = if *name == HIGH_COUNTS { 32 } else { 0 };
                for value in &values[range.clone()] {
                    data.extend_from_slice(&((value >> shift) as u32).to_ne_bytes());
                }
            }
            Some(Plane::Smooth(values) | Plane::Distance(values)) => {
                data.extend_from_slice(bytemuck::cast_slice(&values[range.clone()]));
            }
            Some(Plane::Stability(values)) => {
                for value in &values[range.clone()] {
                    data.extend_from_slice(&(*value as f32).to_ne_bytes());
                }
            }
            None => {
                return Err(Error::Io(io::Error::other(
                    "a strip came without a measure",
                )));
            }
        }
    }
    Ok(())
}
