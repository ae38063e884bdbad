//! Working memory that threads take for a piece of work and leave for the next one.

use std::sync::{Mutex, PoisonError};

/// What threads have left for others: at most as many as ever were in use at once.
#[derive(Debug)]
pub(crate) struct Spares<T>(Mutex<Vec<T>>);

impl<T> Spares<T> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// What was left last, or one that is made.
    pub(crate) fn take(&self, make: impl FnOnce() -> T) -> T {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        left.unwrap_or_else(make)
    }

    /// Leaves one.
    pub(crate) fn leave(&self, spare: T) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.push(spare);
    }
}
