//! A private redis-server for one test, on a loopback port of its own.
//!
//! The only place of these tests that speaks Redis: what lies in it, and what a stranger might put there.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use farm_queue::JobId;
use redis::{Client, Connection, FromRedisValue, ToRedisArgs};
use tempfile::TempDir;

/// Longest time that a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(20);
/// Ports that are tried when others take them first.
const PORTS: usize = 5;
/// How often the server is asked again while something is awaited.
const GLANCE: Duration = Duration::from_millis(10);

/// A redis-server that stops, and whose files vanish, on drop.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    password: Option<String>,
    _folder: TempDir,
}

/// A strip under way, as the server sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The entry's name.
    pub entry: String,
    /// Who has it.
    pub owner: String,
    /// Milliseconds since its last sign.
    pub idle_ms: u64,
    /// How often it was delivered.
    pub deliveries: u64,
}

impl Server {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more arguments.
    ///
    /// # Panics
    /// When redis-server is not installed or does not start.
    #[must_use]
    pub fn start_with(more: &[&str]) -> Self {
        let password = more
            .iter()
            .position(|word| *word == "--requirepass")
            .map(|at| more[at + 1].to_owned());
        (0..PORTS)
            .find_map(|_| Self::try_start(more, password.clone()))
            .expect("redis-server did not start")
    }

    fn try_start(more: &[&str], password: Option<String>) -> Option<Self> {
        let folder = crate::folder();
        let port = free_port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(folder.path())
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is missing: these tests need one (./tests/run installs it)");
        let mut server = Self {
            child,
            port,
            password,
            _folder: folder,
        };
        let started = Instant::now();
        while server.try_connect().is_none() {
            // Somebody else may have taken the port since it was found free.
            if !matches!(server.child.try_wait(), Ok(None)) {
                return None;
            }
            assert!(
                started.elapsed() < START_LIMIT,
                "redis-server does not answer"
            );
            std::thread::sleep(GLANCE);
        }
        Some(server)
    }

    /// Its address, with the password when there is one.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_with(self.password.as_deref())
    }

    /// Its address, with this password.
    #[must_use]
    pub fn url_with(&self, password: Option<&str>) -> String {
        let login = password.map_or(String::new(), |password| format!(":{password}@"));
        format!("redis://{login}127.0.0.1:{}", self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Asks it one thing as another user; the error is what it answered.
    ///
    /// # Errors
    /// What it refused, in its own words.
    ///
    /// # Panics
    /// When the user cannot log in.
    pub fn ask_as<T: FromRedisValue>(
        &self,
        user: &str,
        password: &str,
        words: &[impl ToRedisArgs],
    ) -> Result<T, String> {
        let url = format!("redis://{user}:{password}@127.0.0.1:{}", self.port);
        let connection = Client::open(url).and_then(|client| client.get_connection());
        let mut connection = connection.expect("a login");
        let mut command = redis::Cmd::new();
        command.arg(words);
        (command.query(&mut connection)).map_err(|error| error.to_string())
    }

    fn try_connect(&self) -> Option<Connection> {
        let mut connection = Client::open(self.url()).ok()?.get_connection().ok()?;
        let pong = redis::cmd("PING").query::<String>(&mut connection);
        pong.is_ok().then_some(connection)
    }

    /// Asks it one thing.
    ///
    /// # Panics
    /// When it refuses.
    pub fn ask<T: FromRedisValue>(&self, words: &[impl ToRedisArgs]) -> T {
        let mut connection = self.try_connect().expect("redis-server answers");
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query(&mut connection).expect("redis-server obeys")
    }

    /// Names of the keys that match a pattern, sorted.
    #[must_use]
    pub fn keys(&self, pattern: &str) -> Vec<String> {
        let mut keys: Vec<String> = self.ask(&["KEYS", pattern]);
        keys.sort();
        keys
    }

    /// Keys that belong to jobs.
    #[must_use]
    pub fn job_keys(&self) -> Vec<String> {
        let mut keys = self.keys("mf:{*");
        keys.extend(self.keys("mf:jobs"));
        keys
    }

    /// Waits for a job to be known, and names it.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    pub fn job(&self) -> JobId {
        let mut found = None;
        self.until("a job is there", || {
            let jobs: Vec<String> = self.ask(&["ZRANGE", "mf:jobs", "0", "-1"]);
            found = jobs.first().and_then(|name| JobId::parse(name));
            found.is_some()
        });
        found.expect("a job")
    }

    /// Strips of a job that are under way.
    #[must_use]
    pub fn pending(&self, job: &JobId) -> Vec<Pending> {
        let queue = format!("mf:{{{job}}}:q");
        let exists: bool = self.ask(&["EXISTS", &queue]);
        if !exists {
            return Vec::new();
        }
        let rows: Vec<(String, String, u64, u64)> =
            self.ask(&["XPENDING", &queue, "w", "-", "+", "1000"]);
        rows.into_iter()
            .map(|(entry, owner, idle_ms, deliveries)| Pending {
                entry,
                owner,
                idle_ms,
                deliveries,
            })
            .collect()
    }

    /// Waits until something holds.
    ///
    /// # Panics
    /// When it does not within half a minute.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "waited in vain until {what}"
            );
            std::thread::sleep(GLANCE);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // By its own handle; nothing of it is worth a clean end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that was free a moment ago.
///
/// # Panics
/// When the system has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("its address").port()
}
