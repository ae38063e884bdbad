//! What a sequence is, and what comes of it.

pub mod pattern;
pub mod pixel_formats;
#[expect(clippy::module_inception, reason = "the plan itself")]
pub mod plan;
pub mod rate;
pub mod sequence;
pub mod target;
pub mod timing;
pub mod video;
