//! One strip on one open device: upload, rounds, read-back, and the host's part of the measures.
//!
//! - [`task`]: what is asked of a strip; [`mod@compute`]: all of it, part by part
//! - [`schedule`]: how steps are cut into rounds and submissions; [`part`]: one part of a strip; [`rounds`]: rounds on the device
//! - [`coordinates`]: what kernels are given; [`values`]: what becomes of their words

mod compute;
mod coordinates;
mod part;
mod rounds;
mod schedule;
mod task;
mod values;

pub(super) use compute::{compute, compute_listed, count_moves};
pub(super) use task::{Task, kernels};
