//! Damage to what lies in the server between a worker's commit and the submitter's look.
//!
//! What strangers put into a waiting job's keys is in `hostile.rs`.

use farm_queue::JobId;
use farm_tests::scenes::LONG;
use farm_tests::{Job, Server, Worker};
use rustix::process::Signal;

use super::moments::MIDST;

/// Damages the committed buffer of a strip, under this key.
type Damage = fn(&Server, &str);

const DAMAGES: [(&str, Damage); 6] = [
    ("one bit turned", |server, key| {
        let bytes: Vec<u8> = server.ask(&["GET", key]);
        let last = bytes.len() - 1;
        let turned = [bytes[last] ^ 1];
        let at = last.to_string();
        server.ask::<i64>(&[b"SETRANGE", key.as_bytes(), at.as_bytes(), &turned]);
    }),
    ("half of it gone", |server, key| {
        let bytes: Vec<u8> = server.ask(&["GET", key]);
        server.ask::<()>(&[b"SET", key.as_bytes(), &bytes[..bytes.len() / 2]]);
    }),
    ("a flood after it", |server, key| {
        server.ask::<i64>(&[b"APPEND", key.as_bytes(), &vec![0; 20 << 20]]);
    }),
    ("all of it gone", |server, key| {
        server.ask::<i64>(&["DEL", key]);
    }),
    ("something else in its place", |server, key| {
        server.ask::<i64>(&["DEL", key]);
        server.ask::<i64>(&["RPUSH", key, "a", "b"]);
    }),
    ("lengths that promise too much", |server, key| {
        let mut bytes: Vec<u8> = server.ask(&["GET", key]);
        let end = bytes.len().min(64);
        bytes[8..end].fill(0xff);
        server.ask::<()>(&[b"SET", key.as_bytes(), &bytes]);
    }),
];

/// Strips whose buffers lie in the server.
fn waiting(server: &Server, id: &JobId) -> Vec<String> {
    server.keys(&format!("mf:{{{id}}}:r:*"))
}

#[test]
fn committed_buffers_are_damaged_before_they_are_collected() {
    let server = Server::start();
    let worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    // While the submitter sleeps, buffers pile up.
    job.running.signal(Signal::STOP);
    server.until("buffers lie there", || {
        waiting(&server, &id).len() >= DAMAGES.len()
    });
    worker.signal(Signal::STOP);
    let keys = waiting(&server, &id);
    for ((_, damage), key) in DAMAGES.iter().zip(&keys) {
        damage(&server, key);
    }
    worker.signal(Signal::CONT);
    job.running.signal(Signal::CONT);
    let report = job.done(&server).json();
    // What the worker was about to commit when it was stopped may have been stored anew since.
    let rejected = report["rejected"].as_u64().expect("a number");
    assert!(
        (DAMAGES.len() as u64 - 1..=DAMAGES.len() as u64).contains(&rejected),
        "each is seen and counted: {report}"
    );
}
