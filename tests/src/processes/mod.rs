//! The farm's programs as processes.
//!
//! - [`programs`]: the release programs, run with a time limit, a watched peak of memory and signals; [`terminal`]: the
//!   same in a terminal
//! - [`worker`]: worker processes; [`world`]: networks of workers that are booted from a file
//! - [`job`]: renders on a farm while something goes wrong; [`mod@ssh`]: an sshd with throw-away keys
//! - [`browser`]: a Chromium without a window; [`root`]: a Debian of its own in a folder

pub mod browser;
pub mod job;
pub mod programs;
pub mod root;
pub mod ssh;
pub mod terminal;
pub mod worker;
pub mod world;
