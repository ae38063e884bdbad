//! OpenEXR: the frame's measures as channels of one scan-line image, ZIP-compressed, sixteen rows at a
//! time.
//!
//! Names, types and values are those of Kalles Fraktaler 2+, which zoomasm and Fraktaler-3 share (the manual of Kalles
//! Fraktaler, <https://mathr.co.uk/kf/manual.html>, and the files that it writes):
//!
//! | channel | type | holds |
//! |---|---|---|
//! | `N` | UINT | iteration count and [`BIAS`]; all ones inside |
//! | `N0`, `N1` | UINT | the low and high 32 bits of that, instead of `N` where 32 bits are too few |
//! | `NF` | FLOAT | what the smooth count has beyond the count; 0 inside |
//! | `T` | FLOAT | angle of the last z in turns, 0 to 1 |
//! | `DEX`, `DEY` | FLOAT | z ln\|z\| / (dz/dc), c in pixels: half the distance estimate, away from the set |
//! | `distance`, `stability` | FLOAT | these measures (ours; OpenEXR has no doubles) |
//! | `R`, `G`, `B` | HALF | the colours of the sample in linear light, sRGB's primaries, as the format has it |
//!
//! The attributes `Iterations` and `IterationsBias` are a whole number each, or its text where it has more than 31 bits.

use std::io;

use exr::block::writer::ChunksWriter;
use exr::compression::Compression;
use exr::meta::BlockDescription;
use exr::meta::attribute::{AttributeValue, ChannelDescription, LineOrder, SampleType, Text};
use exr::meta::header::Header;
use exr::prelude::f16;
use fractal::{FrameSpec, Measure, StripBuffer};
use images::WriteSeek;
use smallvec::SmallVec;

use super::attributes;
use super::blocks::{Block, BlockRows, compressed};
use super::error::io_error;
use crate::kinds::{Channel, Channels};
use crate::painted::{self, Paint};
use crate::rows::{Strips, without_measure};
use crate::texts::{SOFTWARE, Texts};

/// What is added to iteration counts, so that formulas with counts below 0 have room; as Kalles Fraktaler does.
const BIAS: u64 = 1024;
/// The count of what is inside.
const INSIDE: u64 = u64::MAX;
/// Bytes of a value of single precision, and of a count.
const SINGLE_BYTES: usize = 4;

/// The values of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    /// 32 bits of the biased count, from this one up.
    Count {
        shift: u32,
    },
    /// A measure in single precision.
    Single(Measure),
    /// One part of half the distance estimate with its direction.
    EstimateX,
    EstimateY,
    /// Red, green or blue.
    Light(usize),
}

/// A channel: its name, and what it holds.
type NamedValues = (&'static str, Values);

fn channels(channel: Channel, frame: &FrameSpec) -> &'static [NamedValues] {
    match channel {
        // All ones are kept for what is inside.
        Channel::Count if frame.iterations + BIAS < u64::from(u32::MAX) => {
            &[("N", Values::Count { shift: 0 })]
        }
        Channel::Count => &[
            ("N0", Values::Count { shift: 0 }),
            ("N1", Values::Count { shift: 32 }),
        ],
        Channel::Fraction => &[("NF", Values::Single(Measure::Fraction))],
        Channel::Phase => &[("T", Values::Single(Measure::Phase))],
        Channel::Estimate => &[("DEX", Values::EstimateX), ("DEY", Values::EstimateY)],
        Channel::Distance => &[("distance", Values::Single(Measure::Distance))],
        Channel::Stability => &[("stability", Values::Single(Measure::Stability))],
        Channel::Colours => &[
            ("R", Values::Light(0)),
            ("G", Values::Light(1)),
            ("B", Values::Light(2)),
        ],
    }
}

/// Bytes of all samples before they are compressed, colours aside.
pub fn data_bytes(frame: &FrameSpec, wanted: Channels) -> u64 {
    let own = wanted.iter().flat_map(|channel| channels(channel, frame));
    let kept = own.filter(|(_, values)| !values.is_light()).count();
    frame.pixels() * (kept * SINGLE_BYTES) as u64
}

impl Values {
    fn is_light(self) -> bool {
        matches!(self, Self::Light(_))
    }

    fn sample_type(self) -> SampleType {
        match self {
            Self::Count { .. } => SampleType::U32,
            Self::Light(_) => SampleType::F16,
            _ => SampleType::F32,
        }
    }
}

/// A whole number as Kalles Fraktaler keeps it.
fn whole(number: u64) -> AttributeValue {
    match i32::try_from(number) {
        Ok(number) if number < i32::MAX - 1 => AttributeValue::I32(number),
        _ => AttributeValue::Text(Text::new_or_panic(number.to_string())),
    }
}

fn header(frame: &FrameSpec, own: &[NamedValues], texts: &Texts) -> Header {
    let described: SmallVec<[ChannelDescription; 5]> = own
        .iter()
        .map(|(name, values)| ChannelDescription::named(*name, values.sample_type()))
        .collect();
    let size = (frame.width as usize, frame.height as usize);
    let mut header = Header::new(Text::new_or_panic("mandelbrot"), size, described).with_encoding(
        Compression::ZIP16,
        BlockDescription::ScanLines,
        LineOrder::Increasing,
    );
    let known = &mut header.own_attributes;
    known.software_name = Text::new_or_none(SOFTWARE);
    let other = &mut known.other;
    other.insert(Text::new_or_panic("Iterations"), whole(frame.iterations));
    other.insert(Text::new_or_panic("IterationsBias"), whole(BIAS));
    for (name, text) in texts.all() {
        if let Some(text) = Text::new_or_none(text) {
            other.insert(Text::new_or_panic(name), AttributeValue::Text(text));
        }
    }
    if let Some((name, bytes)) = attributes::padding(&texts.all()) {
        let kind = Text::new_or_panic(attributes::PAD_KIND);
        other.insert(
            Text::new_or_panic(name),
            AttributeValue::Custom {
                kind,
                bytes: bytes.into(),
            },
        );
    }
    header
}

/// Writes the measures of a picture's strips, and their colours where they are wanted.
///
/// The attributes are in no fixed order: [`settle`](super::attributes::settle) puts them in one, and fills the room
/// that is left for what is known only now.
///
/// # Errors
/// Those of the strips and of `out`.
pub fn write(
    out: &mut dyn WriteSeek,
    frame: &FrameSpec,
    wanted: Channels,
    texts: &Texts,
    paint: &Paint<'_>,
    strips: &mut dyn Strips,
) -> io::Result<()> {
    // The format wants channels, and so their samples in each row, in the order of their names.
    let mut own: Vec<NamedValues> = wanted
        .iter()
        .flat_map(|channel| channels(channel, frame))
        .copied()
        .collect();
    own.sort_by_key(|(name, ..)| *name);
    let size = (frame.width as usize, frame.height as usize);
    let header = header(frame, &own, &texts.with_room());
    let written = exr::block::write(out, SmallVec::from_elem(header, 1), true, |meta, chunks| {
        let row_bytes = meta.headers[0].channels.bytes_per_pixel * size.0;
        let write = |blocks: &mut [Block]| {
            for (chunk, block) in compressed(blocks).into_iter().zip(blocks) {
                (chunks.write_chunk(block.index(), chunk?)).map_err(io_error)?;
            }
            Ok(())
        };
        let mut rows = BlockRows::new(size.1, row_bytes, write);
        let all = |strip: &StripBuffer, row: usize, data: &mut Vec<u8>| {
            let mut kept = own.iter().filter(|(_, values)| !values.is_light());
            kept.try_for_each(|(_, values)| append_row(data, strip, *values, row))
                .ok_or_else(without_measure)
        };
        if !own.iter().any(|(_, values)| values.is_light()) {
            for strip in strips {
                let strip = strip?;
                for row in 0..strip.strip.rows as usize {
                    all(&strip, row, &mut rows.data)?;
                    rows.end()?;
                }
            }
            return Ok(());
        }
        painted::each_row(strips, frame, paint, all, |data, colours| {
            let mut data = data.chunks_exact(size.0 * SINGLE_BYTES);
            for (_, values) in &own {
                match values {
                    Values::Light(part) => {
                        let halves = colours.iter().map(|colour| f16::from_f32(colour[*part]));
                        (rows.data).extend(halves.flat_map(f16::to_le_bytes));
                    }
                    _ => rows.data.extend(data.next().into_iter().flatten()),
                }
            }
            rows.end()
        })?;
        Ok(())
    });
    written.map_err(io_error)
}

/// Appends one row of a channel, little-endian; `None` where its measure is missing.
fn append_row(data: &mut Vec<u8>, strip: &StripBuffer, values: Values, row: usize) -> Option<()> {
    let width = strip.width as usize;
    let range = row * width..(row + 1) * width;
    let singles = |measure| Some(&strip.values::<f32>(measure)?[range.clone()]);
    let mut append = |value: [u8; 4]| data.extend_from_slice(&value);
    match values {
        Values::Count { shift } => {
            let mut count = |n: u64| {
                let biased = if n == 0 { INSIDE } else { n + BIAS };
                append(((biased >> shift) as u32).to_le_bytes());
            };
            if let Some(counts) = strip.values::<u32>(Measure::Iterations) {
                counts[range].iter().for_each(|n| count(u64::from(*n)));
            } else {
                let counts = strip.values::<u64>(Measure::LongIterations)?;
                counts[range].iter().for_each(|n| count(*n));
            }
        }
        Values::Single(Measure::Stability) => {
            let values = strip.values::<f64>(Measure::Stability)?;
            (values[range].iter()).for_each(|value| append((*value as f32).to_le_bytes()));
        }
        Values::Single(measure) => {
            (singles(measure)?.iter()).for_each(|value| append(value.to_le_bytes()));
        }
        // Not of the strip.
        Values::Light(_) => return None,
        Values::EstimateX | Values::EstimateY => {
            let (distances, turns) = (singles(Measure::Distance)?, singles(Measure::Direction)?);
            for (distance, turns) in distances.iter().zip(turns) {
                // Not the system's, whose last bits are its own.
                let (y, x) = libm::sincos(f64::from(*turns) * std::f64::consts::TAU);
                let part = if values == Values::EstimateX { x } else { y };
                append(((0.5 * f64::from(*distance) * part) as f32).to_le_bytes());
            }
        }
    }
    Some(())
}
