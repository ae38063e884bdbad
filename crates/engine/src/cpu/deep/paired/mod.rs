//! Pixels whose counts deltas in doubles do not tell, again as deltas in pairs of doubles.
//!
//! - [`frame`]: what they have in common
//! - [`pixel`]: one pixel by blocks; [`lanes`]: vectors of them by steps

pub(super) mod frame;
pub(super) mod lanes;
pub(super) mod pixel;
