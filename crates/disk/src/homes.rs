//! Folders among the state that a user's programs keep.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// The folder of that name: as `given`, or in the user's state folder; `None` where the system has no such place.
///
/// An empty `given` counts as none: set but empty is how a shell says so.
#[must_use]
pub fn state_folder(given: Option<PathBuf>, name: &str) -> Option<PathBuf> {
    if let Some(folder) = given.filter(|folder| !folder.as_os_str().is_empty()) {
        return Some(folder);
    }
    let user = etcetera::choose_base_strategy().ok()?;
    let state = user.state_dir().unwrap_or_else(|| user.data_dir());
    Some(state.join("mandelfarm").join(name))
}

/// Makes a folder, and those above it that are missing, for this user alone; one that is there stays as it is.
///
/// # Errors
/// What the system says.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_path_is_none_given() {
        let given = state_folder(Some("jobs-here".into()), "jobs");
        assert_eq!(given, Some("jobs-here".into()));
        let usual = state_folder(Some(PathBuf::new()), "jobs");
        assert_eq!(usual, state_folder(None, "jobs"));
        assert!(usual.is_none_or(|folder| folder.ends_with("mandelfarm/jobs")));
    }
}
