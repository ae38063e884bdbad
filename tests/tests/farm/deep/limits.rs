//! What deep zoom costs, and what of it is refused.

use std::time::{Duration, Instant};

use farm_tests::job::nothing_is_left;
use farm_tests::oracle::Oracle;
use farm_tests::{Server, folder, names_in, submitter};
use rustix::process::Signal;

use super::setup::orbits;

/// Within which Ctrl-C is obeyed, and a plan is shown, on a machine that has other work, too.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Bytes that a reference iteration may take, and a program beside it.
const BYTES_PER_STEP: u64 = 64;

const BASE_KIB: u64 = 160 << 10;

#[test]
fn a_plan_computes_nothing() {
    let mut zoomed =
        "--re -1.7548776662466927 --im 0 --zoom 1e8000 --iterations 4000000000".to_owned();
    for view in ["", "--density 4096", &Oracle::load("e1086").args] {
        let done = submitter(&format!("plan {view}")).ok();
        assert!(done.elapsed < AT_ONCE, "{done:?}");
        assert!(done.stdout.contains("arithmetic"), "{done:?}");
    }
    zoomed.push_str(" --size 1024x1024 -o deep.png");
    let folder = folder();
    let done = submitter(&format!("plan {zoomed}")).within(&folder).ok();
    assert!(done.elapsed < AT_ONCE, "{done:?}");
    for says in [
        "delta-floatexp",
        "reference orbit",
        "bits",
        "digits too few",
    ] {
        assert!(done.stdout.contains(says), "'{says}': {}", done.stdout);
    }
    let done = submitter(&format!("plan --json {zoomed}"))
        .within(&folder)
        .ok();
    let plan = done.json();
    assert_eq!(plan["processor"], "delta-floatexp");
    assert!(plan["reference"]["bits"].as_u64() > Some(26_575), "{plan}");
    assert!(plan["digits"].as_u64() > Some(8000), "{plan}");
    let shallow = submitter("plan --json --density 64").ok().json();
    assert_eq!(shallow["processor"], "f64");
    assert!(shallow["reference"].is_null(), "{shallow}");
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[test]
fn deep_views_that_cannot_be_are_refused_in_a_line() {
    let server = Server::start();
    let folder = folder();
    std::fs::write(folder.path().join("bad.toml"), "re = \"0\"\nim = 5\n").expect("a file");
    let at = "--re -0.75 --im 0.1";
    for (line, says) in [
        ("--re -0.75x --im 0.1 --zoom 1e50".to_owned(), "-0.75x"),
        ("--re -0.75 --im 0.1.1 --zoom 1e50".to_owned(), "0.1.1"),
        (format!("{at} --zoom deep"), "deep"),
        (format!("{at} --zoom 0"), "zoom 0"),
        (format!("{at} --zoom=-1e50"), "zoom -1e50"),
        (format!("{at} --zoom 1e99999999"), "limit"),
        (
            format!("{at} --zoom 10 --arithmetic f32 --backend cpu"),
            "--arithmetic f32",
        ),
        (
            format!("{at} --zoom 1e50 --arithmetic delta-double-single --backend cpu"),
            "--arithmetic delta-double-single",
        ),
        (
            format!("{at} --zoom 10 --arithmetic delta-f64 --z0 0.5 0"),
            "--z0",
        ),
        ("--location none.toml".to_owned(), "none.toml"),
        ("--location bad.toml".to_owned(), "bad.toml"),
    ] {
        let done = submitter(&format!("render {line} -o x.npy --redis {}", server.url()))
            .within(&folder)
            .run();
        assert_eq!(done.code, Some(2), "{done:?}");
        let [error] = done.words()[..] else {
            panic!("one line: {done:?}")
        };
        assert!(error.starts_with("submitter: "), "{error}");
        assert!(error.contains(says), "'{says}' in: {error}");
        assert!(error.len() < 1000, "{} characters: {says}", error.len());
    }
    assert_eq!(server.keys("*"), [""; 0], "nothing was queued");
    assert_eq!(names_in(folder.path()), ["bad.toml"]);
    // Warnings only: it is rendered all the same.
    for (line, says) in [
        (
            "--re -1.7548776662466927 --im 0 --zoom 1e30 --iterations 50",
            "digits too few",
        ),
        (
            "--re 3 --im 0 --zoom 100 --iterations 50",
            "outside the circle of radius 2",
        ),
    ] {
        let done = submitter(&format!("render {line} --size 16x16 -o x.npy"))
            .within(&folder)
            .ok();
        let warnings = done.words().into_iter().filter(|l| l.contains("warning"));
        assert_eq!(warnings.count(), 1, "{done:?}");
        assert!(done.stderr.contains(says), "{done:?}");
    }
}

#[test]
fn an_interrupted_reference_orbit_leaves_nothing() {
    let server = Server::start();
    // Some 26600 bits a step, and no end in sight.
    let endless =
        "render --re -1.7548776662466927 --im 0 --zoom 1e8000 --size 16x16 --iterations 4000000000";
    for place in [String::new(), format!("--redis {}", server.url())] {
        let folder = folder();
        let mut running = submitter(&format!("{endless} -o x.png {place}"))
            .within(&folder)
            .start();
        // Its signals are listened to from before that.
        running.until_it_says("digits too few");
        std::thread::sleep(Duration::from_millis(700));
        assert!(running.is_running(), "{}", running.said());
        running.signal(Signal::INT);
        let asked = Instant::now();
        let ended = running.wait();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
        assert!(ended.stderr.ends_with("interrupted\n"), "{ended:?}");
        assert_eq!(names_in(folder.path()), [""; 0]);
        nothing_is_left(&server);
        assert_eq!(orbits(&server), [""; 0]);
    }
}

#[test]
fn a_reference_of_many_steps_stays_within_its_memory() {
    // Its limit is what it takes at most; the view's period is what it takes.
    let folder = folder();
    let args = Oracle::load("e1086").args;
    let line = format!("render {args} --measure iterations --backend cpu -o x.npy --no-journal");
    let done = submitter(&format!("{line} --log info --log-format json"))
        .within(&folder)
        .ok();
    let said = done.stderr.split("\"steps\":").nth(1).expect("its steps");
    let digits: String = said.chars().take_while(char::is_ascii_digit).collect();
    let steps: u64 = digits.parse().expect("a number");
    assert!(steps > 10_000, "{steps}");
    if done.peak_kib > 0 {
        assert!(
            done.peak_kib < BASE_KIB + BYTES_PER_STEP * steps / 1024,
            "{} KiB for {steps} steps",
            done.peak_kib
        );
    }
}
