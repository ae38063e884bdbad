//! Kernels of all formulas but z² + c, of Julia sets, and of deep views from a start value beyond 0: plain ones in doubles, and
//! deltas from reference orbits with blocks whose bounds are proved.
//!
//! - `plain`: orbits in doubles, in vectors
//! - `deep`: deltas
//! - `roundoff`: that of doubles
//! - `strip`: a strip of a frame; `values`: its planes

mod deep;
mod plain;
mod roundoff;
mod strip;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use strip::KERNEL_ID;
pub(super) use strip::{Band, Crew, compute};
