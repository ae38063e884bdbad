//! `submitter scale`: honest figures, one picture.

use std::time::Duration;

use farm_tests::programs::Finished;
use farm_tests::scenes::QUICK;
use farm_tests::{Server, Worker, digest, folder, submitter};
use serde_json::Value;

/// A picture of 48 strips, for workers that wait.
const WAITING: &str =
    "--re -0.75 --im 0.1 --zoom 20 --size 64x48 --strip-rows 1 --iterations 50 --backend cpu";

fn row(report: &Value, at: usize) -> &Value {
    &report["rows"][at]
}

fn number(row: &Value, name: &str) -> f64 {
    row[name]
        .as_f64()
        .unwrap_or_else(|| panic!("{name}: {row}"))
}

/// One line on stderr, and this status.
#[track_caller]
fn assert_refused(done: &Finished, code: i32, says: &str) {
    assert_eq!(done.code, Some(code), "{done:?}");
    assert_eq!(
        (done.words().len(), done.stdout.as_str()),
        (1, ""),
        "{done:?}"
    );
    assert!(done.stderr.contains(says), "{done:?}");
}

#[test]
fn in_process_it_compares_and_claims_nothing_that_is_not_so() {
    let folder = folder();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // Each worker has a thread for every core: two of them share.
    let done = submitter(&format!(
        "scale {QUICK} --backend cpu --workers 1..2 --repeat 2 --threads {cores} --json -o chart.svg -o picture.npy"
    ))
    .within(&folder)
    .ok();
    let report = done.json();
    assert_eq!(report["rows"].as_array().map(Vec::len), Some(2), "{report}");
    assert_eq!(report["same_bytes"], 2 * 2 + 1, "{report}");
    assert_eq!(number(row(&report, 0), "speedup"), 1.0);
    assert_eq!(
        row(&report, 0)["runs_secs"].as_array().map(Vec::len),
        Some(2)
    );
    let crowded = row(&report, 1);
    assert_eq!(crowded["enough_cores"], false, "{report}");
    assert!(
        crowded["speedup"].is_null() && crowded["efficiency"].is_null(),
        "{report}"
    );
    let notes = report["notes"].to_string();
    assert!(notes.contains("fewer cores than workers"), "{report}");
    // The picture is the one of `render`, and the chart one that others read.
    submitter(&format!("render -q {QUICK} --backend cpu -o alone.npy"))
        .within(&folder)
        .ok();
    assert_eq!(
        digest(folder.path().join("picture.npy")),
        digest(folder.path().join("alone.npy"))
    );
    let chart = std::fs::read_to_string(folder.path().join("chart.svg")).expect("a chart");
    assert!(chart.starts_with("<svg") && chart.trim_end().ends_with("</svg>"));
    assert!(chart.contains("Speed-up") && chart.contains("hollow: shared cores"));
    // For people, and with threads shared out so that nobody shares cores where there are two.
    let done = submitter(&format!(
        "scale {QUICK} --backend cpu --workers 1,2 --repeat 1"
    ))
    .within(&folder)
    .ok();
    assert!(done.stdout.contains("SPEED-UP"), "{done:?}");
    assert!(
        done.stdout.contains("all 3 pictures have the same bytes"),
        "{done:?}"
    );
    assert_eq!(done.stdout.contains("fewer cores"), cores < 2, "{done:?}");
}

#[test]
fn on_a_farm_two_workers_are_twice_as_fast_where_they_have_what_they_need() {
    let server = Server::start();
    let _workers = [1, 2].map(|number| {
        Worker::pretend(
            &server,
            &format!("waiting-{number}"),
            "--mode wait --secs 0.04",
        )
    });
    let url = server.url();
    let done = submitter(&format!(
        "scale {WAITING} --redis {url} --workers 1..2 --repeat 1 --json"
    ))
    .ok();
    let report = done.json();
    let (one, two) = (row(&report, 0), row(&report, 1));
    assert!(number(one, "elapsed_secs") >= 48.0 * 0.04, "{report}");
    assert_eq!(two["took_part"], 2, "{report}");
    let speedup = number(two, "speedup");
    assert!((1.5..=2.1).contains(&speedup), "{report}");
    assert!((number(two, "efficiency") - speedup / 2.0).abs() < 1e-9);
    let overhead = 2.0 * number(two, "elapsed_secs") - number(one, "elapsed_secs");
    assert!((number(two, "overhead_secs") - overhead).abs() < 1e-9);
    // There are no three of them.
    let done = submitter(&format!("scale {WAITING} --redis {url} --workers 1..3")).run();
    assert_refused(&done, 1, "asks for up to 3, and the farm has 2 workers");
    assert!(server.job_keys().is_empty());
}

#[test]
fn pictures_that_differ_are_an_error() {
    let server = Server::start();
    let _good = Worker::start(&server, "good");
    let _faulty = Worker::pretend(&server, "faulty", "--mode lie");
    let url = server.url();
    let done = submitter(&format!(
        "scale {QUICK} --backend cpu --strip-rows 8 --redis {url} --workers 2 --repeat 5 -q"
    ))
    .run();
    assert_refused(&done, 1, "it has other bytes than before");
}

#[test]
fn what_cannot_be_is_refused_before_any_work() {
    let folder = folder();
    for (words, code, says) in [
        ("--workers 0..2", 2, "numbers of workers are like 1..4"),
        ("--workers 1..2 --threads 0", 2, "--threads"),
        ("-o nowhere/x.svg", 1, "there is no such folder"),
        (
            "-o x.gif",
            2,
            "write to .png, .jpg, .webp, .tiff, .avif, .npy, .exr",
        ),
        ("--density 0", 2, "--density 0 is not greater than 0"),
        ("-o nowhere/x.png", 1, "cannot be written"),
    ] {
        let run = submitter(&format!("scale {words}")).within(&folder);
        let done = run.limit(Duration::from_secs(20)).run();
        assert_refused(&done, code, says);
    }
    assert!(farm_tests::names_in(folder.path()).is_empty());
}
