//! Orbits of any formula in doubles.
//!
//! - `program`: a formula's operations on vectors; `lanes`: their steps; `orbits`: pixels, from their start to their end

mod lanes;
mod orbits;
mod program;

pub(super) use orbits::{PlainEnd, PlainPixel, PlainPlan, compute, one_by_one};
