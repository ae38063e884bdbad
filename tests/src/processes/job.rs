//! Renders on a farm while something goes wrong, against the same picture made in quiet.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use farm_queue::JobId;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::images::pictures::digest;
use crate::processes::programs::{Finished, Running, journals, submitter};
use crate::servers::server::{Pending, Server};

/// How long after a job's end a worker that did not hear of it may take to put away what it brought.
const LATE_WORKERS: Duration = Duration::from_secs(10);
/// How long its journal may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a render with faults may take.
const LIMIT: Duration = Duration::from_secs(240);

/// Digest of a scene's `.npy`, rendered in process with nothing going wrong; rendered once.
#[must_use]
pub fn quiet(scene: &str) -> u64 {
    static KNOWN: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.entry(scene.to_owned()).or_insert_with(|| {
        let folder = crate::files::folder();
        submitter(&format!("render -q {scene} -o x.npy"))
            .within(&folder)
            .ok();
        digest(folder.path().join("x.npy"))
    })
}

/// A render on a farm, under way.
#[derive(Debug)]
pub struct Job {
    /// The submitter.
    pub running: Running,
    line: String,
    folder: TempDir,
    expected: u64,
}

impl Job {
    /// Starts one on a server.
    #[must_use]
    pub fn start(server: &Server, scene: &str) -> Self {
        Self::start_at(&server.url(), scene, "")
    }

    /// Starts one at an address, with more options.
    #[must_use]
    pub fn start_at(url: &str, scene: &str, options: &str) -> Self {
        let expected = quiet(scene);
        let folder = crate::files::folder();
        let line = format!("render -q {scene} -o x.npy --json --redis {url} {options}");
        let running = submitter(&line).within(&folder).limit(LIMIT).start();
        Self {
            running,
            line,
            folder,
            expected,
        }
    }

    /// Waits until its journal is on the disk.
    ///
    /// # Panics
    /// When it is not within a minute.
    pub fn until_journalled(&self, id: &JobId) {
        let plan = journals().join(id.as_str()).join("plan.json");
        let started = Instant::now();
        while !plan.is_file() {
            assert!(started.elapsed() < PATIENCE, "no journal of {id}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills its submitter (SIGKILL), does something, and goes on: with this command, or with the same as before.
    #[must_use]
    pub fn killed(self, meanwhile: impl FnOnce(), command: Option<&str>) -> Self {
        self.running.signal(Signal::KILL);
        let _ = self.running.wait();
        meanwhile();
        let running = submitter(command.unwrap_or(&self.line))
            .within(&self.folder)
            .limit(LIMIT)
            .start();
        Self { running, ..self }
    }

    /// Waits for its end; checks its picture, and that nothing of it is left in the server.
    ///
    /// # Panics
    /// When anything is not as it would be without faults.
    #[must_use]
    pub fn done(self, server: &Server) -> Finished {
        let done = self.running.wait();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(
            digest(self.folder.path().join("x.npy")),
            self.expected,
            "another picture than in quiet: {done:?}"
        );
        nothing_is_left(server);
        done
    }
}

/// Checks that a server holds no key of any job.
///
/// # Panics
/// With the keys that are left, when late workers have had their time.
pub fn nothing_is_left(server: &Server) {
    let started = Instant::now();
    loop {
        let keys = server.job_keys();
        if keys.is_empty() {
            return;
        }
        assert!(
            started.elapsed() < LATE_WORKERS,
            "left of a finished job: {keys:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Those of some strips that a worker of this name has.
#[must_use]
pub fn of<'a>(worker: &str, pending: &'a [Pending]) -> Vec<&'a Pending> {
    let is_theirs = |strip: &&Pending| strip.owner.starts_with(worker);
    pending.iter().filter(is_theirs).collect()
}
