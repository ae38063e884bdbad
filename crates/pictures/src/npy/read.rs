//! Arrays as NumPy writes them, versions 1 to 3, of two dimensions, in C's order or Fortran's: one measure, as whole or
//! floating numbers of any kind (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use fractal::Measure;
use fractal::frame::MAX_SIDE;

use super::header::{self, HEADER_BYTES, Header};
use super::numbers::Numbers;
use crate::contents::{ChannelContents, Contents};
use crate::part::{Fault, Part, Wanted};

/// How what is wrong with a file begins.
const NO_ARRAY: &str = "is no array of numpy's";
/// Bytes of values that are read at once; a multiple of every value's.
const READ_BYTES: usize = 1 << 16;
/// Values that are read at once, in whole rows, and at least one.
const PART_VALUES: usize = 1 << 18;
/// The same where a part has something of every column, each of which lies elsewhere.
const COLUMN_VALUES: usize = 1 << 22;

/// Where everything lies in a file.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Columns and rows.
    pub(crate) size: (u32, u32),
    start: u64,
    numbers: Numbers,
    /// Whether columns lie one after another, and not rows.
    by_columns: bool,
    is_lit: bool,
}

impl Layout {
    pub(crate) fn read(path: &Path, wanted: Wanted) -> Result<Self, Fault> {
        let mut file = BufReader::new(File::open(path)?);
        let length = file.get_ref().metadata()?.len();
        let not = |what: &str| Fault::Malformed(format!("{NO_ARRAY}: {what}"));
        let header = Header::read(&mut file).map_err(|what| not(&what))?;
        let sides = header.shape.iter().map(|side| u32::try_from(*side).ok());
        let size = match sides.collect::<Option<Vec<u32>>>().as_deref() {
            Some([height, width])
                if [height, width]
                    .iter()
                    .all(|side| (1..=MAX_SIDE).contains(*side)) =>
            {
                (*width, *height)
            }
            _ => {
                return Err(not(&format!(
                    "its shape is not two sides of 1 to {MAX_SIDE}"
                )));
            }
        };
        if wanted.is_lit && wanted.measure != Measure::Smooth {
            let what = "holds one measure, and --light with --colour distance needs two";
            return Err(Fault::Malformed(what.to_owned()));
        }
        let values = u64::from(size.0) * u64::from(size.1);
        let needed = header.start + values * header.numbers.bytes() as u64;
        if length < needed {
            return Err(Fault::Malformed(format!(
                "breaks off: {length} bytes of {needed}"
            )));
        }
        Ok(Self {
            size,
            start: header.start,
            numbers: header.numbers,
            by_columns: header.by_columns,
            is_lit: wanted.is_lit,
        })
    }
}

impl Layout {
    /// Values from bytes; what is no number is nothing to colour, as the inside is.
    fn values(&self, bytes: &[u8]) -> Vec<f32> {
        let blank = |value: f64| if value.is_nan() { 0.0 } else { value as f32 };
        self.numbers.values(bytes).map(blank).collect()
    }

    /// Reads the values of some rows.
    fn rows(
        &self,
        file: &mut File,
        row: u32,
        count: u32,
        bytes: &mut Vec<u8>,
    ) -> io::Result<Vec<f32>> {
        let (width, height) = (self.size.0 as usize, u64::from(self.size.1));
        let (each, count) = (self.numbers.bytes(), count as usize);
        bytes.resize(count * width * each, 0);
        let mut read = |place: u64, bytes: &mut [u8]| {
            file.seek(SeekFrom::Start(self.start + place * each as u64))?;
            file.read_exact(bytes)
        };
        if !self.by_columns {
            read(u64::from(row) * width as u64, bytes)?;
            return Ok(self.values(bytes));
        }
        for (column, bytes) in (0u64..).zip(bytes.chunks_exact_mut(count * each)) {
            read(column * height + u64::from(row), bytes)?;
        }
        let columns = self.values(bytes);
        let at = |index: usize| columns[index % width * count + index / width];
        Ok((0..count * width).map(at).collect())
    }
}

/// Parts of a file in order: all, or those rows.
pub(crate) fn parts(
    path: &Path,
    layout: &Layout,
    rows: Option<Vec<u32>>,
) -> io::Result<impl Iterator<Item = io::Result<Part>> + use<>> {
    let layout = layout.clone();
    let (width, height) = layout.size;
    let most = match layout.by_columns {
        true => COLUMN_VALUES,
        false => PART_VALUES,
    };
    let most = (most / width as usize).clamp(1, height as usize) as u32;
    let spans: Vec<(u32, u32)> = match rows {
        Some(rows) => rows.into_iter().map(|row| (row, 1)).collect(),
        None => (0..height)
            .step_by(most as usize)
            .map(|row| (row, most.min(height - row)))
            .collect(),
    };
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    Ok(spans.into_iter().map(move |(row, count)| {
        let values = layout.rows(&mut file, row, count, &mut bytes)?;
        let smooth = layout.is_lit.then(|| values.clone());
        Ok(Part {
            row,
            values,
            smooth,
        })
    }))
}

/// The single-precision values in a file as [`write`](super::write::write) writes it; `None` where it is another.
pub fn singles(bytes: &[u8], (width, height): (u32, u32)) -> Option<Vec<f32>> {
    let (head, values) = bytes.split_at_checked(HEADER_BYTES)?;
    let is_whole = values.len() as u64 == u64::from(width) * u64::from(height) * 4;
    if head != header::written("<f4", (width, height)) || !is_whole {
        return None;
    }
    let value = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
    Some(values.as_chunks().0.iter().map(value).collect())
}

/// Looks through an array of numbers, of one or two dimensions.
pub(crate) fn contents(mut file: impl Read) -> io::Result<Contents> {
    let wrong = |what: &str| io::Error::other(format!("{NO_ARRAY}: {what}"));
    let header = Header::read(&mut file).map_err(|what| wrong(&what))?;
    let sides = header.shape.iter().map(|side| usize::try_from(*side).ok());
    let (width, height) = match sides.collect::<Option<Vec<usize>>>().as_deref() {
        Some([height, width]) => (*width, *height),
        Some([width]) => (*width, 1),
        _ => return Err(wrong("it has not one or two dimensions")),
    };
    let mut channel = ChannelContents::new("", header.descr);
    let numbers = header.numbers;
    let bytes = numbers.bytes();
    let mut left = (width.checked_mul(height))
        .and_then(|count| count.checked_mul(bytes))
        .ok_or_else(|| wrong("its shape is too large"))?;
    let mut some = vec![0; READ_BYTES];
    while left > 0 {
        let part = left.min(READ_BYTES);
        file.read_exact(&mut some[..part])
            .map_err(|_| wrong("it is cut short"))?;
        for value in numbers.values(&some[..part]) {
            channel.add(value);
        }
        left -= part;
    }
    Ok(Contents {
        width,
        height,
        channels: vec![channel],
    })
}
