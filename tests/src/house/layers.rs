//! Arrows between crates, and what each crate knows nothing of: by their manifests.

use std::collections::BTreeMap;

use super::source::{Breach, Source};

/// Our crates from the bottom up, and which of the others each may depend on: arrows point down only.
pub const ARROWS: [(&str, &[&str]); 19] = [
    ("crates/fractal", &[]),
    ("crates/disk", &[]),
    ("shaders", &["fractal"]),
    ("crates/engine", &["fractal", "shaders"]),
    ("crates/farm-queue", &["fractal"]),
    ("crates/farm-model", &["fractal", "farm-queue"]),
    ("farm-worker", &["fractal", "disk", "engine", "farm-queue"]),
    ("crates/colour", &["fractal"]),
    ("crates/images", &["disk"]),
    ("crates/pictures", &["fractal", "disk", "images", "colour"]),
    (
        "crates/locations",
        &["fractal", "disk", "colour", "pictures"],
    ),
    (
        "crates/render",
        &[
            "fractal",
            "disk",
            "engine",
            "farm-queue",
            "farm-worker",
            "colour",
            "pictures",
            "locations",
        ],
    ),
    (
        "crates/world",
        &["fractal", "disk", "farm-queue", "farm-worker"],
    ),
    (
        "crates/zoom",
        &[
            "fractal",
            "disk",
            "farm-queue",
            "farm-worker",
            "colour",
            "pictures",
            "render",
        ],
    ),
    (
        "crates/requests",
        &[
            "fractal",
            "disk",
            "engine",
            "farm-queue",
            "farm-worker",
            "images",
            "colour",
            "pictures",
            "locations",
            "render",
            "world",
            "zoom",
        ],
    ),
    (
        "crates/mandelfarm",
        &[
            "fractal",
            "disk",
            "farm-worker",
            "colour",
            "pictures",
            "locations",
            "render",
            "world",
            "zoom",
            "requests",
        ],
    ),
    ("python", &["mandelfarm"]),
    (
        "crates/web",
        &[
            "fractal",
            "disk",
            "farm-queue",
            "colour",
            "pictures",
            "locations",
            "render",
            "zoom",
            "requests",
        ],
    ),
    (
        "submitter",
        &[
            "fractal",
            "disk",
            "engine",
            "farm-queue",
            "farm-worker",
            "colour",
            "pictures",
            "locations",
            "render",
            "world",
            "zoom",
            "requests",
            "web",
        ],
    ),
];

/// What a crate knows nothing of, by the dependencies it does not have.
pub const IGNORANCE: [(&str, &[&str]); 19] = [
    (
        "crates/fractal",
        &["tokio", "rayon", "wgpu", "redis", "tracing", "tempfile"],
    ),
    (
        "crates/disk",
        &["tokio", "clap", "indicatif", "redis", "wgpu", "png", "exr"],
    ),
    ("shaders", &["wgpu", "tokio", "redis"]),
    (
        "crates/engine",
        &["tokio", "redis", "colorgrad", "png", "exr"],
    ),
    (
        "crates/farm-queue",
        &["wgpu", "rayon", "colorgrad", "png", "exr", "clap"],
    ),
    ("crates/farm-model", &["wgpu", "tokio", "redis"]),
    (
        "farm-worker",
        &[
            "wgpu",
            "redis",
            "colorgrad",
            "png",
            "exr",
            "image",
            "indicatif",
        ],
    ),
    (
        "crates/colour",
        &[
            "tokio",
            "clap",
            "indicatif",
            "redis",
            "wgpu",
            "png",
            "exr",
            "image",
            "tempfile",
        ],
    ),
    (
        "crates/images",
        &["colorgrad", "tokio", "clap", "indicatif", "png", "exr"],
    ),
    (
        "crates/pictures",
        &[
            "image",
            "tiff",
            "tokio",
            "clap",
            "indicatif",
            "redis",
            "wgpu",
            "toml",
        ],
    ),
    (
        "crates/locations",
        &["tokio", "clap", "indicatif", "redis", "wgpu"],
    ),
    (
        "crates/render",
        &["clap", "indicatif", "redis", "wgpu", "saphyr-parser"],
    ),
    (
        "crates/world",
        &["clap", "indicatif", "redis", "wgpu", "png", "exr", "rayon"],
    ),
    (
        "crates/zoom",
        &["clap", "indicatif", "redis", "wgpu", "saphyr-parser"],
    ),
    (
        "crates/requests",
        &["clap", "indicatif", "redis", "wgpu", "hyper"],
    ),
    (
        "crates/mandelfarm",
        &["clap", "indicatif", "redis", "wgpu", "hyper"],
    ),
    (
        "python",
        &["clap", "indicatif", "redis", "wgpu", "png", "exr", "hyper"],
    ),
    (
        "crates/web",
        &["clap", "indicatif", "redis", "wgpu", "png", "exr", "toml"],
    ),
    ("submitter", &["redis", "wgpu", "png", "exr", "hyper"]),
];

/// Dependencies of a crate on others by its `Cargo.toml`, those of its tests left out.
#[must_use]
pub fn dependencies(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table == "dependencies" || table.ends_with(".dependencies");
            // One dependency as a table of its own.
            if let Some((_, name)) = table
                .split_once("dependencies.")
                .filter(|_| !table.starts_with("dev-"))
            {
                names.push(name.to_owned());
            }
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            names.push(line[..end].trim_matches('"').to_owned());
        }
    }
    names
}

/// Dependencies of our crates by folder.
#[must_use]
pub fn manifests(sources: &[Source]) -> BTreeMap<String, Vec<String>> {
    let of = |source: &Source| {
        let folder = source.path.strip_suffix("/Cargo.toml")?;
        Some((folder.to_owned(), dependencies(&source.text)))
    };
    sources.iter().filter_map(of).collect()
}

/// Arrows that point up or aside, and dependencies on what a crate should not know.
#[must_use]
pub fn layering(manifests: &BTreeMap<String, Vec<String>>) -> Vec<Breach> {
    let ours: Vec<&str> = ARROWS
        .iter()
        .map(|(folder, _)| folder.rsplit('/').next().unwrap_or(folder))
        .collect();
    let mut breaches = Vec::new();
    let listed = |folder: &String| ARROWS.iter().any(|(known, _)| known == folder);
    for folder in manifests.keys().filter(|folder| !listed(folder)) {
        if folder.starts_with("crates/") {
            breaches.push(format!("{folder}: a crate of no layer"));
        }
    }
    for (folder, below) in ARROWS {
        let Some(dependencies) = manifests.get(folder) else {
            breaches.push(format!("{folder}: there is no such crate"));
            continue;
        };
        for dependency in dependencies.iter().map(String::as_str) {
            if ours.contains(&dependency) && !below.contains(&dependency) {
                breaches.push(format!("{folder} must not depend on {dependency}"));
            }
        }
    }
    for (folder, unknown) in IGNORANCE {
        for dependency in manifests.get(folder).into_iter().flatten() {
            if unknown.contains(&dependency.as_str()) {
                breaches.push(format!("{folder} must know nothing of {dependency}"));
            }
        }
    }
    breaches
}
