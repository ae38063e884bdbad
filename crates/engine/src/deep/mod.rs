//! What every kernel for deep views needs beside the reference orbit, on any kind of device.
//!
//! - [`bla`]: blocks of steps of the reference orbit as one linear step (bilinear approximation)
//! - [`jets`]: blocks of steps as polynomials
//! - [`losses`]: what blocks lose
//! - `pairs`: their numbers in pairs of doubles
//! - `complex`: complex numbers as pairs of doubles; `parallel`: tables filled by several threads
//! - [`minibrot`]: one return of the points around a minibrot; [`trap`]: proofs that they are inside it
//! - `square`: squares of a picture's samples
//! - [`attractor`]: proofs that points are inside a component of any period

pub mod attractor;
pub mod bla;
pub(crate) mod complex;
pub mod jets;
pub mod losses;
pub mod minibrot;
pub(crate) mod pairs;
mod parallel;
mod square;
pub mod trap;

pub use attractor::{Course, Cycle};
pub(crate) use attractor::{KnownCycles, field};
pub use bla::BlaTable;
pub use jets::JetTable;
pub use losses::{LossTable, Stored};
pub use minibrot::ReturnMap;
pub(crate) use square::Square;
pub use trap::Proof;
