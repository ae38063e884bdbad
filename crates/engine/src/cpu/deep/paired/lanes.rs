//! Vectors of pixels in pairs, each on its own way along the reference: as [`crate::cpu::deep::pixels::lanes`], which says how.

use super::frame::{Paired, smallest};
use super::pixel::{Pixel, Stage};
use crate::cpu::deep::pixels::lanes::keep;
use crate::cpu::deep::pixels::pixel::End;
use crate::cpu::pairs::{Lanes, Wide, load, times_plus, twice_plus};
use crate::cpu::simd::{Runs, Simd};
use crate::deep::pairs::Pair;

/// Most steps between two looks at what lanes are due.
const MOST_STEPS: usize = 1 << 12;
/// Most steps that lanes stand still for, all together.
const MOST_IDLE: usize = 24;
/// |z| may have passed the escape radius only where its larger part is over this share of it.
const PART: f64 = 0.7;

/// One vector's lanes, as of the last time that they stood still.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct State {
    /// High and low parts of both parts.
    z: Lanes,
    c: Lanes,
    slope: [[f64; 8]; 2],
    off2: [f64; 8],
    q: [f64; 8],
    /// The size of z below which a lane stops.
    small: [f64; 8],
    /// Steps after which it stops.
    left: [usize; 8],
    m: [usize; 8],
    /// The lanes that have a pixel.
    alive: u32,
}

impl State {
    const IDLE: Self = Self {
        z: [[[0.0; 8]; 2]; 2],
        c: [[[0.0; 8]; 2]; 2],
        slope: [[0.0; 8]; 2],
        off2: [0.0; 8],
        q: [0.0; 8],
        small: [0.0; 8],
        left: [usize::MAX; 8],
        m: [0; 8],
        alive: 0,
    };
}

/// What changes with each step, of one vector.
#[derive(Clone, Copy)]
struct Vector<S: Simd> {
    z: [Wide<S>; 2],
    reference: [Wide<S>; 2],
    /// Their sum, rounded.
    full: [S::V; 2],
    slope: [S::V; 2],
    off2: S::V,
}

/// `V` vectors.
pub(in crate::cpu::deep) struct PairedLanes<'a, S: Simd, const V: usize> {
    s: S,
    paired: &'a Paired<'a>,
    states: [State; V],
    pixels: [[Option<Pixel>; 8]; V],
    looks: u64,
}

impl<'a, S: Simd, const V: usize> PairedLanes<'a, S, V> {
    #[inline(always)]
    pub(in crate::cpu::deep) fn new(s: S, paired: &'a Paired<'a>) -> Self {
        Self {
            s,
            paired,
            states: [State::IDLE; V],
            pixels: [[None; 8]; V],
            looks: 0,
        }
    }

    /// Iterates all `waiting` pixels to their ends, which it tells to `ended`. `None` if cancelled.
    #[inline(always)]
    pub(in crate::cpu::deep) fn run(
        &mut self,
        waiting: &mut Vec<(u32, u32)>,
        ended: &mut impl FnMut(&Pixel, End),
    ) -> Option<()> {
        for v in 0..V {
            for lane in 0..S::LANES {
                self.refill(v, lane, waiting, ended)?;
            }
        }
        while self.states.iter().any(|state| state.alive != 0) {
            let stopped = self.steps();
            if !self.paired.deep.look() {
                return None;
            }
            for (v, mut busy) in stopped.into_iter().enumerate() {
                while busy != 0 {
                    let lane = busy.trailing_zeros() as usize % S::LANES;
                    busy &= busy - 1;
                    let Some(mut pixel) = self.take(v, lane) else {
                        continue;
                    };
                    let stage = match pixel.arrive(self.paired) {
                        Some(end) => Stage::Ended(end),
                        None => pixel.settle(self.paired, &mut self.looks),
                    };
                    match stage {
                        Stage::Ready(_) if pixel.is_hopeless(self.paired) => {
                            self.refill(v, lane, waiting, ended)?;
                        }
                        Stage::Ready(wake) => self.put(v, lane, pixel, wake),
                        Stage::Ended(end) => {
                            ended(&pixel, end);
                            self.refill(v, lane, waiting, ended)?;
                        }
                        Stage::Cancelled => return None,
                    }
                }
            }
        }
        Some(())
    }

    /// The next pixel that is not done by blocks alone goes to a lane; it is idle if there is none. `None` if cancelled.
    #[inline(always)]
    fn refill(
        &mut self,
        v: usize,
        lane: usize,
        waiting: &mut Vec<(u32, u32)>,
        ended: &mut impl FnMut(&Pixel, End),
    ) -> Option<()> {
        while let Some((col, row)) = waiting.pop() {
            let mut pixel = Pixel::start(self.paired, col, row);
            let stage = match pixel.arrive(self.paired) {
                Some(end) => Stage::Ended(end),
                None => pixel.settle(self.paired, &mut self.looks),
            };
            match stage {
                Stage::Ended(end) => ended(&pixel, end),
                Stage::Cancelled => return None,
                Stage::Ready(wake) => {
                    self.put(v, lane, pixel, wake);
                    self.states[v].alive |= 1 << lane;
                    return Some(());
                }
            }
        }
        let state = &mut self.states[v];
        state.alive &= !(1 << lane);
        state.m[lane] = 0;
        self.pixels[v][lane] = None;
        Some(())
    }

    #[inline(always)]
    fn put(&mut self, v: usize, lane: usize, pixel: Pixel, wake: u64) {
        let (deep, state) = (self.paired.deep, &mut self.states[v]);
        for part in 0..2 {
            let (z, c) = (pixel.z[part], pixel.near_c[part]);
            [state.z[part][0][lane], state.z[part][1][lane]] = [z.0, z.1];
            [state.c[part][0][lane], state.c[part][1][lane]] = [c.0, c.1];
            state.slope[part][lane] = pixel.slope[part];
        }
        state.off2[lane] = pixel.bound.root * pixel.bound.root;
        state.q[lane] = self.paired.rounding.q(pixel.bound, MOST_STEPS as u64);
        state.small[lane] = if wake == u64::MAX {
            self.paired.skippable
        } else {
            smallest()
        };
        let left = (deep.last.min(wake) - pixel.m).min(deep.limit - pixel.n);
        state.left[lane] = left.min(MOST_STEPS as u64) as usize;
        state.m[lane] = pixel.m as usize;
        self.pixels[v][lane] = Some(pixel);
    }

    #[inline(always)]
    fn take(&self, v: usize, lane: usize) -> Option<Pixel> {
        let state = &self.states[v];
        let mut pixel = self.pixels[v][lane]?;
        for part in 0..2 {
            pixel.z[part] = Pair(state.z[part][0][lane], state.z[part][1][lane]);
            pixel.slope[part] = state.slope[part][lane];
        }
        let made = state.m[lane] as u64 - pixel.m;
        pixel.m += made;
        pixel.n += made;
        pixel.bound.terms += made;
        pixel.bound.root = state.off2[lane].sqrt();
        Some(pixel)
    }

    /// Makes steps until enough lanes have stopped; those of each vector.
    #[inline(always)]
    fn steps(&mut self) -> [u32; V] {
        let (s, deep) = (self.s, self.paired.deep);
        let lows = &self.paired.tables.lows;
        let mut running = [0; V];
        let mut most = MOST_STEPS;
        for (running, state) in running.iter_mut().zip(&self.states) {
            *running = state.alive;
            for m in &state.m[..S::LANES] {
                most = most.min(deep.last as usize - m);
            }
        }
        let run = |values| Runs::new(values, &[0; 8], 0, most);
        let (mut runs, mut low_runs) = ([run(&deep.orbit.values); V], [run(lows); V]);
        let zero = s.splat(0.0);
        let mut vectors = [Vector::<S> {
            z: [(zero, zero); 2],
            reference: [(zero, zero); 2],
            full: [zero; 2],
            slope: [zero; 2],
            off2: zero,
        }; V];
        for v in 0..V {
            let state = &self.states[v];
            runs[v] = Runs::new(&deep.orbit.values, &state.m, S::LANES, most);
            low_runs[v] = Runs::new(lows, &state.m, S::LANES, most);
            let z = load(s, &state.z);
            let (rx, ry) = s.pairs(&runs[v], 0);
            let (lx, ly) = s.pairs(&low_runs[v], 0);
            vectors[v] = Vector {
                z,
                reference: [(rx, lx), (ry, ly)],
                full: [s.add(rx, z[0].0), s.add(ry, z[1].0)],
                slope: [s.load(&state.slope[0]), s.load(&state.slope[1])],
                off2: s.load(&state.off2),
            };
        }
        let (mut made, mut standing, mut idle) = (0, 0, 0);
        let mut due = self.first_due(&running);
        while made < most && idle < MOST_IDLE {
            made += 1;
            idle += standing;
            for v in 0..V {
                let mut events =
                    running[v] & self.step(v, &mut vectors[v], &runs[v], &low_runs[v], made);
                if made == due {
                    events |= running[v] & self.due(v, made);
                }
                if events == 0 {
                    continue;
                }
                standing += events.count_ones() as usize;
                self.stop(v, events, &vectors[v], made);
                running[v] &= !events;
                let mut left = events;
                while left != 0 {
                    let lane = left.trailing_zeros() as usize % S::LANES;
                    runs[v].restart(lane);
                    low_runs[v].restart(lane);
                    left &= left - 1;
                }
            }
            if running == [0; V] {
                break;
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
        stopped
    }

    #[inline(always)]
    fn due(&self, v: usize, made: usize) -> u32 {
        let mut bits = 0;
        for lane in 0..S::LANES {
            bits |= u32::from(self.states[v].left[lane] == made) << lane;
        }
        bits
    }

    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // as that of the other lanes
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

    /// Makes one step, the `made`-th; the lanes that stop.
    #[inline(always)]
    fn step(
        &self,
        v: usize,
        vector: &mut Vector<S>,
        runs: &Runs<'_>,
        low_runs: &Runs<'_>,
        made: usize,
    ) -> u32 {
        let (s, deep, state) = (self.s, self.paired.deep, &self.states[v]);
        let Vector {
            z,
            reference,
            full: [fx, fy],
            slope: [dx, dy],
            off2,
        } = *vector;
        let c = load(s, &state.c);
        let (gx, gy) = (s.add(fx, fx), s.add(fy, fy));
        let growth2 = s.fma(gx, gx, s.mul(gy, gy));
        let size = s.max_abs(z[0].0, z[1].0);
        vector.off2 = (self.paired.rounding).next(s, growth2, size, off2, s.load(&state.q));
        vector.slope = [
            s.fma(gx, dx, s.fnma(gy, dy, s.splat(deep.unit[0]))),
            s.fma(gx, dy, s.mul(gy, dx)),
        ];
        let by = [
            twice_plus(s, reference[0], z[0]),
            twice_plus(s, reference[1], z[1]),
        ];
        let z = times_plus(s, by, z, c);
        let (rx, ry) = s.pairs(runs, made);
        let (lx, ly) = s.pairs(low_runs, made);
        let (fx, fy) = (s.add(rx, z[0].0), s.add(ry, z[1].0));
        let (size, full_size) = (s.max_abs(z[0].0, z[1].0), s.max_abs(fx, fy));
        vector.z = z;
        vector.reference = [(rx, lx), (ry, ly)];
        vector.full = [fx, fy];
        let plain = s.and(
            s.and(s.le(size, full_size), s.le(s.load(&state.small), size)),
            s.le(full_size, s.splat(PART * deep.radius)),
        );
        !s.bits(plain)
    }

    /// Keeps what lanes are after `made` steps.
    #[inline(always)]
    fn stop(&mut self, v: usize, lanes: u32, vector: &Vector<S>, made: usize) {
        if lanes == 0 {
            return;
        }
        let (s, state) = (self.s, &mut self.states[v]);
        let mask = s.mask(lanes);
        for part in 0..2 {
            keep(s, mask, &mut state.z[part][0], vector.z[part].0);
            keep(s, mask, &mut state.z[part][1], vector.z[part].1);
            keep(s, mask, &mut state.slope[part], vector.slope[part]);
        }
        keep(s, mask, &mut state.off2, vector.off2);
        let mut left = lanes;
        while left != 0 {
            let lane = left.trailing_zeros() as usize % S::LANES;
            left &= left - 1;
            state.m[lane] += made;
            state.left[lane] -= made;
        }
    }
}
