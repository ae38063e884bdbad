//! Files with keys, passwords and certificates: read whole, and with a warning where everybody may read them.

use std::io;
use std::path::{Path, PathBuf};

use farm_queue::protocol::signing::{FarmKey, FarmKeyError};
use farm_queue::redis::Secret;

use disk::limited::{ReadError, read_limited};

/// Most bytes of a file that is named here: bundles of authorities are the longest.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

/// Why the way into the farm is none.
#[derive(Debug, thiserror::Error)]
pub enum FarmArgsError {
    /// A file cannot be read.
    #[error("{option} {}: {error}", path.display())]
    File {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file says nothing.
    #[error("{option} {}: {reason}", path.display())]
    Content {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A key that is none.
    #[error("{option}{}: {error}", path.as_ref().map_or_else(String::new, |path| format!(" {}", path.display())))]
    Key {
        /// The option or the variable that gives it, or names its file.
        option: &'static str,
        /// The file, where it is in one.
        path: Option<PathBuf>,
        /// What is wrong with it.
        error: FarmKeyError,
    },
    /// A certificate without its key, or the other way round.
    #[error(
        "a client's certificate needs its key, and the other way round: --tls-cert and --tls-key, or FARM_TLS_CERT and FARM_TLS_KEY"
    )]
    Half,
    /// Neither yes nor no.
    #[error("FARM_INSECURE is neither 1 nor 0")]
    Insecure,
}

impl FarmArgsError {
    /// The option or the variable that it begins with: what named the file or gave the key that is wrong.
    #[must_use]
    pub fn option(&self) -> Option<&'static str> {
        match self {
            Self::File { option, .. } | Self::Content { option, .. } | Self::Key { option, .. } => {
                Some(option)
            }
            Self::Half | Self::Insecure => None,
        }
    }
}

/// The key in these bytes, without the line end that editors and shells put behind it.
pub(super) fn key(
    bytes: &[u8],
    option: &'static str,
    path: Option<&Path>,
) -> Result<FarmKey, FarmArgsError> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    FarmKey::new(bytes).map_err(|error| FarmArgsError::Key {
        option,
        path: path.map(Path::to_owned),
        error,
    })
}

/// The key in the file that `option` names: the farm's, or one worker's.
///
/// # Errors
/// When the file cannot be read, or is no key.
pub fn key_in(option: &'static str, path: &Path) -> Result<FarmKey, FarmArgsError> {
    let bytes = read(option, path)?;
    warn_of_readers(option, path);
    key(&bytes, option, Some(path))
}

/// The password in the file that `option` names: its first line.
///
/// # Errors
/// When the file cannot be read, is no text, or its first line is empty.
pub fn password_in(option: &'static str, path: &Path) -> Result<Secret, FarmArgsError> {
    let text = text(option, path)?;
    let line = text.expose().lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(FarmArgsError::Content {
            option,
            path: path.to_owned(),
            reason: "its first line is empty",
        });
    }
    Ok(Secret::new(line))
}

/// A file with a secret text.
pub(super) fn text(option: &'static str, path: &Path) -> Result<Secret, FarmArgsError> {
    let bytes = read(option, path)?;
    let text = String::from_utf8(bytes).map_err(|_| FarmArgsError::Content {
        option,
        path: path.to_owned(),
        reason: "it is no text",
    })?;
    Ok(Secret::new(text))
}

pub(super) fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, FarmArgsError> {
    read_limited(path, MAX_FILE_BYTES).map_err(|error| match error {
        ReadError::TooLong(_) => FarmArgsError::Content {
            option,
            path: path.to_owned(),
            reason: "it is longer than 4 MiB",
        },
        error => FarmArgsError::File {
            option,
            path: path.to_owned(),
            error: error.into(),
        },
    })
}

/// Says so when every user of the machine may read a secret. Not refused: where secrets are mounted from outside
/// that is how they come.
pub(super) fn warn_of_readers(option: &str, path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let others = |metadata: std::fs::Metadata| metadata.permissions().mode() & 0o004 != 0;
        if std::fs::metadata(path).is_ok_and(others) {
            tracing::warn!(
                "{option} {}: every user of this machine may read it (chmod 600 is right)",
                path.display()
            );
        }
    }
    #[cfg(not(unix))]
    let _ = (option, path);
}
