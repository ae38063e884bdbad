//! What is known of a network that was booted: a file in the user's state folder, written before and after everything
//! that starts a process, so that the next command finds whatever there is, also when the last one was killed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use disk::limited::{ReadError, read_limited};
use disk::lock::{Lock, LockError};
use serde::{Deserialize, Serialize};

use super::users::User;
use crate::file::world::World;
use crate::machine::host::Host;
use crate::machine::script::Folder;

/// Most bytes of a state file: thousands of targets.
const MAX_BYTES: u64 = 16 << 20;
/// Version of the file's form.
const VERSION: u32 = 1;
/// Longest part of a folder's name that comes from names in the world.
const NAME_KEPT: usize = 40;
/// How long a render waits for another command that boots or shuts down the same network.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(100);
const STATE: &str = "state.json";
const LOCK: &str = "lock";
/// End of the name of the file beside a state's folder that outlives it.
const LAST: &str = "last.json";

/// Why the state of a network cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The system has no place for it.
    #[error("there is no folder for the state of worlds; name one with --state")]
    NoFolder,
    /// Another command is at it.
    #[error("another command is at network '{network}' of this world; {} is its lock", path.display())]
    Locked {
        /// The network.
        network: String,
        /// The lock.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The file is not one of ours.
    #[error("{} is no state of a network: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// How far a process got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It was to be started; whether it was, its own machine knows.
    Starting,
    /// It was started.
    Started,
    /// It does what it is there for.
    Ready,
}

/// A process of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Where it runs.
    pub host: Host,
    /// Folder with its files there, where it is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// How far it got.
    pub phase: Phase,
    /// Its process id; 0 as long as nobody knows.
    #[serde(default)]
    pub pid: u32,
    /// When it was born, as its system says.
    #[serde(default)]
    pub born: String,
    /// What it said of itself when it joined the farm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
    /// Whether it was booted for renders: it ends with the last that uses the network.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub for_renders: bool,
}

impl Process {
    /// One that is about to be started.
    #[must_use]
    pub fn starting(host: Host, folder: Option<String>) -> Self {
        Self {
            host,
            folder,
            phase: Phase::Starting,
            pid: 0,
            born: String::new(),
            joined: None,
            for_renders: false,
        }
    }
}

/// What a worker said of itself when it joined the farm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    /// Its name in the farm: `NAME.PID.RANDOM`.
    pub process: String,
    /// Its machine's name, as that calls itself.
    pub machine: String,
    /// Names of its devices.
    pub devices: Vec<String>,
    /// The fastest number type of each.
    pub arithmetic: Vec<String>,
    /// Iterations a second that it measured of all its devices together; 0 when it did not.
    pub speed: u64,
    /// Seconds from its start to its joining.
    pub boot_secs: f64,
}

/// Everything that runs for a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    version: u32,
    /// The world's file.
    pub world: PathBuf,
    /// The network.
    pub network: String,
    /// Address of the farm's Redis, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<String>,
    /// The world's own redis-server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Process>,
    /// Folder of its socket, where that is not the state's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket_folder: Option<PathBuf>,
    /// Tunnels from other machines to it, by the names of their processes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tunnels: BTreeMap<String, Tunnel>,
    /// Workers by target.
    #[serde(default)]
    pub targets: BTreeMap<String, Process>,
    /// Renders that use it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<User>,
}

/// A way from another machine to the private Redis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tunnel {
    /// The ssh that keeps it open, on this machine.
    pub process: Process,
    /// Where it leads from.
    pub from: Host,
    /// Folder there, with the socket `redis.sock` in it.
    pub folder: String,
}

/// The place of a network's state on this machine.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder, which need not be there.
    pub folder: PathBuf,
    /// Its name, which other machines use too.
    pub key: String,
    network: String,
}

/// What the last boot of a whole network was like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastBoot {
    /// Seconds that it took.
    pub secs: f64,
    /// Iterations a second that each worker measured of itself.
    pub speeds: Vec<u64>,
}

/// The state of a network, which nobody else can change meanwhile.
#[derive(Debug)]
pub struct Held {
    /// The state as it is on the disk.
    pub state: State,
    place: Place,
    _lock: Lock,
}

impl Place {
    /// That of a network among all states in `states`.
    #[must_use]
    pub fn of(states: &Path, world: &World, network: &str) -> Self {
        let path = fs::canonicalize(&world.path).unwrap_or_else(|_| world.path.clone());
        let whole = format!("{}\n{network}", path.to_string_lossy());
        let digest = xxhash_rust::xxh3::xxh3_64(whole.as_bytes());
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        };
        let name: String = (world.name.chars().chain("-".chars()).chain(network.chars()))
            .map(plain)
            .take(NAME_KEPT)
            .collect();
        // Never hidden, never a step upwards.
        let key = format!("w-{name}-{digest:016x}");
        Self {
            folder: states.join(&key),
            key,
            network: network.to_owned(),
        }
    }

    /// Where a machine keeps the files of its processes: as a target says, or this very folder, or there among the
    /// states of the user.
    #[must_use]
    pub fn folder_on(&self, host: &Host, given: Option<&str>) -> Folder {
        match (host, given) {
            (_, Some(given)) => Folder::at(&format!("{given}/{}", self.key)),
            (Host::Local, None) => Folder::at(&self.folder.to_string_lossy()),
            (Host::Ssh(_), None) => Folder::of_user(&self.key),
        }
    }

    /// The state as it is, for looking at; `None` when nothing was booted.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn peek(&self) -> Result<Option<State>, StateError> {
        let path = self.folder.join(STATE);
        let io = |reason| StateError::Io {
            path: path.clone(),
            reason,
        };
        let text = match read_limited(&path, MAX_BYTES) {
            Ok(text) => text,
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(io(error.into())),
        };
        let malformed = |reason: String| StateError::Malformed {
            path: path.clone(),
            reason,
        };
        let state: State =
            serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;
        if state.version != VERSION {
            return Err(malformed(format!(
                "version {}, not {VERSION}",
                state.version
            )));
        }
        Ok(Some(state))
    }

    fn last(&self) -> PathBuf {
        self.folder.with_file_name(format!("{}.{LAST}", self.key))
    }

    /// How the last boot of the whole network went; `None` where nothing is known.
    #[must_use]
    pub fn last_boot(&self) -> Option<LastBoot> {
        let text = read_limited(&self.last(), MAX_BYTES).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes down how a boot of the whole network went; where that cannot be done the next one is not predicted.
    pub fn remember(&self, last: &LastBoot) {
        let write = || {
            let path = self.last();
            let mut beside = tempfile::NamedTempFile::new_in(path.parent()?).ok()?;
            beside.write_all(&serde_json::to_vec(last).ok()?).ok()?;
            beside.persist(path).ok()
        };
        if write().is_none() {
            tracing::debug!("this boot is not written down for the next one");
        }
    }

    /// Takes hold of the state as [`Self::hold`] does, and waits while another command holds it.
    ///
    /// # Errors
    /// When another command holds it for [`PATIENCE`], or it cannot be read.
    pub async fn hold_when_free(&self, world: &World) -> Result<Held, StateError> {
        let began = Instant::now();
        loop {
            match self.hold(world) {
                Err(StateError::Locked { .. }) if began.elapsed() < PATIENCE => {
                    tokio::time::sleep(GLANCE).await;
                }
                held => return held,
            }
        }
    }

    /// Takes hold of the state, which is an empty one when nothing was booted.
    ///
    /// # Errors
    /// When another command holds it, or it cannot be read.
    pub fn hold(&self, world: &World) -> Result<Held, StateError> {
        let lock = Lock::acquire(&self.folder.join(LOCK)).map_err(|error| match error {
            LockError::Held(path) => StateError::Locked {
                network: self.network.clone(),
                path,
            },
            LockError::Io { path, reason } | LockError::NoLocks { path, reason } => {
                StateError::Io { path, reason }
            }
        })?;
        let state = self.peek()?.unwrap_or_else(|| State {
            version: VERSION,
            world: world.path.clone(),
            network: self.network.clone(),
            redis: None,
            server: None,
            socket_folder: None,
            tunnels: BTreeMap::new(),
            targets: BTreeMap::new(),
            users: Vec::new(),
        });
        Ok(Held {
            state,
            place: self.clone(),
            _lock: lock,
        })
    }
}

impl State {
    /// Whether nothing runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.server.is_none() && self.tunnels.is_empty()
    }
}

impl Held {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Writes it to the disk: beside, then renamed.
    ///
    /// # Errors
    /// What the disk says.
    pub fn save(&self) -> Result<(), StateError> {
        let path = self.place.folder.join(STATE);
        let write = || {
            let mut beside = tempfile::NamedTempFile::new_in(&self.place.folder)?;
            beside.write_all(&serde_json::to_vec_pretty(&self.state).map_err(io::Error::other)?)?;
            beside.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|reason| StateError::Io {
            path: path.clone(),
            reason,
        })
    }

    /// Renders that still run; the others are forgotten with the next change.
    pub fn users(&mut self) -> usize {
        self.state.users.retain(User::is_alive);
        self.state.users.len()
    }

    /// Changes it and writes it.
    ///
    /// # Errors
    /// What the disk says.
    pub fn change(&mut self, how: impl FnOnce(&mut State)) -> Result<(), StateError> {
        how(&mut self.state);
        self.save()
    }

    /// Removes it: nothing runs any more.
    pub fn remove(self) {
        // The lock last: who waits for it finds an empty state.
        for name in [STATE, LOCK] {
            let _ = fs::remove_file(self.place.folder.join(name));
        }
        let _ = fs::remove_dir(&self.place.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        World::parse("targets: {x: }", Path::new("/w/a b.penvm")).unwrap()
    }

    #[test]
    fn a_state_comes_back_and_has_one_holder() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(folder.path(), &world(), "default");
        assert!(place.peek().unwrap().is_none());
        let mut held = place.hold(&world()).unwrap();
        assert!(held.state.is_empty());
        let process = Process::starting(Host::Local, None);
        held.change(|state| {
            state.targets.insert("x".to_owned(), process);
        })
        .unwrap();
        assert!(matches!(
            place.hold(&world()),
            Err(StateError::Locked { .. })
        ));
        assert_eq!(place.peek().unwrap().as_ref(), Some(&held.state));
        drop(held);
        let held = place.hold(&world()).unwrap();
        assert_eq!(held.state.targets.len(), 1);
        held.remove();
        assert!(!place.folder.exists());
    }

    #[test]
    fn places_differ_by_file_and_network_and_stay_inside() {
        let of = |path: &str, network: &str| {
            let world = World::parse("targets: {x: }", Path::new(path)).unwrap();
            Place::of(Path::new("/s"), &world, network).key
        };
        assert_ne!(of("/a.penvm", "n"), of("/b.penvm", "n"));
        assert_ne!(of("/a.penvm", "n"), of("/a.penvm", "m"));
        let odd = of("/a.penvm", "../../x y");
        assert!(!odd.contains('/') && !odd.contains(' '), "{odd}");
    }

    #[test]
    fn what_is_no_state_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(folder.path(), &world(), "default");
        fs::create_dir(&place.folder).unwrap();
        for text in [
            "",
            "{}",
            "{\"version\": 9, \"world\": \"w\", \"network\": \"n\"}",
        ] {
            fs::write(place.folder.join(STATE), text).unwrap();
            assert!(
                matches!(place.peek(), Err(StateError::Malformed { .. })),
                "{text}"
            );
        }
    }
}
