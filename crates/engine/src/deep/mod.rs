//! What every kernel for deep views needs beside the reference orbit, on any kind of device.
//!
//! - [`bla`]: blocks of steps of the reference orbit as one linear step (bilinear approximation)
//! - [`jets`]: blocks of steps as polynomials

pub mod bla;
pub mod jets;

pub use bla::BlaTable;
pub use jets::JetTable;
