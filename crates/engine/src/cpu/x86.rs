//! The kernels for AVX-512 and for AVX2 with fused multiply-add.
//!
//! Thin instances of [`Simd`]: each operation is one or two instructions. A token is made only by this
//! module's entry points, which are compiled for their instruction set and called after it was detected.

use std::arch::x86_64::*;

use fractal::Settling;

use super::deep::task::{Output, Task, TaskScratch};
use super::formulas;
use super::peak;
use super::plain::band::Band;
use super::plain::compute;
use super::simd::{Runs, Simd};

/// Runs an intrinsic of the instruction set whose token is at hand.
macro_rules! intrinsic {
    ($call:expr) => {{
        // SAFETY: the token that this method was called on exists only where the processor has the
        // instruction set; no pointer is involved.
        unsafe { $call }
    }};
}

/// A pair as a vector.
#[inline(always)]
fn pair(pair: &[f64; 2]) -> __m128d {
    // SAFETY: every processor of this architecture has SSE2, and a pair is two values.
    unsafe { _mm_loadu_pd(pair.as_ptr()) }
}

/// AVX-512 F, DQ, VL: vectors of eight, and masks of their own.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Simd for Avx512 {
    type V = __m512d;
    type M = __mmask8;
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(self, value: f64) -> Self::V {
        intrinsic!(_mm512_set1_pd(value))
    }
    #[inline(always)]
    fn load(self, from: &[f64]) -> Self::V {
        let from = &from[..8];
        // SAFETY: the slice has eight values, and the token stands for the instruction set.
        unsafe { _mm512_loadu_pd(from.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, to: &mut [f64], v: Self::V) {
        let to = &mut to[..8];
        // SAFETY: the slice has room for eight values, and the token stands for the instruction set.
        unsafe { _mm512_storeu_pd(to.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm512_add_pd(a, b))
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm512_mul_pd(a, b))
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        intrinsic!(_mm512_fmadd_pd(a, b, c))
    }
    #[inline(always)]
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        intrinsic!(_mm512_fnmadd_pd(a, b, c))
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm512_max_pd(a, b))
    }
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm512_min_pd(a, b))
    }
    #[inline(always)]
    fn abs(self, a: Self::V) -> Self::V {
        intrinsic!(_mm512_abs_pd(a))
    }
    #[inline(always)]
    fn max_abs(self, a: Self::V, b: Self::V) -> Self::V {
        /// The larger modulus, its sign bit cleared.
        const RULE: i32 = 0b1011;
        intrinsic!(_mm512_range_pd::<RULE>(a, b))
    }
    #[inline(always)]
    fn pairs(self, runs: &Runs<'_>, by: usize) -> (Self::V, Self::V) {
        let even = self.four(runs, [0, 2, 4, 6], by);
        let odd = self.four(runs, [1, 3, 5, 7], by);
        (
            intrinsic!(_mm512_unpacklo_pd(even, odd)),
            intrinsic!(_mm512_unpackhi_pd(even, odd)),
        )
    }
    #[inline(always)]
    fn add_bits(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm512_castsi512_pd(_mm512_add_epi64(
            _mm512_castpd_si512(a),
            _mm512_castpd_si512(b)
        )))
    }
    #[inline(always)]
    fn le(self, a: Self::V, b: Self::V) -> Self::M {
        intrinsic!(_mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b))
    }
    #[inline(always)]
    fn eq(self, a: Self::V, b: Self::V) -> Self::M {
        intrinsic!(_mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b))
    }
    #[inline(always)]
    fn and(self, a: Self::M, b: Self::M) -> Self::M {
        a & b
    }
    #[inline(always)]
    fn select(self, mask: Self::M, yes: Self::V, no: Self::V) -> Self::V {
        intrinsic!(_mm512_mask_blend_pd(mask, no, yes))
    }
    #[inline(always)]
    fn bits(self, mask: Self::M) -> u32 {
        u32::from(mask)
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> Self::M {
        bits as u8
    }
    #[inline(always)]
    fn compress(self, bits: u32, v: Self::V) -> Self::V {
        // In a register: compressing straight to memory is microcode on Zen 4.
        intrinsic!(_mm512_maskz_compress_pd(bits as u8, v))
    }
    #[inline(always)]
    fn expand(self, bits: u32, packed: Self::V, into: Self::V) -> Self::V {
        intrinsic!(_mm512_mask_expand_pd(into, bits as u8, packed))
    }
}

impl Avx512 {
    /// Four pairs in a row.
    #[inline(always)]
    fn four(self, runs: &Runs<'_>, lanes: [usize; 4], by: usize) -> __m512d {
        let first = pair(runs.pair(lanes[0], by));
        let second = pair(runs.pair(lanes[1], by));
        let third = pair(runs.pair(lanes[2], by));
        let fourth = pair(runs.pair(lanes[3], by));
        let low = intrinsic!(_mm256_set_m128d(second, first));
        let high = intrinsic!(_mm256_set_m128d(fourth, third));
        intrinsic!(_mm512_insertf64x4::<1>(_mm512_castpd256_pd512(low), high))
    }
}

/// AVX2 with FMA: vectors of four.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// For each of the sixteen masks of four lanes, the 32-bit halves that [`Avx2::compress`] (first) and
/// [`Avx2::expand`] (second) take from.
const PERMUTATIONS: [([i32; 8], [i32; 8]); 16] = {
    let mut table = [([0; 8], [0; 8]); 16];
    let mut mask = 0;
    while mask < 16 {
        let (mut lane, mut packed) = (0usize, 0usize);
        while lane < 4 {
            if mask >> lane & 1 != 0 {
                let (from, to) = (2 * lane as i32, 2 * packed as i32);
                table[mask].0[2 * packed] = from;
                table[mask].0[2 * packed + 1] = from + 1;
                table[mask].1[2 * lane] = to;
                table[mask].1[2 * lane + 1] = to + 1;
                packed += 1;
            }
            lane += 1;
        }
        mask += 1;
    }
    table
};

impl Avx2 {
    /// The 32-bit halves of `v` that `indices` name.
    #[inline(always)]
    fn permute(self, v: __m256d, indices: &[i32; 8]) -> __m256d {
        // SAFETY: eight 32-bit values are one vector; the token stands for the instruction set.
        unsafe {
            let indices = _mm256_loadu_si256(indices.as_ptr().cast());
            _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(v), indices))
        }
    }
}

impl Simd for Avx2 {
    type V = __m256d;
    type M = __m256d;
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(self, value: f64) -> Self::V {
        intrinsic!(_mm256_set1_pd(value))
    }
    #[inline(always)]
    fn load(self, from: &[f64]) -> Self::V {
        let from = &from[..4];
        // SAFETY: the slice has four values, and the token stands for the instruction set.
        unsafe { _mm256_loadu_pd(from.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, to: &mut [f64], v: Self::V) {
        let to = &mut to[..4];
        // SAFETY: the slice has room for four values, and the token stands for the instruction set.
        unsafe { _mm256_storeu_pd(to.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm256_add_pd(a, b))
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm256_mul_pd(a, b))
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        intrinsic!(_mm256_fmadd_pd(a, b, c))
    }
    #[inline(always)]
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        intrinsic!(_mm256_fnmadd_pd(a, b, c))
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm256_max_pd(a, b))
    }
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm256_min_pd(a, b))
    }
    #[inline(always)]
    fn abs(self, a: Self::V) -> Self::V {
        intrinsic!(_mm256_andnot_pd(_mm256_set1_pd(-0.0), a))
    }
    #[inline(always)]
    fn pairs(self, runs: &Runs<'_>, by: usize) -> (Self::V, Self::V) {
        let (first, second) = (pair(runs.pair(0, by)), pair(runs.pair(1, by)));
        let (third, fourth) = (pair(runs.pair(2, by)), pair(runs.pair(3, by)));
        let even = intrinsic!(_mm256_set_m128d(third, first));
        let odd = intrinsic!(_mm256_set_m128d(fourth, second));
        (
            intrinsic!(_mm256_unpacklo_pd(even, odd)),
            intrinsic!(_mm256_unpackhi_pd(even, odd)),
        )
    }
    #[inline(always)]
    fn add_bits(self, a: Self::V, b: Self::V) -> Self::V {
        intrinsic!(_mm256_castsi256_pd(_mm256_add_epi64(
            _mm256_castpd_si256(a),
            _mm256_castpd_si256(b)
        )))
    }
    #[inline(always)]
    fn le(self, a: Self::V, b: Self::V) -> Self::M {
        intrinsic!(_mm256_cmp_pd::<_CMP_LE_OQ>(a, b))
    }
    #[inline(always)]
    fn eq(self, a: Self::V, b: Self::V) -> Self::M {
        intrinsic!(_mm256_cmp_pd::<_CMP_EQ_OQ>(a, b))
    }
    #[inline(always)]
    fn and(self, a: Self::M, b: Self::M) -> Self::M {
        intrinsic!(_mm256_and_pd(a, b))
    }
    #[inline(always)]
    fn select(self, mask: Self::M, yes: Self::V, no: Self::V) -> Self::V {
        intrinsic!(_mm256_blendv_pd(no, yes, mask))
    }
    #[inline(always)]
    fn bits(self, mask: Self::M) -> u32 {
        intrinsic!(_mm256_movemask_pd(mask)) as u32
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> Self::M {
        // SAFETY: the token stands for the instruction set; no pointer is involved.
        unsafe {
            let lane = _mm256_set_epi64x(8, 4, 2, 1);
            let chosen = _mm256_and_si256(_mm256_set1_epi64x(i64::from(bits)), lane);
            _mm256_castsi256_pd(_mm256_cmpeq_epi64(chosen, lane))
        }
    }
    #[inline(always)]
    fn compress(self, bits: u32, v: Self::V) -> Self::V {
        self.permute(v, &PERMUTATIONS[bits as usize & 15].0)
    }
    #[inline(always)]
    fn expand(self, bits: u32, packed: Self::V, into: Self::V) -> Self::V {
        let spread = self.permute(packed, &PERMUTATIONS[bits as usize & 15].1);
        self.select(self.mask(bits), spread, into)
    }
}

/// Computes a band with AVX-512. Four vectors in flight: a step's critical path is two multiply-adds of
/// four cycles, its throughput three a vector.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn band_avx512(band: &mut Band<'_>) -> bool {
    compute::<Avx512, 4>(Avx512(()), band)
}

/// Computes a band with AVX2 and FMA. Five vectors in flight hide the latency and still fit sixteen
/// registers: six spill.
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn band_avx2(band: &mut Band<'_>) -> bool {
    compute::<Avx2, 5>(Avx2(()), band)
}

/// Computes a band of a frame of any formula with AVX-512; `false` if it was cancelled.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn general_avx512(band: &mut formulas::Band<'_>) -> bool {
    band.run::<32>()
}

/// The same with AVX2 and FMA.
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn general_avx2(band: &mut formulas::Band<'_>) -> bool {
    band.run::<16>()
}

/// Computes a task of a deep frame with AVX-512; `None` if it was cancelled.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn deep_avx512<const E: bool>(
    task: &Task<'_>,
    scratch: &mut TaskScratch,
) -> Option<Output> {
    task.run::<Avx512, 2, 4, E>(Avx512(()), scratch, |task, scratch| {
        settle_avx512(task, scratch)
    })
}

/// The same with AVX2 and FMA.
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn deep_avx2<const E: bool>(
    task: &Task<'_>,
    scratch: &mut TaskScratch,
) -> Option<Output> {
    task.run::<Avx2, 2, 3, E>(Avx2(()), scratch, |task, scratch| {
        settle_avx2(task, scratch)
    })
}

/// Computes the pixels of a task again whose counts are not certain, with AVX-512; `None` if it was cancelled. Apart from the
/// task: what is compiled into one function beyond a size is inlined less.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
fn settle_avx512(task: &Task<'_>, scratch: &mut TaskScratch) -> Option<Settling> {
    task.settle::<Avx512, 2>(Avx512(()), scratch)
}

/// The same with AVX2 and FMA.
#[inline(never)]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
fn settle_avx2(task: &Task<'_>, scratch: &mut TaskScratch) -> Option<Settling> {
    task.settle::<Avx2, 2>(Avx2(()), scratch)
}

/// See [`peak::multiply_adds`].
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
pub(super) fn multiply_adds_avx512(lanes: u64) -> u64 {
    peak::multiply_adds(Avx512(()), lanes)
}

/// See [`peak::multiply_adds`].
#[target_feature(enable = "avx2,fma")]
pub(super) fn multiply_adds_avx2(lanes: u64) -> u64 {
    peak::multiply_adds(Avx2(()), lanes)
}

/// Whether the processor can run [`band_avx512`].
pub(super) fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && has_avx2()
}

/// Whether the processor can run [`band_avx2`].
pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("lzcnt")
}

#[cfg(test)]
mod tests {
    use super::super::simd::tests::check;
    use super::*;

    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
    fn check_avx512() {
        check(Avx512(()));
    }

    #[target_feature(enable = "avx2,fma")]
    fn check_avx2() {
        check(Avx2(()));
    }

    #[test]
    fn cpu_x86_operations() {
        if has_avx512() {
            // SAFETY: detected above.
            unsafe { check_avx512() }
        }
        if has_avx2() {
            // SAFETY: detected above.
            unsafe { check_avx2() }
        }
    }
}
