//! Worlds for people and programs: what a file makes, what a boot did, what runs, what was stopped.

use serde::Serialize;

use world::OpenNetwork;
use world::file::fields::Scheme;
use world::machine::host::Host;
use world::network::boot::{Booted, TargetReport, TargetState};
use world::network::shutdown::Stopped;
use world::network::state::Joined;
use world::network::status::{Standing, Status};
use world::network::target::Target;

use crate::terminal::tables::table;

/// A network as its file has it.
#[derive(Debug, Serialize)]
pub struct Checked<'a> {
    world: &'a str,
    description: Option<&'a str>,
    network: &'a str,
    networks: Vec<&'a str>,
    boot_concurrency: u32,
    redis: Option<&'a str>,
    targets: Vec<CheckedTarget<'a>>,
}

/// A target as its file has it.
#[derive(Debug, Serialize)]
struct CheckedTarget<'a> {
    target: &'a str,
    scheme: &'static str,
    host: String,
    threads: Option<u16>,
    memory: Option<&'a str>,
    worker: &'a str,
    options: &'a [String],
    devices: &'a [String],
    environment: Vec<&'a str>,
    boot_timeout_secs: u64,
}

impl<'a> Checked<'a> {
    /// What a file says.
    #[must_use]
    pub fn of(opened: &'a OpenNetwork) -> Self {
        let (world, network, targets) = (opened.world(), opened.network(), opened.targets());
        let scheme = |target: &Target| match target.host {
            Host::Local => Scheme::Local,
            Host::Ssh(_) => Scheme::Ssh,
        };
        Self {
            world: &world.name,
            description: world.description.as_deref(),
            network: &network.name,
            networks: (world.networks.iter())
                .map(|network| &*network.name)
                .collect(),
            boot_concurrency: network.boot_concurrency,
            redis: world.farm.redis.as_deref(),
            targets: (targets.iter())
                .map(|target| CheckedTarget {
                    target: &target.name,
                    scheme: match scheme(target) {
                        Scheme::Local => "local",
                        Scheme::Ssh => "ssh",
                    },
                    host: target.host.shown(),
                    threads: target.threads,
                    memory: target.memory.as_deref(),
                    worker: &target.worker,
                    options: &target.options,
                    devices: &target.devices,
                    environment: target.environment.keys().map(String::as_str).collect(),
                    boot_timeout_secs: target.boot_timeout.as_secs(),
                })
                .collect(),
        }
    }

    /// For people.
    #[must_use]
    pub fn table(&self) -> Vec<u8> {
        let at_once = match self.boot_concurrency {
            0 => "all at once".to_owned(),
            1 => "one after another".to_owned(),
            some => format!("{some} at a time"),
        };
        let mut text = format!(
            "world {}, network {}: {} targets, {at_once}; Redis: {}\n",
            self.world,
            self.network,
            self.targets.len(),
            self.redis.unwrap_or("the world's own")
        )
        .into_bytes();
        let rows: Vec<Vec<String>> = (self.targets.iter())
            .map(|target| {
                vec![
                    target.target.to_owned(),
                    target.scheme.to_owned(),
                    target.host.clone(),
                    (target.threads).map_or("all".to_owned(), |threads| threads.to_string()),
                    target.memory.unwrap_or("-").to_owned(),
                    target.worker.to_owned(),
                ]
            })
            .collect();
        let heading = ["TARGET", "SCHEME", "HOST", "THREADS", "MEMORY", "WORKER"];
        text.extend(table(&heading, &rows));
        text
    }
}

/// A boot, for programs.
#[derive(Debug, Serialize)]
pub struct BootReport<'a> {
    world: &'a str,
    network: &'a str,
    redis: &'a str,
    targets: &'a [TargetReport],
}

impl<'a> BootReport<'a> {
    /// What a boot did.
    #[must_use]
    pub fn of(opened: &'a OpenNetwork, booted: &'a Booted) -> Self {
        Self {
            world: &opened.world().name,
            network: &opened.network().name,
            redis: &booted.redis,
            targets: &booted.targets,
        }
    }

    /// For people.
    #[must_use]
    pub fn table(&self) -> Vec<u8> {
        let rows: Vec<Vec<String>> = self.targets.iter().map(boot_row).collect();
        let heading = [
            "TARGET",
            "STATE",
            "HOST",
            "DEVICES",
            "ARITHMETIC",
            "SPEED",
            "BOOT",
        ];
        let mut text = table(&heading, &rows);
        text.extend(format!("the farm's Redis: {}\n", self.redis).into_bytes());
        text
    }
}

fn boot_row(report: &TargetReport) -> Vec<String> {
    let state = match report.state {
        TargetState::Booted => "booted",
        TargetState::Running => "running",
        TargetState::Failed => "failed",
    };
    let mut row = vec![report.target.clone(), state.to_owned(), report.host.clone()];
    row.extend(joined_cells(report.joined.as_ref()));
    row
}

/// Devices, arithmetic, speed and time to boot.
fn joined_cells(joined: Option<&Joined>) -> [String; 4] {
    let Some(joined) = joined else {
        return ["-"; 4].map(str::to_owned);
    };
    let mut arithmetic = joined.arithmetic.clone();
    arithmetic.dedup();
    [
        joined.devices.join(", "),
        arithmetic.join(", "),
        speed(joined.speed),
        format!("{:.2} s", joined.boot_secs),
    ]
}

/// Iterations a second as people read them.
#[must_use]
pub fn speed(iterations: u64) -> String {
    if iterations == 0 {
        return "-".to_owned();
    }
    format!("{:.2} Giter/s", iterations as f64 / 1e9)
}

/// What runs, for people.
#[must_use]
pub fn status(status: &Status) -> Vec<u8> {
    let rows: Vec<Vec<String>> = (status.targets.iter())
        .map(|target| {
            let state = match target.state {
                Standing::Serving => "serving",
                Standing::Draining => "draining",
                Standing::CutOff => "cut off: it runs, and the farm does not hear of it",
                Standing::Dead => "dead",
                Standing::OutOfReach => target.error.as_deref().unwrap_or("out of reach"),
                Standing::Down => "down",
            };
            let pid = target.pid.map_or("-".to_owned(), |pid| pid.to_string());
            let mut row = vec![
                target.target.clone(),
                state.to_owned(),
                target.host.clone(),
                pid,
            ];
            row.push(target.strips.to_string());
            row.extend(joined_cells(target.joined.as_ref()));
            row
        })
        .collect();
    let heading = [
        "TARGET",
        "STATE",
        "HOST",
        "PID",
        "STRIPS",
        "DEVICES",
        "ARITHMETIC",
        "SPEED",
        "BOOT",
    ];
    let mut text = table(&heading, &rows);
    let redis = match (&status.redis, &status.redis_error) {
        (Some(redis), None) => format!("the farm's Redis: {redis}\n"),
        (Some(redis), Some(error)) => format!("the farm's Redis: {redis}, {error}\n"),
        (None, _) => String::new(),
    };
    text.extend(redis.into_bytes());
    text
}

/// What was stopped, for people.
#[must_use]
pub fn stopped(stopped: &[Stopped]) -> Vec<u8> {
    let rows: Vec<Vec<String>> = (stopped.iter())
        .map(|target| {
            vec![
                target.target.clone(),
                target.how.clone(),
                target.host.clone(),
            ]
        })
        .collect();
    table(&["TARGET", "WORKER", "HOST"], &rows)
}
