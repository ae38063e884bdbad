//! The kernels for NEON, which every aarch64 processor has.
//!
//! Thin instances of [`Simd`]: each operation is one or two instructions.

#![allow(unused_unsafe)] // which intrinsics are safe where NEON is given has changed between Rust versions

use std::arch::aarch64::*;

use super::deep::task::{Output, Task, TaskScratch};
use super::plain::band::Band;
use super::plain::compute;
use super::simd::Simd;

/// Runs an intrinsic of the instruction set whose token is at hand.
macro_rules! intrinsic {
    ($call:expr) => {{
        // SAFETY: every aarch64 processor that Rust's standard library runs on has NEON; no pointer is
        // involved.
        unsafe { $call }
    }};
}

/// NEON: vectors of two.
#[derive(Clone, Copy)]
pub(super) struct Neon;

impl Simd for Neon {
    type V = float64x2_t;
    type M = uint64x2_t;
    const LANES: usize = 2;

    #[inline(always)]
    fn splat(self, value: f64) -> Self::V {
        intrinsic!(vdupq_n_f64(value))
    }
    #[inline(always)]
    fn load(self, from: &[f64]) -> Self::V {
        let from = &from[..2];
        // SAFETY: the slice has two values.
        unsafe { vld1q_f64(from.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, to: &mut [f64], v: Self::V) {
        let to = &mut to[..2];
        // SAFETY: the slice has room for two values.
        unsafe { vst1q_f64(to.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(vaddq_f64(a, b))
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(vmulq_f64(a, b))
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        intrinsic!(vfmaq_f64(c, a, b))
    }
    #[inline(always)]
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        intrinsic!(vfmsq_f64(c, a, b))
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(vmaxq_f64(a, b))
    }
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(vminq_f64(a, b))
    }
    #[inline(always)]
    fn abs(self, a: Self::V) -> Self::V {
        intrinsic!(vabsq_f64(a))
    }
    #[inline(always)]
    fn add_bits(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(vreinterpretq_f64_u64(vaddq_u64(
            vreinterpretq_u64_f64(a),
            vreinterpretq_u64_f64(b)
        )))
    }
    #[inline(always)]
    fn le(self, a: Self::V, b: Self::V) -> Self::M {
        intrinsic!(vcleq_f64(a, b))
    }
    #[inline(always)]
    fn eq(self, a: Self::V, b: Self::V) -> Self::M {
        intrinsic!(vceqq_f64(a, b))
    }
    #[inline(always)]
    fn and(self, a: Self::M, b: Self::M) -> Self::M {
        intrinsic!(vandq_u64(a, b))
    }
    #[inline(always)]
    fn select(self, mask: Self::M, yes: Self::V, no: Self::V) -> Self::V {
        intrinsic!(vbslq_f64(mask, yes, no))
    }
    #[inline(always)]
    fn bits(self, mask: Self::M) -> u32 {
        (intrinsic!(vgetq_lane_u64::<0>(mask)) & 1 | intrinsic!(vgetq_lane_u64::<1>(mask)) & 2)
            as u32
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> Self::M {
        let lane = |bit: u32| u64::from(bits >> bit & 1).wrapping_neg();
        intrinsic!(vcombine_u64(vcreate_u64(lane(0)), vcreate_u64(lane(1))))
    }
    #[inline(always)]
    fn compress(self, bits: u32, v: Self::V) -> Self::V {
        // Only "the second lane alone" moves anything.
        if bits & 3 == 2 {
            intrinsic!(vextq_f64::<1>(v, v))
        } else {
            v
        }
    }
    #[inline(always)]
    fn expand(self, bits: u32, packed: Self::V, into: Self::V) -> Self::V {
        let spread = if bits & 3 == 2 {
            intrinsic!(vextq_f64::<1>(packed, packed))
        } else {
            packed
        };
        self.select(self.mask(bits), spread, into)
    }
}

/// Computes a task of a deep frame with NEON; `None` if it was cancelled.
pub(super) fn deep_neon<const E: bool>(
    task: &Task<'_>,
    scratch: &mut TaskScratch,
) -> Option<Output> {
    task.run::<Neon, 4, 6, E>(Neon, scratch, |task, scratch| {
        task.settle::<Neon, 4>(Neon, scratch)
    })
}

/// Computes a band with NEON.
pub(super) fn band_neon(band: &mut Band<'_>) -> bool {
    compute::<Neon, 6>(Neon, band)
}

#[cfg(test)]
mod tests {
    #[test]
    fn cpu_neon_operations() {
        super::super::simd::tests::check(super::Neon);
    }
}
