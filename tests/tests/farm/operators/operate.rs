//! Operators: `submitter jobs` and `submitter workers` on a live farm.

use std::time::{Duration, Instant};

use farm_tests::job::{Job, nothing_is_left, of, quiet};
use farm_tests::scenes::{LONG, QUICK, WAITED};
use farm_tests::{Server, Worker, digest, folder, names_in, submitter};
use serde_json::Value;

/// How long after a cancel a strip may still be computed.
const CANCEL: Duration = Duration::from_secs(5);
/// How long anything may take that happens with the next sign of life, on a loaded machine.
const SOON: Duration = Duration::from_secs(15);

/// An operator's command on a server; it has to succeed.
fn ask(server: &Server, command: &str) -> String {
    let line = format!("{command} --redis {}", server.url());
    submitter(&line).ok().stdout
}

fn json(server: &Server, command: &str) -> Value {
    let text = ask(server, &format!("{command} --json"));
    serde_json::from_str(&text).expect("JSON")
}

/// Waits until something about a farm holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < SOON, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_job_is_shown_weighed_paused_resumed() {
    let server = Server::start();
    let _slow = Worker::pretend(&server, "slow", "--mode slow --secs 0.3");
    let job = Job::start(&server, LONG);
    let id = server.job();
    until("a strip is there", || {
        json(&server, "jobs list")[0]["report"]["collected"]
            .as_u64()
            .is_some_and(|strips| strips > 0)
    });
    let listed = json(&server, "jobs list");
    assert_eq!(listed[0]["job"], id.as_str());
    assert_eq!(listed[0]["state"], "running");
    assert_eq!(listed[0]["report"]["strips"], 48);
    let table = ask(&server, "jobs list");
    assert!(
        table.starts_with("JOB") && table.contains(id.as_str()),
        "{table}"
    );

    ask(&server, &format!("jobs priority {id} 7"));
    // By the end of its name.
    let end = &id.as_str()[18..];
    let shown = json(&server, &format!("jobs show {end}"));
    assert_eq!(shown["priority"], 7.0);
    assert_eq!(shown["spec"]["frame"]["width"], 128);
    assert!(
        shown["report"]["by_worker"]["slow"].as_u64() > Some(0),
        "{shown}"
    );
    let words = ask(&server, &format!("jobs show {id}"));
    for word in ["running", "strips/s", "worker     slow", "time left"] {
        assert!(words.contains(word), "{word}: {words}");
    }

    ask(&server, &format!("jobs pause {id}"));
    until("nobody has a strip", || {
        of("slow", &server.pending(&id)).is_empty()
    });
    let collected = || json(&server, &format!("jobs show {id}"))["report"]["collected"].clone();
    std::thread::sleep(Duration::from_secs(2));
    let (then, state) = (collected(), json(&server, "jobs list")[0]["state"].clone());
    assert_eq!(state, "paused");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(collected(), then, "a paused job stands still");
    assert!(of("slow", &server.pending(&id)).is_empty());
    ask(&server, &format!("jobs resume {id}"));
    let _good = Worker::start(&server, "good");
    let _ = job.done(&server);
}

#[test]
fn a_cancelled_job_stops_within_seconds_and_leaves_nothing() {
    let server = Server::start();
    let worker = Worker::pretend(
        &server,
        "worker",
        "--mode wait --secs 60 --log info,farm_worker=debug",
    );
    let folder = folder();
    let line = format!("render -q {WAITED} -o x.npy --redis {}", server.url());
    let running = submitter(&line).within(&folder).start();
    let id = server.job();
    until("a strip is under way", || {
        !of("worker", &server.pending(&id)).is_empty()
    });
    let asked = Instant::now();
    ask(&server, &format!("jobs cancel {id}"));
    let ended = running.wait();
    assert!(asked.elapsed() < CANCEL, "{:?}", asked.elapsed());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said = format!("job {id} was cancelled");
    assert!(ended.stderr.contains(&said), "{ended:?}");
    assert_eq!(names_in(folder.path()), [""; 0]);
    // The strip of a minute that the worker was in the midst of.
    until("the worker says that its strip ended", || {
        worker.said().contains("strip ended")
    });
    assert!(asked.elapsed() < CANCEL, "{:?}", asked.elapsed());
    nothing_is_left(&server);
    let again = submitter(&format!("jobs cancel {id} --redis {}", server.url())).run();
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("no job"), "{again:?}");
}

#[test]
fn a_job_whose_strips_die_fails_says_why_and_can_be_taken_up() {
    let server = Server::start();
    let bad = Worker::pretend(&server, "bad", "--mode fail");
    let folder = folder();
    let scene = format!("{QUICK} --strip-rows 70 --backend cpu");
    let line = format!("render -q {scene} -o x.npy --redis {}", server.url());
    let failed = submitter(&line).within(&folder).run();
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(
        failed.stderr.contains("bad: "),
        "who failed, and why: {failed:?}"
    );
    assert_eq!(names_in(folder.path()), [""; 0]);
    let listed = json(&server, "jobs list");
    assert_eq!(listed[0]["state"], "failed", "{listed}");
    let dead = listed[0]["report"]["dead"].as_array().map(Vec::len);
    assert!(dead > Some(0), "{listed}");
    let id = listed[0]["job"].as_str().expect("a name").to_owned();
    let retried = submitter(&format!("jobs retry {id} --redis {}", server.url())).run();
    assert!(
        retried.stderr.contains(&format!("submitter resume {id}")),
        "{retried:?}"
    );

    drop(bad);
    let _good = Worker::start(&server, "good");
    let line = format!("resume {id} -q --redis {}", server.url());
    submitter(&line).within(&folder).ok();
    assert_eq!(digest(folder.path().join("x.npy")), quiet(&scene));
    nothing_is_left(&server);
}

#[test]
fn a_worker_that_fails_where_others_do_not_is_quarantined_and_can_be_forgiven() {
    let server = Server::start();
    let _bad = Worker::pretend(&server, "bad", "--mode fail");
    // Busy most of the time, while the other one is back for more at once: alone it would use up all four deliveries
    // of a strip. Long enough for three failures and the pauses after them.
    let _good = Worker::pretend(&server, "good", "--mode slow --secs 0.2");
    let job = Job::start(&server, LONG);
    let done = job.done(&server);
    assert!(done.stderr.contains("quarantined"), "{done:?}");
    let listed = json(&server, "workers list");
    let of_name = |name: &str| {
        let all = listed.as_array().expect("a list");
        let found = all.iter().find(|worker| worker["name"] == name);
        found
            .unwrap_or_else(|| panic!("no {name} in {listed}"))
            .clone()
    };
    assert!(
        of_name("bad")["quarantine"]["secs_left"].as_f64() > Some(0.0),
        "{listed}"
    );
    assert!(of_name("good")["quarantine"].is_null(), "{listed}");
    assert!(ask(&server, "workers list").contains("quarantined"));
    ask(&server, "workers forgive bad");
    assert!(!ask(&server, "workers list").contains("quarantined"));
}

#[test]
fn workers_are_listed_and_drained() {
    let server = Server::start();
    let worker = Worker::start(&server, "box");
    let listed = json(&server, "workers list");
    assert_eq!(listed[0]["name"], "box");
    assert_eq!(listed[0]["pid"], worker.pid());
    assert!(
        !listed[0]["devices"][0]
            .as_str()
            .expect("a device")
            .is_empty()
    );
    ask(&server, "workers drain box");
    let ended = worker.into_running().wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(json(&server, "workers list"), serde_json::json!([]));
    let none = submitter(&format!("workers drain box --redis {}", server.url())).run();
    assert_eq!(none.code, Some(1), "{none:?}");
    let nowhere = submitter("jobs list").run();
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
}

#[test]
fn workers_that_would_not_serve_do_not_count_for_a_fallback() {
    let server = Server::start();
    let decided = || {
        let line = "plan --fallback auto --iterations 1000000000";
        json(&server, line)["fallback"].clone()
    };
    let nobody = "no worker of the farm would serve it";
    let says_nobody =
        |decision: &Value| decision["in_process"] == true && decision["reason"] == nobody;
    assert!(says_nobody(&decided()), "{}", decided());
    let _foreign = Worker::pretend(&server, "foreign", "--mode foreign");
    assert!(says_nobody(&decided()), "{}", decided());
    let bad = Worker::pretend(&server, "bad", "--mode good");
    assert!(!says_nobody(&decided()), "control: {}", decided());
    // As a submitter puts it into quarantine.
    let until_ms = 4_102_444_800_000_u64;
    let record = format!("{until_ms} 1 it lies");
    server.ask::<i64>(&["HSET", "mf:bad", "bad", &record]);
    assert!(says_nobody(&decided()), "{}", decided());
    server.ask::<i64>(&["DEL", "mf:bad"]);
    assert!(!says_nobody(&decided()), "control: {}", decided());
    drop(bad);
}
