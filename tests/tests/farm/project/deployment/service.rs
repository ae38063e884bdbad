//! The service: systemd takes it, and its command line runs as it stands.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use farm_tests::folder;
use farm_tests::job::quiet;
use farm_tests::programs::{Finished, Run, path_of};
use farm_tests::scenes::QUICK;
use rustix::process::Signal;

use super::setup::{LIFE, Redis, service, settings, text, unit};

/// Highest exposure of the worker's service (`systemd-analyze security`, in tenths): 20 is the end of what it calls OK.
const EXPOSURE: u32 = 20;

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
