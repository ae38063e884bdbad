//! What every kernel for deep views needs beside the reference orbit, on any kind of device.
//!
//! - [`bla`]: blocks of steps of the reference orbit as one linear step (bilinear approximation)

pub mod bla;

pub use bla::BlaTable;
