//! Orbits of any formula as deltas from reference orbits.
//!
//! - `real`, `matrix`: numbers and linear maps; `linear`: steps and blocks as such maps, with what they leave out; `table`: the
//!   blocks of an orbit; `references`: all that a frame's pixels share
//! - `delta`: one step of a delta; `pixel`: a pixel's orbit; `lanes`: some of them side by side; `vectors`: their
//!   steps

mod delta;
mod lanes;
mod linear;
mod matrix;
mod pixel;
mod real;
mod references;
mod table;
mod vectors;

pub(super) use lanes::{LaneEnd, Lanes};
pub(super) use pixel::{Outcome, Pixel};
pub(super) use references::Deep;
