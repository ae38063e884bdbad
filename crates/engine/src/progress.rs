//! The two-way channel between a computation and its caller.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared between a computation and its watcher: the watcher may cancel it, and the computation counts its steps. Kernels look at it between dispatches or bands of rows, at least every 100 ms or so.
#[derive(Debug, Default)]
pub struct Progress {
    cancelled: AtomicBool,
    steps: AtomicU64,
}

impl Progress {
    /// Asks the computation to stop; it answers with [`crate::EngineError::Cancelled`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Called by kernels whenever a dispatch or a band of rows is done.
    pub fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// How often [`Progress::step`] was called: where this number stands still, the computation hangs.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}
