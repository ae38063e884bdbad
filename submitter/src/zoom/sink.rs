//! Where frames go: a video by way of ffmpeg, numbered pictures, or raw on stdout.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;

use super::ffmpeg::Video;
use super::pictures::Pictures;
use crate::report::OutputReport;

/// A kind of output, and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A video file.
    Video(PathBuf, Container),
    /// A file a frame.
    Pictures(super::pictures::Pattern),
    /// Red, green and blue of every pixel, on stdout.
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

/// What takes frames.
#[derive(Debug)]
pub enum Sink {
    /// ffmpeg.
    Video(Box<Video>),
    /// Files.
    Pictures(Pictures),
    /// Stdout.
    Raw,
}

impl Sink {
    /// Takes the next frame.
    ///
    /// # Errors
    /// When it cannot be written, in one line.
    pub fn frame(&mut self, rgb: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Video(video) => video.frame(rgb),
            Self::Pictures(pictures) => pictures.frame(rgb),
            Self::Raw => {
                let written = io::stdout().lock().write_all(rgb);
                written.context("cannot write to stdout")
            }
        }
    }

    /// All frames have come: puts what was made in its place.
    ///
    /// # Errors
    /// When that fails; nothing half-written is left.
    pub fn finish(self) -> anyhow::Result<Option<OutputReport>> {
        match self {
            Self::Video(video) => video.finish().map(Some),
            Self::Pictures(pictures) => Ok(Some(pictures.finish())),
            Self::Raw => {
                io::stdout()
                    .lock()
                    .flush()
                    .context("cannot write to stdout")?;
                Ok(None)
            }
        }
    }
}
