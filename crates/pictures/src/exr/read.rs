//! OpenEXR, scan lines from the top down, of any compression that loses nothing of single precision: our own files and
//! those of Kalles Fraktaler, whose channels they share. Blocks are unpacked on all cores, a few at a time.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use exr::block::UncompressedBlock;
use exr::block::chunk::Chunk;
use exr::block::reader::Reader;
use exr::error::Error;
use exr::meta::attribute::{AttributeValue, LineOrder, SampleType, Text};
use exr::meta::header::Header;
use exr::meta::{BlockDescription, MetaData};
use fractal::Measure;
use fractal::frame::MAX_SIDE;
use fractal::smooth::joined;

use super::error::io_error;
use crate::part::{Fault, Part, Wanted};

/// Unpacked bytes of the blocks that are held at once; at least one block for each core.
const HELD_BYTES: usize = 16 << 20;
/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 20;
/// The biased count of what is inside.
const INSIDE: u32 = u32::MAX;

/// Where everything lies in a file.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Columns and rows.
    pub(crate) size: (u32, u32),
    values: Channel,
    smooth: Option<Channel>,
    row_bytes: usize,
}

/// How a value is made: byte offsets in a row of the channels that it is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    /// It is one channel.
    Single(usize),
    /// The count, its higher half where it has one, what the smooth count has beyond it where that is kept, and what
    /// was added to counts.
    Count {
        low: usize,
        high: Option<usize>,
        fraction: Option<usize>,
        bias: u64,
    },
    /// Half the distance estimate, as a complex number.
    Estimate(usize, usize),
}

impl Layout {
    pub(crate) fn read(path: &Path, wanted: Wanted) -> Result<Self, Fault> {
        let reader = open(path)?;
        let [header] = reader.headers() else {
            let parts = reader.headers().len();
            return Err(Fault::Malformed(format!("has {parts} parts, and not one")));
        };
        let no = |what: &str| Fault::Malformed(what.to_owned());
        if header.deep || header.blocks != BlockDescription::ScanLines {
            return Err(no("is of tiles or deep data, and not of scan lines"));
        }
        if header.line_order == LineOrder::Decreasing {
            return Err(no("has its lines from the bottom up"));
        }
        let (width, height) = (header.layer_size.width(), header.layer_size.height());
        let most = MAX_SIDE as usize;
        if !(1..=most).contains(&width) || !(1..=most).contains(&height) {
            return Err(Fault::Malformed(format!(
                "{width} x {height} samples are not within 1 and {MAX_SIDE} a side"
            )));
        }
        let channels = Channels::of(header)?;
        let values = channels.carrier(wanted.measure)?;
        let smooth = if wanted.is_lit {
            Some(channels.carrier(Measure::Smooth)?)
        } else {
            None
        };
        Ok(Self {
            size: (width as u32, height as u32),
            values,
            smooth,
            row_bytes: channels.row_bytes,
        })
    }

    /// The values of a block's rows.
    fn part(&self, block: &UncompressedBlock) -> Result<Part, Error> {
        let width = self.size.0 as usize;
        let rows = block.index.pixel_size.height();
        if block.index.pixel_size.width() != width || block.data.len() != rows * self.row_bytes {
            return Err(Error::Invalid("a block of another size".into()));
        }
        let gather = |channel: Channel| {
            let mut values = Vec::with_capacity(rows * width);
            for row in block.data.chunks_exact(self.row_bytes) {
                channel.append(row, width, &mut values);
            }
            values
        };
        Ok(Part {
            row: block.index.pixel_position.y() as u32,
            values: gather(self.values),
            smooth: self.smooth.map(gather),
        })
    }
}

/// A file's channels, in the order in which rows hold them.
struct Channels<'a> {
    header: &'a Header,
    /// Name, type and offset of each.
    list: Vec<(String, SampleType, usize)>,
    row_bytes: usize,
}

impl<'a> Channels<'a> {
    fn of(header: &'a Header) -> Result<Self, Fault> {
        let width = header.layer_size.width();
        let (mut list, mut row_bytes) = (Vec::new(), 0);
        for channel in &header.channels.list {
            if (channel.sampling.x(), channel.sampling.y()) != (1, 1) {
                let what = format!("channel {} has not every pixel", channel.name);
                return Err(Fault::Malformed(what));
            }
            let kind = channel.sample_type;
            list.push((channel.name.to_string(), kind, row_bytes));
            row_bytes += width * kind.bytes_per_sample();
        }
        Ok(Self {
            header,
            list,
            row_bytes,
        })
    }

    fn offset(&self, name: &str, kind: SampleType) -> Option<usize> {
        let mut channels = self.list.iter();
        let (.., offset) = channels.find(|(own, type_, _)| own == name && *type_ == kind)?;
        Some(*offset)
    }

    /// What was added to counts.
    fn bias(&self) -> u64 {
        let name = Text::new_or_panic("IterationsBias");
        match self.header.own_attributes.other.get(&name) {
            Some(AttributeValue::I32(bias)) => u64::try_from(*bias).unwrap_or(0),
            Some(AttributeValue::Text(bias)) => bias.to_string().parse().unwrap_or(0),
            _ => 0,
        }
    }

    /// Where `measure` is.
    fn carrier(&self, measure: Measure) -> Result<Channel, Fault> {
        let single = |name| self.offset(name, SampleType::F32);
        let whole = |name| self.offset(name, SampleType::U32);
        let found = match measure {
            Measure::Distance => single("distance")
                .map(Channel::Single)
                .or_else(|| Some(Channel::Estimate(single("DEX")?, single("DEY")?))),
            _ => single("smooth").map(Channel::Single).or_else(|| {
                let (low, high) = match whole("N") {
                    Some(low) => (low, None),
                    None => (whole("N0")?, whole("N1")),
                };
                Some(Channel::Count {
                    low,
                    high,
                    fraction: single("NF"),
                    bias: self.bias(),
                })
            }),
        };
        found.ok_or_else(|| {
            let names: Vec<&str> = self.list.iter().map(|(name, ..)| name.as_str()).collect();
            let wanted = match measure {
                Measure::Distance => "distance, or DEX and DEY",
                _ => "smooth, or N and NF",
            };
            Fault::Malformed(format!(
                "holds no channel {wanted} of 32 bits, but {}",
                names.join(", ")
            ))
        })
    }
}

impl Channel {
    /// Appends the values of a row.
    fn append(self, row: &[u8], width: usize, values: &mut Vec<f32>) {
        let samples = |offset: usize| {
            let bytes = &row[offset..offset + width * 4];
            bytes.as_chunks::<4>().0.iter()
        };
        let singles = |offset| samples(offset).map(|bytes| f32::from_ne_bytes(*bytes));
        let wholes = |offset| samples(offset).map(|bytes| u32::from_ne_bytes(*bytes));
        match self {
            Self::Single(offset) => values.extend(singles(offset)),
            Self::Estimate(x, y) => {
                let pairs = singles(x).zip(singles(y));
                values.extend(pairs.map(|(x, y)| 2.0 * (x * x + y * y).sqrt()));
            }
            Self::Count {
                low,
                high,
                fraction,
                bias,
            } => {
                let value = move |low: u32, high: Option<u32>, fraction: f32| {
                    if low == INSIDE && high.is_none_or(|high| high == INSIDE) {
                        return 0.0;
                    }
                    let count = u64::from(high.unwrap_or(0)) << 32 | u64::from(low);
                    // A count of 0 is inside for those who add nothing.
                    joined(count.saturating_sub(bias) as f64, fraction)
                };
                let lows = wholes(low);
                // One loop for each shape of file, of known length: this is done for every sample.
                match (high.map(wholes), fraction.map(singles)) {
                    (None, None) => values.extend(lows.map(|low| value(low, None, 0.0))),
                    (None, Some(fractions)) => {
                        let pairs = lows.zip(fractions);
                        values.extend(pairs.map(|(low, fraction)| value(low, None, fraction)));
                    }
                    (Some(highs), None) => {
                        let pairs = lows.zip(highs);
                        values.extend(pairs.map(|(low, high)| value(low, Some(high), 0.0)));
                    }
                    (Some(highs), Some(fractions)) => {
                        let all = lows.zip(highs).zip(fractions);
                        values.extend(
                            all.map(|((low, high), fraction)| value(low, Some(high), fraction)),
                        );
                    }
                }
            }
        }
    }
}

fn open(path: &Path) -> Result<Reader<BufReader<File>>, Fault> {
    let file = BufReader::with_capacity(READ_BYTES, File::open(path)?);
    Reader::read_from_buffered(file, false).map_err(|error| match error {
        Error::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => Fault::Io(error),
        error => Fault::Malformed(format!("is no OpenEXR file: {error}")),
    })
}

/// Parts of a file in order: all, or those blocks that hold `rows`, which are in order.
pub(crate) fn parts(
    path: &Path,
    layout: &Layout,
    rows: Option<Vec<u32>>,
) -> io::Result<impl Iterator<Item = io::Result<Part>> + use<>> {
    let reader = open(path).map_err(io::Error::other)?;
    let meta = reader.meta_data().clone();
    let block_rows =
        (meta.headers.first()).map_or(1, |header| header.compression.scan_lines_per_block());
    let holds = move |row: usize, count: usize| {
        rows.as_ref().is_none_or(|rows| {
            let first = rows.partition_point(|wanted| (*wanted as usize) < row);
            (rows.get(first)).is_some_and(|wanted| (*wanted as usize) < row + count)
        })
    };
    let chunks = reader.filter_chunks(false, |_, _, block| {
        holds(block.pixel_position.y(), block.pixel_size.height())
    });
    let mut chunks = chunks.map_err(io_error)?;
    let cores = fractal::threads::available();
    let block_bytes = block_rows * layout.row_bytes;
    let together = (HELD_BYTES / block_bytes.max(1)).clamp(cores, 8 * cores);
    let layout = layout.clone();
    let mut unpacked = Vec::new().into_iter();
    Ok(std::iter::from_fn(move || {
        if let Some(part) = unpacked.next() {
            return Some(part);
        }
        let packed: Vec<_> = chunks.by_ref().take(together).collect();
        unpacked = unpack(packed, &meta, &layout, cores).into_iter();
        unpacked.next()
    }))
}

/// Unpacks blocks on all cores, in their order.
fn unpack(
    packed: Vec<Result<Chunk, Error>>,
    meta: &MetaData,
    layout: &Layout,
    cores: usize,
) -> Vec<io::Result<Part>> {
    let share = packed.len().div_ceil(cores).max(1);
    let one = |chunk: Result<Chunk, Error>| {
        let block = UncompressedBlock::decompress_chunk(chunk?, meta, false)?;
        layout.part(&block)
    };
    let mut packed = packed.into_iter();
    std::thread::scope(|scope| {
        let mut shares = Vec::new();
        loop {
            let own: Vec<_> = packed.by_ref().take(share).collect();
            if own.is_empty() {
                break;
            }
            let thread = std::thread::Builder::new().name("inflate-exr".into());
            let unpacked = move || own.into_iter().map(one).collect::<Vec<_>>();
            shares.push(thread.spawn_scoped(scope, unpacked));
        }
        let joined = shares.into_iter().flat_map(|thread| match thread {
            Ok(thread) => (thread.join())
                .unwrap_or_else(|_| vec![Err(Error::Invalid("a fault in the decoder".into()))]),
            Err(error) => vec![Err(Error::Io(error))],
        });
        joined.map(|part| part.map_err(io_error)).collect()
    })
}
