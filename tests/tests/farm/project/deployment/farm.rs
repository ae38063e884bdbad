//! The compose file's farm renders.

use std::time::{Duration, Instant};

use farm_tests::folder;
use farm_tests::job::quiet;
use farm_tests::programs::Run;
use farm_tests::scenes::QUICK;
use rustix::process::Signal;

use super::setup::{LIFE, Redis, free_port, words, yaml};

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
