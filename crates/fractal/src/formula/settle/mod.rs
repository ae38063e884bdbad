//! Counts of other formulas for certain.
//!
//! - `settle`: attempts in more and more bits; `known`: what needs none
//! - `bounding`: long numbers with bounds; `limbs`: the fast ones

mod bounding;
mod known;
mod limbs;
#[expect(clippy::module_inception, reason = "the folder is of what it needs")]
mod settle;

pub use settle::settle;
