//! The server dies, forgets, runs full, or throws away what it should keep.

use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use farm_tests::Clock;
use farm_tests::aof::boundaries;
use farm_tests::scenes::LONG;
use farm_tests::{Job, Persistence, Server, Worker};

use super::moments::MIDST;

/// How long a dead server stays away.
const AWAY: Duration = Duration::from_secs(2);
/// Less than one buffer and its keys, in bytes.
const A_LITTLE: u64 = 4096;
/// Between two faults of one job.
const BETWEEN: Duration = Duration::from_millis(700);

#[test]
fn killed_with_a_log_it_goes_on_where_it_was() {
    let mut server = Server::start_keeping(Persistence::EverySec, &[]);
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    server.kill();
    std::thread::sleep(AWAY);
    server.restart();
    assert!(
        server.committed(&id) >= MIDST,
        "control: its log was read again"
    );
    let _ = job.done(&server);
}

#[test]
fn killed_without_a_log_it_comes_back_empty_and_the_job_is_made_anew() {
    let mut server = Server::start();
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    server.kill();
    std::thread::sleep(AWAY);
    server.restart();
    let _ = job.done(&server);
}

#[test]
fn killed_and_with_the_end_of_its_log_cut_off() {
    let mut server = Server::start_keeping(Persistence::EverySec, &[]);
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    // Whole records, the middle of one, and nearly everything.
    for (lost, torn) in [(3, 0), (20, 5), (1_000_000, 0)] {
        server.until_committed(&id, MIDST);
        server.kill();
        let log = server.log();
        let ends = boundaries(&log.bytes());
        log.truncate(ends[ends.len().saturating_sub(1 + lost)] + torn);
        server.restart();
    }
    let _ = job.done(&server);
}

/// Something that is done to a server in the midst of a job, three times.
fn thrice(fault: impl Fn(&Server, &str)) {
    let server = Server::start();
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    for _ in 0..3 {
        fault(&server, id.as_str());
        std::thread::sleep(BETWEEN);
    }
    let _ = job.done(&server);
}

#[test]
fn all_of_its_data_are_flushed_away() {
    thrice(|server, _| server.ask::<()>(&["FLUSHALL"]));
}

#[test]
fn all_of_its_scripts_are_flushed_away() {
    thrice(|server, _| server.ask::<()>(&["SCRIPT", "FLUSH"]));
}

#[test]
fn the_group_of_a_jobs_stream_is_destroyed() {
    thrice(|server, job| {
        let queue = format!("mf:{{{job}}}:q");
        // Made anew each time, unless the job has ended by now.
        server.until("the group is there to be destroyed", || {
            let destroyed: Option<i64> = server.try_ask(&["XGROUP", "DESTROY", &queue, "w"]);
            destroyed == Some(1) || server.keys("mf:{*").is_empty()
        });
    });
}

#[test]
fn single_keys_of_a_job_vanish() {
    for part in ["q", "done", "bits", "got", "spec", "r:*", "state"] {
        let server = Server::start();
        let _worker = Worker::steady(&server, "worker");
        let job = Job::start(&server, LONG);
        let id = server.job();
        server.until_committed(&id, MIDST);
        for key in server.keys(&format!("mf:{{{id}}}:{part}")) {
            server.ask::<i64>(&["DEL", &key]);
        }
        let _ = job.done(&server);
    }
}

#[test]
fn it_is_out_of_memory_now_and_then() {
    let server = Server::start();
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    for _ in 0..2 {
        server.configure("maxmemory", "1");
        let stuck = server.committed(&id);
        std::thread::sleep(AWAY);
        // What lies there already may still be committed.
        assert!(
            server.committed(&id) <= stuck + 4,
            "control: nothing new is taken"
        );
        server.configure("maxmemory", "0");
        std::thread::sleep(BETWEEN);
    }
    let _ = job.done(&server);
}

#[test]
fn it_is_told_to_evict_in_the_midst_of_a_job() {
    let server = Server::start();
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    server.configure("maxmemory-policy", "allkeys-lru");
    let begun = Instant::now();
    while begun.elapsed() < AWAY {
        // Always a little over its limit: every write throws something away.
        let full = server.figure("used_memory") - A_LITTLE;
        server.configure("maxmemory", &full.to_string());
        std::thread::sleep(Duration::from_millis(50));
    }
    let evicted = server.figure("evicted_keys");
    assert!(evicted > 0, "control: something was thrown away");
    server.configure("maxmemory-policy", "noeviction");
    server.configure("maxmemory", "0");
    let done = job.done(&server);
    // Whenever the submitter looked: the server counts what it threw away.
    let warned =
        done.stderr.contains("threw keys away") && done.stderr.contains("maxmemory-policy");
    assert!(warned, "{done:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn its_clock_jumps_by_an_hour() {
    let clock = Clock::off_by(0);
    let server = Server::start_by(&clock);
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    // Leases end early, which only costs work; and late, which costs nobody alive anything.
    for off in [3600, -3600] {
        clock.set(off);
        let [secs, _]: [u64; 2] = server.ask(&["TIME"]);
        let real = std::time::UNIX_EPOCH.elapsed().expect("a time").as_secs();
        let seen = secs as i64 - real as i64;
        assert!((seen - off).abs() < 60, "control: off by {seen} s");
        std::thread::sleep(BETWEEN);
    }
    let _ = job.done(&server);
}

#[cfg(target_os = "linux")]
#[test]
fn it_comes_back_empty_and_an_hour_earlier() {
    let clock = Clock::off_by(3600);
    let mut server = Server::start_by(&clock);
    let _worker = Worker::steady(&server, "worker");
    let job = Job::start(&server, LONG);
    let id = server.job();
    server.until_committed(&id, MIDST);
    server.kill();
    clock.set(0);
    server.restart();
    let _ = job.done(&server);
}
