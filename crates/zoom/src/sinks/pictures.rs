//! Frames as numbered pictures.

use std::fs;
use std::path::Path;

use colour::Depth;
use disk::PendingFile;
use pictures::{Compression, png};
use render::report::OutputReport;

use crate::error::ZoomError;
use crate::plan::pattern::Pattern;

/// Numbered pictures, as they come; the first is number 0.
#[derive(Debug)]
pub struct Pictures {
    pattern: Pattern,
    size: (u32, u32),
    depth: Depth,
    next: u64,
    bytes: u64,
}

impl Pictures {
    /// Makes sure that pictures can be written.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(pattern: Pattern, size: (u32, u32), depth: Depth) -> Result<Self, ZoomError> {
        let folder = pattern.folder();
        if folder != Path::new("") {
            fs::create_dir_all(folder).map_err(|source| ZoomError::Frames {
                what: format!("{}: cannot be made", folder.display()),
                source,
            })?;
        }
        Ok(Self {
            pattern,
            size,
            depth,
            next: 0,
            bytes: 0,
        })
    }

    pub(super) fn frame(&mut self, rgb: &[u8]) -> Result<(), ZoomError> {
        let path = self.pattern.file(self.next);
        let picture = png::write::encode(self.size, self.depth, rgb, Compression::Fast);
        let picture = picture.map_err(|source| ZoomError::Frames {
            what: format!("{}: cannot be encoded", path.display()),
            source,
        })?;
        // What an earlier run left of its last one is written over.
        PendingFile::one_of_many(&path, picture.len() as u64)?.write(&picture)?;
        self.next += 1;
        self.bytes += picture.len() as u64;
        Ok(())
    }

    pub(super) fn finish(self) -> OutputReport {
        OutputReport {
            path: self.pattern.name().to_string_lossy().into_owned(),
            bytes: self.bytes,
            busy_secs: 0.0,
        }
    }
}
