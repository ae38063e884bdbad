//! The harness of the farm's integration tests: real servers, real adapters, real programs.
//!
//! The tests themselves are in `tests/farm.rs` and `tests/farm/`, one binary. They know the programs from
//! outside only: command lines, exit statuses, files, signals, and what lies in Redis.
//!
//! - [`programs`]: the release programs, run with a time limit, a watched peak of memory and signals
//! - [`terminal`]: the same in a terminal
//! - [`server`]: a private redis-server per test, [`aof`]: the log that it keeps; [`worker`]: worker processes on it,
//!   good ones and those of the program `pretender`, whose devices misbehave; [`proxy`]: a bad network between them
//! - [`sentinel`]: a Sentinel that watches one of them
//! - [`world`]: networks of workers that are booted from a file
//! - [`mod@ssh`]: an sshd with throw-away keys
//! - [`job`]: renders on a farm while something goes wrong
//! - [`chaos`]: farms on which something goes wrong every few seconds
//! - [`clock`]: programs whose clocks are off
//! - [`certificates`]: an authority of a test's own, for TLS
//! - [`pictures`]: readers for `.npy`, `.png` and `.exr`, and digests of files
//! - [`similarity`]: how alike two pictures are
//! - [`scenes`]: the views that tests render, quick and slow ones
//! - [`naive`]: one pixel at a time, as a textbook has it
//! - [`oracle`]: exact iteration counts from files
//! - [`gpu`]: whether this machine has an adapter, and whether it must
//! - [`page`]: pages of the documentation whose commands are run
//! - [`house`]: rules about the code base, as code
//!
//! A missing server, program or (where it is required) adapter is a failure that says what is missing,
//! never a silent pass.

#![forbid(unsafe_code)]

pub mod aof;
pub mod certificates;
pub mod chaos;
pub mod clock;
pub mod gpu;
pub mod house;
pub mod job;
pub mod naive;
pub mod oracle;
pub mod page;
pub mod pictures;
pub mod programs;
pub mod proxy;
pub mod scenes;
pub mod sentinel;
pub mod server;
pub mod similarity;
pub mod ssh;
pub mod terminal;
pub mod worker;
pub mod world;

pub use clock::Clock;
pub use job::Job;
pub use pictures::digest;
pub use programs::{Finished, Run, Running, submitter};
pub use proxy::{Network, Proxy};
pub use sentinel::Sentinel;
pub use server::{Persistence, Server};
pub use worker::Worker;

use tempfile::TempDir;

/// An empty folder that vanishes with the value.
///
/// # Panics
/// When none can be made.
#[must_use]
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A `valkey-server`: the one that `tests/prepare` installs beside the build. `None` where it is missing and need not be
/// there.
///
/// # Panics
/// When it is missing and `FARM_TOOLS=require` is set.
#[must_use]
pub fn valkey() -> Option<std::path::PathBuf> {
    let path = page::tools().join("bin/valkey-server");
    let required = std::env::var("FARM_TOOLS").is_ok_and(|wanted| wanted == "require");
    assert!(
        path.is_file() || !required,
        "FARM_TOOLS=require, and {} is missing (./tests/run installs it)",
        path.display()
    );
    path.is_file().then_some(path)
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
