//! Pixels whose counts deltas in doubles do not tell, again as deltas in pairs of doubles.
//!
//! - [`pixel`]: one pixel by blocks; [`lanes`]: vectors of them by steps
//! - `vectors`: pairs of vectors

pub(super) mod lanes;
pub(super) mod pixel;
mod vectors;
