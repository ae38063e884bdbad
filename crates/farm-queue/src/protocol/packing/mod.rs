//! Planes made smaller for their way: nothing is lost, and it costs less than sending the bytes it saves.
//!
//! Neighbouring pixels have close values, and close values close bit patterns. So a plane is read as a
//! sequence of whole numbers, row after row; each is foretold as *left + above - above left*, wrapping, and
//! only the error is kept, small positive and negative ones alike as small numbers (zigzag). Errors go in
//! [`BLOCK`]s, each with as many bits a value as its largest needs:
//!
//! ```text
//! one byte a block: its width in bits, 0 to 32
//! then the blocks: 16 * width bytes each
//! ```
//!
//! A value's left neighbour is the one before it in the sequence, also at the start of a row, and what lies
//! before the plane counts as 0; the last block is filled up with errors of 0. Values of eight bytes make
//! two blocks with a width each: low halves, then high halves. In a block four values lie side by side, so
//! that ordinary vector registers shift and combine them.
//!
//! The reader takes nothing on trust: widths and lengths have to account for every byte before it allocates,
//! and what it allocates depends on the plane's size alone.

use bytemuck::{Pod, cast_slice, cast_slice_mut, cast_vec};
use fractal::{Measure, Plane, Value, ValueType, Values};

/// Values of one block.
pub const BLOCK: usize = 128;

/// Widest error: a whole word.
const MAX_WIDTH: u8 = 32;
/// Values side by side in a block.
const LANES: usize = 4;
/// Rows of values in a block.
const STEPS: usize = BLOCK / LANES;
/// Bytes of a block for each bit of its width.
const BYTES_PER_BIT: usize = BLOCK / 8;
/// Blocks that are looked at before a plane is packed.
const SAMPLES: usize = 32;

/// Why a packed plane was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackingError {
    /// It does not hold exactly its blocks.
    #[error("{found} bytes where its blocks take {expected}")]
    Length {
        /// Bytes that there are.
        found: usize,
        /// Bytes of all widths and blocks.
        expected: usize,
    },
    /// More bits than a word has.
    #[error("a block of {0} bits a value")]
    Width(u8),
    /// The last block goes on behind the last value.
    #[error("values behind the last one")]
    Padding,
}

/// Packs `plane`, whose rows have `width` values; `None` where that would save next to nothing.
#[must_use]
pub fn pack(plane: &Plane, width: usize) -> Option<Vec<u8>> {
    match plane.any() {
        Values::U32(values) => pack_words::<u32>(values, width),
        Values::U64(values) => pack_words::<u64>(values, width),
        Values::F32(values) => pack_words::<u32>(cast_slice(values), width),
        Values::F64(values) => pack_words::<u64>(cast_slice(values), width),
    }
}

/// The plane of `measure` with `count` values in rows of `width` that was packed to `packed`; in the
/// memory of `spare`, where that holds values of the same type.
///
/// # Errors
/// The first thing that is wrong with `packed`. It is read to its end and not further, and nothing is
/// allocated before all lengths are known to be right.
pub fn unpack(
    measure: Measure,
    packed: &[u8],
    count: usize,
    width: usize,
    spare: Option<Plane>,
) -> Result<Plane, PackingError> {
    fn memory<T: Value>(spare: Option<Plane>) -> Vec<T> {
        spare.and_then(Plane::into_values).unwrap_or_default()
    }
    Ok(match measure.value_type() {
        ValueType::U32 => {
            let words = unpack_words::<u32>(packed, count, width, memory(spare))?;
            Plane::new(measure, words)
        }
        ValueType::U64 => {
            let words = unpack_words::<u64>(packed, count, width, memory(spare))?;
            Plane::new(measure, words)
        }
        ValueType::F32 => {
            let memory = cast_vec(memory::<f32>(spare));
            let words = unpack_words::<u32>(packed, count, width, memory)?;
            Plane::new(measure, cast_vec::<u32, f32>(words))
        }
        ValueType::F64 => {
            let memory = cast_vec(memory::<f64>(spare));
            let words = unpack_words::<u64>(packed, count, width, memory)?;
            Plane::new(measure, cast_vec::<u64, f64>(words))
        }
    })
}

/// A value's bit pattern.
trait Word: Pod + PartialEq {
    /// Blocks for [`BLOCK`] values: one for each four bytes of a value.
    const PARTS: usize;

    fn wrapping_add(self, other: Self) -> Self;
    fn wrapping_sub(self, other: Self) -> Self;
    /// A difference as a number that is small where the difference is near 0, from above or below.
    fn zigzag(self) -> Self;
    /// The difference again.
    fn unzigzag(self) -> Self;
    /// Calls `with` for each part of the block in turn.
    fn each_part(block: &[Self; BLOCK], with: impl FnMut(usize, &[u32; BLOCK]));
    /// The block whose parts `with` writes in turn.
    fn from_parts(block: &mut [Self; BLOCK], with: impl FnMut(usize, &mut [u32; BLOCK]));
}

macro_rules! word {
    ($unsigned:ty, $signed:ty) => {
        #[inline(always)]
        fn wrapping_add(self, other: Self) -> Self {
            <$unsigned>::wrapping_add(self, other)
        }
        #[inline(always)]
        fn wrapping_sub(self, other: Self) -> Self {
            <$unsigned>::wrapping_sub(self, other)
        }
        #[inline(always)]
        fn zigzag(self) -> Self {
            (self << 1) ^ ((self as $signed) >> (<$unsigned>::BITS - 1)) as $unsigned
        }
        #[inline(always)]
        fn unzigzag(self) -> Self {
            (self >> 1) ^ (self & 1).wrapping_neg()
        }
    };
}

impl Word for u32 {
    const PARTS: usize = 1;
    word!(u32, i32);

    #[inline(always)]
    fn each_part(block: &[Self; BLOCK], mut with: impl FnMut(usize, &[u32; BLOCK])) {
        with(0, block);
    }
    #[inline(always)]
    fn from_parts(block: &mut [Self; BLOCK], mut with: impl FnMut(usize, &mut [u32; BLOCK])) {
        with(0, block);
    }
}

impl Word for u64 {
    const PARTS: usize = 2;
    word!(u64, i64);

    #[inline(always)]
    fn each_part(block: &[Self; BLOCK], mut with: impl FnMut(usize, &[u32; BLOCK])) {
        with(0, &block.map(|value| value as u32));
        with(1, &block.map(|value| (value >> 32) as u32));
    }
    #[inline(always)]
    fn from_parts(block: &mut [Self; BLOCK], mut with: impl FnMut(usize, &mut [u32; BLOCK])) {
        let (mut low, mut high) = ([0; BLOCK], [0; BLOCK]);
        with(0, &mut low);
        with(1, &mut high);
        for ((value, low), high) in block.iter_mut().zip(low).zip(high) {
            *value = u64::from(low) | u64::from(high) << 32;
        }
    }
}

/// Sets `errors` to the zigzagged errors of the block that starts at `at`.
#[inline(always)]
fn foretell<T: Word>(values: &[T], width: usize, at: usize, errors: &mut [T; BLOCK]) {
    let inner = at.checked_sub(width + 1).and_then(|above| {
        let here = values.get(at - 1..at + BLOCK)?;
        let above = values.get(above..above + BLOCK + 1)?;
        Some((
            here.first_chunk::<{ BLOCK + 1 }>()?,
            above.first_chunk::<{ BLOCK + 1 }>()?,
        ))
    });
    if let Some((here, above)) = inner {
        for i in 0..BLOCK {
            let now = here[i + 1].wrapping_sub(above[i + 1]);
            let before = here[i].wrapping_sub(above[i]);
            errors[i] = now.wrapping_sub(before).zigzag();
        }
    } else {
        // The first row, and the last block where it is not full.
        errors.fill(T::zeroed());
        let value = |back: usize, i: usize| {
            let at = (at + i).checked_sub(back);
            at.map_or(T::zeroed(), |at| values[at])
        };
        for (i, error) in errors.iter_mut().enumerate().take(values.len() - at) {
            let now = value(0, i).wrapping_sub(value(width, i));
            let before = value(1, i).wrapping_sub(value(width + 1, i));
            *error = now.wrapping_sub(before).zigzag();
        }
    }
}

/// Bits of the widest value.
#[inline(always)]
fn bits(block: &[u32; BLOCK]) -> u8 {
    let all = block.iter().fold(0, |all, value| all | value);
    (u32::BITS - all.leading_zeros()) as u8
}

/// Whether packing saves enough, by a few blocks.
fn seems_worth_it<T: Word>(values: &[T], width: usize) -> bool {
    let blocks = values.len() / BLOCK;
    if blocks < 2 * SAMPLES {
        // As fast to try.
        return true;
    }
    let mut taken = 0;
    let mut errors = [T::zeroed(); BLOCK];
    for sample in 0..SAMPLES {
        let at = sample * blocks / SAMPLES * BLOCK;
        foretell(values, width, at, &mut errors);
        T::each_part(&errors, |_, part| {
            taken += usize::from(bits(part));
        });
    }
    // A sixteenth at least: less is not worth the reader's time.
    16 * taken < 15 * SAMPLES * T::PARTS * usize::from(MAX_WIDTH)
}

fn pack_words<T: Word>(values: &[T], width: usize) -> Option<Vec<u8>> {
    let width = width.max(1);
    if !seems_worth_it(values, width) {
        return None;
    }
    let widths = values.len().div_ceil(BLOCK) * T::PARTS;
    let mut out = Vec::with_capacity(widths + size_of_val(values) / 4);
    out.resize(widths, 0);
    let mut errors = [T::zeroed(); BLOCK];
    for block in 0..values.len().div_ceil(BLOCK) {
        foretell(values, width, block * BLOCK, &mut errors);
        T::each_part(&errors, |part, values| {
            let bits = bits(values);
            out[block * T::PARTS + part] = bits;
            PACKERS[usize::from(bits)](values, &mut out);
        });
    }
    (out.len() < size_of_val(values)).then_some(out)
}

fn unpack_words<T: Word>(
    packed: &[u8],
    count: usize,
    width: usize,
    mut values: Vec<T>,
) -> Result<Vec<T>, PackingError> {
    let width = width.max(1);
    let blocks = count.div_ceil(BLOCK);
    let short = |expected| PackingError::Length {
        found: packed.len(),
        expected,
    };
    let (widths, mut rest) = packed
        .split_at_checked(blocks * T::PARTS)
        .ok_or(short(blocks * T::PARTS))?;
    if let Some(bad) = widths.iter().find(|width| **width > MAX_WIDTH) {
        return Err(PackingError::Width(*bad));
    }
    let bits: usize = widths.iter().map(|width| usize::from(*width)).sum();
    if rest.len() != bits * BYTES_PER_BIT {
        return Err(short(widths.len() + bits * BYTES_PER_BIT));
    }

    // What is left in a spare's memory is written over.
    values.resize(count, T::zeroed());
    // The value before the current one, less the one above that.
    let mut slope = T::zeroed();
    let mut errors = [T::zeroed(); BLOCK];
    for (widths, at) in widths.chunks_exact(T::PARTS).zip((0..count).step_by(BLOCK)) {
        let empty = widths.iter().all(|width| *width == 0);
        T::from_parts(&mut errors, |part, block| {
            let width = usize::from(widths[part]);
            let (bytes, behind) = rest.split_at(width * BYTES_PER_BIT);
            rest = behind;
            UNPACKERS[width](bytes, block);
        });
        let (before, from) = values.split_at_mut(at);
        let above =
            (at.checked_sub(width)).and_then(|above| before.get(above..)?.first_chunk::<BLOCK>());
        if let (Some(above), Some(here)) = (above, from.first_chunk_mut::<BLOCK>()) {
            if empty && slope == T::zeroed() {
                *here = *above;
                continue;
            }
            for error in &mut errors {
                *error = error.unzigzag();
            }
            for i in 0..BLOCK {
                slope = slope.wrapping_add(errors[i]);
                here[i] = slope.wrapping_add(above[i]);
            }
        } else {
            // The first row, rows shorter than a block, and the last block where it is not full.
            let left = count - at;
            for (i, error) in errors.iter().enumerate().take(left) {
                slope = slope.wrapping_add(error.unzigzag());
                let above = (at + i).checked_sub(width).map(|above| values[above]);
                values[at + i] = slope.wrapping_add(above.unwrap_or(T::zeroed()));
            }
            if errors.iter().skip(left).any(|error| *error != T::zeroed()) {
                return Err(PackingError::Padding);
            }
        }
    }
    Ok(values)
}

/// Appends a block whose values have at most `W` bits.
fn pack_block<const W: usize>(values: &[u32; BLOCK], out: &mut Vec<u8>) {
    let mut words = [[0u32; LANES]; W];
    for step in 0..STEPS {
        let (word, shift) = (step * W / STEPS, step * W % STEPS);
        for lane in 0..LANES {
            words[word][lane] |= values[LANES * step + lane] << shift;
        }
        if shift + W > STEPS {
            for lane in 0..LANES {
                words[word + 1][lane] |= values[LANES * step + lane] >> (STEPS - shift);
            }
        }
    }
    out.extend_from_slice(cast_slice(&words[..]));
}

/// Reads a block of `W` bits a value from exactly its bytes.
fn unpack_block<const W: usize>(bytes: &[u8], values: &mut [u32; BLOCK]) {
    let mut words = [[0u32; LANES]; W];
    cast_slice_mut(&mut words[..]).copy_from_slice(bytes);
    let mask = u32::MAX >> (STEPS - W);
    for step in 0..STEPS {
        let (word, shift) = (step * W / STEPS, step * W % STEPS);
        for lane in 0..LANES {
            let mut value = words[word][lane] >> shift;
            if shift + W > STEPS {
                value |= words[word + 1][lane] << (STEPS - shift);
            }
            values[LANES * step + lane] = value & mask;
        }
    }
}

fn pack_nothing(_: &[u32; BLOCK], _: &mut Vec<u8>) {}

fn unpack_nothing(_: &[u8], values: &mut [u32; BLOCK]) {
    *values = [0; BLOCK];
}

/// `nothing`, then `some` for every width from 1 to 32, so that shifts are constants.
macro_rules! by_width {
    ($nothing:ident, $some:ident) => {
        by_width!(@ $nothing, $some, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
    };
    (@ $nothing:ident, $some:ident, $($width:literal)*) => { [$nothing, $($some::<$width>),*] };
}

type Packer = fn(&[u32; BLOCK], &mut Vec<u8>);
type Unpacker = fn(&[u8], &mut [u32; BLOCK]);

static PACKERS: [Packer; MAX_WIDTH as usize + 1] = by_width!(pack_nothing, pack_block);
static UNPACKERS: [Unpacker; MAX_WIDTH as usize + 1] = by_width!(unpack_nothing, unpack_block);

#[cfg(test)]
mod tests;
