//! Orbits of any formula in doubles.
//!
//! - `program`: a formula's operations on vectors; `lanes`: their steps; `orbits`: pixels, from their start to their end

mod lanes;
mod orbits;
mod program;

pub(super) use orbits::{PlainEnd, PlainPixel, compute, one_by_one};
pub(super) use program::PlainPlan;
