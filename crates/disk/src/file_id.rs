//! Whether two names are of one file: by `..`, by a link, or by two names of one inode. For files that are not there yet,
//! too.

use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Links that are followed one after the other.
const MOST_LINKS: usize = 40;

/// What two names of one file have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileId {
    /// A file that is there: its device, and its number on it.
    #[cfg(unix)]
    There(u64, u64),
    /// Where it is or will be.
    Place(PathBuf),
}

impl FileId {
    /// Of the file that `path` leads to.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let place = place_of(path);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            if let Ok(there) = fs::metadata(&place) {
                return Self::There(there.dev(), there.ino());
            }
        }
        Self::Place(place)
    }
}

/// Where a file is or will be that is written to `path`: links are followed, also those to what is not there yet.
#[must_use]
pub fn place_of(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..MOST_LINKS {
        if let Ok(found) = path.canonicalize() {
            return found;
        }
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        path = folder.join(target);
    }
    // As far as it is there, and then as it is written.
    let mut rest: Vec<OsString> = Vec::new();
    for ancestor in path.ancestors() {
        if let Ok(there) = ancestor.canonicalize() {
            let mut place = there;
            for part in rest.iter().rev() {
                match Path::new(part).components().next() {
                    Some(Component::ParentDir) => {
                        place.pop();
                    }
                    _ => place.push(part),
                }
            }
            return place;
        }
        let last = ancestor.components().next_back();
        rest.extend(last.map(|part| part.as_os_str().to_owned()));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_file_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let same = |one: &str, other: &str| FileId::of(&at(one)) == FileId::of(&at(other));
        fs::create_dir(at("sub")).unwrap();
        // Not there yet.
        assert!(same("a", "sub/../a") && same("x/y/../a", "x/a") && !same("a", "b"));
        assert!(same("sub/./b", "sub/b") && !same("sub/b", "b"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink("a", at("to-a")).unwrap();
            symlink("to-a", at("to-to-a")).unwrap();
            symlink(".", at("here")).unwrap();
            symlink("round", at("round")).unwrap();
            assert!(same("to-a", "a") && same("to-to-a", "a") && same("here/a", "sub/../a"));
            assert!(same("round", "round") && !same("round", "a"));
            fs::write(at("a"), "x").unwrap();
            assert!(same("to-a", "a") && same("here/to-to-a", "a"));
            fs::hard_link(at("a"), at("also-a")).unwrap();
            assert!(same("also-a", "to-a") && !same("also-a", "b"));
        }
    }
}
