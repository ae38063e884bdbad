//! A computed strip as it travels: a header, then the planes in order, packed or as they are, little-endian.
//!
//! ```text
//! at  bytes                                at  bytes
//!  0  4  magic `MFSB`                      60  1  measures, one bit each
//!  4  2  version                           61  1  back end
//!  6  2  length of the header              62  1  arithmetic
//!  8  8  xxh3 of all other bytes           63  1  measures whose planes are packed
//! 16  8  length of the payload             64  8  kernel id
//! 24 16  job                               72 16  iterations, total
//! 40  4  strip: index                      88  8  busy seconds, f64
//! 44  4  strip: first row                  96 28  length of each measure's plane here, or 0
//! 48  4  strip: rows                      124  1  length of the device's name
//! 52  4  width                            125  1  length of the worker's name
//! 56  4  attempt                          126     both names, UTF-8, then the payload
//! ```
//!
//! Where the farm has a key a seal of 32 bytes follows, the HMAC-SHA256 by the worker's key ([`crate::protocol::signing`])
//! of the SHA-256 of the job's serialized spec, what the strip is wanted for, and all of the above: so neither another
//! picture's strip nor an audit passes for it, nor what another worker made.
//!
//! The reader knows which job and strip it expects. It allocates nothing before the header agrees with
//! them, the lengths are exactly right and the digest, which is over what travels, is too; so a malformed,
//! truncated, oversized or foreign blob costs one pass over its bytes. The digest guards against accidents,
//! not against liars: whatever a packed plane holds, it becomes as many values as the strip has, or is
//! refused (see [`packing`]). A plane is packed only where that makes it shorter, so no blob is longer than
//! its header and its strip.

use std::borrow::Cow;

use fractal::{Arithmetic, Backend, Measure, Origin, Plane, Strip, StripBuffer};
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::Xxh3;

use crate::job::{JobId, JobSpec};
use crate::order::Issue;
use crate::protocol::packing::{self, PackingError};
use crate::protocol::signing::{FarmKey, SEAL_BYTES};
use crate::protocol::spec::strip_bytes;

#[cfg(target_endian = "big")]
compile_error!("planes travel in the machine's order, which has to be little-endian");

/// Version of the blobs that this build writes, and the only one that it reads.
pub const BLOB_VERSION: u16 = 4;
/// Most bytes of a device's and of a worker's name; longer ones are cut when written.
pub const MAX_NAME_BYTES: usize = 120;
/// Most bytes that a blob has beside its payload.
pub const MAX_HEADER_BYTES: usize = FIXED_BYTES + 2 * MAX_NAME_BYTES + SEAL_BYTES;

/// What seals are made for.
const PURPOSE: &str = "mandelfarm result 1";

/// Planes that a blob has at most.
const PLACES: usize = 7;
const MAGIC: &[u8; 4] = b"MFSB";
const FIXED_BYTES: usize = 98 + 4 * PLACES;
const DIGEST_AT: usize = 8;
const AFTER_DIGEST: usize = DIGEST_AT + 8;

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

/// A blob's content, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The buffer; it fits its strip and the job's frame.
    pub buffer: StripBuffer,
    /// Name of the worker that made it.
    pub worker: String,
    /// The delivery that it answers, from 1.
    pub attempt: u32,
}

/// A blob that is not put together yet, so that it can be written to where it has to go in one copy.
pub struct Parts<'a> {
    header: Vec<u8>,
    planes: Vec<Cow<'a, [u8]>>,
    seal: Option<[u8; SEAL_BYTES]>,
}

/// What seals the results of a job where the farm has a key.
#[derive(Clone, Debug)]
pub struct Sealer<'a> {
    key: &'a FarmKey,
    spec: [u8; 32],
}

impl<'a> Sealer<'a> {
    /// That of `spec`, all of which its seals are bound to.
    #[must_use]
    pub fn new(key: &'a FarmKey, spec: &JobSpec) -> Self {
        // A spec is plain data: writing it does not fail.
        let text = serde_json::to_vec(spec).unwrap_or_default();
        Self {
            key,
            spec: Sha256::digest(&text).into(),
        }
    }

    fn bound<'b>(
        &'b self,
        issue: Issue,
        pieces: impl Iterator<Item = &'b [u8]>,
    ) -> impl Iterator<Item = &'b [u8]> {
        let issue: &[u8] = match issue {
            Issue::Render => &[0],
            Issue::Audit => &[1],
        };
        [&self.spec[..], issue].into_iter().chain(pieces)
    }
}

/// The parts of the blob for `buffer`, its planes packed: a fifth of a millisecond a mebibyte.
#[must_use]
pub fn parts<'a>(job: &JobId, buffer: &'a StripBuffer, worker: &str, attempt: u32) -> Parts<'a> {
    let origin = &buffer.origin;
    let (device, worker) = (&name(&origin.device), &name(worker));
    let header_len = FIXED_BYTES + device.len() + worker.len();
    let (mut measures, mut packed, mut lens) = (0, 0, [0u32; PLACES]);
    let mut planes = Vec::with_capacity(buffer.planes.len());
    for plane in &buffer.planes {
        let measure = plane.measure();
        measures |= bit(measure);
        let bytes = match packing::pack(plane, buffer.width as usize) {
            Some(bytes) => {
                packed |= bit(measure);
                Cow::Owned(bytes)
            }
            None => Cow::Borrowed(plane.bytes()),
        };
        lens[place(measure)] = bytes.len() as u32;
        planes.push(bytes);
    }
    let payload_len: usize = planes.iter().map(|plane| plane.len()).sum();

    let mut header = Vec::with_capacity(header_len);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&BLOB_VERSION.to_le_bytes());
    header.extend_from_slice(&(header_len as u16).to_le_bytes());
    header.extend_from_slice(&[0; 8]);
    header.extend_from_slice(&(payload_len as u64).to_le_bytes());
    header.extend_from_slice(&job.to_bytes());
    for number in [
        buffer.strip.index,
        buffer.strip.row0,
        buffer.strip.rows,
        buffer.width,
        attempt,
    ] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    let backend = backend_code(origin.backend);
    let arithmetic = arithmetic_code(origin.arithmetic);
    header.extend_from_slice(&[measures, backend, arithmetic, packed]);
    header.extend_from_slice(&origin.kernel_id.to_le_bytes());
    header.extend_from_slice(&buffer.iterations_total.to_le_bytes());
    header.extend_from_slice(&buffer.busy_secs.to_le_bytes());
    for len in lens {
        header.extend_from_slice(&len.to_le_bytes());
    }
    header.extend_from_slice(&[device.len() as u8, worker.len() as u8]);
    header.extend_from_slice(device.as_bytes());
    header.extend_from_slice(worker.as_bytes());
    debug_assert_eq!(header.len(), header_len);
    let digest = digest(&header, planes.iter().map(AsRef::as_ref));
    header[DIGEST_AT..AFTER_DIGEST].copy_from_slice(&digest.to_le_bytes());
    Parts {
        header,
        planes,
        seal: None,
    }
}

impl Parts<'_> {
    /// The same with the seal of its worker, as a result of `issue`.
    #[must_use]
    pub fn sealed(mut self, sealer: &Sealer<'_>, issue: Issue, worker: &str) -> Self {
        let pieces = sealer.bound(issue, self.pieces());
        let seal = sealer.key.seal(worker, PURPOSE, pieces);
        self.seal = Some(seal);
        self
    }

    /// Bytes of the whole blob.
    #[must_use]
    pub fn total_len(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    /// The whole blob, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let planes = self.planes.iter().map(AsRef::as_ref);
        (std::iter::once(self.header.as_slice()).chain(planes))
            .chain(self.seal.as_ref().map(<[u8; SEAL_BYTES]>::as_slice))
    }
}

/// The blob for `buffer` as one piece.
#[must_use]
pub fn encode(job: &JobId, buffer: &StripBuffer, worker: &str, attempt: u32) -> Vec<u8> {
    let parts = parts(job, buffer, worker, attempt);
    let mut out = Vec::with_capacity(parts.total_len());
    for piece in parts.pieces() {
        out.extend_from_slice(piece);
    }
    out
}

/// The checked content of a blob that should be `strip` of `spec`.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn decode(bytes: &[u8], spec: &JobSpec, strip: Strip) -> Result<Decoded, BlobError> {
    decode_reusing(bytes, spec, strip, Vec::new())
}

/// [`decode`] in the memory of planes that nobody needs any more.
///
/// # Errors
/// As [`decode`].
pub fn decode_reusing(
    bytes: &[u8],
    spec: &JobSpec,
    strip: Strip,
    spare: Vec<Plane>,
) -> Result<Decoded, BlobError> {
    open(bytes, spec, strip, spare, None)
}

/// [`decode_reusing`] of a result that has to be sealed by this sealer for this purpose, where there is one.
///
/// # Errors
/// As [`decode`].
pub fn open(
    bytes: &[u8],
    spec: &JobSpec,
    strip: Strip,
    spare: Vec<Plane>,
    sealer: Option<(&Sealer<'_>, Issue)>,
) -> Result<Decoded, BlobError> {
    decode_with(bytes, spec, strip, spare, sealer, |bytes| {
        digest(bytes, std::iter::empty())
    })
}

/// [`decode`] with the digest as an argument, so that a test can show what it would miss without.
fn decode_with(
    bytes: &[u8],
    spec: &JobSpec,
    strip: Strip,
    mut spare: Vec<Plane>,
    sealer: Option<(&Sealer<'_>, Issue)>,
    digest: fn(&[u8]) -> u64,
) -> Result<Decoded, BlobError> {
    let mut header = Reader {
        rest: bytes,
        len: bytes.len(),
    };
    if &header.take::<4>()? != MAGIC {
        return Err(BlobError::Magic);
    }
    let version = u16::from_le_bytes(header.take()?);
    if version != BLOB_VERSION {
        return Err(BlobError::Version(version));
    }
    let header_len = usize::from(u16::from_le_bytes(header.take()?));
    let written_digest = u64::from_le_bytes(header.take()?);
    let payload_len = u64::from_le_bytes(header.take()?);
    let expected = payload_len.saturating_add(header_len as u64);
    let found = bytes.len();
    let beyond = (found as u64).checked_sub(expected);
    if payload_len > strip_bytes(spec, strip.rows)
        || !beyond.is_some_and(|beyond| [0, SEAL_BYTES as u64].contains(&beyond))
    {
        return Err(BlobError::Length { found, expected });
    }
    let (bytes, seal) = bytes.split_at(expected as usize);
    if header.take::<16>()? != spec.id.to_bytes() {
        return Err(BlobError::Foreign("job"));
    }
    let (index, row0, rows) = (header.u32()?, header.u32()?, header.u32()?);
    if (Strip { index, row0, rows }) != strip {
        return Err(BlobError::Foreign("strip"));
    }
    if header.u32()? != spec.frame.width {
        return Err(BlobError::Foreign("width"));
    }
    let attempt = header.u32()?;
    if attempt == 0 {
        return Err(BlobError::Field("attempt"));
    }
    let [measures, backend, arithmetic, packed] = header.take()?;
    if measures != (spec.frame.measures.iter()).fold(0, |set, measure| set | bit(measure)) {
        return Err(BlobError::Foreign("set of measures"));
    }
    let backend = backend_of(backend).ok_or(BlobError::Field("back end"))?;
    if !spec.backend.admits(backend) {
        return Err(BlobError::Backend(backend.name()));
    }
    let arithmetic = arithmetic_of(arithmetic).ok_or(BlobError::Field("arithmetic"))?;
    if packed & !measures != 0 {
        return Err(BlobError::Field("set of packed measures"));
    }
    let kernel_id = u64::from_le_bytes(header.take()?);
    let iterations_total = u128::from_le_bytes(header.take()?);
    let busy_secs = f64::from_le_bytes(header.take()?);
    if !(busy_secs.is_finite() && busy_secs >= 0.0) {
        return Err(BlobError::Field("busy time"));
    }
    let pixels = rows as usize * spec.frame.width as usize;
    // Rates are made of it: a figure that no strip can have would spoil the whole job's.
    if iterations_total > pixels as u128 * u128::from(spec.frame.iterations) {
        return Err(BlobError::Field("number of iterations"));
    }
    let mut lens = [0; PLACES];
    for (len, measure) in lens.iter_mut().zip(Measure::ALL) {
        let measure = match measure {
            Measure::Iterations if measures & bit(Measure::LongIterations) != 0 => {
                Measure::LongIterations
            }
            other => other,
        };
        *len = header.u32()?;
        let found = *len;
        let raw = if measures & bit(measure) == 0 {
            0
        } else {
            pixels as u64 * measure.bytes() as u64
        };
        let good = if packed & bit(measure) == 0 {
            u64::from(found) == raw
        } else {
            u64::from(found) < raw
        };
        if !good {
            let measure = measure.name();
            return Err(BlobError::Plane {
                measure,
                found,
                raw,
            });
        }
    }
    if lens.iter().map(|len| u64::from(*len)).sum::<u64>() != payload_len {
        return Err(BlobError::Field("length of its payload"));
    }
    let [device_len, worker_len] = header.take()?.map(usize::from);
    let too_long = device_len.max(worker_len) > MAX_NAME_BYTES;
    if too_long || header_len != FIXED_BYTES + device_len + worker_len {
        return Err(BlobError::Field("length of names"));
    }
    let device = header.text(device_len, "device's name")?;
    let worker = header.text(worker_len, "worker's name")?;
    if worker.trim().is_empty() {
        return Err(BlobError::Field("worker's name"));
    }
    if digest(bytes) != written_digest {
        return Err(BlobError::Digest);
    }
    if let Some((sealer, issue)) = sealer {
        if seal.is_empty() {
            return Err(BlobError::Unsealed);
        }
        let pieces = sealer.bound(issue, std::iter::once(bytes));
        if !sealer.key.is_seal(worker, PURPOSE, pieces, seal) {
            return Err(BlobError::Seal);
        }
    }

    let payload_len = header.rest.len() - seal.len();
    let mut payload = &header.rest[..payload_len];
    let mut planes = Vec::with_capacity(Measure::ALL.len());
    for measure in spec.frame.measures.iter() {
        let (plane, rest) = payload
            .split_at_checked(lens[place(measure)] as usize)
            .ok_or(BlobError::Truncated(bytes.len()))?;
        planes.push(if packed & bit(measure) == 0 {
            Plane::from_bytes(measure, plane)
        } else {
            let spare = (spare.iter().position(|plane| plane.measure() == measure))
                .map(|at| spare.swap_remove(at));
            packing::unpack(measure, plane, pixels, spec.frame.width as usize, spare)?
        });
        payload = rest;
    }
    Ok(Decoded {
        buffer: StripBuffer {
            strip,
            width: spec.frame.width,
            planes,
            iterations_total,
            origin: Origin {
                backend,
                arithmetic,
                device: device.to_owned(),
                kernel_id,
            },
            busy_secs,
        },
        worker: worker.to_owned(),
        attempt,
    })
}

/// Digest over everything but its own place: a header, perhaps with more behind it, and what follows.
fn digest<'a>(header: &[u8], rest: impl Iterator<Item = &'a [u8]>) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&header[..DIGEST_AT]);
    hasher.update(&header[AFTER_DIGEST..]);
    for piece in rest {
        hasher.update(piece);
    }
    hasher.digest()
}

/// `text` as a header holds it: cut at a character's end, and without control characters.
fn name(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_NAME_BYTES)].replace(char::is_control, "")
}

fn bit(measure: Measure) -> u8 {
    match measure {
        Measure::LongIterations => 1 << PLACES,
        _ => 1 << place(measure),
    }
}

/// A measure's place among the lengths of planes.
fn place(measure: Measure) -> usize {
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

fn backend_code(backend: Backend) -> u8 {
    match backend {
        Backend::Cpu => 1,
        Backend::Gpu => 2,
    }
}

fn backend_of(code: u8) -> Option<Backend> {
    [Backend::Cpu, Backend::Gpu]
        .into_iter()
        .find(|backend| backend_code(*backend) == code)
}

fn arithmetic_code(arithmetic: Arithmetic) -> u8 {
    match arithmetic {
        Arithmetic::F32 => 1,
        Arithmetic::DoubleSingle => 2,
        Arithmetic::F64 => 3,
        Arithmetic::DeltaDoubleSingle => 4,
        Arithmetic::DeltaF64 => 5,
        Arithmetic::DeltaFloatexp => 6,
    }
}

fn arithmetic_of(code: u8) -> Option<Arithmetic> {
    Arithmetic::PLAIN
        .into_iter()
        .chain(Arithmetic::DELTA)
        .find(|arithmetic| arithmetic_code(*arithmetic) == code)
}

/// Takes fields off the front of a blob.
struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BlobError> {
        let (field, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(BlobError::Truncated(self.len))?;
        self.rest = rest;
        Ok(*field)
    }

    fn u32(&mut self) -> Result<u32, BlobError> {
        self.take().map(u32::from_le_bytes)
    }

    fn text(&mut self, len: usize, what: &'static str) -> Result<&'a str, BlobError> {
        let (text, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(BlobError::Truncated(self.len))?;
        self.rest = rest;
        // Names are shown on terminals, which obey control characters.
        (std::str::from_utf8(text).ok())
            .filter(|text| !text.contains(char::is_control))
            .ok_or(BlobError::Field(what))
    }
}

#[cfg(test)]
mod tests;
