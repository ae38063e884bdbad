//! A server whose disk fills up amid a job: one line, nothing half-written, and the server goes on.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use farm_tests::{folder, names_in, submitter};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::super::setup::Page;

/// A picture of many strips that takes some seconds.
const STILL: &str = "--re -0.7436 --im 0.1318 --zoom 300 --size 2400x1800 --iterations 60000 --strip-rows 8 --palette dusk -o still.png -o still.npy";
const PATIENCE: Duration = Duration::from_secs(120);

/// Writes until nothing more fits.
fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).unwrap();
    for length in [1 << 20, 4096, 1] {
        let block = vec![1; length];
        while file.write_all(&block).is_ok() {}
    }
}

#[track_caller]
fn until(page: &Page, cookie: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let answer = page.send("GET", "/api/jobs", &[("Cookie", cookie)], b"");
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        let job = answer.json()["jobs"][0].clone();
        if is_so(&job) {
            return job;
        }
        assert!(start.elapsed() < PATIENCE, "never {what}: {job:#}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_disk_that_fills_up_is_one_line_and_the_server_goes_on() {
    let folder = folder();
    let mount = folder.path().join("disk");
    std::fs::create_dir(&mount).unwrap();
    // A disk that only the server sees, and whoever looks through its eyes.
    let script = "mount -t tmpfs -o size=450m none \"$0\" && exec \"$@\"";
    let isolation = ["--user", "--map-root-user", "--mount", "sh", "-c", script];
    let mounted = mount.to_string_lossy();
    let isolation: Vec<&str> = isolation.into_iter().chain([&*mounted]).collect();
    let line = format!("serve --listen 127.0.0.1:0 --backend cpu --threads 1 --output {mounted}");
    let page = Page::of(submitter(&line).under("unshare", &isolation), 2);
    let cookie = page.operator();
    let seen = PathBuf::from(format!("/proc/{}/root{mounted}", page.program.pid()));
    let submit = |line: &str| {
        let server = format!("http://{}/?token={}", page.host, page.tokens[0]);
        submitter(&format!("submit --server {server} render {line}"))
    };
    submit(STILL).ok();
    let job = until(&page, &cookie, "some strips", |job| {
        job["progress"]["strips_done"].as_u64() > Some(2)
    });
    let job = job["job"].as_str().unwrap().to_owned();
    let filler = seen.join("filler");
    fill(&filler);
    let failed = until(&page, &cookie, "its end", |job| {
        job["state"] != "queued" && job["state"] != "running"
    });
    assert_eq!(failed["state"], "failed", "{failed:#}");
    let error = failed["error"].as_str().unwrap();
    assert!(
        error.to_lowercase().contains("no space") && !error.contains('\n'),
        "{error}"
    );
    assert_eq!(names_in(&seen), [".mandelfarm", "filler"]);
    // Nothing more is taken in, in one line, and whoever looks sees what was there.
    let refused = submit("--density 20 -o small.png").run();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    assert!(refused.stderr.contains("no room"), "{refused:?}");
    let view = json!({ "viewer": "v", "generation": 1, "request": { "re": "-0.75", "im": "0.1", "zoom": "20", "size": "64x64" } });
    assert_eq!(page.ask(&cookie, "/api/tile", &view).status, 200);
    // With room again it goes on where it was, and others are taken.
    std::fs::remove_file(&filler).unwrap();
    let order = json!({ "deed": "retry", "names": [job] });
    let ordered = page.ask(&cookie, "/api/jobs/orders", &order);
    assert_eq!(
        ordered.json()[0]["error"],
        Value::Null,
        "{}",
        ordered.text()
    );
    until(&page, &cookie, "the end", |job| job["state"] == "done");
    submit("--density 20 -o small.png").ok();
    until(&page, &cookie, "the small one", |job| {
        job["title"] == "small.png" && job["state"] == "done"
    });
    let line = format!("render {STILL} -q --backend cpu");
    submitter(&line).within(&folder).ok();
    for name in ["still.png", "still.npy"] {
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        assert!(read(&seen) == read(folder.path()), "{name}: other bytes");
    }
    assert_eq!(
        names_in(&seen),
        [".mandelfarm", "small.png", "still.npy", "still.png"]
    );
}

/// The database itself may not grow: what cannot be kept is refused in one line, and what was there is still seen and made.
#[test]
fn a_database_that_may_not_grow_refuses_and_goes_on() {
    let outputs = folder();
    let line = format!(
        "serve --listen 127.0.0.1:0 --backend cpu --output {}",
        outputs.path().display()
    );
    let limit = ["-c", "trap '' XFSZ; ulimit -f 300; exec \"$0\" \"$@\""];
    let page = Page::of(submitter(&line).under("bash", &limit), 2);
    let cookie = page.operator();
    let job = |name: &str, re: &str| {
        let picture =
            json!({ "re": re, "im": "0.1", "zoom": "20", "size": "16x16", "iterations": 20 });
        page.ask(
            &cookie,
            "/api/jobs",
            &json!({ "outputs": [name], "picture": picture }),
        )
    };
    let long = format!("-0.{}", "7".repeat(8000));
    let mut taken = 0;
    let refused = loop {
        assert!(taken < 200, "it grows");
        let answer = job(&format!("{taken}.png"), &long);
        if answer.status != 200 {
            break answer;
        }
        taken += 1;
    };
    assert_eq!(refused.status, 500, "{}", refused.text());
    let error = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("cannot be kept"), "{error}");
    assert!(taken > 2, "{taken}");
    let start = Instant::now();
    loop {
        let answer = page.send("GET", "/api/jobs", &[("Cookie", &cookie)], b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let jobs = answer.json()["jobs"].as_array().unwrap().clone();
        assert_eq!(jobs.len(), taken);
        if jobs.iter().all(|job| job["state"] == "done") {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{}", answer.text());
        std::thread::sleep(Duration::from_millis(20));
    }
    // A server that may goes on with all of it.
    page.program.signal(Signal::TERM);
    assert_eq!(page.program.wait().code, Some(130));
    let page = Page::of(submitter(&line), 2);
    let cookie = page.operator();
    let server = outputs.path().display();
    submitter(&format!(
        "submit --server {server} render --density 20 -o short.png"
    ))
    .ok();
    until(&page, &cookie, "the short one", |job| {
        job["title"] == "short.png" && job["state"] == "done"
    });
    let known = page.send("GET", "/api/jobs?state=done", &[("Cookie", &cookie)], b"");
    assert_eq!(
        known.json()["counts"]["done"],
        taken + 1,
        "{}",
        known.text()
    );
}
