//! A Sentinel that watches one of a test's servers, in a hurry.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Client, Connection, FromRedisValue};
use tempfile::TempDir;

use crate::servers::ports::server_port;
use crate::servers::server::{Server, program};

/// How long something may be awaited, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked again while something is awaited.
const GLANCE: Duration = Duration::from_millis(20);

/// What it calls the server that it watches, and its replicas.
pub const NAME: &str = "farm";

/// A Sentinel; killed on drop.
#[derive(Debug)]
pub struct Sentinel {
    child: Child,
    port: u16,
    password: Option<&'static str>,
    folder: TempDir,
}

impl Sentinel {
    /// Starts one that watches `master`.
    #[must_use]
    pub fn of(master: &Server) -> Self {
        Self::start(("127.0.0.1", master.port()), "", None)
    }

    /// Starts one that watches what listens there, with more lines of its configuration, and waits until it answers those who
    /// have this password.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start((host, master): (&str, u16), lines: &str, password: Option<&'static str>) -> Self {
        let folder = crate::files::folder();
        let port = server_port();
        // The file is its memory: it writes there what it learns.
        let file = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {NAME} {host} {master} 1\n\
             sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 3000\n{lines}\n",
            folder.path().display(),
        );
        std::fs::write(&file, text).expect("a file of the test");
        let sentinel = Self {
            child: spawn(&file),
            port,
            password,
            folder,
        };
        sentinel.until("it answers", || sentinel.try_connect().is_some());
        sentinel
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its host and port.
    #[must_use]
    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address of what it watches.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+sentinel://{}/{NAME}", self.place())
    }

    /// Kills it.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("a Sentinel to wait for");
    }

    /// Starts it again after [`Sentinel::kill`], with what it knew.
    pub fn restart(&mut self) {
        self.child = spawn(&self.folder.path().join("sentinel.conf"));
        self.until("it answers again", || self.try_connect().is_some());
    }

    fn try_connect(&self) -> Option<Connection> {
        let login = self
            .password
            .map_or(String::new(), |word| format!(":{word}@"));
        let url = format!("redis://{login}{}", self.place());
        let mut connection = Client::open(url).ok()?.get_connection().ok()?;
        let pong = redis::cmd("PING").query::<String>(&mut connection);
        pong.is_ok().then_some(connection)
    }

    /// Asks it one thing; `None` when it refuses or is not there.
    pub fn try_ask<T: FromRedisValue>(&self, words: &[&str]) -> Option<T> {
        let mut command = redis::cmd("SENTINEL");
        command.arg(words);
        command.query(&mut self.try_connect()?).ok()
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

    /// Waits until it knows a replica that it could put in the master's place.
    pub fn until_it_knows_a_replica(&self) {
        self.until("it knows a replica", || {
            let replicas: Option<Vec<Vec<String>>> = self.try_ask(&["REPLICAS", NAME]);
            replicas.iter().flatten().any(|replica| {
                let tells = |key: &str, value: &str| {
                    replica
                        .chunks_exact(2)
                        .any(|pair| pair[0] == key && pair[1] == value)
                };
                tells("flags", "slave") && tells("master-link-status", "ok")
            })
        });
    }

    /// Waits until it names the server on this port.
    pub fn until_it_names(&self, port: u16) {
        self.until("it names the other server", || {
            let named: Option<(String, u16)> = self.try_ask(&["GET-MASTER-ADDR-BY-NAME", NAME]);
            named.is_some_and(|(_, named)| named == port)
        });
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        // By its own handle; nothing of it is worth a clean end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(file: &Path) -> Child {
    Command::new(program())
        .arg(file)
        .arg("--sentinel")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is missing: these tests need one (./tests/run installs it)")
}
