//! Valkey instead of Redis. That the queue's whole suite passes on it is shown beside that suite.

use farm_tests::scenes::LONG;
use farm_tests::{Job, Server, Worker, valkey};

#[test]
fn a_farm_on_valkey_makes_the_same_picture() {
    let Some(program) = valkey() else {
        return;
    };
    let server = Server::start_of(&program, &[]);
    assert!(
        !server.tells("valkey_version").is_empty(),
        "control: it is one"
    );
    let _workers = [
        Worker::steady(&server, "worker-1"),
        Worker::steady(&server, "worker-2"),
    ];
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, 8);
    // Scripts that are gone are part of what it has to know about.
    server.ask::<()>(&["SCRIPT", "FLUSH"]);
    let _ = job.done(&server);
}
