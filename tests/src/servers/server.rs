//! A private redis-server for one test, on a loopback port of its own, that can die and come back.
//!
//! The only place of these tests that speaks Redis: what lies in it, and what a stranger might put there.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use farm_queue::JobId;
use redis::{Client, Connection, FromRedisValue, ToRedisArgs};
use tempfile::TempDir;

use crate::servers::aof::Log;
use crate::servers::clock::Clock;
use crate::servers::ports::server_port;

pub use crate::servers::ports::free_port;

/// Longest time that a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(20);
/// Ports that are tried when others take them first.
const PORTS: usize = 5;
/// How long something may be awaited, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the server is asked again while something is awaited.
const GLANCE: Duration = Duration::from_millis(10);

/// What a server keeps of its data when it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing.
    None,
    /// A log of all that it wrote, on the disk within a second.
    EverySec,
    /// The same, on the disk before anybody has an answer.
    Always,
}

/// A redis-server that stops, and whose files vanish, on drop.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    child: Child,
    port: u16,
    password: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    folder: TempDir,
}

/// The program of servers: `FARM_REDIS_SERVER` names another one that speaks the same.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("FARM_REDIS_SERVER").map_or_else(|| "redis-server".into(), PathBuf::from)
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
    #[must_use]
    pub fn start_with(more: &[&str]) -> Self {
        Self::start_of(&program(), more)
    }

    /// Starts one that copies `master`, and waits until it has what that has.
    #[must_use]
    pub fn start_replica(master: &Self) -> Self {
        master.configure("repl-diskless-sync-delay", "0");
        let port = master.port.to_string();
        let replica = Self::start_with(&["--replicaof", "127.0.0.1", &port]);
        replica.until("it has what its master has", || {
            replica.tells("master_link_status") == "up"
        });
        replica
    }

    /// Starts one of another program, with more arguments.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start_of(program: &Path, more: &[&str]) -> Self {
        let password = more
            .iter()
            .position(|word| *word == "--requirepass")
            .map(|at| more[at + 1].to_owned());
        (0..PORTS)
            .find_map(|_| Self::try_start(program, more, &[], password.clone()))
            .expect("redis-server did not start")
    }

    /// Starts one whose clock is this one.
    ///
    /// # Panics
    /// When redis-server is not installed or does not start.
    #[must_use]
    pub fn start_by(clock: &Clock) -> Self {
        (0..PORTS)
            .find_map(|_| Self::try_start(&program(), &[], &clock.environment(), None))
            .expect("redis-server did not start")
    }

    /// Starts one that keeps its data so.
    #[must_use]
    pub fn start_keeping(persistence: Persistence, more: &[&str]) -> Self {
        // Its log is never written anew, so that what a test cuts off is what came last.
        let mut words = match persistence {
            Persistence::None => vec![],
            Persistence::EverySec => vec!["--appendonly", "yes", "--appendfsync", "everysec"],
            Persistence::Always => vec!["--appendonly", "yes", "--appendfsync", "always"],
        };
        words.extend(["--auto-aof-rewrite-percentage", "0"]);
        words.extend(more);
        Self::start_with(&words)
    }

    fn try_start(
        program: &Path,
        more: &[&str],
        environment: &[(&'static str, String)],
        password: Option<String>,
    ) -> Option<Self> {
        let folder = crate::files::folder();
        let port = server_port();
        let arguments: Vec<String> = more.iter().map(|&word| word.to_owned()).collect();
        let child = spawn(program, port, folder.path(), &arguments, environment);
        let mut server = Self {
            program: program.to_owned(),
            child,
            port,
            password,
            arguments,
            environment: environment.to_vec(),
            folder,
        };
        server.answers_soon().then_some(server)
    }

    /// Waits until it answers; false when it ended instead.
    fn answers_soon(&mut self) -> bool {
        let started = Instant::now();
        while !self.is_well() {
            // Somebody else may have taken the port since it was found free.
            if !matches!(self.child.try_wait(), Ok(None)) {
                return false;
            }
            assert!(
                started.elapsed() < START_LIMIT,
                "redis-server does not answer"
            );
            std::thread::sleep(GLANCE);
        }
        true
    }

    /// Kills it (SIGKILL): whatever it had not handed to the system is lost.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("a server to wait for");
    }

    /// Starts it again after [`Server::kill`], at its port and with the files that it left.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn restart(&mut self) {
        self.child = spawn(
            &self.program,
            self.port,
            self.folder.path(),
            &self.arguments,
            &self.environment,
        );
        assert!(
            self.answers_soon(),
            "redis-server does not come back; files: {:?}",
            crate::files::names_in(self.folder.path())
        );
    }

    /// Removes its files, while it is dead.
    ///
    /// # Panics
    /// When they cannot be removed.
    pub fn forget(&self) {
        for entry in std::fs::read_dir(self.folder.path()).expect("its folder") {
            let path = entry.expect("an entry").path();
            let removed = if path.is_dir() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            removed.expect("a file of ours");
        }
    }

    /// Gives it, while it is dead and its folder empty, this log to come back with.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn restore(&self, log: &[u8]) {
        Log::plant(self.folder.path(), log);
    }

    /// The log that it left, to be read and cut while it is dead.
    ///
    /// # Panics
    /// When it keeps none.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::find(self.folder.path())
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        kill_process(pid, signal).expect("a server that is there");
    }

    /// Sets one of its options.
    pub fn configure(&self, option: &str, value: &str) {
        self.ask::<()>(&["CONFIG", "SET", option, value]);
    }

    /// One figure of its own about itself, from `INFO`.
    ///
    /// # Panics
    /// When it tells none of that name.
    #[must_use]
    pub fn figure(&self, name: &str) -> u64 {
        (self.tells(name).parse()).unwrap_or_else(|_| panic!("no figure '{name}'"))
    }

    /// What it tells of itself under a name, from `INFO`; nothing when it tells none of that name.
    #[must_use]
    pub fn tells(&self, name: &str) -> String {
        let info: String = self.ask(&["INFO", "everything"]);
        let line = (info.lines()).find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    }

    /// How often it answered with this error so far.
    #[must_use]
    pub fn refusals(&self, code: &str) -> u64 {
        let count = self.tells(&format!("errorstat_{code}"));
        (count.strip_prefix("count=")).map_or(0, |count| count.parse().expect("a count"))
    }

    /// Where it keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
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
        Client::open(self.url()).ok()?.get_connection().ok()
    }

    /// Whether it is there and answers whatever is asked: a server that is busy, or cannot save, does not.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.try_ask::<String>(&["PING"]).is_some()
    }

    /// Keeps it busy with a script that ends when it is told to (`SCRIPT KILL`), or with the server; returns when it
    /// answers so, to everybody.
    ///
    /// # Panics
    /// When it does not come to that.
    pub fn occupy(&self) -> JoinHandle<()> {
        let connection = self.try_connect();
        let occupied = std::thread::Builder::new().name("occupied".into());
        let occupied = occupied.spawn(move || {
            let mut connection = connection.expect("redis-server answers");
            let mut script = redis::cmd("EVAL");
            script.arg("while true do end").arg(0);
            let _ = script.query::<()>(&mut connection);
        });
        self.until("it is busy", || !self.is_well());
        occupied.expect("a thread")
    }

    /// Asks it one thing; `None` when it cannot be reached or refuses.
    pub fn try_ask<T: FromRedisValue>(&self, words: &[impl ToRedisArgs]) -> Option<T> {
        let mut connection = self.try_connect()?;
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query(&mut connection).ok()
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
        keys.extend(self.keys("mf:all"));
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

    /// Strips of a job that are under way; none of one that has ended.
    ///
    /// # Panics
    /// When it refuses.
    #[must_use]
    pub fn pending(&self, job: &JobId) -> Vec<Pending> {
        let mut connection = self.try_connect().expect("redis-server answers");
        let queue = format!("mf:{{{job}}}:q");
        let mut command = redis::cmd("XPENDING");
        command.arg(&[&queue, "w", "-", "+", "1000"]);
        let rows: Vec<(String, String, u64, u64)> = match command.query(&mut connection) {
            Err(error) if error.code() == Some("NOGROUP") => Vec::new(),
            rows => rows.expect("redis-server obeys"),
        };
        rows.into_iter()
            .map(|(entry, owner, idle_ms, deliveries)| Pending {
                entry,
                owner,
                idle_ms,
                deliveries,
            })
            .collect()
    }

    /// Strips of a job with a committed buffer, as far as the server knows; audits count on their own.
    #[must_use]
    pub fn committed(&self, job: &JobId) -> u64 {
        self.try_ask(&["BITCOUNT", &format!("mf:{{{job}}}:bits")])
            .unwrap_or(0)
    }

    /// Waits until so many strips of a job are committed.
    pub fn until_committed(&self, job: &JobId, strips: u64) {
        self.until("strips are committed", || self.committed(job) >= strips);
    }

    /// Waits until something holds.
    ///
    /// # Panics
    /// When it does not within a minute.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
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

fn spawn(
    program: &Path,
    port: u16,
    folder: &Path,
    arguments: &[String],
    environment: &[(&'static str, String)],
) -> Child {
    Command::new(program)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .arg("--dir")
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is missing: these tests need one (./tests/run installs it)")
}
