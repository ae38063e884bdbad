//! Connections: addresses, checks of the server, reconnecting, and errors in one line.
//!
//! A [`Link`] is one connection that is opened anew when it breaks. After a time-out nobody knows what
//! the server did, and an answer may still be on its way; so the socket is dropped, and all our calls
//! may be made twice. (The crate's own manager keeps a connection whose answers time out, and gives every
//! call 500 ms unless told otherwise.)
//!
//! Credentials stay inside the crate's connection info: no error and no `Debug` output shows them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::io::tcp::TcpSettings;
use ::redis::io::tcp::socket2::TcpKeepalive;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue,
    IntoConnectionInfo, Pipeline, ProtocolVersion, RedisError, ServerErrorKind, Value,
    from_redis_value,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::queue::QueueError;
use crate::redis::scripts::Call;

/// Longest time to open a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest time that a small command may take.
pub(super) const CONTROL_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time that a command with a buffer may take, beside the time of its bytes.
const BULK_TIMEOUT: Duration = Duration::from_secs(10);
/// The slowest network that is waited for.
const SLOWEST_BYTES_PER_SEC: u64 = 256 << 10;
/// Waits between attempts to connect again: the first, and the longest.
const RECONNECT_WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Oldest server that has all we use (`XPENDING IDLE`, flags of scripts).
const OLDEST_MAJOR_VERSION: u32 = 7;
/// Most bytes that an error quotes of what the server said.
const MAX_QUOTED_BYTES: usize = 300;

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
    /// The server at `url`; nothing is opened yet.
    pub(super) fn parse(url: &str) -> Result<Arc<Self>, QueueError> {
        let refuse = |error: &RedisError| QueueError::Address {
            given: without_credentials(url),
            // Not the error's own text: it may quote parts of the address.
            reason: match error.kind() {
                ErrorKind::InvalidClientConfig => client_config_reason(url, error),
                _ => "it cannot be read".to_owned(),
            },
        };
        let info: ConnectionInfo = url.into_connection_info().map_err(|e| refuse(&e))?;
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(15))
            .with_interval(Duration::from_secs(5));
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive);
        let info = info.set_tcp_settings(tcp);
        let address = info.addr().to_string();
        let redis = info.redis_settings().clone();
        let with_protocol = |protocol| {
            let redis = redis.clone().set_protocol(protocol);
            Client::open(info.clone().set_redis_settings(redis)).map_err(|e| refuse(&e))
        };
        Ok(Arc::new(Self {
            client: with_protocol(ProtocolVersion::RESP2)?,
            push_client: with_protocol(ProtocolVersion::RESP3)?,
            address,
        }))
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
            .map_err(|error| self.error(&error))
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
            .map_err(|error| self.error(&error))
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
                ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain,
            ) => return QueueError::Unreachable { address, reason },
            ErrorKind::Io | ErrorKind::Parse => {
                let reason = if error.is_timeout() {
                    "no answer in time".to_owned()
                } else {
                    reason
                };
                return QueueError::Unreachable { address, reason };
            }
            _ => {}
        }
        match error.code() {
            Some("NOAUTH" | "WRONGPASS") => QueueError::Denied { address, reason },
            Some("OOM") => QueueError::OutOfMemory(reason),
            // A script that was refused a command says so in the middle of its own error.
            _ if reason.contains("OOM command not allowed") => QueueError::OutOfMemory(reason),
            _ => QueueError::Server(reason),
        }
    }

    /// Whether strips are safe on this server; its memory limit (0: none, or not allowed to ask).
    pub(super) async fn check(&self, link: &Link) -> Result<u64, QueueError> {
        let mut ask = Pipeline::new();
        ask.cmd("PING").cmd("INFO").arg("server");
        ask.cmd("INFO").arg("memory");
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
        let unfit = |reason: String| QueueError::Unfit {
            address: self.address.clone(),
            reason,
        };
        if let Some(version) = field("redis_version") {
            let major = version.split('.').next().and_then(|part| part.parse().ok());
            if major.is_none_or(|major: u32| major < OLDEST_MAJOR_VERSION) {
                return Err(unfit(format!(
                    "its version is {version}, and {OLDEST_MAJOR_VERSION}.0 or later is needed"
                )));
            }
        }
        let maxmemory = field("maxmemory")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        if let Some(policy) = field("maxmemory_policy").filter(|policy| *policy != "noeviction")
            && maxmemory > 0
        {
            return Err(unfit(format!(
                "its maxmemory-policy is {policy}, which throws strips away when memory is short; \
                 set it with: CONFIG SET maxmemory-policy noeviction"
            )));
        }
        Ok(maxmemory)
    }
}

fn client_config_reason(url: &str, error: &RedisError) -> String {
    let text = error.to_string();
    if url.starts_with("rediss:") {
        "TLS is not built in".to_owned()
    } else if text.contains("database number") {
        "its database is no number".to_owned()
    } else if text.contains("wildcard") {
        "it names no single machine".to_owned()
    } else {
        "it cannot be read".to_owned()
    }
}

/// What a server or a socket said, as one line of bounded length.
fn one_line(text: &str) -> String {
    let cut = &text[..text.floor_char_boundary(MAX_QUOTED_BYTES)];
    cut.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One connection that is opened anew when it breaks.
pub(super) struct Link {
    server: Arc<Server>,
    state: Mutex<LinkState>,
}

#[derive(Default)]
struct LinkState {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a late error does not close the one that came after.
    generation: u64,
    failures: u32,
    not_before: Option<Instant>,
}

impl Link {
    /// A link that is opened when it is first used.
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self {
            server,
            state: Mutex::default(),
        }
    }

    /// The server that it leads to.
    pub(super) fn server(&self) -> &Arc<Server> {
        &self.server
    }

    async fn connection(&self) -> Result<(u64, MultiplexedConnection), QueueError> {
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection {
            return Ok((state.generation, connection.clone()));
        }
        if let Some(not_before) = state.not_before {
            sleep_until(not_before).await;
        }
        match self.server.open(CONTROL_TIMEOUT).await {
            Ok(connection) => {
                state.connection = Some(connection.clone());
                state.generation += 1;
                state.failures = 0;
                state.not_before = None;
                Ok((state.generation, connection))
            }
            Err(error) => {
                let (first, longest) = RECONNECT_WAITS;
                let wait = (first * 2u32.pow(state.failures.min(10))).min(longest);
                state.failures += 1;
                state.not_before = Some(Instant::now() + wait);
                Err(error)
            }
        }
    }

    /// Closes the connection, unless it is another one by now.
    async fn close(&self, generation: u64) {
        let mut state = self.state.lock().await;
        if state.generation == generation {
            state.connection = None;
        }
    }

    /// Closes the connection after an error that makes it useless; whether it was broken rather than slow.
    async fn after_error(&self, generation: u64, error: &RedisError) -> bool {
        let broken = matches!(
            error.kind(),
            ErrorKind::Io | ErrorKind::Parse | ErrorKind::AuthenticationFailed
        );
        if broken {
            self.close(generation).await;
        }
        error.kind() == ErrorKind::Io && !error.is_timeout()
    }

    /// Sends commands together; each answer may be an error of the server.
    pub(super) async fn pipeline(
        &self,
        commands: &Pipeline,
        timeout: Duration,
    ) -> Result<Vec<Value>, QueueError> {
        // A connection that broke while nobody used it shows at the next use: one more try.
        for last_try in [false, true] {
            let (generation, mut connection) = self.connection().await?;
            connection.set_response_timeout(timeout);
            match connection
                .send_packed_commands(commands, 0, commands.len())
                .await
            {
                Ok(answers) => return Ok(answers),
                Err(error) => {
                    if !self.after_error(generation, &error).await || last_try {
                        return Err(self.server.error(&error));
                    }
                }
            }
        }
        Err(QueueError::Unreachable {
            address: self.server.address.clone(),
            reason: "the connection keeps breaking".to_owned(),
        })
    }

    async fn send(&self, command: &Cmd, timeout: Duration, tries: u32) -> Result<Value, SendError> {
        let mut left = tries;
        loop {
            left = left.saturating_sub(1);
            let (generation, mut connection) =
                self.connection().await.map_err(SendError::Connect)?;
            connection.set_response_timeout(timeout);
            let answer = connection.send_packed_command(command).await;
            match answer.and_then(Value::extract_error) {
                Ok(value) => return Ok(value),
                Err(error) => {
                    if !self.after_error(generation, &error).await || left == 0 {
                        return Err(SendError::Redis(error));
                    }
                }
            }
        }
    }

    /// Sends a command that may be sent twice.
    pub(super) async fn query<T: FromRedisValue>(
        &self,
        command: &Cmd,
        timeout: Duration,
    ) -> Result<T, QueueError> {
        let value = (self.send(command, timeout, 2).await).map_err(|e| e.plain(&self.server))?;
        self.read(value)
    }

    /// Sends a command that may not be sent twice; the error says what the server answered, if it did.
    pub(super) async fn query_once(
        &self,
        command: &Cmd,
        timeout: Duration,
    ) -> Result<Value, SendError> {
        self.send(command, timeout, 1).await
    }

    /// Calls a script, sending its text where the server does not know it.
    pub(super) async fn script<T: FromRedisValue>(&self, call: &Call<'_>) -> Result<T, QueueError> {
        let value = match self.send(&call.by_digest(), CONTROL_TIMEOUT, 2).await {
            Err(SendError::Redis(error)) if is_unknown_script(&error) => {
                self.send(&call.by_text(), CONTROL_TIMEOUT, 2).await
            }
            other => other,
        };
        self.read(value.map_err(|error| error.plain(&self.server))?)
    }

    /// An answer as the type it should have.
    pub(super) fn read<T: FromRedisValue>(&self, value: Value) -> Result<T, QueueError> {
        from_redis_value(value).map_err(|error| QueueError::Server(one_line(&error.to_string())))
    }
}

/// Why a command has no answer.
pub(super) enum SendError {
    /// There is no connection: it was not sent.
    Connect(QueueError),
    /// It was sent, and either the server refused it or nobody knows what became of it.
    Redis(RedisError),
}

impl SendError {
    /// As a caller of the queue sees it.
    pub(super) fn plain(self, server: &Server) -> QueueError {
        match self {
            Self::Connect(error) => error,
            Self::Redis(error) => server.error(&error),
        }
    }
}

/// Whether the server wants the text of a script.
pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
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
        ] {
            let server = Server::parse(good).unwrap();
            assert!(!format!("{server:?}").contains("secret"));
        }
        for (bad, shown) in [
            ("redis://u:secret@127.0.0.1/x", "redis://127.0.0.1/x"),
            ("http://u:secret@host", "http://host"),
            ("u:secret@host", "host"),
            ("rediss://u:secret@host", "rediss://host"),
            ("redis://u:secret#secret@127.0.0.1:1", "redis://***"),
            ("redis://u:secret?secret@h/x", "redis://***"),
            ("http://host?pass=x@secret", "http://***"),
            ("http://host?pass=secret", "http://host"),
            ("u:secret://secret@host", "host"),
            ("", ""),
        ] {
            let error = Server::parse(bad).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("secret"), "{text}");
            assert!(text.starts_with(&format!("'{shown}' is not")), "{text}");
        }
    }
}
