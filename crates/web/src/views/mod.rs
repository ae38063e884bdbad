//! Views that are computed for those who wait for them.
//!
//! - [`places`]: on this machine, or by the workers of a farm where that has some

pub mod places;
