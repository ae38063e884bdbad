//! Worlds: networks of machines, as files describe them, booted and shut down with one command.
//!
//! - [`mod@file`], [`settings`], [`names`]: what is written; [`yaml`]: the tree that it is read from
//! - [`target`]: complete targets; [`access`]: how they and the submitter get into the farm
//! - [`host`], [`script`], [`mod@start`]: processes on any machine, by short shell scripts
//! - [`state`]: what runs, on the disk; [`users`]: for which renders; [`boot`], [`mod@status`], [`shutdown`]: what changes and shows it
//! - [`stage`]: a network for one render
//! - [`private_redis`]: the Redis of a world that names none; [`tunnel`]: the way to it from other machines

mod access;
mod boot;
mod file;
mod host;
mod names;
mod private_redis;
mod script;
mod settings;
mod shutdown;
pub mod stage;
mod start;
mod state;
mod status;
mod tables;
mod target;
mod tunnel;
mod users;
mod yaml;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail};
use etcetera::BaseStrategy;
use farm_worker::usage;
use serde::Serialize;

use crate::cli::world::{WorldArgs, WorldCommand, world_file};
use crate::collect::CollectError;
use crate::fallback::FarmFigures;
use crate::interrupt::interrupted;
use crate::placing::together;
pub use file::WorldError;
use file::{Network, World};
use state::{Held, LastBoot, Place, StateError};
use target::{Here, Target, targets};
use users::User;

/// Seconds that a target is taken to need to boot before it was ever seen doing so: on this machine, behind ssh.
const GUESSED_BOOT_SECS: [f64; 2] = [0.5, 2.0];

/// Runs one command of `submitter world`.
///
/// # Errors
/// One line.
pub fn run(command: WorldCommand) -> anyhow::Result<()> {
    let runtime = usage::start("warn", usage::LogFormat::Text, "submitter-io")?;
    runtime.block_on(async {
        match command {
            WorldCommand::Check(args) => check(&args),
            WorldCommand::Boot {
                world,
                require_all,
                quiet,
            } => boot_and_say(&world, require_all, quiet).await,
            WorldCommand::Status(args) => {
                let opened = Opened::of(&args)?;
                let report = status::status(&opened).await?;
                crate::to_stdout(&if args.json {
                    line(&report)?
                } else {
                    report.table()
                })?;
                report.verdict()
            }
            WorldCommand::Shutdown(args) => shut_down(&args).await,
        }
    })
}

/// A network of a world, with its targets and the place of its state.
pub struct Opened {
    world: World,
    network: Network,
    targets: Vec<Target>,
    place: Place,
}

impl Opened {
    /// What `args` name.
    ///
    /// # Errors
    /// What is wrong with the file, in one line.
    pub fn of(args: &WorldArgs) -> anyhow::Result<Self> {
        let path = world_file(args.file.as_deref()).map_err(WorldError::None)?;
        let world = World::read(&path)?;
        let network = world.network(args.network.as_deref())?.clone();
        let programs = std::env::current_exe().ok();
        let here = Here {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            programs: programs.as_deref().and_then(|program| program.parent()),
        };
        let targets = targets(&world, &network, here)?;
        let states = states_folder(args.state.state.clone()).ok_or(StateError::NoFolder)?;
        let place = Place::of(&states, &world, &network.name);
        Ok(Self {
            world,
            network,
            targets,
            place,
        })
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
    pub fn figures(&self, workers: Option<u16>) -> anyhow::Result<FarmFigures> {
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
        let at_once = match self.network.boot_concurrency {
            0 => usize::MAX,
            some => some as usize,
        };
        let is_local = |target: &&Target| target.host == target::Host::Local;
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

    /// Boots what does not run. When `interrupt` comes first, or a target fails and all are required, what was booted
    /// is shut down again. Whose it is then, and whether this process uses it, is written down under the same lock.
    ///
    /// # Errors
    /// One line.
    pub async fn boot(
        &self,
        whose: Whose,
        require_all: bool,
        interrupt: impl Future<Output = ()>,
    ) -> anyhow::Result<boot::Booted> {
        let mut interrupt = std::pin::pin!(interrupt);
        let mut held = match whose {
            Whose::Operators => self.place.hold(&self.world)?,
            Whose::Renders => tokio::select! {
                held = self.place.hold_when_free(&self.world) => held?,
                () = interrupt.as_mut() => return Err(CollectError::Interrupted.into()),
            },
        };
        let before: Vec<String> = held.state.targets.keys().cloned().collect();
        let was_empty = held.state.is_empty();
        let began = Instant::now();
        let booted = tokio::select! {
            booted = boot::boot(&self.world, &self.network, self.targets.clone(), &mut held) => Some(booted),
            () = interrupt.as_mut() => None,
        };
        let error = match booted {
            Some(Ok(booted)) => {
                let failed = booted.failed().count();
                if failed == 0 && was_empty {
                    let joined = booted
                        .targets
                        .iter()
                        .filter_map(|target| target.joined.as_ref());
                    self.place.remember(&LastBoot {
                        secs: began.elapsed().as_secs_f64(),
                        speeds: joined.map(|joined| joined.speed).collect(),
                    });
                }
                if failed == 0 || (!require_all && failed < booted.targets.len()) {
                    whose.write(&mut held, &before)?;
                    return Ok(booted);
                }
                let words = tables::failures(&booted);
                anyhow::anyhow!("{failed} of {} targets failed{words}", booted.targets.len())
            }
            Some(Err(error)) => error,
            None => CollectError::Interrupted.into(),
        };
        undo(held, was_empty, &before).await;
        Err(error)
    }
}

/// Whose what is booted is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// It stays until it is shut down.
    Operators,
    /// It ends with the last render that uses it, as far as no operator booted it.
    Renders,
}

impl Whose {
    fn write(self, held: &mut Held, before: &[String]) -> Result<(), StateError> {
        held.users();
        held.change(|state| match self {
            Self::Operators => {
                for process in state.targets.values_mut() {
                    process.for_renders = false;
                }
            }
            Self::Renders => {
                for (name, process) in &mut state.targets {
                    process.for_renders |= !before.contains(name);
                }
                state.users.extend(User::this_process());
            }
        })
    }
}

/// Stops what a boot that failed has started.
async fn undo(mut held: Held, was_empty: bool, before: &[String]) {
    let undone = if was_empty {
        shutdown::shut_down(held, None).await.map(drop)
    } else {
        let is_new = |name: &str| !before.iter().any(|known| known == name);
        shutdown::stop_workers(&mut held, is_new).await.map(drop)
    };
    if let Err(error) = undone {
        crate::say(&format!(
            "warning: what was booted may still run: {error:#}"
        ));
    }
}

/// Where states are: as given, or among the state that the user's programs keep.
#[must_use]
pub fn states_folder(given: Option<OsString>) -> Option<PathBuf> {
    // Set but empty is how a shell says that there is none.
    if let Some(folder) = given.filter(|folder| !folder.is_empty()) {
        return std::path::absolute(folder).ok();
    }
    let user = etcetera::choose_base_strategy().ok()?;
    let state = user.state_dir().unwrap_or_else(|| user.data_dir());
    Some(state.join("mandelfarm").join("worlds"))
}

fn check(args: &WorldArgs) -> anyhow::Result<()> {
    let opened = Opened::of(args)?;
    access::check(&opened.world, &opened.targets)?;
    for doubt in access::doubts(&opened.targets) {
        crate::say(&format!("warning: {doubt}"));
    }
    let checked = tables::Checked::of(&opened.world, &opened.network, &opened.targets);
    crate::to_stdout(&if args.json {
        line(&checked)?
    } else {
        checked.table()
    })
}

async fn boot_and_say(args: &WorldArgs, require_all: bool, quiet: bool) -> anyhow::Result<()> {
    let opened = Opened::of(args)?;
    let interrupt = interrupted();
    for doubt in access::doubts(&opened.targets) {
        crate::say(&format!("warning: {doubt}"));
    }
    let booted = opened
        .boot(Whose::Operators, require_all, interrupt)
        .await?;
    let report = tables::BootReport::of(&opened.world, &opened.network, &booted);
    if args.json {
        crate::to_stdout(&line(&report)?)?;
    } else if !quiet {
        crate::to_stdout(&report.table())?;
    }
    let words = tables::failures(&booted);
    if !words.is_empty() {
        crate::say(&format!(
            "{} of {} targets failed{words}",
            booted.failed().count(),
            booted.targets.len()
        ));
    }
    Ok(())
}

async fn shut_down(args: &WorldArgs) -> anyhow::Result<()> {
    let opened = Opened::of(args)?;
    let mut held = opened.place.hold(&opened.world)?;
    match held.users() {
        0 => {}
        1 => crate::say("warning: a render uses this network"),
        more => crate::say(&format!("warning: {more} renders use this network")),
    }
    if held.state.is_empty() {
        held.remove();
        if args.json {
            return crate::to_stdout(b"{\"targets\":[]}\n");
        }
        crate::say("nothing runs of this network");
        return Ok(());
    }
    // Without a way into the farm workers are stopped all the same.
    let farm = access::of_submitter(&opened.world).unwrap_or_default();
    let stopped = shutdown::shut_down(held, farm).await?;
    crate::to_stdout(&if args.json {
        line(&serde_json::json!({ "targets": stopped }))?
    } else {
        tables::stopped(&stopped)
    })
}

/// One JSON value as a line.
fn line(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).context("cannot make the JSON")?;
    line.push(b'\n');
    Ok(line)
}

/// Ends with status 1, after the table has said why.
fn not_all(serving: usize, all: usize) -> anyhow::Result<()> {
    if serving < all {
        bail!("{serving} of {all} targets serve");
    }
    Ok(())
}
