//! Where something is computed, and whether it is worth a farm.

pub mod placing;
pub mod staging;
pub mod worth;
