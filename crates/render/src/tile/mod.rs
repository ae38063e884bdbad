//! Small pictures at once: rendered in process and into memory, without a file, a journal or anything else on the disk.
//!
//! [`tile()`] renders one; [`tiles`] many, on devices that stay open, and keeps their reference orbits (`kept`).

mod kept;
#[expect(clippy::module_inception, reason = "one of them")]
mod tile;
pub mod tiles;

pub use tile::{MAX_SAMPLES, TileError, tile};
