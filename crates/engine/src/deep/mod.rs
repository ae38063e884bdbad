//! What every kernel for deep views needs beside the reference orbit, on any kind of device.
//!
//! - [`bla`]: blocks of steps of the reference orbit as one linear step (bilinear approximation)
//! - [`jets`]: blocks of steps as polynomials
//! - [`minibrot`]: one return of the points around a minibrot; [`trap`]: proofs that they are inside it

pub mod bla;
pub mod jets;
pub mod minibrot;
pub mod trap;

pub use bla::BlaTable;
pub use jets::JetTable;
pub use minibrot::ReturnMap;
pub use trap::Verdict;
