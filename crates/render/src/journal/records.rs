//! The records of a journal's file: appended one after the other, each checked by itself.
//!
//! ```text
//! at  bytes
//!  0  4  magic `MFJR`
//!  4  1  version
//!  5  1  kind: 1 a strip, 2 an event
//!  6  2  zero
//!  8  4  strip: index; event: 0
//! 12  4  length of what follows the header
//! 16  8  strip: digest of its worker's name; event: 0
//! 24  8  xxh3 of all other bytes, with a seed of its own for each job ([`seed`])
//! 32     a strip as it travels (`farm_queue::protocol::blob`), or an event as JSON
//! ```
//!
//! Whatever the file holds, reading it is bounded: a length is believed only within the limits of the job, what
//! fails its digest is skipped up to the next magic, and after [`MAX_DAMAGE`] such places the rest is left out.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use farm_queue::JobSpec;
use farm_queue::protocol::blob::MAX_HEADER_BYTES;
use farm_queue::protocol::spec::largest_strip_bytes;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Most bytes of an event: one that names every strip of the largest picture fits.
const MAX_EVENT_BYTES: u64 = 2 << 20;
/// Damaged places after which the rest of a file is left out.
const MAX_DAMAGE: u32 = 64;
/// Bytes of a record before its body.
pub const HEADER_BYTES: usize = 32;

const MAGIC: &[u8; 4] = b"MFJR";
const VERSION: u8 = 2;
const STRIP: u8 = 1;
const EVENT: u8 = 2;
const DIGEST_AT: usize = 24;
/// Bytes that are searched for the next magic at a time.
const SEARCHED: usize = 64 << 10;

/// What happened to a job beside strips that came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobEvent {
    /// All strips below this one were queued at some time.
    Queued(u32),
    /// What is written of these strips so far is not to be used.
    Revoked(Vec<u32>),
}

/// Where a strip lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where its blob begins.
    pub at: u64,
    /// Bytes of it.
    pub bytes: u32,
    /// Who made it: [`maker`] of the worker's name.
    pub maker: u64,
}

/// What stands for a worker's name.
#[must_use]
pub fn maker(worker: &str) -> u64 {
    xxh3_64(worker.as_bytes())
}

/// What a journal's file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Strips, by index.
    pub strips: BTreeMap<u32, Place>,
    /// All strips below this one were queued at some time.
    pub queued: u32,
    /// Where the last good record ends.
    pub end: u64,
    /// Places where something else than a good record was.
    pub damage: u32,
}

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Strips of the job.
    strips: u32,
    /// Most bytes of a strip's blob.
    blob_bytes: u64,
    /// Of the digests.
    seed: u64,
    /// Whether digests are checked, which takes a pass over all bytes; without, only places and counts are told.
    check: bool,
}

impl Reading {
    /// Of the journal of `job`.
    #[must_use]
    pub fn of(job: &JobSpec, check: bool) -> Self {
        Self {
            strips: job.strips.count(),
            blob_bytes: largest_strip_bytes(job) + MAX_HEADER_BYTES as u64,
            seed: seed(job),
            check,
        }
    }
}

/// What ties records to what their strips are of: those of another job, frame, cut or build have other digests.
#[must_use]
pub fn seed(job: &JobSpec) -> u64 {
    // Plain data of our own always becomes JSON.
    let text = serde_json::to_vec(&(&job.id, &job.frame, job.strips, job.build));
    xxh3_64(&text.unwrap_or_default())
}

/// Appends the record of a strip to `out`: its blob, in pieces.
pub fn strip<'a>(
    out: &mut Vec<u8>,
    seed: u64,
    index: u32,
    maker: u64,
    blob: impl Iterator<Item = &'a [u8]>,
) {
    record(out, seed, (STRIP, index, maker), blob);
}

/// Appends the record of an event to `out`.
pub fn event(out: &mut Vec<u8>, seed: u64, event: &JobEvent) {
    // Plain data of our own always becomes JSON.
    let body = serde_json::to_vec(event).unwrap_or_default();
    record(out, seed, (EVENT, 0, 0), std::iter::once(body.as_slice()));
}

fn record<'a>(
    out: &mut Vec<u8>,
    seed: u64,
    (kind, index, maker): (u8, u32, u64),
    body: impl Iterator<Item = &'a [u8]>,
) {
    let start = out.len();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[VERSION, kind, 0, 0]);
    out.extend_from_slice(&index.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&maker.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    for piece in body {
        out.extend_from_slice(piece);
    }
    let length = (out.len() - start - HEADER_BYTES) as u32;
    out[start + 12..start + 16].copy_from_slice(&length.to_le_bytes());
    let (header, body) = out[start..].split_at(HEADER_BYTES);
    let digest = digest(seed, header, body);
    out[start + DIGEST_AT..start + HEADER_BYTES].copy_from_slice(&digest.to_le_bytes());
}

fn digest(seed: u64, header: &[u8], body: &[u8]) -> u64 {
    let mut hasher = Xxh3::with_seed(seed);
    hasher.update(&header[..DIGEST_AT]);
    hasher.update(body);
    hasher.digest()
}

/// The header of a record, as far as it can be believed without the body.
struct Header {
    kind: u8,
    index: u32,
    bytes: u32,
    maker: u64,
}

impl Header {
    fn read(header: &[u8; HEADER_BYTES], reading: Reading) -> Option<Self> {
        let number = |at: usize| {
            let bytes = header[at..at + 4].try_into();
            bytes.map_or(0, u32::from_le_bytes)
        };
        let [kind, index, bytes] = [u32::from(header[5]), number(8), number(12)];
        let kind = kind as u8;
        let most = match kind {
            STRIP if index < reading.strips => reading.blob_bytes,
            EVENT if index == 0 => MAX_EVENT_BYTES,
            _ => return None,
        };
        let ours = header.starts_with(MAGIC)
            && header[4] == VERSION
            && header[6..8] == [0, 0]
            && u64::from(bytes) <= most;
        ours.then(|| Self {
            kind,
            index,
            bytes,
            maker: u64::from(number(16)) | u64::from(number(20)) << 32,
        })
    }
}

/// Reads a journal's file from its start.
///
/// # Errors
/// What the system says; nothing that the file holds is an error.
pub fn scan(source: &mut (impl Read + Seek), reading: Reading) -> io::Result<Found> {
    let mut found = Found::default();
    let length = source.seek(SeekFrom::End(0))?;
    let mut at = 0;
    let mut body = Vec::new();
    while at + HEADER_BYTES as u64 <= length {
        let mut raw = [0; HEADER_BYTES];
        source.seek(SeekFrom::Start(at))?;
        source.read_exact(&mut raw)?;
        let header = Header::read(&raw, reading)
            .filter(|header| at + HEADER_BYTES as u64 + u64::from(header.bytes) <= length);
        let good = match header {
            Some(header) if reading.check || header.kind == EVENT => {
                // Within the job's limits and within the file.
                body.resize(header.bytes as usize, 0);
                source.read_exact(&mut body)?;
                (digest(reading.seed, &raw, &body).to_le_bytes() == raw[DIGEST_AT..])
                    .then_some(header)
            }
            header => header,
        };
        let Some(header) = good else {
            found.damage += 1;
            match next_magic(source, at + 1)? {
                Some(next) if found.damage < MAX_DAMAGE => at = next,
                _ => break,
            }
            continue;
        };
        let begin = at + HEADER_BYTES as u64;
        match header.kind {
            STRIP => {
                let place = Place {
                    at: begin,
                    bytes: header.bytes,
                    maker: header.maker,
                };
                found.strips.insert(header.index, place);
            }
            _ => match serde_json::from_slice(&body) {
                Ok(JobEvent::Queued(below)) => {
                    found.queued = found.queued.max(below.min(reading.strips));
                }
                Ok(JobEvent::Revoked(strips)) => {
                    for strip in strips {
                        found.strips.remove(&strip);
                    }
                }
                // Of a later build perhaps.
                Err(_) => {}
            },
        }
        at = begin + u64::from(header.bytes);
        found.end = at;
    }
    Ok(found)
}

/// The first place from `from` on where a record may begin.
fn next_magic(source: &mut (impl Read + Seek), from: u64) -> io::Result<Option<u64>> {
    source.seek(SeekFrom::Start(from))?;
    let mut at = from;
    // What is searched now, after the end of what was searched before, in case the magic lies across.
    let mut bytes = Vec::with_capacity(SEARCHED + MAGIC.len());
    loop {
        let kept = bytes.len();
        source
            .by_ref()
            .take(SEARCHED as u64)
            .read_to_end(&mut bytes)?;
        if let Some(found) = bytes
            .windows(MAGIC.len())
            .position(|window| window == MAGIC)
        {
            return Ok(Some(at + found as u64));
        }
        if bytes.len() == kept {
            return Ok(None);
        }
        let searched = bytes.len().saturating_sub(MAGIC.len() - 1);
        bytes.drain(..searched);
        at += searched as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    const SEED: u64 = 5;
    const READING: Reading = Reading {
        strips: 50,
        blob_bytes: 300,
        seed: SEED,
        check: true,
    };

    fn read(bytes: &[u8]) -> Found {
        scan(&mut Cursor::new(bytes), READING).unwrap()
    }

    /// A file of strips, and where each record ends.
    fn file(bodies: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let ends = bodies
            .iter()
            .enumerate()
            .map(|(index, body)| {
                strip(
                    &mut bytes,
                    SEED,
                    index as u32,
                    7,
                    std::iter::once(body.as_slice()),
                );
                bytes.len()
            })
            .collect();
        (bytes, ends)
    }

    fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20)
    }

    proptest! {
        #[test]
        fn what_was_written_is_found(bodies in bodies()) {
            let (bytes, ends) = file(&bodies);
            let found = read(&bytes);
            prop_assert_eq!(found.end as usize, bytes.len());
            prop_assert_eq!((found.damage, found.strips.len()), (0, bodies.len()));
            for (index, body) in bodies.iter().enumerate() {
                let place = found.strips[&(index as u32)];
                prop_assert_eq!((place.at + u64::from(place.bytes)) as usize, ends[index]);
                prop_assert_eq!(&bytes[place.at as usize..ends[index]], body.as_slice());
            }
        }

        #[test]
        fn a_torn_tail_costs_the_last_record_alone(bodies in bodies(), cut: prop::sample::Index) {
            let (bytes, ends) = file(&bodies);
            let cut = cut.index(bytes.len());
            let found = read(&bytes[..cut]);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            prop_assert_eq!(found.strips.len(), whole);
            prop_assert_eq!(found.end as usize, whole.checked_sub(1).map_or(0, |last| ends[last]));
        }

        #[test]
        fn a_damaged_record_costs_itself_alone(bodies in bodies(), at: prop::sample::Index, flip in 1u8..) {
            let (mut bytes, ends) = file(&bodies);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let hit = ends.iter().position(|end| at < *end).unwrap() as u32;
            let found = read(&bytes);
            let expected: Vec<u32> = (0..bodies.len() as u32).filter(|index| *index != hit).collect();
            prop_assert_eq!(found.strips.keys().copied().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn anything_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..2000), magics in prop::collection::vec(0usize..2000, 0..200)) {
            let mut bytes = bytes;
            for at in magics {
                if let Some(place) = bytes.get_mut(at..at + MAGIC.len()) {
                    place.copy_from_slice(MAGIC);
                }
            }
            let found = read(&bytes);
            prop_assert!(found.strips.is_empty() && found.end == 0 && found.damage <= MAX_DAMAGE);
        }
    }

    #[test]
    fn the_next_record_is_found_across_pieces() {
        for before in [0, 1, SEARCHED - 3, SEARCHED - 1, SEARCHED, 3 * SEARCHED + 2] {
            let mut bytes = vec![b'M'; before];
            bytes.extend_from_slice(MAGIC);
            let found = next_magic(&mut Cursor::new(&bytes), 0).unwrap();
            assert_eq!(found, Some(before as u64));
            assert_eq!(
                next_magic(&mut Cursor::new(&bytes), before as u64 + 1).unwrap(),
                None
            );
        }
    }

    #[test]
    fn strips_of_another_job_are_left_out() {
        let (bytes, _) = file(&[vec![1; 9], vec![2; 9]]);
        let of_another = Reading {
            seed: SEED + 1,
            ..READING
        };
        let found = scan(&mut Cursor::new(&bytes), of_another).unwrap();
        assert!(found.strips.is_empty() && found.damage > 0, "{found:?}");
    }

    #[test]
    fn events_take_effect_in_their_place() {
        let mut bytes = Vec::new();
        let body = [1, 2, 3];
        let one = |bytes: &mut Vec<u8>, index, maker| {
            strip(bytes, SEED, index, maker, std::iter::once(body.as_slice()));
        };
        event(&mut bytes, SEED, &JobEvent::Queued(9));
        one(&mut bytes, 3, 7);
        one(&mut bytes, 4, 7);
        event(&mut bytes, SEED, &JobEvent::Revoked(vec![3, 4]));
        one(&mut bytes, 4, 7);
        event(&mut bytes, SEED, &JobEvent::Queued(1000));
        let found = scan(&mut Cursor::new(&bytes), READING).unwrap();
        assert_eq!(found.strips.keys().copied().collect::<Vec<_>>(), [4]);
        assert_eq!(found.queued, READING.strips, "no more than there are");
        assert_eq!(found.end as usize, bytes.len());
    }

    #[test]
    fn strips_that_the_job_does_not_have_are_left_out() {
        let mut bytes = Vec::new();
        strip(
            &mut bytes,
            SEED,
            READING.strips,
            7,
            std::iter::once([1].as_slice()),
        );
        strip(&mut bytes, SEED, 1, 7, std::iter::once([0; 301].as_slice()));
        strip(&mut bytes, SEED, 2, 7, std::iter::once([0; 300].as_slice()));
        assert_eq!(read(&bytes).strips.into_keys().collect::<Vec<_>>(), [2]);
    }
}
