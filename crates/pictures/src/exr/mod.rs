//! OpenEXR: the only modules that name the `exr` crate.

pub mod attributes;
mod blocks;
pub(crate) mod describe;
mod error;
mod pack;
pub(crate) mod read;
pub mod write;

/// What all files of the format begin with.
pub(crate) const MARK: [u8; 4] = [0x76, 0x2f, 0x31, 0x01];
