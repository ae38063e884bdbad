//! A connection that is opened anew when it breaks.
//!
//! After a time-out nobody knows what the server did, and an answer may still be on its way; so the socket is
//! dropped, and all our calls may be made twice. (The crate's own manager keeps a connection whose answers time
//! out, and gives every call 500 ms unless told otherwise.)

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, ServerErrorKind, Value, cmd,
    from_redis_value,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::queue::QueueError;
use crate::redis::connect::errors::{is_unknown_script, one_line, says_demoted};
use crate::redis::connect::server::Server;
use crate::redis::connect::timeouts::{CONTROL_TIMEOUT, bulk_timeout};
use crate::redis::scripts::{self, Call};

/// Waits between attempts to connect again: the first, and the longest.
const RECONNECT_WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How often a link that keeps the scripts known asks whether they still are.
const SCRIPTS_CHECK: Duration = Duration::from_secs(1);
/// What the newest command weighs in the mean of all, as a divisor.
const NEWEST: u64 = 8;

/// One connection that is opened anew when it breaks.
pub(in crate::redis) struct Link {
    server: Arc<Server>,
    state: Mutex<LinkState>,
    /// Whether this link keeps the scripts known to the server, for those who may only call them.
    keeps_scripts: bool,
    /// How long single commands take, in microseconds: a mean in which the newest weighs most; 0 before the first.
    trip: AtomicU64,
    /// Bytes that are on their way to the server.
    uploading: AtomicU64,
}

/// Bytes on their way, until it is dropped.
pub(in crate::redis) struct Upload<'a> {
    link: &'a Link,
    bytes: u64,
    /// Its own and those before it, which share the way.
    all: u64,
}

impl Upload<'_> {
    /// Longest time that it may take.
    pub(in crate::redis) fn timeout(&self) -> Duration {
        bulk_timeout(self.all)
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        self.link.uploading.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct LinkState {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a late error does not close the one that came after.
    generation: u64,
    /// Demotions of the server that were known when it was opened.
    demotions: u64,
    failures: u32,
    not_before: Option<Instant>,
    /// When the scripts were last known to be known.
    scripts_seen: Option<Instant>,
}

impl Link {
    /// A link that is opened when it is first used.
    pub(in crate::redis) fn new(server: Arc<Server>) -> Self {
        Self {
            server,
            state: Mutex::default(),
            keeps_scripts: false,
            trip: AtomicU64::new(0),
            uploading: AtomicU64::new(0),
        }
    }

    /// `bytes` are about to be sent; they go after those that are on their way.
    pub(in crate::redis) fn upload(&self, bytes: u64) -> Upload<'_> {
        let before = self.uploading.fetch_add(bytes, Ordering::Relaxed);
        Upload {
            link: self,
            bytes,
            all: before.saturating_add(bytes),
        }
    }

    /// How long a single command takes, of late; 0 before the first.
    pub(in crate::redis) fn trip(&self) -> Duration {
        Duration::from_micros(self.trip.load(Ordering::Relaxed))
    }

    fn note_trip(&self, passed: Duration) {
        let newest = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
        let mean = match self.trip.load(Ordering::Relaxed) {
            0 => newest,
            old => old - old / NEWEST + newest / NEWEST,
        };
        self.trip.store(mean, Ordering::Relaxed);
    }

    /// A submitter's link: makes the server know the scripts again soon after it forgot them, whoever notices.
    pub(in crate::redis) fn keeping_scripts(server: Arc<Server>) -> Self {
        Self {
            keeps_scripts: true,
            ..Self::new(server)
        }
    }

    /// The server that it leads to.
    pub(in crate::redis) fn server(&self) -> &Arc<Server> {
        &self.server
    }

    async fn connection(&self) -> Result<(u64, MultiplexedConnection), QueueError> {
        let mut state = self.state.lock().await;
        let demotions = self.server.demotions();
        if state.demotions != demotions {
            state.connection = None;
        }
        if let Some(connection) = &state.connection {
            return Ok((state.generation, connection.clone()));
        }
        if let Some(not_before) = state.not_before {
            sleep_until(not_before).await;
        }
        match self.enter().await {
            Ok(connection) => {
                state.connection = Some(connection.clone());
                state.demotions = demotions;
                state.generation += 1;
                state.failures = 0;
                state.not_before = None;
                // It may be another server by now, or one that started anew.
                state.scripts_seen = None;
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

    /// A new connection whose server lets this user in.
    ///
    /// Told by a short command: one that wants a password first hangs up on long ones, and says why only to short ones.
    async fn enter(&self) -> Result<MultiplexedConnection, QueueError> {
        let mut connection = self.server.open(CONTROL_TIMEOUT).await?;
        let answer = connection.send_packed_command(&cmd("PING")).await;
        match answer.and_then(Value::extract_error) {
            // Whatever else it says, such as that it is loading, the next command hears, too.
            Err(error)
                if matches!(error.kind(), ErrorKind::Io | ErrorKind::Parse)
                    || error.code() == Some("NOAUTH") =>
            {
                Err(self.server.error(&error))
            }
            _ => Ok(connection),
        }
    }

    /// Opens the connection where there is none.
    pub(in crate::redis) async fn open(&self) -> Result<(), QueueError> {
        self.connection().await.map(|_| ())
    }

    /// Closes the connection, unless it is another one by now.
    async fn close(&self, generation: u64) {
        let mut state = self.state.lock().await;
        if state.generation == generation {
            state.connection = None;
        }
    }

    /// Closes the connection, so that the next use resolves the server's name anew.
    pub(in crate::redis) async fn renew(&self) {
        self.state.lock().await.connection = None;
    }

    /// Closes the connection of a server that is no master any more, and all others to it.
    async fn after_demotion(&self, generation: u64) {
        let mut state = self.state.lock().await;
        if state.generation == generation {
            state.connection = None;
            self.server.demoted(state.demotions);
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
        } else if says_demoted(error) {
            self.after_demotion(generation).await;
        }
        error.kind() == ErrorKind::Io && !error.is_timeout()
    }

    /// Sends commands together; each answer may be an error of the server.
    pub(in crate::redis) async fn pipeline(
        &self,
        commands: &Pipeline,
        timeout: Duration,
    ) -> Result<Vec<Value>, QueueError> {
        // A connection that broke while nobody used it shows at the next use: one more try.
        for last_try in [false, true] {
            let (generation, mut connection) = self.connection().await?;
            self.keep_scripts(&mut connection).await;
            connection.set_response_timeout(timeout);
            match connection
                .send_packed_commands(commands, 0, commands.len())
                .await
            {
                Ok(answers) => {
                    let demoted = answers.iter().any(|answer| match answer {
                        Value::ServerError(error) => says_demoted(&error.clone().into()),
                        _ => false,
                    });
                    if demoted {
                        self.after_demotion(generation).await;
                    }
                    return Ok(answers);
                }
                Err(error) => {
                    if !self.after_error(generation, &error).await || last_try {
                        return Err(self.server.error(&error));
                    }
                }
            }
        }
        Err(QueueError::Unreachable {
            address: self.server.address(),
            reason: "the connection keeps breaking".to_owned(),
        })
    }

    /// Sends commands together that may be sent twice, calls of scripts among them; the texts of scripts first where the
    /// server does not know one. None of the answers is an error.
    pub(in crate::redis) async fn all(
        &self,
        commands: &Pipeline,
        timeout: Duration,
    ) -> Result<Vec<Value>, QueueError> {
        let mut answers = self.checked(commands, timeout).await?;
        if matches!(&answers, Err(error) if is_unknown_script(error)) {
            self.load_scripts().await?;
            answers = self.checked(commands, timeout).await?;
        }
        answers.map_err(|error| self.server.error(&error))
    }

    /// The answers to all commands, or the first one that is an error of the server.
    async fn checked(
        &self,
        commands: &Pipeline,
        timeout: Duration,
    ) -> Result<Result<Vec<Value>, RedisError>, QueueError> {
        let answers = self.pipeline(commands, timeout).await?;
        Ok(answers.into_iter().map(Value::extract_error).collect())
    }

    async fn send(&self, command: &Cmd, timeout: Duration, tries: u32) -> Result<Value, SendError> {
        let mut left = tries;
        loop {
            left = left.saturating_sub(1);
            let (generation, mut connection) =
                self.connection().await.map_err(SendError::Connect)?;
            self.keep_scripts(&mut connection).await;
            connection.set_response_timeout(timeout);
            let began = Instant::now();
            let answer = connection.send_packed_command(command).await;
            if answer.is_ok() {
                self.note_trip(began.elapsed());
            }
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
    pub(in crate::redis) async fn query<T: FromRedisValue>(
        &self,
        command: &Cmd,
        timeout: Duration,
    ) -> Result<T, QueueError> {
        let value = (self.send(command, timeout, 2).await).map_err(|e| e.plain(&self.server))?;
        self.read(value)
    }

    /// Sends a command that may not be sent twice; the error says what the server answered, if it did.
    pub(in crate::redis) async fn query_once(
        &self,
        command: &Cmd,
        timeout: Duration,
    ) -> Result<Value, SendError> {
        self.send(command, timeout, 1).await
    }

    /// Calls a script, sending the texts of all first where the server does not know it.
    pub(in crate::redis) async fn script<T: FromRedisValue>(
        &self,
        call: &Call<'_>,
    ) -> Result<T, QueueError> {
        let command = call.command();
        let value = match self.send(&command, CONTROL_TIMEOUT, 2).await {
            Err(SendError::Redis(error)) if is_unknown_script(&error) => {
                self.load_scripts().await?;
                self.send(&command, CONTROL_TIMEOUT, 2).await
            }
            other => other,
        };
        self.read(value.map_err(|error| error.plain(&self.server))?)
    }

    /// Makes the server know all scripts.
    ///
    /// # Errors
    /// [`QueueError::Scripts`] where this user may not, which passes when somebody who may does.
    async fn load_scripts(&self) -> Result<(), QueueError> {
        let (generation, mut connection) = self.connection().await?;
        match load(&mut connection).await {
            Ok(()) => Ok(()),
            Err(error) if is_not_allowed(&error) => Err(QueueError::Scripts {
                address: self.server.address(),
            }),
            Err(error) => {
                self.after_error(generation, &error).await;
                Err(self.server.error(&error))
            }
        }
    }

    /// Makes the server know the scripts again, if it is time to ask and it does not.
    ///
    /// What fails here fails again, and is told of, in the command that comes after.
    async fn keep_scripts(&self, connection: &mut MultiplexedConnection) {
        if !self.keeps_scripts {
            return;
        }
        {
            let mut state = self.state.lock().await;
            if (state.scripts_seen).is_some_and(|seen| seen.elapsed() < SCRIPTS_CHECK) {
                return;
            }
            state.scripts_seen = Some(Instant::now());
        }
        connection.set_response_timeout(CONTROL_TIMEOUT);
        let answer = connection.send_packed_command(&scripts::ask_known()).await;
        let known = (answer.and_then(Value::extract_error))
            .and_then(|known| Ok(from_redis_value::<Vec<bool>>(known)?));
        let kept = match known {
            Ok(known) if known.iter().all(|known| *known) => Ok(()),
            Ok(_) => load(connection).await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::debug!(
                "scripts are not loaded ahead: {}",
                self.server.error(&error)
            );
        }
    }

    /// An answer as the type it should have.
    pub(in crate::redis) fn read<T: FromRedisValue>(&self, value: Value) -> Result<T, QueueError> {
        from_redis_value(value).map_err(|error| QueueError::Server(one_line(&error.to_string())))
    }
}

/// Why a command has no answer.
pub(in crate::redis) enum SendError {
    /// There is no connection: it was not sent.
    Connect(QueueError),
    /// It was sent, and either the server refused it or nobody knows what became of it.
    Redis(RedisError),
}

impl SendError {
    /// As a caller of the queue sees it.
    pub(in crate::redis) fn plain(self, server: &Server) -> QueueError {
        match self {
            Self::Connect(error) => error,
            Self::Redis(error) => server.error(&error),
        }
    }
}

/// Sends the texts of all scripts.
async fn load(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    connection.set_response_timeout(CONTROL_TIMEOUT);
    let mut all = Pipeline::with_capacity(scripts::ALL.len());
    for script in scripts::ALL {
        all.add_command(script.load());
    }
    let answers = connection.send_packed_commands(&all, 0, all.len()).await?;
    for answer in answers {
        answer.extract_error()?;
    }
    Ok(())
}

/// Whether the server's access list keeps this user from a command.
fn is_not_allowed(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
}
