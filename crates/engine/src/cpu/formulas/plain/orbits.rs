//! Orbits of any formula in doubles, some vectors of them side by side.
//!
//! Each operation is a loop over lanes that the compiler turns into vectors of the instruction set at hand. No orbit depends on
//! its neighbours, and fused operations are the same everywhere: so are the bytes.
//!
//! Orbits are looked at once a block of steps. What has left the escape radius by then goes back to where the block began,
//! and makes it again step by step beside others like it.

use super::lanes::{Constants, Lanes, advance};
use super::program::PlainPlan;
use crate::cpu::formulas::roundoff::UNIT;

/// A pixel to be computed.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cpu::formulas) struct PlainPixel {
    pub(in crate::cpu::formulas) z: [f64; 2],
    pub(in crate::cpu::formulas) c: [f64; 2],
}

/// How its orbit ended.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cpu::formulas) struct PlainEnd {
    /// Steps to its escape, 0 where it made none.
    pub(in crate::cpu::formulas) count: u64,
    /// Whether that is certain.
    pub(in crate::cpu::formulas) is_certain: bool,
    pub(in crate::cpu::formulas) z: [f64; 2],
    pub(in crate::cpu::formulas) slope: [f64; 4],
}

/// Whether lanes are within the radius, for certain where `E`.
#[inline(always)]
fn is_within<const E: bool>(radius: f64, x: f64, y: f64, error: f64) -> bool {
    let norm2 = x * x + y * y;
    if E {
        norm2.sqrt() * (1.0 + NEAR) + error < radius
    } else {
        norm2 <= radius * radius
    }
}

/// Share of the radius by which rounding may be off.
const NEAR: f64 = 1.0 / (1u64 << 40) as f64;

/// Orbits that wait to be traced: where their block began.
struct Waiting<const K: usize> {
    z: Lanes<K>,
    c: Constants<K>,
    n: [u64; K],
    index: [usize; K],
    len: usize,
}

impl<const K: usize> Waiting<K> {
    /// Makes their block again step by step, and writes where each has left the radius.
    #[inline(always)]
    fn trace<const E: bool, const D: bool>(&mut self, plan: &PlainPlan, ends: &mut [PlainEnd]) {
        let mut open = [false; K];
        open[..self.len].fill(true);
        // Those that never leave it for certain are left unsettled.
        for lane in 0..self.len {
            ends[self.index[lane]] = PlainEnd::default();
        }
        for passed in 0..plan.block {
            advance::<K, E, D>(plan, passed, 1, &mut self.z, &self.c);
            for lane in 0..self.len {
                if !open[lane] {
                    continue;
                }
                let (x, y, error) = (self.z.x[lane], self.z.y[lane], self.z.error[lane]);
                if is_within::<E>(plan.radius, x, y, error) {
                    continue;
                }
                open[lane] = false;
                let n = self.n[lane] + passed + 1;
                let norm2 = x * x + y * y;
                let is_beyond = !E || norm2.sqrt() * (1.0 - NEAR) - error > plan.radius;
                ends[self.index[lane]] = if n > plan.limit {
                    PlainEnd {
                        is_certain: true,
                        ..PlainEnd::default()
                    }
                } else {
                    PlainEnd {
                        count: n,
                        is_certain: is_beyond,
                        z: [x, y],
                        slope: [0, 1, 2, 3].map(|entry| self.z.slope[entry][lane]),
                    }
                };
            }
        }
        self.len = 0;
    }
}

/// Computes the ends of some pixels, `K` at a time; `false` if cancelled. `ends` is as long as `pixels`.
#[inline(always)]
pub(in crate::cpu::formulas) fn compute<const K: usize, const E: bool, const D: bool>(
    plan: &PlainPlan,
    pixels: &[PlainPixel],
    ends: &mut [PlainEnd],
    goes_on: &dyn Fn() -> bool,
) -> bool {
    if plan.is_round() {
        rounds::<K, E, D>(plan, pixels, ends, goes_on)
    } else {
        one_by_one::<E, D>(plan, pixels, ends, goes_on)
    }
}

/// Orbits that may come back: looked at in each step, one after the other.
#[inline(always)]
pub(in crate::cpu::formulas) fn one_by_one<const E: bool, const D: bool>(
    plan: &PlainPlan,
    pixels: &[PlainPixel],
    ends: &mut [PlainEnd],
    goes_on: &dyn Fn() -> bool,
) -> bool {
    for (pixel, end) in pixels.iter().zip(ends) {
        let (mut z, c) = (start::<1>(plan, pixel), constants::<1>(pixel));
        *end = PlainEnd {
            is_certain: true,
            ..PlainEnd::default()
        };
        for n in 1..=plan.limit {
            if n.is_multiple_of(1 << 16) && !goes_on() {
                return false;
            }
            advance::<1, E, D>(plan, n - 1, 1, &mut z, &c);
            let (x, y, error) = (z.x[0], z.y[0], z.error[0]);
            if !is_within::<E>(plan.radius, x, y, error) {
                let beyond = (x * x + y * y).sqrt() * (1.0 - NEAR) - error;
                *end = PlainEnd {
                    count: n,
                    is_certain: !E || beyond > plan.radius,
                    z: [x, y],
                    slope: z.slope.map(|entry| entry[0]),
                };
                break;
            }
            end.z = [x, y];
        }
    }
    goes_on()
}

#[inline(always)]
fn start<const K: usize>(plan: &PlainPlan, pixel: &PlainPixel) -> Lanes<K> {
    let [x, y] = pixel.z;
    let one = if plan.is_parameter { 0.0 } else { 1.0 };
    Lanes {
        x: [x; K],
        y: [y; K],
        // A point of the plane is rounded to nearest; a start value is what it is.
        error: [(x.abs() + y.abs()) * UNIT * one; K],
        slope: [[one; K], [0.0; K], [0.0; K], [one; K]],
    }
}

#[inline(always)]
fn constants<const K: usize>(pixel: &PlainPixel) -> Constants<K> {
    Constants {
        x: [pixel.c[0]; K],
        y: [pixel.c[1]; K],
    }
}

#[inline(always)]
fn rounds<const K: usize, const E: bool, const D: bool>(
    plan: &PlainPlan,
    pixels: &[PlainPixel],
    ends: &mut [PlainEnd],
    goes_on: &dyn Fn() -> bool,
) -> bool {
    const NONE: usize = usize::MAX;
    let mut z = Lanes::<K>::IDLE;
    let mut c = Constants::<K> {
        x: [0.0; K],
        y: [0.0; K],
    };
    let (mut n, mut index) = ([0u64; K], [NONE; K]);
    // Where orbits were some time ago: one that comes back there to the bit stays for good.
    let mut seen = Lanes::<K>::IDLE;
    let mut due = [0u64; K];
    let mut waiting = Waiting::<K> {
        z: Lanes::IDLE,
        c,
        n,
        index,
        len: 0,
    };
    let mut before = Lanes::<K>::IDLE;
    let mut next = 0;
    let mut looks = 0u32;
    loop {
        let mut live = false;
        for lane in 0..K {
            if index[lane] == NONE && next < pixels.len() {
                let pixel = &pixels[next];
                z.put(lane, &start::<1>(plan, pixel), 0);
                (c.x[lane], c.y[lane]) = (pixel.c[0], pixel.c[1]);
                (n[lane], index[lane], due[lane]) = (0, next, plan.block);
                seen.put(lane, &Lanes::<1>::IDLE, 0);
                seen.x[lane] = f64::NAN;
                next += 1;
            }
            live |= index[lane] != NONE;
        }
        if !live {
            waiting.trace::<E, D>(plan, ends);
            return true;
        }
        looks += 1;
        if looks.is_multiple_of(1 << 12) && !goes_on() {
            return false;
        }
        before.take::<E, D>(&z);
        advance::<K, E, D>(plan, 0, plan.block, &mut z, &c);
        let mut ended = [false; K];
        for lane in 0..K {
            let within = is_within::<E>(plan.radius, z.x[lane], z.y[lane], z.error[lane]);
            // Bounds that do not grow are those of the same cycle for ever.
            let back = z.x[lane] == seen.x[lane]
                && z.y[lane] == seen.y[lane]
                && (!E || z.error[lane] <= seen.error[lane]);
            n[lane] += plan.block;
            ended[lane] = !within || back || n[lane] >= plan.limit || n[lane] >= due[lane];
        }
        if ended == [false; K] {
            continue;
        }
        for lane in 0..K {
            if !ended[lane] || index[lane] == NONE {
                continue;
            }
            let (x, y, error) = (z.x[lane], z.y[lane], z.error[lane]);
            if !is_within::<E>(plan.radius, x, y, error) {
                let at = waiting.len;
                waiting.z.put(at, &before, lane);
                (waiting.c.x[at], waiting.c.y[at]) = (c.x[lane], c.y[lane]);
                (waiting.n[at], waiting.index[at]) = (n[lane] - plan.block, index[lane]);
                waiting.len += 1;
                if waiting.len == K {
                    waiting.trace::<E, D>(plan, ends);
                }
                index[lane] = NONE;
            } else if n[lane] >= plan.limit
                || x == seen.x[lane] && y == seen.y[lane] && (!E || error <= seen.error[lane])
            {
                ends[index[lane]] = PlainEnd {
                    is_certain: true,
                    z: [x, y],
                    ..PlainEnd::default()
                };
                index[lane] = NONE;
            } else {
                // Twice as far as the last time.
                seen.put(lane, &z, lane);
                due[lane] = 2 * n[lane];
            }
            if index[lane] == NONE {
                z.put(lane, &Lanes::<1>::IDLE, 0);
                (c.x[lane], c.y[lane]) = (0.0, 0.0);
            }
        }
    }
}
