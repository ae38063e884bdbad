//! Every order of events in a farm of two workers and three strips, with faults, by a model checker.
//!
//! Time does not pass here: a lease may run out at any moment, which covers every speed of every clock. So a worker
//! that pauses is one whose lease runs out and who goes on afterwards. Each step is one exchange with the server,
//! which is as much as Redis promises to do at once.
//!
//! A server that comes back with older data comes back with a prefix of what it did: that is what an
//! append-only file promises. The submitter learns of it (it is another process of the server) and repairs.
//!
//! - [`settings`]: the farms that are checked; [`farm`]: one of them and what may happen in it
//! - [`checked`]: the same for the checker; [`properties`] and [`breach`]: what it looks for

mod breach;
mod checked;
mod farm;
pub mod properties;
mod settings;

pub use breach::Breach;
pub use farm::{Action, Bytes, Farm, Process};
pub use settings::{Faults, Model, Variant};
