//! Paths as a journal keeps them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A path, also one that is no Unicode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedPath {
    Text(String),
    Bytes(Vec<u8>),
}

impl SavedPath {
    /// `None` where the system's names cannot be written down.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let path = std::path::absolute(path).ok()?;
        if let Some(text) = path.to_str() {
            return Some(Self::Text(text.to_owned()));
        }
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            Some(Self::Bytes(path.as_os_str().as_bytes().to_vec()))
        }
        #[cfg(not(unix))]
        None
    }

    pub(super) fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Text(text) => Some(PathBuf::from(text)),
            #[cfg(unix)]
            Self::Bytes(bytes) => {
                use std::os::unix::ffi::OsStrExt;
                Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
            }
            #[cfg(not(unix))]
            Self::Bytes(_) => None,
        }
    }
}
