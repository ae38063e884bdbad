//! Arrays as NumPy writes them, versions 1 to 3, of two dimensions, in C's order or Fortran's: one measure, as whole or
//! floating numbers of any kind (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use fractal::Measure;
use fractal::frame::MAX_SIDE;

use super::{Fault, Part, Wanted};
use crate::output::numbers::Numbers;

/// Most bytes of a header: numpy's own limit.
const MOST_HEADER: usize = 10_000;
/// Values that are read at once, in whole rows, and at least one.
const PART_VALUES: usize = 1 << 18;
/// The same where a part has something of every column, each of which lies elsewhere.
const COLUMN_VALUES: usize = 1 << 22;

/// Where everything lies in a file.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Columns and rows.
    pub(super) size: (u32, u32),
    start: u64,
    numbers: Numbers,
    /// Whether columns lie one after another, and not rows.
    by_columns: bool,
    is_lit: bool,
}

impl Layout {
    pub(super) fn read(path: &Path, wanted: Wanted) -> Result<Self, Fault> {
        let mut file = BufReader::new(File::open(path)?);
        let length = file.get_ref().metadata()?.len();
        let not = |what: &str| Fault::Malformed(format!("is no array of numpy's: {what}"));
        let mut magic = [0; 8];
        (file.read_exact(&mut magic)).map_err(|_| not("it is too short"))?;
        if &magic[..6] != b"\x93NUMPY" {
            return Err(not("it begins otherwise"));
        }
        // Version 1 has 16 bits for the header's length, later ones 32.
        let mut bytes = [0; 4];
        let count = if magic[6] == 1 { 2 } else { 4 };
        (file.read_exact(&mut bytes[..count])).map_err(|_| not("it is too short"))?;
        let header_bytes = u32::from_le_bytes(bytes) as usize;
        if header_bytes > MOST_HEADER {
            return Err(not("its header is too long"));
        }
        let mut header = vec![0; header_bytes];
        (file.read_exact(&mut header)).map_err(|_| not("it is too short"))?;
        let header = String::from_utf8_lossy(&header);
        let (numbers, by_columns, size) = parsed(&header).map_err(|what| not(&what))?;
        if wanted.is_lit && wanted.measure != Measure::Smooth {
            let what = "holds one measure, and --light with --colour distance needs two";
            return Err(Fault::Malformed(what.to_owned()));
        }
        let start = (8 + count + header_bytes) as u64;
        let needed = start + u64::from(size.0) * u64::from(size.1) * numbers.bytes() as u64;
        if length < needed {
            return Err(Fault::Malformed(format!(
                "breaks off: {length} bytes of {needed}"
            )));
        }
        Ok(Self {
            size,
            start,
            numbers,
            by_columns,
            is_lit: wanted.is_lit,
        })
    }
}

/// What a header says: a Python dictionary, written one way by all programs.
fn parsed(header: &str) -> Result<(Numbers, bool, (u32, u32)), String> {
    let field = |name: &str| {
        let (_, rest) = header.split_once(&format!("'{name}':"))?;
        Some(rest.trim_start())
    };
    let missing = |name: &str| format!("its header has no '{name}'");
    let descr = field("descr").ok_or_else(|| missing("descr"))?;
    let descr = (descr.strip_prefix('\'')).and_then(|descr| descr.split('\'').next());
    let numbers = (descr.and_then(Numbers::of))
        .ok_or("values are no whole or floating numbers of 1 to 8 bytes")?;
    let order = field("fortran_order").ok_or_else(|| missing("fortran_order"))?;
    let by_columns = order.starts_with("True");
    let shape = field("shape").ok_or_else(|| missing("shape"))?;
    let inner = shape
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'));
    let sides: Option<Vec<u32>> = inner.and_then(|(sides, _)| {
        let sides = sides.split(',').map(str::trim);
        let sides = sides.filter(|side| !side.is_empty());
        sides.map(|side| side.parse().ok()).collect()
    });
    match sides.as_deref() {
        Some([height, width])
            if [height, width]
                .iter()
                .all(|side| (1..=MAX_SIDE).contains(*side)) =>
        {
            Ok((numbers, by_columns, (*width, *height)))
        }
        _ => Err(format!("its shape is not two sides of 1 to {MAX_SIDE}")),
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
pub(super) fn parts(
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
