//! Orbits in pairs of doubles: pixels again whose counts doubles do not tell.

use fractal::{FrameSpec, ReferencePoint, settled};

use crate::cpu::pairs::{Lanes, Wide, load, square_plus, store};
use crate::cpu::plain::band::End;
use crate::cpu::plain::rounding::Rounding;
use crate::cpu::plan::Plan;
use crate::cpu::simd::Simd;

/// Steps between two looks at whether the computation was cancelled.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 13;
/// Bits of a point beyond those that tell samples apart: more than two doubles have.
const POINT_BITS: u32 = 110;
/// Most steps that lanes make before it is looked at which have reached the limit.
const MOST_STEPS: u64 = 1 << 10;

/// A pixel whose count is not certain, and what comes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pixel {
    pub(super) col: u32,
    pub(super) row: u32,
    /// Its place in the band.
    pub(super) index: u32,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) pixel: Pixel,
    /// 0 at the limit.
    pub(super) count: u64,
    pub(super) end: End,
}

/// The lanes of one vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct State {
    /// High and low parts of both parts.
    z: Lanes,
    c: Lanes,
    slope: [[f64; 8]; 2],
    off2: [f64; 8],
    n: [u64; 8],
    pixels: [Option<Pixel>; 8],
}

/// `V` vectors of orbits.
pub(super) struct PairedOrbits<'a, S: Simd, const V: usize> {
    s: S,
    plan: &'a Plan,
    spec: &'a FrameSpec,
    /// 0, of which samples are offsets.
    origin: ReferencePoint,
    rounding: Rounding,
    states: [State; V],
}

/// What changes with each step, of one vector.
#[derive(Clone, Copy)]
struct Vector<S: Simd> {
    z: [Wide<S>; 2],
    slope: [S::V; 2],
    off2: S::V,
}

impl<'a, S: Simd, const V: usize> PairedOrbits<'a, S, V> {
    #[inline(always)]
    pub(super) fn new(s: S, plan: &'a Plan, spec: &'a FrameSpec) -> Self {
        let depth = (-spec.spacing_log2()).max(0.0).ceil();
        let idle = State {
            z: [[[0.0; 8]; 2]; 2],
            c: [[[0.0; 8]; 2]; 2],
            slope: [[0.0; 8]; 2],
            off2: [0.0; 8],
            n: [0; 8],
            pixels: [None; 8],
        };
        Self {
            s,
            plan,
            spec,
            origin: ReferencePoint {
                re: 0.into(),
                im: 0.into(),
                bits: POINT_BITS.saturating_add(if depth.is_finite() { depth as u32 } else { 0 }),
            },
            rounding: Rounding::of_pairs(plan.c_max2.sqrt(), plan.limit),
            states: [idle; V],
        }
    }

    /// Iterates all `waiting` pixels; tells `ended` of those whose counts are certain now. `goes_on` is asked every some
    /// thousand steps; `false` if it says no.
    #[inline(always)]
    pub(super) fn run(
        &mut self,
        waiting: &mut Vec<Pixel>,
        goes_on: &dyn Fn() -> bool,
        ended: &mut impl FnMut(Ended),
    ) -> bool {
        for v in 0..V {
            for lane in 0..S::LANES {
                self.refill(v, lane, waiting);
            }
        }
        let mut made = 0;
        while self.is_busy() {
            let (steps, within) = self.steps();
            made += steps;
            if made >= STEPS_BETWEEN_LOOKS {
                made = 0;
                if !goes_on() {
                    return false;
                }
            }
            for (v, within) in within.into_iter().enumerate() {
                for lane in 0..S::LANES {
                    let state = &self.states[v];
                    let Some(pixel) = state.pixels[lane] else {
                        continue;
                    };
                    let stays = within >> lane & 1 != 0;
                    if stays && state.n[lane] < self.plan.limit {
                        continue;
                    }
                    if let Some(end) = self.end(v, lane, pixel, stays) {
                        ended(end);
                    }
                    self.refill(v, lane, waiting);
                }
            }
        }
        true
    }

    fn is_busy(&self) -> bool {
        let mut lanes = self.states.iter().flat_map(|state| &state.pixels);
        lanes.any(Option::is_some)
    }

    /// A lane's end where it is certain.
    #[inline(never)]
    fn end(&self, v: usize, lane: usize, pixel: Pixel, stays: bool) -> Option<Ended> {
        let state = &self.states[v];
        let part = |of: &Lanes| [of[0][0][lane], of[1][0][lane]];
        let (z, c, n, off2) = (
            part(&state.z),
            part(&state.c),
            state.n[lane],
            state.off2[lane],
        );
        let radius = self.plan.radius.radius;
        let is_certain = if stays {
            self.rounding
                .is_within(z[0] * z[0] + z[1] * z[1], off2, radius)
        } else {
            n <= self.plan.limit && self.rounding.is_escape(n, z, c, off2, radius)
        };
        is_certain.then(|| Ended {
            pixel,
            count: if stays { 0 } else { n },
            end: End {
                z,
                slope: [state.slope[0][lane], state.slope[1][lane]],
            },
        })
    }

    /// The next pixel, at z_1 = c or at z_0 where orbits do not begin at 0; none if there is none left.
    #[inline(never)]
    fn refill(&mut self, v: usize, lane: usize, waiting: &mut Vec<Pixel>) {
        let state = &mut self.states[v];
        let pixel = waiting.pop();
        let c = pixel.map_or([[0.0; 2]; 2], |pixel| {
            let offset = settled::offset(self.spec, &self.origin, pixel.col, pixel.row);
            offset.map(|parts| parts.map(fractal::FloatExp::to_f64))
        });
        let z0 = self.plan.z0;
        let at_c = pixel.is_some() && z0 == (0.0, 0.0);
        let z = match pixel {
            Some(_) if at_c => c,
            Some(_) => [[z0.0, 0.0], [z0.1, 0.0]],
            None => [[0.0; 2]; 2],
        };
        for axis in 0..2 {
            for part in 0..2 {
                state.z[axis][part][lane] = z[axis][part];
                state.c[axis][part][lane] = c[axis][part];
            }
        }
        state.slope[0][lane] = f64::from(at_c);
        state.slope[1][lane] = 0.0;
        state.off2[lane] = if at_c { self.rounding.of_c() } else { 0.0 };
        state.n[lane] = u64::from(at_c);
        state.pixels[lane] = pixel;
    }

    /// Makes steps until a lane is outside or has reached the limit; how many, and the lanes of each vector that are not
    /// outside.
    #[inline(always)]
    fn steps(&mut self) -> (u64, [u32; V]) {
        let s = self.s;
        let zero = s.splat(0.0);
        let mut vectors = [Vector::<S> {
            z: [(zero, zero); 2],
            slope: [zero; 2],
            off2: zero,
        }; V];
        let all = (1u32 << S::LANES) - 1;
        // z_0 does not count.
        let (mut most, mut alive, mut counted) = (MOST_STEPS, [0; V], [0; V]);
        for v in 0..V {
            let state = &self.states[v];
            vectors[v] = Vector {
                z: load(s, &state.z),
                slope: [s.load(&state.slope[0]), s.load(&state.slope[1])],
                off2: s.load(&state.off2),
            };
            for lane in 0..S::LANES {
                counted[v] |= u32::from(state.n[lane] > 0) << lane;
                if state.pixels[lane].is_some() {
                    alive[v] |= 1 << lane;
                    most = most.min(self.plan.limit.saturating_sub(state.n[lane]));
                }
            }
        }
        let radius2 = s.splat(self.plan.radius2);
        let one = s.splat(1.0);
        let mut within = [all; V];
        // Orbits may be outside as they begin.
        let mut made = 0;
        loop {
            let mut out = 0;
            for v in 0..V {
                let Vector { z: [x, y], .. } = vectors[v];
                let norm2 = s.fma(x.0, x.0, s.mul(y.0, y.0));
                within[v] = s.bits(s.le(norm2, radius2));
                out |= alive[v] & !within[v] & counted[v];
            }
            if out != 0 || made >= most {
                break;
            }
            made += 1;
            counted = [all; V];
            for (vector, state) in vectors.iter_mut().zip(&self.states) {
                let Vector {
                    z,
                    slope: [dx, dy],
                    off2,
                } = *vector;
                let (x, y) = (z[0].0, z[1].0);
                let norm2 = s.fma(x, x, s.mul(y, y));
                let (gx, gy) = (s.add(x, x), s.add(y, y));
                *vector = Vector {
                    z: square_plus(s, z, load(s, &state.c)),
                    slope: [
                        s.fma(gx, dx, s.fnma(gy, dy, one)),
                        s.fma(gx, dy, s.mul(gy, dx)),
                    ],
                    off2: self.rounding.next(s, norm2, off2),
                };
            }
        }
        for v in 0..V {
            let state = &mut self.states[v];
            store(s, &mut state.z, vectors[v].z);
            s.store(&mut state.slope[0], vectors[v].slope[0]);
            s.store(&mut state.slope[1], vectors[v].slope[1]);
            s.store(&mut state.off2, vectors[v].off2);
            for n in &mut state.n {
                *n += made;
            }
            within[v] |= !counted[v];
        }
        (made, within)
    }
}
