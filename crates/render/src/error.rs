//! Why there is no picture, in one line.

use std::io;
use std::time::Duration;

use disk::WriteError;
use engine::EngineError;
use engine::device::NoDevice;
use farm_queue::QueueError;
use farm_worker::Fault;
use fractal::FrameError;
use fractal::reference::OrbitError;

use crate::prepare::precision::PrecisionError;

/// Why a render failed.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The strips did not come together.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// This machine has no device that may compute it.
    #[error(transparent)]
    Device(#[from] NoDevice),
    /// The farm's queue cannot be reached.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Its frame is over a limit.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It cannot be computed as it was asked for.
    #[error(transparent)]
    Precision(#[from] PrecisionError),
    /// There is no reference orbit.
    #[error(transparent)]
    Orbit(#[from] OrbitError),
    /// The reference orbit cannot be sent to workers.
    #[error("the reference orbit is too long to be sent")]
    OrbitTooLong,
    /// Samples of the view cannot be computed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A task or thread of this process ended in the midst of its work.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It was stopped before anything was computed.
    #[error("stopped while {what}")]
    Stopped {
        /// What it was doing.
        what: &'static str,
        /// Why.
        #[source]
        why: CollectError,
    },
}

impl RenderError {
    /// Whether the user or the system asked to stop.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        matches!(
            self,
            Self::Collect(CollectError::Interrupted)
                | Self::Stopped {
                    why: CollectError::Interrupted,
                    ..
                }
        )
    }
}

/// Why a picture was not finished.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The queue stayed out of reach, or answered what it should not.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Strips failed on every worker that had them.
    #[error("{0}")]
    Dead(String),
    /// A file could not be begun once more.
    #[error(transparent)]
    Restart(#[from] WriteError),
    /// A file's thread ended early; the file says why.
    #[error("a file could not be written")]
    Output,
    /// Nobody is left who could compute the others: every device of a render in process has hung for so long.
    #[error("every device has hung for {:.0} s; the picture may be rendered elsewhere, or with another --backend", .0.as_secs_f64())]
    Hung(Duration),
    /// A task or thread of this process ended in the midst of its work.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The user or the system asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Why a file is not whole whose picture is not: somebody else knows more.
#[derive(Debug, thiserror::Error)]
#[error("the picture was not finished")]
pub struct CutOff;

/// Whether a file failed because the picture did, and not by itself.
#[must_use]
pub fn is_cut_off(error: &WriteError) -> bool {
    let mut cause = Some(error as &(dyn std::error::Error + 'static));
    while let Some(error) = cause {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<CutOff>()) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_failed_by_themselves_are_told_from_those_that_were_cut_off() {
        let of = |source| WriteError::Create {
            path: "x".into(),
            source,
        };
        assert!(is_cut_off(&of(io::Error::other(CutOff))));
        assert!(!is_cut_off(&of(io::Error::other("no space"))));
    }
}
