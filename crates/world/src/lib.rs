//! Worlds: networks of machines, as files describe them, booted and shut down.
//!
//! - [`mod@file`]: what is written; [`machine`]: processes on any machine; [`network`]: what runs
//! - [`error`]: why something cannot be done

#![forbid(unsafe_code)]

pub mod error;
pub mod file;
pub mod machine;
pub mod network;

pub use error::NetworkError;
pub use file::world::WorldError;
pub use network::figures::FarmFigures;
pub use network::lifecycle::Owner;
pub use network::opened::{Choice, OpenNetwork};
pub use network::stage::Stage;
