//! What the deep kernels keep with a frame between its strips.

use std::sync::Arc;

use super::axes::Axes;
use super::tiles::tree::Tree;
use crate::deep::KnownCycles;
use crate::frame::{DeepFrame, PreparedFrame};

/// What a frame keeps between strips: its coordinates, and its trees, for the frame's escape radius and for that of stability.
#[derive(Debug)]
pub(in crate::cpu) struct Trees {
    pub(super) counts: Tree,
    pub(super) stability: Tree,
    pub(super) axes: Axes,
    /// What pixels have led to.
    pub(super) known: KnownCycles,
}

impl Trees {
    /// Those of a frame, of which `deep` is the deep part.
    pub(in crate::cpu) fn of(frame: &PreparedFrame, deep: &DeepFrame) -> Arc<Self> {
        frame.cache.get_or_init(|| Self::new(deep))
    }

    /// Those of a picture of these columns and rows; nothing but the axes is computed.
    fn new(deep: &DeepFrame) -> Self {
        let tree = Tree::new(deep.columns.len() as u32, deep.rows.len() as u32);
        Self {
            counts: tree.clone(),
            stability: tree,
            axes: Axes::new(deep),
            known: KnownCycles::default(),
        }
    }
}
