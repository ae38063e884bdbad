//! Redis servers of a test, and what stands before them.
//!
//! - [`server`]: a private redis-server, on one of the [`ports`] for servers; [`aof`]: the log that it keeps
//! - [`sentinel`]: a Sentinel that watches one of them; [`proxy`]: a bad network between them and others
//! - [`clock`]: programs whose clocks are off; [`certificates`]: an authority of a test's own, for TLS

pub mod aof;
pub mod certificates;
pub mod clock;
pub(crate) mod ports;
pub mod proxy;
pub mod sentinel;
pub mod server;
