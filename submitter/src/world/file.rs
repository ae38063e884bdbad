//! World files: what is written in one, checked key by key. `docs/worlds.md` describes the format.
//!
//! Everything is kept as it was written, with its line; [`super::target`] makes complete targets of it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fractal::BackendChoice;

use super::names;
use super::settings::{self, FarmSettings, Fields, NamedFile, Settings};
use super::yaml::{self, Node, Value, Wrong};

/// Most bytes of a world file.
const MAX_BYTES: u64 = 1 << 20;
/// Name of the network that is meant where none is named.
pub const DEFAULT_NETWORK: &str = "default";
/// Targets that boot at once where a network says nothing.
const BOOT_CONCURRENCY: u32 = 1;

/// Why a world cannot be used: the user's mistake, in one line.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// Nothing names a file.
    #[error(
        "no world file given: name one, set PENVM_WORLD_FILENAME, or put {} there", .0.display()
    )]
    None(PathBuf),
    /// It cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// It is not a world.
    #[error("{}: {wrong}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        wrong: Wrong,
    },
    /// There is no network of that name.
    #[error("{}: no network '{given}'; there are: {}", path.display(), known.join(", "))]
    Network {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        given: String,
        /// Those that it has.
        known: Vec<String>,
    },
}

/// A world as it is written.
#[derive(Clone, Debug)]
pub struct World {
    /// Its file.
    pub path: PathBuf,
    /// Its name; without one, the file's.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// Its networks in their order; never empty.
    pub networks: Vec<Network>,
    /// Settings for ranges of targets; later ones count more.
    pub templates: Vec<Template>,
    /// Settings of single targets, which count more than any template's.
    pub targets: Vec<(String, Settings)>,
    /// Our own settings, for all targets.
    pub farm: FarmSettings,
}

/// A network: targets that boot together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub line: usize,
    /// Names of its targets; not empty.
    pub targets: Vec<String>,
    /// How many boot at once; all when 0.
    pub boot_concurrency: u32,
}

/// Settings for a range of targets.
#[derive(Clone, Debug)]
pub struct Template {
    /// Names of the targets.
    pub targets: Vec<String>,
    /// What holds for them.
    pub settings: Settings,
}

impl World {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`WorldError`].
    pub fn read(path: &Path) -> Result<Self, WorldError> {
        let unreadable = |reason| WorldError::Unreadable {
            path: path.to_owned(),
            reason,
        };
        let mut text = String::new();
        (File::open(path).map_err(unreadable)?)
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        if text.len() as u64 > MAX_BYTES {
            let reason = format!("more than {MAX_BYTES} bytes, which is no world");
            return Err(unreadable(io::Error::other(reason)));
        }
        let path = std::path::absolute(path).map_err(unreadable)?;
        Self::parse(&text, &path).map_err(|wrong| WorldError::Wrong { path, wrong })
    }

    /// Reads a file's text; `path` gives its name, and where the files that it names are.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Wrong> {
        let root = yaml::read(text)?;
        let mut top = Fields::of(&root, "a world")?;
        let meta = top.take("meta").map(meta).transpose()?;
        // The older form has the name at the top.
        let (name, description) = (top.text("name")?, top.text("description")?);
        let (meta_name, meta_description) = meta.unwrap_or_default();
        let networks = named(top.take("networks"), "networks", network)?;
        let templates = named(top.take("templates"), "templates", template)?;
        let targets = named(top.take("targets"), "targets", target)?;
        let farm = (top.take("farm"))
            .map(|node| FarmSettings::read(node, true))
            .transpose()?
            .unwrap_or_default();
        top.done()?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut world = Self {
            path: path.to_owned(),
            name: (meta_name.or(name)).unwrap_or_else(|| stem.into_owned()),
            description: meta_description.or(description),
            networks: networks.into_iter().map(|(_, network)| network).collect(),
            templates: (templates.into_iter())
                .map(|(_, template)| template)
                .collect(),
            targets,
            farm,
        };
        world.complete(root.line)?;
        Ok(world)
    }

    /// A world without networks has one of all targets; every target of a network is described somewhere.
    fn complete(&mut self, line: usize) -> Result<(), Wrong> {
        let own = self.targets.iter().map(|(name, _)| name);
        let mut described: Vec<String> = Vec::new();
        for name in (self.templates.iter().flat_map(|template| &template.targets)).chain(own) {
            if !described.contains(name) {
                described.push(name.clone());
            }
        }
        if self.networks.is_empty() {
            if described.is_empty() {
                return Err(Wrong::new(line, "a world without targets"));
            }
            self.networks.push(Network {
                name: DEFAULT_NETWORK.to_owned(),
                line,
                targets: described,
                boot_concurrency: BOOT_CONCURRENCY,
            });
            return Ok(());
        }
        for network in &self.networks {
            if let Some(name) = (network.targets.iter()).find(|name| !described.contains(name)) {
                let near = settings::nearest(name, described.iter().map(String::as_str));
                return Err(Wrong::new(
                    network.line,
                    format!(
                        "network '{}' has a target '{name}' that neither templates nor targets describe{near}",
                        network.name
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The network of that name; without one the default, or the only one.
    ///
    /// # Errors
    /// When there is none.
    pub fn network(&self, name: Option<&str>) -> Result<&Network, WorldError> {
        let found = match (name, &self.networks[..]) {
            (None, [only]) => Some(only),
            _ => {
                let wanted = name.unwrap_or(DEFAULT_NETWORK);
                (self.networks.iter()).find(|network| network.name == wanted)
            }
        };
        found.ok_or_else(|| WorldError::Network {
            path: self.path.clone(),
            given: name.unwrap_or(DEFAULT_NETWORK).to_owned(),
            known: (self.networks.iter())
                .map(|network| network.name.clone())
                .collect(),
        })
    }

    /// Folder that relative paths in the file start from.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }

    /// A file that it names, from its folder.
    #[must_use]
    pub fn beside(&self, file: &NamedFile) -> NamedFile {
        NamedFile {
            path: self.folder().join(&file.path),
            line: file.line,
        }
    }
}

fn meta(node: &Node) -> Result<(Option<String>, Option<String>), Wrong> {
    let mut fields = Fields::of(node, "meta")?;
    let both = (fields.text("name")?, fields.text("description")?);
    for ignored in ["release", "version"] {
        fields.text(ignored)?;
    }
    fields.done()?;
    Ok(both)
}

/// What stands under each name of a section, in order.
fn named<T>(
    section: Option<&Node>,
    what: &str,
    read: impl Fn(&str, &Node, usize) -> Result<T, Wrong>,
) -> Result<Vec<(String, T)>, Wrong> {
    let entries = match section.map(|node| (&node.value, node.line)) {
        None | Some((Value::Null, _)) => return Ok(Vec::new()),
        Some((Value::Map(entries), _)) => entries,
        Some((other, line)) => {
            let kind = other.kind();
            return Err(Wrong::new(
                line,
                format!("'{what}' is {kind}, not a mapping of names"),
            ));
        }
    };
    let mut all = Vec::with_capacity(entries.len().min(names::MAX_NAMES));
    for (key, node) in entries {
        all.push((key.text.clone(), read(&key.text, node, key.line)?));
    }
    Ok(all)
}

fn network(name: &str, node: &Node, line: usize) -> Result<Network, Wrong> {
    let mut fields = Fields::of(node, "a network")?;
    let targets = fields.names("targets", line)?;
    let boot_concurrency = fields.number("boot-concurrency", 0, names::MAX_NAMES as u64)?;
    fields.done()?;
    Ok(Network {
        name: name.to_owned(),
        line,
        targets,
        boot_concurrency: boot_concurrency.map_or(BOOT_CONCURRENCY, |number| number as u32),
    })
}

fn template(_name: &str, node: &Node, line: usize) -> Result<Template, Wrong> {
    let mut fields = Fields::of(node, "a template")?;
    let targets = fields.names("targets", line)?;
    let settings = Settings::read(fields)?;
    Ok(Template { targets, settings })
}

fn target(name: &str, node: &Node, line: usize) -> Result<Settings, Wrong> {
    if name.contains('[') {
        let reason =
            format!("'{name}' is a range; settings of several targets belong under templates");
        return Err(Wrong::new(line, reason));
    }
    if !names::is_name(name) {
        let reason = names::RangeError::Name(name.to_owned()).to_string();
        return Err(Wrong::new(line, reason));
    }
    Settings::read(Fields::of(node, "a target")?)
}

/// A backend by its name.
pub(super) fn backend(text: &str) -> Option<BackendChoice> {
    match text {
        "auto" => Some(BackendChoice::Auto),
        "cpu" => Some(BackendChoice::Cpu),
        "gpu" => Some(BackendChoice::Gpu),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::Scheme;
    use super::*;

    pub(in super::super) fn parsed(text: &str) -> Result<World, Wrong> {
        World::parse(text, Path::new("worlds/test.penvm"))
    }

    const WORLD: &str = "\
meta:
  name: cluster
  description: Two kinds of machines
networks:
  default:
    targets: a-[1-3] b
    boot-concurrency: 0
  small:
    targets: b
templates:
  all:
    targets: a-[1-3], b
    scheme: ssh
    host: $target.example
    user: render
    fsdata-ids: x y
  odd:
    targets: a-[1,3]
    port: 2222
    farm: {backend: gpu}
targets:
  b:
    scheme: local
    ncores: 2
    memory: 16G
farm:
  redis: rediss://farm.example
";

    #[test]
    fn a_world_is_read() {
        let world = parsed(WORLD).unwrap();
        assert_eq!(world.name, "cluster");
        assert_eq!(world.farm.redis.as_deref(), Some("rediss://farm.example"));
        let network = world.network(None).unwrap();
        assert_eq!(network.targets, ["a-1", "a-2", "a-3", "b"]);
        assert_eq!(network.boot_concurrency, 0);
        assert_eq!(world.network(Some("small")).unwrap().boot_concurrency, 1);
        assert_eq!(world.templates[1].settings.port, Some(2222));
        assert_eq!(world.targets[0].1.scheme, Some(Scheme::Local));
        let error = world.network(Some("large")).unwrap_err().to_string();
        assert!(
            error.ends_with("no network 'large'; there are: default, small"),
            "{error}"
        );
    }

    #[test]
    fn the_older_form_and_a_world_without_networks_are_read() {
        let world = parsed("name: w\ndescription:\n\ntargets:\n  localhost:\n    scheme: local\n");
        let world = world.unwrap();
        assert_eq!((world.name.as_str(), &world.description), ("w", &None));
        assert_eq!(world.network(None).unwrap().targets, ["localhost"]);
        assert_eq!(parsed("targets: {x: }").unwrap().name, "test");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let change =
            |from: &str, to: &str| parsed(&WORLD.replace(from, to)).unwrap_err().to_string();
        for (from, to, says) in [
            (
                "boot-concurrency",
                "boot-concurency",
                "line 7: 'boot-concurency' is no key of a network; did you mean 'boot-concurrency'?",
            ),
            (
                "networks:",
                "network:",
                "line 4: 'network' is no key of a world; did you mean 'networks'?",
            ),
            (
                "scheme: ssh",
                "shceme: ssh",
                "line 13: 'shceme' is no key of a template; did you mean 'scheme'?",
            ),
            (
                "scheme: ssh",
                "scheme: telnet",
                "line 13: 'scheme' is 'telnet', not local or ssh",
            ),
            (
                "port: 2222",
                "port: 70000",
                "line 19: 'port' is '70000', not a number from 1 to 65535",
            ),
            (
                "concurrency: 0",
                "concurrency: all",
                "line 7: 'boot-concurrency' is 'all', not a number from 0 to 4096",
            ),
            (
                "a-[1-3] b",
                "a-[1-4] b",
                "line 5: network 'default' has a target 'a-4' that neither templates nor targets describe; did you mean 'a-1'?",
            ),
            ("a-[1-3] b", "a-[3-1] b", "line 6: 'a-[3-1]': 3 is over 1"),
            ("a-[1-3] b", "", "line 6: 'targets' is missing"),
            (
                "backend: gpu",
                "backend: tpu",
                "line 20: 'backend' is 'tpu', not auto, cpu or gpu",
            ),
            (
                "backend: gpu",
                "redsi: x",
                "line 20: 'redsi' is no key of 'farm'; did you mean 'redis'?",
            ),
            (
                "memory: 16G",
                "memory: much",
                "line 25: 'memory' is 'much', not a size such as 16G",
            ),
            (
                "  b:\n",
                "  b-[0-3]:\n",
                "line 22: 'b-[0-3]' is a range; settings of several targets belong under templates",
            ),
            (
                "host: $target.example",
                "host: -oProxyCommand=x",
                "line 14: 'host' is '-oProxyCommand=x', which begins with '-'",
            ),
            (
                "user: render",
                "user: [a]",
                "line 15: 'user' is a list, not a text",
            ),
            (
                "rediss://farm.example",
                "redis://:secret@farm",
                "line 27: 'redis' holds a password; keep it in a file and name that with 'redis-password-file'",
            ),
        ] {
            assert!(WORLD.contains(from), "{from}");
            assert_eq!(change(from, to), says, "{to}");
        }
        assert!(parsed("").unwrap_err().reason.contains("is nothing"));
        assert!(parsed("x").unwrap_err().reason.contains("is a text"));
    }
}
