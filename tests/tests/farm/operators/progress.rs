//! Long work where stderr is no terminal, and how many threads it takes.

use std::fs::File;
use std::io::Read as _;
use std::time::{Duration, Instant};

use farm_tests::programs::Run;
use farm_tests::scenes::{QUICK, WAITED};
use farm_tests::{Server, Worker, digest, folder, submitter};
use rustix::process::Signal;
use serde_json::Value;

/// A line comes every ten seconds; so long on a machine that is busy.
const LINES: Duration = Duration::from_secs(60);

#[test]
fn a_log_says_every_ten_seconds_how_far_it_is() {
    let (server, folder) = (Server::start(), folder());
    // Work that lasts on any machine: 53 strips of four seconds, one after another.
    let _worker = Worker::pretend(&server, "worker", "--mode wait --secs 4");
    let log = folder.path().join("log");
    let render = |more: &str| {
        submitter(&format!(
            "render {WAITED} --redis {} -o x.npy {more}",
            server.url()
        ))
        .within(&folder)
    };
    // A file in the place of stderr, as under cron.
    let shell = r#"log=$0; exec "$@" 2> "$log""#;
    let told = render("")
        .under("sh", &["-c", shell, &log.to_string_lossy()])
        .start();
    let quiet = render("-q --no-journal -o y.npy").start();
    let text = || {
        let mut text = String::new();
        let _ = File::open(&log).map(|mut file| file.read_to_string(&mut text));
        text
    };
    let begun = Instant::now();
    let lines = |text: &str| {
        text.lines()
            .filter(|line| line.contains("/53 strips, "))
            .count()
    };
    while lines(&text()) < 2 {
        assert!(begun.elapsed() < LINES, "{}", text());
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(15), "{took:?}: {}", text());
    assert_eq!(lines(&quiet.said()), 0, "-q says nothing of it");
    for running in [told, quiet] {
        running.signal(Signal::INT);
        assert_eq!(running.wait().code, Some(130));
    }
    let said = text();
    assert!(!said.contains(['\u{1b}', '\r']), "{said:?}");
    let line = said.lines().find(|line| line.contains(" strips, "));
    assert!(
        line.is_some_and(|line| line.starts_with("submitter: ") && line.contains(" Mpx/s, ")),
        "{said}"
    );
}

/// The device of the one worker of a render, as its report has it.
fn device(run: Run) -> String {
    let report: Value = run.ok().json();
    report["workers"][0]["device"]
        .as_str()
        .expect("a name")
        .to_owned()
}

#[test]
fn threads_are_as_many_as_asked_for_and_decide_no_byte() {
    let folder = folder();
    let render = |name: &str, more: &str| {
        let line =
            format!("render {QUICK} --backend cpu --json -q -o {name}.npy -o {name}.exr {more}");
        let device = device(submitter(&line).within(&folder));
        let files = ["npy", "exr"].map(|kind| folder.path().join(format!("{name}.{kind}")));
        (device, files.map(digest))
    };
    let (one, bytes) = render("one", "--threads 1");
    assert!(one.ends_with(", 1 thread"), "{one}");
    let (three, same) = render("three", "--threads 3");
    assert!(three.ends_with(", 3 threads"), "{three}");
    assert_eq!(bytes, same);
    // Workers share them.
    let (each, same) = render("two", "--threads 4 --workers 2");
    assert!(each.ends_with(", 2 threads"), "{each}");
    assert_eq!(bytes, same);

    // What paints, finds and composes takes them too.
    let made = |threads: &str| {
        for line in [
            "colour one.exr -o painted.png",
            "locate --re -1.7549 --im 0 --zoom 1000 -o mini.toml",
            "zoom --re -0.7436 --im 0.1318 --to 16 --size 64x36 --fps 5 --backend cpu -o frames/%02d.png",
        ] {
            let line = format!("{line} -q {threads}");
            submitter(&line).within(&folder).ok();
        }
        ["painted.png", "mini.toml", "frames/01.png"].map(|name| digest(folder.path().join(name)))
    };
    assert_eq!(made("--threads 1"), made("--threads 3"));

    // Each job of a batch its own, or the batch's.
    let batch = "[defaults]\nbackend = \"cpu\"\n[[job]]\noutput = \"a.npy\"\ndensity = 20\nthreads = 3\n[[job]]\noutput = \"b.npy\"\ndensity = 20\n";
    std::fs::write(folder.path().join("jobs.toml"), batch).expect("a file");
    let done = submitter("batch jobs.toml -q --json --threads 2")
        .within(&folder)
        .ok()
        .json();
    let devices = [0, 1].map(|at| {
        let device = &done["jobs"][at]["report"]["workers"][0]["device"];
        device.as_str().expect("a name").to_owned()
    });
    assert!(devices[0].ends_with(", 3 threads"), "{devices:?}");
    assert!(devices[1].ends_with(", 2 threads"), "{devices:?}");
}
