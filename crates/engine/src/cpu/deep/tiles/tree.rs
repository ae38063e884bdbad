//! A picture as a tree of squares, each as far as one series reaches.
//!
//! Squares are aligned to the whole picture, so what a pixel is computed from depends on no strip. The upper part of
//! the tree is computed once a frame, when it is first needed, and kept.

use std::sync::OnceLock;

use super::series::{Series, Stop};
use crate::cpu::deep::frame::Deep;
use crate::cpu::deep::square::{Disc, Square, TASK};

/// Levels of the tree that are kept, as far as their squares are larger than tasks: 5461 squares at most.
const KEPT_LEVELS: u32 = 7;

/// A square whose series went as far as it could.
#[derive(Clone, Debug)]
pub(in crate::cpu::deep) struct Node {
    pub(in crate::cpu::deep) series: Series,
    pub(in crate::cpu::deep) disc: Disc,
    pub(in crate::cpu::deep) stop: Stop,
}

impl Node {
    /// The node of the whole picture.
    #[inline(always)]
    fn root(deep: &Deep<'_>, square: Square) -> Option<Self> {
        let disc = Disc::of(deep, square);
        Self::advance(deep, Series::start(deep, &disc), disc)
    }

    /// The node of one of its quarters.
    #[inline(always)]
    pub(in crate::cpu::deep) fn quarter(&self, deep: &Deep<'_>, square: Square) -> Option<Self> {
        let disc = Disc::of(deep, square);
        let (t, ratio) = self.disc.within(&disc);
        Self::advance(deep, self.series.about(deep, t, ratio), disc)
    }

    #[inline(always)]
    fn advance(deep: &Deep<'_>, mut series: Series, disc: Disc) -> Option<Self> {
        let stop = series.advance(deep, &disc)?;
        Some(Self { series, disc, stop })
    }
}

/// The upper levels of a frame's tree.
#[derive(Clone, Debug)]
pub(in crate::cpu::deep) struct Tree {
    /// Side of the root: a power of two.
    size: u32,
    /// Level by level, in each row by row.
    nodes: Vec<OnceLock<Box<Node>>>,
    kept: u32,
}

impl Tree {
    /// The tree of a picture of so many columns and rows; nothing is computed yet.
    pub(in crate::cpu::deep) fn new(width: u32, height: u32) -> Self {
        let size = width.max(height).next_power_of_two().max(TASK);
        let kept = ((size / TASK).ilog2() + 1).min(KEPT_LEVELS);
        let count = (0..kept).map(|level| 1usize << (2 * level)).sum();
        Self {
            size,
            nodes: vec![OnceLock::new(); count],
            kept,
        }
    }

    /// The node of the task whose square begins at (`col`, `row`), or the one above it that needs no quarters;
    /// `None` if cancelled.
    // No closure may calculate here: it would be compiled without the instruction set (`tests/kernel_speed.rs`).
    #[inline(always)]
    pub(in crate::cpu::deep) fn task(
        &self,
        deep: &Deep<'_>,
        col: u32,
        row: u32,
    ) -> Option<Box<Node>> {
        let mut above: Option<Box<Node>> = None;
        let (mut size, mut level, mut first) = (self.size, 0u32, 0usize);
        loop {
            let square = Square {
                col: col / size * size,
                row: row / size * size,
                size,
            };
            let mut slot = None;
            let mut known = None;
            if level < self.kept {
                let index = (row / size) as usize * (1 << level) + (col / size) as usize;
                slot = Some(&self.nodes[first + index]);
                known = self.nodes[first + index].get().cloned();
            }
            let node = match (known, &above) {
                (Some(node), _) => node,
                (None, None) => Box::new(Node::root(deep, square)?),
                (None, Some(above)) => Box::new(above.quarter(deep, square)?),
            };
            if let Some(slot) = slot {
                // Two threads may have computed the same; neither waits for the other.
                let _ = slot.set(node.clone());
            }
            if node.stop != Stop::Invalid || size <= TASK {
                return Some(node);
            }
            above = Some(node);
            first += 1 << (2 * level);
            size /= 2;
            level += 1;
        }
    }
}
