//! Runs short shell scripts on a target's machine: by `sh` here, by `sh` behind the system's `ssh` elsewhere.
//!
//! Both are the same script by the same way, its standard input, so that nothing of it (passwords least of all)
//! stands on a command line. Nothing waits for longer than it is given, and nothing asks for a password.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// How long ssh may take to connect, in seconds.
const CONNECT_SECS: u32 = 10;
/// Most bytes that are kept of what a script says.
const MAX_OUTPUT: u64 = 1 << 20;
/// ssh's own exit status where it fails itself.
const SSH_FAILED: i32 = 255;

/// A machine behind ssh.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Remote {
    /// Its name, as ssh takes it.
    pub host: String,
    /// Port of its ssh server; ssh's own choice when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// User there; ssh's own choice when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Configuration file for ssh, instead of the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<PathBuf>,
}

/// Where a target's processes run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// On this machine.
    Local,
    /// On another one, behind ssh.
    Ssh(Remote),
}

impl Host {
    /// For people: the machine's name, with user and port where they are given.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Local => "localhost".to_owned(),
            Self::Ssh(remote) => {
                let user = (remote.user.as_ref()).map_or(String::new(), |user| format!("{user}@"));
                let port = remote.port.map_or(String::new(), |port| format!(":{port}"));
                format!("{user}{}{port}", remote.host)
            }
        }
    }
}

/// Why a machine did not do as it was told, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// A program that is needed here cannot be started.
    #[error("cannot start {program}: {reason}")]
    Start {
        /// `ssh` or `sh`.
        program: &'static str,
        /// What the system said.
        reason: String,
    },
    /// ssh did not get there.
    #[error("ssh to {host}: {reason}")]
    Ssh {
        /// Where to.
        host: String,
        /// What it said.
        reason: String,
        /// Whether the script had begun by then.
        begun: bool,
    },
    /// It took too long.
    #[error("{host} did not answer within {secs} s")]
    Hangs {
        /// Where.
        host: String,
        /// How long it was given.
        secs: u64,
        /// Whether the script had begun by then.
        begun: bool,
    },
    /// The script failed.
    #[error("on {host}: {reason}")]
    Script {
        /// Where.
        host: String,
        /// The last that it said.
        reason: String,
    },
}

impl HostError {
    /// Whether the script may have done a part of its work.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        match self {
            Self::Start { .. } => false,
            Self::Ssh { begun, .. } | Self::Hangs { begun, .. } => *begun,
            Self::Script { .. } => true,
        }
    }
}

/// Arguments that every ssh gets: it never asks, never waits for ever, and forwards nothing that it is not told to.
pub fn ssh_arguments(remote: &Remote) -> Vec<String> {
    let mut words: Vec<String> = ["-T", "-x", "-a"].map(str::to_owned).to_vec();
    if let Some(config) = &remote.config {
        words.extend(["-F".to_owned(), config.to_string_lossy().into_owned()]);
    }
    for option in [
        "BatchMode=yes".to_owned(),
        format!("ConnectTimeout={CONNECT_SECS}"),
        "ServerAliveInterval=5".to_owned(),
        "ServerAliveCountMax=3".to_owned(),
        "PermitLocalCommand=no".to_owned(),
    ] {
        words.extend(["-o".to_owned(), option]);
    }
    if let Some(port) = remote.port {
        words.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = &remote.user {
        words.extend(["-l".to_owned(), user.clone()]);
    }
    words
}

impl Host {
    fn command(&self) -> (&'static str, Command) {
        match self {
            Self::Local => {
                let mut command = Command::new("sh");
                command.arg("-s");
                ("sh", command)
            }
            Self::Ssh(remote) => {
                let mut command = Command::new("ssh");
                command.args(ssh_arguments(remote));
                command.args(["-o", "ClearAllForwardings=yes"]);
                command.args(["--", &remote.host, "sh -s"]);
                ("ssh", command)
            }
        }
    }

    /// Runs `script` there; what it wrote to its standard output.
    ///
    /// # Errors
    /// Whatever came in between, and a status other than 0.
    pub async fn run(&self, script: &str, limit: Duration) -> Result<String, HostError> {
        let (program, mut command) = self.command();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C is for this program, which decides what becomes of what it started.
        #[cfg(unix)]
        command.process_group(0);
        let start = |error: io::Error| HostError::Start {
            program,
            reason: error.to_string(),
        };
        let mut child = command.spawn().map_err(start)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let talk = async {
            let write = async {
                if let Some(mut stdin) = stdin {
                    // One that ended before it read all says why by its status.
                    let _ = stdin.write_all(format!("echo\n{script}").as_bytes()).await;
                }
            };
            tokio::join!(
                write,
                keep(stdout, &mut said),
                keep(stderr, &mut complained)
            );
            child.wait().await
        };
        let ended = tokio::time::timeout(limit, talk).await;
        // An empty line first is the sign that the script has begun.
        let begun = *self == Self::Local || !said.is_empty();
        let said = String::from_utf8_lossy(&said);
        let stderr = String::from_utf8_lossy(&complained);
        let Ok(status) = ended else {
            return Err(HostError::Hangs {
                host: self.shown(),
                secs: limit.as_secs(),
                begun,
            });
        };
        match (self, status.map_err(start)?.code()) {
            (_, Some(0)) => Ok(said.strip_prefix('\n').unwrap_or(&said).to_owned()),
            (Self::Ssh(_), Some(SSH_FAILED)) => Err(HostError::Ssh {
                host: self.shown(),
                reason: ssh_reason(&stderr),
                begun,
            }),
            (_, status) => {
                let reason = last_line(&stderr)
                    .map_or_else(|| format!("the shell ended with {status:?}"), str::to_owned);
                Err(HostError::Script {
                    host: self.shown(),
                    reason,
                })
            }
        }
    }
}

async fn keep(pipe: Option<impl AsyncRead + Unpin>, bytes: &mut Vec<u8>) {
    if let Some(pipe) = pipe {
        let _ = pipe.take(MAX_OUTPUT).read_to_end(bytes).await;
    }
}

/// The last line that says something, without what a terminal would do with it.
fn last_line(text: &str) -> Option<&str> {
    let mut lines = text
        .lines()
        .map(|line| line.trim_matches(|c: char| c.is_control() || c == ' '));
    lines.rfind(|line| !line.is_empty())
}

/// What went wrong by what ssh said, with what helps.
fn ssh_reason(said: &str) -> String {
    let last = last_line(said).unwrap_or("it ended without a word");
    let short = last.strip_prefix("ssh: ").unwrap_or(last);
    if said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        "its host key is not the one in known_hosts: somebody may be listening, or it was set up anew".to_owned()
    } else if said.contains("Host key verification failed") {
        "its host key is unknown: connect once by hand, or add it to known_hosts".to_owned()
    } else if said.contains("Permission denied") {
        format!("{short}: no key that it takes (ssh-add -l shows what the agent has)")
    } else {
        short.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn scripts_answer_fail_and_hang() {
        let run = async |script: &str, limit| Host::Local.run(script, limit).await;
        assert_eq!(run("echo a; echo b >&2", LIMIT).await.as_deref(), Ok("a\n"));
        let failed = run("echo x >&2; echo 'why not' >&2; exit 3", LIMIT).await;
        assert_eq!(failed.unwrap_err().to_string(), "on localhost: why not");
        let hangs = run("sleep 20", Duration::from_millis(100))
            .await
            .unwrap_err();
        assert!(matches!(hangs, HostError::Hangs { .. }), "{hangs}");
    }

    #[test]
    fn what_ssh_says_becomes_one_line() {
        for (said, reason) in [
            (
                "ssh: connect to host x port 22: Connection refused\r\n",
                "connect to host x port 22: Connection refused",
            ),
            (
                "No ED25519 host key is known for x\r\nHost key verification failed.\r\n",
                "its host key is unknown",
            ),
            (
                "u@x: Permission denied (publickey).\r\n",
                "u@x: Permission denied (publickey).: no key",
            ),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n",
                "its host key is not the one",
            ),
            ("", "it ended without a word"),
        ] {
            let line = ssh_reason(said);
            assert!(line.starts_with(reason) && !line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn ssh_never_asks() {
        let remote = Remote {
            host: "h".to_owned(),
            port: Some(22),
            user: Some("u".to_owned()),
            config: Some("c".into()),
        };
        let words = ssh_arguments(&remote).join(" ");
        for part in ["-F c", "BatchMode=yes", "ConnectTimeout=", "-p 22", "-l u"] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
}
