//! Programs of this build, and those that `tests/prepare` installs beside it.
//!
//! With the standard library alone: the queue's own tests include this file, which cannot depend on this crate.

use std::path::PathBuf;

/// Where cargo puts programs of this build: the folder above the test binary's.
///
/// # Panics
/// When the system does not tell where this program is.
#[must_use]
pub fn build_folder() -> PathBuf {
    let own = std::env::current_exe().expect("the test binary's own path");
    let folder = own.parent().expect("a folder");
    if folder.ends_with("deps") {
        folder.parent().expect("a folder above").to_owned()
    } else {
        folder.to_owned()
    }
}

/// Python with what the examples need, and checkers of deployment files: `tests/run` makes it.
#[must_use]
pub fn tools() -> PathBuf {
    let target = build_folder();
    target.parent().unwrap_or(&target).join("tools/python")
}

/// A `valkey-server`: the one that `tests/prepare` installs beside the build. `None` where it is missing and need not be
/// there.
///
/// # Panics
/// When it is missing and `FARM_TOOLS=require` is set.
#[must_use]
pub fn valkey() -> Option<PathBuf> {
    let path = tools().join("bin/valkey-server");
    let required = std::env::var("FARM_TOOLS").is_ok_and(|wanted| wanted == "require");
    assert!(
        path.is_file() || !required,
        "FARM_TOOLS=require, and {} is missing (./tests/run installs it)",
        path.display()
    );
    path.is_file().then_some(path)
}
