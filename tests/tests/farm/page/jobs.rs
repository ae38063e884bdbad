//! Jobs that are left with a server: handed over and forgotten, and there when somebody comes back.

use std::path::Path;
use std::time::{Duration, Instant};

use farm_tests::pictures::Png;
use farm_tests::{Run, Server, Worker, folder, names_in, submitter};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::setup::{Answer, Page};

/// A still of many strips, a small one, and a video.
const STILL: &str = "--re -0.7436 --im 0.1318 --zoom 300 --size 1200x900 --iterations 20000 --strip-rows 8 --palette dusk -o still.png -o still.npy";
const SMALL: &str = "--density 60 --iterations 300 -o small.png";
const VIDEO: &str =
    "--re -0.7436 --im 0.1318 --to 40 --size 160x90 --fps 10 --iterations 400 -o dive.mp4";

/// How long jobs may take.
const PATIENCE: Duration = Duration::from_secs(120);

fn serve(folder: &TempDir, more: &str) -> Page {
    Page::serve(&format!("--output {} {more}", folder.path().display()))
}

/// `submitter submit` to the server of a folder.
fn submit(folder: &TempDir, line: &str) -> Run {
    let line = format!("submit --server {} {line}", folder.path().display());
    submitter(&line)
}

fn get(page: &Page, cookie: &str, path: &str) -> Answer {
    page.send("GET", path, &[("Cookie", cookie)], b"")
}

/// The newest jobs, once something is true of them.
#[track_caller]
fn until(page: &Page, cookie: &str, what: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let known = get(page, cookie, "/api/jobs").json();
        let jobs = known["jobs"].as_array().cloned().unwrap_or_default();
        if is_so(&jobs) {
            return jobs;
        }
        assert!(start.elapsed() < PATIENCE, "never {what}: {known:#}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn all_are(state: &'static str) -> impl Fn(&[Value]) -> bool {
    move |jobs| !jobs.is_empty() && jobs.iter().all(|job| job["state"] == state)
}

#[track_caller]
fn same_bytes(folder: &Path, reference: &Path, name: &str) {
    let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
    assert!(read(folder) == read(reference), "{name}: other bytes");
}

/// The same from the command line, in a folder of its own.
fn reference(jobs: &[(&str, &str)]) -> TempDir {
    let folder = folder();
    for (command, line) in jobs {
        let line = format!("{command} {line} -q --backend cpu");
        submitter(&line).within(&folder).ok();
    }
    folder
}

/// A server is killed amid three jobs, and started again: all end with the bytes of ordinary renders.
#[test]
fn jobs_go_on_after_the_server_was_killed() {
    let (outputs, wanted) = (
        folder(),
        reference(&[("render", STILL), ("render", SMALL), ("zoom", VIDEO)]),
    );
    let page = serve(&outputs, "--threads 1");
    let cookie = page.operator();
    for (command, line) in [("render", STILL), ("render", SMALL), ("zoom", VIDEO)] {
        let said = submit(&outputs, &format!("{command} {line}")).ok().stderr;
        assert!(said.contains("was handed over"), "{said}");
    }
    until(&page, &cookie, "some strips", |jobs| {
        jobs.len() == 3 && jobs[2]["progress"]["strips_done"].as_u64() > Some(2)
    });
    page.program.signal(Signal::KILL);
    assert!(page.program.wait().code.is_none(), "it was killed");
    for half in ["still.png", "still.npy", "small.png", "dive.mp4"] {
        assert!(!outputs.path().join(half).exists(), "{half} is not whole");
    }
    let page = serve(&outputs, "");
    let cookie = page.operator();
    // Somebody who comes while the first is made sees what was there already.
    let seen = until(&page, &cookie, "the first again", |jobs| {
        jobs[2]["progress"]["strips"].as_u64() > Some(0) || jobs[2]["state"] == "done"
    });
    if seen[2]["state"] == "running" {
        until(&page, &cookie, "strips of before", |jobs| {
            jobs[2]["progress"]["strips_resumed"].as_u64() > Some(0) || jobs[2]["state"] == "done"
        });
    }
    let jobs = until(&page, &cookie, "the end", all_are("done"));
    for name in ["still.png", "still.npy", "small.png", "dive.mp4"] {
        same_bytes(outputs.path(), wanted.path(), name);
    }
    assert_eq!(
        names_in(outputs.path()),
        [
            ".mandelfarm",
            "dive.mp4",
            "small.png",
            "still.npy",
            "still.png"
        ]
    );
    let work = outputs.path().join(".mandelfarm/work");
    assert_eq!(names_in(&work), Vec::<String>::new());
    // The history: files to download, a small picture, time and cost.
    let (video, still) = (&jobs[0], &jobs[2]);
    assert_eq!(
        (&video["kind"], &still["kind"]),
        (&json!("sequence"), &json!("picture"))
    );
    assert!(still["seconds"].as_f64() > Some(0.0) && still["iterations"].as_f64() > Some(1e6));
    let id = still["job"].as_str().unwrap();
    let file = get(
        &page,
        &cookie,
        &format!("/api/jobs/file?id={id}&name=still.png"),
    );
    assert!(file.body == std::fs::read(outputs.path().join("still.png")).unwrap());
    let said = file.header("content-disposition").unwrap();
    assert_eq!(said, "attachment; filename*=UTF-8''still.png");
    let small = get(&page, &cookie, &format!("/api/jobs/thumbnail?id={id}"));
    let path = wanted.path().join("thumbnail.png");
    std::fs::write(&path, &small.body).unwrap();
    assert_eq!(Png::read(&path).width, 160);
    for (path, status) in [
        (format!("/api/jobs/file?id={id}&name=small.png"), 404),
        (
            format!("/api/jobs/file?id={id}&name=.mandelfarm/jobs.redb"),
            404,
        ),
        (format!("/api/jobs/file?id={id}&name=../still.png"), 404),
        (format!("/api/jobs/file?id={id}"), 422),
        ("/api/jobs/thumbnail?id=nobody".to_owned(), 404),
    ] {
        assert_eq!(get(&page, &cookie, &path).status, status, "{path}");
    }
    // An ended server leaves no address; a second one at the folder is refused.
    let second = format!(
        "serve --listen 127.0.0.1:0 --output {}",
        outputs.path().display()
    );
    let refused = submitter(&second).run();
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("another server has this folder"),
        "{refused:?}"
    );
    page.program.signal(Signal::TERM);
    assert_eq!(page.program.wait().code, Some(130));
    let away = submit(&outputs, &format!("render {SMALL}")).run();
    assert_eq!(away.code, Some(2), "{away:?}");
}

/// Places and palettes are read where the line is typed; what would be the server's own is refused.
#[test]
fn lines_are_handed_over_with_what_their_files_say() {
    let (outputs, here) = (folder(), folder());
    let place = "--re -0.7436 --im 0.1318 --zoom 300 --size 96x64 --iterations 700 --palette ember --cycles 3 --rotate 20";
    submitter(&format!("render {place} -q -o place.toml"))
        .within(&here)
        .ok();
    let css = "blue 0%, white 40%, black 100%\n";
    std::fs::write(here.path().join("own.css"), css).unwrap();
    let batch = "[defaults]\nsize = \"64x48\"\n[[job]]\nre = \"-0.75\"\nim = \"0.1\"\nzoom = \"20\"\noutput = \"one.png\"\n[[job]]\nname = \"two\"\nlocation = \"place.toml\"\noutput = \"two.png\"\n";
    std::fs::write(here.path().join("list.toml"), batch).unwrap();
    let page = serve(&outputs, "");
    let cookie = page.operator();
    let lines = [
        "render --location place.toml --zoom 500 --offset 0.2 -o a.png",
        "render --density 20 --palette own.css -o b.png",
        "zoom --location place.toml --from 250 --size 64x36 --fps 5 --palette own.css -o c.mp4 --encoder-option crf=30",
    ];
    for line in lines {
        let json = submit(&outputs, &format!("{line} --json"))
            .within(&here)
            .ok();
        // It may be under way already.
        assert!(["queued", "running"].contains(&json.json()["state"].as_str().unwrap()));
        submitter(&format!("{line} -q --backend cpu"))
            .within(&here)
            .ok();
    }
    submit(&outputs, "batch list.toml -q").within(&here).ok();
    submitter("batch list.toml -q").within(&here).ok();
    let jobs = until(&page, &cookie, "the end", |jobs| {
        jobs.len() == 5 && all_are("done")(jobs)
    });
    for name in ["a.png", "b.png", "c.mp4", "one.png", "two.png"] {
        same_bytes(outputs.path(), here.path(), name);
    }
    // `submitter jobs` sees them.
    let server = format!("--server {}", outputs.path().display());
    let listed = submitter(&format!("jobs list {server}")).ok().stdout;
    for word in ["JOB", "done", "100 %", "c.mp4", "two.png"] {
        assert!(listed.contains(word), "{word}: {listed}");
    }
    let name = jobs[0]["job"].as_str().unwrap();
    let shown = submitter(&format!("jobs show {} {server}", &name[20..]))
        .ok()
        .stdout;
    assert!(
        shown.contains("64 x 48") || shown.contains("96 x 64"),
        "{shown}"
    );
    let refused = submitter(&format!("jobs cancel {name} {server}")).run();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("it is not under way"),
        "{refused:?}"
    );
    for (line, says) in [
        ("render --density 20 -o sub/a.png", "without a folder"),
        ("render --density 20 -o /tmp/x.png", "without a folder"),
        ("render --density 20 -o a.png", "already"),
        ("render --density 20 -o .hidden.png", "no name of a file"),
        ("render --density 20 --workers 2 -o d.png", "--workers"),
        (
            "render --density 20 --palette none.css -o d.png",
            "none.css",
        ),
        (
            "zoom --re 0 --im 0 --to 4 --ffmpeg /bin/sh -o d.mp4",
            "--ffmpeg",
        ),
        ("zoom --re 0 --im 0 --to 4 --keep keys -o d.mp4", "--keep"),
        (
            "zoom --re 0 --im 0 --to 4 --encoder-option f=null -o d.mp4",
            "crf and preset",
        ),
        (
            "render --density 20 --iterations 1e9 -o d.png",
            "over the limit",
        ),
    ] {
        let refused = submit(&outputs, line).within(&here).run();
        assert!(matches!(refused.code, Some(1 | 2)), "{line}: {refused:?}");
        assert!(refused.stderr.contains(says), "'{says}' in: {refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    }
    assert_eq!(until(&page, &cookie, "no more", |_| true).len(), 5);
}

/// Cancelled, made again, forgotten; limits of the disk and of the queue; and who may do what.
#[test]
fn jobs_are_steered_and_kept_within_limits() {
    let outputs = folder();
    let page = serve(&outputs, "--threads 1 --most-disk 200MB");
    let cookie = page.operator();
    let watcher = page.cookie(&page.tokens[1]);
    let view = json!({ "re": "-0.7436", "im": "0.1318", "zoom": "300", "iterations": 1_000_000, "size": "2000x1500" });
    let long = json!({ "outputs": ["long.png"], "picture": view });
    assert_eq!(page.ask(&watcher, "/api/jobs", &long).status, 403);
    assert_eq!(page.ask(&watcher, "/api/jobs/plan", &long).status, 403);
    // What it costs, before it is begun.
    let plan = page.ask(&cookie, "/api/jobs/plan", &long);
    assert_eq!(plan.status, 200, "{}", plan.text());
    let plan = plan.json();
    assert_eq!(
        (&plan["width"], &plan["samples"]),
        (&json!(2000), &json!(3_000_000))
    );
    assert!(
        plan["iterations"].as_f64() > Some(1e9) && plan["seconds"].as_f64() > Some(0.1),
        "{plan}"
    );
    assert!(plan["file_bytes"].as_u64() >= Some(9_000_000), "{plan}");
    let video = json!({ "outputs": ["v.mp4"], "sequence": { "re": "-0.7436", "im": "0.1318", "to": "1e6", "size": "320x180" } });
    let plan = page.ask(&cookie, "/api/jobs/plan", &video).json();
    assert_eq!(
        (&plan["key_frames"], &plan["frames"]),
        (&json!(21), &json!(598)),
        "{plan}"
    );
    assert_eq!(until(&page, &cookie, "none", |_| true), Vec::<Value>::new());

    let first = page.ask(&cookie, "/api/jobs", &long);
    assert_eq!(first.status, 200, "{}", first.text());
    let first = first.json()["job"].as_str().unwrap().to_owned();
    let again = page.ask(&cookie, "/api/jobs", &long);
    assert_eq!(again.status, 409, "{}", again.text());
    let small = json!({ "outputs": ["small.png"], "picture": { "density": "20" } });
    assert_eq!(page.ask(&cookie, "/api/jobs", &small).status, 200);
    let poster = json!({ "outputs": ["poster.png"], "picture": { "density": "4000" } });
    let no_room = page.ask(&cookie, "/api/jobs", &poster);
    assert_eq!(no_room.status, 507, "{}", no_room.text());
    assert!(no_room.text().contains("no room"), "{}", no_room.text());
    until(&page, &cookie, "the first", |jobs| {
        jobs[1]["progress"]["strips"].as_u64() > Some(0)
    });
    let order = |cookie: &str, deed: &str, job: &str| {
        let body = json!({ "deed": deed, "names": [job] });
        page.ask(cookie, "/api/jobs/orders", &body)
    };
    assert_eq!(order(&watcher, "cancel", &first).status, 403);
    assert_eq!(
        order(&cookie, "forget", &first).json()[0]["error"],
        "cancel it first"
    );
    assert_eq!(
        order(&cookie, "cancel", &first).json()[0]["error"],
        Value::Null
    );
    until(&page, &cookie, "its end", |jobs| {
        jobs[1]["state"] == "cancelled" && jobs[0]["state"] == "done"
    });
    assert_eq!(
        names_in(&outputs.path().join(".mandelfarm/work")),
        Vec::<String>::new()
    );
    assert_eq!(
        order(&cookie, "retry", &first).json()[0]["error"],
        Value::Null
    );
    until(&page, &cookie, "it again", |jobs| {
        jobs[1]["state"] == "running"
    });
    order(&cookie, "cancel", &first);
    until(&page, &cookie, "its end", |jobs| {
        jobs[1]["state"] == "cancelled"
    });
    assert_eq!(
        order(&cookie, "forget", &first).json()[0]["error"],
        Value::Null
    );
    assert_eq!(
        until(&page, &watcher, "one", |jobs| jobs.len() == 1)[0]["title"],
        "small.png"
    );
    let only = |path: &str| {
        get(&page, &watcher, path).json()["jobs"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(only("/api/jobs?state=done&find=SMALL&most=1"), 1);
    assert_eq!(only("/api/jobs?state=failed"), 0);
    assert_eq!(only("/api/jobs?find=nothing"), 0);
    for wrong in [
        "state=other",
        "most=0",
        "most=9999",
        "path=/etc",
        "find=%zz",
    ] {
        assert_eq!(
            get(&page, &cookie, &format!("/api/jobs?{wrong}")).status,
            422,
            "{wrong}"
        );
    }
    // A disk on which nothing can be written is one line, and nothing half-written.
    assert_eq!(names_in(outputs.path()), [".mandelfarm", "small.png"]);
}

/// On a farm: a worker, and a Redis that goes away and comes back.
#[test]
fn jobs_are_made_by_a_farm_and_wait_for_one_that_is_away() {
    let mut server = Server::start();
    let outputs = folder();
    let wanted = reference(&[("render", STILL)]);
    server.kill();
    let page = serve(&outputs, &format!("--redis {}", server.url()));
    let cookie = page.operator();
    submit(&outputs, &format!("render {STILL}")).ok();
    let jobs = until(&page, &cookie, "that it waits", |jobs| {
        jobs[0]["state"] == "waiting"
    });
    assert!(jobs[0]["error"].is_string(), "{jobs:?}");
    server.restart();
    let _worker = Worker::steady(&server, "crew");
    let jobs = until(&page, &cookie, "the end", all_are("done"));
    assert!(jobs[0]["workers"]["crew"].as_u64() > Some(100), "{jobs:?}");
    same_bytes(outputs.path(), wanted.path(), "still.png");
}
