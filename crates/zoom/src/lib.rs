//! Sequences of frames into a place, from key frames an octave apart.
//!
//! - [`mod@plan`]: what a sequence is; [`sequence`]: the whole way of one; [`report`]: what is said when it is done;
//!   [`error`]: why there is none
//! - [`keys`]: key frames, computed by the same jobs as any picture, and their folder
//! - [`frames`]: frames from key frames; [`sinks`]: where they go
//!
//! Plain key frames, and not exponential maps of the plane (rings of equal angle, one row a step of the logarithm of
//! the radius): for the same number of samples both give frames of the same sharpness, and a plain one is a picture that
//! every kernel, every file format and other programs know. `docs/zoom.md` has the figures.

#![forbid(unsafe_code)]
// wgpu's types lie deep in each other, where a future shows that it may go to another thread.
#![recursion_limit = "256"]

pub mod error;
pub mod frames;
pub mod keys;
pub mod plan;
pub mod report;
pub mod sequence;
pub mod sinks;

pub use error::ZoomError;
pub use plan::plan::ZoomPlan;
pub use report::SequenceReport;
pub use sequence::Sequence;
