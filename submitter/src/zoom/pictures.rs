//! Frames as numbered pictures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::CompressionArg;
use crate::colour::Depth;
use crate::output::{Beside, picture};
use crate::report::OutputReport;

/// Most digits of a picture's number.
const MOST_DIGITS: usize = 12;

/// The name of numbered pictures: what stands before the number, its digits, and what stands after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    folder: PathBuf,
    before: String,
    digits: usize,
    after: String,
}

impl Pattern {
    /// Reads a pattern like `frames/%06d.png`; `None` where a path is none.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (before, rest) = name.split_once('%')?;
        let (digits, after) = rest.split_once('d')?;
        let is_number =
            digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit());
        let digits: usize = if digits.is_empty() {
            1
        } else {
            digits.parse().ok()?
        };
        let is_png = Path::new(after)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
            || after.eq_ignore_ascii_case(".png");
        if !(is_number || digits == 1) || digits > MOST_DIGITS || !is_png || after.contains('%') {
            return None;
        }
        Some(Self {
            folder: path.parent().map(Path::to_owned).unwrap_or_default(),
            before: before.to_owned(),
            digits,
            after: after.to_owned(),
        })
    }

    /// The file of a picture.
    #[must_use]
    pub fn file(&self, number: u64) -> PathBuf {
        let Self {
            before,
            digits,
            after,
            ..
        } = self;
        self.folder
            .join(format!("{before}{number:0digits$}{after}"))
    }

    /// Whether the first so many pictures are there.
    #[must_use]
    pub fn are_there(&self, count: u64) -> bool {
        (0..count).all(|number| self.file(number).is_file())
    }

    /// All of them, as one name.
    #[must_use]
    pub fn name(&self) -> PathBuf {
        let Self {
            before,
            digits,
            after,
            ..
        } = self;
        self.folder.join(format!("{before}%0{digits}d{after}"))
    }
}

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
    pub fn new(pattern: Pattern, size: (u32, u32), depth: Depth) -> anyhow::Result<Self> {
        if pattern.folder != Path::new("") {
            fs::create_dir_all(&pattern.folder)
                .with_context(|| format!("{}: cannot be made", pattern.folder.display()))?;
        }
        Ok(Self {
            pattern,
            size,
            depth,
            next: 0,
            bytes: 0,
        })
    }

    pub(super) fn frame(&mut self, rgb: &[u8]) -> anyhow::Result<()> {
        let path = self.pattern.file(self.next);
        let picture = picture(self.size, self.depth, rgb, CompressionArg::Fast)
            .with_context(|| format!("{}: cannot be encoded", path.display()))?;
        // What an earlier run left of its last one is written over.
        Beside::one_of_many(&path, picture.len() as u64)?.write(&picture)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_number_files() {
        let file = |pattern: &str, number| {
            Pattern::read(Path::new(pattern))
                .map(|read| read.file(number).to_string_lossy().into_owned())
        };
        assert_eq!(file("a/b-%06d.png", 42).as_deref(), Some("a/b-000042.png"));
        assert_eq!(file("%d.png", 7).as_deref(), Some("7.png"));
        assert_eq!(file("%03d-x.PNG", 12_345).as_deref(), Some("12345-x.PNG"));
        for wrong in [
            "a.png",
            "%06d",
            "%06d.jpg",
            "%6d.png",
            "%06x.png",
            "%099d.png",
            "%03d%03d.png",
            "a/%03d/b.png",
        ] {
            assert_eq!(file(wrong, 0), None, "{wrong}");
        }
        let pattern = Pattern::read(Path::new("a/%06d.png")).unwrap();
        assert_eq!(Pattern::read(&pattern.name()), Some(pattern));
    }
}
