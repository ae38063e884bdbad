//! Clocks that are wrong: programs under `libfaketime`, whose time of day is off by what a file says.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Folders in which libraries lie, and how deep.
const LIBRARIES: [&str; 2] = ["/usr/lib", "/usr/local/lib"];
const DEPTH: u32 = 2;

/// A clock that is off, for the programs that get its environment.
#[derive(Debug)]
pub struct Clock {
    library: String,
    folder: TempDir,
}

impl Clock {
    /// One that is off by so many seconds.
    ///
    /// # Panics
    /// When the package `faketime` is not installed.
    #[must_use]
    pub fn off_by(secs: i64) -> Self {
        let found = (LIBRARIES.iter()).find_map(|folder| find(folder.as_ref(), DEPTH));
        let clock = Self {
            library: found.expect(
                "libfaketimeMT.so.1 is missing: these tests need one (./tests/run installs it)",
            ),
            folder: crate::files::folder(),
        };
        clock.set(secs);
        clock
    }

    /// From now on it is off by so many seconds: running programs see it jump.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn set(&self, secs: i64) {
        // Renamed, so that nobody reads half of it.
        let (file, next) = (self.file(), self.folder.path().join("next"));
        std::fs::write(&next, format!("{secs:+}"))
            .and_then(|()| std::fs::rename(&next, file))
            .expect("a file of ours");
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    /// What a program's environment needs to see this clock.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            // With the system's own allocator: others, such as redis-server's, ask for the time before they
            // can give the library the memory that it needs to answer.
            ("LD_PRELOAD", format!("{} libc.so.6", self.library)),
            (
                "FAKETIME_TIMESTAMP_FILE",
                self.file().to_string_lossy().into_owned(),
            ),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            // A clock that is set does not disturb what measures how long things take.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

fn find(folder: &Path, depth: u32) -> Option<String> {
    let file = folder.join("faketime/libfaketimeMT.so.1");
    if file.exists() {
        return Some(file.to_string_lossy().into_owned());
    }
    let entries = std::fs::read_dir(folder).ok().filter(|_| depth > 0)?;
    let mut folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    folders.find_map(|path| find(&path, depth - 1))
}
