//! Starts one process of a network, and tells whether one still runs and what one said last.

use std::path::Path;
use std::time::Duration;

use disk::limited::read_text_limited;

use super::host::{Host, HostError};
use super::script::{self, Folder};

/// Most bytes of what the system says of a process.
const MAX_STAT_BYTES: u64 = 1 << 16;

/// A process that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its process id.
    pub pid: u32,
    /// When it was born, as its system says.
    pub born: String,
    /// Whether it ran before.
    pub again: bool,
}

/// Why a process was not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The machine is out of reach.
    #[error(transparent)]
    Host(#[from] HostError),
    /// It has no such program.
    #[error("no program '{program}' on {host}")]
    NoProgram {
        /// The program.
        program: String,
        /// The machine.
        host: String,
    },
    /// It names no process.
    #[error("{host} names no process: {pid}")]
    Pid {
        /// The machine.
        host: String,
        /// What it said.
        pid: String,
    },
    /// Its answer makes no sense.
    #[error("{host} gave no answer that makes sense: {said}")]
    Answer {
        /// The machine.
        host: String,
        /// What it said.
        said: String,
    },
}

impl StartError {
    /// Whether nothing of the process can run: its machine was not reached, or lacks the program.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        match self {
            Self::Host(error) => !error.has_begun(),
            Self::NoProgram { .. } => true,
            Self::Pid { .. } | Self::Answer { .. } => false,
        }
    }
}

/// Starts a process, unless it runs.
///
/// # Errors
/// One line: the machine is out of reach, or lacks the program.
pub async fn start(
    host: &Host,
    folder: &Folder,
    process: &script::Process<'_>,
    limit: Duration,
) -> Result<Started, StartError> {
    let said = host.run(&script::start(folder, process), limit).await?;
    let answer = said.lines().rev().find_map(|line| {
        let mut words = line.split(' ');
        let what = words.next()?;
        Some((
            what.to_owned(),
            words.next().map(str::to_owned),
            words.next().map(str::to_owned),
        ))
    });
    match answer {
        Some((what, Some(pid), Some(born))) if what == "started" || what == "running" => {
            let pid = pid.parse().map_err(|_| StartError::Pid {
                host: host.shown(),
                pid: pid.clone(),
            })?;
            Ok(Started {
                pid,
                born,
                again: what == "running",
            })
        }
        Some((what, ..)) if what == "missing" => Err(StartError::NoProgram {
            program: process.program.to_owned(),
            host: host.shown(),
        }),
        _ => Err(StartError::Answer {
            host: host.shown(),
            said: said.trim().to_owned(),
        }),
    }
}

/// Whether a process runs that `host` was asked to start.
///
/// # Errors
/// When the machine is out of reach.
pub async fn is_alive(
    host: &Host,
    folder: &Folder,
    name: &str,
    (pid, born): (u32, &str),
    limit: Duration,
) -> Result<bool, HostError> {
    if *host == Host::Local
        && let Some(alive) = is_alive_here(pid, born)
    {
        return Ok(alive);
    }
    let seen = host
        .run(&script::look(folder, [name].into_iter()), limit)
        .await?;
    Ok(seen
        .lines()
        .any(|line| line == format!("{name} {pid} {born}")))
}

/// The same on this machine, without starting anything; `None` where the system does not tell.
fn is_alive_here(pid: u32, born: &str) -> Option<bool> {
    std::fs::metadata("/proc/self/stat").ok()?;
    let Ok(stat) = read_text_limited(Path::new(&format!("/proc/{pid}/stat")), MAX_STAT_BYTES)
    else {
        return Some(false);
    };
    // Behind the program's name, which may hold anything: the state, and 19 fields later the time of birth.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    Some(state != "Z" && fields.nth(18)? == born)
}

/// The last lines that a process wrote and logged, without empty ones and without what a terminal would do with them;
/// none where its machine does not tell.
pub async fn last_words(host: &Host, folder: &Folder, name: &str, limit: Duration) -> Vec<String> {
    let said = host.run(&script::tail(folder, name), limit).await;
    let plain = |line: &str| -> String { line.chars().filter(|c| !c.is_control()).collect() };
    (said.unwrap_or_default().lines())
        .map(plain)
        .filter(|line| !line.trim().is_empty())
        .collect()
}
