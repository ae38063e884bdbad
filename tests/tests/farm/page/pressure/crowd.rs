//! A thousand workers, a history of a hundred thousand jobs, and two hundred who watch both.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use farm_queue::protocol::keys;
use farm_queue::{WorkerAbout, WorkerFigures};
use farm_tests::{Browser, Server, folder, submitter};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::super::setup::Page;

const WORKERS: usize = 1000;
const JOBS: usize = 100_000;
/// Of the farm's events, and of the jobs'.
const WATCHERS: [usize; 2] = [150, 50];

/// What an answer takes in the median, and what the slowest may take while two hundred are told everything each second.
const MOST_MEDIAN: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(2);
/// Resident memory of the server, and the page's own in the browser.
const MOST_BYTES: u64 = 200 << 20;

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("jobs");

/// A history of many jobs, all like one that was made.
fn write_history(outputs: &std::path::Path) {
    let page = Page::serve(&format!("--output {}", outputs.display()));
    let server = outputs.display();
    let line = format!("submit --server {server} render --density 20 --iterations 50 -o one.png");
    submitter(&line).ok();
    let cookie = page.operator();
    let start = Instant::now();
    while !page
        .send("GET", "/api/jobs?state=done", &[("Cookie", &cookie)], b"")
        .text()
        .contains("one.png")
    {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    page.program.signal(Signal::TERM);
    assert_eq!(page.program.wait().code, Some(130));
    let database = Database::open(outputs.join(".mandelfarm/jobs.redb")).unwrap();
    let one: Value = {
        let read = database.begin_read().unwrap();
        let table = read.open_table(TABLE).unwrap();
        let (_, text) = table.iter().unwrap().next().unwrap().unwrap();
        serde_json::from_slice(text.value()).unwrap()
    };
    let write = database.begin_write().unwrap();
    {
        let mut table = write.open_table(TABLE).unwrap();
        for number in 0..JOBS - 1 {
            let mut record = one.clone();
            let (job, file) = (
                format!("00{number:024}"),
                format!("picture-{number:06}.png"),
            );
            record["job"] = json!(job);
            record["request"]["outputs"] = json!([file]);
            record["outputs"][0]["name"] = json!(file);
            record["state"] = json!(["done", "done", "done", "failed", "cancelled"][number % 5]);
            let text = serde_json::to_vec(&record).unwrap();
            table.insert(job.as_str(), text.as_slice()).unwrap();
        }
    }
    write.commit().unwrap();
}

/// Workers as they describe themselves, of whom nobody is there.
fn write_workers(server: &Server) {
    let until = std::time::SystemTime::now() + Duration::from_secs(3600);
    let until = until.duration_since(std::time::UNIX_EPOCH).unwrap();
    for number in 0..WORKERS {
        let process = format!("worker-{number:04}.{}.0123456789ab", 1000 + number);
        let record = farm_queue::status::WorkerRecord {
            name: format!("worker-{number:04}"),
            about: WorkerAbout {
                host: format!("machine-{number:04}.example"),
                pid: 1000 + number as u32,
                version: "0.1.0".to_owned(),
                build: 1,
                devices: vec!["AMD EPYC 9654 96-Core Processor".to_owned()],
                backend: "cpu".to_owned(),
                arithmetics: vec!["f64 x8".to_owned()],
                speed: 1_000_000_000,
                cores: 96,
                threads: 96,
                tags: vec!["rack-1".to_owned()],
            },
            figures: WorkerFigures {
                strips: number as u64,
                ..WorkerFigures::default()
            },
        };
        let text = serde_json::to_string(&record).unwrap();
        let _: () = server.ask(&["SET", &keys::worker(&process), &text]);
        let _: () = server.ask(&[
            "ZADD",
            keys::WORKERS,
            &until.as_millis().to_string(),
            &process,
        ]);
    }
}

/// Those who watch; they end with this.
struct Watchers {
    threads: Vec<JoinHandle<()>>,
    ends: Arc<AtomicBool>,
    events: Arc<AtomicU64>,
}

impl Watchers {
    fn start(page: &Page, cookie: &str) -> Self {
        let (ends, events) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let paths = ["/api/farm/events", "/api/jobs/events"];
        let each = paths.iter().zip(WATCHERS);
        let all = each.flat_map(|(path, count)| std::iter::repeat_n(*path, count));
        let threads = all.map(|path| {
            let mut stream = TcpStream::connect(&page.host).unwrap();
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n\r\n",
                page.host
            );
            stream.write_all(request.as_bytes()).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let (ends, events) = (Arc::clone(&ends), Arc::clone(&events));
            let watches = std::thread::Builder::new().name("watcher".into());
            watches
                .spawn(move || watch(stream, &ends, &events))
                .expect("a thread")
        });
        let threads = threads.collect();
        Self {
            threads,
            ends,
            events,
        }
    }

    /// Waits for so many more events.
    fn until(&self, more: u64) {
        let (start, before) = (Instant::now(), self.events.load(Ordering::Relaxed));
        while self.events.load(Ordering::Relaxed) < before + more {
            assert!(start.elapsed() < Duration::from_secs(90), "too few events");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn watch(stream: TcpStream, ends: &AtomicBool, events: &AtomicU64) {
    let mut lines = BufReader::with_capacity(64 << 10, stream);
    let mut line = Vec::new();
    while !ends.load(Ordering::Relaxed) {
        match (&mut lines).take(4 << 20).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) if line.ends_with(b"\n") => {
                if line.starts_with(b"data: ") {
                    events.fetch_add(1, Ordering::Relaxed);
                }
                line.clear();
            }
            // Nothing for a while: what came of a line stays.
            _ => {}
        }
    }
}

/// Resident bytes of a process, now.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

#[test]
fn a_crowd_and_a_long_history_are_answered_at_once() {
    let (server, outputs) = (Server::start(), folder());
    write_history(outputs.path());
    write_workers(&server);
    let page = Page::serve(&format!(
        "--redis {} --output {}",
        server.url(),
        outputs.path().display()
    ));
    let cookie = page.operator();
    let watchers = Watchers::start(&page, &cookie);
    let crowd = (WATCHERS[0] + WATCHERS[1]) as u64;
    watchers.until(3 * crowd);
    let last = format!("00{:024}", JOBS / 2);
    let one = format!("/api/jobs/job?id={last}");
    let older = format!("/api/jobs?most=200&before={last}");
    for path in [
        "/api/status",
        "/api/jobs",
        "/api/jobs?state=failed&most=200",
        "/api/jobs?find=picture-000017",
        "/api/jobs?find=nothing+of+that+name",
        &older,
        &one,
        "/api/figures",
        "/metrics",
        "/farm",
    ] {
        let mut took: Vec<Duration> = (0..11)
            .map(|_| {
                let start = Instant::now();
                let answer = page.send("GET", path, &[("Cookie", &cookie)], b"");
                assert_eq!(answer.status, 200, "{path}: {}", answer.text());
                start.elapsed()
            })
            .collect();
        took.sort_unstable();
        eprintln!("{path}: median {:.1?}, slowest {:.1?}", took[5], took[10]);
        assert!(took[5] <= MOST_MEDIAN, "{path}: {took:?}");
        assert!(took[10] <= MOST, "{path}: {took:?}");
    }
    // Everybody is still told.
    watchers.until(3 * crowd);
    let held = resident(page.program.pid());
    eprintln!("the server: {} MiB resident", held >> 20);
    assert!(held < MOST_BYTES, "{} MiB", held >> 20);
    drop(watchers);
    let browser = Browser::start(1000, 700, &["--enable-precise-memory-info"]);
    browser.open(&format!("http://{}/?token={}", page.host, page.tokens[0]));
    browser.open(&format!("http://{}/farm", page.host));
    browser.until(&format!(
        "document.querySelectorAll('#workers tr').length === {WORKERS}"
    ));
    browser.until("document.querySelectorAll('#queue tr').length === 50");
    // Some seconds' worth of events: what is held once is held for good.
    browser.run("window.told = 0; new EventSource('/api/farm/events').addEventListener('message', () => { window.told += 1; })", &[]);
    browser.until("window.told >= 5");
    let heap = browser
        .value("performance.memory.usedJSHeapSize")
        .as_u64()
        .unwrap();
    eprintln!("the page: {} MiB of objects", heap >> 20);
    assert!((1..MOST_BYTES).contains(&heap), "{} MiB", heap >> 20);
    // Jobs of the written history have no small pictures.
    let errors = browser.errors();
    let is_missing = |line: &String| line.contains("/api/jobs/thumbnail") && line.contains("404");
    assert!(errors.iter().all(is_missing), "{errors:?}");
}
