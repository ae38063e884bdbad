//! What the errors of the crate mean to the callers of the queue, in one line each.

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::queue::QueueError;
use crate::redis::connect::tls;

/// Most bytes that an error quotes of what the server said.
const MAX_QUOTED_BYTES: usize = 300;

/// What servers answer while something passes: a failover, a start, a script or a disk in the way, replicas that are
/// missing, scripts that somebody throws away again and again.
const PASSING: [&str; 10] = [
    "READONLY",
    "UNBLOCKED",
    "MASTERDOWN",
    "LOADING",
    "BUSY",
    "MISCONF",
    "NOREPLICAS",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "NOSCRIPT",
];
/// Those of them by which it says that it is no master any more.
const DEMOTED: [&str; 3] = ["READONLY", "UNBLOCKED", "MASTERDOWN"];
/// Why a server that is part of a cluster is none for a farm.
pub(super) const CLUSTER: &str =
    "it is part of a Redis Cluster, and a farm needs one server that is none";
/// How a server's user and password are given.
pub(super) const SERVERS_LOGIN: &str = "redis://USER:PASSWORD@HOST";

/// What a connection is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    Plain,
    /// TLS, without showing the server who the client is.
    Anonymous,
    /// TLS, with a client certificate.
    Identified,
}

/// Whom an error came from.
#[derive(Clone, Debug)]
pub(super) struct ErrorOrigin {
    /// As errors name it, without credentials.
    pub(super) address: String,
    pub(super) security: Security,
    /// How its user and password are given.
    pub(super) login: &'static str,
}

impl ErrorOrigin {
    /// What an error means that came while a connection was opened.
    pub(super) fn opening_error(self, error: &RedisError) -> QueueError {
        let security = self.security;
        match self.error(error) {
            // A server without TLS waits for the end of a line that never comes.
            QueueError::Unreachable { address, reason }
                if error.is_timeout() && security != Security::Plain =>
            {
                let reason = format!("{reason} (is there TLS on that port?)");
                QueueError::Unreachable { address, reason }
            }
            other => other,
        }
    }

    /// What an error means to the caller.
    pub(super) fn error(self, error: &RedisError) -> QueueError {
        let Self {
            address,
            security,
            login,
        } = self;
        let reason = one_line(&error.to_string());
        let denied = |address: String, reason: &str| QueueError::Denied {
            address,
            reason: format!("{reason} (give them as {login})"),
        };
        match error.kind() {
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                return denied(address, &reason);
            }
            ErrorKind::Server(
                ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot,
            ) => {
                let reason = CLUSTER.to_owned();
                return QueueError::Unfit { address, reason };
            }
            ErrorKind::Io | ErrorKind::Parse => {
                let reason = if error.is_timeout() {
                    "no answer in time".to_owned()
                } else if let Some(reason) = tls::reason(error) {
                    one_line(&reason)
                } else {
                    // Its alert may be lost with the connection.
                    let hint = match security {
                        Security::Anonymous => {
                            " (it may want a client certificate: --tls-cert and --tls-key)"
                        }
                        Security::Identified => " (it may not accept the client certificate)",
                        Security::Plain => "",
                    };
                    let hint = if was_broken_off(error) { hint } else { "" };
                    format!("{reason}{hint}")
                };
                return QueueError::Unreachable { address, reason };
            }
            _ => {}
        }
        match error.code() {
            Some(code) if PASSING.contains(&code) => {
                // The server's own word for it; the crate has other names for some.
                let detail = error.detail().map_or(reason, one_line);
                let reason = format!("{code}: {detail}");
                QueueError::Unreachable { address, reason }
            }
            Some("NOAUTH" | "WRONGPASS") => denied(address, &reason),
            Some("OOM") => QueueError::OutOfMemory(reason),
            // A script that was refused a command says so in the middle of its own error.
            _ if reason.contains("OOM command not allowed") => QueueError::OutOfMemory(reason),
            _ => QueueError::Server(reason),
        }
    }
}

/// Whether the other side ended a connection that it had taken.
fn was_broken_off(error: &RedisError) -> bool {
    error.is_connection_dropped() && !error.is_connection_refusal()
}

/// What a server or a socket said, as one line of bounded length.
pub(super) fn one_line(text: &str) -> String {
    let cut = &text[..text.floor_char_boundary(MAX_QUOTED_BYTES)];
    cut.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the server wants the text of a script.
pub(in crate::redis) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether the server says that it is no master any more.
pub(super) fn says_demoted(error: &RedisError) -> bool {
    error.code().is_some_and(|code| DEMOTED.contains(&code))
}

/// Whether a stream or its group is gone.
pub(in crate::redis) fn is_no_group(error: &RedisError) -> bool {
    error.code() == Some("NOGROUP")
}
