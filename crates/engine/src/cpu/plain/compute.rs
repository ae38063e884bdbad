//! All kernels of plain iteration over one band.

use super::band::Band;
use super::points::{CHUNK, MAX_GROUP};
use super::{escape, finish, settle, stability};
use crate::cpu::simd::Simd;

/// The kernels' version: changes whenever the bytes of any strip may change.
pub(crate) const KERNEL_ID: u64 = 0x6370_7500_0000_0003; // "cpu", 3

/// Computes a band; `false` if it was cancelled.
#[inline(always)]
pub(in crate::cpu) fn compute<S: Simd, const V: usize>(s: S, band: &mut Band<'_>) -> bool {
    const {
        let group = V * S::LANES;
        assert!(CHUNK.is_multiple_of(group) && group <= MAX_GROUP && S::LANES <= 8);
    }
    let plan = band.plan;
    let counted = !plan.counts
        || match (plan.derivative, plan.cycles) {
            _ if plan.settled => settle::run::<S, V>(s, band),
            (false, false) => escape::run::<S, V, false, false, false>(s, band),
            (false, true) => escape::run::<S, V, false, true, false>(s, band),
            (true, false) => escape::run::<S, V, true, false, false>(s, band),
            (true, true) => escape::run::<S, V, true, true, false>(s, band),
        };
    let steady = !plan.stability
        || counted
            && match plan.cycles {
                false => stability::run::<S, V, false>(s, band),
                true => stability::run::<S, V, true>(s, band),
            };
    if counted && steady {
        finish::write(band);
    }
    counted && steady
}
