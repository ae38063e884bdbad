//! The farm's programs as processes: found beside the test binary, run with a time limit.
//!
//! A program that is missing, or older than its own sources, fails the test with a line that says what to
//! run. A program that hangs is killed by its own process id and fails the test with all that it said.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process};

use crate::tools::build_folder;

/// How long a program may run unless a test says otherwise.
const LIMIT: Duration = Duration::from_secs(120);
/// How often a running program is looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// What a program must not inherit from whoever runs the tests.
const NOT_INHERITED: [&str; 22] = [
    "FARM_TAG",
    "FARM_NICE",
    "FARM_HOURS",
    "FARM_OWNER",
    "FARM_REDIS",
    "FARM_REDIS_USER",
    "FARM_REDIS_PASSWORD",
    "FARM_REDIS_PASSWORD_FILE",
    "FARM_TLS_CA",
    "FARM_TLS_CERT",
    "FARM_TLS_KEY",
    "FARM_KEY_FILE",
    "FARM_KEY",
    "FARM_INSECURE",
    "FARM_LOG",
    "FARM_METRICS",
    "FARM_JOURNAL",
    "FARM_LOG_FILE",
    "FARM_STATE",
    "PENVM_WORLD_FILENAME",
    "NO_COLOR",
    "RUST_LOG",
];
/// Where journals go that a test says nothing about: not among the user's own.
const JOURNALS: &str = "journals-of-tests";

/// The folder of journals that a test says nothing about.
#[must_use]
pub fn journals() -> PathBuf {
    build_folder().join(JOURNALS)
}

/// `submitter` with a command line, split at spaces; [`Run::arg`] adds what has spaces.
#[must_use]
pub fn submitter(line: &str) -> Run {
    Run::program("submitter").args(line.split_whitespace())
}

/// A program about to run.
#[derive(Debug)]
pub struct Run {
    command: Command,
    line: String,
    limit: Duration,
}

/// A program that runs; killed on drop.
#[derive(Debug)]
pub struct Running {
    child: Child,
    line: String,
    started: Instant,
    deadline: Instant,
    stdout: Pipe,
    stderr: Pipe,
    peak_kib: u64,
}

/// A program that ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its command line.
    pub line: String,
    /// Its exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All it wrote there.
    pub stdout: String,
    /// All it wrote there.
    pub stderr: String,
    /// From start to end.
    pub elapsed: Duration,
    /// The most memory it had resident, in KiB (Linux; 0 elsewhere).
    pub peak_kib: u64,
}

/// Sends a signal to a process.
///
/// # Panics
/// When it is gone.
pub fn kill(pid: u32, signal: Signal) {
    let id = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(id.expect("a process id"), signal)
        .unwrap_or_else(|error| panic!("process {pid}: {error}"));
}

/// Path of one of the farm's programs, of this build and up to date.
///
/// # Panics
/// When it is missing or older than its sources.
#[must_use]
pub fn path_of(program: &str) -> PathBuf {
    let path = build_folder()
        .join(program)
        .with_extension(std::env::consts::EXE_EXTENSION);
    let built = modified(&path);
    assert!(
        built.is_some(),
        "{} is missing: these tests run the programs; build them first (./tests/run does)",
        path.display()
    );
    // Cargo lists there what the program was made of.
    let sources = std::fs::read_to_string(path.with_extension("d")).unwrap_or_default();
    let newer = sources
        .split_whitespace()
        .skip(1)
        .find(|source| modified(Path::new(source)) > built);
    assert!(
        newer.is_none(),
        "{} is older than {}: build the programs first (./tests/run does)",
        path.display(),
        newer.unwrap_or_default()
    );
    path
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

impl Run {
    /// One of the farm's programs, without arguments yet.
    #[must_use]
    pub fn program(name: &str) -> Self {
        Self::any(path_of(name))
    }

    /// Any program.
    #[must_use]
    pub fn any(path: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(&path);
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        // Nothing of a test goes to the user's own folders.
        command
            .env("FARM_JOURNAL", journals())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let name = Path::new(path.as_ref()).file_name().unwrap_or_default();
        Self {
            command,
            line: name.to_string_lossy().into_owned(),
            limit: LIMIT,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.line.push(' ');
        self.line.push_str(&arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Runs it in a folder.
    #[must_use]
    pub fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// How long it may run.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The same command line under another program, which runs it: `sh -c`, `unshare` and the like.
    #[must_use]
    pub fn under(self, program: &str, args: &[&str]) -> Self {
        let mut outer = Self::any(program)
            .args(args)
            .arg(self.command.get_program());
        for arg in self.command.get_args() {
            outer = outer.arg(arg);
        }
        if let Some(folder) = self.command.get_current_dir() {
            outer.command.current_dir(folder);
        }
        outer.limit(self.limit)
    }

    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(mut self) -> Running {
        let started = Instant::now();
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("`{}` cannot be started: {error}", self.line));
        let stdout = Pipe::read(child.stdout.take().expect("piped"));
        let stderr = Pipe::read(child.stderr.take().expect("piped"));
        Running {
            child,
            line: self.line,
            started,
            deadline: started + self.limit,
            stdout,
            stderr,
            peak_kib: 0,
        }
    }

    /// Runs it to its end, whatever that is.
    #[must_use]
    pub fn run(self) -> Finished {
        self.start().wait()
    }

    /// Runs it to its end, which has to be a success.
    pub fn ok(self) -> Finished {
        let finished = self.run();
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished
    }
}

impl Running {
    /// What it wrote to stdout so far.
    #[must_use]
    pub fn written(&self) -> String {
        self.stdout.text()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most KiB that it had resident so far; 0 where that is not told.
    #[must_use]
    pub fn peak_kib(&self) -> u64 {
        peak_kib(self.child.id())
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        kill(self.child.id(), signal);
    }

    /// What it said on stderr so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.stderr.text()
    }

    /// Waits until it has a handler of its own for a signal (Linux).
    ///
    /// # Panics
    /// When its time is over first.
    pub fn until_it_handles(&self, signal: Signal) {
        let mask = 1u64 << (signal.as_raw() - 1);
        let status = format!("/proc/{}/status", self.child.id());
        let handles = || {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            caught.is_some_and(|caught| caught & mask != 0)
        };
        while !handles() {
            assert!(
                Instant::now() < self.deadline,
                "it never handles {signal:?}"
            );
            std::thread::sleep(GLANCE);
        }
    }

    /// Waits until it says `words` on stderr.
    ///
    /// # Panics
    /// When it ends or its time is over first.
    pub fn until_it_says(&mut self, words: &str) {
        while !self.stderr.text().contains(words) {
            let ended = self.child.try_wait().expect("a child to wait for");
            assert!(
                ended.is_none() && Instant::now() < self.deadline,
                "`{}` never said '{words}' but: {}",
                self.line,
                self.stderr.text()
            );
            std::thread::sleep(GLANCE);
        }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When its time is over first: it is killed then.
    #[must_use]
    pub fn wait(mut self) -> Finished {
        let status = loop {
            // Before the look at its status: the memory of a program that has ended is not known any more.
            self.peak_kib = self.peak_kib.max(peak_kib(self.child.id()));
            if let Some(status) = self.child.try_wait().expect("a child to wait for") {
                break status;
            }
            if Instant::now() > self.deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!(
                    "`{}` did not end within {:?} and was killed; stdout: {}; stderr: {}",
                    self.line,
                    self.deadline - self.started,
                    self.stdout.text(),
                    self.stderr.text()
                );
            }
            std::thread::sleep(GLANCE);
        };
        self.finished(status)
    }

    fn finished(&mut self, status: ExitStatus) -> Finished {
        Finished {
            line: std::mem::take(&mut self.line),
            code: status.code(),
            elapsed: self.started.elapsed(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            peak_kib: self.peak_kib,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // By its own handle; does nothing once it has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// Lines of its stderr.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        self.stderr.lines().collect()
    }

    /// The one JSON object on its stdout.
    ///
    /// # Panics
    /// When there is anything else.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.lines().count(), 1, "one line of JSON: {self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The most memory that a process had resident so far; 0 where that is not told.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// One of a child's outputs, read by a thread of its own so that the child never waits for us.
#[derive(Debug)]
struct Pipe {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Pipe {
    fn read(mut source: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = std::thread::Builder::new()
            .name("read-pipe".into())
            .spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(length @ 1..) = source.read(&mut chunk) {
                    sink.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend(&chunk[..length]);
                }
            })
            .expect("a thread");
        Self {
            bytes,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.text()
    }
}

/// Arguments that name output files: `-o` before each.
#[must_use]
pub fn outputs(names: &[&str]) -> Vec<OsString> {
    names
        .iter()
        .flat_map(|name| [OsString::from("-o"), OsString::from(name)])
        .collect()
}
