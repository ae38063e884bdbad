//! Another server takes the place of the one that a job began on: behind a name, or as Sentinels say.

use farm_tests::scenes::LONG;
use farm_tests::server::free_port;
use farm_tests::{Job, Proxy, Sentinel, Server, Worker};

use super::moments::MIDST;

/// Seconds over each strip where a failover has to fit into a job.
const LONGER: &str = "0.12";

/// A server, its replica, and a name that leads to the first.
fn pair() -> (Server, Server, Proxy) {
    let master = Server::start();
    let replica = Server::start_replica(&master);
    let name = Proxy::start(master.port());
    (master, replica, name)
}

/// A worker and a job at an address, and the job in its midst.
fn in_its_midst(master: &Server, url: &str) -> (Worker, Job) {
    let worker = Worker::ready(Worker::slow_command(url, "worker", LONGER));
    let job = Job::start_at(url, LONG, "");
    let id = master.job();
    master.until_committed(&id, MIDST);
    (worker, job)
}

#[test]
fn failed_over_behind_its_name() {
    let (master, replica, name) = pair();
    let (_worker, mut job) = in_its_midst(&master, &name.url());
    master.ask::<()>(&["FAILOVER"]);
    replica.until("the replica is the master", || {
        replica.tells("role") == "master" && master.tells("role") == "slave"
    });
    master.until("nobody can write to the old one", || {
        master.refusals("READONLY") > 0
    });
    assert!(job.running.is_running(), "control: in its midst");
    // Names follow later.
    name.lead_to(replica.port());
    let _ = job.done(&replica);
}

#[test]
fn its_replica_is_promoted_when_it_is_dead() {
    let (mut master, replica, name) = pair();
    let (_worker, mut job) = in_its_midst(&master, &name.url());
    master.kill();
    replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    assert!(job.running.is_running(), "control: in its midst");
    name.lead_to(replica.port());
    let _ = job.done(&replica);
}

/// A server, its replica, a Sentinel that could put that in its place, and its address beside one of a Sentinel that is
/// not there.
fn watched() -> (Server, Server, Sentinel, String) {
    let master = Server::start();
    let replica = Server::start_replica(&master);
    let sentinel = Sentinel::of(&master);
    sentinel.until_it_knows_a_replica();
    let url = format!(
        "redis+sentinel://127.0.0.1:{},{}/farm",
        free_port(),
        sentinel.place()
    );
    (master, replica, sentinel, url)
}

#[test]
fn killed_and_replaced_by_a_sentinel() {
    let (mut master, replica, sentinel, url) = watched();
    let (_worker, mut job) = in_its_midst(&master, &url);
    master.kill();
    sentinel.until_it_names(replica.port());
    assert!(job.running.is_running(), "control: in its midst");
    let _ = job.done(&replica);
}

#[test]
fn replaced_by_a_sentinel_that_was_told_to() {
    let (master, replica, sentinel, url) = watched();
    let (_worker, mut job) = in_its_midst(&master, &url);
    sentinel.until("it obeys", || {
        sentinel.try_ask::<()>(&["FAILOVER", "farm"]).is_some()
    });
    sentinel.until_it_names(replica.port());
    assert!(job.running.is_running(), "control: in its midst");
    // The old one takes writes for seconds more; nobody sends it any.
    let _ = job.done(&replica);
    assert_eq!(master.refusals("READONLY"), 0, "everybody left before that");
}

#[test]
fn all_sentinels_are_gone_and_come_back() {
    let (mut master, replica, mut sentinel, url) = watched();
    let (_worker, mut job) = in_its_midst(&master, &url);
    sentinel.kill();
    // Nothing is asked of them while the server is there.
    let id = master.job();
    let before = master.committed(&id);
    master.until_committed(&id, before + 4);
    master.kill();
    assert!(job.running.is_running(), "control: in its midst");
    // It puts the replica in the dead server's place then.
    sentinel.restart();
    let _ = job.done(&replica);
}
