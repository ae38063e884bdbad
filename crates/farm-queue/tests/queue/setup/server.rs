//! A private redis-server for one test; the only place of the tests that speaks Redis itself.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Client, Connection, FromRedisValue, ToRedisArgs};
use tempfile::TempDir;

/// Longest time that a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The variable that names another program than `redis-server`, which speaks the same.
pub(crate) const PROGRAM: &str = "FARM_REDIS_SERVER";

/// How the server is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Unix,
    Tcp,
}

/// A redis-server that stops, and whose files vanish, on drop.
pub(crate) struct Server {
    child: Child,
    url: String,
    _dir: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(Transport::Unix, &[])
    }

    /// With more arguments.
    pub(crate) fn start_with(transport: Transport, more: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let socket = dir.path().join("redis.sock");
        let port = match transport {
            Transport::Unix => 0,
            Transport::Tcp => free_port(),
        };
        let program = std::env::var_os(PROGRAM).unwrap_or_else(|| "redis-server".into());
        let child = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args([PathBuf::from("--unixsocket"), socket.clone()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args([PathBuf::from("--dir"), dir.path().to_owned()])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect(
                "redis-server cannot be started; install it (Debian: apt-get install redis-server)",
            );
        let url = match transport {
            Transport::Unix => format!("redis+unix://{}", socket.display()),
            Transport::Tcp => format!("redis://127.0.0.1:{port}"),
        };
        let server = Self {
            child,
            url,
            _dir: dir,
        };
        let start = Instant::now();
        while !server.answers() {
            assert!(start.elapsed() < START_LIMIT, "redis-server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn answers(&self) -> bool {
        let answer = Client::open(self.url())
            .and_then(|client| client.get_connection())
            .and_then(|mut connection| redis::cmd("PING").query::<String>(&mut connection));
        // That it wants a password is an answer, too.
        answer.map_or_else(|error| error.code() == Some("NOAUTH"), |_| true)
    }

    /// A connection of its own.
    pub(crate) fn connect(&self) -> Connection {
        let client = Client::open(self.url()).expect("an address");
        client.get_connection().expect("redis-server answers")
    }

    /// One command on a connection of its own.
    pub(crate) fn ask<T: FromRedisValue>(&self, words: &[impl ToRedisArgs]) -> T {
        let mut command = redis::Cmd::new();
        command.arg(words);
        command
            .query(&mut self.connect())
            .expect("redis-server obeys")
    }

    /// All keys that match a pattern.
    pub(crate) fn keys(&self, pattern: &str) -> Vec<String> {
        let mut keys: Vec<String> = self.ask(&["KEYS", pattern]);
        keys.sort();
        keys
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
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("its address").port()
}
