//! What the pixels of a deep view share on a device: the reference orbit and the blocks of its steps.
//!
//! - [`cache`]: the data of the last few frames; [`upload`]: how they get there, page by page
//! - [`levels`]: blocks of each level as they lie in pages; [`writer`]: numbers as bytes

pub(super) mod cache;
mod levels;
mod upload;
mod writer;
