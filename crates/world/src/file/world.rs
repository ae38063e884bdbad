//! World files: what is written in one, checked key by key. `docs/worlds.md` describes the format.
//!
//! Everything is kept as it was written, with its line; `network::target` makes complete targets of it.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use disk::limited::{ReadError, read_text_limited};

use super::fields::{Fields, NamedFile, nearest};
use super::names;
use super::settings::{FarmSettings, Settings};
use super::yaml::{self, Node, Value, Wrong};

/// Most bytes of a world file.
const MAX_BYTES: u64 = 1 << 20;
/// Most names that all lists of a file stand for together.
const MAX_ALL_NAMES: usize = 1 << 20;
/// Most names that a wrong one is compared with.
const MOST_COMPARED: usize = 4096;
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
    /// How many boot at once, as the network says it, or the last template of its targets that does; all when 0.
    pub boot_concurrency: u32,
}

impl Network {
    /// How many of its targets boot at once, at least 1.
    #[must_use]
    pub fn at_once(&self) -> usize {
        match self.boot_concurrency {
            0 => usize::MAX,
            some => some as usize,
        }
    }
}

/// A network as it is written.
struct Written {
    network: Network,
    /// Names of groups of targets that belong to it.
    groups: Vec<String>,
    boot_concurrency: Option<u32>,
}

/// Settings for a range of targets.
#[derive(Clone, Debug)]
pub struct Template {
    /// Names of the targets.
    pub targets: Vec<String>,
    /// What holds for them.
    pub settings: Settings,
    /// How many boot at once of networks that say nothing; all when 0.
    pub boot_concurrency: Option<u32>,
}

/// Counts names, against the limit for a file.
struct Names(Cell<usize>);

impl Names {
    fn add(&self, more: usize, line: usize) -> Result<(), Wrong> {
        self.0.set(self.0.get() + more);
        if self.0.get() > MAX_ALL_NAMES {
            return Err(Wrong::new(
                line,
                format!("more than {MAX_ALL_NAMES} names, repeated ones included"),
            ));
        }
        Ok(())
    }
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
        let text = read_text_limited(path, MAX_BYTES).map_err(|error| {
            unreadable(match error {
                ReadError::TooLong(most) => {
                    io::Error::other(format!("more than {most} bytes, which is no world"))
                }
                other => other.into(),
            })
        })?;
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
        let count = Names(Cell::new(0));
        let networks = named(top.take("networks"), "networks", |name, node, line| {
            let written = network(name, node, line)?;
            count.add(written.network.targets.len(), line)?;
            Ok(written)
        })?;
        let groups = named(top.take("groups"), "groups", |_, node, line| {
            let targets = group(node, line)?;
            count.add(targets.len(), line)?;
            Ok(targets)
        })?;
        let templates = named(top.take("templates"), "templates", |_, node, line| {
            let template = template(node, line)?;
            count.add(template.targets.len(), line)?;
            Ok(template)
        })?;
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
            networks: Vec::new(),
            templates: (templates.into_iter())
                .map(|(_, template)| template)
                .collect(),
            targets,
            farm,
        };
        let groups = groups.into_iter().collect();
        let networks = networks.into_iter().map(|(_, network)| network).collect();
        world.complete(networks, &groups, &count, root.line)?;
        Ok(world)
    }

    /// A world without networks has one of all targets; every target of a network is described somewhere.
    fn complete(
        &mut self,
        written: Vec<Written>,
        groups: &HashMap<String, Vec<String>>,
        count: &Names,
        line: usize,
    ) -> Result<(), Wrong> {
        let own = self.targets.iter().map(|(name, _)| name.as_str());
        let templates = self.templates.iter();
        let mut known = HashSet::new();
        let described: Vec<&str> = (templates.flat_map(|template| &template.targets))
            .map(String::as_str)
            .chain(own)
            .filter(|name| known.insert(*name))
            .collect();
        let mut networks = Vec::with_capacity(written.len());
        for mut one in written {
            one.join(groups, count)?;
            let Written {
                mut network,
                boot_concurrency,
                ..
            } = one;
            if let Some(name) = (network.targets.iter()).find(|name| !known.contains(name.as_str()))
            {
                let compared = described.iter().copied().take(MOST_COMPARED);
                let near = nearest(name, compared);
                return Err(Wrong::new(
                    network.line,
                    format!(
                        "network '{}' has a target '{name}' that neither templates nor targets describe{near}",
                        network.name
                    ),
                ));
            }
            network.boot_concurrency =
                boot_concurrency.unwrap_or_else(|| self.concurrency_of(&network.targets));
            networks.push(network);
        }
        if networks.is_empty() {
            if described.is_empty() {
                return Err(Wrong::new(line, "a world without targets"));
            }
            let targets: Vec<String> = described.into_iter().map(str::to_owned).collect();
            networks.push(Network {
                name: DEFAULT_NETWORK.to_owned(),
                line,
                boot_concurrency: self.concurrency_of(&targets),
                targets,
            });
        }
        self.networks = networks;
        Ok(())
    }

    /// How many of these boot at once where their network says nothing: as the last of their templates says.
    fn concurrency_of(&self, targets: &[String]) -> u32 {
        let targets: HashSet<&str> = targets.iter().map(String::as_str).collect();
        (self.templates.iter().rev())
            .filter(|template| {
                (template.targets.iter()).any(|name| targets.contains(name.as_str()))
            })
            .find_map(|template| template.boot_concurrency)
            .unwrap_or(BOOT_CONCURRENCY)
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

fn network(name: &str, node: &Node, line: usize) -> Result<Written, Wrong> {
    let mut fields = Fields::of(node, "a network")?;
    let (list, at) = fields.ranges("targets")?;
    let line_of_list = at.unwrap_or(line);
    let (ranges, groups) = names::split_groups(&list);
    let expand = |list: &str| {
        names::expand(list).map_err(|error| Wrong::new(line_of_list, error.to_string()))
    };
    let (targets, groups) = (expand(&ranges)?, expand(&groups)?);
    if targets.is_empty() && groups.is_empty() {
        return Err(Wrong::new(line_of_list, "'targets' is missing"));
    }
    let boot_concurrency = concurrency(&mut fields)?;
    fields.done()?;
    Ok(Written {
        network: Network {
            name: name.to_owned(),
            line,
            targets,
            boot_concurrency: BOOT_CONCURRENCY,
        },
        groups,
        boot_concurrency,
    })
}

impl Written {
    /// Adds the targets of its groups, each target once.
    fn join(&mut self, groups: &HashMap<String, Vec<String>>, count: &Names) -> Result<(), Wrong> {
        let Network {
            name,
            line,
            targets,
            ..
        } = &mut self.network;
        let mut there: HashSet<String> = targets.iter().cloned().collect();
        for group in &self.groups {
            let Some(more) = groups.get(group) else {
                let near = nearest(group, groups.keys().map(String::as_str));
                let reason = format!("network '{name}' has a group '{group}' that is none{near}");
                return Err(Wrong::new(*line, reason));
            };
            count.add(more.len(), *line)?;
            let more = more.iter().filter(|name| there.insert((*name).clone()));
            targets.extend(more.cloned());
            if targets.len() > names::MAX_NAMES {
                let reason = format!(
                    "network '{name}' has more than {} targets",
                    names::MAX_NAMES
                );
                return Err(Wrong::new(*line, reason));
            }
        }
        Ok(())
    }
}

fn concurrency(fields: &mut Fields<'_>) -> Result<Option<u32>, Wrong> {
    let number = fields.number("boot-concurrency", 0, names::MAX_NAMES as u64)?;
    Ok(number.map(|number| number as u32))
}

fn group(node: &Node, line: usize) -> Result<Vec<String>, Wrong> {
    let mut fields = Fields::of(node, "a group")?;
    let targets = fields.names("targets", line)?;
    fields.done()?;
    Ok(targets)
}

fn template(node: &Node, line: usize) -> Result<Template, Wrong> {
    let mut fields = Fields::of(node, "a template")?;
    let targets = fields.names("targets", line)?;
    let boot_concurrency = concurrency(&mut fields)?;
    let settings = Settings::read(fields)?;
    Ok(Template {
        targets,
        settings,
        boot_concurrency,
    })
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
