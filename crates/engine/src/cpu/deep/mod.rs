//! Pixels as deltas from a reference orbit.
//!
//! - [`frame`]: what the kernels of a frame have in common; [`axes`]: its columns and rows; [`numbers`]: what they
//!   calculate with; [`rounding`]: what it may have moved them by
//! - [`square`]: squares of pixels and where they lie; [`interior`]: which of their pixels are proved to be inside
//! - [`tiles`]: squares of pixels as Taylor series; [`pixels`]: what a series leaves, pixel by pixel
//! - [`paired`]: pixels again whose counts doubles do not tell
//! - [`trees`]: what is kept between strips
//! - [`task`]: all of it for one square of a strip

mod axes;
mod frame;
mod interior;
mod numbers;
mod paired;
mod pixels;
mod rounding;
pub(super) mod square;
pub(super) mod task;
#[cfg(test)]
mod tests;
mod tiles;
pub(super) mod trees;

pub(crate) use task::KERNEL_ID;
