//! Unfinished files that nobody writes any more: a program that was killed could not remove its own.
//!
//! Whoever writes one holds a lock on it, which ends with its process. So the next render of the same file knows
//! what is left over, also beside one that is still being written.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

/// How the name of an unfinished file ends.
pub const SUFFIX: &str = ".part";
/// Characters between a name's beginning and its end, which make it unique.
const RANDOM: usize = 6;
/// How often a file is made anew that somebody took for a left-over before it was locked.
const TRIES: usize = 8;

/// Unfinished files of this process: at most one for each file that it writes at a time.
static OWN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn own() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An unfinished file that goes with the process, also where whoever writes it is not waited for.
#[derive(Debug)]
pub struct Known(PathBuf);

impl Known {
    /// The one at `path`.
    pub fn of(path: &Path) -> Self {
        own().insert(path.to_owned());
        Self(path.to_owned())
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        own().remove(&self.0);
    }
}

/// Removes this process's own: it ends.
pub fn remove_own() {
    for path in std::mem::take(&mut *own()) {
        let _ = fs::remove_file(path);
    }
}

/// An unfinished file from `create` that [`remove`] leaves alone, of whatever process, as long as it is open.
///
/// # Errors
/// Those of `create`.
pub fn held(create: impl Fn() -> io::Result<NamedTempFile>) -> io::Result<NamedTempFile> {
    let mut file = create()?;
    for _ in 0..TRIES {
        // Where there are no locks nothing is ever removed.
        if file.as_file().lock().is_err() || file.path().exists() {
            break;
        }
        file = create()?;
    }
    Ok(file)
}

/// Removes files from `directory` whose names begin with `prefix` and end as unfinished ones do, and that nobody holds.
/// What cannot be removed stays: it is in nobody's way.
pub fn remove(directory: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let random = (name.to_str())
            .and_then(|name| name.strip_prefix(prefix))
            .and_then(|rest| rest.strip_suffix(SUFFIX));
        let is_ours = random.is_some_and(|random| {
            random.len() == RANDOM && random.chars().all(|c| c.is_ascii_alphanumeric())
        });
        // Not through links.
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = File::options().write(true).open(&path) else {
            continue;
        };
        if file.try_lock().is_ok() && fs::remove_file(&path).is_ok() {
            tracing::debug!(file = %path.display(), "removed what a killed render left");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let part = |prefix: &str| {
            let mut builder = tempfile::Builder::new();
            let builder = builder.prefix(prefix).suffix(SUFFIX);
            held(|| builder.tempfile_in(folder.path())).unwrap()
        };
        let writing = part(".x.png.");
        // The lock ends with the handle; the file stays.
        let (_, left) = part(".x.png.").keep().unwrap();
        let (_, other) = part(".y.png.").keep().unwrap();
        let foreign = [".x.png.part", ".x.png.abc-ef.part", ".x.png.abcdefg.part"];
        let foreign = foreign.map(|name| folder.path().join(name));
        for path in &foreign {
            fs::write(path, "mine").unwrap();
        }
        remove(folder.path(), ".x.png.");
        assert!(!left.exists());
        assert!(writing.path().exists() && other.exists());
        assert!(foreign.iter().all(|path| path.exists()));
    }
}
