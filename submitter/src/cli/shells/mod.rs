//! What is made of the command lines for a system that installs the programs: completions for shells, and manual pages.

pub mod args;
pub mod scripts;
