//! What a device of either kind is, and why it did not compute a strip.

use fractal::{Arithmetic, Backend};

/// What a device is and can do, for people and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its kind.
    pub backend: Backend,
    /// Its name, such as `AVX-512, 2 threads` or an adapter's.
    pub name: String,
    /// The number types whose proof it passed, the fastest first.
    pub arithmetics: Vec<Arithmetic>,
    /// For an adapter: whether it is a software one.
    pub software: bool,
}

/// Why a strip was not computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// [`crate::Progress::cancel`] was called.
    #[error("cancelled")]
    Cancelled,
    /// The device is gone or failed; another one may serve.
    #[error("device '{device}' failed: {reason}")]
    DeviceLost {
        /// Its name.
        device: String,
        /// What its driver said.
        reason: String,
    },
    /// The one arithmetic that is asked for is not the device's, or not for such a view.
    #[error("'{device}' does not compute this view in {arithmetic}")]
    Arithmetic {
        /// Its name.
        device: String,
        /// The name of the arithmetic.
        arithmetic: &'static str,
    },
    /// Samples of the frame showed that no arithmetic of the device suffices for it.
    #[error(
        "{arithmetic} on '{device}' does not suffice for this view: {off} of {samples} samples differ"
    )]
    Inexact {
        /// Its name.
        device: String,
        /// Name of its arithmetic that came nearest.
        arithmetic: &'static str,
        /// Samples that differed.
        off: u32,
        /// Samples compared.
        samples: u32,
    },
    /// The reference orbits of another formula than z² + c are too long.
    #[error(transparent)]
    Orbits(#[from] fractal::formula::OrbitsError),
    /// The device has no kernel that is precise enough for the frame.
    #[error("no kernel of '{device}' is precise enough for a pixel spacing of 2^{spacing_log2:.1}")]
    NotServed {
        /// Its name.
        device: String,
        /// log2 of the pixel spacing, rounded down.
        spacing_log2: i32,
    },
}
