//! Vectors of orbits that are iterated together, and refilled one by one.
//!
//! An orbit step is z' = z² + c with one sequence of operations everywhere:
//! x' = fma(x, x, fma(-y, y, cx)), y' = fma(x + x, y, cy); the derivative, where it is asked for, is
//! dz' = 2 z dz + 1. [`Lanes::run`] iterates all lanes for a *block* of steps without looking, then tests
//! the block's end. A lane that is done there is handed to the [`Sink`] and given the next pixel of the
//! queue at once, so that no lane waits for its neighbours, whatever their counts.
//!
//! - A pixel's blocks start at its own first step, and have one length for the whole frame, so its value
//!   depends on no other pixel, nor on how many lanes there are.
//! - Nothing counts steps. All lanes share one clock; a lane's *meta* word knows where on the clock the
//!   pixel was at step 0, and which pixel it is.
//! - A block's end is written beside its start: so the start is there, for nothing, when an escape must be
//!   traced to its exact step.

use super::orbits::{Orbits, advance, compared_exactly};
use super::points::{INDEX_BITS, Points};
use crate::cpu::plan::Blocks;
use crate::cpu::radius::Radius;
use crate::cpu::simd::Simd;
use crate::progress::Progress;

/// An age is this minus the clock at step 0: positive for longer than any band is iterated, and older
/// lanes have the larger word.
const AGE_ORIGIN: u64 = 1 << 41;
/// Blocks between two looks at whether the computation was cancelled: well under a millisecond of them.
const BLOCKS_BETWEEN_LOOKS: u64 = 1024;
/// Shortest distance, in blocks, between a saved state and the states it is compared with.
const CYCLE_WINDOW: u64 = 8;

/// Blocks between two looks at whether orbits can be proved to stay.
const BLOCKS_BETWEEN_PROOFS: u64 = 16;

/// A vector's lanes, of which it is asked whether their orbits stay.
pub(super) struct LaneStates {
    /// The vector's number.
    pub(super) vector: usize,
    /// The lanes that have a pixel.
    pub(super) alive: u32,
    pub(super) x: [f64; 8],
    pub(super) y: [f64; 8],
    /// The meta words. A lane has made as many steps as `time` and its word's upper part amount to.
    pub(super) metas: [f64; 8],
    pub(super) time: u64,
}

/// Where lanes go when they are done.
pub(super) trait Sink<S: Simd> {
    /// Whether a lane whose orbit was proved to cycle is done, as if it had reached the limit; otherwise whole cycles are
    /// jumped over.
    const CYCLE_ENDS: bool;
    /// Whether it can be proved that a lane is done.
    const PROVES: bool;
    /// The lanes, by their bits, of which it is proved that their orbits stay: they are done.
    fn prove(&mut self, lanes: &LaneStates) -> u32;
    /// The lanes `bits` escaped within the block that began at `start`, at the step that `meta` tells.
    fn escaped(&mut self, s: S, bits: u32, start: &Orbits<S>, meta: S::V);
    /// The lanes `bits` have reached the iteration limit, or passed it by less than a block.
    fn finished(&mut self, s: S, bits: u32, end: &Orbits<S>, meta: S::V);
}

/// z, its derivative and W of one vector of lanes.
type State<S> = [<S as Simd>::V; 5];

/// `V` vectors of lanes.
pub(super) struct Lanes<S: Simd, const V: usize> {
    /// As of the last block's end, and as of its start; which is which alternates.
    states: [[State<S>; V]; 2],
    /// Which of the two is the end.
    end: usize,
    c: [(S::V, S::V); V],
    meta: [S::V; V],
    /// States of an earlier block's end, to compare with: equal numbers are a proof of a cycle.
    saved: [(S::V, S::V, S::V); V],
    saved_at: u64,
    /// Count of states saved, and the block that saves the next one.
    saves: u64,
    next_save: u64,
    alive: [u32; V],
    /// The block at which lanes' orbits are looked at next.
    next_proof: u64,
    clock: u64,
    blocks: u64,
    /// Not later than the clock at which the oldest lane reaches the limit.
    deadline: u64,
}

impl<S: Simd, const V: usize> Lanes<S, V> {
    /// The bits of all lanes of a vector.
    const ALL: u32 = (1 << S::LANES) - 1;

    #[inline(always)]
    pub(super) fn new(s: S) -> Self {
        let (never, zero) = (s.splat(f64::NAN), s.splat(0.0));
        Self {
            states: [[[zero; 5]; V]; 2],
            end: 0,
            c: [(zero, zero); V],
            meta: [zero; V],
            saved: [(never, never, never); V],
            saved_at: 0,
            saves: 0,
            next_save: CYCLE_WINDOW,
            alive: [0; V],
            next_proof: BLOCKS_BETWEEN_PROOFS,
            clock: 0,
            blocks: 0,
            deadline: u64::MAX,
        }
    }

    /// Vector `v` as of the last block's end (`half` = `self.end`) or start.
    #[inline(always)]
    fn orbits(&self, half: usize, v: usize) -> Orbits<S> {
        let ([x, y, dx, dy, off2], (cx, cy)) = (self.states[half & 1][v], self.c[v]);
        Orbits {
            x,
            y,
            dx,
            dy,
            cx,
            cy,
            off2,
        }
    }

    /// Iterates until the queue is empty, or, if this is the `last` of it, until the last lane is done.
    /// The orbits of the queue have done `age` steps. `false` if cancelled.
    ///
    /// `D`: with the derivative. `P`: looking for exact cycles. `E`: with what rounding amounts to, which is part of a cycle then.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // one call site each, and a struct of them would only be unpacked
    pub(super) fn run<const D: bool, const P: bool, const E: bool, K: Sink<S>>(
        &mut self,
        s: S,
        frame: &Blocks,
        queue: &mut Points,
        age: u64,
        last: bool,
        sink: &mut K,
        progress: &Progress,
    ) -> bool {
        for v in 0..V {
            self.refill::<D, P, E>(s, v, Self::ALL & !self.alive[v], queue, age);
        }
        self.set_deadline(s, frame.limit);
        while self.alive != [0; V] && (last || !queue.is_empty()) {
            // Blocks in which nothing happens.
            let (mut gone, cycling, ties) = loop {
                self.blocks += 1;
                if self.blocks.is_multiple_of(BLOCKS_BETWEEN_LOOKS) {
                    progress.step();
                    if progress.is_cancelled() {
                        return false;
                    }
                }
                let (gone, cycling, any, ties) = self.block::<D, P, E>(s, frame);
                if any != 0 || self.clock >= self.deadline {
                    break (gone, cycling, ties);
                }
                if P && self.blocks >= self.next_save {
                    if K::PROVES && self.blocks >= self.next_proof {
                        break (gone, cycling, ties);
                    }
                    self.save();
                }
            };
            if ties != 0 {
                self.keep_ties(s, &mut gone, &frame.radius);
            }
            let mut due = self.clock >= self.deadline;
            // The vectors in which something happened, one bit each.
            let mut busy = 0u32;
            for v in 0..V {
                busy |= u32::from(due || gone[v] | cycling[v] != 0) << v;
            }
            while busy != 0 {
                let v = busy.trailing_zeros() as usize % V;
                busy &= busy - 1;
                let gone = gone[v];
                if gone != 0 {
                    // Ages become the step at which the block began.
                    let step = (self.clock - frame.steps).wrapping_sub(AGE_ORIGIN);
                    let meta = s.add_bits(self.meta[v], s.splat_bits(step << INDEX_BITS));
                    sink.escaped(s, gone, &self.orbits(self.end ^ 1, v), meta);
                }
                let mut done = gone;
                if P {
                    let cycling = cycling[v] & !gone;
                    if cycling != 0 && K::CYCLE_ENDS {
                        sink.finished(s, cycling, &self.orbits(self.end, v), self.meta[v]);
                        done |= cycling;
                    } else if cycling != 0 {
                        // May lead to the limit itself.
                        self.jump(s, v, cycling, frame.limit);
                        due = true;
                    }
                }
                if due {
                    let oldest =
                        s.splat_bits((AGE_ORIGIN + frame.limit - self.clock) << INDEX_BITS);
                    let finished = s.bits(s.le(oldest, self.meta[v])) & self.alive[v] & !done;
                    if finished != 0 {
                        sink.finished(s, finished, &self.orbits(self.end, v), self.meta[v]);
                        done |= finished;
                    }
                }
                self.refill::<D, P, E>(s, v, done, queue, age);
            }
            if P && self.blocks >= self.next_save {
                if K::PROVES && self.blocks >= self.next_proof {
                    self.prove::<D, P, E, K>(s, queue, age, sink);
                }
                self.save();
            }
            if due {
                self.set_deadline(s, frame.limit);
            }
        }
        true
    }

    /// Gives new pixels to the lanes of which it is proved that their orbits stay.
    #[inline(always)]
    fn prove<const D: bool, const P: bool, const E: bool, K: Sink<S>>(
        &mut self,
        s: S,
        queue: &mut Points,
        age: u64,
        sink: &mut K,
    ) {
        self.next_proof = self.blocks + BLOCKS_BETWEEN_PROOFS;
        for v in 0..V {
            let state = &self.states[self.end & 1][v];
            let mut lanes = LaneStates {
                vector: v,
                alive: self.alive[v],
                x: [0.0; 8],
                y: [0.0; 8],
                metas: [0.0; 8],
                time: self.clock.wrapping_sub(AGE_ORIGIN),
            };
            s.store(&mut lanes.x, state[0]);
            s.store(&mut lanes.y, state[1]);
            s.store(&mut lanes.metas, self.meta[v]);
            let done = sink.prove(&lanes);
            if done != 0 {
                self.refill::<D, P, E>(s, v, done, queue, age);
            }
        }
    }

    /// Takes those off the lanes `gone` that are not outside of a radius after all.
    #[cold]
    #[inline(never)]
    fn keep_ties(&self, s: S, gone: &mut [u32; V], radius: &Radius) {
        let mut z = [Orbits::idle(s); V];
        for (v, z) in z.iter_mut().enumerate() {
            *z = self.orbits(self.end, v);
        }
        let within = compared_exactly(s, &z, radius);
        for (gone, within) in gone.iter_mut().zip(within) {
            *gone &= !within;
        }
    }

    /// Iterates all lanes for a block. The lanes that had escaped at its end, those that were back in the
    /// saved state, whether there were any of either, and whether rounding could decide on some of the first.
    #[inline(always)]
    fn block<const D: bool, const P: bool, const E: bool>(
        &mut self,
        s: S,
        frame: &Blocks,
    ) -> ([u32; V], [u32; V], u32, u32) {
        let mut z = [Orbits::idle(s); V];
        for (v, z) in z.iter_mut().enumerate() {
            *z = self.orbits(self.end, v);
        }
        advance::<S, V, D, E>(s, &mut z, frame.steps, &frame.rounding);
        self.clock += frame.steps;
        self.end ^= 1;
        let (bound2, tied2) = (s.splat(frame.bound2), s.splat(frame.tied2));
        let (mut gone, mut cycling, mut any, mut ties) = ([0; V], [0; V], 0, 0);
        for v in 0..V {
            let state = &mut self.states[self.end & 1][v];
            (state[0], state[1]) = (z[v].x, z[v].y);
            if D {
                (state[2], state[3]) = (z[v].dx, z[v].dy);
            }
            if E {
                state[4] = z[v].off2;
            }
            let norm2 = z[v].norm2(s);
            gone[v] = self.alive[v] & !s.bits(s.le(norm2, bound2));
            ties |= gone[v] & s.bits(s.le(norm2, tied2));
            if P {
                let (x, y, off2) = self.saved[v];
                let mut same = s.and(s.eq(z[v].x, x), s.eq(z[v].y, y));
                if E {
                    same = s.and(same, s.eq(z[v].off2, off2));
                }
                cycling[v] = self.alive[v] & s.bits(same);
            }
            any |= gone[v] | cycling[v];
        }
        (gone, cycling, any, ties)
    }

    /// Gives the lanes `free` of vector `v` the next orbits of the queue, as far as there are any.
    #[inline(always)]
    fn refill<const D: bool, const P: bool, const E: bool>(
        &mut self,
        s: S,
        v: usize,
        free: u32,
        queue: &mut Points,
        age: u64,
    ) {
        let (mut fill, mut count) = (free, free.count_ones() as usize);
        while count > queue.len() {
            fill &= fill - 1;
            count -= 1;
        }
        let idle = free & !fill;
        self.alive[v] &= !idle;
        self.alive[v] |= fill;
        if P {
            // What was saved here is another pixel's.
            self.saved[v].0 = s.select(s.mask(free), s.splat(f64::NAN), self.saved[v].0);
        }
        let (new, index) = queue.peek::<S, D, E>(s, 0);
        queue.drop_front(count);
        let born = s.splat_bits((AGE_ORIGIN + age - self.clock) << INDEX_BITS);
        self.meta[v] = s.expand(fill, s.add_bits(index, born), self.meta[v]);
        let (state, c) = (&mut self.states[self.end & 1][v], &mut self.c[v]);
        state[0] = s.expand(fill, new.x, state[0]);
        state[1] = s.expand(fill, new.y, state[1]);
        if D {
            state[2] = s.expand(fill, new.dx, state[2]);
            state[3] = s.expand(fill, new.dy, state[3]);
        }
        if E {
            state[4] = s.expand(fill, new.off2, state[4]);
        }
        c.0 = s.expand(fill, new.cx, c.0);
        c.1 = s.expand(fill, new.cy, c.1);
        if idle != 0 {
            // z = c = 0 stays where it is.
            let (mask, zero) = (s.mask(idle), s.splat(0.0));
            self.meta[v] = s.select(mask, zero, self.meta[v]);
            for part in state.iter_mut().chain([&mut c.0, &mut c.1]) {
                *part = s.select(mask, zero, *part);
            }
        }
    }

    /// Finds when the oldest lane will reach the limit.
    #[inline(always)]
    fn set_deadline(&mut self, s: S, limit: u64) {
        let mut oldest = self.meta[0];
        for meta in &self.meta {
            oldest = s.max(oldest, *meta);
        }
        let mut metas = [0.0; 8];
        s.store(&mut metas, oldest);
        let age = metas
            .iter()
            .fold(0, |age, meta| age.max(meta.to_bits() >> INDEX_BITS));
        self.deadline = if age == 0 {
            u64::MAX
        } else {
            AGE_ORIGIN + limit - age
        };
    }

    /// Keeps the present states to compare later ones with. The waits between two saves go 1, 2, 1, 4, 1,
    /// 2, 1, 8, ... windows, so that any period is caught soon after the orbit has settled into it,
    /// whenever that is.
    #[inline(always)]
    fn save(&mut self) {
        for v in 0..V {
            let state = &self.states[self.end & 1][v];
            self.saved[v] = (state[0], state[1], state[4]);
        }
        self.saved_at = self.clock;
        self.saves += 1;
        self.next_save = self.blocks + (CYCLE_WINDOW << self.saves.trailing_zeros());
    }

    /// Makes the lanes `bits`, which are where they were when states were saved, older by all the whole
    /// cycles that fit in before the limit.
    #[inline(always)]
    fn jump(&mut self, s: S, v: usize, bits: u32, limit: u64) {
        let cycle = (self.clock - self.saved_at).max(1);
        let mut metas = [0.0; 8];
        s.store(&mut metas, self.meta[v]);
        for (lane, meta) in metas.iter_mut().enumerate() {
            if bits >> lane & 1 != 0 {
                let born = meta.to_bits() >> INDEX_BITS;
                let step = self.clock + born - AGE_ORIGIN;
                let skipped = limit.saturating_sub(step) / cycle * cycle;
                *meta = f64::from_bits(meta.to_bits() + (skipped << INDEX_BITS));
            }
        }
        self.meta[v] = s.load(&metas);
    }
}
