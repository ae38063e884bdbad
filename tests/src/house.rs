//! Rules about the code base, as code: what is deliberately not there stays away.
//!
//! Every rule takes sources as text, so that a test can hand it a planted violation and see it fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Longest file of code; most are half of it.
pub const MOST_LINES: usize = 600;
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

/// A name that code may use in one place only.
#[derive(Clone, Copy, Debug)]
pub struct Confined {
    /// What is confined, for people.
    pub what: &'static str,
    /// Texts that show its use.
    pub shown_by: &'static [&'static str],
    /// Texts that look like it and are not.
    pub unless: &'static [&'static str],
    /// Beginnings of paths where it may be used.
    pub allowed: &'static [&'static str],
}

/// Where names are confined to. Tests look at the world from outside and may use what they need.
pub const CONFINED: [Confined; 10] = [
    Confined {
        what: "wgpu",
        shown_by: &["wgpu"],
        unless: &[],
        allowed: &["crates/engine/src/gpu/"],
    },
    Confined {
        what: "the redis crate",
        shown_by: &["redis::"],
        // Our own modules of that name.
        unless: &[
            "crate::redis::",
            "farm_queue::redis::",
            "super::redis::",
            "self::redis::",
        ],
        allowed: &["crates/farm-queue/src/redis/"],
    },
    Confined {
        what: "the png crate",
        shown_by: &["png::"],
        unless: &[
            "png::write(",
            "png::whole(",
            "png::texts(",
            "png::contents(",
            "png::Picture",
        ],
        allowed: &["submitter/src/output/png.rs"],
    },
    Confined {
        what: "the exr crate",
        shown_by: &["exr::"],
        unless: &[
            "exr::write(",
            "exr::settle(",
            "exr::texts(",
            "exr::contents(",
            "exr::data_bytes(",
            "exr::Layout",
            "exr::parts(",
        ],
        allowed: &["submitter/src/output/exr.rs", "submitter/src/input/exr.rs"],
    },
    Confined {
        what: "the environment",
        shown_by: &[
            "env::var",
            "env::vars",
            "env::set_var",
            "option_env!",
            "env = \"",
        ],
        unless: &[],
        allowed: &[
            "submitter/src/cli.rs",
            "submitter/src/cli/farm.rs",
            "submitter/src/cli/files.rs",
            "submitter/src/cli/place.rs",
            "submitter/src/cli/world.rs",
            "submitter/src/cli/scale.rs",
            "farm-worker/src/cli.rs",
        ],
    },
    Confined {
        what: "the toml crate",
        shown_by: &["toml::"],
        unless: &[],
        allowed: &["submitter/src/location/", "submitter/src/batch/"],
    },
    Confined {
        what: "unsafe code",
        shown_by: &[
            "unsafe {",
            "unsafe fn",
            "unsafe impl",
            "unsafe trait",
            "unsafe extern",
        ],
        unless: &[],
        allowed: &["crates/engine/src/cpu/"],
    },
    Confined {
        what: "words for people, which go out in one place",
        shown_by: &["stderr()", "stderr;"],
        unless: &[
            "stderr().is_terminal()",
            "is_terminal()",
            "ProgressDrawTarget::stderr()",
        ],
        allowed: &["farm-worker/src/terminal.rs", "farm-worker/src/usage.rs"],
    },
    Confined {
        what: "the YAML parser",
        shown_by: &["saphyr_parser"],
        unless: &[],
        allowed: &["submitter/src/world/yaml.rs"],
    },
    Confined {
        what: "reading without a limit",
        shown_by: &["fs::read(", "read_to_string(", "read_to_end("],
        unless: &[],
        allowed: &[
            "farm-worker/src/limited.rs",
            // Parts of bounded length of what is longer, and what scripts say.
            "submitter/src/journal/record.rs",
            "submitter/src/output/attributes.rs",
            "submitter/src/output/texts.rs",
            "submitter/src/location/mod.rs",
            "submitter/src/info.rs",
            "submitter/src/world/host.rs",
        ],
    },
];

/// Our crates, and which of the others each may depend on: arrows point down only.
pub const ARROWS: [(&str, &[&str]); 7] = [
    ("crates/fractal", &[]),
    ("shaders", &["fractal"]),
    ("crates/engine", &["fractal", "shaders"]),
    ("crates/farm-queue", &["fractal"]),
    ("crates/farm-model", &["fractal", "farm-queue"]),
    ("farm-worker", &["fractal", "engine", "farm-queue"]),
    (
        "submitter",
        &["fractal", "engine", "farm-queue", "farm-worker"],
    ),
];

/// What a crate knows nothing of, by the dependencies it does not have.
pub const IGNORANCE: [(&str, &[&str]); 7] = [
    (
        "crates/fractal",
        &["tokio", "rayon", "wgpu", "redis", "tracing", "tempfile"],
    ),
    ("shaders", &["wgpu", "tokio", "redis"]),
    (
        "crates/engine",
        &["tokio", "redis", "colorgrad", "png", "exr"],
    ),
    (
        "crates/farm-queue",
        &["wgpu", "rayon", "colorgrad", "png", "exr"],
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
    ("submitter", &["wgpu", "redis"]),
];

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
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
            .map(|(at, line)| (at + 1, line.split_once("//").map_or(line, |(code, _)| code)))
    }
}

/// Uses of a confined name outside its place.
#[must_use]
pub fn confined(rule: &Confined, sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| source.is_shipped_rust()) {
        if rule
            .allowed
            .iter()
            .any(|place| source.path.starts_with(place))
        {
            continue;
        }
        for (number, line) in source.code() {
            let rest = rule
                .unless
                .iter()
                .fold(line.to_owned(), |line, name| line.replace(name, ""));
            if rule.shown_by.iter().any(|name| has_word(&rest, name)) {
                breaches.push(format!(
                    "{}:{number}: {} has no place here: {line}",
                    source.path, rule.what
                ));
            }
        }
    }
    breaches
}

/// Whether `name` stands in `text` other than as the end of a longer word.
fn has_word(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

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

/// Files that lie, or are as long as, they should not.
#[must_use]
pub fn files(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for Source { path, text } in sources {
        if path.ends_with(".wgsl") && !path.starts_with("shaders/") {
            breaches.push(format!("{path}: shaders lie in shaders/"));
        }
        let lines = text.lines().count();
        if path.ends_with(".rs") && lines > MOST_LINES {
            breaches.push(format!("{path}: {lines} lines; {MOST_LINES} at most"));
        }
        let is_module = path.ends_with(".rs") && path.contains("src/");
        if is_module && !text.starts_with("//!") {
            breaches.push(format!("{path}: opens without saying what it is"));
        }
    }
    breaches
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

/// Where pictures' bytes are made: the same on every machine, which the system's logarithms and the like are not.
const SAME_EVERYWHERE: [&str; 5] = [
    "submitter/src/colour/",
    "submitter/src/output/",
    "submitter/src/input/",
    "submitter/src/range.rs",
    "crates/engine/src/cpu/",
];
/// Functions that each system computes as it likes; `libm` has them with the same bits everywhere.
const SYSTEMS_OWN: [&str; 18] = [
    ".powf(",
    ".exp(",
    ".exp2(",
    ".exp_m1(",
    ".ln(",
    ".ln_1p(",
    ".log(",
    ".log2(",
    ".log10(",
    ".sin(",
    ".cos(",
    ".sin_cos(",
    ".tan(",
    ".atan(",
    ".atan2(",
    ".hypot(",
    ".cbrt(",
    ".tanh(",
];

/// Uses of the system's mathematics where bytes of pictures are made.
#[must_use]
pub fn systems_mathematics(sources: &[Source]) -> Vec<Breach> {
    let shipped = sources.iter().filter(|source| {
        source.is_shipped_rust()
            && (SAME_EVERYWHERE.iter()).any(|place| source.path.starts_with(place))
    });
    let lines = shipped.flat_map(|source| source.code().map(move |(at, line)| (source, at, line)));
    lines
        .filter(|(.., line)| SYSTEMS_OWN.iter().any(|name| line.contains(name)))
        .map(|(source, at, line)| {
            format!(
                "{}:{at}: use libm, which is the same everywhere: {line}",
                source.path
            )
        })
        .collect()
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
