//! One square of a strip, on one thread.

use fractal::smooth;

use super::Trees;
use super::frame::{Deep, Square};
use super::lanes::Lanes;
use super::pixel::{End, Pixel};
use super::series::Stop;
use super::tree::{Node, SMALLEST, Tree};
use crate::cpu::band::Plan;
use crate::cpu::simd::Simd;
use crate::prepared::{DeepFrame, PreparedFrame};
use crate::progress::Progress;

/// The pixels of a strip that lie in one square of the picture.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu) struct Task<'a> {
    pub(in crate::cpu) frame: &'a PreparedFrame,
    pub(in crate::cpu) deep: &'a DeepFrame,
    pub(in crate::cpu) plan: &'a Plan,
    pub(in crate::cpu) progress: &'a Progress,
    /// Columns, from the first to one past the last.
    pub(in crate::cpu) columns: (u32, u32),
    /// Rows, likewise.
    pub(in crate::cpu) rows: (u32, u32),
}

/// The values of a task's pixels, row by row; empty where a measure is not asked for.
#[derive(Clone, Debug, Default)]
pub(in crate::cpu) struct Output {
    pub(in crate::cpu) iterations: Vec<u32>,
    pub(in crate::cpu) smooth: Vec<f32>,
    pub(in crate::cpu) distance: Vec<f32>,
    pub(in crate::cpu) stability: Vec<f64>,
    pub(in crate::cpu) long_iterations: Vec<u64>,
    /// See [`fractal::StripBuffer::iterations_total`].
    pub(in crate::cpu) iterations_total: u64,
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

    /// Computes all measures; `None` if cancelled.
    #[inline(always)]
    pub(in crate::cpu) fn run<S: Simd, const V: usize>(&self, s: S) -> Option<Output> {
        let plan = self.plan;
        let Trees {
            counts, stability, ..
        } = self.deep.trees();
        let mut out = Output::default();
        if plan.counts {
            let radius = plan.radius2.sqrt();
            let ends = if plan.derivative {
                self.ends::<S, V, true>(s, counts, radius)?
            } else {
                self.ends::<S, V, false>(s, counts, radius)?
            };
            self.write(&ends, &mut out);
        } else {
            out.iterations_total = plan.limit * self.pixels() as u64;
        }
        if plan.stability {
            let ends = self.ends::<S, V, false>(s, stability, plan.no_return2.sqrt())?;
            let value = |end: &End| {
                if end.count == 0 && end.norm2 <= 4.0 {
                    end.norm2.sqrt()
                } else {
                    f64::NAN
                }
            };
            out.stability = ends.iter().map(value).collect();
        }
        Some(out)
    }

    #[inline(always)]
    fn write(&self, ends: &[End], out: &mut Output) {
        let plan = self.plan;
        let measures = self.frame.spec.measures;
        let limit = plan.limit;
        let steps = |end: &End| if end.count == 0 { limit } else { end.count };
        out.iterations_total = ends.iter().map(steps).sum();
        // Where they are asked for in 32 bits, the frame's limit sees to it that they fit.
        let count = |end: &End| end.count as u32;
        if measures.contains(fractal::Measure::LongIterations) {
            out.long_iterations = ends.iter().map(|end| end.count).collect();
        }
        if measures.contains(fractal::Measure::Iterations) {
            out.iterations = ends.iter().map(count).collect();
        }
        if measures.contains(fractal::Measure::Smooth) {
            let value = |end: &End| plan.smoothing.long_count(end.count as f64, end.norm2);
            out.smooth = ends.iter().map(value).collect();
        }
        if plan.derivative {
            let value = |end: &End| {
                let slope = if end.slope2 < f64::INFINITY {
                    end.slope2.sqrt()
                } else {
                    f64::INFINITY
                };
                smooth::distance(u32::from(end.count != 0), end.norm2, slope, 1.0)
            };
            out.distance = ends.iter().map(value).collect();
        }
    }

    /// The ends of all pixels; `D`: with the derivative.
    #[inline(always)]
    fn ends<S: Simd, const V: usize, const D: bool>(
        &self,
        s: S,
        tree: &Tree,
        radius: f64,
    ) -> Option<Vec<End>> {
        let deep = Deep::new(self.frame, self.deep, self.plan, radius, self.progress);
        let mut walk = Walk::<D> {
            deep: &deep,
            task: self,
            ends: vec![End::default(); self.pixels()],
            waiting: Vec::new(),
        };
        let square = Square {
            col: self.columns.0 / super::TASK * super::TASK,
            row: self.rows.0 / super::TASK * super::TASK,
            size: super::TASK,
        };
        let node = tree.task(&deep, square.col, square.row)?;
        walk.square(node, square)?;
        let place = |pixel: &Pixel| self.index(pixel.col, pixel.row);
        let Walk {
            mut waiting,
            mut ends,
            ..
        } = walk;
        let mut lanes = Lanes::<S, V, D>::new(s, &deep);
        lanes.run(&mut waiting, |pixel, end| ends[place(pixel)] = end)?;
        Some(ends)
    }
}

struct Walk<'a, const D: bool> {
    deep: &'a Deep<'a>,
    task: &'a Task<'a>,
    ends: Vec<End>,
    /// Pixels whose orbits go on.
    waiting: Vec<Pixel>,
}

impl<const D: bool> Walk<'_, D> {
    /// The part of `square` that belongs to the task: columns and rows, from the first to one past the last.
    fn part(&self, square: Square) -> ((u32, u32), (u32, u32)) {
        let (col_end, row_end) = square.ends(self.deep);
        let (columns, rows) = (self.task.columns, self.task.rows);
        (
            (square.col.max(columns.0), col_end.min(columns.1)),
            (square.row.max(rows.0), row_end.min(rows.1)),
        )
    }

    /// All pixels of a square, from the series of `node`, which is its own or a larger one's. `None` if cancelled.
    #[inline(always)]
    fn square(&mut self, node: Box<Node>, square: Square) -> Option<()> {
        // A stack of squares whose series were too coarse; four at most of each size wait.
        let mut waiting: Vec<(Box<Node>, Square)> = vec![(node, square)];
        while let Some((node, square)) = waiting.pop() {
            if node.stop != Stop::Invalid || square.size <= SMALLEST {
                self.pixels(&node, square)?;
                continue;
            }
            for part in square.quarters(self.deep) {
                let (columns, rows) = self.part(part);
                if columns.0 < columns.1 && rows.0 < rows.1 {
                    waiting.push((Box::new(node.quarter(self.deep, part)?), part));
                }
            }
        }
        Some(())
    }

    /// The pixels of a square, each by its own value of the series.
    #[inline(always)]
    fn pixels(&mut self, node: &Node, square: Square) -> Option<()> {
        let (columns, rows) = self.part(square);
        let series = &node.series;
        for row in rows.0..rows.1 {
            for col in columns.0..columns.1 {
                let u = node.place.u(self.deep, col, row);
                let mut pixel = Pixel {
                    z: series.at(u),
                    slope: [0.0; 2],
                    exponent: series.exponent,
                    m: series.m,
                    n: series.n,
                    col,
                    row,
                };
                if D {
                    let [x, y] = series.slope_at(u);
                    let unit = 1.0 / node.place.radius_pixels;
                    pixel.slope = [x * unit, y * unit];
                }
                if node.stop == Stop::Escaped {
                    self.ends[self.task.index(col, row)] = pixel.escaped_here(self.deep);
                } else if pixel.n <= 1
                    && let Some(end) = pixel.check(self.deep)
                {
                    // No series has looked at the first value of all.
                    self.ends[self.task.index(col, row)] = end;
                } else {
                    self.waiting.push(pixel);
                }
            }
        }
        Some(())
    }
}
