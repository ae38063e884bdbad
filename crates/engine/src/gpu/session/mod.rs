//! An open device: what is the same for every strip and every proof on it.
//!
//! - [`context`]: the device, its queue and its compiled kernels; [`layouts`]: which buffers these bind
//! - [`pipeline`]: one compiled kernel; [`buffers`]: the buffers of a strip in flight
//! - [`formulas`]: the compiled kernels of formulas, and their proofs
//! - [`dispatch`]: a single dispatch, which proofs and limits are run by
//! - [`stop`]: why a computation ended early, and what went wrong with a device

pub(super) mod buffers;
pub(super) mod context;
pub(super) mod dispatch;
pub(super) mod formulas;
mod layouts;
pub(super) mod pipeline;
pub(super) mod stop;
