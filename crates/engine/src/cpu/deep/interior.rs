//! Which pixels of a task are proved to be inside the view's minibrot.
//!
//! A square of pixels is proved at once, by one disc for all its c, or cut into four. Squares are aligned to the whole
//! picture, so what is proved depends on no strip.

use super::frame::Deep;
use super::square::{Disc, Square, TASK};
use crate::cpu::shortcuts;
use crate::cpu::simd::{Portable, Simd};
use crate::deep::{Proof, ReturnMap};

const _: () = assert!(TASK == u64::BITS);

/// Which pixels of a task are known to be inside: row by row, a bit each.
#[derive(Clone, Copy, Debug)]
pub(super) struct InteriorMask {
    corner: Square,
    rows: [u64; TASK as usize],
}

impl InteriorMask {
    /// Those that `map` proves of the pixels of `square`, a task's; `None` if cancelled.
    #[inline(never)]
    pub(super) fn of(deep: &Deep<'_>, map: &ReturnMap, square: Square) -> Option<Self> {
        let mut inside = Self {
            corner: square,
            rows: [0; TASK as usize],
        };
        let returns = deep.limit / map.period;
        let mut waiting = vec![square];
        while let Some(square) = waiting.pop() {
            let disc = Disc::of(deep, square);
            let radius = if square.size == 1 {
                fractal::FloatExp::ZERO
            } else {
                disc.radius
            };
            let radius = map.share_of(radius + deep.slack, disc.c);
            match map.prove(map.share(disc.c), radius, returns) {
                Proof::Inside => inside.mark(square),
                Proof::Elsewhere => {}
                Proof::Open if square.size == 1 => {
                    if !deep.look() {
                        return None;
                    }
                }
                Proof::Open => waiting.extend(square.quarters(deep)),
            }
        }
        Some(inside)
    }

    /// `known`, and all pixels of `square` that lie in the cardioid or in the disc of period 2, whose c is known exactly
    /// enough in doubles; `None` where there is nothing of either.
    #[inline(never)]
    pub(super) fn with_known_parts(
        known: Option<Self>,
        deep: &Deep<'_>,
        square: Square,
    ) -> Option<Self> {
        let (col_end, row_end) = square.ends(deep);
        let mut found = [0u64; TASK as usize];
        for row in square.row..row_end {
            for col in square.col..col_end {
                let [x, y] = deep.point(col, row);
                let bit = shortcuts::inside(Portable, Portable.splat(x), Portable.splat(y)) & 1;
                found[(row - square.row) as usize] |= u64::from(bit) << (col - square.col);
            }
        }
        if found == [0; TASK as usize] {
            return known;
        }
        let mut inside = known.unwrap_or(Self {
            corner: square,
            rows: [0; TASK as usize],
        });
        for (row, found) in inside.rows.iter_mut().zip(found) {
            *row |= found;
        }
        Some(inside)
    }

    fn mark(&mut self, square: Square) {
        let across = u64::MAX >> (u64::BITS - square.size) << (square.col - self.corner.col);
        let first = (square.row - self.corner.row) as usize;
        for row in &mut self.rows[first..first + square.size as usize] {
            *row |= across;
        }
    }

    /// Whether a pixel of the task is proved to be inside.
    #[inline(always)]
    pub(super) fn has(&self, col: u32, row: u32) -> bool {
        let bits = self.rows[(row - self.corner.row) as usize];
        bits >> (col - self.corner.col) & 1 != 0
    }

    /// Whether all pixels of these columns and rows are, each from the first to one past the last.
    pub(super) fn has_all(&self, columns: (u32, u32), rows: (u32, u32)) -> bool {
        (rows.0..rows.1).all(|row| (columns.0..columns.1).all(|col| self.has(col, row)))
    }
}
