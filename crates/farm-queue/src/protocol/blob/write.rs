//! A blob in parts, so that it is copied once to where it has to go.

use std::borrow::Cow;

use fractal::StripBuffer;

use super::format::{
    AFTER_DIGEST, BLOB_VERSION, DIGEST_AT, FIXED_BYTES, MAGIC, PLACES, arithmetic_code,
    backend_code, bit, digest, name, place,
};
use super::seal::{PURPOSE, Sealer};
use crate::job::JobId;
use crate::order::Issue;
use crate::protocol::packing;
use crate::protocol::signing::SEAL_BYTES;

/// A blob that is not put together yet, so that it can be written to where it has to go in one copy.
pub struct Parts<'a> {
    header: Vec<u8>,
    planes: Vec<Cow<'a, [u8]>>,
    seal: Option<[u8; SEAL_BYTES]>,
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
    for pixels in [buffer.settling.again, buffer.settling.unsettled] {
        // No strip has as many pixels.
        let pixels = u32::try_from(pixels).unwrap_or(u32::MAX);
        header.extend_from_slice(&pixels.to_le_bytes());
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
        let pieces = sealer.sealed_pieces(issue, self.pieces());
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
