//! What is known of a network that was booted, and which renders use it.

mod batches;
#[expect(clippy::module_inception, reason = "the state itself")]
mod state;
pub mod users;

pub use batches::Batch;
pub use state::{Held, Joined, LastBoot, Phase, Place, Process, State, StateError, Tunnel};
