//! Whether an arithmetic suffices for a view: a few hundred of its pixels in that arithmetic, compared with
//! counts that are known to be better, before the picture is computed with it.
//!
//! How many counts an arithmetic misses depends on where a view lies, and neither its depth nor its extent tells (see
//! `docs/precision.md`). So samples decide, and in two places. Whoever makes a job compares plain doubles with deltas
//! ([`doubles_suffice`]) where doubles might fail; the outcome is part of the job, the same whoever computes it. An adapter
//! compares what it would compute a frame in with the processor's counts ([`adapters`]), once a frame: its driver's
//! rounding is its own. An arithmetic in which too many samples differ is replaced by the next more precise one, and at last
//! by the processor.
//!
//! Samples are a regular grid over the view, the same ones each time, and how many there are depends on the iterations
//! that they take, never on time: the choice is a function of the frame and the kind of device.
//!
//! - [`samples`]: the grid and its counts; [`doubles`], [`adapters`]: the two comparisons

pub mod adapters;
pub mod doubles;
pub mod samples;
#[cfg(test)]
mod tests;

pub use adapters::MOST_PERCENT;
pub use doubles::{MOST_PERCENT_OF_DOUBLES, doubles_suffice, frame_of_doubles};
pub use samples::{Comparison, SIDE, Samples};
