//! The submitter is killed: its job goes on from the journal, by name or by the same command again.

use std::time::Duration;

use farm_tests::scenes::LONG;
use farm_tests::{Job, Server, Worker};

/// A submitter that is younger may have no journal on the disk yet.
const JOURNALLED: Duration = Duration::from_millis(1500);
/// Strips that are committed when it is killed.
const SOME: u64 = 12;

/// Kills the submitter of a job in its midst, does something to the server, and lets the job go on.
fn killed(meanwhile: impl FnOnce(&Server), command: impl FnOnce(&str, &str) -> Option<String>) {
    let server = Server::start();
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    std::thread::sleep(JOURNALLED);
    server.until_committed(&id, SOME);
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
    let _worker = Worker::steady(&server, "worker");
    let mut job = Job::start(&server, LONG);
    let id = server.job();
    std::thread::sleep(JOURNALLED);
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(200));
        job = job.killed(|| {}, None);
    }
    let report = job.done(&server).json();
    assert_eq!(report["job"], id.as_str(), "{report}");
}
