//! What arithmetic an adapter really has, found by small kernels on hard cases.
//!
//! WGSL promises neither exact rounding nor that double-single survives optimisation, and a driver that breaks it
//! says nothing. So an arithmetic is used only after its elementary operations and a short orbit came out right
//! on this very device.
//!
//! - [`cases`]: what is computed, by [`run`]; [`plain`], [`deltas`]: the proofs
//! - [`formulas`]: the proof of a formula's own program, when it is first asked for
//! - [`timing`]: how fast an arithmetic is; [`offered`]: those that passed, in order

mod cases;
mod deltas;
mod formulas;
mod offered;
mod plain;
mod run;
mod timing;

pub(super) use formulas::prove as prove_formula;
pub(super) use offered::prove_and_time;
#[cfg(test)]
pub(super) use plain::{check_of_exact_outcomes, prove_operations_of, prove_orbit_of};
