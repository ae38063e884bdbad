//! Worker processes on a test's server: farm-worker's, and those of workers that misbehave.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::processes::programs::{Run, Running};
use crate::servers::server::Server;

/// Longest life of a worker: longer than any test.
const LIFE: Duration = Duration::from_secs(300);

/// Seconds that a steady worker takes over a strip: long against a round trip, short against a test.
const STEADY_SECS: &str = "0.08";
/// The lease of an impatient worker.
pub const SHORT_LEASE: Duration = Duration::from_secs(3);

/// A farm-worker that is ready for work; killed on drop.
#[derive(Debug)]
pub struct Worker(Running);

impl Worker {
    /// Starts one on the processor, with one thread, and waits until it is ready.
    #[must_use]
    pub fn start(server: &Server, name: &str) -> Self {
        Self::start_with(server, name, "--backend cpu --threads 1")
    }

    /// Starts one with these options, and waits until it is ready.
    #[must_use]
    pub fn start_with(server: &Server, name: &str, options: &str) -> Self {
        Self::start_at(&server.url(), name, options)
    }

    /// Starts one that finds its server at `url`, and waits until it is ready.
    #[must_use]
    pub fn start_at(url: &str, name: &str, options: &str) -> Self {
        Self::ready(Self::command(url, name, options))
    }

    /// The command line of one, to be changed and then started with [`Worker::ready`].
    #[must_use]
    pub fn command(url: &str, name: &str, options: &str) -> Run {
        Run::program("farm-worker")
            .args(["--redis", url, "--name", name])
            .args(options.split_whitespace())
            .limit(LIFE)
    }

    /// Starts a worker's command line, and waits until it is ready.
    #[must_use]
    pub fn ready(command: Run) -> Self {
        let mut running = command.start();
        running.until_it_says("ready");
        Self(running)
    }

    /// Starts one whose device misbehaves (see the program `pretender`), and waits until it is ready.
    #[must_use]
    pub fn pretend(server: &Server, name: &str, options: &str) -> Self {
        let command = Run::program("pretender")
            .args(["--redis", &server.url(), "--name", name])
            .args(options.split_whitespace());
        Self::ready(command.limit(LIFE))
    }

    /// Starts one that takes [`STEADY_SECS`] over each strip, however fast the machine is, and waits until it is ready.
    #[must_use]
    pub fn steady(server: &Server, name: &str) -> Self {
        Self::steady_at(&server.url(), name)
    }

    /// The same, finding its server at `url`.
    #[must_use]
    pub fn steady_at(url: &str, name: &str) -> Self {
        Self::ready(Self::steady_command(url, name))
    }

    /// The command line of one, to be changed and then started with [`Worker::ready`].
    #[must_use]
    pub fn steady_command(url: &str, name: &str) -> Run {
        Self::slow_command(url, name, STEADY_SECS)
    }

    /// The command line of one that takes so many seconds over each strip.
    #[must_use]
    pub fn slow_command(url: &str, name: &str, secs: &str) -> Run {
        Run::program("pretender")
            .args(["--redis", url, "--name", name, "--mode", "slow"])
            .args(["--secs", secs])
            .limit(LIFE)
    }

    /// A steady one that takes strips over whose worker was silent for [`SHORT_LEASE`] instead of the usual lease.
    #[must_use]
    pub fn impatient(server: &Server, name: &str) -> Self {
        let lease = SHORT_LEASE.as_secs().to_string();
        Self::ready(Self::steady_command(&server.url(), name).args(["--lease", &lease]))
    }

    /// Starts `count` of them.
    #[must_use]
    pub fn crew(server: &Server, count: usize) -> Vec<Self> {
        (1..=count)
            .map(|number| Self::start(server, &format!("worker-{number}")))
            .collect()
    }

    /// The process itself.
    #[must_use]
    pub fn into_running(self) -> Running {
        self.0
    }
}

impl Deref for Worker {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.0
    }
}

impl DerefMut for Worker {
    fn deref_mut(&mut self) -> &mut Running {
        &mut self.0
    }
}
