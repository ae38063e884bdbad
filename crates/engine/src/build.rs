//! Which build this is, as far as the bytes of strips go.

use std::sync::LazyLock;

use fractal::Arithmetic;
use shaders::{Kernel, Program};

use crate::cpu;

/// Kernels whose results are in buffers; the others only prove and measure.
const COMPUTING: [Kernel; 3] = [
    Kernel::Escape,
    Kernel::EscapeWithDerivative,
    Kernel::Stability,
];

/// A digest over every kernel that this build may compute with, on any kind of device, in any arithmetic.
///
/// The same on every machine and in every run of a build. Builds with the same one give the same bytes; workers of
/// another one do not take a job's strips.
#[must_use]
pub fn build_id() -> u64 {
    static ID: LazyLock<u64> = LazyLock::new(|| digest(kernel_ids()));
    *ID
}

/// Whether this build has the kernel that a buffer names as its maker.
#[must_use]
pub fn has_kernel(id: u64) -> bool {
    kernel_ids().any(|own| own == id)
}

/// The kernels' own ids, in an order that never changes.
fn kernel_ids() -> impl Iterator<Item = u64> {
    let programs = COMPUTING.into_iter().flat_map(|kernel| {
        let of = move |arithmetic| Program::new(kernel, arithmetic);
        Arithmetic::PLAIN
            .into_iter()
            .chain(Arithmetic::DELTA)
            .filter_map(of)
    });
    [
        cpu::plain::KERNEL_ID,
        cpu::deep::KERNEL_ID,
        cpu::formulas::KERNEL_ID,
    ]
    .into_iter()
    .chain(programs.map(|program| program.id()))
}

/// FNV-1a of the ids' bytes, the lowest first.
fn digest(ids: impl Iterator<Item = u64>) -> u64 {
    let prime = 0x0000_0100_0000_01b3u64;
    ids.flat_map(u64::to_le_bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(prime)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_counts_and_so_does_their_order() {
        let ids: Vec<u64> = kernel_ids().collect();
        // The processor's three, and three kernels in six arithmetics but for stability in single precision.
        assert_eq!(ids.len(), 3 + 3 * 6 - 1);
        assert_eq!(build_id(), digest(ids.iter().copied()));
        for at in 0..ids.len() {
            let mut changed = ids.clone();
            changed[at] ^= 1;
            assert_ne!(build_id(), digest(changed.into_iter()), "kernel {at}");
        }
        assert_ne!(build_id(), digest(ids.iter().rev().copied()));
        assert!(ids.iter().all(|id| has_kernel(*id) && !has_kernel(!id)));
    }

    #[test]
    fn the_digest_is_the_same_everywhere() {
        assert_eq!(digest(std::iter::empty()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest([0x61u64].into_iter()), {
            // "a" and seven zero bytes.
            let prime = 0x0000_0100_0000_01b3u64;
            let mut hash = 0xaf63_dc4c_8601_ec8cu64;
            for _ in 0..7 {
                hash = hash.wrapping_mul(prime);
            }
            hash
        });
    }
}
