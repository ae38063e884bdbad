//! The processor's own limit: how many multiply-adds it can do.

use std::hint::black_box;

use super::simd::Simd;

/// Independent chains: more than the multiply-adds that any of these processors has in flight (two units,
/// four or five cycles), and few enough for sixteen registers.
const CHAINS: usize = 12;

/// Does `lanes` multiply-adds, or somewhat more, as vectors in independent chains and nothing else; returns
/// how many there were.
#[inline(always)]
pub(super) fn multiply_adds<S: Simd>(s: S, lanes: u64) -> u64 {
    let rounds = (lanes / S::LANES as u64).div_ceil(CHAINS as u64);
    // a converges to 1; nothing overflows or becomes subnormal.
    let (half, mut chains) = (s.splat(black_box(0.5)), [s.splat(0.0); CHAINS]);
    for _ in 0..rounds {
        for chain in &mut chains {
            *chain = s.fma(*chain, half, half);
        }
    }
    let mut sum = chains[0];
    for chain in &chains[1..] {
        sum = s.add(sum, *chain);
    }
    let mut out = [0.0; 8];
    s.store(&mut out, sum);
    black_box(out);
    rounds * CHAINS as u64 * S::LANES as u64
}
