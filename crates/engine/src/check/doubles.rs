//! Whether plain doubles suffice for a view, where deltas would do.

use fractal::FrameSpec;

use super::samples::{Comparison, Samples};
use crate::frame::PreparedFrame;
use crate::info::EngineError;
use crate::progress::Progress;

/// Iteration limit of samples that compare doubles with deltas: their reference orbit is for nothing else.
const PLAIN_ITERATIONS: u64 = 1 << 18;
/// Most samples of a hundred that may differ in plain doubles from deltas: half of what adapters may have, so that
/// adapters, which are compared with doubles then, stay within theirs as well.
pub const MOST_PERCENT_OF_DOUBLES: f64 = 0.5;

/// Compares plain doubles with deltas on the processor: whether doubles suffice for a view, of which `plain` is the frame
/// and `deep` the one with a reference orbit. Samples are iterated to the limit that `deep` has.
///
/// # Errors
/// [`EngineError::Cancelled`].
pub fn doubles_suffice(
    plain: &PreparedFrame,
    deep: &PreparedFrame,
    progress: &Progress,
) -> Result<Comparison, EngineError> {
    let limit = deep.spec.iterations;
    let exact = Samples::of(deep, limit, progress)?;
    let doubles = Samples::of(plain, limit, progress)?;
    Ok(exact.compare(&doubles.counts))
}

/// The frame that [`doubles_suffice`] computes a reference orbit for: the view, with an iteration limit for which the
/// orbit takes milliseconds.
#[must_use]
pub fn frame_of_doubles(spec: &FrameSpec) -> FrameSpec {
    FrameSpec {
        iterations: spec.iterations.min(PLAIN_ITERATIONS),
        ..spec.clone()
    }
}
