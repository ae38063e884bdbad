//! Deep zoom as its users meet it: exact at every depth, on one machine and on a farm, whatever happens to either.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use farm_tests::job::nothing_is_left;
use farm_tests::oracle::{Oracle, Verdict};
use farm_tests::pictures::Npy;
use farm_tests::programs::Finished;
use farm_tests::{Job, Server, Worker, digest, folder, gpu, names_in, submitter};
use redis::{FromRedisValue, ToRedisArgs};
use rustix::process::Signal;

/// Every view of which exact counts are known.
const VIEWS: [&str; 21] = [
    "whole-set",
    "wiki-seahorse-wiki6",
    "wiki-seahorse-wiki7",
    "wiki-seahorse-wiki14",
    "e14",
    "e50",
    "e113",
    "e227",
    "e533",
    "e1086",
    "e8000",
    "flake",
    "peanuts",
    "julia-1e12",
    "julia-1e34",
    "julia-1e121",
    "julia-1e234",
    "mini-1e16",
    "mini-1e47",
    "mini-1e164",
    "mini-1e317",
];
/// Percent of the samples of one view, and of all together, that may differ.
const OF_ONE: f64 = 2.0;
const OF_ALL: f64 = 0.5;
/// Within which Ctrl-C is obeyed, and a plan is shown, on a machine that has other work, too.
const AT_ONCE: Duration = Duration::from_secs(5);
/// Bytes that a reference iteration may take, and a program beside it.
const BYTES_PER_STEP: u64 = 64;
const BASE_KIB: u64 = 160 << 10;

/// A minibrot at 1e317, whose period is 5373: in 90 strips, so that there is time to disturb whoever renders it.
fn scene() -> String {
    let args = Oracle::load("mini-1e317").args;
    let scene = args.replace("--size 320x180", "--size 640x360");
    assert_ne!(scene, args);
    format!("{scene} --measure iterations --backend cpu --strip-rows 4")
}

fn verdict(name: &str, more: &str) -> Verdict {
    let oracle = Oracle::load(name);
    let folder = folder();
    let line = format!(
        "render {} --measure iterations -q -o x.npy {more}",
        oracle.args
    );
    submitter(&line).within(&folder).ok();
    oracle.compare(&Npy::read(folder.path().join("x.npy")))
}

#[test]
fn every_known_count_is_right_on_the_processor() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/data/oracle");
    let known = names_in(data.as_ref());
    let known: BTreeSet<&str> = known.iter().map(|n| n.trim_end_matches(".json")).collect();
    assert_eq!(known, VIEWS.into_iter().collect(), "all, and no other");
    let mut all = Verdict {
        total: 0,
        wrong: 0,
        falsely_inside: 0,
    };
    for name in VIEWS {
        let verdict = verdict(name, "--backend cpu");
        assert!(verdict.is_within(OF_ONE), "{name}: {verdict:?}");
        all.total += verdict.total;
        all.wrong += verdict.wrong;
    }
    assert!(all.is_within(OF_ALL), "{all:?}");
    assert!(all.total > 1500, "{all:?}");
}

#[test]
fn every_delta_type_of_the_processor_counts_right() {
    for (name, arithmetic) in [
        ("wiki-seahorse-wiki7", "delta-f64"),
        ("julia-1e12", "delta-f64"),
        ("mini-1e16", "delta-f64"),
        ("mini-1e317", "delta-floatexp"),
    ] {
        let verdict = verdict(name, &format!("--backend cpu --arithmetic {arithmetic}"));
        assert!(
            verdict.is_within(OF_ONE),
            "{name} in {arithmetic}: {verdict:?}"
        );
    }
    // Control: what plain doubles make of it.
    let plain = verdict("julia-1e12", "--backend cpu --arithmetic f64");
    assert!(!plain.is_within(OF_ONE), "{plain:?}");
}

#[test]
fn known_counts_are_right_on_adapters() {
    if !gpu::is_there() {
        return;
    }
    for name in ["julia-1e12", "julia-1e34"] {
        let verdict = verdict(name, "--backend gpu");
        assert!(verdict.is_within(OF_ONE), "{name}: {verdict:?}");
    }
}

/// Keys of orbits on a server.
fn orbits(server: &Server) -> Vec<String> {
    server.keys("mf:orbit:*")
}

fn ask<T: FromRedisValue>(server: &Server, words: &[impl ToRedisArgs]) -> T {
    server.ask(words)
}

/// Jobs that use the one orbit on a server.
fn users(server: &Server) -> usize {
    let sets = server.keys("mf:orbit:*:jobs");
    sets.iter()
        .map(|set| ask::<usize>(server, &["SCARD", set]))
        .sum()
}

/// Waits for an orbit and for strips of its job; the key of the orbit's first piece.
fn until_shared(server: &Server, users: usize) -> String {
    server.until("the orbit is shared", || self::users(server) == users);
    let piece = |keys: Vec<String>| keys.into_iter().find(|key| key.ends_with(":0"));
    server.until("its pieces are there", || piece(orbits(server)).is_some());
    piece(orbits(server)).expect("a piece")
}

#[test]
fn a_farm_makes_the_same_bytes_and_keeps_no_orbit() {
    let server = Server::start();
    let scene = scene();
    for strips in ["--strip-rows 4", "--strip-rows 7", "--strip-rows 360"] {
        // In quiet it is rendered in strips of 4 rows.
        let line = scene.replace("--strip-rows 4", strips);
        let folder = folder();
        let running = submitter(&format!(
            "render -q {line} -o x.npy --redis {}",
            server.url()
        ))
        .within(&folder)
        .start();
        let piece = until_shared(&server, 1);
        let digest_of_key = piece.split(['{', '}']).nth(1).expect("a digest");
        assert_eq!(digest_of_key.len(), 64, "{piece}");
        let left_ms: i64 = ask(&server, &["PTTL", &piece]);
        assert!(left_ms > 0, "it expires: {left_ms}");
        let crew = Worker::crew(&server, 2);
        let done = running.wait();
        assert_eq!(done.code, Some(0), "{done:?}");
        let got = digest(folder.path().join("x.npy"));
        assert_eq!(got, farm_tests::job::quiet(&scene), "{strips}");
        nothing_is_left(&server);
        assert_eq!(orbits(&server), [""; 0]);
        drop(crew);
    }
}

#[test]
fn jobs_on_one_view_share_its_orbit() {
    let server = Server::start();
    let first = Job::start(&server, &scene());
    until_shared(&server, 1);
    let second = Job::start(&server, &scene());
    let piece = until_shared(&server, 2);
    assert_eq!(orbits(&server).len(), 2, "one set and one piece");
    first.running.signal(Signal::INT);
    let ended = first.running.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    // The first to end leaves it to the other.
    assert_eq!(users(&server), 1);
    assert_eq!(ask::<u64>(&server, &["EXISTS", &piece]), 1);
    let _worker = Worker::start(&server, "worker");
    let _ = second.done(&server);
    assert_eq!(orbits(&server), [""; 0]);
}

/// Names of the workers that took part.
fn crew_of(done: &Finished) -> Vec<String> {
    let report = done.json();
    let workers = report["workers"].as_array().cloned().unwrap_or_default();
    let name = |worker: &serde_json::Value| worker["name"].as_str().map(str::to_owned);
    workers.iter().filter_map(name).collect()
}

#[test]
fn an_orbit_that_is_lost_is_put_back_and_late_workers_fetch_it() {
    let server = Server::start();
    let first = Worker::start(&server, "first");
    let job = Job::start(&server, &scene());
    let id = server.job();
    server.until_committed(&id, 2);
    let _: String = ask(&server, &["FLUSHALL"]);
    // Whoever has the orbit in memory is gone: the picture depends on what is put back.
    first.signal(Signal::KILL);
    let _ = first.into_running().wait();
    until_shared(&server, 1);
    let _late = Worker::start(&server, "late");
    let done = job.done(&server);
    assert!(crew_of(&done).contains(&"late".to_owned()), "{done:?}");
    assert_eq!(orbits(&server), [""; 0]);
}

#[test]
fn a_killed_submitter_goes_on_with_the_same_orbit() {
    let server = Server::start();
    let worker = Worker::start(&server, "worker");
    let journals = folder();
    let options = format!("--journal {}", journals.path().display());
    let mut job = Job::start_at(&server.url(), &scene(), &options);
    let before = until_shared(&server, 1);
    let id = server.job();
    server.until_committed(&id, 2);
    // Nothing more comes; a second after its start it has a journal.
    worker.signal(Signal::STOP);
    server.until("there is a journal", || {
        assert!(job.running.is_running(), "{}", job.running.said());
        names_in(journals.path()) != [""; 0]
    });
    let job = job.killed(
        || assert_eq!(users(&server), 1, "it is still there for the next"),
        None,
    );
    worker.signal(Signal::CONT);
    assert_eq!(until_shared(&server, 1), before, "the same content again");
    let done = job.done(&server);
    assert!(done.json()["resumed"].as_u64() > Some(0), "{done:?}");
    assert_eq!(orbits(&server), [""; 0]);
    drop(worker);
}

#[test]
fn a_garbled_orbit_is_refused_and_written_again() {
    for (garble, says) in [
        (
            true,
            "the reference orbit has other bytes than its job names",
        ),
        (false, "the job's reference orbit is not on the queue"),
    ] {
        let server = Server::start();
        let job = Job::start(&server, &scene());
        let piece = until_shared(&server, 1);
        let worker = Worker::command(&server.url(), "worker", "--backend cpu --threads 1").start();
        // Its submitter may write it again at any time, so more than once.
        server.until("it is refused", || {
            let _: u64 = if garble {
                ask(&server, &["SETRANGE", &piece, "100", "garbage"])
            } else {
                ask(&server, &["DEL", &piece])
            };
            worker.said().contains(says)
        });
        // Nothing was computed with it, and no strip counts as failed.
        let done = job.done(&server);
        let report = done.json();
        assert_eq!(report["redelivered"], 0, "{done:?}");
        assert_eq!(report["rejected"], 0, "{done:?}");
        assert!(!worker.said().contains("ERROR"), "{}", worker.said());
    }
}

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
fn minibrots_are_located_and_shown() {
    for name in ["mini-1e16", "mini-1e164"] {
        let oracle = Oracle::load(name);
        let folder = folder();
        // What a search has no use for is a picture's size and radius.
        let place: Vec<&str> = oracle.args.split(" --size").collect();
        let iterations: Vec<&str> = oracle.args.split("--iterations ").collect();
        let iterations = iterations[1].split(' ').next().expect("a number");
        let search = format!("locate -q {} --iterations {iterations}", place[0]);
        submitter(&format!("{search} -o x.toml"))
            .within(&folder)
            .ok();
        let found = submitter(&format!("{search} --json")).ok().json();
        assert!(found["minibrot"]["period"].as_u64() > Some(1), "{found}");
        let line = "render -q --location x.toml --size 96x64 --measure iterations -o x.npy";
        submitter(&format!("{line} --backend cpu"))
            .within(&folder)
            .ok();
        let counts = Npy::read(folder.path().join("x.npy")).u32s();
        let inside = counts.iter().filter(|count| **count == 0).count();
        // A view that it fills, with some room around it.
        assert!(
            counts.len() / 20 < inside && inside < counts.len() / 2,
            "{name}: {inside} of {} inside",
            counts.len()
        );
    }
    // Where none is, that is said.
    let none = submitter("locate -q --re 1 --im 1 --zoom 100").run();
    assert_eq!(none.code, Some(1), "{none:?}");
    assert_eq!(none.words().len(), 1, "{none:?}");
    assert!(none.stderr.contains("no nucleus"), "{none:?}");
}

#[test]
fn minibrots_are_located_from_files_and_into_files() {
    let folder = folder();
    let at = "--re -1.7549 --im 0 --zoom 1000";
    let run = |line: &str| submitter(line).within(&folder);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    let place = "Re: -1.7549\r\nIm: 0\r\nZoom: 1000\r\nIterations: 500\r\n";
    std::fs::write(folder.path().join("place.kfr"), place).expect("a file");
    run(&format!("locate -q {at} -o typed.kfr")).ok();
    run("locate -q --location place.kfr -o found.kfr").ok();
    assert_eq!(read("typed.kfr"), read("found.kfr"));
    let found = run("info found.kfr --json").ok().json();
    let location = &found["location"];
    assert_eq!(location["format"], "kfr", "{found}");
    // 20 periods of 3 and a thousand.
    assert_eq!(location["iterations"], 1060, "{found}");
    // A view around the minibrot, whose nucleus is at -1.7549.
    let re = location["re"].as_str().unwrap_or_default();
    assert!(re.starts_with("-1.769154"), "{found}");
    // The file's zoom gives way to another: that view is of the whole set.
    run("locate -q --location place.kfr --zoom 0.5 -o whole.kfr").ok();
    assert_ne!(read("whole.kfr"), read("found.kfr"));
    // A picture's minibrot is shown as the picture is.
    let paint = "--size 96x64 --palette magma --cycles 2";
    run(&format!("render -q {at} {paint} -o place.png")).ok();
    run("locate -q --location place.png -o mini.toml").ok();
    let mini = read("mini.toml");
    for kept in ["width = 96", "palette = \"magma\"", "period = 3"] {
        assert!(mini.contains(kept), "'{kept}' in {mini}");
    }
    assert!(!mini.contains("range"), "{mini}");
    // Its nucleus stands beside the view: the point of period 3, whose third step is 0 again.
    let json = run(&format!("locate -q {at} --json")).ok().json();
    for found in [&run("info mini.toml --json").ok().json()["location"], &json] {
        let part = |key: &str| -> f64 {
            let text = found["minibrot"][key].as_str().unwrap_or_default();
            text.parse().unwrap_or(f64::NAN)
        };
        let c = part("re");
        assert_eq!(part("im").abs(), 0.0, "{found}");
        let third = (c * c + c).powi(2) + c;
        assert!(third.abs() < 1e-12 && (c + 1.7549).abs() < 1e-4, "{found}");
    }
    run("render -q --location mini.toml --backend cpu -o mini.png").ok();
    for line in ["locate", "locate --location place.kfr --re 1 --im 1"] {
        let refused = run(line).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
    }
    let none = run("locate --location none.kfr").run();
    assert_eq!((none.code, none.words().len()), (Some(2), 1), "{none:?}");
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
            format!("{at} --zoom 1e50 --arithmetic delta-f64 --z0 0.5 0"),
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

/// The values of one measure of a view.
fn values(args: &str, measure: &str, more: &str) -> Vec<f64> {
    let folder = folder();
    let line = format!("render {args} --measure {measure} --backend cpu -q -o x.npy {more}");
    submitter(&line).within(&folder).ok();
    Npy::read(folder.path().join("x.npy")).values_f64()
}

#[test]
fn smooth_counts_and_distances_are_sound_at_every_depth() {
    for name in ["julia-1e34", "mini-1e164", "mini-1e317"] {
        let args = Oracle::load(name).args;
        let counts = values(&args, "iterations", "");
        let smooth = values(&args, "smooth", "");
        let distances = values(&args, "distance", "");
        let outside = counts.iter().filter(|count| **count > 0.0).count();
        assert!(outside > counts.len() / 2, "{name}: {outside}");
        for (pixel, count) in counts.iter().enumerate() {
            let (smooth, distance) = (smooth[pixel], distances[pixel]);
            if *count == 0.0 {
                assert_eq!((smooth, distance), (0.0, 0.0), "{name}: {pixel}");
                continue;
            }
            // A single holds some 7 digits of it.
            let off = smooth - count;
            let tolerance = 1e-6 * count;
            assert!(
                (-tolerance..1.0 + tolerance).contains(&off),
                "{name}: {pixel}: {smooth} and {count}"
            );
            assert!(
                distance.is_finite() && distance > 0.0,
                "{name}: {pixel}: {distance}"
            );
        }
        // In pixels, whatever the depth: some near the boundary, and none farther than from here to the horizon.
        let nearest = (distances.iter().copied()).filter(|distance| *distance > 0.0);
        assert!(nearest.fold(f64::MAX, f64::min) < 2.0, "{name}");
    }
}

#[test]
fn deltas_agree_with_plain_iteration_where_both_are_exact() {
    // Not so dense that doubles themselves miscount.
    let args = "--re -1.25066 --im 0.02012 --zoom 1e4 --size 160x120 --iterations 3000";
    for (measure, nearness) in [("iterations", 0.0), ("smooth", 1e-3), ("distance", 1e-3)] {
        let plain = values(args, measure, "--arithmetic f64");
        let deltas = values(args, measure, "--arithmetic delta-f64");
        let far = |(a, b): &(&f64, &f64)| (*a - *b).abs() > nearness * a.abs().max(1e-300);
        let off = plain.iter().zip(&deltas).filter(far).count();
        assert!(
            200 * off < plain.len(),
            "{measure}: {off} of {} differ",
            plain.len()
        );
        // Control: another view is far off.
        let other = values(&args.replace("1e4", "2e4"), measure, "");
        let same = plain.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(same < plain.len() * 9 / 10, "{measure}: {same}");
    }
}

#[test]
fn minibrots_are_done_soon_at_any_iteration_limit() {
    // Control: a billion of these steps take seconds, and each pixel inside would make ten of them.
    for name in ["mini-1e16", "mini-1e317"] {
        let args = Oracle::load(name).args;
        let (before, after) = args.split_once("--iterations ").expect("a limit");
        let (limit, after) = after.split_once(' ').unwrap_or((after, ""));
        let few = values(&args, "iterations", "");
        let args = format!("{before}--iterations 10000000000 {after}");
        let many = values(&args, "iterations", "");
        let limit: f64 = limit.parse().expect("a number");
        let inside = many.iter().filter(|count| **count == 0.0).count();
        assert!(inside > many.len() / 50, "{name}: {inside}");
        for (few, many) in few.iter().zip(&many) {
            let expected = if *many > limit { 0.0 } else { *many };
            assert_eq!(*few, expected, "{name}");
        }
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
