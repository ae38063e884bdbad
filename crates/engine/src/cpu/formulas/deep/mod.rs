//! Orbits of any formula as deltas from reference orbits.
//!
//! - `real`, `matrix`: numbers and linear maps; `linear`: steps and blocks as such maps, with what they leave out; `table`: the
//!   blocks of an orbit; `references`: all that a frame's pixels share
//! - `delta`: one step of a delta; `pixel`: a pixel's orbit

mod delta;
mod linear;
mod matrix;
mod pixel;
mod real;
mod references;
mod table;

pub(super) use pixel::{Outcome, Pixel};
pub(super) use references::Deep;
