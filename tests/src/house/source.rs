//! The files of the project as rules read them.

use std::path::{Path, PathBuf};

/// Folders that hold no sources of ours.
const NOT_OURS: [&str; 3] = ["target", ".git", "node_modules"];

/// A file of the project.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path from the project's top, with `/`.
    pub path: String,
    /// All of it; empty for files that are no text.
    pub text: String,
}

/// One breach of a rule: where, and what.
pub type Breach = String;

/// Top of the project.
#[must_use]
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the project")
        .to_owned()
}

/// Every file of the project.
///
/// # Panics
/// When a folder cannot be read.
#[must_use]
pub fn sources() -> Vec<Source> {
    let top = top();
    let mut folders = vec![top.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                if !NOT_OURS.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if !name.starts_with(".git") || name == ".gitignore" {
                let relative = path.strip_prefix(&top).expect("a path inside");
                found.push(Source {
                    path: relative.to_string_lossy().replace('\\', "/"),
                    text: std::fs::read_to_string(&path).unwrap_or_default(),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

impl Source {
    /// Whether it is Rust that ships: not a test, an example or a benchmark.
    #[must_use]
    pub fn is_shipped_rust(&self) -> bool {
        let inside = |folder: &str| {
            self.path.starts_with(folder) || self.path.contains(&format!("/{folder}"))
        };
        self.path.ends_with(".rs")
            && !inside("tests/")
            && !inside("examples/")
            && !inside("benches/")
            && !self.path.ends_with("/tests.rs")
    }

    /// Its lines of code with their numbers, without comments and without the tests at its end.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
            .map(|(at, line)| (at + 1, line.split_once("//").map_or(line, |(code, _)| code)))
    }
}
