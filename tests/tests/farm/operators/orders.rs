//! What operators arrange: tags, owners, hours, how workers leave and come again, and how far they step back.

use std::path::Path;
use std::time::SystemTime;

use farm_tests::job::quiet;
use farm_tests::programs::{Run, path_of};
use farm_tests::scenes::{QUICK, WAITED};
use farm_tests::{Clock, Server, Worker, digest, folder, submitter};
use rustix::process::Signal;
use serde_json::Value;

const ONE_CORE: &str = "--backend cpu --threads 1";

/// A command about the farm of a server, and what it says.
fn ask(server: &Server, line: &str) -> String {
    let line = format!("{line} --redis {}", server.url());
    submitter(&line).ok().stdout
}

fn workers(server: &Server) -> Vec<Value> {
    let listed = ask(server, "workers list --json");
    serde_json::from_str(&listed).expect("a list")
}

fn render(server: &Server, options: &str) -> Run {
    submitter(&format!(
        "render -q {QUICK} --redis {} -o x.npy {options}",
        server.url()
    ))
}

#[test]
fn a_job_for_a_tag_waits_for_workers_that_have_it() {
    let server = Server::start();
    let plain = Worker::start_with(&server, "plain", &format!("{ONE_CORE} --tag other"));
    let out = folder();
    let mut job = render(&server, "--on gpu-box").within(&out).start();
    job.until_it_says("with the tag gpu-box");
    assert!(ask(&server, "jobs show 0").contains("on         workers with the tag gpu-box"));
    let options = format!("{ONE_CORE} --tag other,gpu-box");
    let tagged = Worker::start_with(&server, "tagged", &options);
    let done = job.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(digest(out.path().join("x.npy")), quiet(QUICK));
    drop(tagged);
    server.until("the other has told what it did", || {
        workers(&server)
            .iter()
            .any(|worker| worker["name"] == "plain")
    });
    let listed = workers(&server);
    let of_plain = listed.iter().find(|worker| worker["name"] == "plain");
    let of_plain = of_plain.expect("it is there");
    assert_eq!(of_plain["strips"], 0, "{listed:?}");
    assert_eq!(of_plain["tags"], serde_json::json!(["other"]));
    // It was there to be had: what asks for nothing, or for its own tag, is served.
    for options in ["", "--on other"] {
        render(&server, options).within(&out).ok();
    }
    drop(plain);
    for (line, why) in [
        ("render --on gpu-box", "--on: asks for workers of a farm"),
        (
            "render --on gpu,box --redis redis://localhost",
            "--on: a tag is of",
        ),
    ] {
        let refused = submitter(line).within(&out).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
}

#[test]
fn jobs_of_a_batch_have_tags_and_owners() {
    let server = Server::start();
    let out = folder();
    let batch = |lines: &str| {
        let text = format!(
            "[[job]]\nredis = \"{}\"\nre = -0.7436\nim = 0.1318\nzoom = 300\nsize = \"64x64\"\noutput = \"x.npy\"\n{lines}\n",
            server.url()
        );
        std::fs::write(out.path().join("jobs.toml"), text).expect("a file of the test");
        submitter("batch jobs.toml").within(&out)
    };
    for (lines, why) in [
        ("on = \"gpu,box\"", "--on: a tag is of"),
        ("owner = \"a:b\"", "--owner: a name is one line"),
    ] {
        let refused = batch(lines).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
    let _plain = Worker::start(&server, "plain");
    let running = batch("on = \"gpu-box\"\nowner = \"ada\"").start();
    let owners = |options: &str| {
        let listed = ask(&server, &format!("jobs list --json {options}"));
        let listed: Vec<Value> = serde_json::from_str(&listed).expect("a list");
        listed.len()
    };
    server.until("it is hers", || owners("--owner ada") == 1);
    assert_eq!(owners("--owner charles"), 0);
    let job = server.job();
    assert_eq!(server.committed(&job), 0, "nobody has the tag");
    let _tagged = Worker::start_with(&server, "tagged", "--backend cpu --threads 1 --tag gpu-box");
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(out.path().join("x.npy").is_file());
}

#[test]
fn jobs_have_owners() {
    let server = Server::start();
    let out = folder();
    let start = |owner: &str, variable: bool| {
        let line = format!("render -q {WAITED} --redis {} -o {owner}.npy", server.url());
        let run = submitter(&line).within(&out).env("USER", "nobody");
        match variable {
            true => run.env("USER", owner).start(),
            false => run.args(["--owner", owner]).start(),
        }
    };
    let jobs = [start("ada", false), start("benoit", true)];
    let listed = |options: &str| {
        let listed = ask(&server, &format!("jobs list --json {options}"));
        let listed: Vec<Value> = serde_json::from_str(&listed).expect("a list");
        let owners = listed.iter().map(|job| job["report"]["owner"].clone());
        owners.collect::<Vec<_>>()
    };
    server.until("both are told of", || {
        let owners = listed("");
        ["ada", "benoit"]
            .iter()
            .all(|owner| owners.contains(&Value::from(*owner)))
    });
    assert_eq!(listed("--owner ada"), ["ada"]);
    assert_eq!(listed("--owner charles"), Vec::<Value>::new());
    let table = ask(&server, "jobs list");
    assert!(
        table.contains("OWNER") && table.contains("benoit"),
        "{table}"
    );
    for job in &jobs {
        job.signal(Signal::INT);
    }
    for job in jobs {
        assert_eq!(job.wait().code, Some(130));
    }
}

#[test]
fn a_worker_starts_anew_with_the_program_of_the_disk_and_stops() {
    let server = Server::start();
    let place = folder();
    let program = place.path().join("farm-worker");
    let install = |from: &Path| {
        let next = place.path().join("next");
        std::fs::copy(from, &next).expect("a program");
        std::fs::rename(&next, &program).expect("a program");
    };
    install(&path_of("farm-worker"));
    let url = server.url();
    let worker = Run::any(&program)
        .args(["--redis", &url, "--name", "box"])
        .args(ONE_CORE.split(' '));
    let worker = Worker::ready(worker);
    let pid = worker.pid();
    let of = || {
        let listed = workers(&server);
        let here = listed.into_iter().filter(|worker| worker["name"] == "box");
        here.map(|worker| worker["process"].clone())
            .collect::<Vec<_>>()
    };
    let before = of();
    assert_eq!(before.len(), 1);
    // An upgrade: the file that it was started from is gone.
    install(&path_of("farm-worker"));
    let running = format!("/proc/{pid}/exe");
    let lies = || std::fs::read_link(&running).expect("its program");
    assert!(lies().to_string_lossy().ends_with("(deleted)"));
    let said = ask(&server, "workers restart box");
    assert!(said.contains("is asked to finish and start anew"), "{said}");
    server.until("another one is there", || {
        let now = of();
        now.len() == 1 && now != before
    });
    assert_eq!(lies(), program);
    let out = folder();
    render(&server, "").within(&out).ok();
    assert_eq!(digest(out.path().join("x.npy")), quiet(QUICK));
    ask(&server, "workers stop box");
    let ended = worker.into_running().wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(of().is_empty());
}

#[test]
fn a_worker_that_is_to_stop_gives_back_what_it_has() {
    let server = Server::start();
    let leaver = Worker::pretend(&server, "leaver", "--mode wait --secs 60");
    let job = render(&server, "").start();
    let id = server.job();
    server.until("it is in the middle of strips", || {
        let pending = server.pending(&id);
        pending
            .iter()
            .any(|strip| strip.owner.starts_with("leaver"))
    });
    ask(&server, "workers stop leaver");
    let ended = leaver.into_running().wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    server.until("its strips are free", || {
        let pending = server.pending(&id);
        let mut owners = pending.iter().map(|strip| &strip.owner);
        owners.all(|owner| !owner.starts_with("leaver"))
    });
    job.signal(Signal::INT);
    assert_eq!(job.wait().code, Some(130));
}

#[test]
fn a_worker_works_in_its_hours_and_steps_back() {
    const DAY: i64 = 86_400;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let of_day = i64::try_from(since.expect("a time").as_secs()).expect("a time") % DAY;
    let at = |hour: i64| hour * 3600 - of_day;
    let server = Server::start();
    let clock = Clock::off_by(at(12));
    let options = format!("{ONE_CORE} --hours 20:00-07:00 --nice 7");
    let mut worker = Worker::command(&server.url(), "night", &options).env("TZ", "UTC");
    for (name, value) in clock.environment() {
        worker = worker.env(name, &value);
    }
    let mut worker = worker.start();
    worker.until_it_says("resting: the hours are 20:00-07:00");
    assert!(workers(&server).is_empty());
    clock.set(at(21));
    worker.until_it_says("ready");
    assert_eq!(workers(&server).len(), 1);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", worker.pid())).expect("threads");
    let mut threads = 0;
    for task in tasks {
        let stat = task.expect("a thread").path().join("stat");
        let Ok(stat) = std::fs::read_to_string(stat) else {
            continue;
        };
        // Behind the name in parentheses: the seventeenth is how far it steps back.
        let (_, rest) = stat.rsplit_once(')').expect("a name");
        assert_eq!(rest.split_whitespace().nth(16), Some("7"), "{stat}");
        threads += 1;
    }
    assert!(threads > 2, "{threads}");
    let out = folder();
    render(&server, "").within(&out).ok();
    assert_eq!(digest(out.path().join("x.npy")), quiet(QUICK));
    clock.set(at(24 + 8));
    server.until("it has left", || workers(&server).is_empty());
    assert!(worker.is_running());
    worker.signal(Signal::TERM);
    let ended = worker.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr.matches("resting").count(), 2, "{ended:?}");
    for wrong in ["20:00", "20:00-20:00", "night"] {
        let line = ["--redis", "redis://localhost", "--hours", wrong];
        let refused = Run::program("farm-worker").args(line).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
    }
}
