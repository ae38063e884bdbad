//! Workers that are killed, frozen, off their clocks, of another build, slow, or with wrong results.

use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use farm_tests::Clock;
use farm_tests::job::of;
use farm_tests::scenes::{LONG, QUICK};
use farm_tests::worker::SHORT_LEASE;
use farm_tests::{Job, Server, Worker};
use rustix::process::Signal;

use super::moments::{MIDST, SHORT_RECOVERY};

#[test]
fn killed_one_after_the_other() {
    let server = Server::start();
    let job = Job::start(&server, LONG);
    let id = server.job();
    for victim in ["first", "second", "third"] {
        let worker = Worker::impatient(&server, victim);
        let begun = server.committed(&id);
        server.until("it has delivered something", || {
            server.committed(&id) > begun + 1
        });
        worker.signal(Signal::KILL);
    }
    let killed = Instant::now();
    let _last = Worker::impatient(&server, "last");
    server.until("others have their strips", || {
        let pending = server.pending(&id);
        pending.iter().all(|strip| strip.owner.starts_with("last"))
    });
    assert!(killed.elapsed() < SHORT_RECOVERY, "{:?}", killed.elapsed());
    let _ = job.done(&server);
}

#[test]
fn frozen_for_two_leases_and_awake_again_in_the_midst_of_the_job() {
    let server = Server::start();
    let frozen = Worker::impatient(&server, "frozen");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until("it has two strips in hand", || {
        of("frozen", &server.pending(&id)).len() == 2
    });
    frozen.signal(Signal::STOP);
    let held = server.pending(&id);
    std::thread::sleep(2 * SHORT_LEASE);
    let _other = Worker::impatient(&server, "other");
    server.until("the other has what it held", || {
        of("frozen", &server.pending(&id)).is_empty()
    });
    let now = server.pending(&id);
    frozen.signal(Signal::CONT);
    // What it held is another's, and stays so: neither heartbeats nor deliveries take it back.
    let awake = Instant::now();
    while awake.elapsed() < SHORT_LEASE {
        let pending = server.pending(&id);
        let mine: Vec<_> = of("frozen", &pending)
            .into_iter()
            .filter(|strip| held.iter().any(|was| was.entry == strip.entry))
            .collect();
        assert!(mine.is_empty(), "{mine:?} were {now:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = job.done(&server);
}

#[cfg(target_os = "linux")]
/// Seconds of a day that a worker's log lines carry: `2026-11-22T18:53:06.1Z  INFO ...`.
fn seconds_of_day(line: &str) -> i64 {
    let time = line.split_once('T').expect("a time").1;
    let parts: Vec<i64> = time[..8]
        .split(':')
        .map(|part| part.parse().expect("a number"))
        .collect();
    parts[0] * 3600 + parts[1] * 60 + parts[2]
}

#[cfg(target_os = "linux")]
#[test]
fn with_clocks_that_jump_by_an_hour() {
    let server = Server::start();
    let clock = Clock::off_by(3600);
    let worker = |name: &str| {
        let command = Worker::steady_command(&server.url(), name);
        (clock.environment().iter())
            .fold(command, |command, (name, value)| command.env(name, value))
    };
    let ahead = Worker::ready(worker("ahead"));
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    let late = Worker::steady(&server, "right");
    // And back by two hours while strips are in hand.
    clock.set(-3600);
    let behind = Worker::ready(worker("behind"));
    let report = job.done(&server).json();
    assert_eq!(report["redelivered"], 0, "no lease ended early: {report}");
    let first = |worker: &Worker| seconds_of_day(worker.said().lines().next().expect("a line"));
    let ahead_by = (first(&ahead) - first(&late)).rem_euclid(86_400);
    let behind_by = (first(&late) - first(&behind)).rem_euclid(86_400);
    for off in [ahead_by, behind_by] {
        assert!((3500..3700).contains(&off), "control: off by {off} s");
    }
}

#[test]
fn one_that_lies_is_found_out_by_audits() {
    let scene = format!("{QUICK} --backend cpu --strip-rows 8");
    let server = Server::start();
    let _faulty = Worker::pretend(&server, "faulty", "--mode lie");
    let job = Job::start_at(&server.url(), &scene, "--audit 100");
    let id = server.job();
    server.until_committed(&id, 3);
    let _good = [
        Worker::start(&server, "good-1"),
        Worker::start(&server, "good-2"),
    ];
    let report = job.done(&server).json();
    let audited = report["audited"].as_u64().expect("a number");
    assert!(audited > 0, "{report}");
    let bad: Vec<String> = server.ask(&["HKEYS", "mf:bad"]);
    assert_eq!(bad, ["faulty"], "in quarantine, and nobody else");
    let workers = report["workers"].as_array().expect("workers");
    assert!(
        workers.iter().all(|worker| worker["name"] != "faulty"),
        "nothing that it made is left in the picture: {report}"
    );
}

#[test]
fn of_another_build_by_its_buffers_only() {
    let scene = format!("{QUICK} --backend cpu --strip-rows 8");
    let server = Server::start();
    let _stamped = Worker::pretend(&server, "stamped", "--mode stamp");
    let job = Job::start(&server, &scene);
    let id = server.job();
    server.until_committed(&id, 1);
    let _good = Worker::start(&server, "good");
    let report = job.done(&server).json();
    assert!(report["rejected"].as_u64() > Some(0), "{report}");
    let workers = report["workers"].as_array().expect("workers");
    assert!(
        workers.iter().all(|worker| worker["name"] == "good"),
        "{report}"
    );
}

#[test]
fn one_far_slower_holds_a_job_up_by_one_of_its_strips() {
    const SLOW_STRIP: Duration = Duration::from_secs(10);
    const SLACK: Duration = Duration::from_secs(3);
    let scene = format!("{QUICK} --backend cpu --strip-rows 8");
    let server = Server::start();
    let _fast = [
        Worker::pretend(&server, "fast-1", "--mode slow --secs 0.3"),
        Worker::pretend(&server, "fast-2", "--mode slow --secs 0.3"),
    ];
    let alone = Job::start(&server, &scene).done(&server).elapsed;
    let _slow = Worker::pretend(&server, "slow", "--mode slow --secs 10");
    let job = Job::start(&server, &scene);
    let id = server.job();
    server.until("it has two strips, one after the other", || {
        of("slow", &server.pending(&id)).len() == 2
    });
    let done = job.done(&server);
    let most = alone + SLOW_STRIP + SLACK;
    assert!(
        done.elapsed < most,
        "{:?}, and {alone:?} without it: {done:?}",
        done.elapsed
    );
    assert!(done.json()["speculated"].as_u64() > Some(0), "{done:?}");
}
