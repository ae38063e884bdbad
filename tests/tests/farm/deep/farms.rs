//! Deep zoom on a farm: one reference orbit for all, whatever happens to either.

use farm_tests::job::nothing_is_left;
use farm_tests::oracle::Oracle;
use farm_tests::programs::Finished;
use farm_tests::{Job, Server, Worker, digest, folder, names_in, submitter};
use redis::{FromRedisValue, ToRedisArgs};
use rustix::process::Signal;

use super::setup::orbits;

/// A minibrot at 1e317, whose period is 5373: in 90 strips, so that there is time to disturb whoever renders it.
fn scene() -> String {
    let args = Oracle::load("mini-1e317").args;
    let scene = args.replace("--size 320x180", "--size 640x360");
    assert_ne!(scene, args);
    format!("{scene} --measure iterations --backend cpu --strip-rows 4")
}

fn ask<T: FromRedisValue>(server: &Server, words: &[impl ToRedisArgs]) -> T {
    server.ask(words)
}

/// Jobs that use the one orbit on a server.
fn users(server: &Server) -> usize {
    let sets = server.keys("mf:orbit:*:jobs");
    sets.iter()
        .map(|set| ask::<usize>(server, &["SCARD", set]))
        .sum()
}

/// Waits for an orbit and for strips of its job; the key of the orbit's first piece.
fn until_shared(server: &Server, users: usize) -> String {
    server.until("the orbit is shared", || self::users(server) == users);
    let piece = |keys: Vec<String>| keys.into_iter().find(|key| key.ends_with(":0"));
    server.until("its pieces are there", || piece(orbits(server)).is_some());
    piece(orbits(server)).expect("a piece")
}

#[test]
fn a_farm_makes_the_same_bytes_and_keeps_no_orbit() {
    let server = Server::start();
    let scene = scene();
    for strips in ["--strip-rows 4", "--strip-rows 7", "--strip-rows 360"] {
        // In quiet it is rendered in strips of 4 rows.
        let line = scene.replace("--strip-rows 4", strips);
        let folder = folder();
        let running = submitter(&format!(
            "render -q {line} -o x.npy --redis {}",
            server.url()
        ))
        .within(&folder)
        .start();
        let piece = until_shared(&server, 1);
        let digest_of_key = piece.split(['{', '}']).nth(1).expect("a digest");
        assert_eq!(digest_of_key.len(), 64, "{piece}");
        let left_ms: i64 = ask(&server, &["PTTL", &piece]);
        assert!(left_ms > 0, "it expires: {left_ms}");
        let crew = Worker::crew(&server, 2);
        let done = running.wait();
        assert_eq!(done.code, Some(0), "{done:?}");
        let got = digest(folder.path().join("x.npy"));
        assert_eq!(got, farm_tests::job::quiet(&scene), "{strips}");
        nothing_is_left(&server);
        assert_eq!(orbits(&server), [""; 0]);
        drop(crew);
    }
}

#[test]
fn jobs_on_one_view_share_its_orbit() {
    let server = Server::start();
    let first = Job::start(&server, &scene());
    until_shared(&server, 1);
    let second = Job::start(&server, &scene());
    let piece = until_shared(&server, 2);
    assert_eq!(orbits(&server).len(), 2, "one set and one piece");
    first.running.signal(Signal::INT);
    let ended = first.running.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    // The first to end leaves it to the other.
    assert_eq!(users(&server), 1);
    assert_eq!(ask::<u64>(&server, &["EXISTS", &piece]), 1);
    let _worker = Worker::start(&server, "worker");
    let _ = second.done(&server);
    assert_eq!(orbits(&server), [""; 0]);
}

/// Names of the workers that took part.
fn crew_of(done: &Finished) -> Vec<String> {
    let report = done.json();
    let workers = report["workers"].as_array().cloned().unwrap_or_default();
    let name = |worker: &serde_json::Value| worker["name"].as_str().map(str::to_owned);
    workers.iter().filter_map(name).collect()
}

#[test]
fn an_orbit_that_is_lost_is_put_back_and_late_workers_fetch_it() {
    let server = Server::start();
    let first = Worker::start(&server, "first");
    let job = Job::start(&server, &scene());
    let id = server.job();
    server.until_committed(&id, 2);
    let _: String = ask(&server, &["FLUSHALL"]);
    // Whoever has the orbit in memory is gone: the picture depends on what is put back.
    first.signal(Signal::KILL);
    let _ = first.into_running().wait();
    until_shared(&server, 1);
    let _late = Worker::start(&server, "late");
    let done = job.done(&server);
    assert!(crew_of(&done).contains(&"late".to_owned()), "{done:?}");
    assert_eq!(orbits(&server), [""; 0]);
}

#[test]
fn a_killed_submitter_goes_on_with_the_same_orbit() {
    let server = Server::start();
    let worker = Worker::start(&server, "worker");
    let journals = folder();
    let options = format!("--journal {}", journals.path().display());
    let mut job = Job::start_at(&server.url(), &scene(), &options);
    let before = until_shared(&server, 1);
    let id = server.job();
    server.until_committed(&id, 2);
    // Nothing more comes; a second after its start it has a journal.
    worker.signal(Signal::STOP);
    server.until("there is a journal", || {
        assert!(job.running.is_running(), "{}", job.running.said());
        names_in(journals.path()) != [""; 0]
    });
    let job = job.killed(
        || assert_eq!(users(&server), 1, "it is still there for the next"),
        None,
    );
    worker.signal(Signal::CONT);
    assert_eq!(until_shared(&server, 1), before, "the same content again");
    let done = job.done(&server);
    assert!(done.json()["resumed"].as_u64() > Some(0), "{done:?}");
    assert_eq!(orbits(&server), [""; 0]);
    drop(worker);
}

#[test]
fn a_garbled_orbit_is_refused_and_written_again() {
    for (garble, says) in [
        (
            true,
            "the reference orbit has other bytes than its job names",
        ),
        (false, "the job's reference orbit is not on the queue"),
    ] {
        let server = Server::start();
        let job = Job::start(&server, &scene());
        let piece = until_shared(&server, 1);
        let worker = Worker::command(&server.url(), "worker", "--backend cpu --threads 1").start();
        // Its submitter may write it again at any time, so more than once.
        server.until("it is refused", || {
            let _: u64 = if garble {
                ask(&server, &["SETRANGE", &piece, "100", "garbage"])
            } else {
                ask(&server, &["DEL", &piece])
            };
            worker.said().contains(says)
        });
        // Nothing was computed with it, and no strip counts as failed.
        let done = job.done(&server);
        let report = done.json();
        assert_eq!(report["redelivered"], 0, "{done:?}");
        assert_eq!(report["rejected"], 0, "{done:?}");
        assert!(!worker.said().contains("ERROR"), "{}", worker.said());
    }
}
