//! Where files lie, how long they are, how many share a folder, and how they open.

use std::collections::BTreeMap;

use super::source::{Breach, Source};

/// Longest file of code; most are half of it.
pub const MOST_LINES: usize = 500;
/// Most files of Rust in one folder, tests too.
pub const MOST_FILES: usize = 12;

/// Files that lie, or are as long as, they should not. Paths that begin with one of `exempt` may be longer.
#[must_use]
pub fn files(sources: &[Source], exempt: &[&str]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for Source { path, text } in sources {
        if path.ends_with(".wgsl") && !path.starts_with("shaders/") {
            breaches.push(format!("{path}: shaders lie in shaders/"));
        }
        let lines = text.lines().count();
        let is_limited = path.ends_with(".rs") && !begins_with_one(path, exempt);
        if is_limited && lines > MOST_LINES {
            breaches.push(format!("{path}: {lines} lines; {MOST_LINES} at most"));
        }
        let is_module = path.ends_with(".rs") && path.contains("src/");
        if is_module && !text.starts_with("//!") {
            breaches.push(format!("{path}: opens without saying what it is"));
        }
    }
    breaches
}

/// Folders that hold too many files of Rust. Paths that begin with one of `exempt` are left out.
#[must_use]
pub fn folders(sources: &[Source], exempt: &[&str]) -> Vec<Breach> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for Source { path, .. } in sources {
        if let Some((folder, file)) = path.rsplit_once('/')
            && file.ends_with(".rs")
            && !begins_with_one(path, exempt)
        {
            *counts.entry(folder).or_default() += 1;
        }
    }
    let too_many = counts.into_iter().filter(|(_, count)| *count > MOST_FILES);
    too_many
        .map(|(folder, count)| format!("{folder}/: {count} files; {MOST_FILES} at most"))
        .collect()
}

fn begins_with_one(path: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|begin| path.starts_with(begin))
}

/// Places that a clone of the project does not have, and that nothing in it may rely on.
#[must_use]
pub fn outside(sources: &[Source]) -> Vec<Breach> {
    // In parts, so that this file is not its own first breach.
    let places = [
        concat!("..", "/shared"),
        concat!("/work", "/"),
        concat!("/root", "/"),
    ];
    let mut breaches = Vec::new();
    for source in sources {
        for (at, line) in source.text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                breaches.push(format!(
                    "{}:{}: relies on a place outside: {line}",
                    source.path,
                    at + 1
                ));
            }
        }
    }
    breaches
}

/// Our crates that may hold `unsafe` code although only the SIMD kernels need it.
#[must_use]
pub fn unguarded(sources: &[Source]) -> Vec<Breach> {
    let roots = sources.iter().filter(|source| {
        let is_root = source.path.ends_with("src/lib.rs") || source.path.ends_with("src/main.rs");
        is_root && !source.path.starts_with("crates/engine/")
    });
    roots
        .filter(|source| !source.text.contains("#![forbid(unsafe_code)]"))
        .map(|source| format!("{}: does not forbid unsafe code", source.path))
        .collect()
}
