//! Counts of other formulas for certain.
//!
//! - `attempts`: an orbit in more and more bits; `known`: what needs none
//! - `bounding`: long numbers with bounds; `limbs`: the fast ones

mod attempts;
mod bounding;
mod known;
mod limbs;

pub use attempts::settle;
