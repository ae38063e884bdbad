//! Pictures that are encoded whole: JPEG, WebP, TIFF and AVIF, by the `image` and `tiff` crates, which are named here only.
//!
//! - [`mod@format`]: which there are, and how large each may be; [`encode`]: pixels as a file of each
//! - [`read`]: what such files say, whatever program wrote them, and small pictures of them
//! - [`exif`]: texts in them; [`segments`]: where those lie; [`passing`]: files that are walked through once
//!
//! It knows nothing of colours: a changed palette compiles no encoder.

#![forbid(unsafe_code)]

pub mod encode;
mod error;
pub mod exif;
pub mod format;
pub mod passing;
pub mod read;
pub mod segments;

pub use encode::{Encoding, Pixels, WriteSeek};
pub use format::{ImageFormat, TooLarge};
