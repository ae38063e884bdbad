//! Pixels on their own, from where a series leaves them to their end.
//!
//! - [`pixel`]: one pixel by steps and blocks; [`lanes`]: vectors of them
//! - [`tail`]: the last steps, for which no reference is needed
//! - [`cycle`]: orbits that repeat themselves

pub(super) mod cycle;
pub(super) mod lanes;
pub(super) mod pixel;
pub(super) mod tail;
