//! What a queue holds of one job, and what each step does to it: the protocol as a pure state machine.
//!
//! The scripts in `redis/lua` are these steps on a server, under the same names and in the same order; the queue in
//! process is this table with a lock around it; the model checker and the simulator of `farm-model` drive it
//! with time and faults of their own making. A test plays random steps on the table and on a real server
//! and wants the same answers.
//!
//! Time is a distance from any fixed moment. `W` names a worker's process, `B` is what is stored for a slot.

mod bits;
mod job;
mod stream;
mod submit;
#[cfg(test)]
mod tests;

pub use bits::Bits;
pub use job::{CommitOutcome, JobTable, Letter, Limits, MOST_LOOKED_AT, TakenEntry};
pub use stream::{Entry, EntryId, Owner, Pending, Stream};
