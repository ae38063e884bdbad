//! Blocks of steps in pairs of doubles.
//!
//! Each join of blocks rounds, and a long block is one of many joins: in doubles A and B would be off by some 2^-53 for each
//! of its steps. Where counts have to be certain they are computed in pairs of doubles from a reference orbit that has its low
//! parts, and rounded once. Pixels whose counts doubles cannot tell go by blocks whose numbers stay pairs.
//!
//! - [`number`]: pairs, and complex numbers of them
//! - [`linear`]: A and B of all blocks; [`jets`]: polynomials; [`tables`]: all that pixels go by

mod jets;
mod linear;
mod number;
mod tables;

pub(crate) use jets::PairedJet;
pub(crate) use linear::refine;
pub(crate) use number::{Complex, Pair, times_plus};
pub(crate) use tables::{LinearBlock, PairedTables};
