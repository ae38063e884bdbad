//! NumPy's format, version 1.0: a header of 128 bytes, then the values of one measure row by row
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::io::{self, Read, Write};

use fractal::{FrameSpec, Measure};

use super::Strips;
use super::contents::{Channel, Contents};
use super::numbers::Numbers;

/// Bytes before the first value: a multiple of 64, as the format asks for.
pub(super) const HEADER_BYTES: usize = 128;
const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
/// What all versions of the format begin with.
pub(super) const MARK: &[u8] = b"\x93NUMPY";
/// Most bytes of a header that is read.
const MAX_HEADER: usize = 1 << 16;
/// Bytes of values that are read at once; a multiple of every value's.
const READ_BYTES: usize = 1 << 16;

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
        let plane = strip.plane(measure).ok_or_else(super::without_measure)?;
        out.write_all(plane.bytes())?;
    }
    Ok(())
}

/// The single-precision values in a file as [`write()`] writes it; `None` where it is another.
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
        Measure::Smooth
        | Measure::Distance
        | Measure::Fraction
        | Measure::Phase
        | Measure::Direction => "<f4",
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

/// Looks through an array of numbers, of one or two dimensions.
pub(super) fn contents(mut file: impl Read) -> io::Result<Contents> {
    let wrong = |what: &str| io::Error::other(format!("is no array that numpy writes: {what}"));
    let mut begin = [0; 8];
    file.read_exact(&mut begin)
        .map_err(|_| wrong("it is too short"))?;
    let len = match (begin.strip_prefix(MARK), begin[6]) {
        (Some(_), 1) => {
            let mut len = [0; 2];
            file.read_exact(&mut len)?;
            usize::from(u16::from_le_bytes(len))
        }
        (Some(_), 2 | 3) => {
            let mut len = [0; 4];
            file.read_exact(&mut len)?;
            u32::from_le_bytes(len) as usize
        }
        _ => return Err(wrong("it begins with something else")),
    };
    if len > MAX_HEADER {
        return Err(wrong("its header is too long"));
    }
    let mut header = vec![0; len];
    file.read_exact(&mut header)?;
    let header = String::from_utf8_lossy(&header);
    let between = |from: &str, to: char| Some(header.split_once(from)?.1.split_once(to)?.0);
    let kind = between("'descr': '", '\'').ok_or_else(|| wrong("it has no type"))?;
    let shape = between("'shape': (", ')').ok_or_else(|| wrong("it has no shape"))?;
    let sides: Result<Vec<usize>, _> = (shape.split(','))
        .map(str::trim)
        .filter(|side| !side.is_empty())
        .map(str::parse)
        .collect();
    let (width, height) = match sides.as_deref() {
        Ok([height, width]) => (*width, *height),
        Ok([width]) => (*width, 1),
        _ => return Err(wrong("it has not one or two dimensions")),
    };
    let mut channel = Channel::new("", kind);
    let numbers =
        Numbers::of(kind).ok_or_else(|| wrong("its values are no numbers of 1 to 8 bytes"))?;
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
