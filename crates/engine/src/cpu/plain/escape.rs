//! Escape counts: which step first leaves the escape radius, and where it leads.
//!
//! A chunk of pixels makes its first steps side by side (`first_steps`): most of a picture is cheap
//! pixels, many of which end there, in place. The others go through the [`Lanes`] in blocks that are not
//! looked into. Either way an escape is first known by its block, then traced to its step by bisection
//! (`trace`), a vector of pixels at a time.
//!
//! That needs orbits that do not come back once they have escaped; where a frame cannot promise it
//! ([`Plan::outside_for_good`](crate::cpu::plan::Plan)), blocks have one step.

use super::band::{Band, End};
use super::interior::Proofs;
use super::lanes::{LaneStates, Lanes, Sink};
use super::orbits::{Orbits, advance, within};
use super::points::{CHUNK, INDEX, INDEX_BITS, MAX_GROUP, Points};
use crate::cpu::plan::Blocks;
use crate::cpu::shortcuts;
use crate::cpu::simd::Simd;

/// Steps of a block. Longer ones test less often; shorter ones waste less on steps after the escape. Of 8,
/// 16 and 32 the last was the fastest on the benchmark's scenes, and the cheap pictures hardly care.
const BLOCK: u64 = 32;
/// Steps that a chunk's pixels make side by side: a power of two.
const FIRST_STEPS: u64 = 8;

/// From orbits that escape within the next `steps` steps, a power of two, to the very step: adds its
/// distance to the metas' step, and leaves the orbits at z_n.
#[inline(always)]
fn trace<S: Simd, const V: usize, const D: bool, const E: bool>(
    s: S,
    z: &mut [Orbits<S>; V],
    meta: &mut [S::V; V],
    steps: u64,
    blocks: &Blocks,
) {
    let mut half = steps / 2;
    while half > 0 {
        let mut ahead = *z;
        advance::<S, V, D, E>(s, &mut ahead, half, &blocks.rounding);
        let passed = s.splat_bits(half << INDEX_BITS);
        let within = within(s, &ahead, &blocks.radius);
        for v in 0..V {
            let within = within[v];
            let (cx, cy) = (z[v].cx, z[v].cy);
            z[v] = ahead[v].select::<D, E>(s, within, &z[v]);
            (z[v].cx, z[v].cy) = (cx, cy);
            meta[v] = s.select(within, s.add_bits(meta[v], passed), meta[v]);
        }
        half /= 2;
    }
    advance::<S, V, D, E>(s, z, 1, &blocks.rounding);
    for meta in meta.iter_mut() {
        *meta = s.add_bits(*meta, s.splat_bits(1 << INDEX_BITS));
    }
}

/// Collects escaped lanes, and traces them when there are enough for full vectors.
struct Escapes<'a, 'b, const V: usize, const D: bool, const E: bool> {
    aside: &'a mut Points,
    counts: &'a mut [u32],
    norm2: &'a mut [f64],
    derivative2: &'a mut [f64],
    /// Empty where no angle is asked for.
    ends: &'a mut [End],
    unsettled: &'a mut Vec<u32>,
    blocks: Blocks,
    /// What proves pixels to be inside.
    proofs: Option<&'a mut Proofs<'b>>,
}

impl<const V: usize, const D: bool, const E: bool> Escapes<'_, '_, V, D, E> {
    /// Traces the first `V` vectors of orbits, of which the first `count` lanes are real.
    #[inline(always)]
    fn trace_front<S: Simd>(&mut self, s: S, count: usize) {
        let mut z = [Orbits::idle(s); V];
        let mut meta = [s.splat(0.0); V];
        for v in 0..V {
            (z[v], meta[v]) = self.aside.peek::<S, D, E>(s, v * S::LANES);
        }
        self.aside.drop_front(count);
        trace::<S, V, D, E>(s, &mut z, &mut meta, self.blocks.steps, &self.blocks);
        let (mut metas, mut norms, mut slopes) =
            ([0.0; MAX_GROUP], [0.0; MAX_GROUP], [0.0; MAX_GROUP]);
        for v in 0..V {
            s.store(&mut metas[v * S::LANES..], meta[v]);
            s.store(&mut norms[v * S::LANES..], z[v].norm2(s));
            if D {
                s.store(&mut slopes[v * S::LANES..], derivative2(s, &z[v]));
            }
        }
        let ends = if self.ends.is_empty() {
            None
        } else {
            Some(ends_of(s, &z))
        };
        for i in 0..count {
            let (n, index) = (
                metas[i].to_bits() >> INDEX_BITS,
                (metas[i].to_bits() & INDEX) as usize,
            );
            // The block may have passed the limit before the escape.
            self.counts[index] = if n <= self.blocks.limit { n as u32 } else { 0 };
            self.norm2[index] = norms[i];
            if D {
                self.derivative2[index] = slopes[i];
            }
            if let Some(ends) = &ends {
                self.ends[index] = ends[i];
            }
            if E && !is_escape(s, &z, i, n, &self.blocks) {
                self.unsettled.push(index as u32);
            }
        }
    }

    /// Traces what is left.
    #[inline(always)]
    fn trace_rest<S: Simd>(&mut self, s: S) {
        let count = self.aside.len();
        if count > 0 {
            self.trace_front(s, count);
        }
        self.aside.clear();
    }
}

/// Where orbits are, lane by lane.
#[inline(never)]
fn ends_of<S: Simd, const V: usize>(s: S, z: &[Orbits<S>; V]) -> [End; MAX_GROUP] {
    let mut ends = [End::default(); MAX_GROUP];
    for (v, orbits) in z.iter().enumerate() {
        let parts = [orbits.x, orbits.y, orbits.dx, orbits.dy].map(|part| {
            let mut lanes = [0.0; 8];
            s.store(&mut lanes, part);
            lanes
        });
        let [x, y, dx, dy] = parts;
        for (lane, end) in ends[v * S::LANES..][..S::LANES].iter_mut().enumerate() {
            *end = End {
                z: [x[lane], y[lane]],
                slope: [dx[lane], dy[lane]],
            };
        }
    }
    ends
}

/// Whether lane `i` of several vectors, which escaped after `n` steps, did so for certain.
#[inline(always)]
fn is_escape<S: Simd, const V: usize>(
    s: S,
    z: &[Orbits<S>; V],
    i: usize,
    n: u64,
    blocks: &Blocks,
) -> bool {
    let (orbits, lane) = (&z[i / S::LANES], i % S::LANES);
    let value = |part| {
        let mut lanes = [0.0; 8];
        s.store(&mut lanes, part);
        lanes[lane]
    };
    let (z, c) = (
        [orbits.x, orbits.y].map(value),
        [orbits.cx, orbits.cy].map(value),
    );
    let off2 = value(orbits.off2);
    (blocks.rounding).is_escape(n, z, c, off2, blocks.radius.radius)
}

/// Notes those of the lanes `bits`, whose orbits stayed within the radius, that did not do so for certain.
#[inline(always)]
fn note_unsure<S: Simd>(
    s: S,
    bits: u32,
    end: &Orbits<S>,
    meta: S::V,
    blocks: &Blocks,
    unsettled: &mut Vec<u32>,
) {
    let (mut metas, mut norms, mut offs) = ([0.0; 8], [0.0; 8], [0.0; 8]);
    s.store(&mut metas, meta);
    s.store(&mut norms, end.norm2(s));
    s.store(&mut offs, end.off2);
    for lane in (0..S::LANES).filter(|lane| bits >> lane & 1 != 0) {
        let rounding = &blocks.rounding;
        if !rounding.is_within(norms[lane], offs[lane], blocks.radius.radius) {
            unsettled.push((metas[lane].to_bits() & INDEX) as u32);
        }
    }
}

/// |dz/dc|²
#[inline(always)]
fn derivative2<S: Simd>(s: S, z: &Orbits<S>) -> S::V {
    s.fma(z.dx, z.dx, s.mul(z.dy, z.dy))
}

impl<S: Simd, const V: usize, const D: bool, const E: bool> Sink<S> for Escapes<'_, '_, V, D, E> {
    const CYCLE_ENDS: bool = true;
    const PROVES: bool = true;

    #[inline(always)]
    fn prove(&mut self, lanes: &LaneStates) -> u32 {
        // Inside: the count is 0 already.
        match &mut self.proofs {
            Some(proofs) => proofs.prove_lanes(lanes),
            None => 0,
        }
    }

    #[inline(always)]
    fn escaped(&mut self, s: S, bits: u32, start: &Orbits<S>, meta: S::V) {
        self.aside.push::<S, D, E>(s, bits, start, meta);
        if self.aside.len() >= V * S::LANES {
            self.trace_front(s, V * S::LANES);
            self.aside.rewind::<S, D, E>(s);
        }
    }

    #[inline(always)]
    fn finished(&mut self, s: S, bits: u32, end: &Orbits<S>, meta: S::V) {
        // Inside: the count is 0 already.
        if E {
            note_unsure(s, bits, end, meta, &self.blocks, self.unsettled);
        }
    }
}

/// Computes the counts of a band, |z_n|² and, if `D`, |dz_n/dc|², into its scratch memory; `P`: looking for
/// exact cycles, `E`: noting the pixels whose counts are not certain. `false` if cancelled.
#[inline(always)]
pub(super) fn run<S: Simd, const V: usize, const D: bool, const P: bool, const E: bool>(
    s: S,
    band: &mut Band<'_>,
) -> bool {
    let plan = band.plan;
    let blocks = plan.blocks_to_escape(if plan.outside_for_good { BLOCK } else { 1 });
    let padded = band.len.next_multiple_of(CHUNK);
    band.scratch.counts.clear();
    band.scratch.counts.resize(padded, 0);
    band.scratch.norm2.resize(padded, 0.0);
    if D {
        band.scratch.derivative2.resize(padded, 0.0);
    }
    let ends = if plan.angles { padded } else { 0 };
    band.scratch.ends.resize(ends, End::default());
    band.scratch.unsettled.clear();
    band.scratch.queue.clear();
    band.scratch.aside.clear();
    let mut lanes = Lanes::<S, V>::new(s);
    let mut proofs = match band.inside {
        Some(inside) if P && plan.known_parts => {
            let c_max = plan.c_max2.sqrt();
            Some(Proofs::new(
                band.frame,
                inside,
                band.first,
                c_max,
                band.progress,
            ))
        }
        _ => None,
    };
    let mut start = 0;
    loop {
        let age = if start < band.len {
            first_steps::<S, V, D, E>(s, band, start, &blocks)
        } else {
            0
        };
        start += CHUNK;
        let last = start >= band.len;
        let scratch = &mut *band.scratch;
        let mut sink = Escapes::<V, D, E> {
            aside: &mut scratch.aside,
            counts: &mut scratch.counts,
            norm2: &mut scratch.norm2,
            derivative2: &mut scratch.derivative2,
            ends: &mut scratch.ends,
            unsettled: &mut scratch.unsettled,
            blocks,
            proofs: proofs.as_mut(),
        };
        if !lanes.run::<D, P, E, _>(
            s,
            &blocks,
            &mut scratch.queue,
            age,
            last,
            &mut sink,
            band.progress,
        ) {
            return false;
        }
        if last {
            sink.trace_rest(s);
            return true;
        }
    }
}

/// Makes the first steps of the chunk at `start`: writes the counts of the pixels that end there and queues the
/// others, which have then made the number of steps that is returned.
#[inline(always)]
fn first_steps<S: Simd, const V: usize, const D: bool, const E: bool>(
    s: S,
    band: &mut Band<'_>,
    start: usize,
    blocks: &Blocks,
) -> u64 {
    let plan = band.plan;
    let len = band.load_chunk(start);
    let scratch = &mut *band.scratch;
    scratch.queue.clear();
    // Orbits that may come back are looked at in every step: all of them by the lanes.
    let steps = if plan.outside_for_good {
        FIRST_STEPS
    } else {
        0
    };
    let from = u64::from(plan.starts_at_c && plan.outside_for_good);
    let all = (1u32 << S::LANES) - 1;
    let mut iota = [0.0; 8];
    for (i, index) in iota.iter_mut().enumerate() {
        *index = f64::from_bits(i as u64);
    }
    let iota = s.load(&iota);
    let group = V * S::LANES;
    for at in (0..len).step_by(group) {
        let mut z = [Orbits::idle(s); V];
        let mut meta = [s.splat(0.0); V];
        let mut open = [0; V];
        for v in 0..V {
            let at = at + v * S::LANES;
            let (cx, cy) = (s.load(&scratch.cx[at..]), s.load(&scratch.cy[at..]));
            let zero = s.splat(0.0);
            z[v] = if from == 1 {
                Orbits {
                    x: cx,
                    y: cy,
                    dx: s.splat(1.0),
                    dy: zero,
                    cx,
                    cy,
                    off2: s.splat(plan.rounding.of_c()),
                }
            } else {
                Orbits {
                    x: s.splat(plan.z0.0),
                    y: s.splat(plan.z0.1),
                    dx: zero,
                    dy: zero,
                    cx,
                    cy,
                    off2: zero,
                }
            };
            meta[v] = s.add_bits(iota, s.splat_bits(from << INDEX_BITS | (start + at) as u64));
            open[v] = if len >= at + S::LANES {
                all
            } else {
                (1 << len.saturating_sub(at)) - 1
            };
            if plan.known_parts {
                open[v] &= !shortcuts::inside(s, cx, cy);
                if let Some(inside) = band.inside {
                    open[v] &= !inside.bits(band.first + start + at, S::LANES);
                }
            }
        }
        if open == [0; V] {
            continue;
        }
        let mut ahead = z;
        advance::<S, V, D, E>(s, &mut ahead, steps, &plan.rounding);
        let mut gone = [0; V];
        if steps > 0 {
            let within = within(s, &ahead, &plan.radius);
            for v in 0..V {
                gone[v] = open[v] & !s.bits(within[v]);
            }
        }
        if from + steps >= plan.limit {
            if E {
                for v in 0..V {
                    let index = s.splat_bits((start + at + v * S::LANES) as u64);
                    note_unsure(
                        s,
                        open[v] & !gone[v],
                        &ahead[v],
                        s.add_bits(iota, index),
                        blocks,
                        &mut scratch.unsettled,
                    );
                }
            }
        } else {
            for v in 0..V {
                let stay = open[v] & !gone[v];
                if stay != 0 {
                    let index = s.add_bits(iota, s.splat_bits((start + at + v * S::LANES) as u64));
                    scratch.queue.push::<S, D, E>(s, stay, &ahead[v], index);
                }
            }
        }
        if gone != [0; V] {
            trace::<S, V, D, E>(s, &mut z, &mut meta, steps, blocks);
            let mut metas = [0.0; MAX_GROUP];
            for v in 0..V {
                let counted = s.select(s.mask(gone[v]), meta[v], s.splat(0.0));
                s.store(&mut metas[v * S::LANES..], counted);
                let to = start + at + v * S::LANES;
                s.store(&mut scratch.norm2[to..], z[v].norm2(s));
                if D {
                    s.store(&mut scratch.derivative2[to..], derivative2(s, &z[v]));
                }
            }
            if plan.angles {
                // As above: what is of orbits that go on is written over when they end.
                let ends = ends_of(s, &z);
                scratch.ends[start + at..][..group].copy_from_slice(&ends[..group]);
            }
            let counts = &mut scratch.counts[start + at..][..group];
            for (i, (count, meta)) in counts.iter_mut().zip(&metas).enumerate() {
                let n = meta.to_bits() >> INDEX_BITS;
                *count = if n <= plan.limit { n as u32 } else { 0 };
                // The others, of which no meta is left, go on.
                if E && meta.to_bits() != 0 && !is_escape(s, &z, i, n, blocks) {
                    scratch.unsettled.push((start + at + i) as u32);
                }
            }
        }
    }
    from + steps
}
