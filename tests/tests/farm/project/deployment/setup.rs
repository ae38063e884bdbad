//! The files of `deploy/`, and a Redis set up by them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use farm_tests::programs::{Finished, Run, Running, path_of};
use farm_tests::scenes::QUICK;
use farm_tests::{digest, folder, house, tools};
use serde_json::Value;
use tempfile::TempDir;

/// Long enough for any of these tests.
pub(super) const LIFE: Duration = Duration::from_secs(120);

/// Where containers find their secrets.
pub(super) const MOUNTED: &str = "/run/secrets";

pub(super) fn deploy(name: &str) -> PathBuf {
    house::top().join("deploy").join(name)
}

pub(super) fn text(name: &str) -> String {
    std::fs::read_to_string(deploy(name)).expect("a file of deploy/")
}

/// A port that nobody has.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

/// A YAML file as JSON.
pub(super) fn yaml(name: &str) -> Value {
    let read = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let python = tools::tools().join("bin/python");
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
pub(super) fn secrets() -> TempDir {
    let folder = folder();
    make_secrets(folder.path()).ok();
    folder
}

pub(super) fn make_secrets(folder: &Path) -> Run {
    Run::any(deploy("secrets.sh"))
        .arg(folder)
        .args(["localhost", "redis", "127.0.0.1"])
        .env("SUBMITTER", &path_of("submitter").to_string_lossy())
}

/// The service's file with this program in the place of the installed one.
pub(super) fn unit(folder: &Path, change: impl Fn(String) -> String) -> PathBuf {
    let program = path_of("farm-worker");
    let text = text("farm-worker.service");
    let text = text.replace("/usr/local/bin/farm-worker", &program.to_string_lossy());
    let path = folder.join("farm-worker.service");
    std::fs::write(&path, change(text)).expect("a file");
    path
}

/// Values of a setting of the service, in order.
pub(super) fn settings<'a>(unit: &'a str, name: &'a str) -> Vec<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix('=');
    unit.lines().filter_map(value).collect()
}

/// The variables of the service's own file, with the farm at `port`.
pub(super) fn environment(run: Run, port: u16) -> Run {
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
pub(super) fn service(secrets: &Path, port: u16) -> Run {
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
pub(super) fn folder_of_credentials(unit: &str, secrets: &Path) -> PathBuf {
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
pub(super) struct Redis {
    pub(super) process: Running,
    pub(super) port: u16,
    pub(super) secrets: TempDir,
}

impl Redis {
    pub(super) fn start() -> Self {
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
    pub(super) fn here(&self, word: &str) -> String {
        word.replace(MOUNTED, &self.secrets.path().to_string_lossy())
            .replace("redis:6379", &format!("localhost:{}", self.port))
            .replace("-p 6379", &format!("-p {}", self.port))
    }

    /// The health check of its service.
    pub(super) fn health(&self) -> Finished {
        let compose = yaml("compose.yaml");
        let check = &compose["services"]["redis"]["healthcheck"]["test"];
        let [kind, command] = words(check)[..] else {
            panic!("{check}")
        };
        assert_eq!(kind, "CMD-SHELL");
        Run::any("sh").args(["-c", &self.here(command)]).run()
    }

    /// A program with the environment of a service of `compose.yaml`.
    pub(super) fn run(&self, program: &str, service: &str, metrics: u16) -> Run {
        self.within(Run::program(program), service, metrics)
    }

    /// A command with that environment.
    pub(super) fn within(&self, run: Run, service: &str, metrics: u16) -> Run {
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
    pub(super) fn picture(&self, folder: &Path) -> u64 {
        let arguments = format!("render -q {QUICK} --backend cpu -o x.npy");
        self.run("submitter", "submitter", 0)
            .args(arguments.split(' '))
            .within(folder)
            .ok();
        digest(folder.join("x.npy"))
    }

    /// What Redis answers to somebody.
    pub(super) fn says(&self, user: &[&str], command: &[&str]) -> String {
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

pub(super) fn words(list: &Value) -> Vec<&str> {
    let words = list.as_array().expect("a list").iter();
    words.map(|word| word.as_str().expect("a word")).collect()
}
