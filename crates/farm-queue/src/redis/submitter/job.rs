//! What a submitter keeps of a job that it created.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::job::JobSpec;
use crate::orbit::SharedOrbit;
use crate::protocol::choice::DEFAULT_PRIORITY;
use crate::protocol::keys::JobKeys;
use crate::protocol::spec;
use crate::queue::Collected;
use crate::redis::connect::{Link, Server, bulk_timeout};
use crate::redis::lifetimes::{JOB_LIFETIME, YOUNG_LIFETIME};
use crate::redis::spares::Spares;
use crate::status::JobState;

/// Most bytes of buffers that one round of fetching asks for.
const FETCH_BYTES: u64 = 16 << 20;
/// Most announcements that one round reads.
const MAX_FETCH: u64 = 64;
/// Most buffers whose memory is kept for the next ones, within [`FETCH_BYTES`], too.
const MAX_SPARES: u64 = 8;
/// What the server says of a job's state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) state: JobState,
    pub(super) priority: f64,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            state: JobState::Running,
            priority: DEFAULT_PRIORITY,
        }
    }
}

/// What a submitter keeps of a job that it created.
pub(super) struct Job {
    pub(super) spec: Arc<JobSpec>,
    pub(super) keys: JobKeys,
    pub(super) link: Link,
    pub(super) reading: Mutex<Reading>,
    /// Its reference orbit, once it is shared.
    pub(super) orbit: OnceLock<SharedOrbit>,
    /// Another submitter could go on with it.
    outlives: AtomicBool,
    standing: StdMutex<Standing>,
}

/// What was read of it and is not handed out or removed yet.
pub(super) struct Reading {
    /// Fetched, not yet handed out.
    pub(super) ready: Vec<Collected>,
    /// Fetched, not yet removed: slot and announcement.
    pub(super) taken: Vec<(u32, String)>,
    /// Refused, not yet removed: slot and announcement.
    pub(super) refused: Vec<(u32, String)>,
    /// Dead letters and malformed announcements, not yet removed.
    pub(super) read_done: Vec<String>,
    pub(super) read_dead: Vec<String>,
    pub(super) kept: Instant,
    pub(super) spares: Spares,
    /// Processes that fell silent with strips in hand.
    pub(super) silent: HashSet<String>,
}

impl Job {
    /// A job of which nothing was read yet.
    pub(super) fn new(spec: Arc<JobSpec>, server: &Arc<Server>) -> Self {
        Self {
            link: Link::keeping_scripts(Arc::clone(server)),
            keys: JobKeys::new(&spec.id),
            reading: Mutex::new(Reading {
                ready: Vec::new(),
                taken: Vec::new(),
                refused: Vec::new(),
                read_done: Vec::new(),
                read_dead: Vec::new(),
                kept: Instant::now(),
                spares: Spares::new(fetch_count(&spec).min(MAX_SPARES) as usize),
                silent: HashSet::new(),
            }),
            orbit: OnceLock::new(),
            outlives: AtomicBool::new(false),
            standing: StdMutex::default(),
            spec,
        }
    }

    /// How long its keys outlive its submitter's last sign of life.
    pub(super) fn lifetime(&self) -> Duration {
        if self.outlives.load(Ordering::Relaxed) {
            return JOB_LIFETIME;
        }
        // Its orbit may take long on its way, and nothing else is said meanwhile.
        let orbit = self.spec.orbit.as_ref();
        let on_its_way = orbit.map_or(Duration::ZERO, |key| bulk_timeout(key.bytes()));
        (YOUNG_LIFETIME + on_its_way).min(JOB_LIFETIME)
    }

    /// Notes that another submitter could go on with it; whether that is new.
    pub(super) fn outlive(&self) -> bool {
        !self.outlives.swap(true, Ordering::Relaxed)
    }

    /// What the server last said of its state.
    pub(super) fn standing(&self) -> Standing {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the server says of its state.
    pub(super) fn set_standing(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

/// Most announcements to read at once, so that their buffers stay within [`FETCH_BYTES`].
pub(super) fn fetch_count(job: &JobSpec) -> u64 {
    (FETCH_BYTES / spec::largest_strip_bytes(job).max(1)).clamp(1, MAX_FETCH)
}
