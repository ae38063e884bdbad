//! The workers and the submitter of a run, as a supervisor keeps them: what ends is started again.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::processes::programs::{Finished, Run, Running, submitter};
use crate::servers::proxy::Proxy;

/// Between a program's end and its next start.
const RESTART: Duration = Duration::from_millis(500);
/// Longest life of one process.
const LIFE: Duration = Duration::from_secs(900);
/// What a program says when it breaks by a fault of its own.
const PANIC: &str = "panicked at";

/// A worker's place: one process after another, each behind the same bad network.
#[derive(Debug)]
pub struct Member {
    /// Its way to the server.
    pub proxy: Proxy,
    number: usize,
    /// Processes so far.
    generation: usize,
    role: Role,
    running: Option<Running>,
    start_at: Instant,
    /// What its processes did.
    pub work: Work,
}

/// What kind of worker has a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `farm-worker`, on the processor.
    Worker,
    /// A pretender that takes its time over each strip.
    Slow,
    /// A pretender that lies.
    Faulty,
}

/// What workers did, by their logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Strips that were computed, those included that nobody wanted any more.
    pub computed: u64,
    /// Processes that ended by themselves: they could not reach their server when they started.
    pub gave_up: u64,
}

impl Member {
    /// The `number`th worker, not started yet.
    #[must_use]
    pub fn new(number: usize, server: u16, role: Role) -> Self {
        Self {
            proxy: Proxy::start(server),
            number,
            generation: 0,
            role,
            running: None,
            start_at: Instant::now(),
            work: Work::default(),
        }
    }

    /// Name of its present process.
    #[must_use]
    pub fn name(&self) -> String {
        match self.role {
            // What one process of a machine lies, the next one lies, too: audits are not to take them for two.
            Role::Faulty => format!("faulty{}", self.number),
            _ => format!("w{}-{}", self.number, self.generation),
        }
    }

    /// Whether a process of it runs, frozen or not.
    pub fn is_running(&mut self) -> bool {
        self.running.as_mut().is_some_and(Running::is_running)
    }

    /// Number of its present process among its processes.
    #[must_use]
    pub fn generation(&self) -> usize {
        self.generation
    }

    /// Sends its process a signal.
    pub fn signal(&mut self, signal: Signal) {
        if let Some(running) = &mut self.running
            && running.is_running()
        {
            running.signal(signal);
        }
    }

    /// Starts what is not running and should be.
    ///
    /// # Errors
    /// What a process said that broke by a fault of its own.
    pub fn tend(&mut self, strip_secs: f64, access: &[String]) -> Result<(), String> {
        if self.is_running() {
            return Ok(());
        }
        if let Some(running) = self.running.take() {
            self.count(&running.wait())?;
            self.start_at = Instant::now() + RESTART;
        }
        if Instant::now() >= self.start_at {
            self.generation += 1;
            let secs = strip_secs.to_string();
            let (program, options): (_, &[&str]) = match self.role {
                Role::Worker => ("farm-worker", &["--backend", "cpu", "--threads", "1"]),
                Role::Slow => ("pretender", &["--mode", "slow", "--secs", &secs]),
                Role::Faulty => ("pretender", &["--mode", "lie"]),
            };
            let run = Run::program(program)
                .args(["--redis", &self.proxy.url(), "--name", &self.name()])
                .args(options)
                .args(access)
                .args(["--log", "info,farm_worker=debug"])
                .limit(LIFE);
            self.running = Some(run.start());
        }
        Ok(())
    }

    /// Ends it for good.
    ///
    /// # Errors
    /// What a process said that broke by a fault of its own.
    pub fn end(&mut self) -> Result<(), String> {
        self.signal(Signal::KILL);
        let ended = self.running.take().map(Running::wait);
        ended.map_or(Ok(()), |ended| self.count(&ended))
    }

    fn count(&mut self, ended: &Finished) -> Result<(), String> {
        // Whatever was computed, for good or in vain.
        const COMPUTED: [&str; 4] = ["delivered", "duplicate", "lost", "job_gone"];
        let outcomes = (ended.words().into_iter())
            .filter_map(|line| Some(line.split_once("strip ended outcome=\"")?.1));
        self.work.computed += outcomes
            .filter(|outcome| COMPUTED.iter().any(|name| outcome.starts_with(name)))
            .count() as u64;
        self.work.gave_up += u64::from(ended.code == Some(1));
        broken(ended)
    }
}

/// A process that broke by a fault of its own says so.
fn broken(ended: &Finished) -> Result<(), String> {
    if ended.stderr.contains(PANIC) {
        return Err(format!("a program broke: {}", tail(&ended.stderr)));
    }
    Ok(())
}

/// The end of a long text.
#[must_use]
pub fn tail(text: &str) -> &str {
    const MOST: usize = 3000;
    let from = text.len().saturating_sub(MOST);
    &text[text.ceil_char_boundary(from)..]
}

/// A submitter's place.
#[derive(Debug)]
pub struct Submitter {
    /// Its way to the server.
    pub proxy: Proxy,
    /// Its picture.
    pub picture: &'static str,
    /// Where it writes that.
    pub file: String,
    journal: String,
    line: String,
    running: Option<Running>,
    start_at: Option<Instant>,
    started: Instant,
    /// When the server, or its own network, was last ill.
    pub ill_at: Option<Instant>,
    /// Processes so far.
    pub starts: u64,
    /// Those of them that we killed.
    pub killed: u64,
    /// Its picture is in its place.
    pub is_done: bool,
}

impl Submitter {
    /// The `number`th one, for a picture, not started yet.
    #[must_use]
    pub fn new(number: usize, server: u16, picture: &'static str, options: &str) -> Self {
        let proxy = Proxy::start(server);
        let (file, journal) = (format!("{number}.npy"), format!("journal-{number}"));
        let line = format!("render -q {picture} {options} -o {file} --json");
        Self {
            proxy,
            picture,
            file,
            journal,
            line,
            running: None,
            start_at: Some(Instant::now()),
            started: Instant::now(),
            ill_at: None,
            starts: 0,
            killed: 0,
            is_done: false,
        }
    }

    /// Whether its process runs.
    pub fn is_running(&mut self) -> bool {
        self.running.as_mut().is_some_and(Running::is_running)
    }

    /// How long its present process has run.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether the server or its network was ill since its last process was started.
    #[must_use]
    pub fn was_ill(&self) -> bool {
        self.ill_at.is_some_and(|at| at >= self.started)
    }

    /// Starts it when that is due: the same command as before, or `resume` where `by_name` and there is a journal.
    pub fn tend(&mut self, folder: &Path, by_name: bool, access: &[String]) {
        if self.is_done
            || self.running.is_some()
            || self.start_at.is_none_or(|at| Instant::now() < at)
        {
            return;
        }
        self.start_at = None;
        self.starts += 1;
        self.started = Instant::now();
        let job = by_name.then(|| self.journalled(folder)).flatten();
        let run = match job {
            Some(job) => submitter(&format!("resume {job} -q --json")),
            None => submitter(&self.line),
        };
        let run = run
            .args(["--journal", &self.journal, "--redis", &self.proxy.url()])
            .args(access);
        self.running = Some(run.within(folder).limit(LIFE).start());
    }

    /// The job of which it has a journal.
    fn journalled(&self, folder: &Path) -> Option<String> {
        let journals = std::fs::read_dir(folder.join(&self.journal)).ok()?;
        let mut whole = journals
            .flatten()
            .filter(|entry| entry.path().join("plan.json").is_file());
        whole.next()?.file_name().into_string().ok()
    }

    /// Kills it; it is started again after a while.
    pub fn kill(&mut self, away: Duration) {
        if let Some(running) = self.running.take() {
            running.signal(Signal::KILL);
            let _ = running.wait();
            self.killed += 1;
        }
        self.again(away);
    }

    /// Starts it again after a while.
    pub fn again(&mut self, away: Duration) {
        self.start_at = Some(Instant::now() + away);
    }

    /// What it said when it ended by itself; handed out once.
    ///
    /// # Errors
    /// What it said when it broke by a fault of its own.
    pub fn ended(&mut self) -> Result<Option<Finished>, String> {
        if self.running.is_none() || self.is_running() {
            return Ok(None);
        }
        let ended = self.running.take().map(Running::wait);
        if let Some(ended) = &ended {
            broken(ended)?;
        }
        Ok(ended)
    }

    /// What its present process said so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.running
            .as_ref()
            .map_or_else(String::new, Running::said)
    }
}
