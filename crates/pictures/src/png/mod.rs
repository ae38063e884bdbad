//! PNG: the only modules that name the `png` crate.

pub(crate) mod chunks;
pub(crate) mod read;
pub mod write;
