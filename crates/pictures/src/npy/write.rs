//! NumPy's format: a header of 128 bytes, then the values of one measure row by row.

use std::io::{self, Write};

use fractal::{FrameSpec, Measure};

use super::header::{self, HEADER_BYTES};
use crate::rows::{Strips, without_measure};

/// Writes one measure of a picture's strips.
///
/// # Errors
/// Those of the strips and of `out`.
pub fn write(
    out: &mut dyn Write,
    frame: &FrameSpec,
    measure: Measure,
    strips: &mut dyn Strips,
) -> io::Result<()> {
    let measure = frame.carrier(measure);
    out.write_all(&header_of(frame, measure))?;
    for strip in strips {
        let strip = strip?;
        let plane = strip.plane(measure).ok_or_else(without_measure)?;
        out.write_all(plane.bytes())?;
    }
    Ok(())
}

/// Bytes of the file with one measure of a picture.
#[must_use]
pub fn file_bytes(frame: &FrameSpec, measure: Measure) -> u64 {
    HEADER_BYTES as u64 + frame.pixels() * frame.carrier(measure).bytes() as u64
}

fn header_of(frame: &FrameSpec, measure: Measure) -> Vec<u8> {
    let kind = match measure {
        Measure::Iterations => "<u4",
        Measure::Smooth
        | Measure::Distance
        | Measure::Fraction
        | Measure::Phase
        | Measure::Direction => "<f4",
        Measure::Stability => "<f8",
        Measure::LongIterations => "<u8",
    };
    header::written(kind, (frame.width, frame.height))
}
