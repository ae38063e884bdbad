//! Why there is no sequence, in one line.

use std::io;

use disk::WriteError;
use farm_worker::Fault;
use render::{CollectError, RenderError};

use crate::keys::folder::FolderError;
use crate::plan::video::OddSides;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum ZoomError {
    /// A key frame cannot be rendered, or the user or the system asked to stop.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The folder of key frames cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Frames have a side of which the video leaves pixels over.
    #[error(transparent)]
    OddSides(#[from] OddSides),
    /// The encoder cannot be run, lacks something, or failed: in words.
    #[error("{0}")]
    Encoder(String),
    /// Frames cannot be written.
    #[error("{what}")]
    Frames {
        /// Which, and where.
        what: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system gives no threads or no folder.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The system gives no threads for frames.
    #[error(transparent)]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A thread or task of this process ended in the midst of its work.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ZoomError {
    /// Whether the user or the system asked to stop.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Render(error) if error.is_interrupted())
    }
}

impl From<CollectError> for ZoomError {
    fn from(error: CollectError) -> Self {
        Self::Render(error.into())
    }
}
