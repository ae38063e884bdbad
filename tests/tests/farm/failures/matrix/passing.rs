//! What the server refuses while something passes: all wait for that as they do for a server that is out of reach.

use std::time::Duration;

use farm_tests::scenes::LONG;
use farm_tests::server::free_port;
use farm_tests::{Job, Server, Worker};

use super::moments::MIDST;

/// So many refusals have to be met before what they are for is over: several of each program.
const REFUSALS: u64 = 6;
/// How long a script is in the way.
const BUSY: Duration = Duration::from_secs(2);

/// A job in whose midst `server` refuses commands with `code` between `fault` and `mend`.
fn borne(server: &Server, code: &str, fault: impl FnOnce(), mend: impl FnOnce()) {
    let _worker = Worker::steady(server, "worker");
    let mut job = Job::start(server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    fault();
    server.until("commands are refused", || server.refusals(code) >= REFUSALS);
    assert!(job.running.is_running(), "control: in its midst");
    mend();
    let _ = job.done(server);
}

#[test]
fn it_is_a_replica_for_a_while() {
    let server = Server::start();
    let nobody = free_port().to_string();
    let fault = || server.ask::<()>(&["REPLICAOF", "127.0.0.1", &nobody]);
    let mend = || server.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    borne(&server, "READONLY", fault, mend);
}

#[test]
fn it_lacks_replicas_for_a_while() {
    let server = Server::start();
    let fault = || server.configure("min-replicas-to-write", "1");
    let mend = || server.configure("min-replicas-to-write", "0");
    borne(&server, "NOREPLICAS", fault, mend);
}

#[test]
fn it_cannot_save_for_a_while() {
    let server = Server::start();
    // Not even root can write a file over a folder with something in it.
    let folder = server.folder().join("dump.rdb");
    let fault = || {
        std::fs::create_dir_all(folder.join("in-the-way")).expect("a folder of the test");
        server.configure("save", "3600 1000000");
        server.ask::<()>(&["BGSAVE"]);
    };
    let mend = || {
        std::fs::remove_dir_all(&folder).expect("a folder of the test");
        server.ask::<()>(&["BGSAVE"]);
    };
    borne(&server, "MISCONF", fault, mend);
}

#[test]
fn it_is_busy_with_a_script_for_a_while() {
    let server = Server::start_with(&["--busy-reply-threshold", "50"]);
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    let script = server.occupy();
    std::thread::sleep(BUSY);
    server.until("the script is killed", || {
        let _ = server.try_ask::<String>(&["SCRIPT", "KILL"]);
        script.is_finished()
    });
    // One was the look whether it is busy.
    assert!(server.refusals("BUSY") > 1, "control: it was in the way");
    let _ = job.done(&server);
}

#[test]
fn it_wakes_who_waits_with_an_error() {
    let server = Server::start();
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    // The submitter waits for results; it is never without an answer for long.
    let mut woken = 0;
    server.until("it waited, and was woken", || {
        let clients: String = server.ask(&["CLIENT", "LIST"]);
        let waiting = (clients.lines()).filter(|line| line.contains(" flags=b "));
        for line in waiting {
            let id = line.split([' ', '=']).nth(1).expect("an id");
            woken += server.ask::<u64>(&["CLIENT", "UNBLOCK", id, "ERROR"]);
        }
        woken >= 3
    });
    assert_eq!(server.refusals("UNBLOCKED"), woken, "control");
    let _ = job.done(&server);
}
