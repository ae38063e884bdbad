//! The last steps of pixels, as plain orbits.
//!
//! Deltas are needed while neighbours are nearer to each other than doubles can tell. That ends: once z_n and c are
//! rounded to doubles, an error of 2^-53 in z_n is one of 2^-53 / steep pixels, where steep is |dz_n/dc| times the size of a
//! pixel, and from steep = 2^-18 on that is less than what a series may cost. Such a pixel is iterated as
//! z² + c, which takes a third of the work of a delta's step, has no rebasing and needs no reference.
//!
//! That lasts as long as steep stays so large. A pass near 0 makes it small again; but there z is its own delta from the start of
//! the reference, exactly as after a rebasing: the pixel goes back to deltas with what it has. It also goes back where
//! blocks lead on from there.
//!
//! Lanes run for blocks of steps without being looked at. What happened in a block is found by making its steps again,
//! one by one, from its start. So a pixel's value depends on no other pixel, nor on how many lanes there are.

use super::pixel::{End, Pixel, norm2};
use crate::cpu::deep::frame::Deep;
use crate::cpu::deep::rounding::Bound;
use crate::cpu::simd::Simd;

/// Steps of a block.
const BLOCK: u64 = 8;
/// Least steep, squared: 2^-14.
const LEAST_STEEP2: f64 = 1.0 / (1u64 << 28) as f64;
/// The steep², 2^-8 squared, from which on a delta becomes a tail. Nearer to the least one pixels would go back and forth.
pub(in crate::cpu::deep) const ENOUGH_STEEP2: f64 = 1.0 / (1u64 << 16) as f64;
/// A pixel that has been a tail this often stays a delta.
const MOST_VISITS: u32 = 8;
/// Most steps of a tail whose bound is known.
const MOST_BOUNDED: u64 = 1 << 14;
/// Blocks between two looks at whether the computation was cancelled.
const BLOCKS_BETWEEN_LOOKS: u64 = 1 << 11;

/// A pixel of which only the last steps are left.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu::deep) struct Tail {
    /// z_n
    pub(in crate::cpu::deep) z: [f64; 2],
    /// dz_n/dc times the size of a pixel; zero where no distance is asked for.
    pub(in crate::cpu::deep) slope: [f64; 2],
    /// steep²
    steep2: f64,
    bound: Bound,
    /// Of the lane.
    q: f64,
    /// How often the pixel has been a tail, this time included.
    visits: u32,
    pub(in crate::cpu::deep) n: u64,
    pub(in crate::cpu::deep) col: u32,
    pub(in crate::cpu::deep) row: u32,
}

/// How a tail goes on.
enum Outcome {
    /// It has ended.
    Ended(End),
    /// As a delta from the start of the reference.
    Returned(Pixel),
}

/// The numbers of one vector's lanes that change.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct State {
    z: [[f64; 8]; 2],
    steep2: [f64; 8],
    /// W of `cpu::deep::rounding`.
    off2: [f64; 8],
    slope: [[f64; 8]; 2],
}

/// What does not change until a lane gets another pixel.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct LaneConstants {
    c: [[f64; 8]; 2],
    /// n minus the clock.
    births: [u64; 8],
    /// T of `cpu::deep::rounding` minus n.
    terms: [u64; 8],
    /// See [`Rounding::q`](crate::cpu::deep::rounding::Rounding::q).
    q: [f64; 8],
    /// Column, row, and how often the pixel has been a tail.
    pixels: [(u32, u32, u32); 8],
    alive: u32,
}

/// `V` vectors; `D`: with the derivative, `E`: with the bound of the error.
pub(in crate::cpu::deep) struct Tails<'a, S: Simd, const V: usize, const D: bool, const E: bool> {
    s: S,
    deep: &'a Deep<'a>,
    /// As of the last block's end, and as of its start; which is which alternates.
    states: [[State; V]; 2],
    /// Which of the two is the end.
    end: usize,
    fixed: [LaneConstants; V],
    clock: u64,
    /// Not later than the clock at which the first lane reaches the limit.
    deadline: u64,
}

impl<'a, S: Simd, const V: usize, const D: bool, const E: bool> Tails<'a, S, V, D, E> {
    #[inline(always)]
    pub(in crate::cpu::deep) fn new(s: S, deep: &'a Deep<'a>) -> Self {
        // Idle lanes stay at z = 0.
        let still = State {
            z: [[0.0; 8]; 2],
            steep2: [0.0; 8],
            off2: [0.0; 8],
            slope: [[0.0; 8]; 2],
        };
        let none = LaneConstants {
            c: [[0.0; 8]; 2],
            births: [0; 8],
            terms: [0; 8],
            q: [0.0; 8],
            pixels: [(0, 0, 0); 8],
            alive: 0,
        };
        Self {
            s,
            deep,
            states: [[still; V]; 2],
            end: 0,
            fixed: [none; V],
            clock: 0,
            deadline: u64::MAX,
        }
    }

    /// Iterates all `waiting` pixels to their ends, which it tells to `ended`, or back to deltas, which go to
    /// `returned`; `None` if cancelled.
    #[inline(always)]
    pub(in crate::cpu::deep) fn run(
        &mut self,
        waiting: &[Tail],
        returned: &mut Vec<Pixel>,
        ended: &mut impl FnMut((u32, u32), End),
    ) -> Option<()> {
        let mut waiting = waiting.iter();
        for v in 0..V {
            for lane in 0..S::LANES {
                self.refill(v, lane, waiting.next());
            }
        }
        let mut blocks = 0u64;
        while self.fixed.iter().any(|fixed| fixed.alive != 0) {
            blocks += 1;
            if blocks.is_multiple_of(BLOCKS_BETWEEN_LOOKS) && !self.deep.look() {
                return None;
            }
            let mut events = self.block();
            let due = self.clock >= self.deadline;
            if due {
                for (v, events) in events.iter_mut().enumerate() {
                    *events |= self.finished(v);
                }
            } else if events == [0; V] {
                continue;
            }
            for (v, mut busy) in events.into_iter().enumerate() {
                while busy != 0 {
                    let lane = busy.trailing_zeros() as usize % S::LANES;
                    busy &= busy - 1;
                    let tail = self.start(v, lane);
                    match tail.trace::<D, E>(self.deep) {
                        Outcome::Ended(end) => ended((tail.col, tail.row), end),
                        Outcome::Returned(pixel) => returned.push(pixel),
                    }
                    self.refill(v, lane, waiting.next());
                }
            }
            if due {
                self.set_deadline();
            }
        }
        Some(())
    }

    /// Makes a block of steps; the lanes of each vector in which something happened.
    #[inline(always)]
    fn block(&mut self) -> [u32; V] {
        let (s, deep) = (self.s, self.deep);
        let zero = s.splat(0.0);
        let unit = s.splat(deep.unit[0]);
        let (mut z, mut slope) = ([[zero; 2]; V], [[zero; 2]; V]);
        let (mut steep2, mut lowest2, mut least_growth2) =
            ([zero; V], [s.splat(f64::MAX); V], [s.splat(f64::MAX); V]);
        let mut off2 = [zero; V];
        for v in 0..V {
            let state = &self.states[self.end & 1][v];
            z[v] = [s.load(&state.z[0]), s.load(&state.z[1])];
            steep2[v] = s.load(&state.steep2);
            if D {
                slope[v] = [s.load(&state.slope[0]), s.load(&state.slope[1])];
            }
            if E {
                off2[v] = s.load(&state.off2);
            }
        }
        for _ in 0..BLOCK {
            for v in 0..V {
                let [cx, cy] = &self.fixed[v].c;
                let [x, y] = z[v];
                let (gx, gy) = (s.add(x, x), s.add(y, y));
                let growth2 = s.fma(gx, gx, s.mul(gy, gy));
                steep2[v] = s.mul(steep2[v], growth2);
                lowest2[v] = s.min(lowest2[v], steep2[v]);
                least_growth2[v] = s.min(least_growth2[v], growth2);
                if E {
                    off2[v] =
                        deep.rounding
                            .next_plain(s, growth2, off2[v], s.load(&self.fixed[v].q));
                }
                z[v] = [
                    s.fma(x, x, s.fnma(y, y, s.load(cx))),
                    s.fma(gx, y, s.load(cy)),
                ];
                if D {
                    let [dx, dy] = slope[v];
                    slope[v] = [
                        s.fma(gx, dx, s.fnma(gy, dy, unit)),
                        s.fma(gx, dy, s.mul(gy, dx)),
                    ];
                }
            }
        }
        self.clock += BLOCK;
        self.end ^= 1;
        let radius2 = s.splat(deep.radius * deep.radius);
        let (least_steep2, returning2) = (s.splat(LEAST_STEEP2), s.splat(deep.returning2));
        let mut events = [0; V];
        for v in 0..V {
            let state = &mut self.states[self.end & 1][v];
            let [x, y] = z[v];
            s.store(&mut state.z[0], x);
            s.store(&mut state.z[1], y);
            s.store(&mut state.steep2, steep2[v]);
            if D {
                s.store(&mut state.slope[0], slope[v][0]);
                s.store(&mut state.slope[1], slope[v][1]);
            }
            if E {
                s.store(&mut state.off2, off2[v]);
            }
            let within = s.le(s.fma(x, x, s.mul(y, y)), radius2);
            let plain = s.and(
                s.le(least_steep2, lowest2[v]),
                s.le(returning2, least_growth2[v]),
            );
            events[v] = self.fixed[v].alive & !s.bits(s.and(within, plain));
        }
        events
    }

    /// The lanes of a vector that have reached the limit.
    #[inline(always)]
    fn finished(&self, v: usize) -> u32 {
        let fixed = &self.fixed[v];
        let mut bits = 0;
        for lane in 0..S::LANES {
            let n = self.clock.wrapping_add(fixed.births[lane]);
            bits |= u32::from(n >= self.deep.limit) << lane;
        }
        bits & fixed.alive
    }

    #[inline(always)]
    fn set_deadline(&mut self) {
        self.deadline = u64::MAX;
        for fixed in &self.fixed {
            for lane in 0..S::LANES {
                if fixed.alive >> lane & 1 != 0 {
                    let end = self.deep.limit.wrapping_sub(fixed.births[lane]);
                    self.deadline = self.deadline.min(end);
                }
            }
        }
    }

    /// Gives a lane the next pixel; it is idle if there is none.
    #[inline(always)]
    fn refill(&mut self, v: usize, lane: usize, next: Option<&Tail>) {
        let state = &mut self.states[self.end & 1][v];
        let fixed = &mut self.fixed[v];
        let Some(tail) = next else {
            fixed.alive &= !(1 << lane);
            for part in state.z.iter_mut().chain(&mut fixed.c) {
                part[lane] = 0.0;
            }
            return;
        };
        let c = tail.c(self.deep);
        let lanes = state.z.iter_mut().zip(&mut fixed.c).zip(&mut state.slope);
        for (axis, ((z, c_lane), slope)) in lanes.enumerate() {
            (z[lane], c_lane[lane]) = (tail.z[axis], c[axis]);
            if D {
                slope[lane] = tail.slope[axis];
            }
        }
        state.steep2[lane] = tail.steep2;
        fixed.births[lane] = tail.n.wrapping_sub(self.clock);
        if E {
            state.off2[lane] = tail.bound.root * tail.bound.root;
            fixed.terms[lane] = tail.bound.terms.wrapping_sub(tail.n);
            fixed.q[lane] = self.deep.rounding.q(tail.bound, MOST_BOUNDED);
        }
        fixed.pixels[lane] = (tail.col, tail.row, tail.visits);
        fixed.alive |= 1 << lane;
        self.deadline = self.deadline.min(self.clock + (self.deep.limit - tail.n));
    }

    /// The pixel of a lane as of the last block's start.
    #[inline(always)]
    fn start(&self, v: usize, lane: usize) -> Tail {
        let state = &self.states[self.end & 1 ^ 1][v];
        let fixed = &self.fixed[v];
        let (col, row, visits) = fixed.pixels[lane];
        let of = |part: &[[f64; 8]; 2]| [part[0][lane], part[1][lane]];
        let n = (self.clock - BLOCK).wrapping_add(fixed.births[lane]);
        Tail {
            z: of(&state.z),
            slope: of(&state.slope),
            steep2: state.steep2[lane],
            q: fixed.q[lane],
            bound: if E {
                Bound {
                    root: state.off2[lane].sqrt(),
                    terms: n.wrapping_add(fixed.terms[lane]),
                }
            } else {
                Bound::default()
            },
            visits,
            n,
            col,
            row,
        }
    }
}

impl Tail {
    /// The rest of `pixel`, which is in doubles.
    #[inline(always)]
    pub(in crate::cpu::deep) fn of<const E: bool>(deep: &Deep<'_>, pixel: &Pixel) -> Self {
        let z = pixel.full(deep);
        Self {
            z,
            slope: pixel.slope,
            steep2: pixel.steep2,
            bound: if E {
                let reference = deep.orbit.values[pixel.m as usize];
                deep.rounding.rebased(pixel.bound, reference, z)
            } else {
                Bound::default()
            },
            q: 0.0,
            visits: pixel.visits + 1,
            n: pixel.n,
            col: pixel.col,
            row: pixel.row,
        }
    }

    /// Where a pixel in doubles is.
    #[inline(always)]
    fn c(&self, deep: &Deep<'_>) -> [f64; 2] {
        deep.point(self.col, self.row)
    }

    /// Makes the steps of a block one by one until something happens. The same operations as of lanes.
    #[inline(always)]
    fn trace<const D: bool, const E: bool>(&self, deep: &Deep<'_>) -> Outcome {
        let [cx, cy] = self.c(deep);
        let ([mut x, mut y], [mut dx, mut dy]) = (self.z, self.slope);
        let (mut steep2, mut n) = (self.steep2, self.n);
        let (mut off2, mut terms) = (self.bound.root * self.bound.root, self.bound.terms);
        if E && self.q < deep.rounding.q(self.bound, BLOCK) {
            // More steps than its bound has room for.
            off2 = f64::INFINITY;
        }
        loop {
            let (gx, gy) = (x + x, y + y);
            let growth2 = gx.mul_add(gx, gy * gy);
            let next = steep2 * growth2;
            if next < LEAST_STEEP2 || growth2 < deep.returning2 || n >= self.n + BLOCK {
                return Outcome::Returned(Pixel {
                    z: [x, y],
                    slope: [dx, dy],
                    steep2: if self.visits < MOST_VISITS {
                        steep2
                    } else {
                        0.0
                    },
                    bound: if E {
                        Bound {
                            root: off2.sqrt(),
                            terms,
                        }
                    } else {
                        Bound::default()
                    },
                    visits: self.visits,
                    exponent: 0,
                    m: 0,
                    n,
                    col: self.col,
                    row: self.row,
                });
            }
            (x, y) = (x.mul_add(x, (-y).mul_add(y, cx)), gx.mul_add(y, cy));
            if D {
                (dx, dy) = (
                    gx.mul_add(dx, (-gy).mul_add(dy, deep.unit[0])),
                    gx.mul_add(dy, gy * dx),
                );
            }
            steep2 = next;
            let inner = [gx / 2.0, gy / 2.0];
            let inner_off2 = off2;
            if E {
                off2 = deep.rounding.next_plain_one(growth2, off2, self.q);
                terms += 1;
            }
            n += 1;
            let square = norm2([x, y]);
            if n > deep.limit || square > deep.radius * deep.radius || square.is_nan() {
                let (count, z, slope, off2) = if n > deep.limit {
                    (0, inner, [0.0; 2], inner_off2)
                } else {
                    (n, [x, y], [dx, dy], off2)
                };
                let error = if E {
                    let root = off2.sqrt();
                    deep.rounding.error(Bound { root, terms })
                } else {
                    0.0
                };
                return Outcome::Ended(End {
                    count,
                    z,
                    slope,
                    error,
                });
            }
        }
    }
}
