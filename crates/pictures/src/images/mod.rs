//! Pictures that are encoded whole, by the `image` and `tiff` crates: [`mod@write`] makes them, [`read`] looks at them. The
//! only module that names those crates. [`mod@format`] says how large each may be; [`exif`] holds their texts, and
//! [`segments`] finds them.

mod error;
mod exif;
pub mod format;
pub(crate) mod read;
pub(crate) mod segments;
pub(crate) mod write;

pub use format::{ImageFormat, TooLarge};
pub use read::thumbnail;
