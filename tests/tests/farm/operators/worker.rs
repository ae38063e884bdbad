//! The worker as its operator meets it: metrics, logs, devices that hang or lie, an order to leave.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use farm_queue::redis::RedisControl;
use farm_tests::job::quiet;
use farm_tests::programs::{Finished, Run, Running};
use farm_tests::scenes::{QUICK, SLOW, SLOW_STRIPS, WAITED};
use farm_tests::{Server, Worker, digest, folder, submitter};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take that happens soon, on a loaded machine.
const SOON: Duration = Duration::from_secs(20);
const ONE_CORE: &str = "--backend cpu --threads 1";

/// One request; the answer's first line and its body.
fn ask(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("metrics are served");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    write!(stream, "{request} HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("a request is taken");
    let mut answer = String::new();
    // The connection ends with the answer.
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.lines().next().unwrap_or_default();
    (status.to_owned(), body.to_owned())
}

/// A page of metrics.
#[derive(Debug)]
struct Page(String);

impl Page {
    fn of(address: &str) -> Self {
        let (status, text) = ask(address, "GET /metrics");
        assert_eq!(status, "HTTP/1.1 200 OK");
        Self(text)
    }

    /// Sum of the figures whose name, with its labels, contains all of `parts`.
    fn sum(&self, parts: &[&str]) -> f64 {
        let mut found = 0;
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        let sum = lines
            .filter_map(|line| line.rsplit_once(' '))
            .filter(|(name, _)| parts.iter().all(|part| name.contains(part)))
            .map(|(_, value)| {
                found += 1;
                value.parse::<f64>().expect("a number")
            })
            .sum();
        assert!(found > 0, "{parts:?} in {}", self.0);
        sum
    }
}

/// Where a worker says that it serves metrics.
fn metrics_of(worker: &Running) -> String {
    let said = worker.said();
    let (_, rest) = said.split_once("metrics at http://").expect("it says so");
    rest.split('/').next().unwrap_or_default().to_owned()
}

fn on_farm(server: &Server, scene: &str) -> (Running, TempDir) {
    let folder = folder();
    let line = format!("render -q {scene} -o x.npy --json --redis {}", server.url());
    (submitter(&line).within(&folder).start(), folder)
}

fn finished((running, folder): (Running, TempDir)) -> (Value, u64) {
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    (done.json(), digest(folder.path().join("x.npy")))
}

#[test]
fn metrics_tell_what_a_worker_does() {
    let server = Server::start();
    let options = format!("{ONE_CORE} --metrics 127.0.0.1:0");
    let worker = Worker::start_with(&server, "measured", &options);
    let address = metrics_of(&worker);
    let idle = Page::of(&address);
    assert_eq!(idle.sum(&["strips_total"]), 0.0);
    assert_eq!(idle.sum(&["farm_worker_build_info", "version="]), 1.0);
    let scene = format!("{SLOW} {SLOW_STRIPS}");
    let mut job = on_farm(&server, &scene);
    // While it renders.
    let mut under_way = 0;
    let mut seen = 0.0;
    while job.0.is_running() {
        let page = Page::of(&address);
        let delivered = page.sum(&["strips_total", "\"delivered\""]);
        assert!(delivered >= seen, "a count never falls");
        seen = delivered;
        under_way += u32::from(page.sum(&["strips_in_hand"]) >= 1.0);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(under_way > 0, "strips in hand were seen");
    let (report, _) = finished(job);
    let figure = |name: &str| report[name].as_f64().expect("a figure of the report");
    // The submitter may be done before the worker has heard that its last buffer was taken.
    let asked = Instant::now();
    let page = loop {
        let page = Page::of(&address);
        if page.sum(&["strips_in_hand"]) == 0.0 {
            break page;
        }
        assert!(asked.elapsed() < SOON, "{page:?}");
    };
    assert_eq!(
        page.sum(&["strips_total", "\"delivered\""]),
        figure("strips")
    );
    assert_eq!(page.sum(&["strips_total"]), figure("strips"));
    assert_eq!(page.sum(&["farm_worker_pixels_total"]), figure("pixels"));
    let iterations = page.sum(&["farm_worker_iterations_total"]);
    assert_eq!(iterations, figure("iterations_total"));
    assert_eq!(page.sum(&["strip_seconds_count"]), figure("strips"));
    let busy = page.sum(&["compute_seconds_total", "backend=\"cpu\"", "1 thread"]);
    assert!(busy > 0.0 && busy <= 1.1 * figure("elapsed_secs"), "{busy}");
    for zero in [
        "lease_losses",
        "retries_total",
        "device_errors_total",
        "hung_computations",
    ] {
        assert_eq!(page.sum(&[zero]), 0.0, "{zero}");
    }
    assert!(page.0.ends_with("# EOF\n"));
    // Nothing else is served.
    assert_eq!(ask(&address, "GET /").0, "HTTP/1.1 404 Not Found");
    let posted = ask(&address, "POST /metrics").0;
    assert_eq!(posted, "HTTP/1.1 405 Method Not Allowed");
}

#[test]
fn readers_of_metrics_that_say_nothing_do_not_shut_out_others() {
    let server = Server::start();
    let worker = Worker::start_with(
        &server,
        "measured",
        &format!("{ONE_CORE} --metrics 127.0.0.1:0"),
    );
    let address = metrics_of(&worker);
    let mute: Vec<TcpStream> = (0..20)
        .filter_map(|_| TcpStream::connect(&address).ok())
        .collect();
    assert_eq!(mute.len(), 20);
    let asked = Instant::now();
    while Page::of(&address).sum(&["farm_worker_up"]) != 1.0 {
        assert!(asked.elapsed() < SOON);
    }
}

#[test]
fn an_address_that_cannot_serve_metrics_is_refused_at_once() {
    let refused = |address: &str| -> Finished {
        // A farm that is not there: it is not even asked for.
        Run::program("farm-worker")
            .args(["--redis", "redis://127.0.0.1:1", "--metrics", address])
            .args(ONE_CORE.split_whitespace())
            .run()
    };
    for wrong in ["nonsense", "9464", "127.0.0.1", "127.0.0.1:99999"] {
        let done = refused(wrong);
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(
            matches!(done.words()[..], [line] if line.contains("--metrics")),
            "{done:?}"
        );
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let done = refused(&address);
    assert_eq!(done.code, Some(1), "{done:?}");
    let [line] = done.words()[..] else {
        panic!("one line: {done:?}")
    };
    assert!(
        line.starts_with(&format!("farm-worker: cannot serve metrics on {address}: ")),
        "{line}"
    );
    // Control: an empty one is none, and then the farm is what is missing.
    let done = refused("");
    assert!(done.stderr.contains("127.0.0.1:1"), "{done:?}");
}

#[test]
fn logs_are_for_people_or_for_machines() {
    let server = Server::start();
    let scene = format!("{QUICK} --backend cpu");
    for (format, json) in [("text", false), ("json", true)] {
        let options = format!("{ONE_CORE} --log debug --log-format {format}");
        let mut worker = Worker::start_with(&server, "talker", &options);
        let (report, _) = finished(on_farm(&server, &scene));
        worker.until_it_says("strip ended");
        worker.signal(Signal::TERM);
        let ended = worker.into_running().wait();
        assert_eq!(ended.stdout, "");
        let job = report["job"].as_str().expect("a job");
        let strips: Vec<&str> = (ended.words().into_iter())
            .filter(|line| line.contains("strip ended"))
            .collect();
        assert_eq!(Some(strips.len() as u64), report["strips"].as_u64());
        if !json {
            for line in strips {
                for part in [
                    job,
                    "strip=",
                    "attempt=1",
                    "device=",
                    "outcome=\"delivered\"",
                    "seconds=",
                ] {
                    assert!(line.contains(part), "{part} in {line}");
                }
            }
            continue;
        }
        for line in ended.words() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            assert!(
                line["timestamp"].is_string() && line["level"].is_string(),
                "{line}"
            );
        }
        for line in strips {
            let line: Value = serde_json::from_str(line).expect("an object");
            assert_eq!(line["span"]["job"], job, "{line}");
            assert_eq!(line["span"]["attempt"], 1, "{line}");
            assert!(
                line["span"]["strip"].is_u64() && line["span"]["device"].is_string(),
                "{line}"
            );
            assert_eq!(line["outcome"], "delivered", "{line}");
            assert!(
                line["seconds"].as_f64().is_some_and(|secs| secs > 0.0),
                "{line}"
            );
        }
    }
}

#[test]
fn a_submitters_log_is_for_machines_too() {
    let folder = folder();
    let line = format!("render -q {QUICK} --backend cpu -o x.png --log debug --log-format json");
    let done = submitter(&line).within(&folder).ok();
    assert!(done.words().len() > 3, "{done:?}");
    for line in done.words() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(line["message"].is_string(), "{line}");
    }
}

#[test]
fn strips_of_a_device_that_hangs_are_computed_by_another() {
    let scene = format!("{QUICK} --backend cpu");
    let expected = quiet(&scene);
    let server = Server::start();
    let mut hung = Worker::pretend(&server, "hung", "--mode hang --strip-timeout 2");
    let job = on_farm(&server, &scene);
    let id = server.job();
    server.until("it has strips in hand", || {
        let pending = server.pending(&id);
        pending
            .iter()
            .filter(|strip| strip.owner.starts_with("hung"))
            .count()
            == 2
    });
    let began = Instant::now();
    let _good = Worker::start(&server, "good");
    let (report, picture) = finished(job);
    assert_eq!(picture, expected);
    // Its process lives and would keep its leases for ever; and a lease is longer than this.
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(report["redelivered"], 2, "{report}");
    hung.until_it_says("no progress for 2 s on ");
    // With nothing but devices that hang, its supervisor had better start it again.
    let ended = hung.into_running().wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[test]
fn a_slow_device_that_moves_keeps_its_strips() {
    let scene = format!("{QUICK} --backend cpu --strip-rows 50");
    let expected = quiet(&scene);
    let server = Server::start();
    // Far slower than its time-out, but it moves.
    let _slow = Worker::pretend(&server, "slow", "--mode slow --secs 3 --strip-timeout 1");
    let (report, picture) = finished(on_farm(&server, &scene));
    assert_eq!(picture, expected);
    assert_eq!(report["redelivered"], 0, "{report}");
}

#[test]
fn control_a_faulty_worker_changes_the_picture() {
    let scene = format!("{QUICK} --backend cpu");
    let expected = quiet(&scene);
    let server = Server::start();
    let _faulty = Worker::pretend(&server, "faulty", "--mode lie --first 1");
    let (_, picture) = finished(on_farm(&server, &scene));
    assert_ne!(picture, expected, "one bit of one value");
    let (_, picture) = finished(on_farm(&server, &scene));
    assert_eq!(picture, expected, "it lies once only");
}

#[test]
fn a_worker_of_another_build_gets_no_strips() {
    let scene = format!("{QUICK} --backend cpu");
    let expected = quiet(&scene);
    let server = Server::start();
    let _other = Worker::pretend(&server, "other", "--mode foreign");
    let job = on_farm(&server, &scene);
    let id = server.job();
    std::thread::sleep(Duration::from_secs(2));
    assert!(server.pending(&id).is_empty());
    let _own = Worker::start(&server, "own");
    let (report, picture) = finished(job);
    assert_eq!(picture, expected);
    let workers = report["workers"].as_array().expect("workers");
    assert!(
        workers.iter().all(|worker| worker["name"] == "own"),
        "{report}"
    );
}

#[test]
fn a_worker_that_is_drained_gives_back_what_it_has_and_ends_well() {
    let server = Server::start();
    let leaver = Worker::pretend(&server, "leaver", "--mode wait --secs 60");
    let job = on_farm(&server, WAITED);
    let id = server.job();
    server.until("it is in the middle of strips", || {
        server
            .pending(&id)
            .iter()
            .filter(|strip| strip.owner.starts_with("leaver"))
            .count()
            == 2
    });
    let asked = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let control = RedisControl::connect(&server.url())
            .await
            .expect("a connection");
        let drained = control.drain("leaver").await.expect("an answer");
        assert_eq!(drained.len(), 1);
    });
    let ended = leaver.into_running().wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    server.until("its strips are free", || {
        let pending = server.pending(&id);
        pending
            .iter()
            .all(|strip| !strip.owner.starts_with("leaver"))
    });
    job.0.signal(Signal::INT);
    let _ = job.0.wait();
}
