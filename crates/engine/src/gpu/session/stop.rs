//! Why a computation on a device ended early, and the first thing that went wrong with a device.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why a computation on a device ended early.
#[derive(Debug)]
pub(in crate::gpu) enum Stop {
    /// It was asked to.
    Cancelled,
    /// The device failed.
    Lost(String),
    /// The device has not what the frame needs.
    NotServed,
}

impl Stop {
    /// In words.
    pub(in crate::gpu) fn reason(self) -> String {
        match self {
            Self::Cancelled => "cancelled".into(),
            Self::NotServed => "not served".into(),
            Self::Lost(reason) => reason,
        }
    }
}

/// The first thing that went wrong with a device.
#[derive(Debug, Default)]
pub(in crate::gpu) struct Failure(Mutex<Option<String>>);

impl Failure {
    pub(in crate::gpu) fn record(&self, reason: impl Into<String>) {
        lock(&self.0).get_or_insert_with(|| reason.into());
    }

    pub(in crate::gpu) fn get(&self) -> Option<String> {
        lock(&self.0).clone()
    }

    /// Takes it back: only while a device is tried out, where a failure is a result.
    pub(in crate::gpu) fn take(&self) -> Option<String> {
        lock(&self.0).take()
    }

    pub(in crate::gpu) fn check(&self) -> Result<(), Stop> {
        self.get().map_or(Ok(()), |reason| Err(Stop::Lost(reason)))
    }
}

/// Locks whatever a panicking thread left behind: nothing here is left half-changed.
pub(in crate::gpu) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Errors of wgpu are trees of many lines; ours are one line.
pub(in crate::gpu) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
