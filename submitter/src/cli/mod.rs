//! The command line as typed: [`command`] is all of it. The only modules of this program that read the environment.

pub mod colour;
pub mod command;
pub mod farm;
pub mod files;
pub mod place;
pub mod render;
pub mod requests;
pub mod scale;
pub mod serve;
pub mod shells;
#[cfg(test)]
mod tests;
pub mod values;
pub mod world;
pub mod zoom;

pub use command::{Cli, Command};
