//! Vectors of pixels, each on its own way along the reference.
//!
//! A vector's lanes make steps side by side. A step looks for whatever is not a plain step any more: a lane that may
//! have escaped, that has to rebase, whose delta has become so small that blocks may be skipped, that has come to where a
//! block may begin. Such a lane stops, and the others go on until so much is lost by lanes that stand still that it is worth
//! seeing to them: that is done by [`Pixel`]'s own code, with the same operations one by one. A lane that is done is given
//! the next pixel. So a pixel's value depends on no other pixel, nor on how many lanes there are.

use super::cycle::Watch;
use super::pixel::{End, Pixel, Stage, smallest};
use super::tail::Tail;
use crate::cpu::deep::frame::Deep;
use crate::cpu::deep::interior::Interior;
use crate::cpu::deep::rounding::Bound;
use crate::cpu::simd::{Runs, Simd};

/// Steps between two looks at whether the computation was cancelled.
const STEPS_BETWEEN_LOOKS: usize = 1 << 13;
/// Most steps that lanes stand still for, all together: to leave the steps and come back takes about as long.
const MOST_IDLE: usize = 64;
/// Most steps of a lane with one bound of their number: such a bound is a part of that of the error.
const MOST_BOUNDED: u64 = 1 << 12;
/// |z| may have passed the escape radius only where its larger part is over this share of it.
const PART: f64 = 0.7;

/// Sets the lanes of a mask to those of `value`.
#[inline(always)]
pub(in crate::cpu::deep) fn keep<S: Simd>(s: S, lanes: S::M, to: &mut [f64; 8], value: S::V) {
    let old = s.load(to);
    s.store(to, s.select(lanes, value, old));
}

/// What changes with each step, of one vector.
#[derive(Clone, Copy)]
struct Vector<S: Simd> {
    /// z, its sum with the reference, and that.
    z: [S::V; 2],
    full: [S::V; 2],
    reference: [S::V; 2],
    slope: [S::V; 2],
    /// See [`Pixel::steep2`].
    steep2: S::V,
    /// W of `cpu::deep::rounding`.
    off2: S::V,
}

/// One vector's lanes, as of the last time that they stood still.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct State {
    z: [[f64; 8]; 2],
    slope: [[f64; 8]; 2],
    steep2: [f64; 8],
    off2: [f64; 8],
    /// See [`Rounding::q`](crate::cpu::deep::rounding::Rounding::q).
    q: [f64; 8],
    c: [[f64; 8]; 2],
    /// The size of z below which a lane stops.
    small: [f64; 8],
    /// Steps after which it stops.
    left: [usize; 8],
    m: [usize; 8],
    n: [u64; 8],
    /// See [`Bound::terms`].
    terms: [u64; 8],
    /// Column, row, and how often the pixel has been a tail.
    pixels: [(u32, u32, u32); 8],
    /// The lanes that have a pixel.
    alive: u32,
}

impl State {
    /// Without any pixel: lanes stay at z = 0.
    const IDLE: Self = Self {
        z: [[0.0; 8]; 2],
        slope: [[0.0; 8]; 2],
        steep2: [0.0; 8],
        off2: [0.0; 8],
        q: [0.0; 8],
        c: [[0.0; 8]; 2],
        small: [0.0; 8],
        left: [usize::MAX; 8],
        m: [0; 8],
        n: [0; 8],
        terms: [0; 8],
        pixels: [(0, 0, 0); 8],
        alive: 0,
    };
}

/// `V` vectors; `D`: with the derivative, `E`: with the bound of the error.
pub(in crate::cpu::deep) struct Lanes<'a, S: Simd, const V: usize, const D: bool, const E: bool> {
    s: S,
    deep: &'a Deep<'a>,
    states: [State; V],
    watches: [[Watch; 8]; V],
    /// Steps made since the last look at cancellation.
    unseen: usize,
    looks: u64,
}

/// What lanes go by that does not change until they stand still.
#[derive(Clone, Copy)]
struct Fixed<S: Simd> {
    c: [S::V; 2],
    small: S::V,
    q: S::V,
}

impl<'a, S: Simd, const V: usize, const D: bool, const E: bool> Lanes<'a, S, V, D, E> {
    #[inline(always)]
    pub(in crate::cpu::deep) fn new(s: S, deep: &'a Deep<'a>) -> Self {
        Self {
            s,
            deep,
            states: [State::IDLE; V],
            watches: [[Watch::new(false, 0.0); 8]; V],
            unseen: 0,
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
        while self.states.iter().any(|state| state.alive != 0) {
            let stopped = self.steps();
            if self.unseen >= STEPS_BETWEEN_LOOKS {
                self.unseen = 0;
                if !self.deep.look() {
                    return None;
                }
            }
            for (v, mut busy) in stopped.into_iter().enumerate() {
                while busy != 0 {
                    let lane = busy.trailing_zeros() as usize % S::LANES;
                    busy &= busy - 1;
                    let mut pixel = self.take(v, lane);
                    let watch = &mut self.watches[v][lane];
                    let stage = match pixel.arrive::<E>(self.deep, watch) {
                        Some(end) => Stage::Ended(end),
                        None => self.settle(v, lane, &mut pixel, interior),
                    };
                    match stage {
                        Stage::Ended(end) => {
                            ended((pixel.col, pixel.row), end);
                            self.refill(v, lane, waiting, tails, interior, ended)?;
                        }
                        Stage::Ready(_) if pixel.steep2 >= self.deep.tail_steep2 => {
                            tails.push(Tail::of::<E>(self.deep, &pixel));
                            self.refill(v, lane, waiting, tails, interior, ended)?;
                        }
                        Stage::Ready(wake) => self.put(v, lane, &pixel, wake),
                        Stage::Near(_) | Stage::Cancelled => return None,
                    }
                }
            }
        }
        Some(())
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
            match pixel.settle::<D, E>(self.deep, watch, &mut self.looks) {
                Stage::Near(near) => {
                    if interior.is_proved(self.deep, pixel, near) {
                        return Stage::Ended(End::default());
                    }
                }
                stage => return stage,
            }
        }
    }

    /// Makes steps until enough lanes have stopped; those of each vector.
    #[inline(always)]
    fn steps(&mut self) -> [u32; V] {
        let (s, deep) = (self.s, self.deep);
        let zero = [s.splat(0.0); 2];
        let (mut fixed, mut vectors) = (
            [Fixed {
                c: zero,
                small: zero[0],
                q: zero[0],
            }; V],
            [Vector {
                z: zero,
                full: zero,
                reference: zero,
                slope: zero,
                steep2: zero[0],
                off2: zero[0],
            }; V],
        );
        let mut running = [0; V];
        let mut most = STEPS_BETWEEN_LOOKS;
        for (running, state) in running.iter_mut().zip(&self.states) {
            *running = state.alive;
            for m in &state.m[..S::LANES] {
                most = most.min(deep.last as usize - m);
            }
        }
        // Lanes without a pixel read along from the start.
        let mut runs = [Runs::new(&deep.orbit.values, &[0; 8], 0, most); V];
        for v in 0..V {
            let state = &self.states[v];
            runs[v] = Runs::new(&deep.orbit.values, &state.m, S::LANES, most);
            fixed[v] = Fixed {
                c: [s.load(&state.c[0]), s.load(&state.c[1])],
                small: s.load(&state.small),
                q: s.load(&state.q),
            };
            let z = [s.load(&state.z[0]), s.load(&state.z[1])];
            let (rx, ry) = s.pairs(&runs[v], 0);
            vectors[v] = Vector {
                z,
                full: [s.add(rx, z[0]), s.add(ry, z[1])],
                reference: [rx, ry],
                slope: [s.load(&state.slope[0]), s.load(&state.slope[1])],
                steep2: s.load(&state.steep2),
                off2: s.load(&state.off2),
            };
        }
        let (mut made, mut standing, mut idle) = (0, 0, 0);
        let mut due = self.first_due(&running);
        while made < most && idle < MOST_IDLE {
            made += 1;
            idle += standing;
            let mut events = self.step(&fixed, &mut vectors, &runs, &running, made);
            if made == due {
                for (v, events) in events.iter_mut().enumerate() {
                    *events |= running[v] & self.due(v, made);
                }
            }
            if events != [0; V] {
                for (v, events) in events.into_iter().enumerate() {
                    standing += events.count_ones() as usize;
                    self.stop(v, events, &vectors[v], made);
                    running[v] &= !events;
                    let mut left = events;
                    while left != 0 {
                        runs[v].restart(left.trailing_zeros() as usize % S::LANES);
                        left &= left - 1;
                    }
                }
                if running == [0; V] {
                    break;
                }
            }
            if made == due {
                due = self.first_due(&running);
            }
        }
        let mut stopped = [0; V];
        for v in 0..V {
            stopped[v] = self.states[v].alive & !running[v];
            self.stop(v, running[v], &vectors[v], made);
        }
        self.unseen += made;
        stopped
    }

    /// The lanes of a vector that stop after `made` steps.
    #[inline(always)]
    fn due(&self, v: usize, made: usize) -> u32 {
        let mut bits = 0;
        for lane in 0..S::LANES {
            bits |= u32::from(self.states[v].left[lane] == made) << lane;
        }
        bits
    }

    /// The steps after which the first one of the running lanes stops, or one that has done so since.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // with iterators whole views take a twentieth more time
    fn first_due(&self, running: &[u32; V]) -> usize {
        let mut first = usize::MAX;
        for v in 0..V {
            for lane in 0..S::LANES {
                if running[v] >> lane & 1 != 0 {
                    first = first.min(self.states[v].left[lane]);
                }
            }
        }
        first
    }

    /// Makes one step, the `made`-th; the running lanes of each vector that stop.
    #[inline(always)]
    fn step(
        &self,
        fixed: &[Fixed<S>; V],
        vectors: &mut [Vector<S>; V],
        runs: &[Runs<'_>; V],
        running: &[u32; V],
        made: usize,
    ) -> [u32; V] {
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
                slope: [dx, dy],
                steep2,
                off2,
            } = *vector;
            let Fixed {
                c: [cx, cy],
                small,
                q,
            } = fixed[v];
            let (gx, gy) = (s.add(fx, fx), s.add(fy, fy));
            let growth2 = s.fma(gx, gx, s.mul(gy, gy));
            let steep2 = s.mul(steep2, growth2);
            if E {
                vector.off2 = deep.rounding.next(s, growth2, s.max_abs(x, y), off2, q);
            }
            if D {
                vector.slope = [
                    s.fma(gx, dx, s.fnma(gy, dy, unit)),
                    s.fma(gx, dy, s.fma(gy, dx, s.splat(0.0))),
                ];
            }
            let (hx, hy) = (s.add(rx, fx), s.add(ry, fy));
            let zx = s.fma(hx, x, s.fnma(hy, y, cx));
            let zy = s.fma(hx, y, s.fma(hy, x, cy));
            let (rx, ry) = s.pairs(&runs[v], made);
            let (fx, fy) = (s.add(rx, zx), s.add(ry, zy));
            let size = s.max_abs(zx, zy);
            let full_size = s.max_abs(fx, fy);
            let plain = s.and(
                s.and(s.le(size, full_size), s.le(small, size)),
                s.and(s.le(full_size, large), s.le(steep2, enough)),
            );
            vector.steep2 = steep2;
            vector.z = [zx, zy];
            vector.full = [fx, fy];
            vector.reference = [rx, ry];
            *event = running[v] & !s.bits(plain);
        }
        events
    }

    /// Keeps what lanes are after `made` steps.
    #[inline(always)]
    fn stop(&mut self, v: usize, lanes: u32, vector: &Vector<S>, made: usize) {
        if lanes == 0 {
            return;
        }
        let (s, state) = (self.s, &mut self.states[v]);
        let mask = s.mask(lanes);
        keep(s, mask, &mut state.z[0], vector.z[0]);
        keep(s, mask, &mut state.z[1], vector.z[1]);
        keep(s, mask, &mut state.steep2, vector.steep2);
        if E {
            keep(s, mask, &mut state.off2, vector.off2);
        }
        if D {
            keep(s, mask, &mut state.slope[0], vector.slope[0]);
            keep(s, mask, &mut state.slope[1], vector.slope[1]);
        }
        let mut left = lanes;
        while left != 0 {
            let lane = left.trailing_zeros() as usize % S::LANES;
            left &= left - 1;
            state.m[lane] += made;
            state.n[lane] += made as u64;
            state.terms[lane] += made as u64;
            state.left[lane] -= made;
        }
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
                    tails.push(Tail::of::<E>(self.deep, &pixel));
                }
                Stage::Ready(wake) => {
                    self.put(v, lane, &pixel, wake);
                    self.states[v].alive |= 1 << lane;
                    return Some(());
                }
            }
        }
        let state = &mut self.states[v];
        state.alive &= !(1 << lane);
        state.m[lane] = 0;
        Some(())
    }

    /// Puts a pixel that has arrived at its m into a lane.
    #[inline(always)]
    fn put(&mut self, v: usize, lane: usize, pixel: &Pixel, wake: u64) {
        let state = &mut self.states[v];
        [state.c[0][lane], state.c[1][lane]] = pixel.c(self.deep);
        [state.z[0][lane], state.z[1][lane]] = pixel.z;
        if D {
            [state.slope[0][lane], state.slope[1][lane]] = pixel.slope;
        }
        state.steep2[lane] = pixel.steep2;
        if E {
            state.off2[lane] = pixel.bound.root * pixel.bound.root;
            state.terms[lane] = pixel.bound.terms;
            state.q[lane] = self.deep.rounding.q(pixel.bound, MOST_BOUNDED);
        }
        state.small[lane] = if wake == u64::MAX {
            self.deep.skippable
        } else {
            smallest::<E>()
        };
        let left = (self.deep.last.min(wake) - pixel.m).min(self.deep.limit - pixel.n);
        state.left[lane] = if E { left.min(MOST_BOUNDED) } else { left } as usize;
        state.m[lane] = pixel.m as usize;
        state.n[lane] = pixel.n;
        state.pixels[lane] = (pixel.col, pixel.row, pixel.visits);
    }

    /// The pixel in a lane, as of its last step.
    #[inline(always)]
    fn take(&self, v: usize, lane: usize) -> Pixel {
        let state = &self.states[v];
        let (col, row, visits) = state.pixels[lane];
        Pixel {
            z: [state.z[0][lane], state.z[1][lane]],
            slope: [state.slope[0][lane], state.slope[1][lane]],
            steep2: state.steep2[lane],
            bound: if E {
                Bound {
                    root: state.off2[lane].sqrt(),
                    terms: state.terms[lane],
                }
            } else {
                Bound::default()
            },
            visits,
            exponent: 0,
            m: state.m[lane] as u64,
            n: state.n[lane],
            col,
            row,
        }
    }
}
