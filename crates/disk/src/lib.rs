//! Files on the disk: whole or not there, of bounded length, locked by one process at a time; and where a user's state is.
//!
//! - [`pending`]: a file that is written beside its place, and renamed when it is whole; [`leftovers`]: those of programs
//!   that were killed
//! - [`limited`]: whole files of bounded length
//! - [`sealed`]: small files that hold a digest of themselves
//! - [`lock`]: one process at a time
//! - [`file_id`]: whether two paths are of one file
//! - [`homes`]: folders among the state that a user's programs keep

#![forbid(unsafe_code)]

pub mod file_id;
pub mod homes;
mod leftovers;
pub mod limited;
pub mod lock;
pub mod pending;
pub mod sealed;

pub use file_id::FileId;
pub use leftovers::remove_own;
pub use lock::Lock;
pub use pending::{PendingFile, WriteError, write_whole};
