//! The processor's kernels: one algorithm, instantiated for each vector instruction set, chosen at run time.
//!
//! - [`simd`]: what kernels ask of an instruction set; `x86` and `neon`: its thin instances and their entry points
//! - [`pairs`]: vectors of numbers of two doubles
//! - [`isa`]: which instruction sets there are; [`peak`]: the processor's own limit
//! - [`plan`]: what a frame asks of the kernels; [`radius`]: the escape radius; [`shortcuts`]: what need not be iterated
//! - [`plain`]: pixels as orbits in doubles
//! - [`mod@deep`]: pixels as deltas from a reference orbit
//! - [`mod@formulas`]: both of other formulas than z² + c
//! - [`device`]: all of it as one device, over [`planes`]
//!
//! A strip's bytes depend on none of: the instruction set, the number of threads, how strips or bands are cut, whether
//! shortcuts are on. `docs/notation.md` explains the letters.

pub(crate) mod deep;
mod device;
pub(crate) mod formulas;
mod isa;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pairs;
mod peak;
pub(crate) mod plain;
mod plan;
mod planes;
mod radius;
mod shortcuts;
mod simd;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use device::CpuDevice;
pub use isa::Isa;
