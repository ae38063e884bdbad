//! Pictures that are encoded whole, by the `image` and `tiff` crates: [`mod@write`] makes them, [`read`] looks at them. The
//! only module that names those crates. [`mod@format`] says how large each may be; [`exif`] holds their texts.

mod exif;
pub mod format;
pub mod read;
pub(crate) mod write;

pub use format::{ImageFormat, TooLarge};
