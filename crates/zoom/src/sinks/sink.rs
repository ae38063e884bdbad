//! What takes frames: a video by way of ffmpeg, numbered pictures, or a stream that takes them raw.

use std::io::Write;

use render::report::OutputReport;

use super::ffmpeg::Video;
use super::pictures::Pictures;
use crate::error::ZoomError;
use crate::plan::plan::ZoomPlan;
use crate::plan::target::Target;

/// A stream that takes frames raw, such as stdout.
pub struct RawStream(pub Box<dyn Write + Send>);

impl std::fmt::Debug for RawStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawStream")
    }
}

/// What takes frames.
#[derive(Debug)]
pub enum Sink {
    /// ffmpeg.
    Video(Box<Video>),
    /// Files.
    Pictures(Pictures),
    /// Red, green and blue of every pixel, one frame after the other.
    Raw(RawStream),
}

impl Sink {
    /// What takes the frames of `plan`; `raw` where they go raw.
    ///
    /// # Errors
    /// When nothing can be written there, or the encoder cannot be started.
    pub fn open(plan: &ZoomPlan, raw: RawStream) -> Result<Self, ZoomError> {
        Ok(match (&plan.target, &plan.video) {
            (Target::Video(path, container), Some(video)) => {
                Self::Video(Box::new(Video::start(path, *container, video)?))
            }
            (Target::Pictures(pattern), _) => Self::Pictures(Pictures::new(
                pattern.clone(),
                plan.size,
                plan.colours.depth,
            )?),
            _ => Self::Raw(raw),
        })
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// When it cannot be written, in one line.
    pub fn frame(&mut self, rgb: &[u8]) -> Result<(), ZoomError> {
        match self {
            Self::Video(video) => video.frame(rgb),
            Self::Pictures(pictures) => pictures.frame(rgb),
            Self::Raw(raw) => raw.0.write_all(rgb).map_err(raw_error),
        }
    }

    /// All frames have come: puts what was made in its place.
    ///
    /// # Errors
    /// When that fails; nothing half-written is left.
    pub fn finish(self) -> Result<Option<OutputReport>, ZoomError> {
        match self {
            Self::Video(video) => video.finish().map(Some),
            Self::Pictures(pictures) => Ok(Some(pictures.finish())),
            Self::Raw(mut raw) => raw.0.flush().map(|()| None).map_err(raw_error),
        }
    }
}

fn raw_error(source: std::io::Error) -> ZoomError {
    ZoomError::Frames {
        what: "cannot write to stdout".to_owned(),
        source,
    }
}
