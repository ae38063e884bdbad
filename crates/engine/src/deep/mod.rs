//! What every kernel for deep views needs beside the reference orbit, on any kind of device.
//!
//! - [`bla`]: blocks of steps of the reference orbit as one linear step (bilinear approximation)
//! - [`jets`]: blocks of steps as polynomials
//! - `complex`: complex numbers as pairs of doubles; `parallel`: tables filled by several threads
//! - [`minibrot`]: one return of the points around a minibrot; [`trap`]: proofs that they are inside it
//! - `square`: squares of a picture's samples
//! - [`attractor`]: proofs that points are inside a component of any period

pub mod attractor;
pub mod bla;
pub(crate) mod complex;
pub mod jets;
pub mod minibrot;
mod parallel;
mod square;
pub mod trap;

pub use attractor::{Course, Cycle};
pub(crate) use attractor::{KnownCycles, field};
pub use bla::BlaTable;
pub use jets::JetTable;
pub use minibrot::ReturnMap;
pub(crate) use square::Square;
pub use trap::Proof;
