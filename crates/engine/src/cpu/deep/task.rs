//! One square of a strip, on one thread.

use fractal::settled::{Settlement, settle};
use fractal::{Measure, Plane, Settling, Value, smooth};

use super::frame::Deep;
use super::interior::Interior;
use super::paired::frame::Paired;
use super::paired::lanes::PairedLanes;
use super::paired::pixel as paired_pixel;
use super::pixels::lanes::Lanes;
use super::pixels::pixel::{End, Pixel, norm2};
use super::pixels::tail::{ENOUGH_STEEP2, Tail, Tails};
use super::rounding::{Bound, Rounding};
use super::square::{SMALLEST, Square, TASK};
use super::tiles::series::{Series, Stop};
use super::tiles::tree::{Node, Tree};
use super::trees::Trees;
use crate::cpu::plan::Plan;
use crate::cpu::simd::Simd;
use crate::frame::{DeepFrame, PreparedFrame};
use crate::progress::Progress;

/// The kernels' version: changes whenever the bytes of any strip may change.
pub(crate) const KERNEL_ID: u64 = 0x6465_6570_0000_0008; // "deep", 8

/// The plane of a value of each end.
#[inline(always)]
fn each<T: Value>(measure: Measure, ends: &[End], value: impl Fn(&End) -> T) -> Plane {
    Plane::new(measure, ends.iter().map(value).collect())
}

/// The same of what lies outside; 0 inside.
#[inline(always)]
fn outside(measure: Measure, ends: &[End], value: impl Fn(&End) -> f32) -> Plane {
    each(
        measure,
        ends,
        |end| if end.count == 0 { 0.0 } else { value(end) },
    )
}

/// The pixels of a strip that lie in one square of the picture.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu) struct Task<'a> {
    pub(in crate::cpu) frame: &'a PreparedFrame,
    pub(in crate::cpu) deep: &'a DeepFrame,
    pub(in crate::cpu) trees: &'a Trees,
    pub(in crate::cpu) plan: &'a Plan,
    pub(in crate::cpu) progress: &'a Progress,
    /// Columns, from the first to one past the last.
    pub(in crate::cpu) columns: (u32, u32),
    /// Rows, likewise.
    pub(in crate::cpu) rows: (u32, u32),
}

/// The values of a task's pixels, row by row.
#[derive(Clone, Debug, Default)]
pub(in crate::cpu) struct Output {
    /// One plane for each measure.
    pub(in crate::cpu) planes: Vec<Plane>,
    /// See [`fractal::StripBuffer::iterations_total`].
    pub(in crate::cpu) iterations_total: u128,
    /// Where counts have to be certain.
    pub(in crate::cpu) settling: Settling,
}

/// A thread's working memory, used for one task after the other: memory that is asked for and given back with each task
/// costs a fifth of a cheap view's time.
#[derive(Debug, Default)]
pub(in crate::cpu) struct TaskScratch {
    pub(super) ends: Vec<End>,
    /// Pixels whose orbits go on.
    waiting: Vec<Pixel>,
    /// Pixels whose orbits go on without the reference.
    tails: Vec<Tail>,
    /// Pixels whose counts are not certain.
    again: Vec<Uncertain>,
}

/// A pixel whose count deltas in doubles do not tell.
#[derive(Clone, Copy, Debug)]
struct Uncertain {
    /// Column and row.
    at: (u32, u32),
    /// Whether it seemed to escape.
    escaped: bool,
}

impl Task<'_> {
    fn pixels(&self) -> usize {
        ((self.columns.1 - self.columns.0) * (self.rows.1 - self.rows.0)) as usize
    }

    /// Place of a pixel's value.
    fn index(&self, col: u32, row: u32) -> usize {
        let width = self.columns.1 - self.columns.0;
        ((row - self.rows.0) * width + (col - self.columns.0)) as usize
    }

    /// Computes all measures; `None` if cancelled. `E`: each count for certain, by `settle`, which is [`Task::settle`]. (Not both in one: what is compiled into one
    /// function beyond a size is inlined less.)
    #[inline(always)]
    pub(in crate::cpu) fn run<S: Simd, const V: usize, const T: usize, const E: bool>(
        &self,
        s: S,
        scratch: &mut TaskScratch,
        settle: impl Fn(&Self, &mut TaskScratch) -> Option<Settling>,
    ) -> Option<Output> {
        let plan = self.plan;
        let Trees {
            counts, stability, ..
        } = self.trees;
        let mut out = Output::default();
        if plan.counts {
            let radius = plan.radius2.sqrt();
            if plan.derivative {
                self.find_ends::<S, V, T, true, E>(s, scratch, counts, radius, true)?;
            } else {
                self.find_ends::<S, V, T, false, E>(s, scratch, counts, radius, true)?;
            }
            if E {
                out.settling = settle(self, scratch)?;
            }
            self.write(&scratch.ends, &mut out);
        } else {
            out.iterations_total = u128::from(plan.limit) * self.pixels() as u128;
        }
        if plan.stability {
            let radius = plan.no_return2.sqrt();
            self.find_ends::<S, V, T, false, false>(s, scratch, stability, radius, false)?;
            let value = |end: &End| {
                let norm2 = end.norm2();
                if end.count == 0 && norm2 <= 4.0 {
                    norm2.sqrt()
                } else {
                    f64::NAN
                }
            };
            let values = scratch.ends.iter().map(value).collect();
            out.planes.push(Plane::new(Measure::Stability, values));
        }
        Some(out)
    }

    /// Computes the pixels again whose counts are not certain: in pairs of doubles, and where these do not tell either, in fixed
    /// point. `None` if cancelled.
    #[inline(always)]
    pub(in crate::cpu) fn settle<S: Simd, const V: usize>(
        &self,
        s: S,
        scratch: &mut TaskScratch,
    ) -> Option<Settling> {
        let TaskScratch { ends, again, .. } = scratch;
        self.list_uncertain(ends, again);
        let in_pairs = self.plan.outside_for_good && self.plan.z0 == (0.0, 0.0);
        if in_pairs
            && !again.is_empty()
            && let Some(tables) = self.deep.paired()
        {
            let radius = self.plan.radius2.sqrt();
            let deep = Deep::new(
                self.frame,
                self.deep,
                &self.trees.axes,
                self.plan,
                radius,
                self.progress,
            );
            let rounding = Rounding::of_pairs(self.deep, self.plan.limit);
            let paired = Paired::new(self.frame, &deep, tables, rounding);
            let mut waiting: Vec<(u32, u32)> = again.iter().map(|pixel| pixel.at).collect();
            let mut ended = |pixel: &paired_pixel::Pixel, end: End| {
                ends[self.index(pixel.col, pixel.row)] = end;
            };
            PairedLanes::<S, V>::new(s, &paired).run(&mut waiting, &mut ended)?;
        }
        self.settle_alone(ends, again)
    }

    #[inline(never)]
    fn list_uncertain(&self, ends: &[End], again: &mut Vec<Uncertain>) {
        again.clear();
        for row in self.rows.0..self.rows.1 {
            for col in self.columns.0..self.columns.1 {
                let end = &ends[self.index(col, row)];
                if !self.is_certain(end, col, row) {
                    again.push(Uncertain {
                        at: (col, row),
                        escaped: end.count != 0,
                    });
                }
            }
        }
    }

    fn is_certain(&self, end: &End, col: u32, row: u32) -> bool {
        end.is_certain(self.plan, self.frame.at(col as usize, row as usize))
    }

    /// The same in fixed point, of those that are still not certain.
    #[inline(never)]
    fn settle_alone(&self, ends: &mut [End], again: &[Uncertain]) -> Option<Settling> {
        let goes_on = || {
            self.progress.step();
            !self.progress.is_cancelled()
        };
        let mut settling = Settling::default();
        for pixel in again {
            let (col, row) = pixel.at;
            let end = &mut ends[self.index(col, row)];
            if self.is_certain(end, col, row) {
                settling.again += u64::from(pixel.escaped || end.count != 0);
                continue;
            }
            match settle(&self.frame.spec, col, row, &goes_on) {
                Settlement::Settled(found) => {
                    settling.again += u64::from(pixel.escaped || found.count != 0);
                    let spacing = self.deep.pixel_spacing;
                    let slope = [found.slope.re, found.slope.im];
                    *end = End {
                        count: found.count,
                        z: found.z,
                        slope: slope.map(|part| (part * spacing).to_f64()),
                        error: 0.0,
                    };
                }
                Settlement::Unsettled => {
                    settling.again += 1;
                    settling.unsettled += 1;
                }
                Settlement::Cancelled => return None,
            }
        }
        Some(settling)
    }

    #[inline(always)]
    fn write(&self, ends: &[End], out: &mut Output) {
        let plan = self.plan;
        let limit = plan.limit;
        let steps = |end: &End| if end.count == 0 { limit } else { end.count };
        out.iterations_total = ends.iter().map(steps).map(u128::from).sum();
        for measure in self.frame.spec.measures.iter() {
            let plane = match measure {
                // Where they are asked for in 32 bits, the frame's limit sees to it that they fit.
                Measure::Iterations => each(measure, ends, |end| end.count as u32),
                Measure::LongIterations => each(measure, ends, |end| end.count),
                Measure::Smooth => each(measure, ends, |end| {
                    plan.smoothing.long_count(end.count as f64, end.norm2())
                }),
                Measure::Distance => self.distances(ends),
                Measure::Fraction => {
                    outside(measure, ends, |end| plan.smoothing.fraction(end.norm2()))
                }
                Measure::Phase => outside(measure, ends, |end| smooth::turns(end.z[0], end.z[1])),
                Measure::Direction => outside(measure, ends, |end| match &plan.shape {
                    None => smooth::direction(end.z, end.slope),
                    Some(shape) => smooth::direction_seen(end.z, end.slope, &shape.matrix),
                }),
                // From orbits of its own.
                Measure::Stability => continue,
            };
            out.planes.push(plane);
        }
    }

    #[inline(always)]
    fn distances(&self, ends: &[End]) -> Plane {
        let shape = self.plan.shape.as_ref().filter(|shape| !shape.is_square);
        each(Measure::Distance, ends, |end| {
            let outside = u32::from(end.count != 0);
            let steepness = match shape {
                None => end.steepness(),
                Some(shape) => smooth::steepness_seen(end.z, end.slope, &shape.matrix),
            };
            smooth::distance(outside, end.norm2(), steepness, 1.0)
        })
    }

    /// The ends of all pixels, into the scratch memory; `None` if cancelled. `D`: with the derivative, `E`: with a bound of
    /// the error, `counts`: |z_N| of what does not escape is of no account.
    #[inline(always)]
    pub(super) fn find_ends<
        S: Simd,
        const V: usize,
        const T: usize,
        const D: bool,
        const E: bool,
    >(
        &self,
        s: S,
        scratch: &mut TaskScratch,
        tree: &Tree,
        radius: f64,
        counts: bool,
    ) -> Option<()> {
        let axes = &self.trees.axes;
        let mut deep = Deep::new(
            self.frame,
            self.deep,
            axes,
            self.plan,
            radius,
            self.progress,
        );
        if counts && self.plan.outside_for_good {
            deep.tail_steep2 = ENOUGH_STEEP2;
        }
        let square = Square {
            col: self.columns.0 / TASK * TASK,
            row: self.rows.0 / TASK * TASK,
            size: TASK,
        };
        let map = if counts && self.plan.known_parts {
            self.deep.minibrot(deep.limit)
        } else {
            None
        };
        let proofs = counts && self.plan.known_parts;
        let interior = Interior::new(&deep, map, square, &self.trees.known, proofs)?;
        scratch.ends.clear();
        scratch.ends.resize(self.pixels(), End::default());
        scratch.waiting.clear();
        scratch.tails.clear();
        let mut walk = Walk::<D, E> {
            deep: &deep,
            task: self,
            interior,
            scratch,
        };
        if walk.is_known(square) {
            return Some(());
        }
        let node = tree.task(&deep, square.col, square.row)?;
        walk.square(s, node, square)?;
        let Walk {
            mut interior,
            scratch,
            ..
        } = walk;
        let TaskScratch {
            ends,
            waiting,
            tails,
            ..
        } = scratch;
        let mut ended = |(col, row): (u32, u32), end: End| ends[self.index(col, row)] = end;
        // Pixels go back and forth between deltas and tails, a few times at most, until all have ended.
        while !(waiting.is_empty() && tails.is_empty()) {
            if !tails.is_empty() {
                let mut lanes = Tails::<S, T, D, E>::new(s, &deep);
                lanes.run(tails, waiting, &mut ended)?;
                tails.clear();
            }
            if !waiting.is_empty() {
                let mut lanes = Lanes::<S, V, D, E>::new(s, &deep);
                lanes.run(waiting, tails, &mut interior, &mut ended)?;
            }
        }
        Some(())
    }
}

struct Walk<'a, const D: bool, const E: bool> {
    deep: &'a Deep<'a>,
    task: &'a Task<'a>,
    /// Pixels that are known to reach the iteration limit.
    interior: Interior<'a>,
    scratch: &'a mut TaskScratch,
}

impl<const D: bool, const E: bool> Walk<'_, D, E> {
    /// The part of `square` that belongs to the task: columns and rows, from the first to one past the last.
    fn part(&self, square: Square) -> ((u32, u32), (u32, u32)) {
        let (col_end, row_end) = square.ends(self.deep.extent());
        let (columns, rows) = (self.task.columns, self.task.rows);
        (
            (square.col.max(columns.0), col_end.min(columns.1)),
            (square.row.max(rows.0), row_end.min(rows.1)),
        )
    }

    /// Whether nothing of `square` is left to do.
    fn is_known(&self, square: Square) -> bool {
        let (columns, rows) = self.part(square);
        self.interior.has_all(columns, rows)
    }

    /// All pixels of a square, from the series of `node`, which is its own or a larger one's. `None` if cancelled.
    #[inline(always)]
    fn square<S: Simd>(&mut self, s: S, node: Box<Node>, square: Square) -> Option<()> {
        // A stack of squares whose series were too coarse; four at most of each size wait.
        let mut waiting: Vec<(Box<Node>, Square)> = vec![(node, square)];
        while let Some((node, square)) = waiting.pop() {
            if node.stop != Stop::Invalid || square.size <= SMALLEST {
                self.pixels(s, &node, square)?;
                continue;
            }
            for part in square.quarters(self.deep.extent()) {
                let (columns, rows) = self.part(part);
                if columns.0 < columns.1 && rows.0 < rows.1 && !self.is_known(part) {
                    waiting.push((Box::new(node.quarter(self.deep, part)?), part));
                }
            }
        }
        Some(())
    }

    /// The pixels of a square, each by its own value of the series.
    #[inline(always)]
    fn pixels<S: Simd>(&mut self, s: S, node: &Node, square: Square) -> Option<()> {
        let (columns, rows) = self.part(square);
        let Series { exponent, m, n, .. } = node.series;
        let per_pixel = 1.0 / node.disc.radius_pixels;
        let tracked = exponent == 0 && self.deep.tail_steep2 < f64::INFINITY;
        for first in (columns.0..columns.1).step_by(8) {
            let cols = first..columns.1.min(first + 8);
            let mut across = [0.0; 8];
            let mut rising = [0.0; 8];
            for (i, col) in cols.clone().enumerate() {
                across[i] = node.disc.t(self.deep, 0, col);
                rising[i] = node.disc.cross_t(self.deep, 0, col).unwrap_or(0.0);
            }
            for row in rows.0..rows.1 {
                let down = node.disc.t(self.deep, 1, row);
                let (x, y) = match node.disc.cross_t(self.deep, 1, row) {
                    None => (across, [down; 8]),
                    Some(aside) => (across.map(|t| t + aside), rising.map(|t| t + down)),
                };
                let [all_x, all_y] = node.series.all_at(s, &x, &y);
                let [all_dx, all_dy] = node.series.all_slopes_at(s, &x, &y);
                let bound = if E {
                    node.series.point_bound(self.deep)
                } else {
                    Bound::default()
                };
                for (i, col) in cols.clone().enumerate() {
                    if self.interior.has(col, row) {
                        continue;
                    }
                    let mut z = [all_x[i], all_y[i]];
                    let mut slope = [all_dx[i] * per_pixel, all_dy[i] * per_pixel];
                    if self.deep.is_real(col, row) {
                        // Its orbit never leaves the axis; the series of a square beside it knows that to its rounding only.
                        (z[1], slope[1]) = (0.0, 0.0);
                    }
                    let mut pixel = Pixel {
                        z,
                        slope,
                        bound,
                        steep2: if tracked { norm2(slope) } else { 0.0 },
                        visits: 0,
                        exponent,
                        m,
                        n,
                        col,
                        row,
                    };
                    if E {
                        pixel.rebase_alone(self.deep);
                    }
                    // No series has looked at the first value of all.
                    if n <= 1 || !node.series.suits(self.deep, norm2(slope).sqrt()) {
                        let pixel = Pixel::start(self.deep, col, row);
                        match pixel.check(self.deep) {
                            Some(end) => self.scratch.ends[self.task.index(col, row)] = end,
                            None => self.scratch.waiting.push(pixel.begun(self.deep)),
                        }
                    } else if node.stop == Stop::Escaped {
                        self.scratch.ends[self.task.index(col, row)] =
                            pixel.escaped_here(self.deep);
                    } else if pixel.steep2 >= self.deep.tail_steep2 {
                        self.scratch.tails.push(Tail::of::<E>(self.deep, &pixel));
                    } else {
                        self.scratch.waiting.push(pixel);
                    }
                }
            }
        }
        Some(())
    }
}
