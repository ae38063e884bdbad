//! What is found out of a view before its strips are queued: how exactly it has to be computed, its reference orbit, and
//! the values that its colours span.

pub mod orbit;
pub mod precision;
mod samples;
