//! Connections: addresses, checks of the server, reconnecting, and errors in one line.
//!
//! - [`options`]: what a program is told; [`tls`]: certificates; [`link`]: one connection that is opened anew
//!   when it breaks
//!
//! Credentials stay inside the crate's connection info: no error and no `Debug` output shows them.

mod link;
mod options;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::io::tcp::TcpSettings;
use ::redis::io::tcp::socket2::TcpKeepalive;
use ::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    Pipeline, ProtocolVersion, RedisError, ServerErrorKind, from_redis_value,
};

pub(super) use link::{Link, SendError};
pub use options::{ConnectOptions, Identity, Secret};

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
const CLUSTER: &str = "it is part of a Redis Cluster, and a farm needs one server that is none";

/// Longest time that a command may take which moves `bytes`.
pub(super) fn bulk_timeout(bytes: u64) -> Duration {
    BULK_TIMEOUT + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SEC)
}

/// Where the server is, and how to get in.
pub(super) struct Server {
    client: Client,
    /// The same in the protocol that carries published messages.
    push_client: Client,
    address: String,
    security: Security,
    farm_key: Option<FarmKey>,
    /// How often the server at this address turned out to be no master any more: connections that are older than the
    /// last time are opened anew, by the name, which may lead elsewhere by then.
    demotions: AtomicU64,
}

/// What a connection is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    Plain,
    /// TLS, without showing the server who the client is.
    Anonymous,
    /// TLS, with a client certificate.
    Known,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.address).finish()
    }
}

/// `url` without what may be a secret: user, password and query.
///
/// It may be no address at all, so it is read carefully: a password with a `#` or `?` in it ends the address early for a
/// reader who knows the rules, and one in the query may hold an `@`. Where either is possible nothing but the scheme is
/// left.
fn without_credentials(url: &str) -> String {
    let is_scheme =
        |text: &str| (text.chars()).all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (scheme, rest) = (url.split_once("://"))
        .filter(|(scheme, _)| is_scheme(scheme))
        .unwrap_or(("", url));
    let place = match rest.rsplit_once('@') {
        Some((credentials, _)) if credentials.contains(['?', '#']) => "***",
        Some((_, place)) => place,
        None => rest,
    };
    let place = place.split(['?', '#']).next().unwrap_or_default();
    if scheme.is_empty() {
        place.to_owned()
    } else {
        format!("{scheme}://{place}")
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
        // Not the errors' own texts: they may quote parts of the address.
        let refuse = |error: &RedisError| address(address_reason(error));
        let info: ConnectionInfo = url.into_connection_info().map_err(|e| refuse(&e))?;
        let is_tls = match info.addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                return Err(address(
                    "it ends in #insecure, and certificates are always checked",
                ));
            }
            ConnectionAddr::TcpTls { .. } => true,
            _ => false,
        };
        let here = options::stays_here(info.addr());
        if !is_tls && !here && !options.insecure {
            return Err(QueueError::Options(format!(
                "{} would carry passwords and pictures in plain text: \
                 use rediss:// (TLS), or --insecure on a network that you trust",
                without_credentials(url)
            )));
        }
        if !is_tls && (options.authorities.is_some() || options.identity.is_some()) {
            return Err(QueueError::Options(format!(
                "certificates are given, and {} is without TLS: use rediss://",
                without_credentials(url)
            )));
        }
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(15))
            .with_interval(Duration::from_secs(5));
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive);
        let info = info.set_tcp_settings(tcp);
        // Servers before 7.2 do not know CLIENT SETINFO, and access lists need not allow it.
        let mut redis = info.redis_settings().clone().set_skip_set_lib_name();
        if let Some(user) = &options.user {
            redis = redis.set_username(user);
        }
        if let Some(password) = &options.password {
            redis = redis.set_password(password.expose());
        }
        let server = info.addr().to_string();
        let certificates = if is_tls {
            Some(tls::certificates(options).map_err(QueueError::Options)?)
        } else {
            None
        };
        let with_protocol = |protocol| {
            let info = (info.clone()).set_redis_settings(redis.clone().set_protocol(protocol));
            match &certificates {
                Some(certificates) => Client::build_with_tls(info, certificates.clone()),
                None => Client::open(info),
            }
            .map_err(|e| refuse(&e))
        };
        Ok(Arc::new(Self {
            client: with_protocol(ProtocolVersion::RESP2)?,
            push_client: with_protocol(ProtocolVersion::RESP3)?,
            address: server,
            security: match options.identity {
                _ if !is_tls => Security::Plain,
                None => Security::Anonymous,
                Some(_) => Security::Known,
            },
            farm_key: options.farm_key.clone(),
            demotions: AtomicU64::new(0),
        }))
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
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(timeout));
        (self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await)
            .map_err(|error| self.opening_error(&error))
    }

    /// A new connection that hands published messages to `on_push`.
    pub(super) async fn open_push(
        &self,
        on_push: impl Fn(::redis::PushInfo) -> Result<(), ()> + Send + Sync + 'static,
    ) -> Result<MultiplexedConnection, QueueError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CONTROL_TIMEOUT))
            .set_push_sender(on_push);
        (self
            .push_client
            .get_multiplexed_async_connection_with_config(&config)
            .await)
            .map_err(|error| self.opening_error(&error))
    }

    /// What an error means that came while a connection was opened.
    fn opening_error(&self, error: &RedisError) -> QueueError {
        match self.error(error) {
            // A server without TLS waits for the end of a line that never comes.
            QueueError::Unreachable { address, reason }
                if error.is_timeout() && self.security != Security::Plain =>
            {
                let reason = format!("{reason} (is there TLS on that port?)");
                QueueError::Unreachable { address, reason }
            }
            other => other,
        }
    }

    /// What an error means to the caller.
    pub(super) fn error(&self, error: &RedisError) -> QueueError {
        let address = self.address.clone();
        let reason = one_line(&error.to_string());
        match error.kind() {
            ErrorKind::AuthenticationFailed => return QueueError::Denied { address, reason },
            ErrorKind::Server(ServerErrorKind::NoPerm) => {
                return QueueError::Denied { address, reason };
            }
            ErrorKind::Server(
                ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot,
            ) => return self.unfit(CLUSTER.to_owned()),
            ErrorKind::Io | ErrorKind::Parse => {
                let reason = if error.is_timeout() {
                    "no answer in time".to_owned()
                } else if let Some(reason) = tls::reason(error) {
                    one_line(&reason)
                } else {
                    // Its alert may be lost with the connection.
                    let hint = match self.security {
                        Security::Anonymous => {
                            " (it may want a client certificate: --tls-cert and --tls-key)"
                        }
                        Security::Known => " (it may not accept the client certificate)",
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
            Some("NOAUTH" | "WRONGPASS") => QueueError::Denied { address, reason },
            Some("OOM") => QueueError::OutOfMemory(reason),
            // A script that was refused a command says so in the middle of its own error.
            _ if reason.contains("OOM command not allowed") => QueueError::OutOfMemory(reason),
            _ => QueueError::Server(reason),
        }
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
    fn demotions(&self) -> u64 {
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
            address: self.address.clone(),
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
        if field("redis_mode") == Some("cluster") {
            return Err(self.unfit(CLUSTER.to_owned()));
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

fn address_reason(error: &RedisError) -> &'static str {
    let text = error.to_string();
    if error.kind() != ErrorKind::InvalidClientConfig {
        "it cannot be read"
    } else if text.contains("database number") {
        "its database is no number"
    } else if text.contains("wildcard") {
        "it names no single machine"
    } else {
        "it cannot be read"
    }
}

/// Whether the other side ended a connection that it had taken.
fn was_broken_off(error: &RedisError) -> bool {
    error.is_connection_dropped() && !error.is_connection_refusal()
}

/// What a server or a socket said, as one line of bounded length.
fn one_line(text: &str) -> String {
    let cut = &text[..text.floor_char_boundary(MAX_QUOTED_BYTES)];
    cut.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the server wants the text of a script.
pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether the server says that it is no master any more.
fn says_demoted(error: &RedisError) -> bool {
    error.code().is_some_and(|code| DEMOTED.contains(&code))
}

/// Whether a stream or its group is gone.
pub(super) fn is_no_group(error: &RedisError) -> bool {
    error.code() == Some("NOGROUP")
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
