//! Proofs that points lie inside a component of any period.
//!
//! The orbit of a point inside is drawn to a cycle of some period p. It comes near where it has been p steps before, from
//! which Newton's method leads to the cycle. Then a disc D around one of its points is followed for p steps with
//! everything that may move its points: all c of a disc of c, and all rounding. If it comes to lie within itself, f^p
//! of each of those c has a fixed point in D that attracts all of D (Schwarz' lemma), a cycle of z² + c that attracts the
//! orbit of 0 as well (Fatou, 1919): all of those c are inside. That holds whatever led to p and to D, which are
//! guesses. [`super::trap`] does the same with the return map of one minibrot.
//!
//! - [`course`]: orbits and discs as deltas along a reference, of which plain orbits are the simplest case
//! - [`cycle`]: the period, the cycle, the proof
//! - [`field`]: from one cycle to all squares of a picture that it proves
//! - [`known`]: cycles that a frame's pixels have led to

mod course;
mod cycle;
pub(crate) mod field;
mod known;
#[cfg(test)]
mod tests;

pub use course::Course;
pub use cycle::Cycle;
pub(crate) use known::KnownCycles;
