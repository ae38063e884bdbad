//! Squares of pixels as Taylor series.
//!
//! - [`series`]: the series of one tile, and how far its steps lead; [`values`]: its values at pixels, and the series of its parts
//! - [`tree`]: squares within squares, each as far as one series reaches

pub(super) mod series;
pub(super) mod tree;
mod values;
