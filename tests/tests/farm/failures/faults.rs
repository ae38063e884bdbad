//! Workers and submitters that are killed, stopped, held, or late: the picture is the same, nothing stays.

use std::time::{Duration, Instant};

use farm_tests::job::quiet;
use farm_tests::programs::{Running, outputs};
use farm_tests::scenes::{LONG, QUICK, SLOWER, WAITED};
use farm_tests::server::Pending;
use farm_tests::{Server, Worker, digest, folder, names_in, submitter};
use rustix::process::Signal;
use tempfile::TempDir;

/// How long after a worker's death its strips may lie still: a lease, and the longest wait of a look.
const RECOVERY: Duration = Duration::from_secs(20);
/// How long a steady worker may take over the whole of [`LONG`] on a loaded machine.
const ALL_OF_IT: Duration = Duration::from_secs(20);
/// How long a worker that is told to stop may still work, with time for a loaded machine.
const ORDERLY_STOP: Duration = Duration::from_secs(5);
/// How long anything may take that happens at once, on a loaded machine.
const AT_ONCE: Duration = Duration::from_secs(3);

/// A render on a farm, under way.
struct Job {
    running: Running,
    folder: TempDir,
}

impl Job {
    fn start(server: &Server, scene: &str) -> Self {
        let folder = folder();
        let line = format!("render -q {scene} -o x.npy --json --redis {}", server.url());
        let running = submitter(&line).within(&folder).start();
        Self { running, folder }
    }

    /// Waits for its end; checks its picture, and that nothing is left in the server; returns its report.
    fn done(self, server: &Server, expected: u64) -> serde_json::Value {
        let done = self.running.wait();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(
            digest(self.folder.path().join("x.npy")),
            expected,
            "{done:?}"
        );
        assert_eq!(
            server.job_keys(),
            [""; 0],
            "nothing of a finished job is left"
        );
        done.json()
    }
}

fn of<'a>(worker: &str, pending: &'a [Pending]) -> Vec<&'a Pending> {
    pending
        .iter()
        .filter(|strip| strip.owner.starts_with(worker))
        .collect()
}

#[test]
fn a_killed_workers_strips_are_computed_by_another() {
    let expected = quiet(LONG);
    let server = Server::start();
    let victim = Worker::steady(&server, "victim");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until("the victim is in the middle of a strip", || {
        !of("victim", &server.pending(&id)).is_empty()
    });
    let _survivor = Worker::steady(&server, "survivor");
    victim.signal(Signal::KILL);
    let killed = Instant::now();
    let _ = victim.into_running().wait();
    assert!(
        !of("victim", &server.pending(&id)).is_empty(),
        "it died with strips in hand"
    );
    let report = job.done(&server, expected);
    let took = killed.elapsed();
    assert!(took < RECOVERY + ALL_OF_IT, "{took:?}");
    // Again because the lease ran out, or before that because nearly all was done.
    let again = ["redelivered", "speculated"].map(|name| report[name].as_u64().unwrap_or(0));
    assert!(again.iter().sum::<u64>() >= 1, "{report}");
}

#[test]
fn a_worker_told_to_stop_gives_its_strips_back_at_once() {
    let scene = format!("{WAITED} --backend cpu");
    let expected = quiet(&scene);
    let server = Server::start();
    // Longer over a strip than it has after it was told.
    let told = Worker::pretend(&server, "told", "--mode wait --secs 30");
    let job = Job::start(&server, &scene);
    let id = server.job();
    server.until("it is in the middle of strips", || {
        of("told", &server.pending(&id)).len() == 2
    });
    let _others = [
        Worker::start(&server, "other-1"),
        Worker::start(&server, "other-2"),
    ];
    told.signal(Signal::TERM);
    let asked = Instant::now();
    let ended = told.into_running().wait();
    let took = asked.elapsed();
    assert_eq!(
        ended.code,
        Some(0),
        "an orderly stop is a success: {ended:?}"
    );
    assert!(took < ORDERLY_STOP, "{took:?}");
    let stopped = Instant::now();
    server.until("others have its strips", || {
        let pending = server.pending(&id);
        of("told", &pending).is_empty() && of("_", &pending).is_empty()
    });
    assert!(stopped.elapsed() < AT_ONCE, "{:?}", stopped.elapsed());
    let report = job.done(&server, expected);
    assert_eq!(
        report["redelivered"], 0,
        "a strip given back does not count: {report}"
    );
}

#[test]
fn an_idle_worker_stops_at_once_and_signs_off() {
    let server = Server::start();
    for (signal, code) in [(Signal::TERM, 0), (Signal::INT, 130)] {
        let worker = Worker::start(&server, "idle");
        server.until("it is known", || !server.keys("mf:workers*").is_empty());
        let asked = Instant::now();
        worker.signal(signal);
        let ended = worker.into_running().wait();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
        assert_eq!(server.keys("*"), [""; 0]);
    }
}

#[test]
fn a_worker_that_was_frozen_changes_nothing_when_it_wakes() {
    let expected = quiet(LONG);
    let server = Server::start();
    let frozen = Worker::steady(&server, "frozen");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until("it is in the middle of a strip", || {
        !of("frozen", &server.pending(&id)).is_empty()
    });
    frozen.signal(Signal::STOP);
    let stopped = Instant::now();
    let _other = Worker::steady(&server, "other");
    let _ = job.done(&server, expected);
    assert!(
        stopped.elapsed() < RECOVERY + ALL_OF_IT,
        "{:?}",
        stopped.elapsed()
    );
    // It delivers what it had in hand, to a job that is no more.
    frozen.signal(Signal::CONT);
    std::thread::sleep(AT_ONCE);
    assert_eq!(
        server.job_keys(),
        [""; 0],
        "a late worker brings nothing back"
    );
    // And it is as good as before.
    drop(_other);
    let quick = quiet(&format!("{QUICK} --backend cpu"));
    let report = Job::start(&server, &format!("{QUICK} --backend cpu")).done(&server, quick);
    assert_eq!(report["workers"][0]["name"], "frozen");
}

#[test]
fn workers_may_join_while_a_job_runs() {
    let expected = quiet(LONG);
    let server = Server::start();
    let mut job = Job::start(&server, LONG);
    let id = server.job();
    std::thread::sleep(Duration::from_millis(300));
    assert!(job.running.is_running(), "a job without workers waits");
    let _first = Worker::steady(&server, "first");
    server.until("the first works", || {
        !of("first", &server.pending(&id)).is_empty()
    });
    let _second = Worker::steady(&server, "second");
    let report = job.done(&server, expected);
    let names: Vec<&str> = report["workers"]
        .as_array()
        .expect("workers")
        .iter()
        .filter_map(|worker| worker["name"].as_str())
        .collect();
    assert_eq!(names, ["first", "second"], "both took part");
}

#[test]
fn an_interrupted_render_leaves_no_file_and_no_key() {
    let server = Server::start();
    let worker = Worker::start(&server, "worker");
    for signal in [Signal::INT, Signal::TERM] {
        let folder = folder();
        let line = format!("render {SLOWER} --redis {}", server.url());
        let mut running = submitter(&line)
            .args(outputs(&["x.npy", "x.png", "x.exr"]))
            .within(&folder)
            .start();
        let id = server.job();
        server.until("a strip is under way", || !server.pending(&id).is_empty());
        assert!(running.is_running());
        running.signal(signal);
        let asked = Instant::now();
        let ended = running.wait();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
        let errors: Vec<&str> = ended
            .words()
            .into_iter()
            .filter(|line| !line.contains("warning"))
            .collect();
        // One line, whether or not its journal had begun.
        let [error] = errors[..] else {
            panic!("one line: {errors:?}")
        };
        assert!(
            error.starts_with("submitter: ") && error.ends_with("interrupted"),
            "{error}"
        );
        assert_eq!(ended.stdout, "");
        assert_eq!(names_in(folder.path()), [""; 0]);
        assert_eq!(server.job_keys(), [""; 0]);
    }
    // The worker noticed, and serves the next job.
    let expected = quiet(&format!("{QUICK} --backend cpu"));
    let asked = Instant::now();
    let _ = Job::start(&server, &format!("{QUICK} --backend cpu")).done(&server, expected);
    assert!(asked.elapsed() < RECOVERY, "{:?}", asked.elapsed());
    assert_eq!(server.job_keys(), [""; 0], "nor does it bring a key back");
    drop(worker);
}

#[test]
fn an_interrupted_render_in_process_leaves_no_file() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = folder();
        let files = ["x.npy", "x.png", "x.exr"];
        let running = submitter(&format!("render {SLOWER}"))
            .args(outputs(&files))
            .within(&folder)
            .start();
        let started = Instant::now();
        while names_in(folder.path()).len() < files.len() {
            assert!(started.elapsed() < RECOVERY, "its files never came");
            std::thread::sleep(Duration::from_millis(10));
        }
        running.signal(signal);
        let asked = Instant::now();
        let ended = running.wait();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
        assert_eq!(names_in(folder.path()), [""; 0]);
    }
}

#[test]
fn every_key_of_a_running_job_expires() {
    let server = Server::start();
    let _worker = Worker::steady(&server, "worker");
    let mut job = Job::start(&server, LONG);
    let _ = server.job();
    let mut seen = 0;
    while job.running.is_running() {
        for key in server.keys("*").into_iter().filter(|key| key != "mf:jobs") {
            let left_ms: i64 = server.ask(&["PTTL", &key]);
            // -2 is a key that is gone by now, -1 one that stays for ever.
            assert_ne!(left_ms, -1, "{key} never expires");
            seen += 1;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(seen > 10, "control: keys were looked at");
    server.ask::<()>(&["SET", "forever", "x"]);
    assert_eq!(
        server.ask::<i64>(&["PTTL", "forever"]),
        -1,
        "control: what a missed one looks like"
    );
}

#[test]
fn a_small_redis_carries_a_large_picture() {
    // 71 megapixels of 4 bytes through 48 MB.
    let server = Server::start_with(&["--maxmemory", "48mb", "--maxmemory-policy", "noeviction"]);
    let _worker = Worker::start_with(&server, "worker", "--backend cpu");
    let scene = "--density 3072 --iterations 50 --backend cpu";
    let folder = folder();
    submitter(&format!("render -q {scene} -o here.png"))
        .within(&folder)
        .ok();
    let line = format!(
        "render -q {scene} -o there.png --json --redis {}",
        server.url()
    );
    let done = submitter(&line).within(&folder).ok();
    let [here, there] = ["here.png", "there.png"].map(|name| digest(folder.path().join(name)));
    assert_eq!(here, there);
    assert_eq!(done.json()["redelivered"], 0, "{done:?}");
    assert_eq!(server.job_keys(), [""; 0]);
}

#[test]
fn a_redis_that_answers_nobody_for_a_while_costs_only_that_while() {
    // Small, so that strips are still being queued when it falls silent.
    let server = Server::start_with(&["--maxmemory", "48mb", "--maxmemory-policy", "noeviction"]);
    let _worker = Worker::start_with(&server, "worker", "--backend cpu");
    let scene = "--density 3072 --iterations 3000 --backend cpu";
    let folder = folder();
    submitter(&format!("render -q {scene} -o here.png"))
        .within(&folder)
        .ok();
    let line = format!("render -q {scene} -o there.png --redis {}", server.url());
    let running = submitter(&line).within(&folder).start();
    let id = server.job();
    server.until("a strip is under way", || !server.pending(&id).is_empty());
    // Longer than any command waits for its answer.
    let silent = Instant::now();
    server.ask::<()>(&["CLIENT", "PAUSE", "7000", "ALL"]);
    let ended = running.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(silent.elapsed() > Duration::from_secs(7), "it was silent");
    let [here, there] = ["here.png", "there.png"].map(|name| digest(folder.path().join(name)));
    assert_eq!(here, there);
    assert_eq!(server.job_keys(), [""; 0]);
}

#[test]
fn a_farm_without_workers_is_not_waited_for_in_silence() {
    let server = Server::start();
    let folder = folder();
    let line = format!("render {QUICK} -o x.png --redis {}", server.url());
    let mut running = submitter(&line).within(&folder).start();
    running.until_it_says("no worker is on the farm");
    running.signal(Signal::INT);
    assert_eq!(running.wait().code, Some(130));
}

#[test]
fn a_job_that_cannot_be_brought_back_for_a_while_is_brought_back_then() {
    // Longer than it takes to try in vain a few times.
    const UNWRITABLE: Duration = Duration::from_secs(10);
    const SOON_MS: &str = "200";
    let server = Server::start();
    let _worker = Worker::steady(&server, "worker");
    let job = farm_tests::Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, 4);
    for key in server.keys(&format!("mf:{{{id}}}:*")) {
        server.ask::<i64>(&["PEXPIRE", &key, SOON_MS]);
    }
    // What it reads says that the job is gone, and what it writes is refused.
    server.configure("min-replicas-to-write", "1");
    server.until("the job is gone", || {
        server.keys(&format!("mf:{{{id}}}:q")).is_empty()
    });
    std::thread::sleep(UNWRITABLE);
    server.configure("min-replicas-to-write", "0");
    let _ = job.done(&server);
}
