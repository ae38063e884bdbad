//! NumPy's format, version 1.0: a header of 128 bytes, then the values of one measure row by row
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::io::{self, Write};

use fractal::{FrameSpec, Measure};

use super::Strips;

/// Bytes before the first value: a multiple of 64, as the format asks for.
pub(super) const HEADER_BYTES: usize = 128;
const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

pub(super) fn write(
    out: &mut impl Write,
    frame: &FrameSpec,
    measure: Measure,
    strips: &mut Strips,
) -> io::Result<()> {
    let measure = frame.carrier(measure);
    out.write_all(&header(frame, measure))?;
    for strip in strips {
        let strip = strip?;
        let plane = strip
            .plane(measure)
            .ok_or_else(|| io::Error::other("a strip came without the measure"))?;
        out.write_all(plane.bytes())?;
    }
    Ok(())
}

/// The single-precision values in a file as [`write`] writes it; `None` where it is another.
pub(super) fn singles(bytes: &[u8], (width, height): (u32, u32)) -> Option<Vec<f32>> {
    let (head, values) = bytes.split_at_checked(HEADER_BYTES)?;
    let is_whole = values.len() as u64 == u64::from(width) * u64::from(height) * 4;
    if head != described("<f4", (width, height)) || !is_whole {
        return None;
    }
    let value = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
    Some(values.as_chunks().0.iter().map(value).collect())
}

fn header(frame: &FrameSpec, measure: Measure) -> Vec<u8> {
    let kind = match measure {
        Measure::Iterations => "<u4",
        Measure::Smooth | Measure::Distance => "<f4",
        Measure::Stability => "<f8",
        Measure::LongIterations => "<u8",
    };
    described(kind, (frame.width, frame.height))
}

/// The header of `width` x `height` values of a type that numpy calls `kind`.
fn described(kind: &str, (width, height): (u32, u32)) -> Vec<u8> {
    let shape =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({height}, {width}), }}");
    let text_bytes = HEADER_BYTES - MAGIC.len() - 2;
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&(text_bytes as u16).to_le_bytes());
    header.extend_from_slice(shape.as_bytes());
    header.resize(HEADER_BYTES - 1, b' ');
    header.push(b'\n');
    header
}
