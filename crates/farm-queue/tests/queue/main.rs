//! Tests of the queue: one conformance suite on both implementations, its table against the
//! scripts, faults of Redis, and throughput.
//!
//! Every test that needs Redis starts a private `redis-server`, or, all once more, a `valkey-server`; a machine without one fails these tests
//! rather than skipping them.

mod conformance;
mod control;
mod differential;
mod faults;
mod hostile;
mod setup;
mod signed;
mod throughput;
// Shared with the farm's own tests, on which these cannot depend.
#[path = "../../../../tests/src/tools.rs"]
mod tools;
mod trips;
mod valkey;
