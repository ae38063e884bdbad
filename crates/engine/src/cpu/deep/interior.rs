//! Which pixels of a task are proved to be inside.
//!
//! A square of pixels is proved at once, by one disc for all its c. Squares are aligned to the whole picture. What is
//! proved beforehand, of the view's minibrot, depends on no strip; what a pixel's own orbit leads to may do so, but it
//! is nothing but the time that depends on it.

use fractal::FloatExp;

use super::frame::Deep;
use super::pixels::cycle::Return;
use super::pixels::pixel::Pixel;
use super::square::{Disc, Square, TASK};
use crate::cpu::shortcuts;
use crate::cpu::simd::{Portable, Simd};
use crate::deep::field::{Field, PASSES, add_around, add_component};
use crate::deep::{Course, KnownCycles, Proof, ReturnMap};

const _: () = assert!(TASK == u64::BITS);

/// Exponent of the smallest pixel for which cycles are looked for: the squares of smaller numbers leave the range of
/// doubles.
const LEAST_SPACING_LOG2: i64 = -400;
/// How near an orbit has to come to where it was, as a share of the square root of a pixel: there are the cycles' points
/// nearest to 0 that far apart in a component of a pixel's size.
const NEAR: f64 = 1.0 / 8.0;
/// Steps that a task's proofs may take before any of them has succeeded.
const AT_FIRST: u64 = 1 << 18;
/// Steps of pixels that take as long as a proof's step: those are vectors'.
const LANES: u64 = 32;
/// Returns that a pixel of the reference's minibrot would have made.
const RETURNS: u64 = 36;
/// The longest period that is looked for: between two looks at cancellation a few of it are followed.
const LONGEST_PERIOD: u64 = 1 << 18;
/// Over 1 by more than the rounding of squares' sizes, of up to 2^16 pixels.
const ABOVE: f64 = 1.0 + 1.0 / (1u64 << 30) as f64;
/// A proof is looked for where at least this many periods are left before the limit: it takes as long as they do.
const PASSES_LEFT: u64 = 32;
/// A component with as many pixels in one task may reach into others.
const SHARED_FROM: u32 = 32;

/// Which pixels of a task are known to be inside: row by row, a bit each.
#[derive(Clone, Debug)]
pub(super) struct Interior<'a> {
    corner: Square,
    rows: [u64; TASK as usize],
    /// How near a pixel has to come to where it was to be looked at; 0 where nothing is to be proved.
    reach: f64,
    /// Steps that proofs may take.
    paid: u64,
    known: &'a KnownCycles,
}

impl<'a> Interior<'a> {
    /// What is known of the pixels of `square`, a task's, before any is iterated: by `map`, and of cardioid and disc,
    /// unless nothing is to be proved; `None` if cancelled.
    #[inline(never)]
    pub(super) fn new(
        deep: &Deep<'_>,
        map: Option<&ReturnMap>,
        square: Square,
        known: &'a KnownCycles,
        proofs: bool,
    ) -> Option<Self> {
        let mut interior = Self {
            corner: square,
            rows: [0; TASK as usize],
            reach: 0.0,
            paid: AT_FIRST,
            known,
        };
        if let Some(map) = map {
            interior.add_minibrot(deep, map, square)?;
        }
        if proofs {
            interior.add_known_parts(deep, square);
            if deep.spacing.exponent() >= LEAST_SPACING_LOG2 {
                interior.reach = NEAR * deep.spacing.to_f64().sqrt();
                interior.add_known_cycles(deep, square);
            }
        }
        Some(interior)
    }

    /// What `map` proves of the pixels of `square`; `None` if cancelled.
    fn add_minibrot(&mut self, deep: &Deep<'_>, map: &ReturnMap, square: Square) -> Option<()> {
        let returns = deep.limit / map.period;
        let mut waiting = vec![square];
        while let Some(square) = waiting.pop() {
            let disc = Disc::of(deep, square);
            let radius = map.share_of(wide_spread(deep, &disc, square), disc.c);
            match map.prove(map.share(disc.c), radius, returns) {
                Proof::Inside => self.mark(deep, square, RETURNS.saturating_mul(map.period)),
                Proof::Elsewhere => {}
                Proof::Open if square.size == 1 => {
                    if !deep.look() {
                        return None;
                    }
                }
                Proof::Open => waiting.extend(square.quarters(deep.extent())),
            }
        }
        Some(())
    }

    /// All pixels of `square` that lie in the cardioid or in the disc of period 2, whose c is known exactly enough in
    /// doubles.
    fn add_known_parts(&mut self, deep: &Deep<'_>, square: Square) {
        let (col_end, row_end) = square.ends(deep.extent());
        for row in square.row..row_end {
            for col in square.col..col_end {
                let [x, y] = deep.point(col, row);
                let bit = shortcuts::inside(Portable, Portable.splat(x), Portable.splat(y)) & 1;
                self.rows[(row - square.row) as usize] |= u64::from(bit) << (col - square.col);
            }
        }
    }

    /// What cycles that are known prove of the pixels of `square`, a task's.
    fn add_known_cycles(&mut self, deep: &Deep<'_>, square: Square) {
        let disc = Disc::of(deep, square);
        for cycle in self.known.near(disc.near, disc.near_radius) {
            let mut field = TaskField {
                interior: self,
                deep,
            };
            add_component(&mut field, &Course::along(deep.orbit), cycle, square);
        }
    }

    /// Whether `pixel`, which has come near to where it was, is inside; if so, the component's other pixels are marked, too.
    #[inline(never)]
    pub(super) fn is_proved(&mut self, deep: &Deep<'_>, pixel: &Pixel, near: Return) -> bool {
        if self.has(pixel.col, pixel.row) {
            return true;
        }
        self.paid = self.paid.saturating_add(pixel.n / LANES);
        let course = Course::along(deep.orbit);
        let left = (deep.limit - pixel.n) / PASSES_LEFT;
        let steps = near.steps.min(self.paid).min(left).min(LONGEST_PERIOD);
        let found = course.cycle_near(pixel.z, pixel.c(deep), steps, near.distance);
        let spent = found.map_or(steps, |cycle| PASSES * cycle.period);
        self.paid = self.paid.saturating_sub(spent);
        let Some(cycle) = found else {
            return false;
        };
        let square = Square {
            col: pixel.col,
            row: pixel.row,
            size: 1,
        };
        if !course.is_inside(&cycle, spread(deep, &Disc::of(deep, square), square)) {
            return false;
        }
        let before = self.count();
        self.mark(deep, square, cycle.settles());
        let mut field = TaskField {
            interior: self,
            deep,
        };
        add_around(&mut field, &course, cycle, square, TASK);
        if self.count() - before >= SHARED_FROM {
            self.known.add(cycle);
        }
        true
    }

    /// How many pixels are known.
    fn count(&self) -> u32 {
        self.rows.iter().map(|row| row.count_ones()).sum()
    }

    /// Marks a square; its pixels pay for other proofs with what they do not cost.
    fn mark(&mut self, deep: &Deep<'_>, square: Square, saved: u64) {
        let across = u64::MAX >> (u64::BITS - square.size) << (square.col - self.corner.col);
        let first = (square.row - self.corner.row) as usize;
        let mut new = 0;
        for row in &mut self.rows[first..first + square.size as usize] {
            new += u64::from((across & !*row).count_ones());
            *row |= across;
        }
        let each = deep.limit.min(saved) / LANES;
        self.paid = self.paid.saturating_add(new * each);
    }

    /// How near a pixel has to come to where it was to be looked at.
    pub(super) fn reach(&self) -> f64 {
        self.reach
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

/// The part of a picture that is a task's.
struct TaskField<'a, 'b, 'c> {
    interior: &'a mut Interior<'b>,
    deep: &'a Deep<'c>,
}

impl Field for TaskField<'_, '_, '_> {
    fn extent(&self) -> (u32, u32) {
        self.deep.extent()
    }

    fn is_known(&self, square: Square) -> bool {
        let (col_end, row_end) = square.ends(self.extent());
        (self.interior).has_all((square.col, col_end), (square.row, row_end))
    }

    fn disc(&self, square: Square) -> ([f64; 2], f64) {
        let disc = Disc::of(self.deep, square);
        (disc.near, spread(self.deep, &disc, square))
    }

    fn mark(&mut self, square: Square, saved: u64) {
        self.interior.mark(self.deep, square, saved);
    }

    fn pays(&mut self, steps: u64) -> bool {
        let interior = &mut *self.interior;
        let pays = steps <= interior.paid && self.deep.look();
        if pays {
            interior.paid -= steps;
        }
        pays
    }
}

/// How far the c of a square's pixels may be from its disc's centre.
fn wide_spread(deep: &Deep<'_>, disc: &Disc, square: Square) -> FloatExp {
    let radius = if square.size == 1 {
        FloatExp::ZERO
    } else {
        disc.radius
    };
    radius + deep.slack
}

/// The same in doubles.
fn spread(deep: &Deep<'_>, disc: &Disc, square: Square) -> f64 {
    wide_spread(deep, disc, square).to_f64() * ABOVE
}
