//! Pixels as deltas from a reference orbit.
//!
//! - [`frame`]: what the kernels of a frame have in common; squares of pixels and where they lie
//! - [`series`]: a square of pixels as one Taylor series; [`tree`]: squares within squares
//! - [`pixel`]: what a series leaves, pixel by pixel; [`lanes`]: vectors of them
//! - [`tail`]: the last steps, for which no reference is needed
//! - [`interior`]: what need not be iterated; [`cycle`]: nor all of what repeats itself
//! - [`task`]: all of it for one square of a strip

mod cycle;
#[cfg(test)]
mod edges;
mod frame;
mod interior;
mod lanes;
mod pixel;
mod series;
mod tail;
mod task;
#[cfg(test)]
mod tests;
mod tree;

use crate::prepared::DeepFrame;

pub(super) use task::{Output, Task};
pub(crate) use tree::Tree;

/// The kernels' version: changes whenever the bytes of any strip may change.
pub(crate) const KERNEL_ID: u64 = 0x6465_6570_0000_0006; // "deep", 6
/// Side of the squares that tasks compute.
pub(super) const TASK: u32 = tree::TASK;

/// What a frame keeps between strips: its coordinates, and its trees, for the frame's escape radius and for that of stability.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    counts: Tree,
    stability: Tree,
    axes: frame::Axes,
}

impl Trees {
    /// Of a picture of these columns and rows; nothing else is computed.
    pub(crate) fn new(deep: &DeepFrame) -> Self {
        let tree = Tree::new(deep.columns.len() as u32, deep.rows.len() as u32);
        Self {
            counts: tree.clone(),
            stability: tree,
            axes: frame::Axes::new(deep),
        }
    }
}
