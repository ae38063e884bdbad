//! The redis-server of a world that names none: on a socket that nobody but its user can open, for as long as the
//! network runs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Context as _, Result, fail};
use farm_queue::redis::{ConnectOptions, RedisControl};

use crate::machine::host::Host;
use crate::machine::script;
use crate::machine::start::{Started, last_words, start};
use crate::network::state::{Held, Phase, Process};

/// Name of its process; no target's begins like it.
pub const SERVER: &str = "_redis";
/// Its program.
const PROGRAM: &str = "redis-server";
/// Name of the socket, here and at a tunnel's other end.
pub const SOCKET: &str = "redis.sock";
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
pub async fn ensure(held: &mut Held) -> Result<String> {
    let socket = match (&held.state.redis, &held.state.server) {
        (Some(url), Some(_)) => url.trim_start_matches("unix://").to_owned(),
        _ => place_socket(held)?,
    };
    let url = format!("unix://{socket}");
    let folder = held.place().folder.clone();
    let config = folder.join(CONFIG);
    std::fs::write(&config, configuration(&socket, &folder)?)
        .with_context(|| format!("{}: cannot be written", config.display()))?;
    let mut process = Process::starting(Host::Local, None);
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
                let mut said = last_words(&Host::Local, &place, SERVER, SCRIPT_LIMIT).await;
                let last = said.pop().unwrap_or_default();
                fail!("the world's own Redis does not answer: {error}; its last words: {last}");
            }
            Err(_) => tokio::time::sleep(GLANCE).await,
        }
    }
}

/// A path for the socket: in the state's folder, or in a new one where that is too long for a socket.
fn place_socket(held: &mut Held) -> Result<String> {
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
fn configuration(socket: &str, folder: &Path) -> Result<String> {
    let quoted = |path: &str| -> Result<String> {
        if path.contains(['"', '\\', '\n']) {
            fail!("{path}: a folder that redis-server cannot be told of");
        }
        Ok(format!("\"{path}\""))
    };
    let (socket, folder) = (quoted(socket)?, quoted(&folder.to_string_lossy())?);
    Ok(format!(
        "port 0\nunixsocket {socket}\nunixsocketperm 700\ndir {folder}\nsave \"\"\nappendonly no\n\
         maxmemory {MAX_MEMORY}\nmaxmemory-policy noeviction\ndaemonize no\nlogfile \"\"\nloglevel warning\n"
    ))
}

/// Stops the server and removes its files.
///
/// # Errors
/// When it cannot be stopped.
pub async fn stop(held: &mut Held) -> Result<()> {
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
///
/// # Errors
/// When it does not end.
pub async fn end(place: &script::Folder, name: &str) -> Result<()> {
    let limit = SCRIPT_LIMIT + script::GRACE;
    let said = Host::Local
        .run(&script::stop(place, [name].into_iter(), 0), limit)
        .await?;
    if said.contains("stays") {
        fail!("{name}: the process does not end");
    }
    Host::Local
        .run(&script::sweep(place, [name].into_iter()), SCRIPT_LIMIT)
        .await?;
    Ok(())
}
