//! Worlds in tests: a file, a folder for the state of its networks, and the commands on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::processes::programs::{Finished, Run, submitter};

/// How long anything may take that happens soon, on a loaded machine.
const SOON: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);

/// A world file with a place for its state; shut down on drop.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
    file: PathBuf,
}

impl World {
    /// A world of this text.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let folder = crate::files::folder();
        let file = folder.path().join("test.penvm");
        fs::write(&file, text).expect("a file of the test");
        Self { folder, file }
    }

    /// Its folder, where the file is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes another file beside it, as a script that can be run.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn script(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a file of the test");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&path, mode).expect("a file of the test");
        }
    }

    /// `submitter world WHAT` on it, with more options.
    #[must_use]
    pub fn command(&self, what: &str, options: &str) -> Run {
        submitter(&format!("world {what}"))
            .arg(&self.file)
            .arg("--state")
            .arg(self.state())
            .args(options.split_whitespace())
    }

    /// `submitter LINE --world` on it.
    #[must_use]
    pub fn render(&self, line: &str) -> Run {
        submitter(line)
            .arg("--world")
            .arg(&self.file)
            .arg("--state")
            .arg(self.state())
    }

    /// Boots it, which has to be a success; the report.
    #[must_use]
    pub fn boot(&self) -> Value {
        self.command("boot", "--json").ok().json()
    }

    /// What runs of it; whatever the exit status.
    #[must_use]
    pub fn status(&self) -> Value {
        self.command("status", "--json").run().json()
    }

    /// Shuts it down, which has to be a success and to leave nothing.
    pub fn shut_down(&self) -> Finished {
        let pids = self.pids();
        let done = self.command("shutdown", "--json").ok();
        for pid in pids {
            assert!(!is_alive(pid), "process {pid} is left: {done:?}");
        }
        self.nothing_is_left();
        done
    }

    /// Checks that no state is left; how long the last boot took may be.
    ///
    /// # Panics
    /// With what is there.
    pub fn nothing_is_left(&self) {
        let Ok(entries) = fs::read_dir(self.state()) else {
            return;
        };
        let names: Vec<_> = (entries.flatten())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !name.ends_with(".last.json"))
            .collect();
        assert!(names.is_empty(), "left of a world: {names:?}");
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Pids that are written down in its state, whatever they are of.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let Ok(entries) = fs::read_dir(self.state()) else {
            return Vec::new();
        };
        let files = entries
            .flatten()
            .filter_map(|entry| fs::read_dir(entry.path()).ok());
        files
            .flatten()
            .flatten()
            .filter(|file| file.path().extension().is_some_and(|end| end == "pid"))
            .filter_map(|file| {
                fs::read_to_string(file.path())
                    .ok()?
                    .split(' ')
                    .next()?
                    .parse()
                    .ok()
            })
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A test that failed leaves no process either.
        let _ = self.command("shutdown", "").run();
    }
}

/// A target of a report or a status.
///
/// # Panics
/// When there is none of that name.
#[must_use]
pub fn target<'a>(report: &'a Value, name: &str) -> &'a Value {
    let targets = report["targets"].as_array().expect("targets");
    let found = targets.iter().find(|target| target["target"] == name);
    found.unwrap_or_else(|| panic!("no target {name}: {report}"))
}

/// The pid of a target of a report or a status.
///
/// # Panics
/// When it has none.
#[must_use]
pub fn pid(report: &Value, name: &str) -> u32 {
    let pid = target(report, name)["pid"].as_u64();
    pid.and_then(|pid| u32::try_from(pid).ok())
        .unwrap_or_else(|| panic!("no pid of {name}: {report}"))
}

/// Whether a process runs; one that waits to be reaped does not.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

/// Waits until something about a world holds.
///
/// # Panics
/// When it does not within a minute.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < SOON, "waited in vain until {what}");
        std::thread::sleep(GLANCE);
    }
}
