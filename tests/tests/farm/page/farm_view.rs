//! A farm as the page shows and steers it: a real Redis, real workers, and a browser.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use farm_tests::pictures::Npy;
use farm_tests::{Browser, Server, Worker, folder, submitter};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::setup::{Page, tile};

/// Events as they come.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(page: &Page, cookie: &str) -> Self {
        let mut stream = TcpStream::connect(&page.host).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let request = format!(
            "GET /api/farm/events HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n\r\n",
            page.host
        );
        stream.write_all(request.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// The next one of which something is true.
    #[track_caller]
    fn until(&mut self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        let mut last = String::new();
        while start.elapsed() < Duration::from_secs(90) {
            let mut line = String::new();
            assert!(
                self.0.read_line(&mut line).unwrap() > 0,
                "the stream ended: {last}"
            );
            let Some(data) = line.strip_prefix("data: ") else {
                continue;
            };
            let seen: Value = serde_json::from_str(data).unwrap();
            if is_so(&seen) {
                return seen;
            }
            last = line;
        }
        panic!("never {what}: {last}");
    }
}

fn order(page: &Page, cookie: &str, deed: &str, names: &[&str], priority: Option<f64>) -> Value {
    let body = json!({ "deed": deed, "names": names, "priority": priority });
    let answer = page.ask(cookie, "/api/farm/orders", &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn a_farm_is_seen_and_steered() {
    let server = Server::start();
    let page = Page::serve(&format!("--redis {}", server.url()));
    let cookie = page.operator();
    let mut events = Events::open(&page, &cookie);
    events.until("an empty farm", |seen| {
        seen["jobs"] == json!([]) && seen["error"].is_null()
    });
    let folder = folder();
    // Nobody computes it yet.
    let render = format!(
        "render --density 300 --iterations 300 -q -o out.npy --redis {}",
        server.url()
    );
    let mut job = submitter(&render).within(&folder).start();
    let seen = events.until("the job", |seen| {
        seen["jobs"].as_array().is_some_and(|jobs| jobs.len() == 1)
    });
    let name = seen["jobs"][0]["job"].as_str().unwrap().to_owned();
    assert_eq!(
        (&seen["jobs"][0]["state"], &seen["workers"]),
        (&json!("running"), &json!([]))
    );
    // Who may only look sees all, and does nothing.
    let watcher = page.cookie(&page.tokens[1]);
    let mut watches = Events::open(&page, &watcher);
    watches.until("the job", |seen| {
        seen["jobs"].as_array().is_some_and(|jobs| jobs.len() == 1)
    });
    let refused = page.ask(
        &watcher,
        "/api/farm/orders",
        &json!({ "deed": "cancel", "names": [name] }),
    );
    assert_eq!(refused.status, 403, "{}", refused.text());
    // Steered.
    assert_eq!(
        order(&page, &cookie, "pause", &[&name], None),
        json!([{ "name": name, "error": null }])
    );
    events.until("a pause", |seen| seen["jobs"][0]["state"] == "paused");
    order(&page, &cookie, "prioritise", &[&name], Some(7.5));
    events.until("its priority", |seen| seen["jobs"][0]["priority"] == 7.5);
    let details = page
        .send(
            "GET",
            &format!("/api/farm/job?id={name}"),
            &[("Cookie", &cookie)],
            b"",
        )
        .json();
    assert_eq!(details["job"], name);
    assert!(details["spec"].is_object(), "{details}");
    order(&page, &cookie, "resume", &[&name], None);
    let worker = Worker::steady(&server, "crew");
    events.until("its worker", |seen| seen["workers"][0]["name"] == "crew");
    events.until("its end", |seen| seen["jobs"] == json!([]));
    let done = std::iter::repeat_with(|| job.is_running())
        .take(12_000)
        .any(|runs| {
            std::thread::sleep(Duration::from_millis(5));
            !runs
        });
    assert!(done && folder.path().join("out.npy").is_file());
    order(&page, &cookie, "drain", &["crew"], None);
    events.until("nobody", |seen| seen["workers"] == json!([]));
    drop(worker);
    let nobody = order(&page, &cookie, "cancel", &[&name, "nonsense"], None);
    assert!(
        nobody[0]["error"].is_string() && nobody[1]["error"] == "no such job",
        "{nobody}"
    );
    for (body, status) in [
        (json!({ "deed": "cancel", "names": [] }), 422),
        (json!({ "deed": "burn", "names": ["x"] }), 422),
        (
            json!({ "deed": "prioritise", "names": ["x"], "priority": 0 }),
            422,
        ),
        (
            json!({ "deed": "cancel", "names": ["x"], "file": "/etc" }),
            422,
        ),
    ] {
        assert_eq!(
            page.ask(&cookie, "/api/farm/orders", &body).status,
            status,
            "{body}"
        );
    }
    let foreign = page.send("GET", "/api/farm/events", &[("Cookie", &cookie)], b"");
    assert_eq!(foreign.status, 403, "events are for the page itself");
    let job = page.send("GET", "/api/farm/job?id=../x", &[("Cookie", &cookie)], b"");
    assert_eq!(job.status, 404);
}

#[test]
fn a_server_without_a_farm_says_so() {
    let page = Page::serve("");
    let cookie = page.operator();
    let headers = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(
        page.send("GET", "/api/farm/events", &headers, b"").status,
        404
    );
    let order = json!({ "deed": "pause", "names": ["x"] });
    assert_eq!(page.ask(&cookie, "/api/farm/orders", &order).status, 404);
}

#[test]
fn a_farm_that_is_away_is_waited_for() {
    let mut server = Server::start();
    let page = Page::serve(&format!("--redis {}", server.url()));
    let cookie = page.operator();
    let mut events = Events::open(&page, &cookie);
    events.until("a farm", |seen| seen["error"].is_null());
    server.kill();
    events.until("that it is away", |seen| seen["error"].is_string());
    server.restart();
    events.until("it again", |seen| seen["error"].is_null());
}

/// What `/metrics` says of a name, once something is true of it. Programs say the token itself.
#[track_caller]
pub fn gathered(page: &Page, name: &str, is_so: impl Fn(f64) -> bool) -> f64 {
    let token = format!("Bearer {}", page.tokens[1]);
    let start = Instant::now();
    loop {
        let answer = page.send("GET", "/metrics", &[("Authorization", &token)], b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text();
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
        if let Some(value) = value.filter(|value| is_so(*value)) {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{name}: {text}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Views are a farm's where it has workers, before what else it does; and this machine's where it has none. What the farm
/// does is kept as figures.
#[test]
fn views_are_computed_by_a_farm_that_has_workers() {
    let mut server = Server::start();
    let worker = Worker::start(&server, "crew");
    let page = Page::serve(&format!("--redis {}", server.url()));
    let cookie = page.operator();
    let folder = folder();
    let view = json!({ "re": "-0.7436", "im": "0.1318", "zoom": "300", "size": "480x320", "iterations": 2000 });
    submitter("render --re -0.7436 --im 0.1318 --zoom 300 --size 480x320 --iterations 2000 --backend cpu -q -o x.npy")
        .within(&folder)
        .ok();
    let expected = Npy::read(folder.path().join("x.npy")).f32s();
    let ask = |generation| page.ask(&cookie, "/api/tile", &tile(generation, &view));
    gathered(&page, "mandelfarm_workers ", |workers| workers == 1.0);
    let answer = ask(1);
    assert_eq!(answer.header("tile-maker"), Some("farm"), "{answer:?}");
    assert!(answer.floats() == expected, "the values of a render");
    let strips = gathered(
        &page,
        "mandelfarm_worker_strips{worker=\"crew\"",
        |strips| strips > 8.0,
    );
    // A farm that is busy with something long.
    let long = format!(
        "render --density 20000 --no-journal -q -o long.png --redis {}",
        server.url()
    );
    let mut busy = submitter(&long).within(&folder).start();
    gathered(&page, "mandelfarm_job_strips_collected", |strips| {
        strips > 0.0
    });
    let start = Instant::now();
    let answer = ask(2);
    let (maker, took) = (
        answer.header("tile-maker").map(str::to_owned),
        start.elapsed(),
    );
    assert!(answer.floats() == expected, "{maker:?}");
    assert!(took < Duration::from_secs(5), "{maker:?} in {took:?}");
    assert!(busy.is_running(), "it was busy");
    busy.signal(Signal::INT);
    assert_eq!(busy.wait().code, Some(130));
    // Nobody is left, and then not even the farm.
    drop(worker);
    let answer = ask(3);
    assert_eq!(answer.header("tile-maker"), Some("here"));
    assert!(answer.floats() == expected);
    server.kill();
    let answer = ask(4);
    assert_eq!(answer.header("tile-maker"), Some("here"));
    assert!(answer.floats() == expected);
    gathered(&page, "mandelfarm_farm_up", |up| up == 0.0);
    // An hour of figures, of which some are known at some times.
    let figures = page
        .send("GET", "/api/figures", &[("Cookie", &cookie)], b"")
        .json();
    let known = |name: &str| -> Vec<f64> {
        let figures = figures["figures"].as_array().unwrap();
        let figure = figures
            .iter()
            .find(|figure| figure["name"] == name)
            .unwrap();
        (figure["points"].as_array().unwrap().iter())
            .filter_map(Value::as_f64)
            .collect()
    };
    assert_eq!(figures["figures"].as_array().unwrap().len(), 12);
    assert!(
        known("strips_per_second").iter().any(|rate| *rate > 0.0),
        "{figures}"
    );
    assert!(
        known("tiles_per_second").iter().any(|rate| *rate > 0.0),
        "{strips} {figures}"
    );
    assert!(known("free_gigabytes").is_empty(), "there is no folder");
}

/// In a browser: a job whose name would be markup is seen, and cancelled after a question.
#[test]
fn a_job_is_cancelled_in_a_browser() {
    let server = Server::start();
    let page = Page::serve(&format!("--redis {}", server.url()));
    let folder = folder();
    let render = format!(
        "render --density 300 --iterations 300 -q --redis {} -o",
        server.url()
    );
    let evil = "<img src=x onerror=document.title='evil'>.npy";
    let job = submitter(&render).arg(evil).within(&folder).start();
    let browser = Browser::start(1000, 700, &["--enable-unsafe-swiftshader"]);
    browser.open(&format!("http://{}/?token={}", page.host, page.tokens[0]));
    browser.until("!document.getElementById('to-farm').hidden");
    browser.open(&format!("http://{}/farm", page.host));
    browser.until("document.querySelectorAll('#jobs tr').length === 1");
    assert_eq!(
        browser.value("document.querySelector('#jobs td:nth-child(2)').textContent"),
        evil
    );
    assert_eq!(
        browser.value("document.querySelectorAll('#jobs img').length"),
        0
    );
    assert_ne!(browser.value("document.title"), "evil");
    let click = |selector: &str| {
        browser.run(
            "document.querySelector(arguments[0]).click()",
            &[json!(selector)],
        );
    };
    click("#jobs td:nth-child(2) button");
    browser.until("!document.getElementById('details').hidden");
    click("#jobs input");
    click("[data-deed=pause]");
    browser.until("document.querySelector('#jobs td:nth-child(3)').textContent === 'paused'");
    click("[data-deed=cancel]");
    browser.until("document.getElementById('sure').open");
    click("#sure button[value=yes]");
    browser.until("document.querySelectorAll('#jobs tr').length === 0");
    let done = job.wait();
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(browser.errors(), [""; 0]);
    let axe = std::fs::read_to_string(farm_tests::browser::axe())
        .expect("axe-core: ./tests/run installs it");
    browser.run(&axe, &[]);
    browser.run(
        "window.found = null; axe.run().then((found) => { window.found = found.violations; })",
        &[],
    );
    browser.until("window.found !== null");
    assert_eq!(
        browser.value("window.found.map((one) => one.id)"),
        json!([])
    );
}
