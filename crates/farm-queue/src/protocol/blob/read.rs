//! A blob from outside, checked before anything is allocated for it.

use fractal::{Counts, Measure, Origin, Plane, Settling, Strip, StripBuffer};

use super::format::{
    BLOB_VERSION, BlobError, FIXED_BYTES, MAGIC, MAX_NAME_BYTES, PLACES, arithmetic_of, backend_of,
    bit, digest, place,
};
use super::seal::{PURPOSE, Sealer};
use crate::job::JobSpec;
use crate::order::Issue;
use crate::protocol::packing;
use crate::protocol::signing::SEAL_BYTES;
use crate::protocol::spec::strip_bytes;

/// A blob's content, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedBlob {
    /// The buffer; it fits its strip and the job's frame.
    pub buffer: StripBuffer,
    /// Name of the worker that made it.
    pub worker: String,
    /// The delivery that it answers, from 1.
    pub attempt: u32,
}

/// The checked content of a blob that should be `strip` of `spec`.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn decode(bytes: &[u8], spec: &JobSpec, strip: Strip) -> Result<DecodedBlob, BlobError> {
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
) -> Result<DecodedBlob, BlobError> {
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
) -> Result<DecodedBlob, BlobError> {
    decode_with(bytes, spec, strip, spare, sealer, |bytes| {
        digest(bytes, std::iter::empty())
    })
}

/// [`decode`] with the digest as an argument, so that a test can show what it would miss without.
pub(super) fn decode_with(
    bytes: &[u8],
    spec: &JobSpec,
    strip: Strip,
    mut spare: Vec<Plane>,
    sealer: Option<(&Sealer<'_>, Issue)>,
    digest: fn(&[u8]) -> u64,
) -> Result<DecodedBlob, BlobError> {
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
    let settling = Settling {
        again: header.u32()?.into(),
        unsettled: header.u32()?.into(),
    };
    // Fast counts settle none.
    let most = match spec.frame.counts {
        Counts::Fast => 0,
        Counts::Settled => pixels as u64,
    };
    if settling.again.max(settling.unsettled) > most {
        return Err(BlobError::Field("number of settled pixels"));
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
        let pieces = sealer.sealed_pieces(issue, std::iter::once(bytes));
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
    Ok(DecodedBlob {
        buffer: StripBuffer {
            strip,
            width: spec.frame.width,
            planes,
            iterations_total,
            settling,
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
