//! The layout of a blob's header, the codes in it, and why a blob is refused.

use fractal::{Arithmetic, Backend, Measure};
use xxhash_rust::xxh3::Xxh3;

use crate::protocol::packing::PackingError;
use crate::protocol::signing::SEAL_BYTES;

#[cfg(target_endian = "big")]
compile_error!("planes travel in the machine's order, which has to be little-endian");

/// Version of the blobs that this build writes, and the only one that it reads.
pub const BLOB_VERSION: u16 = 5;
/// Most bytes of a device's and of a worker's name; longer ones are cut when written.
pub const MAX_NAME_BYTES: usize = 120;
/// Most bytes that a blob has beside its payload.
pub const MAX_HEADER_BYTES: usize = FIXED_BYTES + 2 * MAX_NAME_BYTES + SEAL_BYTES;

/// Planes that a blob has at most.
pub(super) const PLACES: usize = 7;
pub(super) const MAGIC: &[u8; 4] = b"MFSB";
pub(super) const FIXED_BYTES: usize = 106 + 4 * PLACES;
pub(super) const DIGEST_AT: usize = 8;
pub(super) const AFTER_DIGEST: usize = DIGEST_AT + 8;

/// Why a blob was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Too short for what it says it holds.
    #[error("a result of {0} bytes is cut short")]
    Truncated(usize),
    /// Longer or shorter than it says it is.
    #[error("a result of {found} bytes where its header says {expected}")]
    Length {
        /// Length of the blob.
        found: usize,
        /// Length that it gives itself.
        expected: u64,
    },
    /// A plane is longer or shorter than one of this strip.
    #[error("a result with {found} bytes of {measure} where the strip has {raw}")]
    Plane {
        /// The plane's measure.
        measure: &'static str,
        /// Bytes that it has in the blob.
        found: u32,
        /// Bytes that it has unpacked.
        raw: u64,
    },
    /// Not a blob at all.
    #[error("a result without the farm's mark")]
    Magic,
    /// Written by a build of another version.
    #[error("a result of version {0}; this build reads version {BLOB_VERSION}")]
    Version(u16),
    /// A field of the header is out of its range.
    #[error("a result with a bad {0}")]
    Field(&'static str),
    /// Of another job or strip, or of another shape.
    #[error("a result whose {0} is another's")]
    Foreign(&'static str),
    /// Made by a kind of device that the job does not admit.
    #[error("a result made by the {0} back end, which the job does not admit")]
    Backend(&'static str),
    /// The bytes are not the ones that were written.
    #[error("a result whose digest does not match its bytes")]
    Digest,
    /// The farm has a key, and whoever made it used none.
    #[error("a result without a seal, and this farm has a key")]
    Unsealed,
    /// Sealed with another key, for another picture or purpose, or changed since.
    #[error("a result whose seal is not its worker's for this strip of this job")]
    Seal,
    /// A packed plane is not one of this strip.
    #[error("a result with a badly packed plane: {0}")]
    Packing(#[from] PackingError),
}

/// Digest over everything but its own place: a header, perhaps with more behind it, and what follows.
pub(super) fn digest<'a>(header: &[u8], rest: impl Iterator<Item = &'a [u8]>) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&header[..DIGEST_AT]);
    hasher.update(&header[AFTER_DIGEST..]);
    for piece in rest {
        hasher.update(piece);
    }
    hasher.digest()
}

/// `text` as a header holds it: cut at a character's end, and without control characters.
pub(super) fn name(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_NAME_BYTES)].replace(char::is_control, "")
}

pub(super) fn bit(measure: Measure) -> u8 {
    match measure {
        Measure::LongIterations => 1 << PLACES,
        _ => 1 << place(measure),
    }
}

/// A measure's place among the lengths of planes.
pub(super) fn place(measure: Measure) -> usize {
    match measure {
        // Never both.
        Measure::Iterations | Measure::LongIterations => 0,
        Measure::Smooth => 1,
        Measure::Distance => 2,
        Measure::Stability => 3,
        Measure::Fraction => 4,
        Measure::Phase => 5,
        Measure::Direction => 6,
    }
}

pub(super) fn backend_code(backend: Backend) -> u8 {
    match backend {
        Backend::Cpu => 1,
        Backend::Gpu => 2,
    }
}

pub(super) fn backend_of(code: u8) -> Option<Backend> {
    [Backend::Cpu, Backend::Gpu]
        .into_iter()
        .find(|backend| backend_code(*backend) == code)
}

pub(super) fn arithmetic_code(arithmetic: Arithmetic) -> u8 {
    match arithmetic {
        Arithmetic::F32 => 1,
        Arithmetic::DoubleSingle => 2,
        Arithmetic::F64 => 3,
        Arithmetic::DeltaDoubleSingle => 4,
        Arithmetic::DeltaF64 => 5,
        Arithmetic::DeltaFloatexp => 6,
    }
}

pub(super) fn arithmetic_of(code: u8) -> Option<Arithmetic> {
    Arithmetic::PLAIN
        .into_iter()
        .chain(Arithmetic::DELTA)
        .find(|arithmetic| arithmetic_code(*arithmetic) == code)
}
