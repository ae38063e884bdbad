//! Processes on any machine, by short shell scripts.

pub mod host;
pub mod script;
pub mod start;
