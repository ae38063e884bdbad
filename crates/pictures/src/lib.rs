//! Files of pixels and of measures. A module a format, with its reader and its writer.
//!
//! Writers take the strips of a picture in order ([`Strips`]) and hold a few of them at a time, but for formats that are
//! encoded whole ([`whole`]): of those they hold all pixels. Readers give rows of values ([`RowSource`]), as much of them
//! as is asked for.
//!
//! - [`png`]: colours; [`whole`]: colours as JPEG, WebP, TIFF and AVIF; [`exr`]: measures and colours as channels;
//!   [`npy`]: one measure
//! - [`picture`]: a picture of colours, in any of their formats
//! - [`kinds`]: what files hold; [`texts`]: what pictures say of themselves
//! - [`data`]: `.exr` and `.npy` as rows of values, to be painted; [`rows`], [`painted`]: rows on their way
//! - [`open`]: files as they are found; [`contents`]: what they hold

#![forbid(unsafe_code)]

pub mod contents;
pub mod data;
pub mod exr;
pub mod kinds;
pub mod npy;
pub mod open;
pub mod painted;
mod part;
pub mod picture;
pub mod png;
pub mod rows;
#[cfg(test)]
mod tests;
pub mod texts;
pub mod whole;

pub use images::ImageFormat;
pub use kinds::{Channel, Channels, Compression};
pub use picture::{ColourFormat, ColourPicture};
pub use rows::{RowSource, Strips};
pub use texts::{SettlingSoFar, Texts};
pub use whole::thumbnail;
