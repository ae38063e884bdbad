//! Pixels on their own, from where a series leaves them to their end.
//!
//! - [`pixel`]: one pixel by steps and blocks; [`lanes`]: vectors of them
//! - `bounds`: what a pixel may be off by
//! - [`tail`]: the last steps, for which no reference is needed
//! - [`cycle`]: orbits that repeat themselves

mod bounds;
pub(super) mod cycle;
pub(super) mod lanes;
pub(super) mod pixel;
pub(super) mod tail;
