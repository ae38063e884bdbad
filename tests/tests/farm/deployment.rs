//! The files of `deploy/`: each held to what its own tool says of it, and their command lines run as they stand.

mod containers;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use farm_tests::job::quiet;
use farm_tests::programs::{Finished, Run, Running, path_of};
use farm_tests::scenes::QUICK;
use farm_tests::{digest, folder, house, names_in, page, submitter};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

/// Highest exposure of the worker's service (`systemd-analyze security`, in tenths): 20 is the end of what it calls OK.
const EXPOSURE: u32 = 20;
/// Long enough for any of these tests.
const LIFE: Duration = Duration::from_secs(120);
/// Where containers find their secrets.
const MOUNTED: &str = "/run/secrets";

fn deploy(name: &str) -> PathBuf {
    house::top().join("deploy").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(deploy(name)).expect("a file of deploy/")
}

/// A port that nobody has.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

/// A YAML file as JSON.
fn yaml(name: &str) -> Value {
    let read = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let python = page::tools().join("bin/python");
    assert!(
        python.exists(),
        "{} is missing: ./tests/run makes it",
        python.display()
    );
    Run::any(python)
        .args(["-c", read])
        .arg(deploy(name))
        .ok()
        .json()
}

/// Secrets of a farm at `localhost`, as `deploy/secrets.sh` makes them.
fn secrets() -> TempDir {
    let folder = folder();
    make_secrets(folder.path()).ok();
    folder
}

fn make_secrets(folder: &Path) -> Run {
    Run::any(deploy("secrets.sh"))
        .arg(folder)
        .args(["localhost", "redis", "127.0.0.1"])
        .env("SUBMITTER", &path_of("submitter").to_string_lossy())
}

#[test]
fn secrets_are_private_and_made_once() {
    let folder = secrets();
    let names = names_in(folder.path());
    assert_eq!(
        names,
        [
            "admin.pw",
            "ca.key",
            "ca.pem",
            "farm.key",
            "server.key",
            "server.pem",
            "submitter.pw",
            "users.acl",
            "worker.pw"
        ],
        "and nothing half-made"
    );
    let digests = || -> Vec<u64> {
        let files = names.iter().map(|name| folder.path().join(name));
        files.map(digest).collect()
    };
    for name in &names {
        let metadata = std::fs::metadata(folder.path().join(name)).expect("a file");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    // The list is what the submitter prints, with who may log in otherwise.
    let acl = std::fs::read_to_string(folder.path().join("users.acl")).expect("the list");
    let printed = submitter("redis-acl --aclfile")
        .arg("--worker-password-file")
        .arg(folder.path().join("worker.pw"))
        .arg("--submitter-password-file")
        .arg(folder.path().join("submitter.pw"))
        .ok();
    let rest = acl.strip_suffix(&printed.stdout).expect("its last lines");
    let users: Vec<&str> = rest
        .lines()
        .map(|line| &line[..line.find(" reset ").expect("reset")])
        .collect();
    assert_eq!(users, ["user default", "user admin"], "{acl}");
    let before = digests();
    make_secrets(folder.path()).ok();
    assert_eq!(digests(), before, "a second call changes nothing");
    // The certificate alone is made anew when it was removed.
    std::fs::remove_file(folder.path().join("server.pem")).expect("it was there");
    make_secrets(folder.path()).ok();
    let changed: Vec<&String> = (names.iter().zip(before.iter().zip(digests())))
        .filter(|(_, (before, after))| *before != after)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(changed, ["server.key", "server.pem"]);
}

#[test]
fn secrets_for_no_name_are_refused() {
    let folder = folder();
    for (names, code) in [(&[][..], 2), (&["a b"][..], 1), (&["x,IP:1.1.1.1"][..], 1)] {
        let done = Run::any(deploy("secrets.sh"))
            .arg(folder.path().join("new"))
            .args(names)
            .env("SUBMITTER", &path_of("submitter").to_string_lossy())
            .run();
        assert_eq!((done.code, done.words().len()), (Some(code), 1), "{done:?}");
        assert!(names_in(folder.path()).is_empty(), "{done:?}");
    }
}

/// The service's file with this program in the place of the installed one.
fn unit(folder: &Path, change: impl Fn(String) -> String) -> PathBuf {
    let program = path_of("farm-worker");
    let text = text("farm-worker.service");
    let text = text.replace("/usr/local/bin/farm-worker", &program.to_string_lossy());
    let path = folder.join("farm-worker.service");
    std::fs::write(&path, change(text)).expect("a file");
    path
}

fn analyze(command: &[&str], unit: &Path) -> Finished {
    Run::any("systemd-analyze")
        .args(command)
        .arg(unit)
        .env("SYSTEMD_PAGER", "")
        .run()
}

#[test]
fn systemd_takes_the_service_and_finds_it_confined() {
    let folder = folder();
    let good = unit(folder.path(), |text| text);
    let verified = analyze(&["verify", "--man=no"], &good);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(
        !verified.stderr.contains("farm-worker.service"),
        "{verified:?}"
    );
    let threshold = format!("--threshold={EXPOSURE}");
    let security = ["security", "--offline=yes", "--no-pager", &threshold];
    let confined = analyze(&security, &good);
    assert_eq!(confined.code, Some(0), "{confined:?}");
    // Controls: a word that is none, and a service that may do more.
    let misspelt = unit(folder.path(), |text| text.replace("Restart=", "Restrat="));
    let verified = analyze(&["verify", "--man=no"], &misspelt);
    assert!(verified.stderr.contains("Restrat"), "{verified:?}");
    let loose = unit(folder.path(), |text| {
        let kept = text.lines().filter(|line| {
            !["Protect", "Restrict", "SystemCall", "Capability", "Private"]
                .iter()
                .any(|word| line.starts_with(word))
        });
        kept.collect::<Vec<_>>().join("\n")
    });
    assert_ne!(analyze(&security, &loose).code, Some(0));
}

/// Values of a setting of the service, in order.
fn settings<'a>(unit: &'a str, name: &'a str) -> Vec<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix('=');
    unit.lines().filter_map(value).collect()
}

/// The variables of the service's own file, with the farm at `port`.
fn environment(run: Run, port: u16) -> Run {
    let text = text("worker.env");
    let variables = text.lines().filter_map(|line| line.split_once('='));
    variables
        .filter(|(name, _)| !name.starts_with('#'))
        .fold(run, |run, (name, value)| {
            let value = value.replace("farm.example:6379", &format!("localhost:{port}"));
            run.env(name, &value.replace("127.0.0.1:9464", "127.0.0.1:0"))
        })
}

/// The service's command line, as systemd would run it with credentials from `secrets`.
fn service(secrets: &Path, port: u16) -> Run {
    let unit = text("farm-worker.service");
    let credentials = folder_of_credentials(&unit, secrets);
    let [command] = settings(&unit, "ExecStart")[..] else {
        panic!("one command: {unit}")
    };
    let mut words = command
        .split(' ')
        .map(|word| word.replace("${CREDENTIALS_DIRECTORY}", &credentials.to_string_lossy()));
    assert_eq!(words.next().as_deref(), Some("/usr/local/bin/farm-worker"));
    let run = environment(Run::program("farm-worker").args(words), port);
    // Whatever the machine has: what is tested is the way in.
    run.args(["--backend", "cpu", "--threads", "1"]).limit(LIFE)
}

/// What `LoadCredential=` brings, in a folder.
fn folder_of_credentials(unit: &str, secrets: &Path) -> PathBuf {
    let folder = secrets.join("credentials");
    std::fs::create_dir_all(&folder).expect("a folder");
    for credential in settings(unit, "LoadCredential") {
        let (name, source) = credential.split_once(':').expect("a name and a file");
        let file = Path::new(source).file_name().expect("a file");
        std::fs::copy(secrets.join(file), folder.join(name)).expect("a secret of that name");
    }
    folder
}

/// The Redis of `compose.yaml`, with its own command and configuration, at a port of its own.
struct Redis {
    process: Running,
    port: u16,
    secrets: TempDir,
}

impl Redis {
    fn start() -> Self {
        let secrets = secrets();
        let conf = text("redis.conf");
        let port = free_port();
        assert!(conf.contains("\ntls-port 6379\n"));
        let conf = conf.replace(MOUNTED, &secrets.path().to_string_lossy());
        let conf = conf.replace("tls-port 6379", &format!("tls-port {port}"));
        std::fs::write(secrets.path().join("redis.conf"), conf).expect("a file");
        let compose = yaml("compose.yaml");
        let command: Vec<&str> = words(&compose["services"]["redis"]["command"]);
        assert_eq!(command, ["redis-server", "/etc/redis.conf"]);
        let mount = &compose["services"]["redis"]["volumes"][0];
        assert_eq!(mount, "./redis.conf:/etc/redis.conf:ro");
        let process = Run::any(command[0])
            .arg(secrets.path().join("redis.conf"))
            .within(&secrets)
            .limit(LIFE)
            .start();
        let redis = Self {
            process,
            port,
            secrets,
        };
        let started = Instant::now();
        while redis.health().code != Some(0) {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "{:?}",
                redis.health()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        redis
    }

    /// The words of a service of `compose.yaml`, as they are on this machine.
    fn here(&self, word: &str) -> String {
        word.replace(MOUNTED, &self.secrets.path().to_string_lossy())
            .replace("redis:6379", &format!("localhost:{}", self.port))
            .replace("-p 6379", &format!("-p {}", self.port))
    }

    /// The health check of its service.
    fn health(&self) -> Finished {
        let compose = yaml("compose.yaml");
        let check = &compose["services"]["redis"]["healthcheck"]["test"];
        let [kind, command] = words(check)[..] else {
            panic!("{check}")
        };
        assert_eq!(kind, "CMD-SHELL");
        Run::any("sh").args(["-c", &self.here(command)]).run()
    }

    /// A program with the environment of a service of `compose.yaml`.
    fn run(&self, program: &str, service: &str, metrics: u16) -> Run {
        self.within(Run::program(program), service, metrics)
    }

    /// A command with that environment.
    fn within(&self, run: Run, service: &str, metrics: u16) -> Run {
        let compose = yaml("compose.yaml");
        let variables = compose["services"][service]["environment"].as_object();
        let variables = variables.expect("an environment").iter();
        variables.fold(run, |run, (name, value)| {
            let value = self.here(value.as_str().expect("a text"));
            run.env(
                name,
                &value.replace("0.0.0.0:9464", &format!("127.0.0.1:{metrics}")),
            )
        })
    }

    /// Renders a quick picture with these ways in; its digest.
    fn picture(&self, folder: &Path) -> u64 {
        let arguments = format!("render -q {QUICK} --backend cpu -o x.npy");
        self.run("submitter", "submitter", 0)
            .args(arguments.split(' '))
            .within(folder)
            .ok();
        digest(folder.join("x.npy"))
    }

    /// What Redis answers to somebody.
    fn says(&self, user: &[&str], command: &[&str]) -> String {
        let port = self.port.to_string();
        let ca = self.secrets.path().join("ca.pem");
        let base = [
            "--no-auth-warning",
            "--tls",
            "-h",
            "localhost",
            "-p",
            &port,
            "--cacert",
        ];
        let done = Run::any("redis-cli")
            .args(base)
            .arg(ca)
            .args(user)
            .args(command)
            .run();
        done.stdout + &done.stderr
    }
}

fn words(list: &Value) -> Vec<&str> {
    let words = list.as_array().expect("a list").iter();
    words.map(|word| word.as_str().expect("a word")).collect()
}

#[test]
fn the_compose_files_farm_renders() {
    let redis = Redis::start();
    let metrics = free_port();
    let mut worker = redis
        .run("farm-worker", "worker", metrics)
        .args(["--backend", "cpu", "--threads", "1"])
        .limit(LIFE)
        .start();
    worker.until_it_says("ready");
    let folder = folder();
    assert_eq!(
        redis.picture(folder.path()),
        quiet(&format!("{QUICK} --backend cpu"))
    );
    // Its health check sees it serve, and sees when nobody does.
    let compose = yaml("compose.yaml");
    let check = words(&compose["services"]["worker"]["healthcheck"]["test"]);
    assert_eq!(check[..3], ["CMD", "bash", "-c"]);
    let health = || {
        let command = check[3].replace("9464", &metrics.to_string());
        Run::any("bash").args(["-c", &command]).run().code
    };
    assert_eq!(health(), Some(0));
    // Who has not logged in may ask for the server's health, and nothing else; nor may a worker do what it should not.
    assert_eq!(redis.says(&[], &["PING"]).trim(), "PONG");
    for (user, command) in [
        (&[][..], &["GET", "x"][..]),
        (&[], &["INFO"]),
        (&["--user", "farm-worker", "--pass", "wrong"], &["TIME"]),
    ] {
        let said = redis.says(user, command);
        assert!(
            said.contains("NOPERM") || said.contains("WRONGPASS"),
            "{said}"
        );
    }
    let password = std::fs::read_to_string(redis.secrets.path().join("worker.pw")).expect("a file");
    let login = ["--user", "farm-worker", "--pass", password.trim()];
    assert!(redis.says(&login, &["FLUSHALL"]).contains("NOPERM"));
    assert!(!redis.says(&login, &["TIME"]).contains("NOPERM"), "control");
    // Told to stop, as by `docker stop`, it is gone well within its grace.
    let grace = compose["services"]["worker"]["stop_grace_period"].as_str();
    assert_eq!(grace, Some("20s"));
    let asked = Instant::now();
    worker.signal(Signal::TERM);
    assert_eq!(worker.wait().code, Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    assert_ne!(health(), Some(0), "control");
    drop(redis.process);
}

#[test]
fn the_services_command_joins_the_farm_and_drains() {
    let redis = Redis::start();
    let mut worker = service(redis.secrets.path(), redis.port).start();
    worker.until_it_says("ready");
    assert!(worker.said().contains("metrics at"), "{}", worker.said());
    let folder = folder();
    assert_eq!(
        redis.picture(folder.path()),
        quiet(&format!("{QUICK} --backend cpu"))
    );
    let unit = text("farm-worker.service");
    assert_eq!(settings(&unit, "KillSignal"), ["SIGTERM"]);
    let patience: u64 = settings(&unit, "TimeoutStopSec")[0]
        .parse()
        .expect("seconds");
    let asked = Instant::now();
    worker.signal(Signal::TERM);
    let done = worker.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        asked.elapsed() < Duration::from_secs(patience / 2),
        "{:?}",
        asked.elapsed()
    );
    // What does not mend by itself ends with the status that keeps it from being started again.
    assert_eq!(settings(&unit, "RestartPreventExitStatus"), ["2"]);
    let wrong = service(redis.secrets.path(), redis.port)
        .env("FARM_REDIS", "nonsense")
        .run();
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

/// Names of system calls that the service's filter lets through.
fn allowed_calls() -> BTreeSet<String> {
    let unit = text("farm-worker.service");
    assert_eq!(
        settings(&unit, "SystemCallFilter"),
        ["@system-service", "~@privileged"]
    );
    let (mut allowed, refused) = (calls_of("@system-service"), calls_of("@privileged"));
    allowed.retain(|call| !refused.contains(call));
    // Those that systemd always lets through.
    allowed.extend(calls_of("@default"));
    allowed
}

/// The calls of a set, with those of the sets in it.
fn calls_of(set: &str) -> BTreeSet<String> {
    let listed = Run::any("systemd-analyze")
        .args(["syscall-filter", "--no-pager", set])
        .ok();
    let names = listed.stdout.lines().skip(1).map(str::trim);
    let mut calls = BTreeSet::new();
    for name in names.filter(|name| !name.is_empty() && !name.starts_with('#')) {
        if name.starts_with('@') {
            calls.extend(calls_of(name));
        } else {
            calls.insert(name.to_owned());
        }
    }
    calls
}

/// Names of the system calls in a log of `strace -f`.
fn calls_in(log: &Path) -> BTreeSet<String> {
    let lines = BufReader::new(std::fs::File::open(log).expect("a log")).lines();
    let mut calls = BTreeSet::new();
    for line in lines.map(|line| line.expect("a line")) {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        let rest = rest.strip_prefix("<... ").unwrap_or(rest);
        let name = rest.split(['(', ' ']).next().unwrap_or_default();
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            calls.insert(name.to_owned());
        }
    }
    calls
}

#[test]
fn the_services_filter_lets_a_workers_system_calls_through() {
    let redis = Redis::start();
    let folder = folder();
    let allowed = allowed_calls();
    assert!(
        allowed.contains("openat") && !allowed.contains("mount") && !allowed.contains("ptrace")
    );
    for backend in ["cpu", "gpu"] {
        if backend == "gpu" && !farm_tests::gpu::is_there() {
            continue;
        }
        let log = folder.path().join(backend);
        // With -D the worker is our child, and strace its grandchild.
        let traced = Run::any("strace")
            .args(["-D", "-f", "-qq", "-o", &log.to_string_lossy()])
            .arg(path_of("farm-worker"))
            .args(["--backend", backend, "--threads", "1"]);
        let mut worker = redis.within(traced, "worker", 0).limit(LIFE).start();
        worker.until_it_says("ready");
        let arguments = format!("render -q {QUICK} --backend {backend} -o x.npy");
        (redis.run("submitter", "submitter", 0))
            .args(arguments.split(' '))
            .within(&folder)
            .ok();
        worker.signal(Signal::TERM);
        assert_eq!(worker.wait().code, Some(0));
        let used = calls_in(&log);
        assert!(used.len() > 20 && used.contains("openat"), "{used:?}");
        let refused: Vec<&String> = used.difference(&allowed).collect();
        assert!(refused.is_empty(), "{backend}: {refused:?}");
    }
}
