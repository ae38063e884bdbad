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

/// Whether this build has the kernels that a buffer names as its makers: one, or an adapter's two of one number type, joined by
/// exclusive or, where iterations are counted and stability is asked for.
#[must_use]
pub fn has_kernel(id: u64) -> bool {
    static PAIRS: LazyLock<Vec<u64>> = LazyLock::new(|| {
        let of = [Program::formula_id, |kernel, arithmetic| {
            Program::new(kernel, arithmetic).map(|program| program.id())
        }];
        let mut pairs = Vec::new();
        for id in of {
            for arithmetic in Arithmetic::PLAIN.into_iter().chain(Arithmetic::DELTA) {
                let Some(stability) = id(Kernel::Stability, arithmetic) else {
                    continue;
                };
                for kernel in [Kernel::Escape, Kernel::EscapeWithDerivative] {
                    pairs.extend(id(kernel, arithmetic).map(|id| id ^ stability));
                }
            }
        }
        pairs
    });
    kernel_ids().any(|own| own == id) || PAIRS.contains(&id)
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
    let of_formulas = COMPUTING.into_iter().flat_map(|kernel| {
        (Arithmetic::PLAIN.into_iter())
            .filter_map(move |arithmetic| Program::formula_id(kernel, arithmetic))
    });
    [
        cpu::plain::KERNEL_ID,
        cpu::deep::KERNEL_ID,
        cpu::formulas::KERNEL_ID,
    ]
    .into_iter()
    .chain(programs.map(|program| program.id()))
    .chain(of_formulas)
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
        // The processor's three, and three kernels in six arithmetics but for stability in single precision; the same three of
        // formulas in the plain ones.
        assert_eq!(ids.len(), 3 + (3 * 6 - 1) + (3 * 3 - 1));
        assert_eq!(build_id(), digest(ids.iter().copied()));
        for at in 0..ids.len() {
            let mut changed = ids.clone();
            changed[at] ^= 1;
            assert_ne!(build_id(), digest(changed.into_iter()), "kernel {at}");
        }
        assert_ne!(build_id(), digest(ids.iter().rev().copied()));
        assert!(ids.iter().all(|id| has_kernel(*id) && !has_kernel(!id)));
        // Of a strip with counts and stability.
        let id = |kernel, arithmetic| Program::new(kernel, arithmetic).unwrap().id();
        let [escape, stability] =
            [Kernel::Escape, Kernel::Stability].map(|kernel| id(kernel, Arithmetic::F64));
        assert!(has_kernel(escape ^ stability));
        assert!(!has_kernel(
            escape ^ id(Kernel::Stability, Arithmetic::DoubleSingle)
        ));
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
