//! The settings of templates and targets, and of the farm around them, as they are written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use farm_queue::redis::ConnectOptions;
use fractal::BackendChoice;

use super::names;
use super::yaml::{Key, Node, Value, Wrong};

/// Similarity from which a key counts as meant.
const SIMILAR: f64 = 0.75;
/// Longest time that a target may be given to boot, in seconds.
const MAX_BOOT_SECS: u64 = 3600;
/// Bytes that an item of a list costs beside its text.
const ITEM_BYTES: usize = 24;
/// Most threads of a worker.
const MAX_THREADS: u64 = 1024;

/// How a target is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// It is this machine.
    Local,
    /// By the system's ssh.
    Ssh,
}

/// A file that a world names, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedFile {
    /// As it is written.
    pub path: PathBuf,
    /// Its line.
    pub line: usize,
}

/// Settings of a template or a target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// How it is reached.
    pub scheme: Option<Scheme>,
    /// Its machine; `$target` stands for the target's name.
    pub host: Option<String>,
    /// Port of its ssh server.
    pub port: Option<u16>,
    /// User there.
    pub user: Option<String>,
    /// Cores that it may use.
    pub ncores: Option<u16>,
    /// Memory that it has, as written.
    pub memory: Option<String>,
    /// Our own settings.
    pub farm: FarmSettings,
}

/// Our own settings, under `farm:`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FarmSettings {
    /// The farm's Redis.
    pub redis: Option<String>,
    /// User there.
    pub redis_user: Option<String>,
    /// File on this machine with its password.
    pub redis_password_file: Option<NamedFile>,
    /// User of submitters, where that is another one.
    pub submitter_user: Option<String>,
    /// File with its password.
    pub submitter_password_file: Option<NamedFile>,
    /// File on this machine with the farm's key.
    pub farm_key_file: Option<NamedFile>,
    /// Authorities to trust, on the target.
    pub tls_ca: Option<NamedFile>,
    /// Certificate of the client, on the target.
    pub tls_cert: Option<NamedFile>,
    /// Its key, on the target.
    pub tls_key: Option<NamedFile>,
    /// Whether plain text may leave a machine.
    pub insecure: Option<bool>,
    /// The worker's program.
    pub worker: Option<String>,
    /// More options of it.
    pub options: Option<Vec<String>>,
    /// Kinds of device that it uses.
    pub backend: Option<BackendChoice>,
    /// Devices of those, by number or name.
    pub devices: Option<Vec<String>>,
    /// Threads of the processor's lane.
    pub threads: Option<u16>,
    /// Variables of its environment.
    pub environment: BTreeMap<String, String>,
    /// How long it may take to join the farm.
    pub boot_timeout: Option<Duration>,
    /// Configuration file for ssh.
    pub ssh_config: Option<PathBuf>,
    /// Folder on the target for the files of its worker.
    pub folder: Option<String>,
}

impl Settings {
    /// Reads the settings among `fields`, which has to hold nothing else any more.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(mut fields: Fields<'_>) -> Result<Self, Wrong> {
        let scheme = fields.choice("scheme", "local or ssh", |text| match text {
            "local" => Some(Scheme::Local),
            "ssh" => Some(Scheme::Ssh),
            _ => None,
        })?;
        let settings = Self {
            scheme,
            host: fields.plain("host")?,
            port: fields.number("port", 1, 65535)?.map(|port| port as u16),
            user: fields.plain("user")?,
            ncores: (fields.number("ncores", 1, MAX_THREADS)?).map(|cores| cores as u16),
            memory: fields.choice("memory", "a size such as 16G", size)?,
            farm: (fields.take("farm"))
                .map(|node| FarmSettings::read(node, false))
                .transpose()?
                .unwrap_or_default(),
        };
        // The notebook's, without a meaning here.
        for ignored in [
            "fshome-id",
            "fsdata-id",
            "fsdata-ids",
            "ssl-profile",
            "machine-id",
            "sessions",
        ] {
            fields.take(ignored);
        }
        fields.done()?;
        Ok(settings)
    }

    /// Bytes of the lists and texts in them: what a copy costs.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts = [&self.host, &self.user, &self.memory];
        texts.into_iter().flatten().map(String::len).sum::<usize>() + self.farm.bytes()
    }

    /// Lets `more` count more than what is there.
    pub fn overlay(&mut self, more: &Self) {
        over(&mut self.scheme, &more.scheme);
        over(&mut self.host, &more.host);
        over(&mut self.port, &more.port);
        over(&mut self.user, &more.user);
        over(&mut self.ncores, &more.ncores);
        over(&mut self.memory, &more.memory);
        self.farm.overlay(&more.farm);
    }
}

impl FarmSettings {
    /// Reads what stands under `farm:`; some of it is for a whole `world` only.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(node: &Node, world: bool) -> Result<Self, Wrong> {
        let mut fields = Fields::of(node, "'farm'")?;
        let farm = Self {
            redis: fields.redis("redis")?,
            redis_user: fields.text("redis-user")?,
            redis_password_file: fields.file("redis-password-file")?,
            submitter_user: if world {
                fields.text("submitter-user")?
            } else {
                None
            },
            submitter_password_file: if world {
                fields.file("submitter-password-file")?
            } else {
                None
            },
            farm_key_file: fields.file("farm-key-file")?,
            tls_ca: fields.file("tls-ca")?,
            tls_cert: fields.file("tls-cert")?,
            tls_key: fields.file("tls-key")?,
            insecure: fields.choice("insecure", "true or false", |text| match text {
                "true" | "yes" => Some(true),
                "false" | "no" => Some(false),
                _ => None,
            })?,
            worker: fields.plain("worker")?,
            options: fields.texts("options")?,
            backend: fields.choice("backend", "auto, cpu or gpu", backend)?,
            devices: fields.texts("devices")?,
            threads: (fields.number("threads", 1, MAX_THREADS)?).map(|threads| threads as u16),
            environment: fields.environment("environment")?,
            boot_timeout: (fields.number("boot-timeout", 1, MAX_BOOT_SECS)?)
                .map(Duration::from_secs),
            ssh_config: fields.path("ssh-config")?,
            folder: fields.plain("folder")?,
        };
        fields.done()?;
        Ok(farm)
    }

    fn bytes(&self) -> usize {
        let lists = [&self.options, &self.devices].into_iter().flatten();
        let listed = lists.flatten().map(|text| text.len() + ITEM_BYTES);
        let variables = (self.environment.iter())
            .map(|(name, value)| name.len() + value.len() + 2 * ITEM_BYTES);
        let texts = [&self.redis, &self.redis_user, &self.worker, &self.folder];
        let texts = texts.into_iter().flatten().map(String::len);
        let files = [
            &self.redis_password_file,
            &self.farm_key_file,
            &self.tls_ca,
            &self.tls_cert,
            &self.tls_key,
        ];
        let files = (files.into_iter().flatten())
            .map(|file| &file.path)
            .chain(&self.ssh_config)
            .map(|path| path.as_os_str().len());
        listed.chain(variables).chain(texts).chain(files).sum()
    }

    /// Lets `more` count more than what is there; environments are added up.
    pub fn overlay(&mut self, more: &Self) {
        over(&mut self.redis, &more.redis);
        over(&mut self.redis_user, &more.redis_user);
        over(&mut self.redis_password_file, &more.redis_password_file);
        over(&mut self.farm_key_file, &more.farm_key_file);
        over(&mut self.tls_ca, &more.tls_ca);
        over(&mut self.tls_cert, &more.tls_cert);
        over(&mut self.tls_key, &more.tls_key);
        over(&mut self.insecure, &more.insecure);
        over(&mut self.worker, &more.worker);
        over(&mut self.options, &more.options);
        over(&mut self.backend, &more.backend);
        over(&mut self.devices, &more.devices);
        over(&mut self.threads, &more.threads);
        over(&mut self.boot_timeout, &more.boot_timeout);
        over(&mut self.ssh_config, &more.ssh_config);
        over(&mut self.folder, &more.folder);
        let more = more.environment.iter();
        self.environment
            .extend(more.map(|(name, value)| (name.clone(), value.clone())));
    }
}

fn over<T: Clone>(old: &mut Option<T>, new: &Option<T>) {
    if new.is_some() {
        old.clone_from(new);
    }
}

/// A size of memory, as it was written.
fn size(text: &str) -> Option<String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_lowercase();
    let number: f64 = digits.trim().parse().ok()?;
    let known = [
        "", "b", "k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib", "t", "tb", "tib",
    ];
    (number > 0.0 && known.contains(&unit.as_str())).then(|| text.to_owned())
}

/// `; did you mean 'x'?` for the word that is most like `given`, where one is.
#[must_use]
pub fn nearest<'a>(given: &str, words: impl Iterator<Item = &'a str>) -> String {
    let alike = words.map(|word| (strsim::jaro_winkler(given, word), word));
    alike
        .filter(|(similar, _)| *similar >= SIMILAR)
        // The first of those that are equally alike.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map_or_else(String::new, |(_, word)| format!("; did you mean '{word}'?"))
}

/// The keys of a mapping, taken one by one: what is left over is unknown.
pub struct Fields<'a> {
    what: &'static str,
    entries: Vec<&'a (Key, Node)>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Those of `node`, which is `what` for people; nothing is an empty mapping where it is not the whole file.
    ///
    /// # Errors
    /// When it is no mapping.
    pub fn of(node: &'a Node, what: &'static str) -> Result<Self, Wrong> {
        let entries = match &node.value {
            Value::Map(entries) => entries.iter().collect(),
            Value::Null if what != "a world" => Vec::new(),
            other => {
                let reason = format!("{what} is {}, not a mapping", other.kind());
                return Err(Wrong::new(node.line, reason));
            }
        };
        Ok(Self {
            what,
            entries,
            asked: Vec::new(),
        })
    }

    /// The value of a key.
    pub fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        let at = (self.entries.iter()).position(|(known, _)| known.text == key)?;
        Some(&self.entries.remove(at).1)
    }

    /// Ends it.
    ///
    /// # Errors
    /// A key that was not taken, with the nearest of those that could have been.
    pub fn done(self) -> Result<(), Wrong> {
        let Some((key, _)) = self.entries.first() else {
            return Ok(());
        };
        let near = nearest(&key.text, self.asked.iter().copied());
        let reason = format!("'{}' is no key of {}{near}", key.text, self.what);
        Err(Wrong::new(key.line, reason))
    }

    /// A text; `None` where it is missing or empty.
    ///
    /// # Errors
    /// When it is a list or a mapping.
    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, Wrong> {
        match self.take(key).map(|node| (&node.value, node.line)) {
            None | Some((Value::Null, _)) => Ok(None),
            Some((Value::Text(text), _)) => Ok(Some(text.clone())),
            Some((other, line)) => {
                let reason = format!("'{key}' is {}, not a text", other.kind());
                Err(Wrong::new(line, reason))
            }
        }
    }

    fn line(&self, key: &str) -> usize {
        let of_key = |entry: &&&(Key, Node)| entry.0.text == key;
        self.entries
            .iter()
            .find(of_key)
            .map_or(1, |entry| entry.1.line)
    }

    /// A text that goes into command lines: in one line, and no option.
    fn plain(&mut self, key: &'static str) -> Result<Option<String>, Wrong> {
        let line = self.line(key);
        match self.text(key)? {
            Some(text) if text.starts_with('-') => {
                let reason = format!("'{key}' is '{text}', which begins with '-'");
                Err(Wrong::new(line, reason))
            }
            Some(text) if text.contains(char::is_control) => Err(Wrong::new(
                line,
                format!("'{key}' holds control characters"),
            )),
            text => Ok(text),
        }
    }

    fn path(&mut self, key: &'static str) -> Result<Option<PathBuf>, Wrong> {
        Ok(self.plain(key)?.map(PathBuf::from))
    }

    fn file(&mut self, key: &'static str) -> Result<Option<NamedFile>, Wrong> {
        let line = self.line(key);
        let path = self.path(key)?;
        Ok(path.map(|path| NamedFile { path, line }))
    }

    fn redis(&mut self, key: &'static str) -> Result<Option<String>, Wrong> {
        let line = self.line(key);
        let url = self.plain(key)?;
        if url.as_deref().is_some_and(ConnectOptions::has_password) {
            let reason = format!(
                "'{key}' holds a password; keep it in a file and name that with 'redis-password-file'"
            );
            return Err(Wrong::new(line, reason));
        }
        Ok(url)
    }

    fn choice<T>(
        &mut self,
        key: &'static str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Wrong> {
        let line = self.line(key);
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let chosen = read(&text);
        chosen
            .map(Some)
            .ok_or_else(|| Wrong::new(line, format!("'{key}' is '{text}', not {what}")))
    }

    /// A number from `least` to `most`.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(
        &mut self,
        key: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, Wrong> {
        let what = format!("a number from {least} to {most}");
        self.choice(key, &what, |text| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| digits)?;
            (least..=most).contains(&number).then_some(number)
        })
    }

    /// The list of ranges under a key: one text, or a list of them; and its line, where it has one.
    ///
    /// # Errors
    /// When it is neither.
    pub fn ranges(&mut self, key: &'static str) -> Result<(String, Option<usize>), Wrong> {
        let at = self.take(key);
        let list = match at.map(|node| (&node.value, node.line)) {
            None | Some((Value::Null, _)) => String::new(),
            Some((value, line)) => texts(value, key, line)?.join(" "),
        };
        Ok((list, at.map(|node| node.line)))
    }

    /// The names that ranges stand for. At least one.
    ///
    /// # Errors
    /// When there is none, or a range is none. `line` is where the mapping stands.
    pub fn names(&mut self, key: &'static str, line: usize) -> Result<Vec<String>, Wrong> {
        let (list, at) = self.ranges(key)?;
        let line = at.unwrap_or(line);
        let all = names::expand(&list).map_err(|error| Wrong::new(line, error.to_string()))?;
        if all.is_empty() {
            return Err(Wrong::new(line, format!("'{key}' is missing")));
        }
        Ok(all)
    }

    /// A list of texts; one text is a list of one.
    fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>, Wrong> {
        match self.take(key) {
            None => Ok(None),
            Some(node) => texts(&node.value, key, node.line).map(Some),
        }
    }

    fn environment(&mut self, key: &'static str) -> Result<BTreeMap<String, String>, Wrong> {
        let Some(node) = self.take(key) else {
            return Ok(BTreeMap::new());
        };
        let Value::Map(entries) = &node.value else {
            let reason = format!("'{key}' is {}, not a mapping", node.value.kind());
            return Err(Wrong::new(node.line, reason));
        };
        let mut variables = BTreeMap::new();
        for (name, value) in entries {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let is_name = name.text.chars().all(plain)
                && !name.text.starts_with(|c: char| c.is_ascii_digit());
            let value = match &value.value {
                Value::Text(text) if !text.contains('\0') => text.clone(),
                Value::Null => String::new(),
                _ => {
                    return Err(Wrong::new(
                        value.line,
                        format!("'{}' is no text", name.text),
                    ));
                }
            };
            if !is_name {
                let reason = format!("'{}' is no name of a variable", name.text);
                return Err(Wrong::new(name.line, reason));
            }
            variables.insert(name.text.clone(), value);
        }
        Ok(variables)
    }
}

fn texts(value: &Value, key: &str, line: usize) -> Result<Vec<String>, Wrong> {
    let text = |value: &Value, line: usize| match value {
        Value::Text(text) if !text.contains(['\0', '\n']) => Ok(text.clone()),
        other => {
            let reason = format!("'{key}' holds {}, not texts of one line", other.kind());
            Err(Wrong::new(line, reason))
        }
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(nodes) => nodes
            .iter()
            .map(|node| text(&node.value, node.line))
            .collect(),
        value => Ok(vec![text(value, line)?]),
    }
}

/// A backend by its name.
fn backend(text: &str) -> Option<BackendChoice> {
    match text {
        "auto" => Some(BackendChoice::Auto),
        "cpu" => Some(BackendChoice::Cpu),
        "gpu" => Some(BackendChoice::Gpu),
        _ => None,
    }
}
