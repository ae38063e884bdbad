//! The way to the server is ill, for a worker and for a submitter: the others' stays well.

use std::time::{Duration, Instant};

use farm_tests::job::of;
use farm_tests::scenes::LONG;
use farm_tests::{Job, Network, Proxy, Server, Worker};

use super::moments::{MIDST, SHORT_RECOVERY};

/// How long the network is ill: longer than any command waits for its answer, shorter than a lease.
const ILL: Duration = Duration::from_secs(5);
/// Slow enough that a strip's buffer takes about a second, fast enough that heartbeats pass.
const SLOW: Network = Network::Slow {
    rate: 8 << 10,
    late: Duration::from_millis(50),
};

/// A job whose only worker's network is ill for a while.
fn for_the_worker(network: Network) {
    let server = Server::start();
    let proxy = Proxy::start(server.port());
    let _worker = Worker::steady_at(&proxy.url(), "ill");
    let job = Job::start(&server, LONG);
    strike(&server, &proxy, network);
    // Nobody else could have finished it.
    let _ = job.done(&server);
}

/// A job whose submitter's network is ill for a while.
fn for_the_submitter(network: Network) {
    let server = Server::start();
    let proxy = Proxy::start(server.port());
    let _worker = Worker::steady(&server, "well");
    let job = Job::start_at(&proxy.url(), LONG, "");
    strike(&server, &proxy, network);
    let _ = job.done(&server);
}

fn strike(server: &Server, proxy: &Proxy, network: Network) {
    let id = server.job();
    server.until_committed(&id, MIDST);
    assert!(proxy.open() > 0, "control: it goes through the proxy");
    let before = proxy.accepted();
    proxy.set(network);
    std::thread::sleep(ILL);
    proxy.set(Network::Pass);
    if !matches!(network, Network::Slow { .. }) {
        server.until("it connects anew", || proxy.accepted() > before);
    }
}

#[test]
fn cut_for_the_worker() {
    for_the_worker(Network::Cut);
}

#[test]
fn cut_for_the_submitter() {
    for_the_submitter(Network::Cut);
}

#[test]
fn half_open_for_the_worker() {
    for_the_worker(Network::Deaf);
}

#[test]
fn half_open_for_the_submitter() {
    for_the_submitter(Network::Deaf);
}

#[test]
fn silent_for_the_worker() {
    for_the_worker(Network::Hole);
}

#[test]
fn silent_for_the_submitter() {
    for_the_submitter(Network::Hole);
}

#[test]
fn slow_for_the_worker() {
    for_the_worker(SLOW);
}

#[test]
fn slow_for_the_submitter() {
    for_the_submitter(SLOW);
}

#[test]
fn resetting_for_the_worker() {
    for_the_worker(Network::Reset);
}

#[test]
fn resetting_for_the_submitter() {
    for_the_submitter(Network::Reset);
}

#[test]
fn cut_in_the_middle_of_every_message_for_the_worker() {
    // Less than a strip's buffer needs: no delivery passes while it lasts.
    for_the_worker(Network::Limit(1500));
}

#[test]
fn cut_in_the_middle_of_every_message_for_the_submitter() {
    for_the_submitter(Network::Limit(1500));
}

#[test]
fn silent_for_a_worker_that_never_comes_back() {
    let server = Server::start();
    let proxy = Proxy::start(server.port());
    let _gone = Worker::steady_at(&proxy.url(), "gone");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    server.until("it is in the middle of a strip", || {
        !of("gone", &server.pending(&id)).is_empty()
    });
    proxy.set(Network::Hole);
    let silent = Instant::now();
    let _other = Worker::impatient(&server, "other");
    server.until("others have its strips", || {
        of("gone", &server.pending(&id)).is_empty()
    });
    assert!(silent.elapsed() < SHORT_RECOVERY, "{:?}", silent.elapsed());
    let _ = job.done(&server);
}
