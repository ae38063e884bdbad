//! OpenEXR: the frame's measures as channels of one scan-line image, ZIP-compressed, sixteen rows at a
//! time. The only module that names the `exr` crate.
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

use std::io::{self, BufReader, Read, Seek, Write};

use exr::block::chunk::Chunk;
use exr::block::reader::ChunksReader;
use exr::block::writer::ChunksWriter;
use exr::block::{BlockIndex, UncompressedBlock};
use exr::compression::Compression;
use exr::error::Error;
use exr::math::Vec2;
use exr::meta::BlockDescription;
use exr::meta::MetaData;
use exr::meta::attribute::{AttributeValue, ChannelDescription, LineOrder, SampleType, Text};
use exr::meta::header::Header;
use exr::prelude::f16;
use fractal::{FrameSpec, Measure, Plane, StripBuffer};
use smallvec::SmallVec;

use super::attributes;
use super::contents::{self, Contents};
use super::painted::{self, Paint};
use super::{About, Strips};
use crate::cli::files::ChannelArg;
use crate::plan::Channels;

/// Rows that ZIP16 compresses together.
const BLOCK_ROWS: usize = 16;
/// Bytes of blocks that are compressed at the same time, one a core; at least one.
const TOGETHER_BYTES: usize = 32 << 20;
/// Bytes of a block that are worth a thread.
const WORTH_BYTES: usize = 64 << 10;
/// What is added to iteration counts, so that formulas with counts below 0 have room; as Kalles Fraktaler does.
const BIAS: u64 = 1024;
/// The count of what is inside.
const INSIDE: u64 = u64::MAX;
/// Most bytes of a file's attributes that are looked at.
const MOST_HEADER: u64 = 64 << 20;
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
type Channel = (&'static str, Values);

fn channels(channel: ChannelArg, frame: &FrameSpec) -> &'static [Channel] {
    match channel {
        // All ones are kept for what is inside.
        ChannelArg::Count if frame.iterations + BIAS < u64::from(u32::MAX) => {
            &[("N", Values::Count { shift: 0 })]
        }
        ChannelArg::Count => &[
            ("N0", Values::Count { shift: 0 }),
            ("N1", Values::Count { shift: 32 }),
        ],
        ChannelArg::Fraction => &[("NF", Values::Single(Measure::Fraction))],
        ChannelArg::Phase => &[("T", Values::Single(Measure::Phase))],
        ChannelArg::Estimate => &[("DEX", Values::EstimateX), ("DEY", Values::EstimateY)],
        ChannelArg::Distance => &[("distance", Values::Single(Measure::Distance))],
        ChannelArg::Stability => &[("stability", Values::Single(Measure::Stability))],
        ChannelArg::Colours => &[
            ("R", Values::Light(0)),
            ("G", Values::Light(1)),
            ("B", Values::Light(2)),
        ],
    }
}

/// Bytes of all samples before they are compressed, colours aside.
pub(super) fn data_bytes(frame: &FrameSpec, wanted: Channels) -> u64 {
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

fn header(frame: &FrameSpec, own: &[Channel], about: &About) -> Header {
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
    known.software_name = Text::new_or_none(super::SOFTWARE);
    let other = &mut known.other;
    other.insert(Text::new_or_panic("Iterations"), whole(frame.iterations));
    other.insert(Text::new_or_panic("IterationsBias"), whole(BIAS));
    for (name, text) in about.texts() {
        if let Some(text) = Text::new_or_none(text) {
            other.insert(Text::new_or_panic(name), AttributeValue::Text(text));
        }
    }
    if let Some((name, bytes)) = attributes::padding(&about.texts()) {
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

pub(super) fn write(
    out: &mut (impl Write + Seek),
    frame: &FrameSpec,
    wanted: Channels,
    about: &About,
    paint: &Paint<'_>,
    strips: &mut Strips,
) -> io::Result<()> {
    // The format wants channels, and so their samples in each row, in the order of their names.
    let mut own: Vec<Channel> = wanted
        .iter()
        .flat_map(|channel| channels(channel, frame))
        .copied()
        .collect();
    own.sort_by_key(|(name, ..)| *name);
    let size = (frame.width as usize, frame.height as usize);
    let header = header(frame, &own, about);
    let written = exr::block::write(out, SmallVec::from_elem(header, 1), true, |meta, chunks| {
        let row_bytes = meta.headers[0].channels.bytes_per_pixel * size.0;
        let write = |blocks: Vec<UncompressedBlock>| {
            let first = blocks
                .first()
                .map_or(0, |block| block.index.pixel_position.y());
            for (at, chunk) in (first / BLOCK_ROWS..).zip(compressed(blocks, &meta.headers)) {
                let written = chunk.and_then(|chunk| chunks.write_chunk(at, chunk));
                written.map_err(io_error)?;
            }
            Ok(())
        };
        let mut rows = BlockRows::new(size, row_bytes, write);
        let all = |strip: &StripBuffer, row: usize, data: &mut Vec<u8>| {
            let mut kept = own.iter().filter(|(_, values)| !values.is_light());
            kept.try_for_each(|(_, values)| append_row(data, strip, *values, row))
                .ok_or_else(super::without_measure)
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
                        (rows.data).extend(halves.flat_map(f16::to_ne_bytes));
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

/// Compresses blocks, all at the same time.
fn compressed(blocks: Vec<UncompressedBlock>, headers: &[Header]) -> Vec<Result<Chunk, Error>> {
    let mut blocks = blocks.into_iter();
    let Some(own) = blocks.next() else {
        return Vec::new();
    };
    std::thread::scope(|scope| {
        let start = |block: UncompressedBlock| {
            let thread = std::thread::Builder::new().name("deflate-exr".into());
            thread.spawn_scoped(scope, move || block.compress_to_chunk(headers))
        };
        let others: Vec<_> = blocks.map(start).collect();
        let own = own.compress_to_chunk(headers);
        let others = others.into_iter().map(|thread| {
            let fault = |_| Err(Error::Invalid("a fault in the encoder".into()));
            thread?.join().unwrap_or_else(fault)
        });
        std::iter::once(own).chain(others).collect()
    })
}

/// Rows that are collected until they make blocks, and blocks until there is one for each core.
struct BlockRows<F> {
    width: usize,
    height: usize,
    /// Rows that are complete.
    row: usize,
    /// Those of the next block.
    data: Vec<u8>,
    blocks: Vec<UncompressedBlock>,
    /// So many blocks are written together.
    together: usize,
    write: F,
}

impl<F: FnMut(Vec<UncompressedBlock>) -> io::Result<()>> BlockRows<F> {
    fn new((width, height): (usize, usize), row_bytes: usize, write: F) -> Self {
        let cores = fractal::threads::available();
        let block_bytes = row_bytes * BLOCK_ROWS;
        let together = match block_bytes {
            0..WORTH_BYTES => 1,
            _ => (TOGETHER_BYTES / block_bytes).clamp(1, cores),
        };
        Self {
            width,
            height,
            row: 0,
            data: Vec::new(),
            blocks: Vec::new(),
            together,
            write,
        }
    }

    /// Ends a row, whose bytes were appended.
    fn end(&mut self) -> io::Result<()> {
        self.row += 1;
        if !self.row.is_multiple_of(BLOCK_ROWS) && self.row != self.height {
            return Ok(());
        }
        let first = (self.row - 1) / BLOCK_ROWS * BLOCK_ROWS;
        let index = BlockIndex {
            layer: 0,
            pixel_position: Vec2(0, first),
            pixel_size: Vec2(self.width, self.row - first),
            level: Vec2(0, 0),
        };
        let data = std::mem::take(&mut self.data);
        self.blocks.push(UncompressedBlock { index, data });
        if self.blocks.len() < self.together && self.row < self.height {
            return Ok(());
        }
        (self.write)(std::mem::take(&mut self.blocks))
    }
}

/// The attributes of all parts that are texts, by their names.
pub(super) fn texts(file: impl Read) -> io::Result<Vec<(String, String)>> {
    let file = BufReader::new(file.take(MOST_HEADER));
    let meta = MetaData::read_from_buffered(file, false).map_err(io_error)?;
    let attributes = meta.headers.iter().flat_map(|header| {
        let shared = header.shared_attributes.other.iter();
        shared.chain(&header.own_attributes.other)
    });
    let texts = attributes.filter_map(|(name, value)| match value {
        AttributeValue::Text(text) => Some((name.to_string(), text.to_string())),
        AttributeValue::I32(number) => Some((name.to_string(), number.to_string())),
        _ => None,
    });
    // The library knows this one, and keeps it apart.
    let made_by = (meta.headers.iter()).filter_map(|header| {
        let software = header.own_attributes.software_name.as_ref()?;
        Some(("software".to_owned(), software.to_string()))
    });
    let mut texts: Vec<_> = texts.chain(made_by).collect();
    texts.sort();
    Ok(texts)
}

/// Size and channels, with the ranges of their values; of the first part, where there are several.
pub(super) fn contents(file: impl Read + Seek) -> io::Result<Contents> {
    let reader = exr::block::read(file, false).map_err(io_error)?;
    let Some(header) = reader.headers().first().cloned() else {
        return Err(io::Error::other("a file of no parts"));
    };
    let list = header.channels.list.iter();
    let mut channels: Vec<contents::Channel> = list
        .map(|channel| {
            let kind = match channel.sample_type {
                SampleType::U32 => "UINT",
                SampleType::F16 => "HALF",
                SampleType::F32 => "FLOAT",
            };
            contents::Channel::new(channel.name.to_string(), kind)
        })
        .collect();
    let chunks = reader
        .filter_chunks(false, |_, _, block| {
            block.layer == 0 && block.level == Vec2(0, 0)
        })
        .map_err(io_error)?;
    // Deep data have as many samples a pixel as they like.
    let mut blocks = (!header.deep).then(|| chunks.sequential_decompressor(false));
    while let Some(block) = (blocks.as_mut()).and_then(|blocks| blocks.decompress_next_block()) {
        let block = block.map_err(io_error)?;
        for line in block.lines(&header.channels) {
            let own = &mut channels[line.location.channel];
            match header.channels.list[line.location.channel].sample_type {
                SampleType::U32 => {
                    for bytes in line.value.as_chunks::<4>().0 {
                        match u32::from_ne_bytes(*bytes) {
                            u32::MAX => own.inside += 1,
                            count => own.add(f64::from(count)),
                        }
                    }
                }
                SampleType::F32 => {
                    for bytes in line.value.as_chunks::<4>().0 {
                        own.add(f64::from(f32::from_ne_bytes(*bytes)));
                    }
                }
                // Colours: their ranges say nothing.
                SampleType::F16 => {}
            }
        }
    }
    Ok(Contents {
        width: header.layer_size.width(),
        height: header.layer_size.height(),
        channels,
    })
}

/// What the system said, without the library's wrapping.
fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// Appends one row of a channel; `None` where its measure is missing.
fn append_row(data: &mut Vec<u8>, strip: &StripBuffer, values: Values, row: usize) -> Option<()> {
    let width = strip.width as usize;
    let range = row * width..(row + 1) * width;
    let singles = |measure: Measure| match strip.plane(measure) {
        Some(
            Plane::Smooth(values)
            | Plane::Distance(values)
            | Plane::Fraction(values)
            | Plane::Phase(values)
            | Plane::Direction(values),
        ) => Some(&values[range.clone()]),
        _ => None,
    };
    let mut append = |value: [u8; 4]| data.extend_from_slice(&value);
    match values {
        Values::Count { shift } => {
            let mut count = |n: u64| {
                let biased = if n == 0 { INSIDE } else { n + BIAS };
                append(((biased >> shift) as u32).to_ne_bytes());
            };
            if let Some(Plane::Iterations(counts)) = strip.plane(Measure::Iterations) {
                counts[range].iter().for_each(|n| count(u64::from(*n)));
            } else if let Some(Plane::LongIterations(counts)) = strip.plane(Measure::LongIterations)
            {
                counts[range].iter().for_each(|n| count(*n));
            } else {
                return None;
            }
        }
        Values::Single(Measure::Stability) => {
            let Some(Plane::Stability(values)) = strip.plane(Measure::Stability) else {
                return None;
            };
            (values[range].iter()).for_each(|value| append((*value as f32).to_ne_bytes()));
        }
        Values::Single(measure) => {
            data.extend_from_slice(bytemuck::cast_slice(singles(measure)?));
        }
        // Not of the strip.
        Values::Light(_) => return None,
        Values::EstimateX | Values::EstimateY => {
            let (distances, turns) = (singles(Measure::Distance)?, singles(Measure::Direction)?);
            for (distance, turns) in distances.iter().zip(turns) {
                // Not the system's, whose last bits are its own.
                let (y, x) = libm::sincos(f64::from(*turns) * std::f64::consts::TAU);
                let part = if values == Values::EstimateX { x } else { y };
                append(((0.5 * f64::from(*distance) * part) as f32).to_ne_bytes());
            }
        }
    }
    Some(())
}
