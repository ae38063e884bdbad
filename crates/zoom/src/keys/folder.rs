//! Key frames on the disk: one folder a sequence, with its description, and a file and a record for each key frame.
//!
//! ```text
//! sequence.json       where and how: what all key frames have in common
//! values.json         smooth counts that were sampled of the whole sequence, for its colours; values-distance.json
//! key-00000.npy       smooth counts of the deepest key frame, key-00001 that at half its zoom, and so on
//! key-00000-distance.npy   and distances in its samples, where colours go by them
//! key-00000.json      how many bytes and iterations those are, and their digests
//! ```
//!
//! The `.json` files hold a digest of themselves ([`disk::sealed`]).
//!
//! A key frame is finished when its record is there; a record is written last, and each file beside its place first. So
//! whatever is there after an interruption is right, or is found to be wrong by its digest and made anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use colour::Distribution;
use disk::limited::{ReadError, read_limited};
use disk::lock::{Lock, LockError};
use disk::{WriteError, sealed, write_whole};
use fractal::Measure;
use fractal::frame::MAX_SIDE;
use pictures::npy::singles;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed, xxh3_128};

use crate::plan::sequence::{KeyFrameSpec, VERSION};

/// Most bytes of a description: two coordinates of the largest length, or tens of thousands of values.
const MAX_JSON_BYTES: u64 = 4 << 20;
/// Most bytes of a key frame's file: a header, and as many values as its samples can be.
const MAX_KEY_BYTES: u64 = (1 << 16) + (MAX_SIDE as u64) * (MAX_SIDE as u64) * 4;
pub(super) const SEQUENCE: &str = "sequence.json";
const LOCK: &str = "lock";

/// What is known of a finished key frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Of its smooth counts.
    bytes: u64,
    /// XXH3 of that file, 128 bits in hexadecimal.
    digest: String,
    /// The same of its distances, where it has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distance: Option<Whole>,
    /// Sum of its pixels' counts.
    pub iterations_total: u128,
    /// Of the kernels that computed it.
    build: u64,
    /// Of the sequence, and which of its key frames it is.
    of: u64,
}

/// What a file is when it is whole: its bytes, and their digest.
type Whole = (u64, String);

impl Record {
    fn of(&self, measure: Measure) -> Option<(u64, &str)> {
        match measure {
            Measure::Distance => {
                (self.distance.as_ref()).map(|(bytes, digest)| (*bytes, &**digest))
            }
            _ => Some((self.bytes, &self.digest)),
        }
    }
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be made or read.
    #[error("{}: {reason}", .path.display())]
    Unusable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// There is no place for a temporary one.
    #[error("no folder for key frames")]
    NoPlace(#[source] io::Error),
    /// Another process uses it.
    #[error("{}: another submitter is making a sequence of these key frames", .0.display())]
    Busy(PathBuf),
    /// There is no description in it.
    #[error("{}: holds no key frames (a folder that --keep made does)", .0.display())]
    Empty(PathBuf),
    /// Its description is none.
    #[error("{}: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It holds the key frames of another sequence.
    #[error("{}: holds the key frames of another sequence; name another folder, or remove it", .0.display())]
    Other(PathBuf),
    /// Files in it cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A folder of key frames, held by this process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The lock ends with it; not every file system has locks.
    _lock: Option<Lock>,
    /// Whether it goes when the sequence is done.
    is_temporary: bool,
    /// Digest of its description.
    seed: u64,
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FolderError> {
    let unusable = |reason| FolderError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let malformed = |reason: String| FolderError::Malformed {
        path: path.to_owned(),
        reason,
    };
    let text = match read_limited(path, MAX_JSON_BYTES) {
        Ok(text) => text,
        Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(ReadError::Io(error)) => return Err(unusable(error)),
        Err(error) => return Err(malformed(error.to_string())),
    };
    sealed::open(&text)
        .map(Some)
        .map_err(|error| malformed(error.to_string()))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FolderError> {
    let malformed = |error: serde_json::Error| FolderError::Malformed {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let text = sealed::seal(value).map_err(malformed)?;
    Ok(write_whole(path, &text)?)
}

/// The description in a folder.
///
/// # Errors
/// When there is none.
pub fn described(path: &Path) -> Result<KeyFrameSpec, FolderError> {
    let file = path.join(SEQUENCE);
    let described = read_json(&file).map_err(|error| match (error, old_version(&file)) {
        (FolderError::Malformed { path, .. }, Some(version)) => FolderError::Malformed {
            path,
            reason: another(version),
        },
        (error, _) => error,
    });
    let sequence: KeyFrameSpec = described?.ok_or_else(|| FolderError::Empty(path.to_owned()))?;
    if sequence.version != VERSION {
        let reason = another(sequence.version);
        return Err(FolderError::Malformed { path: file, reason });
    }
    Ok(sequence)
}

fn another(version: u32) -> String {
    format!("version {version}; this build reads version {VERSION}")
}

/// The version of a description that a build wrote before there were digests.
fn old_version(file: &Path) -> Option<u32> {
    #[derive(Deserialize)]
    struct VersionOnly {
        version: u32,
    }
    let text = read_limited(file, MAX_JSON_BYTES).ok()?;
    let VersionOnly { version } = serde_json::from_slice(&text).ok()?;
    (version < VERSION).then_some(version)
}

/// The lock of the folder at `path`; `None` where its file system has no locks.
pub(super) fn lock_if_any(
    path: &Path,
    acquired: Result<Lock, LockError>,
) -> Result<Option<Lock>, FolderError> {
    match acquired {
        Ok(lock) => Ok(Some(lock)),
        Err(LockError::NoLocks { .. }) => Ok(None),
        Err(LockError::Held(_)) => Err(FolderError::Busy(path.to_owned())),
        Err(LockError::Io { path, reason }) => Err(FolderError::Unusable { path, reason }),
    }
}

impl Folder {
    /// Opens the folder of `sequence`, making it where there is none. A temporary one that is left of another sequence
    /// is emptied first, and it goes when the sequence is done.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn open(
        path: &Path,
        sequence: &KeyFrameSpec,
        is_temporary: bool,
    ) -> Result<Self, FolderError> {
        let unusable = |reason| FolderError::Unusable {
            path: path.to_owned(),
            reason,
        };
        fs::create_dir_all(path).map_err(unusable)?;
        let mut folder = Self {
            path: path.to_owned(),
            _lock: lock_if_any(path, Lock::acquire(&path.join(LOCK)))?,
            is_temporary,
            seed: seed(sequence),
        };
        match described(path) {
            Ok(found) if found.serves(sequence) => folder.seed = seed(&found),
            Ok(_) if !is_temporary => return Err(FolderError::Other(path.to_owned())),
            Err(FolderError::Empty(_)) => write_json(&path.join(SEQUENCE), sequence)?,
            Err(error) if !is_temporary => return Err(error),
            Ok(_) | Err(_) => {
                folder.empty();
                write_json(&path.join(SEQUENCE), sequence)?;
            }
        }
        Ok(folder)
    }

    /// What ties the files of key frame `depth` to it and to the sequence.
    fn tie(&self, depth: u32) -> u64 {
        xxh3_64_with_seed(&depth.to_le_bytes(), self.seed)
    }

    /// The file of a measure of key frame `depth`, counted from the deepest one, 0.
    #[must_use]
    pub fn key(&self, depth: u32, measure: Measure) -> PathBuf {
        self.path.join(match measure {
            Measure::Distance => format!("key-{depth:05}-distance.npy"),
            _ => format!("key-{depth:05}.npy"),
        })
    }

    fn record(&self, depth: u32) -> PathBuf {
        self.path.join(format!("key-{depth:05}.json"))
    }

    /// What is known of key frame `depth`, where it is finished, and whole in all `measures`; and of the kernels of `build`,
    /// where one is named: others may differ in a last digit.
    #[must_use]
    pub fn finished(
        &self,
        depth: u32,
        measures: impl Iterator<Item = Measure>,
        build: Option<u64>,
    ) -> Option<Record> {
        let record: Record = read_json(&self.record(depth)).ok()??;
        if record.of != self.tie(depth) || build.is_some_and(|build| build != record.build) {
            return None;
        }
        for measure in measures {
            // `None` where it was made without them.
            let whole = record.of(measure)?;
            if let Err(error) = self.bytes(depth, measure, whole) {
                tracing::warn!(%error, "a key frame is broken, and made anew");
                return None;
            }
        }
        Some(record)
    }

    /// The bytes of a file of a finished key frame.
    fn bytes(
        &self,
        depth: u32,
        measure: Measure,
        (len, expected): (u64, &str),
    ) -> Result<Vec<u8>, FolderError> {
        let path = self.key(depth, measure);
        let unusable = |reason| FolderError::Unusable {
            path: path.clone(),
            reason,
        };
        // What is there may be of any size.
        let bytes = match read_limited(&path, len) {
            Err(ReadError::TooLong(_)) => Vec::new(),
            other => other.map_err(|error| unusable(error.into()))?,
        };
        if digest(&bytes) != expected {
            let reason = "its bytes are not those that were written".to_owned();
            return Err(FolderError::Malformed { path, reason });
        }
        Ok(bytes)
    }

    /// Notes that key frame `depth` is finished, with distances where it has them.
    ///
    /// # Errors
    /// When a file cannot be read, or its record not be written.
    pub fn note(
        &self,
        depth: u32,
        has_distances: bool,
        iterations_total: u128,
        build: u64,
    ) -> Result<Record, FolderError> {
        let whole = |measure| {
            let path = self.key(depth, measure);
            let bytes = read_limited(&path, MAX_KEY_BYTES);
            let bytes = bytes.map_err(|error| FolderError::Unusable {
                path,
                reason: error.into(),
            })?;
            Ok::<Whole, FolderError>((bytes.len() as u64, digest(&bytes)))
        };
        let distance = has_distances.then_some(Measure::Distance);
        let (bytes, digest) = whole(Measure::Smooth)?;
        let record = Record {
            bytes,
            digest,
            distance: distance.map(whole).transpose()?,
            iterations_total,
            build,
            of: self.tie(depth),
        };
        write_json(&self.record(depth), &record)?;
        Ok(record)
    }

    /// The values of a measure of a finished key frame, row by row.
    ///
    /// # Errors
    /// When it is not what was written.
    pub fn load(
        &self,
        depth: u32,
        record: &Record,
        size: (u32, u32),
        measure: Measure,
    ) -> Result<Vec<f32>, FolderError> {
        let malformed = || FolderError::Malformed {
            path: self.key(depth, measure),
            reason: format!(
                "no {} values of {} x {} pixels",
                measure.name(),
                size.0,
                size.1
            ),
        };
        let whole = record.of(measure).ok_or_else(malformed)?;
        let bytes = self.bytes(depth, measure, whole)?;
        singles(&bytes, size).ok_or_else(malformed)
    }

    fn values_file(&self, measure: Measure) -> PathBuf {
        self.path.join(match measure {
            Measure::Distance => "values-distance.json",
            _ => "values.json",
        })
    }

    /// The values of a measure that were sampled of the sequence, where they were.
    #[must_use]
    pub fn values(&self, measure: Measure) -> Option<Distribution> {
        let (of, values): (u64, Distribution) = read_json(&self.values_file(measure)).ok()??;
        (self.seed == of).then_some(values)
    }

    /// Notes those values.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn note_values(&self, measure: Measure, values: &Distribution) -> Result<(), FolderError> {
        write_json(&self.values_file(measure), &(self.seed, values))
    }

    /// Removes the key frames and what belongs to them, and nothing else.
    fn empty(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_values = name.starts_with("values") && name.ends_with(".json");
            let is_ours = name == SEQUENCE
                || is_values
                || name.starts_with("key-")
                || name.starts_with(".key-");
            if is_ours && let Err(error) = fs::remove_file(entry.path()) {
                tracing::warn!(%error, file = %name, "not removed");
            }
        }
    }

    /// Whether any key frame is finished.
    #[must_use]
    pub fn holds_any(&self) -> bool {
        let is_record = |name: &str| name.starts_with("key-") && name.ends_with(".json");
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name())
            .any(|name| is_record(&name.to_string_lossy()))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The sequence is done: what nobody wants to keep goes.
    pub fn done(self) {
        if self.is_temporary {
            self.empty();
            let _ = fs::remove_file(self.path.join(LOCK));
            // Not what somebody else put there.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// What ties key frames to their sequence.
fn seed(sequence: &KeyFrameSpec) -> u64 {
    // Plain data of our own always becomes JSON.
    xxh3_64(&serde_json::to_vec(sequence).unwrap_or_default())
}

fn digest(bytes: &[u8]) -> String {
    format!("{:032x}", xxh3_128(bytes))
}
