//! Blocks of steps as polynomials of a delta.
//!
//! A step z' = 2Zz + z² + c is a polynomial of z, and so are many steps in a row. A linear block ([`crate::deep::bla`])
//! must end where |z| is a 2^-40th of |Z|; one that keeps the first [`DEGREE`] powers serves as long as |z| is below
//! some 2^-6 |Z|. Orbits spend most of their single steps between the two.
//!
//! A block is a polynomial of u = z / radius, |u| < 1, and w = c / the largest |c|, with the powers of u up to K, w,
//! uw and w². What is dropped is bounded while blocks are joined, each bound as the coefficient of the lowest power
//! of u that it has. A block's radius is the largest at which all that is below epsilon |a_1 u|, and at which |z|
//! stays below a quarter of |Z| in each step: then no step escapes, and none calls for rebasing.

//!
//! - [`jet`]: one block and what it does to a delta; [`block`]: how it is built; [`table`]: all of an orbit
//! - [`loss`]: what it may lose

mod block;
mod jet;
mod loss;
mod table;
#[cfg(test)]
mod tests;

pub use block::LOWEST_LEVEL;
pub(super) use block::{Block, Rules};
pub(crate) use jet::dropped_at;
pub use jet::{DEGREE, Jet};
pub use loss::PolynomialLoss;
pub(super) use loss::Rounded;
pub use table::JetTable;
pub(super) use table::{each_level, longest, next_block};
