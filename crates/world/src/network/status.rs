//! What runs of a network: what is written down, what its machines say, and what the farm says.

use std::collections::BTreeMap;
use std::time::Duration;

use farm_queue::redis::control::WorkerSummary;
use farm_queue::redis::{ConnectOptions, RedisControl};
use serde::Serialize;
use tokio::task::JoinSet;

use super::opened::OpenNetwork;
use super::state::{Joined, Place, Process, State};
use crate::error::Result;
use crate::machine::script;

/// How long a machine may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// How a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its worker runs, and the farm knows it.
    Serving,
    /// The same, and it was asked to leave.
    Draining,
    /// Its worker runs, and the farm does not hear of it.
    CutOff,
    /// Its worker was started and runs no more.
    Dead,
    /// Its machine does not answer.
    OutOfReach,
    /// It was not booted.
    Down,
}

/// A target as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct TargetStatus {
    /// Its name.
    pub target: String,
    /// Its machine, as it is reached.
    pub host: String,
    /// How it is.
    pub state: Standing,
    /// Its worker's process id.
    pub pid: Option<u32>,
    /// Strips of which its worker delivered the first buffer.
    pub strips: u64,
    /// What its worker said of itself when it joined.
    #[serde(flatten)]
    pub joined: Option<Joined>,
    /// Why its machine does not answer.
    pub error: Option<String>,
}

/// A network as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The world.
    pub world: String,
    /// The network.
    pub network: String,
    /// Its Redis, where something was booted.
    pub redis: Option<String>,
    /// Why that does not answer.
    pub redis_error: Option<String>,
    /// Its targets, those included that the file has no more and that still run.
    pub targets: Vec<TargetStatus>,
}

impl Status {
    /// How many targets serve.
    #[must_use]
    pub fn serving(&self) -> usize {
        let serving = |target: &&TargetStatus| target.state == Standing::Serving;
        self.targets.iter().filter(serving).count()
    }
}

/// What runs of a network.
///
/// # Errors
/// When its state cannot be read; machines and a Redis that do not answer are part of the report.
pub async fn status(opened: &OpenNetwork) -> Result<Status> {
    let state = opened.place().peek()?;
    let (workers, redis_error) = match &state {
        None => (Vec::new(), None),
        Some(state) => match listed(opened, state).await {
            Ok(workers) => (workers, None),
            Err(error) => (Vec::new(), Some(error.line())),
        },
    };
    let known = state
        .as_ref()
        .map_or_else(BTreeMap::new, |state| state.targets.clone());
    let mut seen = seen(opened.place(), &known).await;
    let mut targets: Vec<TargetStatus> = (opened.targets().iter())
        .map(|target| (target.name.clone(), target.host.shown()))
        .chain((known.iter()).map(|(name, process)| (name.clone(), process.host.shown())))
        .map(|(name, host)| {
            let seen = seen.remove(&name);
            standing(name, host, &known, seen, &workers)
        })
        .collect();
    // A target of the file that was booted comes twice; the first one has what was seen.
    let mut names = std::collections::HashSet::new();
    targets.retain(|target| names.insert(target.target.clone()));
    Ok(Status {
        world: opened.world().name.clone(),
        network: opened.network().name.clone(),
        redis: state.and_then(|state| state.redis),
        redis_error,
        targets,
    })
}

async fn listed(opened: &OpenNetwork, state: &State) -> Result<Vec<WorkerSummary>> {
    let own = opened.farm()?;
    let private = || {
        state
            .redis
            .as_ref()
            .map(|url| ConnectOptions::new(url.as_str()))
    };
    let Some(farm) = own.or_else(private) else {
        return Ok(Vec::new());
    };
    Ok(RedisControl::connect(farm).await?.workers().await?)
}

/// By target: whether its process runs; or why nobody knows.
async fn seen(
    place: &Place,
    known: &BTreeMap<String, Process>,
) -> BTreeMap<String, Result<bool, String>> {
    let mut looks = JoinSet::new();
    for batch in place.batches(known.iter()) {
        looks.spawn(async move {
            let names = batch.processes.iter().map(|(name, _)| name.as_str());
            let said = batch
                .host
                .run(&script::look(&batch.folder, names), LIMIT)
                .await;
            (batch.processes, said.map_err(|error| error.to_string()))
        });
    }
    let mut all = BTreeMap::new();
    while let Some(looked) = looks.join_next().await {
        let Ok((processes, said)) = looked else {
            continue;
        };
        for (name, _) in processes {
            let runs = said.clone().map(|said| {
                let mut first = said.lines().filter_map(|line| line.split(' ').next());
                first.any(|word| word == name)
            });
            all.insert(name, runs);
        }
    }
    all
}

fn standing(
    target: String,
    host: String,
    known: &BTreeMap<String, Process>,
    seen: Option<Result<bool, String>>,
    workers: &[WorkerSummary],
) -> TargetStatus {
    let process = known.get(&target);
    let worker = workers.iter().find(|worker| {
        worker.record.name == target
            && process.is_some_and(|process| {
                let joined = process.joined.as_ref();
                worker.record.about.pid == process.pid
                    || joined.is_some_and(|joined| joined.process == worker.process)
            })
    });
    let (state, error) = match (seen, worker) {
        (None, _) => (Standing::Down, None),
        (Some(Err(error)), _) => (Standing::OutOfReach, Some(error)),
        (Some(Ok(false)), _) => (Standing::Dead, None),
        (Some(Ok(true)), None) => (Standing::CutOff, None),
        (Some(Ok(true)), Some(worker)) if worker.draining => (Standing::Draining, None),
        (Some(Ok(true)), Some(_)) => (Standing::Serving, None),
    };
    TargetStatus {
        target,
        host,
        state,
        pid: process.map(|process| process.pid).filter(|pid| *pid != 0),
        strips: worker.map_or(0, |worker| worker.record.figures.strips),
        joined: process.and_then(|process| process.joined.clone()),
        error,
    }
}
