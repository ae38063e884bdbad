//! The way into the farm: the submitter's own, and what a worker is given to find it.

use std::path::PathBuf;

use anyhow::{Context, bail};
use farm_queue::redis::ConnectOptions;
use farm_worker::farm_args::FarmArgs;
use fractal::BackendChoice;

use super::file::World;
use super::target::{Host, Target};
use crate::cli;

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
pub fn of_submitter(world: &World) -> anyhow::Result<Option<ConnectOptions>> {
    let farm = &world.farm;
    let Some(url) = farm.redis.clone() else {
        return Ok(None);
    };
    let beside = |path: &Option<PathBuf>| path.as_ref().map(|path| world.folder().join(path));
    let own = farm.submitter_user.is_some() || farm.submitter_password_file.is_some();
    let (user, password) = if own {
        (&farm.submitter_user, &farm.submitter_password_file)
    } else {
        (&farm.redis_user, &farm.redis_password_file)
    };
    let args = FarmArgs {
        redis_user: user.clone(),
        redis_password_file: beside(password),
        tls_ca: beside(&farm.tls_ca),
        tls_cert: beside(&farm.tls_cert),
        tls_key: beside(&farm.tls_key),
        farm_key_file: beside(&farm.farm_key_file),
        insecure: farm.insecure.unwrap_or(false),
    };
    Ok(Some(cli::farm(url, &args)?))
}

/// What a target's worker is started with; `private` is the address of the world's own Redis as the target sees it.
///
/// # Errors
/// Files with secrets that cannot be used, or an address that is missing.
pub fn of_worker(target: &Target, private: Option<&str>) -> anyhow::Result<Invocation> {
    let access = &target.access;
    let Some(url) = access.redis.as_deref().or(private) else {
        bail!("target '{}' has no Redis", target.name);
    };
    let mut arguments = vec!["--redis".to_owned(), url.to_owned()];
    arguments.extend(["--name".to_owned(), target.name.clone()]);
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    if let Some(backend) = target.backend {
        option("--backend", backend_name(backend).to_owned());
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
    let mut environment = Vec::new();
    if access.redis.is_some() {
        environment = secrets(target, url)?;
    }
    let own = target.environment.iter();
    environment.extend(own.map(|(name, value)| (name.clone(), value.clone())));
    Ok(Invocation {
        arguments,
        environment,
    })
}

/// Variables with what gets a worker in: as the world's files say, or else this program's own environment.
fn secrets(target: &Target, url: &str) -> anyhow::Result<Vec<(String, String)>> {
    let access = &target.access;
    // The same files as options of this program: one way of reading them.
    let args = FarmArgs {
        redis_user: access.user.clone(),
        redis_password_file: access.password_file.clone(),
        farm_key_file: access.farm_key_file.clone(),
        ..FarmArgs::default()
    };
    let options =
        cli::farm(url.to_owned(), &args).with_context(|| format!("target '{}'", target.name))?;
    let mut variables = Vec::new();
    let mut set = |name: &str, value: Option<String>| {
        variables.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("FARM_REDIS_USER", options.user);
    set(
        "FARM_REDIS_PASSWORD",
        (options.password).map(|password| password.expose().to_owned()),
    );
    if options.farm_key.is_some() {
        set("FARM_KEY", Some(key_text(target)?));
    }
    Ok(variables)
}

/// The farm's key as text: it travels in the worker's environment.
fn key_text(target: &Target) -> anyhow::Result<String> {
    let environment = cli::environment();
    let named = target.access.farm_key_file.clone();
    let text = match named.or_else(|| environment.key_file.map(Into::into)) {
        Some(file) => {
            let bytes = std::fs::read(&file)
                .with_context(|| format!("farm-key-file {}", file.display()))?;
            String::from_utf8(bytes).ok()
        }
        None => environment.key,
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

fn backend_name(backend: BackendChoice) -> &'static str {
    match backend {
        BackendChoice::Auto => "auto",
        BackendChoice::Cpu => "cpu",
        BackendChoice::Gpu => "gpu",
    }
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
