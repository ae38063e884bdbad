//! Rows of a data file with the colours of their samples beside them, in order. A colour may be known later than the
//! data of its row (a slope wants the row below, ranks want the whole picture): data wait for it, in memory for a row
//! and on the disk for a picture.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use colour::{Basis, Canvas, Distribution, Linear, Needs, Painter, Rows, Scheme};
use fractal::{FrameSpec, StripBuffer};

use crate::rows::{StripRows, Strips};

/// How samples are coloured.
#[derive(Clone, Copy, Debug)]
pub struct Paint<'a> {
    /// The colours of the picture.
    pub colours: &'a Scheme,
    /// Values at the palette's ends, where they are needed.
    pub range: (f64, f64),
    /// A folder for data that wait for the last of them.
    pub folder: &'a Path,
}

/// One row on its way.
#[derive(Clone, Debug, Default)]
struct Record {
    /// What the file holds of it beside colours.
    data: Vec<u8>,
    values: Vec<f32>,
    /// Empty where there is no light.
    smooth: Vec<f32>,
}

/// Gives `each` all rows in order, with their data, as `data` appends them of a strip's row, and their colours.
///
/// # Errors
/// Those of the strips, of the disk, and of both.
pub(crate) fn each_row(
    strips: &mut dyn Strips,
    frame: &FrameSpec,
    paint: &Paint<'_>,
    mut data: impl FnMut(&StripBuffer, usize, &mut Vec<u8>) -> io::Result<()>,
    mut each: impl FnMut(&[u8], &[Linear]) -> io::Result<()>,
) -> io::Result<()> {
    if paint.colours.needs() == Needs::Ranks {
        let mut kept = BufWriter::new(tempfile::tempfile_in(paint.folder)?);
        let mut distribution = Distribution::new();
        let (mut row, mut shape) = (0, Record::default());
        records(strips, frame, paint.colours, &mut data, |record| {
            distribution.add_row(row, &record.values);
            row += 1;
            kept.write_all(&record.data)?;
            kept.write_all(bytemuck::cast_slice(&record.values))?;
            kept.write_all(bytemuck::cast_slice(&record.smooth))?;
            shape = record;
            Ok(())
        })?;
        let kept = kept.into_inner().map_err(io::IntoInnerError::into_error)?;
        let painter = Painter::new(paint.colours, &Basis::Whole(distribution));
        let mut painting = Painting::new(&painter, frame);
        return read_back(kept, row, shape, |record| painting.push(record, &mut each));
    }
    let (low, high) = paint.range;
    let painter = Painter::new(paint.colours, &Basis::Range(low, high));
    let mut painting = Painting::new(&painter, frame);
    records(strips, frame, paint.colours, &mut data, |record| {
        painting.push(record, &mut each)
    })
}

/// The rows of strips.
fn records(
    strips: &mut dyn Strips,
    frame: &FrameSpec,
    colours: &Scheme,
    data: &mut impl FnMut(&StripBuffer, usize, &mut Vec<u8>) -> io::Result<()>,
    mut next: impl FnMut(Record) -> io::Result<()>,
) -> io::Result<()> {
    let width = frame.width as usize;
    let mut source = StripRows::new(strips, colours);
    while let Some((strip, rows)) = source.next_strip()? {
        for (row, values) in rows.values.chunks_exact(width).enumerate() {
            let smooth = rows.smooth.map_or(&[][..], |smooth| {
                let start = row * width;
                &smooth[start..start + width]
            });
            let mut record = Record {
                data: Vec::new(),
                values: values.to_vec(),
                smooth: smooth.to_vec(),
            };
            data(strip, row, &mut record.data)?;
            next(record)?;
        }
    }
    Ok(())
}

/// Reads `rows` rows that were kept, all as long as `record`.
fn read_back(
    mut kept: File,
    rows: u32,
    mut record: Record,
    mut next: impl FnMut(Record) -> io::Result<()>,
) -> io::Result<()> {
    kept.rewind()?;
    let mut kept = BufReader::new(kept);
    for _ in 0..rows {
        kept.read_exact(&mut record.data)?;
        kept.read_exact(bytemuck::cast_slice_mut(&mut record.values))?;
        kept.read_exact(bytemuck::cast_slice_mut(&mut record.smooth))?;
        next(record.clone())?;
    }
    Ok(())
}

/// A canvas, and the data of rows that it has not given back yet.
struct Painting<'a> {
    canvas: Canvas<'a>,
    waiting: VecDeque<Vec<u8>>,
}

impl<'a> Painting<'a> {
    fn new(painter: &'a Painter, frame: &FrameSpec) -> Self {
        Self {
            canvas: Canvas::of_samples(painter, frame.width, frame.height),
            waiting: VecDeque::new(),
        }
    }

    fn push(
        &mut self,
        record: Record,
        each: &mut impl FnMut(&[u8], &[Linear]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.waiting.push_back(record.data);
        let rows = Rows {
            values: &record.values,
            smooth: Some(&record.smooth[..]).filter(|smooth| !smooth.is_empty()),
        };
        let (waiting, mut done) = (&mut self.waiting, Ok(()));
        self.canvas.push_light(rows, |colours| {
            if let (Ok(()), Some(data)) = (&done, waiting.pop_front()) {
                done = each(&data, colours);
            }
        });
        done
    }
}
