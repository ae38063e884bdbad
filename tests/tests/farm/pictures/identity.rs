//! The bytes of a picture do not depend on who computes it, in how many pieces, or through which queue.

use std::path::Path;

use farm_tests::programs::outputs;
use farm_tests::scenes::{LONG, QUICK};
use farm_tests::{Server, Worker, digest, folder, gpu, submitter};

const FILES: [&str; 3] = ["x.npy", "x.png", "x.exr"];

/// Digests of all kinds of file that a render writes.
fn digests(args: &str) -> Vec<u64> {
    let folder = folder();
    submitter(&format!("render -q {args}"))
        .args(outputs(&FILES))
        .within(&folder)
        .ok();
    digests_in(folder.path())
}

fn digests_in(folder: &Path) -> Vec<u64> {
    FILES.iter().map(|name| digest(folder.join(name))).collect()
}

#[test]
fn strips_and_workers_in_process() {
    let expected = digests(&format!("{QUICK} --backend cpu"));
    for strip_rows in [1, 2, 7, 64, 210, 211, 5000] {
        for workers in 1..=4 {
            let how = format!("--strip-rows {strip_rows} --workers {workers}");
            assert_eq!(
                digests(&format!("{QUICK} --backend cpu {how}")),
                expected,
                "{how}"
            );
        }
    }
}

#[test]
fn one_to_four_workers_on_a_farm() {
    let expected = digests(&format!("{QUICK} --backend cpu"));
    let server = Server::start();
    let mut crew = Vec::new();
    for workers in 1..=4 {
        crew.push(Worker::start(&server, &format!("worker-{workers}")));
        for strip_rows in [1, 7, 64] {
            let how = format!("--strip-rows {strip_rows} --redis {}", server.url());
            let got = digests(&format!("{QUICK} --backend cpu {how}"));
            assert_eq!(got, expected, "{workers} workers, {how}");
        }
    }
}

#[test]
fn each_file_is_the_same_alone_and_in_company() {
    let together = digests(&format!("{QUICK} --backend cpu"));
    for (name, expected) in FILES.iter().zip(together) {
        let folder = folder();
        submitter(&format!("render -q {QUICK} --backend cpu -o {name}"))
            .within(&folder)
            .ok();
        assert_eq!(digest(folder.path().join(name)), expected, "{name}");
    }
}

#[test]
fn two_jobs_at_once_on_one_farm() {
    // Of different sizes, measures and lengths, so that a strip of one would not fit the other.
    let jobs = [
        format!("{QUICK} --backend cpu --measure iterations --strip-rows 3"),
        format!("{LONG} --measure smooth"),
    ];
    let expected = jobs.clone().map(|job| digests(&job));
    assert_ne!(expected[0], expected[1]);
    let server = Server::start();
    let _crew = ["worker-1", "worker-2"].map(|name| Worker::steady(&server, name));
    let running = jobs.map(|job| {
        let folder = folder();
        let run = submitter(&format!("render -q {job} --redis {}", server.url()));
        (run.args(outputs(&FILES)).within(&folder).start(), folder)
    });
    for ((running, folder), expected) in running.into_iter().zip(expected) {
        let done = running.wait();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(digests_in(folder.path()), expected, "{}", done.line);
    }
    assert_eq!(server.job_keys(), [""; 0]);
}

#[test]
fn adapters_do_not_care_about_strips_either() {
    if !gpu::is_there() {
        return;
    }
    let view = "--re -0.7436 --im 0.1318 --zoom 300 --size 133x91 --iterations 1500 --backend gpu";
    let expected = digests(view);
    for how in [
        "--strip-rows 1",
        "--strip-rows 7",
        "--strip-rows 64",
        "--workers 2",
    ] {
        assert_eq!(digests(&format!("{view} {how}")), expected, "{how}");
    }
    let server = Server::start();
    let _worker = Worker::start_with(&server, "gpu", "--backend gpu");
    let how = format!("--strip-rows 16 --redis {}", server.url());
    assert_eq!(digests(&format!("{view} {how}")), expected, "{how}");
}

#[test]
fn control_another_picture_has_other_digests() {
    let expected = digests(&format!("{QUICK} --backend cpu"));
    // A small part of a pixel, fewer iterations, and one part in 250,000 of the radius.
    for (from, to) in [
        ("--zoom 300", "--zoom 300.0001"),
        ("--iterations 3000", "--iterations 300"),
        (
            "--iterations 3000",
            "--iterations 3000 --escape-radius 256.001",
        ),
    ] {
        let other = digests(&format!("{} --backend cpu", QUICK.replace(from, to)));
        for (name, (ours, theirs)) in FILES.iter().zip(expected.iter().zip(other)) {
            // Colours are too coarse to show all of these.
            assert!(*ours != theirs || *name == "x.png", "{name}: {to}");
        }
    }
}
