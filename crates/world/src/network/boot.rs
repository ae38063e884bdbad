//! Boots a network: its own Redis where it names none, tunnels to that, and a worker for each target.
//!
//! What runs already is kept; what is written down and does not run is started again. A target that fails is reported
//! and the rest go on. Everything is written to the state before it is started, so whatever ends this program midway,
//! the next command finds what there is.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Context as _, Result, fail};
use farm_queue::redis::control::WorkerSummary;
use farm_queue::redis::{ConnectOptions, RedisControl};
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::access::{self, Invocation};
use super::opened::OpenNetwork;
use super::redis::{private_redis, tunnel};
use super::shutdown;
use super::state::{Held, Joined, Phase, Process};
use super::target::Target;
use crate::machine::host::Host;
use crate::machine::script::{self, Folder};
use crate::machine::start::{Started, is_alive, last_words, start};

/// How often the farm is asked who has joined it.
const GLANCE: Duration = Duration::from_millis(50);
/// How often a process that has not joined yet is looked at: on this machine, elsewhere.
const LOOKS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];
/// How long a look, or the last words of a process, may take.
const LOOK_LIMIT: Duration = Duration::from_secs(20);
/// Lines that are shown of the output of a target that failed.
const LAST_LINES: usize = 6;
/// Targets that were started and may wait to be written down.
const STARTS: usize = 64;

/// How a target's boot ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetState {
    /// It was started, and joined.
    Booted,
    /// It ran before.
    Running,
    /// It did not join.
    Failed,
}

/// A target after a boot.
#[derive(Clone, Debug, Serialize)]
pub struct TargetReport {
    /// Its name.
    pub target: String,
    /// Its machine, as it is reached.
    pub host: String,
    /// How it ended.
    pub state: TargetState,
    /// Its worker's process id.
    pub pid: Option<u32>,
    /// What its worker said of itself.
    #[serde(flatten)]
    pub joined: Option<Joined>,
    /// Why it failed, in one line.
    pub error: Option<String>,
    /// The end of its worker's output, where it failed.
    pub output: Vec<String>,
}

/// A network after a boot.
#[derive(Debug)]
pub struct Booted {
    /// The way into its farm.
    pub farm: ConnectOptions,
    /// Its Redis, without credentials.
    pub redis: String,
    /// Its targets, in the network's order.
    pub targets: Vec<TargetReport>,
}

impl Booted {
    /// Targets that failed.
    pub fn failed(&self) -> impl Iterator<Item = &TargetReport> {
        (self.targets.iter()).filter(|report| report.state == TargetState::Failed)
    }

    /// What is said of targets that failed, each with the end of its output; empty when none did.
    #[must_use]
    pub fn failures(&self) -> String {
        let mut text = String::new();
        for report in self.failed() {
            let why = report.error.as_deref().unwrap_or("it failed");
            text.push_str(&format!("; {}: {why}", report.target));
            if !report.output.is_empty() {
                text.push_str(&format!(": {}", report.output.join(" | ")));
            }
        }
        text
    }
}

/// What a target's task needs.
struct Launch {
    target: Target,
    invocation: Invocation,
    folder: Folder,
    /// Processes that were in the farm before.
    before: Arc<HashSet<String>>,
    workers: watch::Receiver<Vec<WorkerSummary>>,
    /// Told of its process as soon as there is one.
    starts: mpsc::Sender<(String, Started)>,
    /// Whether nothing of it can run: its machine was not reached, or lacks the program.
    is_untouched: bool,
}

/// Boots the targets of a network.
///
/// # Errors
/// When the farm itself cannot be set up; what becomes of single targets is in the report.
pub async fn boot(opened: &OpenNetwork, held: &mut Held) -> Result<Booted> {
    let (world, network) = (opened.world(), opened.network());
    let targets = opened.targets().to_vec();
    let own = opened.farm()?;
    let is_private = own.is_none();
    if is_private && let Some(target) = targets.iter().find(|target| target.access.redis.is_some())
    {
        fail!(
            "target '{}' names a Redis and the world does not: name it under the world's 'farm'",
            target.name
        );
    }
    let farm = match own {
        Some(options) => options,
        None => ConnectOptions::new(private_redis::ensure(held).await?),
    };
    let redis = world.farm.redis.clone().unwrap_or_else(|| farm.url.clone());
    held.change(|state| state.redis = Some(redis.clone()))?;
    move_targets(held, &targets).await?;
    // Sends the scripts too, without which workers do not join.
    let control = Arc::new(RedisControl::connect(&farm).await?);
    let gates = if is_private {
        tunnel::ensure(held, &targets, &redis).await?
    } else {
        BTreeMap::new()
    };
    let before = control.workers().await?;
    let before: HashSet<String> = before.into_iter().map(|worker| worker.process).collect();
    let before = Arc::new(before);
    let (seen, workers) = watch::channel(Vec::new());
    let (starts, heard) = mpsc::channel(STARTS);
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    let mut waiting = VecDeque::new();
    let mut reports: BTreeMap<String, TargetReport> = BTreeMap::new();
    for target in targets {
        let gate = match &target.host {
            Host::Local => is_private.then_some(Ok(redis.as_str())),
            host => gates.get(host).map(|gate| gate.as_deref()),
        };
        if let Some(Err(why)) = gate {
            let report = failed(&target, why.to_string(), Vec::new());
            reports.insert(target.name.clone(), report);
            continue;
        }
        let gate = gate.and_then(std::result::Result::ok);
        let folder = folder_of(held, &target);
        waiting.push_back(Launch {
            invocation: access::of_worker(world, &target, gate, opened.environment())?,
            folder,
            target,
            before: Arc::clone(&before),
            workers: workers.clone(),
            starts: starts.clone(),
            is_untouched: false,
        });
    }
    drop(starts);
    tokio::select! {
        done = launch_all(held, waiting, network.at_once(), heard, &mut reports) => done?,
        never = watch_workers(&control, &seen) => match never {},
    }
    Ok(Booted {
        farm,
        redis,
        targets: (names.iter())
            .filter_map(|name| reports.remove(name))
            .collect(),
    })
}

/// Stops workers of targets that the file has on another machine by now.
async fn move_targets(held: &mut Held, targets: &[Target]) -> Result<()> {
    let moved = |target: &&Target| {
        (held.state.targets.get(&target.name)).is_some_and(|process| {
            (&process.host, &process.folder) != (&target.host, &target.folder)
        })
    };
    let moved: Vec<&str> = (targets.iter().filter(moved))
        .map(|target| target.name.as_str())
        .collect();
    if moved.is_empty() {
        return Ok(());
    }
    let stopped = shutdown::stop_workers(held, |name| moved.contains(&name)).await?;
    match stopped.iter().find(|target| target.error.is_some()) {
        None => Ok(()),
        Some(target) => fail!(
            "target '{}' was moved, and its worker still runs on {}: {}",
            target.target,
            target.host,
            target.error.as_deref().unwrap_or_default()
        ),
    }
}

/// Where a target's process has its files.
fn folder_of(held: &Held, target: &Target) -> Folder {
    held.place()
        .folder_on(&target.host, target.folder.as_deref())
}

/// Starts what waits, `at_once` at a time, and collects how each went.
async fn launch_all(
    held: &mut Held,
    mut waiting: VecDeque<Launch>,
    at_once: usize,
    mut starts: mpsc::Receiver<(String, Started)>,
    reports: &mut BTreeMap<String, TargetReport>,
) -> Result<()> {
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < at_once
            && let Some(launch) = waiting.pop_front()
        {
            let process =
                Process::starting(launch.target.host.clone(), launch.target.folder.clone());
            let name = launch.target.name.clone();
            held.change(|state| {
                // What is known of one that runs stays known.
                let known = state.targets.entry(name);
                known
                    .and_modify(|process| process.phase = Phase::Starting)
                    .or_insert(process);
            })?;
            under_way.spawn(launch.run());
        }
        tokio::select! {
            biased;
            Some((name, started)) = starts.recv() => held.change(|state| {
                if let Some(process) = state.targets.get_mut(&name) {
                    let same = process.pid == started.pid && process.born == started.born;
                    (process.pid, process.born) = (started.pid, started.born);
                    if !same {
                        process.phase = Phase::Started;
                        process.joined = None;
                    }
                }
            })?,
            ended = under_way.join_next() => match ended {
                None => return Ok(()),
                Some(done) => {
                    let (mut report, is_untouched) =
                        done.context("a target's boot ended by a fault in the program")?;
                    let known = held.state.targets.get(&report.target);
                    let known = known.and_then(|process| process.joined.clone());
                    if let Some(known) = known.filter(|known| {
                        report.joined.as_ref().is_some_and(|new| new.process == known.process)
                    }) {
                        // It took what it took when it was started.
                        report.joined = Some(known);
                    }
                    note(held, &report, is_untouched).await?;
                    reports.insert(report.target.clone(), report);
                }
            },
        }
    }
}

/// Writes down how a target's boot ended; one that failed is stopped and forgotten.
async fn note(held: &mut Held, report: &TargetReport, is_untouched: bool) -> Result<()> {
    let was_known = |process: &Process| process.pid != 0;
    if report.state == TargetState::Failed {
        // Where nothing was started nothing has to be stopped, unless it ran before.
        if is_untouched
            && !held
                .state
                .targets
                .get(&report.target)
                .is_some_and(was_known)
        {
            held.change(|state| {
                state.targets.remove(&report.target);
            })?;
            return Ok(());
        }
        shutdown::stop_workers(held, |name| name == report.target).await?;
        return Ok(());
    }
    held.change(|state| {
        if let Some(process) = state.targets.get_mut(&report.target) {
            process.phase = Phase::Ready;
            process.joined.clone_from(&report.joined);
        }
    })?;
    Ok(())
}

/// Asks the farm again and again who is there.
async fn watch_workers(
    control: &RedisControl,
    seen: &watch::Sender<Vec<WorkerSummary>>,
) -> std::convert::Infallible {
    loop {
        match control.workers().await {
            Ok(workers) => {
                seen.send_replace(workers);
            }
            Err(error) => tracing::warn!(%error, "the farm does not say who is there"),
        }
        tokio::time::sleep(GLANCE).await;
    }
}

fn failed(target: &Target, error: String, output: Vec<String>) -> TargetReport {
    TargetReport {
        target: target.name.clone(),
        host: target.host.shown(),
        state: TargetState::Failed,
        pid: None,
        joined: None,
        error: Some(error),
        output,
    }
}

impl Launch {
    /// How it went, and whether nothing of it can run.
    async fn run(mut self) -> (TargetReport, bool) {
        let began = Instant::now();
        let report = match self.started_and_joined(began).await {
            Ok(report) => report,
            Err((error, output)) => failed(&self.target, error, output),
        };
        (report, self.is_untouched)
    }

    async fn started_and_joined(
        &mut self,
        began: Instant,
    ) -> std::result::Result<TargetReport, (String, Vec<String>)> {
        let limit = self.target.boot_timeout;
        let process = script::Process {
            name: &self.target.name,
            program: &self.target.worker,
            arguments: &self.invocation.arguments,
            environment: &self.invocation.environment,
            within: (self.target.host == Host::Local).then_some("/"),
        };
        let started = start(&self.target.host, &self.folder, &process, limit).await;
        let started = started.map_err(|error| {
            self.is_untouched = error.is_untouched();
            (error.to_string(), Vec::new())
        })?;
        let start = (self.target.name.clone(), started.clone());
        let _ = self.starts.send(start).await;
        let joins =
            tokio::time::timeout(limit.saturating_sub(began.elapsed()), self.joins(&started));
        let why = match joins.await {
            Ok(Ok(worker)) => return Ok(self.report(&started, &worker, began)),
            Ok(Err(why)) => why,
            Err(_) => format!("it did not join the farm within {} s", limit.as_secs()),
        };
        let (target, folder) = (&self.target, &self.folder);
        let mut said = last_words(&target.host, folder, &target.name, LOOK_LIMIT).await;
        Err((why, said.split_off(said.len().saturating_sub(LAST_LINES))))
    }

    /// Waits for the worker to show itself in the farm; why it does not, where its process has ended.
    async fn joins(&mut self, started: &Started) -> std::result::Result<WorkerSummary, String> {
        let host = self.target.host.clone();
        let look = LOOKS[usize::from(host != Host::Local)];
        let identity = (started.pid, started.born.as_str());
        let mut next_look = Instant::now() + look;
        loop {
            let found = {
                self.workers.mark_unchanged();
                let seen = self.workers.borrow();
                seen.iter()
                    .find(|worker| self.is_it(worker, started))
                    .cloned()
            };
            if let Some(worker) = found {
                return Ok(worker);
            }
            let _ = tokio::time::timeout(look, self.workers.changed()).await;
            if Instant::now() < next_look {
                continue;
            }
            let alive =
                is_alive(&host, &self.folder, &self.target.name, identity, LOOK_LIMIT).await;
            match alive {
                Ok(true) => {}
                Ok(false) => return Err("its worker ended before it joined the farm".to_owned()),
                Err(error) => tracing::warn!(%error, target = self.target.name, "out of sight"),
            }
            next_look = Instant::now() + look;
        }
    }

    /// Whether a worker of the farm is this target's: by its process, or as one of that name that was not there before.
    fn is_it(&self, worker: &WorkerSummary, started: &Started) -> bool {
        // It shows itself before it says what it is.
        worker.record.name == self.target.name
            && worker.record.about.pid != 0
            && (worker.record.about.pid == started.pid
                || !started.again && !self.before.contains(&worker.process))
    }

    fn report(&self, started: &Started, worker: &WorkerSummary, began: Instant) -> TargetReport {
        let about = &worker.record.about;
        TargetReport {
            target: self.target.name.clone(),
            host: self.target.host.shown(),
            state: if started.again {
                TargetState::Running
            } else {
                TargetState::Booted
            },
            pid: Some(started.pid),
            joined: Some(Joined {
                process: worker.process.clone(),
                machine: about.host.clone(),
                devices: about.devices.clone(),
                arithmetic: about.arithmetics.clone(),
                speed: about.speed,
                boot_secs: began.elapsed().as_secs_f64(),
            }),
            error: None,
            output: Vec::new(),
        }
    }
}
