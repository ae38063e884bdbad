//! A module a format. Every number keeps all its digits.

pub(crate) mod encoding;
pub(crate) mod fraktaler3;
pub(crate) mod kfr;
mod kfr_colours;
mod kfr_formula;
pub(crate) mod mandelfarm;
pub(crate) mod numbers_as_written;
mod partial_colours;
pub(crate) mod rust_fractal;
mod shared;
pub mod toml_error;
