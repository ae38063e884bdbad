//! Key frames on the disk: one folder a sequence, with its description, and a file and a record for each key frame.
//!
//! ```text
//! sequence.json       where and how: what all key frames have in common
//! values.json         smooth counts that were sampled of the whole sequence, for its colours
//! key-00000.npy       smooth counts of the deepest key frame, key-00001 that at half its zoom, and so on
//! key-00000.json      how many bytes and iterations those are, and their digest
//! ```
//!
//! A key frame is finished when its record is there; a record is written last, and each file beside its place first. So
//! whatever is there after an interruption is right, or is found to be wrong by its digest and made anew.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use fractal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::colour::Distribution;
use crate::output::{OutputError, singles, write_whole};

/// Version of the folders that this build writes, and the only one that it reads.
const VERSION: u32 = 1;
/// Most bytes of a description: two coordinates of the largest length, or tens of thousands of values.
const MAX_JSON_BYTES: u64 = 4 << 20;
const SEQUENCE: &str = "sequence.json";
const VALUES: &str = "values.json";
const LOCK: &str = "lock";

/// What all key frames of a folder have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    version: u32,
    /// Real part of the centre.
    pub re: Decimal,
    /// Imaginary part of the centre.
    pub im: Decimal,
    /// Zoom of the last frame, which the deepest key frame is for.
    pub zoom: Decimal,
    /// Zoom of the first frame that it was made for.
    pub from: Decimal,
    /// Iteration limit of the deepest key frame.
    pub iterations: u64,
    /// The same at zoom 1, from where it grows evenly with the octaves; one for all when `None`.
    pub shallow_iterations: Option<u64>,
    /// Escape radius.
    pub escape_radius: f64,
    /// Start value of the iteration, where it is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z0: Option<(f64, f64)>,
    /// Columns and rows of the frames that it was made for.
    pub frame: (u32, u32),
    /// Columns and rows, upright, of what a key frame shows in pixels of such a frame.
    pub upright: (u32, u32),
    /// Columns and rows of a key frame.
    pub key: (u32, u32),
    /// Of those rows, the ones that `upright` has; the others are a margin.
    pub shown_rows: u32,
}

impl Sequence {
    /// The description of a sequence.
    #[must_use]
    pub fn new(
        place: (Decimal, Decimal),
        zooms: (Decimal, Decimal),
        iterations: u64,
        escape_radius: f64,
    ) -> Self {
        Self {
            version: VERSION,
            re: place.0,
            im: place.1,
            from: zooms.0,
            zoom: zooms.1,
            iterations,
            shallow_iterations: None,
            escape_radius,
            z0: None,
            frame: (0, 0),
            upright: (0, 0),
            key: (0, 0),
            shown_rows: 0,
        }
    }

    /// The iteration limit of key frame `depth`.
    #[must_use]
    pub fn iterations_at(&self, depth: u32) -> u64 {
        let (octaves, deep) = (self.zoom.log2(), self.iterations as f64);
        match self.shallow_iterations {
            Some(shallow) if octaves > 0.0 => {
                let share = (f64::from(depth) / octaves).min(1.0);
                (deep + (shallow as f64 - deep) * share).round() as u64
            }
            _ => self.iterations,
        }
    }

    /// Whether key frames of one are key frames of the other: all but where it begins.
    fn is_alike(&self, other: &Self) -> bool {
        let from = other.from.clone();
        Self {
            from,
            ..self.clone()
        } == *other
    }
}

/// What is known of a finished key frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    bytes: u64,
    /// XXH3 of the file, 128 bits in hexadecimal.
    digest: String,
    /// Sum of its pixels' counts.
    pub iterations_total: u64,
    /// Of the kernels that computed it.
    build: u64,
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
    Write(#[from] OutputError),
}

/// A folder of key frames, held by this process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The lock ends with it.
    _lock: File,
    /// Whether it goes when the sequence is done.
    is_temporary: bool,
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
    let bytes = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(unusable)?.len(),
    };
    if bytes > MAX_JSON_BYTES {
        return Err(malformed(format!(
            "{bytes} bytes are over the limit of {MAX_JSON_BYTES}"
        )));
    }
    let text = fs::read(path).map_err(unusable)?;
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| malformed(error.to_string()))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FolderError> {
    let malformed = |error: serde_json::Error| FolderError::Malformed {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut text = serde_json::to_vec(value).map_err(malformed)?;
    text.push(b'\n');
    Ok(write_whole(path, &text)?)
}

/// The description in a folder.
///
/// # Errors
/// When there is none.
pub fn described(path: &Path) -> Result<Sequence, FolderError> {
    let file = path.join(SEQUENCE);
    let sequence: Sequence =
        read_json(&file)?.ok_or_else(|| FolderError::Empty(path.to_owned()))?;
    if sequence.version != VERSION {
        let reason = format!(
            "version {}; this build reads version {VERSION}",
            sequence.version
        );
        return Err(FolderError::Malformed { path: file, reason });
    }
    Ok(sequence)
}

impl Folder {
    /// Opens the folder of `sequence`, making it where there is none. A temporary one that is left of another sequence
    /// is emptied first, and it goes when the sequence is done.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn open(path: &Path, sequence: &Sequence, is_temporary: bool) -> Result<Self, FolderError> {
        let unusable = |reason| FolderError::Unusable {
            path: path.to_owned(),
            reason,
        };
        fs::create_dir_all(path).map_err(unusable)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        if matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)) {
            return Err(FolderError::Busy(path.to_owned()));
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
            is_temporary,
        };
        match described(path) {
            Ok(found) if found.is_alike(sequence) => {}
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

    /// The file of key frame `depth`, counted from the deepest one, 0.
    #[must_use]
    pub fn key(&self, depth: u32) -> PathBuf {
        self.path.join(format!("key-{depth:05}.npy"))
    }

    fn record(&self, depth: u32) -> PathBuf {
        self.path.join(format!("key-{depth:05}.json"))
    }

    /// What is known of key frame `depth`, where it is finished, and whole; and of the kernels of `build`, where one is
    /// named: others may differ in a last digit.
    #[must_use]
    pub fn finished(&self, depth: u32, build: Option<u64>) -> Option<Record> {
        let record: Record = read_json(&self.record(depth)).ok()??;
        if build.is_some_and(|build| build != record.build) {
            return None;
        }
        match self.bytes(depth, &record) {
            Ok(_) => Some(record),
            Err(error) => {
                tracing::warn!(%error, "a key frame is broken, and made anew");
                None
            }
        }
    }

    /// The bytes of a finished key frame.
    fn bytes(&self, depth: u32, record: &Record) -> Result<Vec<u8>, FolderError> {
        let path = self.key(depth);
        let unusable = |reason| FolderError::Unusable {
            path: path.clone(),
            reason,
        };
        // Before it is read: what is there may be of any size.
        let there = fs::metadata(&path).map_err(unusable)?.len();
        let bytes = if there == record.bytes {
            fs::read(&path).map_err(unusable)?
        } else {
            Vec::new()
        };
        if digest(&bytes) != record.digest {
            let reason = "its bytes are not those that were written".to_owned();
            return Err(FolderError::Malformed { path, reason });
        }
        Ok(bytes)
    }

    /// Notes that key frame `depth` is finished.
    ///
    /// # Errors
    /// When its file cannot be read, or its record not be written.
    pub fn note(
        &self,
        depth: u32,
        iterations_total: u64,
        build: u64,
    ) -> Result<Record, FolderError> {
        let path = self.key(depth);
        let bytes = fs::read(&path).map_err(|reason| FolderError::Unusable { path, reason })?;
        let record = Record {
            bytes: bytes.len() as u64,
            digest: digest(&bytes),
            iterations_total,
            build,
        };
        write_json(&self.record(depth), &record)?;
        Ok(record)
    }

    /// The smooth counts of a finished key frame, row by row.
    ///
    /// # Errors
    /// When it is not what was written.
    pub fn load(
        &self,
        depth: u32,
        record: &Record,
        size: (u32, u32),
    ) -> Result<Vec<f32>, FolderError> {
        let bytes = self.bytes(depth, record)?;
        singles(&bytes, size).ok_or_else(|| FolderError::Malformed {
            path: self.key(depth),
            reason: format!("no smooth counts of {} x {} pixels", size.0, size.1),
        })
    }

    /// The values that were sampled of the sequence, where they were.
    #[must_use]
    pub fn values(&self) -> Option<Distribution> {
        read_json(&self.path.join(VALUES)).ok()?
    }

    /// Notes those values.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn note_values(&self, values: &Distribution) -> Result<(), FolderError> {
        write_json(&self.path.join(VALUES), values)
    }

    /// Removes the key frames and what belongs to them, and nothing else.
    fn empty(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_ours = name == SEQUENCE
                || name == VALUES
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

fn digest(bytes: &[u8]) -> String {
    format!("{:032x}", xxh3_128(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(zoom: &str) -> Sequence {
        let number = |text: &str| text.parse().unwrap();
        Sequence::new(
            (number("-0.75"), number("0.1")),
            (number("1"), number(zoom)),
            1000,
            256.0,
        )
    }

    #[test]
    fn key_frames_are_finished_when_noted_and_whole() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path(), &sequence("8"), false).unwrap();
        fs::write(folder.key(3), b"counts").unwrap();
        assert_eq!(folder.finished(3, None), None);
        let record = folder.note(3, 77, 5).unwrap();
        assert_eq!(folder.finished(3, None), Some(record.clone()));
        assert_eq!(folder.finished(3, Some(5)), Some(record));
        assert_eq!(folder.finished(3, Some(6)), None, "of other kernels");
        fs::write(folder.key(3), b"countz").unwrap();
        assert_eq!(folder.finished(3, None), None);
        fs::write(folder.key(3), b"counts and more").unwrap();
        assert_eq!(folder.finished(3, None), None);
        folder.done();
        assert!(place.path().join("key-00003.npy").exists(), "it is kept");
    }

    #[test]
    fn a_folder_is_one_sequence_and_one_process() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("keys");
        let folder = Folder::open(&path, &sequence("8"), false).unwrap();
        let busy = Folder::open(&path, &sequence("8"), false).unwrap_err();
        assert!(matches!(busy, FolderError::Busy(_)));
        drop(folder);
        let other = Folder::open(&path, &sequence("16"), false).unwrap_err();
        assert!(matches!(other, FolderError::Other(_)));
        let begins_later = Sequence {
            from: "2".parse().unwrap(),
            ..sequence("8")
        };
        drop(Folder::open(&path, &begins_later, false).unwrap());
        // One that nobody asked to keep is given up for another, but not what is not its own.
        fs::write(path.join("key-00000.json"), "{}").unwrap();
        fs::write(path.join("mine.txt"), "mine").unwrap();
        let folder = Folder::open(&path, &sequence("16"), true).unwrap();
        assert!(!path.join("key-00000.json").exists());
        folder.done();
        assert!(path.join("mine.txt").exists() && !path.join(SEQUENCE).exists());
    }

    #[test]
    fn what_is_no_folder_of_key_frames_is_one_line() {
        let place = tempfile::tempdir().unwrap();
        let says = |text: Option<&str>| {
            if let Some(text) = text {
                fs::write(place.path().join(SEQUENCE), text).unwrap();
            }
            let error = described(place.path()).unwrap_err().to_string();
            assert!(!error.contains('\n'), "{error}");
            error
        };
        assert!(says(None).contains("--keep"));
        assert!(says(Some("{}")).contains(SEQUENCE));
        assert!(says(Some("[1")).contains(SEQUENCE));
    }
}
