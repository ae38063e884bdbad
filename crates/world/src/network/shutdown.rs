//! Stops what runs for a network: workers first, which give back what they have in hand, then tunnels and the world's
//! own Redis. It goes by the state alone: what the world file says by now does not matter.

use std::time::Duration;

use crate::error::{Result, fail};
use farm_queue::redis::{ConnectOptions, PRESENCE_LIFETIME, RedisControl};
use serde::Serialize;
use tokio::task::JoinSet;

use super::redis::{private_redis, tunnel};
use super::state::{Batch, Held, Phase};
use crate::machine::host::Host;
use crate::machine::script::{self, GRACE};

/// How long a machine may take to stop its processes.
const LIMIT: Duration = Duration::from_secs(30);
/// How often to look for a process that its machine may be about to start: here, elsewhere; each takes 0.05 s.
const PATIENCE: [u32; 2] = [20, 100];
/// How often a farm that goes on is asked whether workers are forgotten, and how long one is waited for.
const GLANCE: Duration = Duration::from_millis(250);
const FORGETTING: Duration = PRESENCE_LIFETIME.saturating_add(Duration::from_secs(1));

/// What became of a target's worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// The target.
    pub target: String,
    /// Its machine.
    pub host: String,
    /// `ended`, `killed`, `gone` (it did not run), `stays` (not even killed it ended), or `out of reach`.
    pub how: String,
    /// Why it may still run: it stays, or is out of reach.
    pub error: Option<String>,
}

/// Stops the workers whose targets are `wanted`, and forgets those that do not run any more.
///
/// # Errors
/// When the state cannot be written.
pub async fn stop_workers(held: &mut Held, wanted: impl Fn(&str) -> bool) -> Result<Vec<Stopped>> {
    let processes = held.state.targets.iter();
    let processes = processes.filter(|(name, _)| wanted(name));
    let mut tasks: JoinSet<_> = held.place().batches(processes).map(stop_batch).collect();
    let mut all = Vec::new();
    while let Some(stopped) = tasks.join_next().await {
        let stopped = stopped?;
        held.change(|state| {
            for target in &stopped {
                if target.error.is_none() {
                    state.targets.remove(&target.target);
                }
            }
        })?;
        all.extend(stopped);
    }
    all.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(all)
}

async fn stop_batch(batch: Batch) -> Vec<Stopped> {
    let Batch {
        host,
        folder,
        processes,
    } = batch;
    // Only what may be about to start is waited for.
    let starting = (processes.iter()).any(|(_, process)| process.phase == Phase::Starting);
    let patience = if starting {
        PATIENCE[usize::from(host != Host::Local)]
    } else {
        0
    };
    let names = || processes.iter().map(|(name, _)| name.as_str());
    let said = host
        .run(&script::stop(&folder, names(), patience), LIMIT + GRACE)
        .await;
    let how = |name: &str| -> (String, Option<String>) {
        let said = match &said {
            Ok(said) => said,
            Err(error) => return ("out of reach".to_owned(), Some(error.to_string())),
        };
        let mut lines = said.lines().filter_map(|line| line.split_once(' '));
        match lines.find(|(of, _)| *of == name) {
            Some((_, "stays")) => {
                let why = "the process does not end, not even when it is killed";
                ("stays".to_owned(), Some(why.to_owned()))
            }
            Some((_, how)) => (how.to_owned(), None),
            None => ("gone".to_owned(), None),
        }
    };
    let stopped: Vec<Stopped> = names()
        .map(|name| {
            let (how, error) = how(name);
            Stopped {
                target: name.to_owned(),
                host: host.shown(),
                how,
                error,
            }
        })
        .collect();
    let done = (stopped.iter()).filter(|target| target.error.is_none());
    let done: Vec<&str> = done.map(|target| target.target.as_str()).collect();
    if !done.is_empty() {
        let sweep = script::sweep(&folder, done.into_iter());
        if let Err(error) = host.run(&sweep, LIMIT).await {
            tracing::warn!(%error, "files of workers are left");
        }
    }
    stopped
}

/// Stops everything; the state is gone when all of it is. `farm` is the way into a Redis that goes on.
///
/// # Errors
/// When something cannot be stopped: the state is kept then, and the same command tries again.
pub async fn shut_down(mut held: Held, farm: Option<ConnectOptions>) -> Result<Vec<Stopped>> {
    let processes: Vec<String> = (held.state.targets.values())
        .filter_map(|process| Some(process.joined.as_ref()?.process.clone()))
        .collect();
    let stopped = stop_workers(&mut held, |_| true).await?;
    if let Some(target) = stopped.iter().find(|target| target.error.is_some()) {
        let error = target.error.as_deref().unwrap_or_default();
        let rest = stopped
            .iter()
            .filter(|target| target.error.is_some())
            .count()
            - 1;
        let more = if rest > 0 {
            format!(" (and {rest} more)")
        } else {
            String::new()
        };
        fail!(
            "target '{}' still runs: {error}{more}; shut down again when it is in reach",
            target.target
        );
    }
    let tunnels: Vec<String> = held.state.tunnels.keys().cloned().collect();
    for name in tunnels {
        tunnel::close(&mut held, &name).await?;
    }
    if held.state.server.is_some() {
        private_redis::stop(&mut held).await?;
    } else if let Some(farm) = farm
        && !processes.is_empty()
    {
        // However they ended: of one that was killed a moment before nobody can tell that it did not sign off.
        let forgotten = wait_until_forgotten(farm, &processes);
        let _ = tokio::time::timeout(FORGETTING, forgotten).await;
    }
    held.remove();
    Ok(stopped)
}

/// Waits until a farm that goes on has forgotten workers, as it does at once where they sign off; not for one that is
/// out of reach.
async fn wait_until_forgotten(farm: ConnectOptions, processes: &[String]) {
    let Ok(control) = RedisControl::connect(farm).await else {
        return;
    };
    loop {
        let listed = control.workers().await;
        // An error passes, or the time is up.
        let is_forgotten = listed.is_ok_and(|workers| {
            let mut there = workers.iter().map(|worker| &worker.process);
            !there.any(|process| processes.contains(process))
        });
        tokio::time::sleep(GLANCE).await;
        // What a worker said of itself lives a moment longer than its place in the list.
        if is_forgotten {
            return;
        }
    }
}
