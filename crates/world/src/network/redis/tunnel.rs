//! Tunnels from other machines to the Redis of a world that names none: one for each machine, which an ssh here keeps open,
//! from a socket in a new folder there that nobody but its user can open.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::task::JoinSet;

use super::private_redis::{SOCKET, end};
use crate::error::Result;
use crate::machine::host::{Host, HostError, Remote, ssh_arguments};
use crate::machine::script::{self, Folder};
use crate::machine::start::{Started, last_words, start};
use crate::network::state::{Held, Phase, Process, Tunnel};
use crate::network::target::Target;

/// How names of tunnels' processes begin; no target's begins so.
const NAME: &str = "_tunnel-";
/// How long a short script may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Machines that are asked at a time: sshd lets in only so many at once.
const AT_ONCE: usize = 8;

/// The address of the Redis on each machine, or why there is none.
pub type Gates = BTreeMap<Host, Result<String, String>>;

/// Makes sure that each machine of `targets` but this one has a tunnel to the socket of `redis`.
///
/// # Errors
/// When the state cannot be written; machines that are out of reach are part of the answer.
pub async fn ensure(held: &mut Held, targets: &[Target], redis: &str) -> Result<Gates> {
    let is_far = |target: &&Target| target.host != Host::Local;
    let hosts: BTreeSet<Host> = (targets.iter().filter(is_far))
        .map(|target| target.host.clone())
        .collect();
    let mut gates = Gates::new();
    let mut lacking = Vec::new();
    for host in hosts {
        match standing(held, &host).await? {
            Some(address) => {
                gates.insert(host, Ok(address));
            }
            None => lacking.push((host, FOLDER.to_owned())),
        }
    }
    let mut waits = Vec::new();
    for (host, folder) in on_all(lacking).await {
        let folder = match folder {
            Ok(folder) => folder.trim().to_owned(),
            Err(error) => {
                gates.insert(host, Err(error.to_string()));
                continue;
            }
        };
        let socket = format!("{folder}/{SOCKET}");
        match open(held, &host, folder, redis).await {
            Ok(()) => waits.push((host, wait_for(&socket))),
            Err(error) => {
                gates.insert(host, Err(error.line()));
            }
        }
    }
    for (host, there) in on_all(waits).await {
        let Some((name, tunnel)) = known(held, &host) else {
            continue;
        };
        let gate = match there {
            Ok(_) => Ok(address(&tunnel)),
            Err(_) => {
                let said = last_words(&Host::Local, &here(held), &name, LIMIT).await;
                close(held, &name).await?;
                let said = (said.last()).map_or("no socket appeared there", |line| line.trim());
                Err(format!("no tunnel from {}: {said}", host.shown()))
            }
        };
        gates.insert(host, gate);
    }
    Ok(gates)
}

/// Makes a folder for a socket, and says where.
const FOLDER: &str = "umask 077; mktemp -d \"${TMPDIR:-/tmp}/mandelfarm.XXXXXX\"";

/// Waits until a socket is there.
fn wait_for(socket: &str) -> String {
    format!(
        "tries=0; until [ -S {} ]; do tries=$((tries + 1)); [ $tries -gt 200 ] && exit 1; \
         sleep 0.05 2>/dev/null || sleep 1; done",
        script::quoted(socket)
    )
}

/// Runs a script on each machine, some at a time.
async fn on_all(scripts: Vec<(Host, String)>) -> Vec<(Host, Result<String, HostError>)> {
    let mut waiting = scripts.into_iter();
    let mut under_way = JoinSet::new();
    let mut all = Vec::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some((host, script)) = waiting.next()
        {
            under_way.spawn(async move {
                let said = host.run(&script, LIMIT).await;
                (host, said)
            });
        }
        match under_way.join_next().await {
            None => return all,
            Some(done) => all.extend(done.ok()),
        }
    }
}

fn known(held: &Held, from: &Host) -> Option<(String, Tunnel)> {
    let mut tunnels = held.state.tunnels.iter();
    let found = tunnels.find(|(_, tunnel)| tunnel.from == *from);
    found.map(|(name, tunnel)| (name.clone(), tunnel.clone()))
}

fn address(tunnel: &Tunnel) -> String {
    format!("unix://{}/{SOCKET}", tunnel.folder)
}

/// The address at the other end of a tunnel that stands; one that broke is cleared away.
async fn standing(held: &mut Held, from: &Host) -> Result<Option<String>> {
    let Some((name, tunnel)) = known(held, from) else {
        return Ok(None);
    };
    let look = script::look(&here(held), [name.as_str()].into_iter());
    if !Host::Local.run(&look, LIMIT).await?.is_empty() {
        return Ok(Some(address(&tunnel)));
    }
    close(held, &name).await?;
    Ok(None)
}

fn here(held: &Held) -> Folder {
    held.place().folder_on(&Host::Local, None)
}

/// Starts the ssh that keeps a tunnel open.
async fn open(held: &mut Held, from: &Host, folder: String, redis: &str) -> Result<()> {
    let Host::Ssh(remote) = from else {
        return Ok(());
    };
    let mut free = (0..).map(|number| format!("{NAME}{number}"));
    let name = free.find(|name| !held.state.tunnels.contains_key(name));
    let name = name.unwrap_or_default();
    let mut tunnel = Tunnel {
        process: Process::starting(Host::Local, None),
        from: from.clone(),
        folder,
    };
    held.change(|state| {
        state.tunnels.insert(name.clone(), tunnel.clone());
    })?;
    let arguments = arguments(remote, &tunnel.folder, redis);
    let launch = script::Process {
        name: &name,
        program: "ssh",
        arguments: &arguments,
        environment: &[],
        within: Some("/"),
    };
    let Started { pid, born, .. } = start(&Host::Local, &here(held), &launch, LIMIT).await?;
    (tunnel.process.pid, tunnel.process.born) = (pid, born);
    tunnel.process.phase = Phase::Ready;
    held.change(|state| {
        state.tunnels.insert(name, tunnel);
    })?;
    Ok(())
}

fn arguments(remote: &Remote, folder: &str, redis: &str) -> Vec<String> {
    let mut words = ssh_arguments(remote);
    let forward = format!("{folder}/{SOCKET}:{}", redis.trim_start_matches("unix://"));
    // A connection of its own: one that is shared would carry the tunnel on when this process has ended.
    for word in [
        "-N",
        "-o",
        "ExitOnForwardFailure=yes",
        "-o",
        "ControlMaster=no",
        "-o",
        "ControlPath=none",
        "-R",
        &forward,
        "--",
        &remote.host,
    ] {
        words.push(word.to_owned());
    }
    words
}

/// Closes a tunnel, and removes its socket from the other machine as far as that can be reached.
///
/// # Errors
/// When its process cannot be stopped.
pub async fn close(held: &mut Held, name: &str) -> Result<()> {
    let Some(tunnel) = held.state.tunnels.get(name).cloned() else {
        return Ok(());
    };
    end(&here(held), name).await?;
    let there = script::quoted(&tunnel.folder);
    let remove = format!("rm -f {there}/{SOCKET}; rmdir {there} 2>/dev/null || :");
    if let Err(error) = tunnel.from.run(&remove, LIMIT).await {
        tracing::warn!(%error, folder = tunnel.folder, "a tunnel's socket is left");
    }
    held.change(|state| {
        state.tunnels.remove(name);
    })?;
    Ok(())
}
