//! Vectors of pixels, each on its own way along the reference.
//!
//! All lanes share a clock; a lane knows by how much its m and n differ from it. A step looks for whatever is not a
//! plain step any more: a lane that may have escaped, that has to rebase, whose delta has become so small that blocks
//! may be skipped. Such a lane is taken out, seen to by [`Pixel`]'s own code, which does the same operations one by
//! one, and put back; a lane that is done is given the next pixel at once. So a pixel's value depends on no other
//! pixel, nor on how many lanes there are.

use super::cycle::Watch;
use super::pixel::{End, Pixel, Stage};
use super::tail::Tail;
use crate::cpu::deep::frame::{Deep, SMALLEST_SKIPPABLE};
use crate::cpu::deep::interior::Interior;
use crate::cpu::simd::Simd;

/// Steps between two looks at whether the computation was cancelled.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 13;
/// |z| may have passed the escape radius only where its larger part is over this share of it.
const PART: f64 = 0.7;

/// Sets the lanes of a mask.
#[inline(always)]
fn set<S: Simd>(s: S, lanes: S::M, to: &mut S::V, value: f64) {
    *to = s.select(lanes, s.splat(value), *to);
}

/// The value of a lane.
#[inline(always)]
fn value<S: Simd>(s: S, lane: usize, from: S::V) -> f64 {
    let mut values = [0.0; 8];
    s.store(&mut values, from);
    values[lane]
}

/// One vector.
#[derive(Clone, Copy)]
struct Vector<S: Simd> {
    /// z, its sum with the reference, and that.
    z: [S::V; 2],
    full: [S::V; 2],
    reference: [S::V; 2],
    slope: [S::V; 2],
    /// See [`Pixel::steep2`].
    steep2: S::V,
    c: [S::V; 2],
}

/// `V` vectors; `D`: with the derivative.
pub(in crate::cpu::deep) struct Lanes<'a, S: Simd, const V: usize, const D: bool> {
    s: S,
    deep: &'a Deep<'a>,
    vectors: [Vector<S>; V],
    /// Each lane's m, as of the clock.
    places: [[usize; 8]; V],
    /// Each lane's n minus the clock.
    births: [[u64; 8]; V],
    /// The clock at which each lane is looked at again, and the size of z below which it is before.
    dues: [[u64; 8]; V],
    small: [S::V; V],
    watches: [[Watch; 8]; V],
    /// Column, row, and how often the pixel has been a tail.
    pixels: [[(u32, u32, u32); 8]; V],
    alive: [u32; V],
    clock: u64,
    /// The clock at which cancellation is looked at.
    look_at: u64,
    looks: u64,
}

impl<'a, S: Simd, const V: usize, const D: bool> Lanes<'a, S, V, D> {
    #[inline(always)]
    pub(in crate::cpu::deep) fn new(s: S, deep: &'a Deep<'a>) -> Self {
        let zero = [s.splat(0.0); 2];
        Self {
            s,
            deep,
            vectors: [Vector {
                z: zero,
                full: zero,
                reference: zero,
                slope: zero,
                steep2: s.splat(0.0),
                c: zero,
            }; V],
            places: [[0; 8]; V],
            births: [[0; 8]; V],
            dues: [[u64::MAX; 8]; V],
            small: [s.splat(0.0); V],
            watches: [[Watch::new(false, 0.0); 8]; V],
            pixels: [[(0, 0, 0); 8]; V],
            alive: [0; V],
            clock: 0,
            look_at: STEPS_BETWEEN_LOOKS,
            looks: 0,
        }
    }

    /// Iterates all `waiting` pixels to their ends, which it tells to `ended`, or to where they may be iterated plainly:
    /// they go to `tails`. What comes to be proved is added to `interior`. `None` if cancelled.
    #[inline(always)]
    pub(in crate::cpu::deep) fn run(
        &mut self,
        waiting: &mut Vec<Pixel>,
        tails: &mut Vec<Tail>,
        interior: &mut Interior<'_>,
        ended: &mut impl FnMut((u32, u32), End),
    ) -> Option<()> {
        for v in 0..V {
            for lane in 0..S::LANES {
                self.refill(v, lane, waiting, tails, interior, ended)?;
            }
        }
        loop {
            if self.alive == [0; V] {
                return Some(());
            }
            let deadline = self.deadline();
            // Steps in which nothing happens.
            let mut events = [0; V];
            let until = deadline.min(self.look_at);
            // A copy that stays in registers: stores of all state in each step took most of its time.
            let (mut made, left) = (0, (until - self.clock) as usize);
            let mut vectors = self.vectors;
            while made < left {
                made += 1;
                events = self.step(&mut vectors, made);
                if events != [0; V] {
                    break;
                }
            }
            self.vectors = vectors;
            self.clock += made as u64;
            for places in &mut self.places {
                for place in &mut places[..S::LANES] {
                    *place += made;
                }
            }
            if self.clock >= self.look_at {
                self.look_at += STEPS_BETWEEN_LOOKS;
                if !self.deep.look() {
                    return None;
                }
            }
            let due = self.clock >= deadline;
            for (v, event) in events.into_iter().enumerate() {
                let mut busy = if due { self.due(v) } else { 0 } | event;
                while busy != 0 {
                    let lane = busy.trailing_zeros() as usize % S::LANES;
                    busy &= busy - 1;
                    let mut pixel = self.take(v, lane);
                    let watch = &mut self.watches[v][lane];
                    let stage = match pixel.arrive(self.deep, watch) {
                        Some(end) => Stage::Ended(end),
                        None => self.settle(v, lane, &mut pixel, interior),
                    };
                    match stage {
                        Stage::Ended(end) => {
                            ended((pixel.col, pixel.row), end);
                            self.refill(v, lane, waiting, tails, interior, ended)?;
                        }
                        Stage::Ready(_) if pixel.steep2 >= self.deep.tail_steep2 => {
                            tails.push(Tail::of(self.deep, &pixel));
                            self.refill(v, lane, waiting, tails, interior, ended)?;
                        }
                        Stage::Ready(wake) => self.put(v, lane, &pixel, wake),
                        Stage::Near(_) | Stage::Cancelled => return None,
                    }
                }
            }
        }
    }

    /// A pixel of a lane by blocks: to its end, which is a proof's, too, or to where only steps lead on.
    #[inline(always)]
    fn settle(
        &mut self,
        v: usize,
        lane: usize,
        pixel: &mut Pixel,
        interior: &mut Interior<'_>,
    ) -> Stage {
        let watch = &mut self.watches[v][lane];
        loop {
            match pixel.settle::<D>(self.deep, watch, &mut self.looks) {
                Stage::Near(near) => {
                    if interior.is_proved(self.deep, pixel, near) {
                        return Stage::Ended(End::default());
                    }
                }
                stage => return stage,
            }
        }
    }

    /// Makes one step of `vectors`, the `made`-th since the clock; the lanes of each vector that need to be seen to.
    #[inline(always)]
    fn step(&self, vectors: &mut [Vector<S>; V], made: usize) -> [u32; V] {
        let (s, deep) = (self.s, self.deep);
        let large = s.splat(PART * deep.radius);
        let unit = s.splat(deep.unit[0]);
        let enough = s.splat(deep.tail_steep2);
        let mut events = [0; V];
        for (v, event) in events.iter_mut().enumerate() {
            let vector = &mut vectors[v];
            let Vector {
                z: [x, y],
                full: [fx, fy],
                reference: [rx, ry],
                c: [cx, cy],
                slope: [dx, dy],
                steep2,
            } = *vector;
            let (gx, gy) = (s.add(fx, fx), s.add(fy, fy));
            let steep2 = s.mul(steep2, s.fma(gx, gx, s.mul(gy, gy)));
            if D {
                vector.slope = [
                    s.fma(gx, dx, s.fnma(gy, dy, unit)),
                    s.fma(gx, dy, s.fma(gy, dx, s.splat(0.0))),
                ];
            }
            let (hx, hy) = (s.add(rx, fx), s.add(ry, fy));
            let zx = s.fma(hx, x, s.fnma(hy, y, cx));
            let zy = s.fma(hx, y, s.fma(hy, x, cy));
            let (rx, ry) = s.pairs(&deep.orbit.values, &self.places[v], made);
            let (fx, fy) = (s.add(rx, zx), s.add(ry, zy));
            let size = s.max(s.abs(zx), s.abs(zy));
            let full_size = s.max(s.abs(fx), s.abs(fy));
            let plain = s.and(
                s.and(s.le(size, full_size), s.le(self.small[v], size)),
                s.and(s.le(full_size, large), s.le(steep2, enough)),
            );
            vector.steep2 = steep2;
            vector.z = [zx, zy];
            vector.full = [fx, fy];
            vector.reference = [rx, ry];
            *event = self.alive[v] & !s.bits(plain);
        }
        events
    }

    /// Clock at which the first lane is due.
    #[inline(always)]
    fn deadline(&self) -> u64 {
        let mut first = self.dues[0];
        for dues in &self.dues[1..] {
            for (first, due) in first.iter_mut().zip(dues) {
                *first = (*first).min(*due);
            }
        }
        // Pair by pair, which waits for three comparisons and not for eight.
        for half in [4, 2, 1] {
            for lane in 0..half {
                first[lane] = first[lane].min(first[lane + half]);
            }
        }
        first[0]
    }

    /// The lanes of a vector that are due: at the reference's end, at the limit, or where a block may begin. Idle ones
    /// begin again.
    #[inline(always)]
    fn due(&mut self, v: usize) -> u32 {
        let mut bits = 0;
        for lane in 0..S::LANES {
            let is_due = self.dues[v][lane] <= self.clock;
            if is_due && self.alive[v] >> lane & 1 == 0 {
                self.idle(v, lane);
            }
            bits |= u32::from(is_due) << lane;
        }
        bits & self.alive[v]
    }

    /// An idle lane reads along, from the start.
    #[inline(always)]
    fn idle(&mut self, v: usize, lane: usize) {
        self.places[v][lane] = 0;
        self.dues[v][lane] = self.clock + self.deep.last;
    }

    /// The next pixel that is not done by blocks alone goes to a lane; it is idle if there is none. `None` if
    /// cancelled.
    #[inline(always)]
    fn refill(
        &mut self,
        v: usize,
        lane: usize,
        waiting: &mut Vec<Pixel>,
        tails: &mut Vec<Tail>,
        interior: &mut Interior<'_>,
        ended: &mut impl FnMut((u32, u32), End),
    ) -> Option<()> {
        while let Some(mut pixel) = waiting.pop() {
            if interior.has(pixel.col, pixel.row) {
                ended((pixel.col, pixel.row), End::default());
                continue;
            }
            self.watches[v][lane] = Watch::new(self.deep.cycles, interior.reach());
            match self.settle(v, lane, &mut pixel, interior) {
                Stage::Ended(end) => ended((pixel.col, pixel.row), end),
                Stage::Near(_) | Stage::Cancelled => return None,
                Stage::Ready(_) if pixel.steep2 >= self.deep.tail_steep2 => {
                    tails.push(Tail::of(self.deep, &pixel));
                }
                Stage::Ready(wake) => {
                    self.put(v, lane, &pixel, wake);
                    self.alive[v] |= 1 << lane;
                    return Some(());
                }
            }
        }
        self.alive[v] &= !(1 << lane);
        self.idle(v, lane);
        Some(())
    }

    /// Puts a pixel that has arrived at its m into a lane.
    #[inline(always)]
    fn put(&mut self, v: usize, lane: usize, pixel: &Pixel, wake: u64) {
        let s = self.s;
        let [rx, ry] = self.deep.orbit.values[pixel.m as usize];
        let [x, y] = pixel.z;
        let [cx, cy] = pixel.c(self.deep);
        let vector = &mut self.vectors[v];
        let lane_of = s.mask(1 << lane);
        set(s, lane_of, &mut vector.z[0], x);
        set(s, lane_of, &mut vector.z[1], y);
        set(s, lane_of, &mut vector.reference[0], rx);
        set(s, lane_of, &mut vector.reference[1], ry);
        set(s, lane_of, &mut vector.full[0], rx + x);
        set(s, lane_of, &mut vector.full[1], ry + y);
        set(s, lane_of, &mut vector.steep2, pixel.steep2);
        set(s, lane_of, &mut vector.c[0], cx);
        set(s, lane_of, &mut vector.c[1], cy);
        let small = if wake == u64::MAX {
            self.deep.skippable
        } else {
            SMALLEST_SKIPPABLE
        };
        set(s, lane_of, &mut self.small[v], small);
        let left = (self.deep.last.min(wake) - pixel.m).min(self.deep.limit - pixel.n);
        self.dues[v][lane] = self.clock + left;
        if D {
            set(s, lane_of, &mut vector.slope[0], pixel.slope[0]);
            set(s, lane_of, &mut vector.slope[1], pixel.slope[1]);
        }
        self.places[v][lane] = pixel.m as usize;
        self.births[v][lane] = pixel.n.wrapping_sub(self.clock);
        self.pixels[v][lane] = (pixel.col, pixel.row, pixel.visits);
    }

    /// The pixel in a lane, as of its last step.
    #[inline(always)]
    fn take(&self, v: usize, lane: usize) -> Pixel {
        let s = self.s;
        let vector = &self.vectors[v];
        let (col, row, visits) = self.pixels[v][lane];
        Pixel {
            z: [value(s, lane, vector.z[0]), value(s, lane, vector.z[1])],
            slope: if D {
                [
                    value(s, lane, vector.slope[0]),
                    value(s, lane, vector.slope[1]),
                ]
            } else {
                [0.0; 2]
            },
            steep2: value(s, lane, vector.steep2),
            visits,
            exponent: 0,
            m: self.places[v][lane] as u64,
            n: self.clock.wrapping_add(self.births[v][lane]),
            col,
            row,
        }
    }
}
