//! A device with what is seen of it from outside: how it moves, and how long its strips take.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::{Compute, DeviceInfo, EngineError, PreparedFrame, Progress};
use fractal::{Strip, StripBuffer};

/// What the newest strip's time weighs in the mean of all.
const NEWEST: f64 = 0.2;

/// A device, and what all computations on it have in common.
pub(crate) struct Station {
    device: Arc<dyn Compute>,
    /// How often one of its computations was seen to have moved.
    moved: AtomicU64,
    /// Computations that ended.
    ended: AtomicU64,
    /// Computations that have not.
    inside: AtomicUsize,
    /// Mean of the strips' seconds, the newest weighing most; `None` before the first.
    mean_secs: Mutex<Option<f64>>,
}

/// What a watcher reads off a station.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StationCounts {
    pub(crate) moved: u64,
    pub(crate) ended: u64,
    pub(crate) inside: u64,
}

impl Station {
    pub(crate) fn new(device: Arc<dyn Compute>) -> Self {
        Self {
            device,
            moved: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            inside: AtomicUsize::new(0),
            mean_secs: Mutex::new(None),
        }
    }

    pub(crate) fn info(&self) -> &DeviceInfo {
        self.device.info()
    }

    pub(crate) fn counts(&self) -> StationCounts {
        StationCounts {
            moved: self.moved.load(Ordering::Relaxed),
            ended: self.ended.load(Ordering::Relaxed),
            inside: self.inside.load(Ordering::Relaxed) as u64,
        }
    }

    /// A watcher saw one of its computations move.
    pub(crate) fn note_move(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
    }

    /// Mean seconds of a strip; 0 before the first one.
    pub(crate) fn mean_secs(&self) -> f64 {
        let mean = self.mean_secs.lock();
        mean.unwrap_or_else(PoisonError::into_inner).unwrap_or(0.0)
    }

    fn note_strip_time(&self, secs: f64) {
        let mut mean = (self.mean_secs.lock()).unwrap_or_else(PoisonError::into_inner);
        *mean = Some(mean.map_or(secs, |mean| mean + NEWEST * (secs - mean)));
    }
}

/// One strip's computation, as its lane sees it: where it is, and whether it moves.
pub(crate) struct Computation {
    pub(crate) progress: Progress,
    station: Mutex<Arc<Station>>,
    waiting: AtomicBool,
    over: AtomicBool,
}

impl Computation {
    /// About to begin at `station`.
    pub(crate) fn at(station: &Arc<Station>) -> Self {
        Self {
            progress: Progress::default(),
            station: Mutex::new(Arc::clone(station)),
            waiting: AtomicBool::new(false),
            over: AtomicBool::new(false),
        }
    }

    /// Where it is now.
    pub(crate) fn station(&self) -> Arc<Station> {
        Arc::clone(&self.station.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Its turn at the device has yet to come, or came.
    pub(crate) fn set_waiting(&self, waiting: bool) {
        self.waiting.store(waiting, Ordering::Relaxed);
    }

    /// Whether its turn at the device has yet to come: until then it cannot move.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether it is done, one way or the other; what follows is no computation.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Computes at `station`, and says in how many seconds.
    pub(crate) fn run(
        &self,
        station: &Arc<Station>,
        frame: &PreparedFrame,
        strip: Strip,
        insist: bool,
    ) -> Result<(StripBuffer, f64), EngineError> {
        *(self.station.lock()).unwrap_or_else(PoisonError::into_inner) = Arc::clone(station);
        // To have come to another device is to have moved.
        self.progress.step();
        let _inside = Inside::enter(station);
        let began = Instant::now();
        let buffer = station
            .device
            .compute(frame, strip, insist, &self.progress)?;
        let secs = began.elapsed().as_secs_f64();
        station.note_strip_time(secs);
        Ok((buffer, secs))
    }
}

/// A computation inside a station, also when it ends by a panic.
struct Inside<'a>(&'a Station);

impl<'a> Inside<'a> {
    fn enter(station: &'a Station) -> Self {
        station.inside.fetch_add(1, Ordering::Relaxed);
        Self(station)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::Relaxed);
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// Strip times that a strip may go without moving, as a multiple of their mean.
const PATIENCE: f64 = 20.0;

/// How long a computation at `station` may stand still before it counts as hung: `floor`, or longer where strips
/// take long.
pub(crate) fn patience(station: &Station, floor: Duration) -> Duration {
    let usual = Duration::try_from_secs_f64(PATIENCE * station.mean_secs());
    usual.unwrap_or(Duration::MAX).max(floor)
}
