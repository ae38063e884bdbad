//! A file that is written beside its place, and renamed when it is whole.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{OutputError, SPARE, leftovers, plain};

/// Bytes of a file's name that the name of its unfinished part repeats: names have at most 255.
const NAME_KEPT: usize = 200;

/// A place for a file, made sure of before any work starts, and the unfinished file beside it; nothing is left of that
/// when it is dropped.
#[derive(Debug)]
pub struct Beside {
    /// Where it ends up: what was named, or what that leads to.
    pub(super) place: PathBuf,
    pub(super) file: NamedTempFile,
}

impl Beside {
    /// Makes sure that a file of at least `least_bytes` can be written.
    ///
    /// # Errors
    /// One line about what is in the way.
    pub fn new(named: &Path, least_bytes: u64) -> Result<Self, OutputError> {
        // What a link leads to is written, not the link.
        let path = &named.canonicalize().unwrap_or_else(|_| named.to_owned());
        if path.is_dir() {
            return Err(OutputError::Directory(named.to_owned()));
        }
        if path.exists() && !path.is_file() {
            return Err(OutputError::Special(named.to_owned()));
        }
        let create = |source| OutputError::Create {
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
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".{}.", &name[..name.floor_char_boundary(NAME_KEPT)]);
        builder.prefix(&prefix).suffix(leftovers::SUFFIX);
        #[cfg(unix)]
        {
            // As any new file: the user's umask decides, not the private mode of temporary files.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        leftovers::remove(directory, &prefix);
        let file = leftovers::held(|| builder.tempfile_in(directory)).map_err(create)?;
        if let Ok(free) = fs4::available_space(directory) {
            let need = least_bytes + SPARE;
            if need > free {
                let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
                return Err(OutputError::Space {
                    path: path.clone(),
                    need: megabytes(need),
                    free: free / 1_000_000,
                });
            }
        }
        Ok(Self {
            place: path.clone(),
            file,
        })
    }

    /// The unfinished file, for another program to write.
    #[must_use]
    pub fn unfinished(&self) -> &Path {
        self.file.path()
    }

    /// Puts the file in its place, over whatever was there; its bytes.
    ///
    /// # Errors
    /// When the rename fails; nothing is left of the file then.
    pub fn publish(self) -> Result<u64, OutputError> {
        let Self { place, file } = self;
        let written = file.persist(&place);
        let bytes = written.map(|file| file.metadata().map_or(0, |metadata| metadata.len()));
        bytes.map_err(|error| OutputError::Write {
            path: place,
            source: error.error,
        })
    }
}
