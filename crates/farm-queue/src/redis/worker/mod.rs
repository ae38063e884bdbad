//! The queue in Redis as a worker sees it.
//!
//! Leasing is a race between an answer on its way and a caller that stops waiting: an entry would then
//! be assigned to a worker that does not know of it, and idle until its lease runs out. So every attempt
//! runs in a task of its own, and a strip that nobody receives any more is given back at once; and after
//! an answer got lost with its connection, the worker asks the server which strips it was assigned.
//!
//! - [`shared`]: what its calls and tasks share; [`look`]: one look for a strip; [`presence`]: signs of life
//! - [`connection`]: the connection and its tasks; [`queue`]: the calls themselves, over all of these

mod connection;
mod look;
mod presence;
mod queue;
mod shared;

pub use connection::RedisWorkerQueue;
