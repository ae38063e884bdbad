//! What applies a scheme: rows of values become rows of pixels.

pub mod canvas;
pub mod distribution;
pub mod light;
mod mapping;
pub mod noise;
pub mod painter;
pub mod srgb;
pub mod tables;
