//! Locations: places in the plane as files, ours and those of other programs, and inside pictures.
//!
//! - [`location`]: what a location is
//! - `formats`: a module a format
//! - [`read`]: reads any of them, from files and from pictures; [`about`]: writes them

#![forbid(unsafe_code)]

pub mod about;
mod formats;
pub mod location;
pub mod read;
#[cfg(test)]
mod tests;

pub use about::{NoSuchFormula, TEXT_NAMES};
pub use formats::toml_error::toml_error;
pub use location::{Format, Location, MAX_BYTES, Minibrot};
pub use read::{LocationError, own_text};
