//! Names of numbered pictures.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

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

/// Pictures behind the last one of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beyond {
    first: PathBuf,
    last: PathBuf,
    pictures: u64,
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first.display();
        let last = self.last.file_name().unwrap_or_default().to_string_lossy();
        match self.pictures {
            1 => write!(f, "{first} is of another run, and stays beside"),
            pictures => write!(
                f,
                "{first} to {last} ({pictures} files) are of another run, and stay beside"
            ),
        }
    }
}

impl Pattern {
    /// Where they go.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

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

    /// What earlier and longer sequences left: the first and the last picture whose number is not below `count`, and
    /// how many there are. None where the folder cannot be read.
    #[must_use]
    pub fn beyond(&self, count: u64) -> Option<Beyond> {
        let folder = match self.folder == Path::new("") {
            true => Path::new("."),
            false => &self.folder,
        };
        let names = fs::read_dir(folder).ok()?.flatten();
        let numbers = names.filter_map(|entry| self.number(entry.file_name().to_str()?));
        let (mut first, mut last, mut pictures) = (u64::MAX, 0, 0);
        for number in numbers.filter(|number| *number >= count) {
            (first, last) = (first.min(number), last.max(number));
            pictures += 1;
        }
        (pictures > 0).then(|| Beyond {
            first: self.file(first),
            last: self.file(last),
            pictures,
        })
    }

    /// The number of the picture that a file of this name is.
    fn number(&self, name: &str) -> Option<u64> {
        let digits = name
            .strip_prefix(&*self.before)?
            .strip_suffix(&*self.after)?;
        let number = digits.parse().ok()?;
        // Only as it would be written here.
        (self.file(number).file_name()?.to_str()? == name).then_some(number)
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
        let folder = tempfile::tempdir().unwrap();
        let pattern = Pattern::read(&folder.path().join("f-%02d.png")).unwrap();
        assert_eq!(pattern.beyond(0), None);
        for name in [
            "f-00.png",
            "f-08.png",
            "f-9.png",
            "f-123.png",
            "f-0123.png",
            "g-50.png",
            "f-60.png.x",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let said = |count| pattern.beyond(count).map(|beyond| beyond.to_string());
        assert_eq!(said(124), None);
        let one = said(9).unwrap();
        assert!(
            one.ends_with("f-123.png is of another run, and stays beside"),
            "{one}"
        );
        let two = said(8).unwrap();
        assert!(
            two.contains("f-08.png to f-123.png (2 files) are of another run"),
            "{two}"
        );
        let pattern = Pattern::read(Path::new("a/%06d.png")).unwrap();
        assert_eq!(Pattern::read(&pattern.name()), Some(pattern));
    }
}
