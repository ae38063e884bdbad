//! |z_N|: where an orbit is after exactly N steps.
//!
//! No pixel may be left out because it is known to be inside, nor because it once left |z| <= 2: only an
//! orbit that is so far out that it cannot return is given up. The first steps, made by all pixels side
//! by side, take the remainder of N by the block length, so that the lanes end exactly at N.

use super::band::Band;
use super::lanes::{LaneStates, Lanes, Sink};
use super::orbits::{Orbits, advance};
use super::points::{CHUNK, INDEX};
use crate::cpu::simd::Simd;

/// Steps of a block.
const BLOCK: u64 = 16;
/// Steps that pixels make side by side at least, if N has as many.
const FIRST_STEPS: u64 = 8;

/// Writes |z_N|² of the lanes that are done.
struct Ends<'a> {
    norm2: &'a mut [f64],
}

impl<S: Simd> Sink<S> for Ends<'_> {
    const CYCLE_ENDS: bool = false;
    const PROVES: bool = false;

    #[inline(always)]
    fn prove(&mut self, _: &LaneStates) -> u32 {
        0
    }

    #[inline(always)]
    fn escaped(&mut self, _: S, _: u32, _: &Orbits<S>, _: S::V) {
        // NaN stands there already.
    }

    #[inline(always)]
    fn finished(&mut self, s: S, bits: u32, end: &Orbits<S>, meta: S::V) {
        let (mut metas, mut norms) = ([0.0; 8], [0.0; 8]);
        s.store(&mut metas, meta);
        s.store(&mut norms, end.norm2(s));
        for lane in 0..S::LANES {
            if bits >> lane & 1 != 0 {
                let index = metas[lane].to_bits() & INDEX;
                self.norm2[index as usize] = norms[lane];
            }
        }
    }
}

/// Computes |z_N|² of a band into its scratch memory, NaN where the orbit was given up; `P`: jumping over
/// exact cycles. `false` if cancelled.
#[inline(always)]
pub(super) fn run<S: Simd, const V: usize, const P: bool>(s: S, band: &mut Band<'_>) -> bool {
    let plan = band.plan;
    let blocks = plan.blocks_to_the_end(BLOCK);
    let rest = plan.limit % BLOCK;
    let first = if rest < FIRST_STEPS && plan.limit >= BLOCK {
        rest + BLOCK
    } else {
        rest
    };
    band.scratch.stability.clear();
    band.scratch
        .stability
        .resize(band.len.next_multiple_of(CHUNK), f64::NAN);
    let mut lanes = Lanes::<S, V>::new(s);
    for start in (0..band.len).step_by(CHUNK) {
        first_steps::<S, V>(s, band, start, first);
        let last = start + CHUNK >= band.len;
        let scratch = &mut *band.scratch;
        let mut sink = Ends {
            norm2: &mut scratch.stability,
        };
        if !lanes.run::<false, P, false, _>(
            s,
            &blocks,
            &mut scratch.queue,
            first,
            last,
            &mut sink,
            band.progress,
        ) {
            return false;
        }
    }
    true
}

/// Makes the first `steps` steps of the chunk at `start` and queues the orbits that are not given up; if those
/// are all the steps there are, writes |z_N|² instead.
#[inline(always)]
fn first_steps<S: Simd, const V: usize>(s: S, band: &mut Band<'_>, start: usize, steps: u64) {
    let plan = band.plan;
    let len = band.load_chunk(start);
    let scratch = &mut *band.scratch;
    scratch.queue.clear();
    let bound2 = s.splat(plan.no_return2);
    let all = (1u32 << S::LANES) - 1;
    let mut iota = [0.0; 8];
    for (i, index) in iota.iter_mut().enumerate() {
        *index = f64::from_bits(i as u64);
    }
    let iota = s.load(&iota);
    for at in (0..len).step_by(V * S::LANES) {
        let mut z = [Orbits::idle(s); V];
        for (v, z) in z.iter_mut().enumerate() {
            let at = at + v * S::LANES;
            (z.x, z.y) = (s.splat(plan.z0.0), s.splat(plan.z0.1));
            (z.cx, z.cy) = (s.load(&scratch.cx[at..]), s.load(&scratch.cy[at..]));
        }
        advance::<S, V, false, false>(s, &mut z, steps, &plan.rounding);
        for (v, z) in z.iter().enumerate() {
            let at = at + v * S::LANES;
            if steps == plan.limit {
                s.store(&mut scratch.stability[start + at..], z.norm2(s));
                continue;
            }
            let open = if len >= at + S::LANES {
                all
            } else {
                (1 << len.saturating_sub(at)) - 1
            };
            let stay = open & s.bits(s.le(z.norm2(s), bound2));
            if stay != 0 {
                let index = s.add_bits(iota, s.splat_bits((start + at) as u64));
                scratch.queue.push::<S, false, false>(s, stay, z, index);
            }
        }
    }
}
