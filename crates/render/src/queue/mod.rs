//! The queue that a render runs on.
//!
//! [`open`] opens one: with [`local_workers`] in process, or a farm's; [`retry`] bears with one that is out of reach for a
//! while.

pub(crate) mod local_workers;
pub mod open;
#[expect(clippy::module_inception, reason = "the queue itself")]
mod queue;
pub(crate) mod retry;

pub use queue::Queue;
