//! Names that code may use in one place only.

use super::source::{Breach, Source};

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
pub const CONFINED: [Confined; 14] = [
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
        // Our own modules of that name.
        unless: &["png::read::", "png::write::", "png::chunks::"],
        allowed: &["crates/pictures/src/png/"],
    },
    Confined {
        what: "the exr crate",
        shown_by: &["exr::"],
        unless: &[
            "exr::read::",
            "exr::write::",
            "exr::describe::",
            "exr::attributes::",
            "exr::MARK",
        ],
        allowed: &["crates/pictures/src/exr/"],
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
        allowed: &["submitter/src/cli/", "farm-worker/src/cli.rs"],
    },
    Confined {
        what: "the toml crate",
        shown_by: &["toml::"],
        unless: &[],
        allowed: &["crates/locations/src/", "submitter/src/commands/batch/"],
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
        allowed: &[
            "farm-worker/src/program/terminal.rs",
            "farm-worker/src/program/usage.rs",
        ],
    },
    Confined {
        what: "the YAML parser",
        shown_by: &["saphyr_parser"],
        unless: &[],
        allowed: &["crates/world/src/file/yaml.rs"],
    },
    Confined {
        what: "reading without a limit",
        shown_by: &["fs::read(", "read_to_string(", "read_to_end("],
        unless: &[],
        allowed: &[
            "crates/disk/src/limited.rs",
            // Parts of bounded length of what is longer, and what scripts say.
            "crates/render/src/journal/records.rs",
            "crates/pictures/src/exr/attributes.rs",
            "crates/world/src/machine/host.rs",
        ],
    },
    Confined {
        what: "the command line's parser",
        shown_by: &["clap::", "clap_complete::", "clap_mangen::"],
        unless: &[],
        allowed: &[
            "submitter/src/cli/",
            "submitter/src/commands/batch/keys.rs",
            "farm-worker/src/",
            "crates/farm-model/src/bin/",
        ],
    },
    Confined {
        what: "progress bars",
        shown_by: &["indicatif::"],
        unless: &[],
        allowed: &["submitter/src/terminal/"],
    },
    Confined {
        what: "stdout",
        shown_by: &["stdout()", "stdout;", "stdout,"],
        unless: &[
            "answer.stdout",
            "asked.stdout",
            "stdout, stderr",
            "keep(stdout,",
        ],
        allowed: &[
            "submitter/src/terminal/",
            "submitter/src/commands/zoom.rs",
            "farm-worker/src/",
            "crates/farm-model/src/bin/",
        ],
    },
    Confined {
        what: "the image and tiff crates",
        shown_by: &["image::", "tiff::"],
        unless: &[],
        allowed: &["crates/images/src/"],
    },
];

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
