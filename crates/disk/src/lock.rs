//! A lock on a file, which one process at a time has. The system lets go of it when that process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::homes::make_private_folder;

/// A locked file; dropped, it is free again.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why a file was not locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has the lock.
    #[error("{}: another process has it", .0.display())]
    Held(PathBuf),
    /// The file cannot be opened.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The system has no locks for it, as on some file systems of networks.
    #[error("{}: cannot be locked: {reason}", path.display())]
    NoLocks {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

impl Lock {
    /// Locks the file at `path`, which is made where it is missing, with its folder for this user alone. What is in it
    /// stays.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it; then nothing was changed. [`LockError::NoLocks`] where the
    /// system has no locks: callers may go on without one.
    pub fn acquire(path: &Path) -> Result<Self, LockError> {
        let io = |reason| LockError::Io {
            path: path.to_owned(),
            reason,
        };
        loop {
            // Its holder may have removed both.
            make_private_folder(path.parent().unwrap_or(Path::new("."))).map_err(io)?;
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true).create(true).truncate(false);
            let lock = Self::of(options.open(path).map_err(io)?, path)?;
            // Unless its holder removed it meanwhile: then it locks nothing.
            if is_at(&lock.file, path) {
                return Ok(lock);
            }
        }
    }

    /// Locks a file that is open, and was opened at `path`.
    ///
    /// # Errors
    /// As [`Lock::acquire`].
    pub fn of(file: File, path: &Path) -> Result<Self, LockError> {
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(path.to_owned())),
            Err(TryLockError::Error(reason)) => Err(LockError::NoLocks {
                path: path.to_owned(),
                reason,
            }),
        }
    }

    /// The locked file by itself: it stays locked as long as this handle of it, or a clone of it, is open.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }
}

/// Whether another process has the lock of an open file.
#[must_use]
pub fn is_held(file: &File) -> bool {
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// Whether the open file is the one at `path` still.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let (there, here) = (std::fs::metadata(path).ok(), file.metadata().ok());
        there.map(id) == here.map(id)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "kept").unwrap();
        let first = Lock::acquire(&path).unwrap();
        let second = Lock::acquire(&path).unwrap_err();
        assert!(matches!(second, LockError::Held(_)), "{second}");
        assert!(is_held(&File::open(&path).unwrap()));
        drop(first);
        assert!(!is_held(&File::open(&path).unwrap()));
        Lock::acquire(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
        let nowhere = Lock::acquire(&path.join("below-a-file")).unwrap_err();
        assert!(matches!(nowhere, LockError::Io { .. }), "{nowhere}");
    }

    #[cfg(unix)]
    #[test]
    fn the_lock_of_a_removed_file_locks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::acquire(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&first.file, &path));
        Lock::acquire(&path).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_the_system_does_not_lock_is_told_from_what_cannot_be_opened() {
        use std::os::unix::fs::OpenOptionsExt;
        /// A handle of a file's place alone, which no system locks.
        const O_PATH: i32 = 0o10_000_000;
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let place = OpenOptions::new()
            .read(true)
            .custom_flags(O_PATH)
            .open(&path);
        let refused = Lock::of(place.unwrap(), &path).unwrap_err();
        assert!(matches!(refused, LockError::NoLocks { .. }), "{refused}");
    }
}
