//! What is iterated: z² + c unless a picture says otherwise, or the steps of other formulas, exact and in any numbers.
//!
//! A [`Formula`] is written as operations on z ([`Operation`]), phase by phase; the names of the field stand for some of
//! them ([`names`]). Whatever iterates it, in whichever numbers, implements [`Numbers`] and runs the same [`Phase`].

mod error;
mod exact;
mod iterated;
pub mod names;
pub mod nuclei;
mod numbers;
mod operation;
mod phase;
mod references;
mod rotation;
mod settle;
mod slope;
#[cfg(test)]
mod tests;

pub use error::{FormulaError, MAX_DEGREE, MAX_OPERATIONS, MAX_PHASES};
pub use exact::iteration_count_in;
pub use iterated::Formula;
pub use numbers::{Fold, Numbers};
pub use operation::Operation;
pub use phase::{Instruction, Phase};
pub use references::{FormulaOrbit, FormulaOrbits, OrbitsError, compute};
pub use rotation::{rotation, turns_of};
pub use settle::settle;
pub use slope::{Jacobian, slope};
