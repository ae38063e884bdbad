//! The queue in process: what a render uses without `--redis`.
//!
//! It is the table of [`crate::protocol::table`], one a job, behind one lock that is held for microseconds and never
//! across an await, so every call is cancel-safe; buffers pass through it by reference. It answers to the same
//! conformance suite as the queue in Redis.
//!
//! - [`queue`]: the queue and its lock; [`job`]: one job of it
//! - [`worker`], [`submitter`]: its two faces

mod job;
mod queue;
mod submitter;
mod worker;

pub use queue::MemoryQueue;
