//! A network of a world, with its targets and what is known of it.

use std::path::{Path, PathBuf};

use disk::homes::state_folder;
use farm_queue::redis::ConnectOptions;
use farm_worker::farm_args::Environment;

use super::access;
use super::figures::{FarmFigures, together};
use super::state::{Held, Place, StateError};
use super::target::{Here, Target, targets};
use crate::error::Result;
use crate::file::world::{Network, World};
use crate::machine::host::Host;

/// Seconds that a target is taken to need to boot before it was ever seen doing so: on this machine, behind ssh.
const GUESSED_BOOT_SECS: [f64; 2] = [0.5, 2.0];

/// A network of a world, with its targets and the place of its state.
pub struct OpenNetwork {
    world: World,
    network: Network,
    targets: Vec<Target>,
    place: Place,
    environment: Environment,
}

/// Which network of which world.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The world's file.
    pub file: PathBuf,
    /// The network's name; the one called default, or the only one, when `None`.
    pub network: Option<String>,
    /// Folder for what is known of booted networks; in the user's state folder when `None`.
    pub state: Option<PathBuf>,
}

impl OpenNetwork {
    /// Opens a network; boots nothing. `environment` has the credentials that the world's file does not name, for the
    /// Redis that it does.
    ///
    /// # Errors
    /// What is wrong with the file, in one line.
    pub fn open(choice: &Choice, environment: Environment) -> Result<Self> {
        let world = World::read(&choice.file)?;
        let network = world.network(choice.network.as_deref())?.clone();
        let programs = std::env::current_exe().ok();
        let here = Here {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            programs: programs.as_deref().and_then(Path::parent),
        };
        let targets = targets(&world, &network, here)?;
        let states = state_folder(choice.state.clone(), "worlds").ok_or(StateError::NoFolder)?;
        let states = std::path::absolute(&states).unwrap_or(states);
        let place = Place::of(&states, &world, &network.name);
        Ok(Self {
            world,
            network,
            targets,
            place,
            environment,
        })
    }

    /// Its world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The network as the file has it.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Its targets.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// What this program's environment says of ways into farms.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Where it is written down what runs of it.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The submitter's way into the Redis that the world names; `None` where it names none.
    ///
    /// # Errors
    /// Files that cannot be used.
    pub fn farm(&self) -> Result<Option<ConnectOptions>> {
        access::of_submitter(&self.world, &self.environment)
    }

    /// Reads what a boot would read here, so that it is found wrong before anything starts.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn check(&self) -> Result<()> {
        access::check(&self.world, &self.targets, &self.environment)
    }

    /// What is likely to be wrong with the way that targets are given, in one line each.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        access::doubts(&self.targets)
    }

    /// Takes hold of what is known of it: nobody else changes it meanwhile.
    ///
    /// # Errors
    /// When another command holds it, or it cannot be read.
    pub fn hold(&self) -> Result<Held> {
        Ok(self.place.hold(&self.world)?)
    }

    /// For people: the world and its network.
    #[must_use]
    pub fn title(&self) -> String {
        format!("network {} of world {}", self.network.name, self.world.name)
    }

    /// Whether its farm lasts no longer than it does.
    #[must_use]
    pub fn has_own_redis(&self) -> bool {
        self.world.farm.redis.is_none()
    }

    /// What is known of the farm that it makes: by its workers where they run, else by its last boot. `workers` is how
    /// many may take part.
    ///
    /// # Errors
    /// When its state cannot be read.
    pub fn figures(&self, workers: Option<u16>) -> Result<FarmFigures> {
        let state = self.place.peek()?;
        let running: Vec<u64> = state.map_or_else(Vec::new, |state| {
            let joined = state
                .targets
                .into_values()
                .filter_map(|process| process.joined);
            joined.map(|joined| joined.speed).collect()
        });
        if running.len() == self.targets.len() {
            return Ok(FarmFigures {
                speed: together(running, workers),
                boot_secs: 0.0,
                guessed: false,
            });
        }
        if let Some(last) = self.place.last_boot() {
            return Ok(FarmFigures {
                speed: together(last.speeds, workers),
                boot_secs: last.secs,
                guessed: false,
            });
        }
        // Some start at once, and take turns where they are more.
        let at_once = self.network.at_once();
        let is_local = |target: &&Target| target.host == Host::Local;
        let local = self.targets.iter().filter(is_local).count();
        let turns = |targets: usize| targets.div_ceil(at_once.min(targets.max(1))) as f64;
        let boot_secs = turns(local) * GUESSED_BOOT_SECS[0]
            + turns(self.targets.len() - local) * GUESSED_BOOT_SECS[1];
        Ok(FarmFigures {
            speed: None,
            boot_secs,
            guessed: true,
        })
    }
}
