//! Renders on queues that fail, and into memory.

pub mod failing_queue;
pub(crate) mod plans;
mod tiles;
