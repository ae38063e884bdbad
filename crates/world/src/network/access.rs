//! The way into the farm: the submitter's own, and what a worker is given to find it.

use crate::error::{Context as _, NetworkError, Result, fail};
use disk::limited::read_limited;
use farm_queue::redis::ConnectOptions;
use farm_worker::farm_args::{Environment, FarmArgs, FarmArgsError, MAX_FILE_BYTES};

use super::target::Target;
use crate::file::fields::NamedFile;
use crate::file::world::{World, WorldError};
use crate::file::yaml::Wrong;
use crate::machine::host::Host;

/// What a worker is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Its arguments; nothing secret.
    pub arguments: Vec<String>,
    /// Variables of its environment, secrets among them.
    pub environment: Vec<(String, String)>,
}

/// The submitter's way into the Redis that a world names; `None` where it names none.
///
/// # Errors
/// Files that cannot be used.
pub fn of_submitter(world: &World, environment: &Environment) -> Result<Option<ConnectOptions>> {
    let farm = &world.farm;
    let Some(url) = farm.redis.clone() else {
        return Ok(None);
    };
    let own = farm.submitter_user.is_some() || farm.submitter_password_file.is_some();
    let (user, password) = if own {
        (&farm.submitter_user, &farm.submitter_password_file)
    } else {
        (&farm.redis_user, &farm.redis_password_file)
    };
    let files = Files {
        password: password.as_ref().map(|file| world.beside(file)),
        farm_key: farm.farm_key_file.as_ref().map(|file| world.beside(file)),
        tls: [&farm.tls_ca, &farm.tls_cert, &farm.tls_key]
            .map(|file| file.as_ref().map(|file| world.beside(file))),
        is_own: own,
    };
    let insecure = farm.insecure.unwrap_or(false);
    let options = files.open(url, user.clone(), insecure, environment);
    Ok(Some(options.map_err(|error| files.in_world(world, error))?))
}

/// Files of a world that are read here, on a way into its farm.
#[derive(Default)]
struct Files {
    password: Option<NamedFile>,
    farm_key: Option<NamedFile>,
    /// Authorities, certificate and its key.
    tls: [Option<NamedFile>; 3],
    /// Whether user and password are those of submitters alone.
    is_own: bool,
}

impl Files {
    /// The way that they make. They are options of this program: one way of reading them.
    fn open(
        &self,
        url: String,
        user: Option<String>,
        insecure: bool,
        environment: &Environment,
    ) -> Result<ConnectOptions, FarmArgsError> {
        let path = |file: &Option<NamedFile>| file.as_ref().map(|file| file.path.clone());
        let [tls_ca, tls_cert, tls_key] = self.tls.each_ref().map(path);
        let args = FarmArgs {
            redis_user: user,
            redis_password_file: path(&self.password),
            farm_key_file: path(&self.farm_key),
            tls_ca,
            tls_cert,
            tls_key,
            insecure,
        };
        args.options(url, environment.clone())
    }

    /// An error about one of them by its key and line in the world, where it was not a variable that named it.
    fn in_world(&self, world: &World, error: FarmArgsError) -> NetworkError {
        let [authorities, certificate, private] = &self.tls;
        let (key, file, rest) = match (error.option(), certificate, private) {
            (Some(option), ..) => {
                let (key, file) = match option {
                    "--redis-password-file" if self.is_own => {
                        ("submitter-password-file", &self.password)
                    }
                    "--redis-password-file" => ("redis-password-file", &self.password),
                    "--farm-key-file" => ("farm-key-file", &self.farm_key),
                    "--tls-ca" => ("tls-ca", authorities),
                    "--tls-cert" => ("tls-cert", certificate),
                    "--tls-key" => ("tls-key", private),
                    _ => return error.into(),
                };
                let said = error.to_string();
                (key, file, said[option.len()..].to_owned())
            }
            (None, Some(_), None) => ("tls-cert", certificate, " needs 'tls-key'".to_owned()),
            (None, None, Some(_)) => ("tls-key", private, " needs 'tls-cert'".to_owned()),
            _ => return error.into(),
        };
        let line = file.as_ref().map_or(1, |file| file.line);
        let path = world.path.clone();
        let wrong = Wrong::new(line, format!("'{key}'{rest}"));
        WorldError::Wrong { path, wrong }.into()
    }
}

/// Reads what boots of `targets` would read here, so that it is found wrong before anything starts.
///
/// # Errors
/// The first file that cannot be used.
pub fn check(world: &World, targets: &[Target], environment: &Environment) -> Result<()> {
    let _ = of_submitter(world, environment)?;
    for target in targets {
        if target.access.redis.is_some() {
            let _ = of_worker(world, target, None, environment)?;
        }
    }
    Ok(())
}

/// What a target's worker is started with; `private` is the address of the world's own Redis as the target sees it.
///
/// # Errors
/// Files with secrets that cannot be used, or an address that is missing.
pub fn of_worker(
    world: &World,
    target: &Target,
    private: Option<&str>,
    environment: &Environment,
) -> Result<Invocation> {
    let access = &target.access;
    let Some(url) = access.redis.as_deref().or(private) else {
        fail!("target '{}' has no Redis", target.name);
    };
    let mut arguments = vec!["--redis".to_owned(), url.to_owned()];
    arguments.extend(["--name".to_owned(), target.name.clone()]);
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    if let Some(backend) = target.backend {
        option("--backend", backend.name().to_owned());
    }
    for device in &target.devices {
        option("--device", device.clone());
    }
    if let Some(threads) = target.threads {
        option("--threads", threads.to_string());
    }
    for (name, file) in ["--tls-ca", "--tls-cert", "--tls-key"]
        .iter()
        .zip(&access.tls)
    {
        if let Some(file) = file {
            option(name, file.to_string_lossy().into_owned());
        }
    }
    if access.insecure {
        arguments.push("--insecure".to_owned());
    }
    arguments.extend(target.options.iter().cloned());
    let mut variables = Vec::new();
    if access.redis.is_some() {
        variables = secrets(world, target, url, environment)?;
    }
    let own = target.environment.iter();
    variables.extend(own.map(|(name, value)| (name.clone(), value.clone())));
    Ok(Invocation {
        arguments,
        environment: variables,
    })
}

/// Variables with what gets a worker in: as the world's files say, or else this program's own environment.
fn secrets(
    world: &World,
    target: &Target,
    url: &str,
    environment: &Environment,
) -> Result<Vec<(String, String)>> {
    let access = &target.access;
    let files = Files {
        password: access.password_file.clone(),
        farm_key: access.farm_key_file.clone(),
        ..Files::default()
    };
    let options = (files.open(url.to_owned(), access.user.clone(), false, environment))
        .map_err(|error| files.in_world(world, error))?;
    let mut variables = Vec::new();
    let mut set = |name: &str, value: Option<String>| {
        variables.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("FARM_REDIS_USER", options.user);
    set(
        "FARM_REDIS_PASSWORD",
        (options.credentials.password).map(|password| password.expose().to_owned()),
    );
    if options.farm_key.is_some() {
        set("FARM_KEY", Some(key_text(target, environment)?));
    }
    Ok(variables)
}

/// The farm's key as text: it travels in the worker's environment.
fn key_text(target: &Target, environment: &Environment) -> Result<String> {
    let named = target.access.farm_key_file.as_ref();
    let named = named.map(|file| file.path.clone());
    let text = match named.or_else(|| environment.key_file.clone().map(Into::into)) {
        Some(file) => {
            let bytes = read_limited(&file, MAX_FILE_BYTES)
                .with_context(|| format!("farm-key-file {}", file.display()))?;
            String::from_utf8(bytes).ok()
        }
        None => environment.key.clone(),
    };
    // Without the line end that editors put behind it.
    let text = text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    text.filter(|text| !text.contains(['\0', '\n']))
        .with_context(|| {
            format!(
                "target '{}': the farm key has to be one line of text to be given to workers",
                target.name
            )
        })
}

/// What is likely to be wrong with the way that targets are given, in one line each.
#[must_use]
pub fn doubts(targets: &[Target]) -> Vec<String> {
    let mut doubts = Vec::new();
    for target in targets {
        let url = target.access.redis.as_deref().unwrap_or_default();
        let host = url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let loopback = ["localhost", "127.", "[::1]"]
            .iter()
            .any(|name| host.starts_with(name));
        if matches!(target.host, Host::Ssh(_)) && (loopback || url.starts_with("unix:")) {
            doubts.push(format!(
                "target '{}' is another machine, and {url} is this one's alone",
                target.name
            ));
        }
    }
    doubts
}
