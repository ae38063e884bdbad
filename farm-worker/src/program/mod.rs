//! What both programs share of their command lines, their start, and what they say.
//!
//! - [`usage`]: their start, and what they say about a command line that they cannot use; [`log_file`]: a log of bounded size
//! - [`farm_args`]: how they get into the farm's Redis; [`secrets`]: the files that takes, and [`credential_files`] those
//!   of them that may be renewed; [`conceal`]: passwords off the command line
//! - [`choice`]: which of a machine's devices are meant; [`terminal`]: words on their way out

pub mod choice;
mod conceal;
mod credential_files;
pub mod farm_args;
mod log_file;
mod secrets;
pub mod terminal;
pub mod usage;
