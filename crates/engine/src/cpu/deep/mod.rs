//! Pixels as deltas from a reference orbit.
//!
//! - [`frame`]: what the kernels of a frame have in common; squares of pixels and where they lie
//! - [`series`]: a square of pixels as one Taylor series; [`tree`]: squares within squares
//! - [`pixel`]: what a series leaves, pixel by pixel
//! - [`task`]: all of it for one square of a strip

mod frame;
mod pixel;
mod series;
mod task;
#[cfg(test)]
mod tests;
mod tree;

pub(super) use task::{Output, Task};
pub(crate) use tree::Tree;

/// The kernels' version: changes whenever the bytes of any strip may change.
pub(crate) const KERNEL_ID: u64 = 0x6465_6570_0000_0001; // "deep", 1
/// Side of the squares that tasks compute.
pub(super) const TASK: u32 = tree::TASK;

/// What a frame keeps between strips: its trees, for the frame's escape radius and for that of stability.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    counts: Tree,
    stability: Tree,
}

impl Trees {
    /// Of a picture of so many columns and rows; nothing is computed.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self {
            counts: Tree::new(width, height),
            stability: Tree::new(width, height),
        }
    }
}
