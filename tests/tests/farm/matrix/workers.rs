//! Workers that are killed, frozen, off their clocks, of another build, slow, or liars.

use std::time::{Duration, Instant};

use farm_tests::job::of;
use farm_tests::scenes::{LONG, SLOWER};
use farm_tests::{Clock, Job, Server, Worker};
use rustix::process::Signal;

use super::{MIDST, RECOVERY};

#[test]
fn killed_one_after_the_other() {
    let server = Server::start();
    let job = Job::start(&server, LONG);
    let id = server.job();
    for victim in ["first", "second", "third"] {
        let worker = Worker::start(&server, victim);
        let begun = server.committed(&id);
        server.until("it has delivered something", || {
            server.committed(&id) > begun + 1
        });
        worker.signal(Signal::KILL);
    }
    let killed = Instant::now();
    let _last = Worker::start(&server, "last");
    server.until("others have their strips", || {
        let pending = server.pending(&id);
        pending.iter().all(|strip| strip.owner.starts_with("last"))
    });
    assert!(killed.elapsed() < RECOVERY, "{:?}", killed.elapsed());
    let _ = job.done(&server);
}

#[test]
fn frozen_for_two_leases_and_awake_again_in_the_midst_of_the_job() {
    let server = Server::start();
    let frozen = Worker::start(&server, "frozen");
    // Strips of half a second each.
    let scene = format!("{} --strip-rows 4", SLOWER.replace("--strip-rows 24", ""));
    let job = Job::start(&server, &scene);
    let id = server.job();
    server.until("it has two strips in hand", || {
        of("frozen", &server.pending(&id)).len() == 2
    });
    frozen.signal(Signal::STOP);
    let held = server.pending(&id);
    std::thread::sleep(Duration::from_secs(25));
    let _other = Worker::start(&server, "other");
    server.until("the other has what it held", || {
        of("frozen", &server.pending(&id)).is_empty()
    });
    std::thread::sleep(Duration::from_secs(5));
    let now = server.pending(&id);
    frozen.signal(Signal::CONT);
    // What it held is another's, and stays so: neither heartbeats nor deliveries take it back.
    let awake = Instant::now();
    while awake.elapsed() < Duration::from_secs(3) {
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

/// Seconds of a day that a worker's log lines carry: `2026-11-22T18:53:06.1Z  INFO ...`.
fn seconds_of_day(line: &str) -> i64 {
    let time = line.split_once('T').expect("a time").1;
    let parts: Vec<i64> = time[..8]
        .split(':')
        .map(|part| part.parse().expect("a number"))
        .collect();
    parts[0] * 3600 + parts[1] * 60 + parts[2]
}

#[test]
fn with_clocks_that_jump_by_an_hour() {
    let server = Server::start();
    let clock = Clock::off_by(3600);
    let worker = |name: &str| {
        let command = Worker::command(&server.url(), name, "--backend cpu --threads 1");
        (clock.environment().iter())
            .fold(command, |command, (name, value)| command.env(name, value))
    };
    let ahead = Worker::ready(worker("ahead"));
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    let late = Worker::start(&server, "right");
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
