//! What is computed of a picture, in which pieces, and what comes back.
//!
//! - [`frame`]: everything that decides a picture's values, with its limits
//! - `general`: which frames are of other formulas than z² + c from 0, and what computes them
//! - [`strip`]: full-width bands of rows, the unit of work
//! - [`measure`]: what is computed of each pixel; [`smooth`]: formulas of the smooth count, distance and angles
//! - [`arithmetic`]: number types of kernels, and which views each is precise enough for
//! - [`counts`]: whether each is certain
//! - [`values`]: those of one measure; [`buffer`]: a computed strip

pub mod arithmetic;
pub mod buffer;
pub mod counts;
pub mod frame;
mod general;
pub mod measure;
pub mod smooth;
pub mod strip;
pub mod values;
