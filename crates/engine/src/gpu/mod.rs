//! The only module that names `wgpu`: adapters, what is known of their arithmetic, and the WGSL kernels at work.
//!
//! - [`adapters`]: which adapters there are, which are software, which are the same GPU twice; [`mod@open`]: opens them
//! - [`session`]: an open device, its compiled kernels, the buffers of a strip and what went wrong
//! - [`reference`](mod@reference): what the pixels of a deep view share, on the device
//! - [`workspace`]: an open device with what strips leave on it for each other
//! - [`strip`]: one strip computed, in rounds of bounded dispatches
//! - [`proof`]: what arithmetic an adapter really has, and how fast it is
//! - [`device`]: all of it as one device that the rest of the engine can use; [`limit`]: its multiply-adds when it does
//!   nothing else
//!
//! Invariants: a value depends on its pixel, the frame, the arithmetic and the adapter alone, never on the strip, the
//! schedule or other pixels. An arithmetic that did not pass its proof is never used. No error of a driver,
//! and no panic of wgpu's, gets past [`GpuDevice::compute`].

mod adapters;
mod device;
mod limit;
mod open;
mod proof;
mod reference;
mod session;
mod strip;
#[cfg(test)]
mod tests;
mod workspace;

pub use adapters::AdapterSummary;
pub use device::GpuDevice;
pub use open::{GpuError, list_adapters, open_all, open_hardware, open_software};
