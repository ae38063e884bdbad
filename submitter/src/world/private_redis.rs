//! The redis-server of a world that names none: on a socket that nobody but its user can open, for as long as the
//! network runs; and the tunnels to it, one for each other machine, which ssh keeps open.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use farm_queue::redis::{ConnectOptions, RedisControl};

use super::host::ssh_arguments;
use super::script;
use super::start::{Started, start};
use super::state::{Held, Phase, Process, Tunnel};
use super::target::{Host, Remote};

/// Name of its process; no target's begins like it.
pub const SERVER: &str = "_redis";
/// How names of tunnels' processes begin.
pub const TUNNEL: &str = "_tunnel-";
/// Its program.
const PROGRAM: &str = "redis-server";
/// Name of the socket, here and at a tunnel's other end.
const SOCKET: &str = "redis.sock";
const CONFIG: &str = "redis.conf";
/// Longest path that a socket may have on every system, in bytes.
const MAX_SOCKET_PATH: usize = 100;
/// How long it may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long a short script may take elsewhere.
const SCRIPT_LIMIT: Duration = Duration::from_secs(30);
/// Most memory of its data: a farm's window takes at most a quarter of it.
const MAX_MEMORY: &str = "1gb";
const GLANCE: Duration = Duration::from_millis(20);

/// Makes sure that it runs; its address.
///
/// # Errors
/// When it does not start.
pub async fn ensure(held: &mut Held) -> anyhow::Result<String> {
    let socket = match (&held.state.redis, &held.state.server) {
        (Some(url), Some(_)) => url.trim_start_matches("unix://").to_owned(),
        _ => place_socket(held)?,
    };
    let url = format!("unix://{socket}");
    let folder = held.place().folder.clone();
    let config = folder.join(CONFIG);
    std::fs::write(&config, configuration(&socket, &folder)?)
        .with_context(|| format!("{}: cannot be written", config.display()))?;
    let mut process = Process {
        host: Host::Local,
        folder: None,
        phase: Phase::Starting,
        pid: 0,
        born: String::new(),
        joined: None,
    };
    held.change(|state| {
        state.redis = Some(url.clone());
        state.server.get_or_insert_with(|| process.clone());
    })?;
    let arguments = [config.to_string_lossy().into_owned()];
    let launch = script::Process {
        name: SERVER,
        program: PROGRAM,
        arguments: &arguments,
        environment: &[],
        within: Some("/"),
    };
    let place = held.place().folder_on(&Host::Local, None);
    let started = start(&Host::Local, &place, &launch, START_LIMIT).await;
    let Started { pid, born, .. } = started.context("the world's own Redis")?;
    (process.pid, process.born) = (pid, born);
    process.phase = Phase::Ready;
    held.change(|state| state.server = Some(process))?;
    let began = Instant::now();
    loop {
        match RedisControl::connect(ConnectOptions::new(url.as_str())).await {
            Ok(_) => return Ok(url),
            Err(error) if began.elapsed() > START_LIMIT => {
                let said = Host::Local
                    .run(&script::tail(&place, SERVER), SCRIPT_LIMIT)
                    .await;
                let said = said.unwrap_or_default();
                let last = said.lines().last().unwrap_or_default().to_owned();
                bail!("the world's own Redis does not answer: {error}; its last words: {last}");
            }
            Err(_) => tokio::time::sleep(GLANCE).await,
        }
    }
}

/// A path for the socket: in the state's folder, or in a new one where that is too long for a socket.
fn place_socket(held: &mut Held) -> anyhow::Result<String> {
    let near = held.place().folder.join(SOCKET);
    let shown = near.to_string_lossy().into_owned();
    if shown.len() <= MAX_SOCKET_PATH && !shown.contains(['?', '#', '%', ' ']) {
        return Ok(shown);
    }
    let folder = tempfile::Builder::new()
        .prefix("mandelfarm-")
        .tempdir()
        .context("no folder for the socket of the world's own Redis")?
        .keep();
    let socket = folder.join(SOCKET).to_string_lossy().into_owned();
    held.change(|state| state.socket_folder = Some(folder))?;
    Ok(socket)
}

/// Its configuration: a socket for its user alone, no port, nothing on the disk, nothing thrown away.
fn configuration(socket: &str, folder: &Path) -> anyhow::Result<String> {
    let quoted = |path: &str| -> anyhow::Result<String> {
        if path.contains(['"', '\\', '\n']) {
            bail!("{path}: a folder that redis-server cannot be told of");
        }
        Ok(format!("\"{path}\""))
    };
    let (socket, folder) = (quoted(socket)?, quoted(&folder.to_string_lossy())?);
    Ok(format!(
        "port 0\nunixsocket {socket}\nunixsocketperm 700\ndir {folder}\nsave \"\"\nappendonly no\n\
         maxmemory {MAX_MEMORY}\nmaxmemory-policy noeviction\ndaemonize no\nlogfile \"\"\nloglevel warning\n"
    ))
}

/// Makes sure that a tunnel leads from another machine to the socket of `url`; the address there.
///
/// # Errors
/// When ssh does not get there, or that machine forwards no sockets.
pub async fn tunnel(held: &mut Held, remote: &Remote, url: &str) -> anyhow::Result<String> {
    let from = Host::Ssh(remote.clone());
    let (name, known) = named(held, &from);
    let place = held.place().folder_on(&Host::Local, None);
    if let Some(tunnel) = &known {
        let look = script::look(&place, [name.as_str()].into_iter());
        let seen = Host::Local.run(&look, SCRIPT_LIMIT).await?;
        if !seen.is_empty() && !tunnel.folder.is_empty() {
            return Ok(format!("unix://{}/{SOCKET}", tunnel.folder));
        }
        close(held, &name).await?;
    }
    let made = from.run(
        "umask 077; mktemp -d \"${TMPDIR:-/tmp}/mandelfarm.XXXXXX\"",
        SCRIPT_LIMIT,
    );
    let folder = made.await?.trim().to_owned();
    let process = Process {
        host: Host::Local,
        folder: None,
        phase: Phase::Starting,
        pid: 0,
        born: String::new(),
        joined: None,
    };
    let mut tunnel = Tunnel {
        process,
        from: from.clone(),
        folder: folder.clone(),
    };
    held.change(|state| {
        state.tunnels.insert(name.clone(), tunnel.clone());
    })?;
    let there = format!("{folder}/{SOCKET}");
    let mut arguments = ssh_arguments(remote);
    let forward = format!("{there}:{}", url.trim_start_matches("unix://"));
    for word in [
        "-N",
        "-o",
        "ExitOnForwardFailure=yes",
        "-R",
        &forward,
        "--",
        &remote.host,
    ] {
        arguments.push(word.to_owned());
    }
    let launch = script::Process {
        name: &name,
        program: "ssh",
        arguments: &arguments,
        environment: &[],
        within: Some("/"),
    };
    let Started { pid, born, .. } = start(&Host::Local, &place, &launch, START_LIMIT).await?;
    (tunnel.process.pid, tunnel.process.born) = (pid, born);
    tunnel.process.phase = Phase::Ready;
    held.change(|state| {
        state.tunnels.insert(name.clone(), tunnel);
    })?;
    let wait = format!(
        "tries=0; until [ -S {socket} ]; do tries=$((tries + 1)); [ $tries -gt 200 ] && exit 1; \
         sleep 0.05 2>/dev/null || sleep 1; done",
        socket = script::quoted(&there)
    );
    if from.run(&wait, SCRIPT_LIMIT).await.is_err() {
        let said = Host::Local
            .run(&script::tail(&place, &name), SCRIPT_LIMIT)
            .await;
        let said = said.unwrap_or_default();
        let last = said
            .lines()
            .last()
            .unwrap_or("no socket appeared")
            .trim()
            .to_owned();
        close(held, &name).await?;
        bail!("no tunnel to {}: {last}", from.shown());
    }
    Ok(format!("unix://{there}"))
}

/// The tunnel from a machine, or a name for one.
fn named(held: &Held, from: &Host) -> (String, Option<Tunnel>) {
    let tunnels = &held.state.tunnels;
    if let Some((name, tunnel)) = tunnels.iter().find(|(_, tunnel)| tunnel.from == *from) {
        return (name.clone(), Some(tunnel.clone()));
    }
    let free = (0..).map(|number| format!("{TUNNEL}{number}"));
    let mut free = free.filter(|name| !tunnels.contains_key(name));
    (free.next().unwrap_or_default(), None)
}

/// Closes a tunnel, and removes its socket from the other machine as far as that can be reached.
///
/// # Errors
/// When its process cannot be stopped.
pub async fn close(held: &mut Held, name: &str) -> anyhow::Result<()> {
    let Some(tunnel) = held.state.tunnels.get(name).cloned() else {
        return Ok(());
    };
    let place = held.place().folder_on(&Host::Local, None);
    end(&place, name).await?;
    if !tunnel.folder.is_empty() {
        let there = script::quoted(&tunnel.folder);
        let remove = format!("rm -f {there}/{SOCKET}; rmdir {there} 2>/dev/null || :");
        if let Err(error) = tunnel.from.run(&remove, SCRIPT_LIMIT).await {
            tracing::warn!(%error, folder = tunnel.folder, "a tunnel's socket is left");
        }
    }
    held.change(|state| {
        state.tunnels.remove(name);
    })?;
    Ok(())
}

/// Stops the server and removes its files.
///
/// # Errors
/// When it cannot be stopped.
pub async fn stop(held: &mut Held) -> anyhow::Result<()> {
    let place = held.place().folder_on(&Host::Local, None);
    end(&place, SERVER).await?;
    let folder = held.place().folder.clone();
    for name in [CONFIG, SOCKET] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    let elsewhere: Option<PathBuf> = held.state.socket_folder.clone();
    if let Some(elsewhere) = elsewhere {
        let _ = std::fs::remove_file(elsewhere.join(SOCKET));
        let _ = std::fs::remove_dir(elsewhere);
    }
    held.change(|state| {
        state.server = None;
        state.socket_folder = None;
        state.redis = None;
    })?;
    Ok(())
}

/// Stops one of this machine's processes, and sweeps up after it.
async fn end(place: &script::Folder, name: &str) -> anyhow::Result<()> {
    let limit = SCRIPT_LIMIT + script::GRACE;
    let said = Host::Local
        .run(&script::stop(place, [name].into_iter(), 0), limit)
        .await?;
    if said.contains("stays") {
        bail!("{name}: the process does not end");
    }
    Host::Local
        .run(&script::sweep(place, [name].into_iter()), SCRIPT_LIMIT)
        .await?;
    Ok(())
}
