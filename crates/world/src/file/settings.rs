//! The settings of templates and targets, and of the farm around them, as they are written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use fractal::BackendChoice;

use super::fields::{Fields, NamedFile, Scheme, backend, size};
use super::yaml::{Node, Wrong};

/// Longest time that a target may be given to boot, in seconds.
const MAX_BOOT_SECS: u64 = 3600;
/// Bytes that an item of a list costs beside its text.
const ITEM_BYTES: usize = 24;
/// Most threads of a worker.
const MAX_THREADS: u64 = 1024;

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
