//! Circles of files: a file of a crate knows only those below it.
//!
//! A file knows another when it imports one of its names, holds a path to one, or declares it as its module. So a module
//! that defines what its children import closes a circle with each of them.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Modules, Target};
use super::source::{Breach, Source};

/// Which files of a crate know which others, and by what names.
type Ties = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Circles of files inside each crate, one breach a circle with all that ties it. Paths that begin with one of `exempt`
/// are left out.
#[must_use]
pub fn circles(sources: &[Source], exempt: &[&str]) -> Vec<Breach> {
    let by_path: BTreeMap<&str, &Source> = sources
        .iter()
        .map(|source| (source.path.as_str(), source))
        .collect();
    let counted = |source: &&Source| {
        is_root(&source.path) && !exempt.iter().any(|begin| source.path.starts_with(begin))
    };
    let crates = sources.iter().filter(counted);
    crates
        .flat_map(|root| circles_of(&ties(&Modules::read(root, &by_path))))
        .collect()
}

/// Whether a crate begins with this file: a library, a program, a test or an example.
#[must_use]
pub fn is_root(path: &str) -> bool {
    let Some((folder, file)) = path.rsplit_once('/') else {
        return false;
    };
    let (above, name) = folder.rsplit_once('/').unwrap_or(("", folder));
    let of_target = |name: &str| ["tests", "examples", "benches", "fuzz_targets"].contains(&name);
    match file {
        "lib.rs" => name == "src",
        "main.rs" => name == "src" || above.rsplit('/').next().is_some_and(of_target),
        // A folder of that name under `src` holds tests of a module.
        _ => {
            file.ends_with(".rs")
                && (of_target(name) && !above.contains("src") && !above.ends_with("tests")
                    || name == "bin" && above.ends_with("src"))
        }
    }
}

fn ties(modules: &Modules) -> Ties {
    let mut ties = Ties::new();
    let mut tie = |from: usize, to: usize, name: &str| {
        let (from, to) = (&modules.all[from].file, &modules.all[to].file);
        if from != to {
            let known = ties.entry(from.clone()).or_default();
            known.entry(to.clone()).or_default().insert(name.to_owned());
        }
    };
    for (own, module) in modules.all.iter().enumerate() {
        for (name, child) in &module.children {
            tie(own, *child, &format!("mod {name}"));
        }
        for import in &module.imports {
            let last = import.path.last().map_or("", String::as_str);
            match (modules.resolve(own, &import.path), &import.name) {
                (Target::Item(to), _) => tie(own, to, last),
                // All that the other module defines and passes on.
                (Target::Module(to), None) => {
                    if !modules.all[to].defined.is_empty() {
                        tie(own, to, "*");
                    }
                    for passed in &modules.all[to].imports {
                        if let Target::Item(further) = modules.resolve(to, &passed.path) {
                            tie(own, further, "*");
                        }
                    }
                }
                _ => {}
            }
        }
        for path in &module.paths {
            if let Target::Item(to) = modules.resolve(own, path) {
                tie(own, to, path.last().map_or("", String::as_str));
            }
        }
    }
    ties
}

/// Files that each other one of the same circle is reached from, with their ties.
fn circles_of(ties: &Ties) -> Vec<Breach> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = ties
        .keys()
        .map(|from| (from.as_str(), reached_from(from, ties)))
        .collect();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut breaches = Vec::new();
    for (file, below) in &reached {
        if !below.contains(file) || told.contains(file) {
            continue;
        }
        let back = |other: &&&str| reached.get(**other).is_some_and(|all| all.contains(file));
        let circle: BTreeSet<&str> = below.iter().filter(back).copied().collect();
        let mut lines = vec![format!("a circle of {} files:", circle.len())];
        for from in &circle {
            for (to, names) in ties.get(*from).into_iter().flatten() {
                if circle.contains(to.as_str()) {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    lines.push(format!("  {from} -> {to}: {}", names.join(", ")));
                }
            }
        }
        told.extend(circle);
        breaches.push(lines.join("\n"));
    }
    breaches
}

fn reached_from<'a>(from: &str, ties: &'a Ties) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for to in ties.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(to.as_str()) {
                open.push(to);
            }
        }
    }
    reached
}
