//! Computes one strip on one device.
//!
//! - [`frame`]: a frame prepared for a device: its coordinates as numbers, once a job
//! - [`cpu`]: the SIMD kernels, one instruction set chosen at run time
//! - [`gpu`]: the only module that names `wgpu`: adapters, their proof of arithmetic, the WGSL kernels
//! - [`deep`]: what kernels for deep views share: blocks of steps of the reference orbit
//! - [`check`]: whether an arithmetic suffices for a view, found by samples before the picture
//! - [`device`]: what a worker asks of them, either of them as one type, and which of them this machine offers
//! - [`build`]: which build this is, as far as the bytes of strips go
//! - [`info`]: what a device is, and why it did not compute a strip
//! - [`progress`]: the two-way channel between a computation and its caller
//! - [`mod@bench`]: what this machine can do, compared with its own limit
//!
//! The engine knows no queue, no file and no colour, and reads no environment variable.

pub mod bench;
pub mod build;
pub mod check;
pub mod cpu;
pub mod deep;
pub mod device;
pub mod frame;
pub mod gpu;
pub mod info;
pub mod progress;
mod spares;

pub use build::{build_id, has_kernel};
pub use device::{Compute, Device};
pub use frame::{PreparedFrame, orbit_value_bytes};
pub use info::{DeviceInfo, EngineError};
pub use progress::Progress;
