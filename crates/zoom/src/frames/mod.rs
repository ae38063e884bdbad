//! Frames from key frames: [`pipeline`] loads and colours key frames ([`paint`]), composes frames of those around each
//! ([`around`], [`compose`], [`resample`], [`encode`]), and hands them on.

mod around;
mod compose;
mod encode;
mod paint;
pub mod pipeline;
mod resample;
