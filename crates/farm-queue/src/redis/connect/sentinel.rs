//! The server that Sentinels name, asked for anew whenever a connection is opened.
//!
//! The crate's own `SentinelClient` is not used: it logs in wherever a Sentinel points to before anybody can look at
//! that address, which may be another machine and plain text; it needs the right to `ROLE` or `INFO`, which workers
//! do not have; and it has one error for a name that nobody knows and for a master that is down.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ProtocolVersion, RedisConnectionInfo,
    RedisError, Value, cmd, from_redis_value,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::queue::QueueError;
use crate::redis::connect::address::SentinelGroup;
use crate::redis::connect::entrance::Entrance;
use crate::redis::connect::errors::{ErrorOrigin, SERVERS_LOGIN, one_line};
use crate::redis::connect::options::stays_here;
use crate::redis::connect::timeouts::{CONNECT_TIMEOUT, CONTROL_TIMEOUT};

/// How often a Sentinel is asked whether the master is still the same. A master that was replaced on purpose takes
/// writes for ten seconds more until it is told, and what it takes then is lost.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How a Sentinel's own user and password are given.
const SENTINELS_LOGIN: &str = "?sentinel_user=USER&sentinel_pass=PASSWORD behind the address";

/// Sentinels, and how to get into the server that they name.
pub(super) struct Sentinels {
    /// What they call it.
    name: String,
    /// Each with its address.
    sentinels: Vec<(String, Client)>,
    entrance: Entrance,
    server: RedisConnectionInfo,
    /// The server that they named last.
    master: Mutex<Option<String>>,
    /// Counts how often the master turned out to be another one.
    demotions: Arc<AtomicU64>,
    watched: AtomicBool,
}

/// A Sentinel that is asked again and again.
struct WatchedSentinel {
    /// Its place among all.
    index: usize,
    connection: MultiplexedConnection,
    /// The server that it named last.
    master: ConnectionAddr,
}

impl Sentinels {
    /// Those of `place`; nothing is opened yet.
    ///
    /// # Errors
    /// When the crate refuses an address.
    pub(super) fn new(
        place: &SentinelGroup,
        entrance: Entrance,
        server: RedisConnectionInfo,
        demotions: Arc<AtomicU64>,
    ) -> Result<Self, RedisError> {
        let sentinels = (place.sentinels.iter())
            .map(|address| {
                let client = entrance.client(address, &place.own, ProtocolVersion::RESP2)?;
                Ok((address.to_string(), client))
            })
            .collect::<Result<_, RedisError>>()?;
        Ok(Self {
            name: place.name.clone(),
            sentinels,
            entrance,
            server,
            master: Mutex::default(),
            demotions,
            watched: AtomicBool::new(false),
        })
    }

    /// As errors name it: the server, once it is known.
    pub(super) fn address(&self) -> String {
        let master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        master.clone().unwrap_or_else(|| self.place())
    }

    /// As an address names them.
    fn place(&self) -> String {
        let all: Vec<&str> = (self.sentinels.iter())
            .map(|(address, _)| address.as_str())
            .collect();
        format!("{}/{}", all.join(","), self.name)
    }

    /// A new connection to the master. All Sentinels are asked at once; the first one that names a server which is
    /// a master counts, so one that is cut off from the others and behind the times does not.
    ///
    /// # Errors
    /// Why there is none: what the server said that was named, or what the Sentinels said.
    pub(super) async fn open(
        self: &Arc<Self>,
        protocol: ProtocolVersion,
        config: &AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, QueueError> {
        self.watch();
        let mut asked = JoinSet::new();
        for index in 0..self.sentinels.len() {
            let sentinels = Arc::clone(self);
            asked.spawn(async move { sentinels.ask(index).await });
        }
        let mut tried: Vec<ConnectionAddr> = Vec::new();
        let (mut closed, mut failures, mut unknown) = (None, Vec::new(), 0);
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(Ok(Some(address))) if !tried.contains(&address) => {
                    match self.enter(&address, protocol, config).await {
                        Ok(connection) => return Ok(connection),
                        Err(error) => closed = Some(error),
                    }
                    tried.push(address);
                }
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => unknown += 1,
                Ok(Err(error)) => failures.push(error),
                Err(error) => failures.push(QueueError::Server(error.to_string())),
            }
        }
        Err(closed.unwrap_or_else(|| self.nobody(failures, unknown)))
    }

    /// Why no Sentinel named a server: what each of them said, or that so many do not know the name.
    fn nobody(&self, mut failures: Vec<QueueError>, unknown: usize) -> QueueError {
        let address = self.place();
        let stranger = format!("its Sentinels know no master of the name '{}'", self.name);
        if failures.is_empty() {
            let reason = stranger;
            return QueueError::Unfit { address, reason };
        }
        // What does not pass by itself is said as it is, where there is nothing else.
        let passes = |error: &QueueError| matches!(error, QueueError::Unreachable { .. });
        if unknown == 0 && !failures.iter().any(passes) {
            return failures.swap_remove(0);
        }
        let mut said: Vec<String> = (failures.iter())
            .map(|failure| match failure {
                QueueError::Unreachable { address, reason } => format!("{address}: {reason}"),
                other => other.to_string(),
            })
            .collect();
        said.sort();
        let (begin, end) = match unknown {
            0 => ("no Sentinel answers: ", String::new()),
            _ => ("", format!("; of the others {unknown} know no such master")),
        };
        let reason = format!("{begin}{}{end}", one_line(&said.join("; ")));
        QueueError::Unreachable { address, reason }
    }

    /// As errors name a server.
    fn shown(&self, server: &ConnectionAddr) -> String {
        format!("{server} (Sentinels call it '{}')", self.name)
    }

    fn origin(&self, address: String, login: &'static str) -> ErrorOrigin {
        ErrorOrigin {
            address,
            security: self.entrance.security,
            login,
        }
    }

    /// The server that a Sentinel names; `None` where it does not know the name.
    async fn ask(&self, index: usize) -> Result<Option<ConnectionAddr>, QueueError> {
        let mut connection = self.connect(index).await?;
        self.ask_master(index, &mut connection).await
    }

    async fn connect(&self, index: usize) -> Result<MultiplexedConnection, QueueError> {
        let (address, client) = &self.sentinels[index];
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CONTROL_TIMEOUT));
        (client
            .get_multiplexed_async_connection_with_config(&config)
            .await)
            .map_err(|error| {
                let source = self.origin(format!("the Sentinel {address}"), SENTINELS_LOGIN);
                source.opening_error(&error)
            })
    }

    /// The server that the Sentinel at `index` names on this connection to it.
    async fn ask_master(
        &self,
        index: usize,
        connection: &mut MultiplexedConnection,
    ) -> Result<Option<ConnectionAddr>, QueueError> {
        let address = format!("the Sentinel {}", self.sentinels[index].0);
        let answer: Result<Option<(String, u16)>, RedisError> = (cmd("SENTINEL"))
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.name)
            .query_async(connection)
            .await;
        match answer {
            Ok(master) => {
                Ok(master.map(|(host, port)| self.entrance.address(one_line(&host), port)))
            }
            Err(error) if error.to_string().contains("unknown command") => Err(QueueError::Unfit {
                address,
                reason: "it is no Sentinel (a server's own address is redis://HOST)".to_owned(),
            }),
            Err(error) => Err(self.origin(address, SENTINELS_LOGIN).error(&error)),
        }
    }

    /// A connection to the server at `address`, if that may be and if it is a master.
    async fn enter(
        &self,
        address: &ConnectionAddr,
        protocol: ProtocolVersion,
        config: &AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, QueueError> {
        // Before anything is sent there.
        if self.entrance.certificates.is_none() && !self.entrance.insecure && !stays_here(address) {
            return Err(QueueError::Options(format!(
                "{} would get passwords and pictures in plain text: \
                 use rediss+sentinel:// (TLS), or --insecure on a network that you trust",
                self.shown(address)
            )));
        }
        let shown = self.shown(address);
        let source = || self.origin(shown.clone(), SERVERS_LOGIN);
        let client = (self.entrance.client(address, &self.server, protocol))
            .map_err(|error| source().error(&error))?;
        let mut connection = (client
            .get_multiplexed_async_connection_with_config(config)
            .await)
            .map_err(|error| source().opening_error(&error))?;
        // What everybody may ask who is in, and what `ROLE` says as well.
        let about: HashMap<String, Value> = match cmd("HELLO").query_async(&mut connection).await {
            Ok(about) => about,
            Err(error) => {
                // That a login is missing other commands say in fewer words.
                let other = cmd("PING").exec_async(&mut connection).await.err();
                return Err(source().error(&other.unwrap_or(error)));
            }
        };
        let role: Option<String> =
            (about.get("role").cloned()).and_then(|role| from_redis_value(role).ok());
        if role.as_deref() != Some("master") {
            return Err(QueueError::Unreachable {
                address: shown,
                reason: "it says that it is no master".to_owned(),
            });
        }
        *self.master.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(connection)
    }

    /// Sees to it that connections are opened anew when the master is replaced, until nobody needs these Sentinels.
    fn watch(self: &Arc<Self>) {
        if self.watched.swap(true, Ordering::Relaxed) {
            return;
        }
        let sentinels = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut watched = None;
            loop {
                sleep(LOOK_INTERVAL).await;
                let Some(sentinels) = sentinels.upgrade() else {
                    return;
                };
                sentinels.look(&mut watched).await;
            }
        });
    }

    /// Asks the watched Sentinel again, or finds one to watch. It is compared with what it said itself: another one
    /// may be behind.
    async fn look(&self, watched: &mut Option<WatchedSentinel>) {
        let Some(sentinel) = watched else {
            *watched = self.find_watched().await;
            return;
        };
        match self
            .ask_master(sentinel.index, &mut sentinel.connection)
            .await
        {
            Ok(Some(master)) if master != sentinel.master => {
                tracing::debug!("Sentinels call another server '{}': {master}", self.name);
                sentinel.master = master;
                self.demotions.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => *watched = None,
        }
    }

    /// The first Sentinel that names a server.
    async fn find_watched(&self) -> Option<WatchedSentinel> {
        for index in 0..self.sentinels.len() {
            if let Ok(mut connection) = self.connect(index).await
                && let Ok(Some(master)) = self.ask_master(index, &mut connection).await
            {
                return Some(WatchedSentinel {
                    index,
                    connection,
                    master,
                });
            }
        }
        None
    }
}
