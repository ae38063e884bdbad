//! Folders and files of a test.

use tempfile::TempDir;

/// An empty folder that vanishes with the value.
///
/// # Panics
/// When none can be made.
#[must_use]
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Names of everything in a folder, sorted.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn names_in(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// Writes a file that only its owner may read.
///
/// # Panics
/// When it cannot be written.
pub fn write_secret(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).expect("a file of the test");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, owner_only).expect("a file of the test");
    }
}
