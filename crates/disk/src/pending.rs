//! A file that is written beside its place, and renamed when it is whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::file_id::place_of;
use crate::leftovers::{self, Known};

/// Bytes of a disk that a file leaves free.
const SPARE: u64 = 1 << 20;
/// Bytes of a file's name that the name of its unfinished part repeats: names have at most 255.
const NAME_KEPT: usize = 200;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The place is a directory.
    #[error("{}: is a directory; name a file", .0.display())]
    Directory(PathBuf),
    /// The place is taken by something else than a file.
    #[error("{}: is no regular file; name another", .0.display())]
    Special(PathBuf),
    /// Not even a file beside it could be made.
    #[error("{}: cannot be written", path.display())]
    Create {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk has not enough space left for it.
    #[error("{}: needs {need} MB and its disk has {free} MB free", path.display())]
    Space {
        /// Where.
        path: PathBuf,
        /// Megabytes needed.
        need: u64,
        /// Megabytes free.
        free: u64,
    },
    /// Writing failed on the way.
    #[error("{}: writing failed", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A place for a file, made sure of before any work starts, and the unfinished file beside it; nothing is left of that
/// when it is dropped.
#[derive(Debug)]
pub struct PendingFile {
    named: PathBuf,
    /// Where it ends up: what was named, or what that leads to.
    place: PathBuf,
    file: NamedTempFile,
    /// Last: until the file is gone it is known.
    _known: Known,
}

impl PendingFile {
    /// Makes sure that a file of at least `least_bytes` can be written.
    ///
    /// # Errors
    /// One line about what is in the way.
    pub fn new(named: &Path, least_bytes: u64) -> Result<Self, WriteError> {
        // What a link leads to is written, not the link.
        let place = place_of(named);
        if let (Some(folder), Some(name)) = (place.parent(), place.file_name()) {
            leftovers::remove(folder, &prefix(name));
        }
        Self::one_of_many(named, least_bytes)
    }

    /// The same for one of many files beside each other, without a look for what is left over of it.
    ///
    /// # Errors
    /// Likewise.
    pub fn one_of_many(named: &Path, least_bytes: u64) -> Result<Self, WriteError> {
        let path = &place_of(named);
        if path.is_dir() {
            return Err(WriteError::Directory(named.to_owned()));
        }
        if path.exists() && !path.is_file() {
            return Err(WriteError::Special(named.to_owned()));
        }
        let create = |source| WriteError::Create {
            path: named.to_owned(),
            source: plain(source),
        };
        // A name that no file can have: the unfinished file's own name is shorter, and would hide it.
        if let Err(error) = path.symlink_metadata()
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(create(error));
        }
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        let prefix = prefix(path.file_name().unwrap_or_default());
        builder.prefix(&prefix).suffix(leftovers::SUFFIX);
        #[cfg(unix)]
        {
            // As any new file: the user's umask decides, not the private mode of temporary files.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = leftovers::held(|| builder.tempfile_in(directory)).map_err(create)?;
        if let Ok(free) = fs4::available_space(directory) {
            let need = least_bytes + SPARE;
            if need > free {
                let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
                return Err(WriteError::Space {
                    path: path.clone(),
                    need: megabytes(need),
                    free: free / 1_000_000,
                });
            }
        }
        Ok(Self {
            named: named.to_owned(),
            place: path.clone(),
            _known: Known::of(file.path()),
            file,
        })
    }

    /// The unfinished file, for another program to write.
    #[must_use]
    pub fn unfinished(&self) -> &Path {
        self.file.path()
    }

    /// The same, open.
    #[must_use]
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// The folder that it is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.file.path().parent().unwrap_or(Path::new("."))
    }

    /// What was named.
    #[must_use]
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// Writes `bytes` as the whole file, and puts it in its place.
    ///
    /// # Errors
    /// When they cannot be written; nothing is left of the file then.
    pub fn write(self, bytes: &[u8]) -> Result<u64, WriteError> {
        match self.file().write_all(bytes) {
            Ok(()) => self.publish(),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// That writing failed.
    #[must_use]
    pub fn failed(self, source: io::Error) -> WriteError {
        let path = self.named;
        WriteError::Write { path, source }
    }

    /// Puts the file in its place, over whatever was there; its bytes.
    ///
    /// # Errors
    /// When the rename fails; nothing is left of the file then.
    pub fn publish(self) -> Result<u64, WriteError> {
        let Self {
            named, place, file, ..
        } = self;
        let written = file.persist(&place);
        let bytes = written.map(|file| file.metadata().map_or(0, |metadata| metadata.len()));
        bytes.map_err(|error| WriteError::Write {
            path: named,
            source: error.error,
        })
    }
}

/// Writes a small file beside its place and puts it there when it is whole.
///
/// # Errors
/// When it cannot be made or written; nothing is left of it then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let pending = PendingFile::new(path, bytes.len() as u64)?;
    pending.write(bytes).map(drop)
}

/// How the names of a file's unfinished parts begin.
fn prefix(name: &std::ffi::OsStr) -> String {
    let name = name.to_string_lossy();
    format!(".{}.", &name[..name.floor_char_boundary(NAME_KEPT)])
}

/// What the system said, without the name of the unfinished file that `tempfile` adds to it.
fn plain(error: io::Error) -> io::Error {
    let said = error.to_string();
    match said.split_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause.to_owned()),
        None => error,
    }
}

/// Bytes that are free on the disk that a folder is on.
///
/// # Errors
/// What the system says.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    fs4::available_space(folder)
}
