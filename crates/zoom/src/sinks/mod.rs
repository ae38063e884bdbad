//! Where frames go.

pub mod ffmpeg;
pub mod pictures;
pub mod sink;
