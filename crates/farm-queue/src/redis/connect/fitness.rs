//! Whether a server is fit for a farm: its version, its kind, and what it does when its memory is short.

use ::redis::{ErrorKind, Pipeline, ServerErrorKind, from_redis_value};

use super::errors::CLUSTER;
use super::link::Link;
use super::server::Server;
use super::timeouts::CONTROL_TIMEOUT;
use crate::queue::QueueError;

/// Oldest server that has all we use (`XPENDING IDLE`, flags of scripts).
const OLDEST_MAJOR_VERSION: u32 = 7;
/// Why a Sentinel is no server for a farm.
const SENTINEL: &str = "it is a Sentinel, which holds no data; redis+sentinel://HOST:PORT/NAME leads to what it calls NAME";

/// Whether strips are safe on the server of `link`, and what it says of its memory.
///
/// # Errors
/// [`QueueError::Unfit`] where they are not, and whatever keeps the server from answering.
pub(in crate::redis) async fn check_server(link: &Link) -> Result<Memory, QueueError> {
    let memory = Memory::read(link).await?;
    memory.check_policy(link.server())?;
    Ok(memory)
}

/// What a server says of its memory; nothing of all this where it may not be asked.
#[derive(Debug, Default)]
pub(in crate::redis) struct Memory {
    /// In bytes; 0: none.
    pub(in crate::redis) limit: u64,
    /// The policy by which it throws keys away at its limit, if it does.
    evicting: Option<String>,
    /// Keys that it threw away since it was started.
    pub(in crate::redis) evicted: u64,
}

impl Memory {
    /// What the server of `link` says of its memory.
    ///
    /// # Errors
    /// [`QueueError::Unfit`] where it is too old, a Sentinel or part of a cluster, and whatever keeps it from answering.
    pub(in crate::redis) async fn read(link: &Link) -> Result<Self, QueueError> {
        let server = link.server();
        let mut ask = Pipeline::new();
        ask.cmd("PING");
        for section in ["server", "memory", "stats"] {
            ask.cmd("INFO").arg(section);
        }
        let answers = link.pipeline(&ask, CONTROL_TIMEOUT).await?;
        let mut texts = Vec::new();
        for answer in answers {
            match answer.extract_error() {
                Ok(value) => texts.push(from_redis_value::<String>(value).unwrap_or_default()),
                Err(error) => {
                    let noperm = error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm);
                    if !noperm {
                        return Err(server.error(&error));
                    }
                    // A worker's user may be denied INFO; then the submitter's check has to do.
                    texts.push(String::new());
                }
            }
        }
        let field = |name: &str| {
            (texts.iter().flat_map(|text| text.lines()))
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .map(str::trim)
        };
        // Valkey has names of its own for this.
        match field("redis_mode").or_else(|| field("server_mode")) {
            Some("cluster") => return Err(server.unfit(CLUSTER.to_owned())),
            Some("sentinel") => return Err(server.unfit(SENTINEL.to_owned())),
            _ => {}
        }
        if let Some(version) = field("redis_version") {
            let major = version.split('.').next().and_then(|part| part.parse().ok());
            if major.is_none_or(|major: u32| major < OLDEST_MAJOR_VERSION) {
                return Err(server.unfit(format!(
                    "its version is {version}, and {OLDEST_MAJOR_VERSION}.0 or later is needed"
                )));
            }
        }
        let number = |name| field(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Self {
            limit: number("maxmemory"),
            evicted: number("evicted_keys"),
            evicting: field("maxmemory_policy")
                .filter(|policy| *policy != "noeviction")
                .map(str::to_owned),
        })
    }

    /// Whether a server with this memory keeps what it has when memory is short.
    ///
    /// # Errors
    /// [`QueueError::Unfit`], with the command that sets it up as it should be, where it does not.
    pub(in crate::redis) fn check_policy(&self, server: &Server) -> Result<(), QueueError> {
        match &self.evicting {
            Some(policy) if self.limit > 0 => Err(server.unfit(format!(
                "its maxmemory-policy is {policy}, which throws strips away when memory is short; \
                 set it with: CONFIG SET maxmemory-policy noeviction"
            ))),
            _ => Ok(()),
        }
    }
}
