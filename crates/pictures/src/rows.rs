//! Rows of values on their way to a painter: from strips, from data files, and by way of the disk where all of them
//! must be seen before the first is painted.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use colour::{Distribution, Needs, Rows, Scheme};
use fractal::{Measure, StripBuffer};

/// Values that are read from the disk at once, in whole rows, and at least one.
const SPOOLED_VALUES: usize = 1 << 18;

/// The strips of a picture, in order.
pub trait Strips: Iterator<Item = io::Result<Arc<StripBuffer>>> {}

impl<T: Iterator<Item = io::Result<Arc<StripBuffer>>>> Strips for T {}

/// That a strip lacks what it is to hold.
pub(crate) fn without_measure() -> io::Error {
    io::Error::other("a strip came without a measure")
}

/// That samples make up no whole pixels.
pub(crate) fn uneven_samples() -> io::Error {
    io::Error::other("the samples are no whole number of pixels")
}

/// Bytes of the disk that values of `samples` columns and rows wait in, where colours are known only with the last of
/// them.
#[must_use]
pub fn spooled_bytes((width, height): (u32, u32), colours: &Scheme) -> u64 {
    if colours.needs() != Needs::Ranks {
        return 0;
    }
    let planes = if colours.light.is_some() { 2 } else { 1 };
    u64::from(width) * u64::from(height) * planes * size_of::<f32>() as u64
}

/// Rows of values in order.
pub trait RowSource {
    /// The next rows, as many as come together; `None` after the last.
    ///
    /// # Errors
    /// When they cannot be had.
    fn next_rows(&mut self) -> io::Result<Option<Rows<'_>>>;
}

/// The rows of strips as they leave the assembly.
pub struct StripRows<'a> {
    strips: &'a mut dyn Strips,
    measure: Measure,
    is_lit: bool,
    current: Option<Arc<StripBuffer>>,
}

impl<'a> StripRows<'a> {
    /// What `colours` are painted from.
    pub fn new(strips: &'a mut dyn Strips, colours: &Scheme) -> Self {
        Self {
            strips,
            measure: colours.measure(),
            is_lit: colours.light.is_some(),
            current: None,
        }
    }
}

impl StripRows<'_> {
    /// The next strip, and its rows.
    ///
    /// # Errors
    /// When there is none, or it has not what is coloured.
    pub(crate) fn next_strip(&mut self) -> io::Result<Option<(&StripBuffer, Rows<'_>)>> {
        let Some(strip) = self.strips.next() else {
            return Ok(None);
        };
        let strip: &StripBuffer = self.current.insert(strip?);
        let plane = |measure| {
            let values = strip.values::<f32>(measure);
            values.ok_or_else(|| io::Error::other("a strip came without what is coloured"))
        };
        let smooth = self.is_lit.then(|| plane(Measure::Smooth)).transpose()?;
        let values = plane(self.measure)?;
        Ok(Some((strip, Rows { values, smooth })))
    }
}

impl RowSource for StripRows<'_> {
    fn next_rows(&mut self) -> io::Result<Option<Rows<'_>>> {
        Ok(self.next_strip()?.map(|(_, rows)| rows))
    }
}

/// Rows that were kept on the disk, in a file without a name that goes with the program.
pub(crate) struct Spool {
    file: BufReader<File>,
    width: usize,
    rows_left: usize,
    is_lit: bool,
    values: Vec<f32>,
    smooth: Vec<f32>,
}

impl Spool {
    /// Keeps all rows of `source` in `folder`, and says how their values are distributed.
    ///
    /// # Errors
    /// Those of the source and of the disk.
    pub(crate) fn fill(
        source: &mut dyn RowSource,
        width: usize,
        folder: &Path,
    ) -> io::Result<(Self, Distribution)> {
        let mut file = BufWriter::new(tempfile::tempfile_in(folder)?);
        let mut distribution = Distribution::new();
        let (mut row, mut is_lit) = (0usize, false);
        while let Some(rows) = source.next_rows()? {
            let smooth = rows.smooth.map(|smooth| smooth.chunks_exact(width));
            let mut smooth = smooth.into_iter().flatten();
            for values in rows.values.chunks_exact(width) {
                distribution.add_row(row as u32, values);
                file.write_all(bytemuck::cast_slice(values))?;
                if let Some(smooth) = smooth.next() {
                    is_lit = true;
                    file.write_all(bytemuck::cast_slice(smooth))?;
                }
                row += 1;
            }
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let spool = Self {
            file: BufReader::new(file),
            width,
            rows_left: row,
            is_lit,
            values: Vec::new(),
            smooth: Vec::new(),
        };
        Ok((spool, distribution))
    }
}

impl RowSource for Spool {
    fn next_rows(&mut self) -> io::Result<Option<Rows<'_>>> {
        if self.rows_left == 0 {
            return Ok(None);
        }
        let rows = (SPOOLED_VALUES / self.width).clamp(1, self.rows_left);
        self.rows_left -= rows;
        self.values.resize(rows * self.width, 0.0);
        self.smooth
            .resize(if self.is_lit { rows * self.width } else { 0 }, 0.0);
        let mut smooth = self.smooth.chunks_exact_mut(self.width);
        for values in self.values.chunks_exact_mut(self.width) {
            self.file.read_exact(bytemuck::cast_slice_mut(values))?;
            if let Some(smooth) = smooth.next() {
                self.file.read_exact(bytemuck::cast_slice_mut(smooth))?;
            }
        }
        Ok(Some(Rows {
            values: &self.values,
            smooth: self.is_lit.then_some(&self.smooth),
        }))
    }
}
