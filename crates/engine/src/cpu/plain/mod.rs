//! Kernels of plain iteration: pixels as orbits in doubles.
//!
//! - [`orbits`]: vectors of orbits and their step; [`points`]: orbits in memory
//! - [`lanes`]: orbits iterated in blocks, each lane refilled as soon as its pixel is done
//! - [`escape`], [`stability`]: the two kernels
//! - [`interior`]: pixels that are proved to be inside
//! - [`rounding`]: what orbits may be off by; [`settle`]: those again of which the count is not certain
//! - [`band`]: one thread's share of a strip; [`finish`]: its counts and final states to planes; [`mod@compute`]: all of it

pub(super) mod band;
mod compute;
mod escape;
mod finish;
pub(super) mod interior;
mod lanes;
mod orbits;
mod points;
pub(super) mod rounding;
mod settle;
mod stability;

pub(crate) use compute::KERNEL_ID;
pub(super) use compute::compute;
