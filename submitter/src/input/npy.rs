//! Arrays as NumPy writes them, versions 1 to 3, of two dimensions in C order: one measure, as single or double
//! precision or as whole numbers (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use fractal::Measure;
use fractal::frame::MAX_SIDE;

use super::{Fault, Part, Wanted};

/// Most bytes of a header: numpy's own limit.
const MOST_HEADER: usize = 10_000;
/// Values that are read at once, in whole rows, and at least one.
const PART_VALUES: usize = 1 << 18;

/// Where everything lies in a file.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Columns and rows.
    pub(super) size: (u32, u32),
    start: u64,
    kind: Kind,
    is_lit: bool,
}

/// Type of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    F4,
    F8,
    U4,
    U8,
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
        let (kind, size) = parsed(&header).map_err(|what| not(&what))?;
        if wanted.is_lit && wanted.measure != Measure::Smooth {
            let what = "holds one measure, and --light with --colour distance needs two";
            return Err(Fault::Malformed(what.to_owned()));
        }
        let start = (8 + count + header_bytes) as u64;
        let needed = start + u64::from(size.0) * u64::from(size.1) * kind.bytes() as u64;
        if length < needed {
            return Err(Fault::Malformed(format!(
                "breaks off: {length} bytes of {needed}"
            )));
        }
        Ok(Self {
            size,
            start,
            kind,
            is_lit: wanted.is_lit,
        })
    }
}

/// What a header says: a Python dictionary, written one way by all programs.
fn parsed(header: &str) -> Result<(Kind, (u32, u32)), String> {
    let field = |name: &str| {
        let (_, rest) = header.split_once(&format!("'{name}':"))?;
        Some(rest.trim_start())
    };
    let missing = |name: &str| format!("its header has no '{name}'");
    let descr = field("descr").ok_or_else(|| missing("descr"))?;
    let kind = [
        ("'<f4'", Kind::F4),
        ("'<f8'", Kind::F8),
        ("'<u4'", Kind::U4),
        ("'<u8'", Kind::U8),
    ];
    let kind = kind.into_iter().find(|(name, _)| descr.starts_with(name));
    let (_, kind) = kind.ok_or("values are neither <f4, <f8, <u4 nor <u8")?;
    let order = field("fortran_order").ok_or_else(|| missing("fortran_order"))?;
    if !order.starts_with("False") {
        return Err("its order is Fortran's".to_owned());
    }
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
            Ok((kind, (*width, *height)))
        }
        _ => Err(format!("its shape is not two sides of 1 to {MAX_SIDE}")),
    }
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::F4 | Self::U4 => 4,
            Self::F8 | Self::U8 => 8,
        }
    }

    /// Values from bytes; what is no number is nothing to colour, as the inside is.
    fn values(self, bytes: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            let values = bytes.as_chunks::<N>().0.iter();
            values.map(|bytes| value(*bytes)).collect()
        }
        let blank = |value: f32| if value.is_nan() { 0.0 } else { value };
        match self {
            Self::F4 => each(bytes, |bytes| blank(f32::from_le_bytes(bytes))),
            Self::F8 => each(bytes, |bytes| blank(f64::from_le_bytes(bytes) as f32)),
            Self::U4 => each(bytes, |bytes| u32::from_le_bytes(bytes) as f32),
            Self::U8 => each(bytes, |bytes| u64::from_le_bytes(bytes) as f32),
        }
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
    let row_bytes = width as usize * layout.kind.bytes();
    let most = (PART_VALUES / width as usize).clamp(1, height as usize) as u32;
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
        bytes.resize(count as usize * row_bytes, 0);
        let place = layout.start + u64::from(row) * row_bytes as u64;
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(&mut bytes)?;
        let values = layout.kind.values(&bytes);
        let smooth = layout.is_lit.then(|| values.clone());
        Ok(Part {
            row,
            values,
            smooth,
        })
    }))
}
