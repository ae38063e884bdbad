//! The submitter is killed: its job goes on from the journal, by name or by the same command again.
//!
//! The devices only wait, so that there is a midst on any machine.

use farm_tests::scenes::WAITED;
use farm_tests::{Job, Server, Worker};

/// How the device waits: with all of its strips the job takes seconds.
const WAITS: &str = "--mode wait --secs 0.1";
/// Strips that are committed when it is killed.
const SOME: u64 = 12;
/// How long what is left of a job may stay that nobody can go on with, in ms.
const SOON_MS: i64 = 30_000;

/// Kills the submitter of a job in its midst, does something to the server, and lets the job go on.
fn killed(meanwhile: impl FnOnce(&Server), command: impl FnOnce(&str, &str) -> Option<String>) {
    let server = Server::start();
    let _worker = Worker::pretend(&server, "worker", WAITS);
    let job = Job::start(&server, WAITED);
    let id = server.job();
    job.until_journalled(&id);
    server.until_committed(&id, SOME);
    let spec = format!("mf:{{{id}}}:spec");
    server.until("the job outlives its submitter", || {
        server.ask::<i64>(&["PTTL", &spec]) > 10 * SOON_MS
    });
    let command = command(id.as_str(), &server.url());
    let job = job.killed(|| meanwhile(&server), command.as_deref());
    let report = job.done(&server).json();
    assert_eq!(report["job"], id.as_str(), "the same job goes on");
    let resumed = report["resumed"].as_u64().expect("a number");
    assert!(resumed >= SOME / 2, "the journal was of use: {report}");
}

#[test]
fn killed_and_resumed_by_name() {
    killed(
        |_| {},
        |job, url| Some(format!("resume {job} -q --json --redis {url}")),
    );
}

#[test]
fn killed_and_started_again_with_the_same_command() {
    killed(|_| {}, |_, _| None);
}

#[test]
fn killed_and_started_again_when_redis_came_back_empty() {
    killed(|server| server.ask::<()>(&["FLUSHALL"]), |_, _| None);
}

#[test]
fn killed_again_and_again() {
    let server = Server::start();
    let _worker = Worker::pretend(&server, "worker", WAITS);
    let mut job = Job::start(&server, WAITED);
    let id = server.job();
    job.until_journalled(&id);
    for times in 1..=3 {
        server.until_committed(&id, times * SOME / 2);
        job = job.killed(|| {}, None);
    }
    let report = job.done(&server).json();
    assert_eq!(report["job"], id.as_str(), "{report}");
}

/// The longest time that a key of a job stays, in ms.
fn longest_ms(server: &Server) -> i64 {
    let keys = server.job_keys();
    // Lists of jobs are not a job's own.
    let own = keys.iter().filter(|key| key.starts_with("mf:{"));
    let left = own.map(|key| server.ask::<i64>(&["PTTL", key]));
    left.max().expect("keys of a job")
}

#[test]
fn killed_without_a_journal_leaves_nothing_for_long() {
    let server = Server::start();
    let _worker = Worker::pretend(&server, "worker", WAITS);
    let job = Job::start_at(&server.url(), WAITED, "--no-journal");
    let id = server.job();
    server.until_committed(&id, SOME);
    job.running.signal(rustix::process::Signal::KILL);
    let _ = job.running.wait();
    let longest = longest_ms(&server);
    assert!(longest <= SOON_MS, "{longest} ms");
}
