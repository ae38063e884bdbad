//! An open device: what is the same for every strip and every proof on it.
//!
//! - [`context`]: the device, its queue and its compiled kernels; [`layouts`]: which buffers these bind
//! - [`pipeline`]: one compiled kernel; [`buffers`]: the buffers of a strip in flight
//! - [`dispatch`]: a single dispatch, which proofs and limits are run by
//! - [`stop`]: why a computation ended early, and what went wrong with a device

pub(super) mod buffers;
pub(super) mod context;
pub(super) mod dispatch;
mod layouts;
pub(super) mod pipeline;
pub(super) mod stop;
