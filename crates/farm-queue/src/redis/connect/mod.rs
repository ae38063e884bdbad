//! Connections: addresses, checks of the server, reconnecting, and errors in one line.
//!
//! - [`options`]: what a program is told; [`address`]: where that leads to; [`tls`]: certificates; [`entrance`]: what all
//!   connections have in common; [`sentinel`]: servers that Sentinels name
//! - [`link`]: one connection that is opened anew when it breaks; [`errors`]: what its errors mean
//!
//! Credentials stay inside the crate's connection info: no error and no `Debug` output shows them.

mod address;
mod entrance;
mod errors;
mod link;
mod options;
mod sentinel;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, Pipeline, ProtocolVersion,
    RedisError, ServerErrorKind, from_redis_value,
};

pub(super) use errors::{is_no_group, is_unknown_script};
pub(super) use link::{Link, SendError};
pub use options::{ConnectOptions, Identity, Secret};

use address::{Place, without_credentials};
use entrance::Entrance;
use errors::{CLUSTER, SERVERS_LOGIN, Security, Source};
use sentinel::Sentinels;

use crate::protocol::signing::FarmKey;
use crate::queue::QueueError;

/// Longest time to open a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest time that a small command may take.
pub(super) const CONTROL_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time that a command with a buffer may take, beside the time of its bytes.
const BULK_TIMEOUT: Duration = Duration::from_secs(10);
/// The slowest network that is waited for.
const SLOWEST_BYTES_PER_SEC: u64 = 32 << 10;
/// Oldest server that has all we use (`XPENDING IDLE`, flags of scripts).
const OLDEST_MAJOR_VERSION: u32 = 7;
/// Why a Sentinel is no server for a farm.
const SENTINEL: &str = "it is a Sentinel, which holds no data; redis+sentinel://HOST:PORT/NAME leads to what it calls NAME";

/// Longest time that a command may take which moves `bytes`.
pub(super) fn bulk_timeout(bytes: u64) -> Duration {
    BULK_TIMEOUT + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SEC)
}

/// Where the server is, and how to get in.
pub(super) struct Server {
    way: Way,
    security: Security,
    farm_key: Option<FarmKey>,
    /// How often the server at this address turned out to be no master any more: connections that are older than the
    /// last time are opened anew, by the name, which may lead elsewhere by then.
    demotions: Arc<AtomicU64>,
}

/// The way to the server.
enum Way {
    /// Always the same one.
    Direct {
        client: Box<Client>,
        /// The same in the protocol that carries published messages.
        push_client: Box<Client>,
        address: String,
    },
    /// Sentinels are asked for it.
    Sentinels(Arc<Sentinels>),
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.address()).finish()
    }
}

impl Server {
    /// The server of `options`; nothing is opened yet.
    pub(super) fn parse(options: &ConnectOptions) -> Result<Arc<Self>, QueueError> {
        let url = options.url.as_str();
        let address = |reason: &str| QueueError::Address {
            given: without_credentials(url),
            reason: reason.to_owned(),
        };
        let place = address::parse(url).map_err(address)?;
        let is_unchecked =
            |at: &&ConnectionAddr| matches!(at, ConnectionAddr::TcpTls { insecure: true, .. });
        let is_open = |at: &&ConnectionAddr| !matches!(at, ConnectionAddr::TcpTls { .. });
        let addresses = place.addresses();
        if addresses.iter().any(is_unchecked) {
            return Err(address(
                "it ends in #insecure, and certificates are always checked",
            ));
        }
        let is_tls = !addresses.iter().any(is_open);
        let here = addresses.iter().all(|at| options::stays_here(at));
        let with_tls = match place {
            Place::Server(_) => "rediss://",
            Place::Sentinels(_) => "rediss+sentinel://",
        };
        if !is_tls && !here && !options.insecure {
            return Err(QueueError::Options(format!(
                "{} would carry passwords and pictures in plain text: \
                 use {with_tls} (TLS), or --insecure on a network that you trust",
                without_credentials(url)
            )));
        }
        if !is_tls && (options.authorities.is_some() || options.identity.is_some()) {
            return Err(QueueError::Options(format!(
                "certificates are given, and {} is without TLS: use {with_tls}",
                without_credentials(url)
            )));
        }
        let mut login = place.login().clone();
        if let Some(user) = &options.user {
            login = login.set_username(user);
        }
        if let Some(password) = &options.password {
            login = login.set_password(password.expose());
        }
        let security = match options.identity {
            _ if !is_tls => Security::Plain,
            None => Security::Anonymous,
            Some(_) => Security::Known,
        };
        let certificates = if is_tls {
            Some(tls::certificates(options).map_err(QueueError::Options)?)
        } else {
            None
        };
        let entrance = Entrance {
            certificates,
            security,
            insecure: options.insecure,
        };
        let demotions = Arc::default();
        let refuse = |error: RedisError| address(address::reason(&error));
        let way = match &place {
            Place::Server(info) => {
                let client =
                    |protocol| (entrance.client(info.addr(), &login, protocol)).map_err(refuse);
                Way::Direct {
                    client: client(ProtocolVersion::RESP2)?.into(),
                    push_client: client(ProtocolVersion::RESP3)?.into(),
                    address: info.addr().to_string(),
                }
            }
            Place::Sentinels(place) => Way::Sentinels(Arc::new(
                Sentinels::new(place, entrance, login, Arc::clone(&demotions)).map_err(refuse)?,
            )),
        };
        Ok(Arc::new(Self {
            way,
            security,
            farm_key: options.farm_key.clone(),
            demotions,
        }))
    }

    /// Host and port, or path of the socket, without credentials.
    fn address(&self) -> String {
        match &self.way {
            Way::Direct { address, .. } => address.clone(),
            Way::Sentinels(sentinels) => sentinels.address(),
        }
    }

    /// The key that signs job specs, where the farm has one.
    pub(super) fn farm_key(&self) -> Option<&FarmKey> {
        self.farm_key.as_ref()
    }

    /// A new connection whose commands may take `timeout`.
    pub(super) async fn open(
        &self,
        timeout: Duration,
    ) -> Result<MultiplexedConnection, QueueError> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(timeout));
        self.open_by(ProtocolVersion::RESP2, config).await
    }

    /// A new connection that hands published messages to `on_push`.
    pub(super) async fn open_push(
        &self,
        on_push: impl Fn(::redis::PushInfo) -> Result<(), ()> + Send + Sync + 'static,
    ) -> Result<MultiplexedConnection, QueueError> {
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(CONTROL_TIMEOUT))
            .set_push_sender(on_push);
        self.open_by(ProtocolVersion::RESP3, config).await
    }

    async fn open_by(
        &self,
        protocol: ProtocolVersion,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, QueueError> {
        let config = config.set_connection_timeout(Some(CONNECT_TIMEOUT));
        match &self.way {
            Way::Direct {
                client,
                push_client,
                ..
            } => {
                let client = match protocol {
                    ProtocolVersion::RESP3 => push_client,
                    _ => client,
                };
                (client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await)
                    .map_err(|error| self.source().opening_error(&error))
            }
            Way::Sentinels(sentinels) => sentinels.open(protocol, &config).await,
        }
    }

    fn source(&self) -> Source {
        Source {
            address: self.address(),
            security: self.security,
            login: SERVERS_LOGIN,
        }
    }

    /// What an error means to the caller.
    pub(super) fn error(&self, error: &RedisError) -> QueueError {
        self.source().error(error)
    }

    /// Whether strips are safe on this server, and what it says of its memory.
    pub(super) async fn check(&self, link: &Link) -> Result<Memory, QueueError> {
        let memory = self.look(link).await?;
        self.keeps_all(&memory)?;
        Ok(memory)
    }

    /// Whether a server with this memory keeps what it has when memory is short.
    pub(super) fn keeps_all(&self, memory: &Memory) -> Result<(), QueueError> {
        match &memory.evicting {
            Some(policy) if memory.limit > 0 => Err(self.unfit(format!(
                "its maxmemory-policy is {policy}, which throws strips away when memory is short; \
                 set it with: CONFIG SET maxmemory-policy noeviction"
            ))),
            _ => Ok(()),
        }
    }

    /// How often it was found demoted so far.
    pub(super) fn demotions(&self) -> u64 {
        self.demotions.load(Ordering::Relaxed)
    }

    /// A connection that was opened after `seen` demotions tells of one more.
    fn demoted(&self, seen: u64) {
        // Of several that tell of the same, one counts.
        let _ =
            (self.demotions).compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn unfit(&self, reason: String) -> QueueError {
        QueueError::Unfit {
            address: self.address(),
            reason,
        }
    }

    /// What the server says of its memory, if it is new enough.
    pub(super) async fn look(&self, link: &Link) -> Result<Memory, QueueError> {
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
                        return Err(self.error(&error));
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
            Some("cluster") => return Err(self.unfit(CLUSTER.to_owned())),
            Some("sentinel") => return Err(self.unfit(SENTINEL.to_owned())),
            _ => {}
        }
        if let Some(version) = field("redis_version") {
            let major = version.split('.').next().and_then(|part| part.parse().ok());
            if major.is_none_or(|major: u32| major < OLDEST_MAJOR_VERSION) {
                return Err(self.unfit(format!(
                    "its version is {version}, and {OLDEST_MAJOR_VERSION}.0 or later is needed"
                )));
            }
        }
        let number = |name| field(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Memory {
            limit: number("maxmemory"),
            evicted: number("evicted_keys"),
            evicting: field("maxmemory_policy")
                .filter(|policy| *policy != "noeviction")
                .map(str::to_owned),
        })
    }
}

/// What a server says of its memory; nothing of all this where it may not be asked.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// In bytes; 0: none.
    pub(super) limit: u64,
    /// The policy by which it throws keys away at its limit, if it does.
    evicting: Option<String>,
    /// Keys that it threw away since it was started.
    pub(super) evicted: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_never_show_credentials() {
        for good in [
            "redis://127.0.0.1",
            "redis://:secret@127.0.0.1:6380/2",
            "redis+unix:///tmp/redis.sock?user=u&pass=secret",
            "unix:///tmp/redis.sock",
            "rediss://u:secret@farm.example:6380",
            "redis+sentinel://u:secret@127.0.0.1,[::1]/farm?sentinel_pass=secret",
            "rediss+sentinel://u:secret@farm.example:1/farm/2?sentinel_pass=sec@ret",
        ] {
            let server = Server::parse(&good.into()).unwrap();
            assert!(!format!("{server:?}").contains("secret"));
        }
        for (bad, shown) in [
            ("redis://u:secret@127.0.0.1/x", "redis://127.0.0.1/x"),
            ("http://u:secret@host", "http://host"),
            ("u:secret@host", "host"),
            ("rediss://u:secret@host#insecure", "rediss://host"),
            ("redis://u:secret#secret@127.0.0.1:1", "redis://***"),
            ("redis://u:secret?secret@h/x", "redis://***"),
            ("http://host?pass=x@secret", "http://***"),
            ("http://host?pass=secret", "http://host"),
            ("u:secret://secret@host", "host"),
            ("redis+sentinel://u:secret@h", "redis+sentinel://h"),
            ("redis+sentinel://h/m?pass=secret", "redis+sentinel://h/m"),
            ("redis+sentinel://h/m?pass=secret@", "redis+sentinel://***"),
            ("", ""),
        ] {
            let error = Server::parse(&bad.into()).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("secret"), "{text}");
            assert!(text.starts_with(&format!("'{shown}' is not")), "{text}");
        }
    }

    #[test]
    fn plain_text_stays_on_this_machine_unless_told_otherwise() {
        let mut options = ConnectOptions::new("redis://u:secret@farm.example");
        let error = Server::parse(&options).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, QueueError::Options(_)), "{text}");
        assert!(text.starts_with("redis://farm.example would"), "{text}");
        assert!(text.contains("rediss://") && text.contains("--insecure"));
        options.insecure = true;
        assert!(Server::parse(&options).is_ok());
        // One Sentinel elsewhere is enough.
        let url = "redis+sentinel://127.0.0.1,farm.example/farm";
        let error = Server::parse(&url.into()).unwrap_err().to_string();
        assert!(error.contains("use rediss+sentinel://"), "{error}");
        options.url = url.to_owned();
        assert!(Server::parse(&options).is_ok());
    }

    #[test]
    fn certificates_are_looked_at_before_anything_is_opened() {
        let refused = |change: fn(&mut ConnectOptions)| {
            let mut options = ConnectOptions::new("rediss://farm.example");
            change(&mut options);
            Server::parse(&options).unwrap_err().to_string()
        };
        let text = refused(|options| options.authorities = Some(b"no PEM".to_vec()));
        assert!(text.contains("--tls-ca holds no certificate"), "{text}");
        let text = refused(|options| {
            options.identity = Some(Identity {
                certificate: Vec::new(),
                key: Secret::new(""),
            });
        });
        assert!(text.contains("--tls-cert holds no certificate"), "{text}");
        let text = refused(|options| {
            options.url = "redis://127.0.0.1".to_owned();
            options.authorities = Some(Vec::new());
        });
        assert!(text.contains("without TLS"), "{text}");
    }
}
