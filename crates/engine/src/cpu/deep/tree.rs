//! A picture as a tree of squares, each as far as one series reaches.
//!
//! Squares are aligned to the whole picture, so what a pixel is computed from depends on no strip. The upper part of
//! the tree is computed once a frame, when it is first needed, and kept.

use std::sync::OnceLock;

use super::frame::{Deep, Place, Square};
use super::series::{Series, Stop};

/// Side of the squares that tasks compute.
pub(super) const TASK: u32 = 64;
/// Side of the smallest squares.
pub(super) const SMALLEST: u32 = 4;
/// Levels of the tree that are kept, as far as their squares are larger than tasks: 5461 squares at most.
const KEPT_LEVELS: u32 = 7;

/// A square whose series went as far as it could.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) series: Series,
    pub(super) place: Place,
    pub(super) stop: Stop,
}

impl Node {
    /// The whole picture's.
    #[inline(always)]
    fn root(deep: &Deep<'_>, square: Square) -> Option<Self> {
        let place = Place::of(deep, square);
        Self::advanced(deep, Series::start(deep, &place), place)
    }

    /// That of a quarter of it.
    #[inline(always)]
    pub(super) fn quarter(&self, deep: &Deep<'_>, square: Square) -> Option<Self> {
        let place = Place::of(deep, square);
        let (u, ratio) = self.place.within(&place);
        Self::advanced(deep, self.series.about(u, ratio), place)
    }

    #[inline(always)]
    fn advanced(deep: &Deep<'_>, mut series: Series, place: Place) -> Option<Self> {
        let stop = series.advance(deep, &place)?;
        Some(Self {
            series,
            place,
            stop,
        })
    }
}

/// The upper levels of a frame's tree.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// Side of the root: a power of two.
    size: u32,
    /// Level by level, in each row by row.
    nodes: Vec<OnceLock<Box<Node>>>,
    kept: u32,
}

impl Tree {
    /// Of a picture of so many columns and rows; nothing is computed.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let size = width.max(height).next_power_of_two().max(TASK);
        let kept = ((size / TASK).ilog2() + 1).min(KEPT_LEVELS);
        let count = (0..kept).map(|level| 1usize << (2 * level)).sum();
        Self {
            size,
            nodes: vec![OnceLock::new(); count],
            kept,
        }
    }

    /// The node of the task whose square begins at (`col`, `row`), or the one above it that needs no quarters, and
    /// hands it to `then`; `None` if cancelled.
    #[inline(always)]
    pub(super) fn with_task<R>(
        &self,
        deep: &Deep<'_>,
        col: u32,
        row: u32,
        then: impl FnOnce(&Node) -> Option<R>,
    ) -> Option<R> {
        let mut own: Box<Node>;
        let mut above: Option<&Node> = None;
        let (mut size, mut level, mut first) = (self.size, 0u32, 0usize);
        loop {
            let square = Square {
                col: col / size * size,
                row: row / size * size,
                size,
            };
            let make = || match above {
                None => Node::root(deep, square),
                Some(node) => node.quarter(deep, square),
            };
            let node = if level < self.kept {
                let index = (row / size) as usize * (1 << level) + (col / size) as usize;
                let slot = &self.nodes[first + index];
                match slot.get() {
                    Some(node) => node,
                    None => {
                        // Two threads may compute the same; neither waits for the other.
                        let made = Box::new(make()?);
                        slot.get_or_init(|| made)
                    }
                }
            } else {
                own = Box::new(make()?);
                &own
            };
            if node.stop != Stop::Invalid || size <= TASK {
                return then(node);
            }
            above = Some(node);
            first += 1 << (2 * level);
            size /= 2;
            level += 1;
        }
    }
}
