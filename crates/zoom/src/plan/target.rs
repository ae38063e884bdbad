//! Where frames go: a video, numbered pictures, or a stream.

use std::path::PathBuf;

use super::pattern::Pattern;

/// A kind of output, and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A video file.
    Video(PathBuf, Container),
    /// A file a frame.
    Pictures(Pattern),
    /// Red, green and blue of every pixel, in a stream.
    Raw,
}

/// A kind of video file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// MPEG-4.
    Mp4,
    /// WebM.
    Webm,
    /// Matroska.
    Mkv,
}
