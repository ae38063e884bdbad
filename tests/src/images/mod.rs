//! Pictures: what is rendered, how it is read, and what it has to be.
//!
//! - [`scenes`]: the views that tests render, quick and slow ones; [`pictures`]: readers of files, and digests of them
//! - [`similarity`]: how alike two pictures are; [`naive`]: one pixel at a time, as a textbook has it; [`oracle`]: exact
//!   iteration counts from files

pub mod naive;
pub mod oracle;
pub mod pictures;
pub mod scenes;
pub mod similarity;
