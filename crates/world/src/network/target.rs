//! Targets, complete: what a world file says of each, with templates, defaults and `$target` filled in.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fractal::BackendChoice;

use crate::file::fields::{NamedFile, Scheme};
use crate::file::settings::{FarmSettings, Settings};
use crate::file::world::{Network, World, WorldError};
use crate::file::yaml::Wrong;
use crate::machine::host::{Host, Remote};

/// How long a target may take to join the farm where nothing is said.
const BOOT_TIMEOUT: Duration = Duration::from_secs(60);
/// Most bytes that the settings of all targets take together, each template counted for each of its targets.
const MAX_SETTINGS_BYTES: usize = 256 << 20;
/// The worker's program.
pub const WORKER: &str = "farm-worker";
/// What stands for the target's name.
const NAME_MARKS: [&str; 2] = ["${target}", "$target"];

/// How a target's worker gets into the farm: settings as in the file, paths as the worker is to open them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerAccess {
    /// The farm's Redis; the world's private one when `None`.
    pub redis: Option<String>,
    /// User there.
    pub user: Option<String>,
    /// File on this machine with the password.
    pub password_file: Option<NamedFile>,
    /// File on this machine with the farm's key.
    pub farm_key_file: Option<NamedFile>,
    /// `--tls-ca`, `--tls-cert`, `--tls-key`.
    pub tls: [Option<PathBuf>; 3],
    /// `--insecure`.
    pub insecure: bool,
}

/// A target, complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its name, and its worker's.
    pub name: String,
    /// Where it is.
    pub host: Host,
    /// The worker's program.
    pub worker: String,
    /// More options of it.
    pub options: Vec<String>,
    /// Kinds of device.
    pub backend: Option<BackendChoice>,
    /// Devices.
    pub devices: Vec<String>,
    /// Threads of the processor's lane.
    pub threads: Option<u16>,
    /// Memory, as written.
    pub memory: Option<String>,
    /// Environment of the worker.
    pub environment: BTreeMap<String, String>,
    /// The way into the farm.
    pub access: WorkerAccess,
    /// How long it may take to join.
    pub boot_timeout: Duration,
    /// Folder there for the files of its worker, instead of the usual one.
    pub folder: Option<String>,
}

/// What the machine is that a network is booted from.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// Its cores.
    pub cores: usize,
    /// Folder of this program, where the worker's is looked for.
    pub programs: Option<&'a Path>,
}

/// The targets of a network, in its order.
///
/// # Errors
/// When their settings would take more than [`MAX_SETTINGS_BYTES`].
pub fn targets(
    world: &World,
    network: &Network,
    here: Here<'_>,
) -> Result<Vec<Target>, WorldError> {
    let settings = settings_of(world, network)?;
    let is_local = |settings: &&Settings| scheme(settings) == Scheme::Local;
    // Workers of one machine share its cores; what the file says counts more.
    let sharing = settings.iter().filter(is_local).count().max(1);
    let share = u16::try_from((here.cores / sharing).max(1)).unwrap_or(u16::MAX);
    Ok((network.targets.iter().zip(settings))
        .map(|(name, settings)| target(world, name, settings, share, here))
        .collect())
}

/// What holds for each target of a network: its templates in their order, then its own settings.
fn settings_of(world: &World, network: &Network) -> Result<Vec<Settings>, WorldError> {
    let mut layers: HashMap<&str, Vec<&Settings>> = (network.targets.iter())
        .map(|name| (name.as_str(), Vec::new()))
        .collect();
    let of_templates = (world.templates.iter()).flat_map(|template| {
        template
            .targets
            .iter()
            .map(|name| (name, &template.settings))
    });
    let own = (world.targets.iter()).map(|(name, settings)| (name, settings));
    for (name, settings) in of_templates.chain(own) {
        if let Some(layers) = layers.get_mut(name.as_str()) {
            layers.push(settings);
        }
    }
    let common = Settings {
        farm: world.farm.clone(),
        ..Settings::default()
    };
    let mut bytes = 0;
    let mut settings_of = |name: &String| {
        let layers = layers.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        bytes += common.bytes() + layers.iter().map(|layer| layer.bytes()).sum::<usize>();
        if bytes > MAX_SETTINGS_BYTES {
            let reason = format!(
                "network '{}': the settings of its targets take more than {MAX_SETTINGS_BYTES} bytes",
                network.name
            );
            return Err(WorldError::Wrong {
                path: world.path.clone(),
                wrong: Wrong::new(network.line, reason),
            });
        }
        let mut settings = common.clone();
        for layer in layers {
            settings.overlay(layer);
        }
        Ok(settings)
    };
    network.targets.iter().map(&mut settings_of).collect()
}

/// How it is reached: as it says, or by its host.
fn scheme(settings: &Settings) -> Scheme {
    settings.scheme.unwrap_or(match settings.host.as_deref() {
        None | Some("localhost") => Scheme::Local,
        Some(_) => Scheme::Ssh,
    })
}

fn target(world: &World, name: &str, settings: Settings, share: u16, here: Here<'_>) -> Target {
    let fill = |text: &str| {
        NAME_MARKS
            .iter()
            .fold(text.to_owned(), |text, mark| text.replace(mark, name))
    };
    let FarmSettings {
        redis,
        redis_user,
        redis_password_file,
        farm_key_file,
        tls_ca,
        tls_cert,
        tls_key,
        insecure,
        worker,
        options,
        backend,
        devices,
        threads,
        environment,
        boot_timeout,
        ssh_config,
        folder,
        submitter_user: _,
        submitter_password_file: _,
    } = settings.farm.clone();
    let local = scheme(&settings) == Scheme::Local;
    let beside = |path: PathBuf| world.folder().join(path);
    // Files that a remote worker opens are on its machine.
    let there = |path: Option<PathBuf>| if local { path.map(beside) } else { path };
    let host = if local {
        Host::Local
    } else {
        Host::Ssh(Remote {
            host: settings.host.as_deref().map_or(name.to_owned(), fill),
            port: settings.port,
            user: settings.user.as_deref().map(fill),
            config: ssh_config.map(beside),
        })
    };
    Target {
        name: name.to_owned(),
        worker: program(worker, local, world.folder(), here.programs),
        host,
        options: (options.unwrap_or_default().iter())
            .map(|option| fill(option))
            .collect(),
        backend,
        devices: devices.unwrap_or_default(),
        threads: threads.or(settings.ncores).or(local.then_some(share)),
        memory: settings.memory,
        environment: (environment.iter())
            .map(|(name, value)| (name.clone(), fill(value)))
            .collect(),
        access: WorkerAccess {
            redis,
            user: redis_user,
            password_file: redis_password_file.map(|file| world.beside(&file)),
            farm_key_file: farm_key_file.map(|file| world.beside(&file)),
            tls: [tls_ca, tls_cert, tls_key].map(|file| there(file.map(|file| file.path))),
            insecure: insecure.unwrap_or(false),
        },
        boot_timeout: boot_timeout.unwrap_or(BOOT_TIMEOUT),
        folder: folder.map(|folder| {
            if local {
                beside(folder.into()).to_string_lossy().into_owned()
            } else {
                folder
            }
        }),
    }
}

/// The worker's program: as given (a path on this machine starts at the world's folder), or the one beside this
/// program, or the one that is found there.
fn program(given: Option<String>, local: bool, folder: &Path, programs: Option<&Path>) -> String {
    let shown = |path: PathBuf| path.to_string_lossy().into_owned();
    match given {
        Some(given) if local && given.contains('/') => shown(folder.join(given)),
        Some(given) => given,
        None if local => {
            let own = programs.map(|folder| {
                folder
                    .join(WORKER)
                    .with_extension(std::env::consts::EXE_EXTENSION)
            });
            own.filter(|path| path.is_file())
                .map_or_else(|| WORKER.to_owned(), shown)
        }
        None => WORKER.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Vec<Target> {
        let world = World::parse(text, Path::new("worlds/test.penvm")).unwrap();
        let here = Here {
            cores: 8,
            programs: None,
        };
        targets(&world, world.network(None).unwrap(), here).unwrap()
    }

    #[test]
    fn templates_and_targets_count_in_their_order() {
        let all = resolved(
            "templates:
  all: {targets: 'n[01-02] x', scheme: ssh, host: $target.lan, port: 22, farm: {worker: a, environment: {A: 1, B: $target}}}
  some: {targets: 'n02', port: 2222, farm: {environment: {A: 2}, options: ['--log=$target']}}
targets:
  x: {scheme: local, farm: {worker: ./w, tls-ca: ca.pem}}
  n01: {user: 'u-${target}'}
farm: {threads: 3, tls-ca: all.pem, redis-password-file: pw}
",
        );
        let [first, second, x] = &all[..] else {
            unreachable!()
        };
        assert_eq!(first.host.shown(), "u-n01@n01.lan:22");
        assert_eq!(second.host.shown(), "n02.lan:2222");
        let environment: Vec<_> = second.environment.iter().collect();
        assert_eq!(environment.len(), 2);
        assert_eq!(
            (&*second.environment["A"], &*second.environment["B"]),
            ("2", "n02")
        );
        assert_eq!(second.options, ["--log=n02"]);
        assert_eq!((&*first.worker, first.threads), ("a", Some(3)));
        // A file that a remote worker opens is there; one that is read here is here.
        assert_eq!(first.access.tls[0].as_deref(), Some(Path::new("all.pem")));
        assert_eq!(x.access.tls[0].as_deref(), Some(Path::new("worlds/ca.pem")));
        for target in &all {
            let file = target.access.password_file.clone().unwrap();
            assert_eq!((&*file.path, file.line), (Path::new("worlds/pw"), 7));
        }
        assert_eq!((x.host.clone(), &*x.worker), (Host::Local, "worlds/./w"));
    }

    #[test]
    fn local_workers_share_the_cores() {
        let threads = |text: &str| -> Vec<Option<u16>> {
            resolved(text).iter().map(|target| target.threads).collect()
        };
        assert_eq!(threads("targets: {a: , b: , c: }"), [Some(2); 3]);
        assert_eq!(
            threads("targets: {a: {ncores: 6}, b: }"),
            [Some(6), Some(4)]
        );
        let many = threads("templates: {t: {targets: 'a-[1-64]'}}");
        assert_eq!(many, [Some(1); 64]);
        assert_eq!(threads("targets: {a: {host: far}, b: }"), [None, Some(8)]);
        assert_eq!(threads("targets: {a: {host: far, ncores: 2}}"), [Some(2)]);
    }
}
