//! Worlds: networks of real workers, booted, rendered on, broken and shut down.

use std::time::{Duration, Instant};

use farm_tests::job::quiet;
use farm_tests::programs::kill;
use farm_tests::scenes::QUICK;
use farm_tests::world::{World, is_alive, pid, target, until};
use farm_tests::{Run, Server, digest, folder, names_in, submitter};
use rustix::process::Signal;

/// Workers of one thread on the processor, all at once.
fn local(range: &str, farm: &str) -> World {
    World::of(&format!(
        "networks: {{default: {{targets: '{range}', boot-concurrency: 0}}}}\n\
         templates: {{t: {{targets: '{range}', scheme: local, ncores: 1}}}}\n\
         farm: {{backend: cpu, {farm}}}\n"
    ))
}

#[test]
fn every_world_that_comes_with_the_programs_is_one() {
    let worlds = farm_tests::house::top().join("worlds");
    let mut files = 0;
    for name in names_in(&worlds) {
        if !name.ends_with(".penvm") {
            continue;
        }
        files += 1;
        let checked = submitter("world check --json").arg(worlds.join(&name));
        if name == "cluster.penvm" {
            // Its passwords are not here, and that is noticed before anything starts.
            let refused = checked.run();
            assert_eq!(refused.code, Some(2), "{refused:?}");
            assert!(
                refused.stderr.contains("secrets/submitter.pw"),
                "{refused:?}"
            );
            continue;
        }
        let checked = checked.ok().json();
        let targets = checked["targets"].as_array().map_or(0, Vec::len);
        let expected = match &*name {
            "1-local.penvm" => 1,
            "2-local.penvm" => 2,
            "4-local.penvm" => 4,
            "two-gpus.penvm" => 3,
            other => panic!("{other}: a new world; say here what it makes"),
        };
        assert_eq!(targets, expected, "{name}");
    }
    assert_eq!(files, 5);
}

#[test]
fn a_cluster_is_checked_with_its_ranges_and_wrong_files_name_their_line() {
    let text = std::fs::read_to_string(farm_tests::house::top().join("worlds/cluster.penvm"));
    let text = text.expect("a world").replace("password-file", "user");
    let text = text
        .replace("  farm-key-file: secrets/farm.key\n", "")
        .replace("  tls-ca:", "  #");
    // Two keys of the same name by that: the second one of each goes.
    let mut seen = std::collections::HashSet::new();
    let is_first = |line: &&str| {
        !line.contains("-user:") || seen.insert(line.split(':').next().map(str::to_owned))
    };
    let text: Vec<&str> = text.lines().filter(is_first).collect();
    let world = World::of(&text.join("\n"));
    let checked = world.command("check", "--json").ok().json();
    assert_eq!(
        checked["targets"].as_array().map(Vec::len),
        Some(40),
        "{checked}"
    );
    assert_eq!(
        target(&checked, "b2-7")["host"],
        "render@b2-7.render.example:2222"
    );
    assert_eq!(target(&checked, "a-10")["threads"], 8);
    assert_eq!(target(&checked, "a-02")["threads"], serde_json::Value::Null);
    let table = world.command("check", "--network first-row").ok().stdout;
    assert!(table.contains("16 targets, 8 at a time"), "{table}");

    let wrong = World::of("targets: {x: }\nnetworks:\n  default:\n    targets: x\n    target: x\n");
    for what in ["check", "boot", "status", "shutdown"] {
        let refused = wrong.command(what, "").run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        let says = "test.penvm: line 5: 'target' is no key of a network; did you mean 'targets'?";
        assert!(refused.stderr.contains(says), "{refused:?}");
        assert_eq!(refused.words().len(), 1, "{refused:?}");
    }
    let none = world.command("check", "--network second-row").run();
    assert!(
        none.stderr.contains("there are: default, first-row"),
        "{none:?}"
    );
}

#[test]
fn files_that_a_world_names_are_named_by_key_and_line() {
    let refused = |farm: &str| {
        let url = "redis: redis://127.0.0.1:1";
        let world = World::of(&format!("targets: {{x: }}\nfarm:\n  {url}\n{farm}"));
        let refused = world.command("check", "").run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert_eq!(refused.words().len(), 1, "{refused:?}");
        refused.stderr
    };
    for (farm, says) in [
        (
            "  redis-user: w\n  redis-password-file: no.pw\n",
            "test.penvm: line 5: 'redis-password-file' ",
        ),
        (
            "  submitter-user: s\n  submitter-password-file: no.pw\n",
            "test.penvm: line 5: 'submitter-password-file' ",
        ),
        // Of the worker alone, where submitters have their own.
        (
            "  submitter-user: s\n  redis-password-file: no.pw\n",
            "test.penvm: line 5: 'redis-password-file' ",
        ),
        ("  tls-ca: no.pem\n", "test.penvm: line 4: 'tls-ca' "),
        (
            "  farm-key-file: test.penvm\n  tls-cert: test.penvm\n",
            "test.penvm: line 5: 'tls-cert' needs 'tls-key'",
        ),
    ] {
        let line = refused(farm);
        assert!(line.contains(says), "{farm}: {line}");
        assert!(!line.contains("--"), "{farm}: {line}");
    }
}

#[test]
fn a_world_file_is_found_where_the_notebook_looks() {
    let folder = folder();
    let file = folder.path().join("w.penvm");
    std::fs::write(&file, "name: found\ntargets: {x: }\n").expect("a file of the test");
    let set = file.to_string_lossy().into_owned();
    let checked = submitter("world check --json")
        .env("PENVM_WORLD_FILENAME", &set)
        .ok();
    assert_eq!(checked.json()["world"], "found");
    let named = submitter("world check --json").env("PENVM_WORLD_FILENAME", "/no/such/file");
    assert_eq!(named.arg(&file).ok().json()["world"], "found");
    // Beside the program, whatever that is called.
    let program = folder.path().join("renders");
    std::fs::copy(farm_tests::programs::path_of("submitter"), &program).expect("a copy");
    std::fs::copy(&file, folder.path().join("renders.penvm")).expect("a copy");
    let beside = farm_tests::Run::any(&program).args(["world", "check", "--json"]);
    assert_eq!(beside.ok().json()["world"], "found");
    let nowhere = submitter("world check")
        .env("PENVM_WORLD_FILENAME", "")
        .run();
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(
        nowhere.stderr.contains("no world file given"),
        "{nowhere:?}"
    );
}

#[test]
fn four_workers_boot_render_lose_one_and_shut_down() {
    let world = local("w-[0-3]", "");
    let booted = world.boot();
    let redis = booted["redis"].as_str().expect("a Redis").to_owned();
    assert!(redis.starts_with("unix://"), "{redis}");
    for number in 0..4 {
        let target = target(&booted, &format!("w-{number}"));
        assert_eq!(target["state"], "booted");
        assert_eq!(target["arithmetic"][0], "f64");
        assert!(target["speed"].as_u64() > Some(1_000_000), "{target}");
        assert!(target["boot_secs"].as_f64() > Some(0.0), "{target}");
    }
    let listed = submitter("workers list --json --redis")
        .arg(&redis)
        .ok()
        .json();
    assert_eq!(listed.as_array().map(Vec::len), Some(4));

    let again = world.boot();
    for number in 0..4 {
        let name = format!("w-{number}");
        assert_eq!(target(&again, &name)["state"], "running");
        assert_eq!(pid(&again, &name), pid(&booted, &name));
    }
    let scene = format!("{QUICK} --strip-rows 16 --backend cpu");
    let pictures = folder();
    let line = format!("render -q {scene} --fallback never --json -o x.npy");
    let done = world.render(&line).within(&pictures).ok().json();
    assert_eq!(digest(pictures.path().join("x.npy")), quiet(&scene));
    let workers = done["workers"].as_array().expect("workers").clone();
    assert!(
        workers
            .iter()
            .all(|worker| worker["name"].as_str() > Some("w-")),
        "{done}"
    );
    let line = format!("{line} --workers 1");
    let done = world.render(&line).within(&pictures).ok().json();
    assert_eq!(done["workers"].as_array().map(Vec::len), Some(1), "{done}");
    assert_eq!(
        world.status()["targets"][0]["state"],
        "serving",
        "what ran before goes on"
    );

    let lost = pid(&booted, "w-2");
    kill(lost, Signal::KILL);
    until("it is gone", || !is_alive(lost));
    let status = world.command("status", "--json").run();
    assert_eq!(status.code, Some(1), "{status:?}");
    assert_eq!(target(&status.json(), "w-2")["state"], "dead");
    assert_eq!(target(&status.json(), "w-1")["state"], "serving");
    let again = world.boot();
    assert_eq!(target(&again, "w-2")["state"], "booted");
    assert_eq!(pid(&again, "w-1"), pid(&booted, "w-1"));
    assert_eq!(world.command("status", "").run().code, Some(0));

    let shut = world.shut_down().json();
    assert_eq!(target(&shut, "w-2")["how"], "ended", "{shut}");
    let socket = redis.trim_start_matches("unix://");
    assert!(!std::path::Path::new(socket).exists(), "the socket is left");
    let nothing = world.command("shutdown", "").ok();
    assert!(nothing.stderr.contains("nothing runs"), "{nothing:?}");
    assert_eq!(target(&world.status(), "w-0")["state"], "down");
}

#[test]
fn a_render_boots_its_world_and_shuts_it_down_whatever_happens() {
    let world = local("w-[0-1]", "");
    let pictures = folder();
    let scene = format!("{QUICK} --backend cpu");
    let line = format!("render {scene} --fallback never --json -o x.npy");
    let done = world.render(&line).within(&pictures).ok();
    assert!(done.stderr.contains("2 of 2 targets serve"), "{done:?}");
    assert_eq!(done.json()["fallback"]["in_process"], false);
    assert_eq!(digest(pictures.path().join("x.npy")), quiet(&scene));
    world.nothing_is_left();

    // Ctrl-C in the middle.
    let line = format!(
        "render {} --fallback never -o y.npy --no-journal",
        farm_tests::scenes::SLOWER
    );
    let mut running = world.render(&line).within(&pictures).start();
    running.until_it_says("targets serve");
    let pids = world.pids();
    assert_eq!(pids.len(), 3, "two workers and a Redis");
    running.signal(Signal::INT);
    let ended = running.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(pids.iter().all(|pid| !is_alive(*pid)), "{ended:?}");
    world.nothing_is_left();
    assert_eq!(names_in(pictures.path()), ["x.npy"]);
}

#[test]
fn a_world_ends_with_the_last_render_that_uses_it() {
    let world = local("w-[0-1]", "");
    let (first, second) = (folder(), folder());
    let scene = format!("{QUICK} --backend cpu");
    let slow = format!(
        "render {} --fallback never -o y.npy --no-journal",
        // So many strips that it does not end by itself, each of them short.
        farm_tests::scenes::SLOW.replace("--size 128x192", "--size 128x19200 --strip-rows 8")
    );
    let quick = format!("render {scene} --fallback never -o x.npy");
    // The one that booted it goes on after one that only used it.
    let mut booter = world.render(&slow).within(&first).start();
    booter.until_it_says("targets serve");
    let pids = world.pids();
    world.render(&quick).within(&second).ok();
    assert!(booter.is_running(), "control: it takes longer");
    assert!(pids.iter().all(|pid| is_alive(*pid)), "its workers stay");
    // The one that booted it leaves, and another goes on.
    let mut user = world.render(&slow).within(&second).start();
    user.until_it_says("targets serve");
    booter.signal(Signal::INT);
    assert_eq!(booter.wait().code, Some(130));
    assert!(pids.iter().all(|pid| is_alive(*pid)), "another uses them");
    world.render(&quick).within(&first).ok();
    assert_eq!(digest(first.path().join("x.npy")), quiet(&scene));
    assert!(user.is_running() && pids.iter().all(|pid| is_alive(*pid)));
    // One that is killed does not count.
    user.signal(Signal::KILL);
    assert_ne!(user.wait().code, Some(0));
    world.render(&quick).within(&first).ok();
    assert!(pids.iter().all(|pid| !is_alive(*pid)));
    world.nothing_is_left();
    // What an operator booted stays.
    world.command("boot", "").ok();
    let pids = world.pids();
    world.render(&quick).within(&second).ok();
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    world.command("shutdown", "").ok();
    world.nothing_is_left();
}

#[test]
fn renders_that_boot_one_world_at_once_wait_for_each_other() {
    let world = local("w-[0-1]", "");
    let folders = [folder(), folder(), folder()];
    let scene = format!("{QUICK} --backend cpu");
    let line = format!("render {scene} --fallback never -o x.npy");
    let running = folders
        .each_ref()
        .map(|folder| world.render(&line).within(folder).start());
    for running in running {
        let done = running.wait();
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    for folder in &folders {
        assert_eq!(digest(folder.path().join("x.npy")), quiet(&scene));
    }
    world.nothing_is_left();
}

#[test]
fn a_small_job_is_computed_in_process_and_says_why() {
    let world = local("w-[0-1]", "");
    let pictures = folder();
    let scene = "--density 16 --backend cpu --iterations 50";
    let line = format!("render {scene} --json -o x.npy");
    let done = world.render(&line).within(&pictures).ok();
    assert!(
        done.stderr.contains("in process: it takes less time here"),
        "{done:?}"
    );
    let fallback = &done.json()["fallback"];
    assert_eq!(fallback["in_process"], true);
    assert!(
        fallback["secs_here"].as_f64() < fallback["secs_farm"].as_f64(),
        "{fallback}"
    );
    assert!(fallback["iterations"].as_f64() > Some(1000.0), "{fallback}");
    assert_eq!(digest(pictures.path().join("x.npy")), quiet(scene));
    world.nothing_is_left();
    // The control: one that is not small is not.
    let plan = |options: &str| {
        let line = format!("plan {options} --backend cpu --json");
        world.render(&line).ok().json()["fallback"]["in_process"].clone()
    };
    assert_eq!(plan("--density 16 --iterations 50"), true);
    assert_eq!(plan("--density 8192 --iterations 100000"), false);
    assert_eq!(plan("--density 8192 --fallback always"), true);
    assert_eq!(plan("--density 16 --fallback never"), false);
    let both = world.render("render --redis unix:///nowhere").run();
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn targets_that_fail_are_named_with_their_last_words_and_the_rest_go_on() {
    let world = World::of(
        "networks: {default: {targets: 'good missing dies sleeps', boot-concurrency: 0}}\n\
         targets:\n  good: {}\n  missing: {farm: {worker: ./no-such-program}}\n\
         \x20 dies: {farm: {worker: ./dies}}\n  sleeps: {farm: {worker: ./sleeps, boot-timeout: 1}}\n\
         farm: {backend: cpu, threads: 1}\n",
    );
    world.script("dies", "echo first; echo 'no luck today' >&2; exit 3");
    world.script("sleeps", "exec sleep 300");
    let booted = world.command("boot", "--json").run();
    assert_eq!(booted.code, Some(0), "{booted:?}");
    let report = booted.json();
    assert_eq!(target(&report, "good")["state"], "booted");
    for (name, error, output) in [
        ("missing", "no program", None),
        ("dies", "ended before it joined", Some("no luck today")),
        ("sleeps", "did not join the farm within 1 s", None),
    ] {
        let target = target(&report, name);
        assert_eq!(target["state"], "failed", "{report}");
        assert!(
            target["error"]
                .as_str()
                .is_some_and(|said| said.contains(error)),
            "{target}"
        );
        let last = target["output"].as_array().expect("lines").last();
        assert_eq!(last.and_then(|line| line.as_str()), output, "{target}");
    }
    assert!(
        booted.stderr.contains("3 of 4 targets failed"),
        "{booted:?}"
    );
    assert!(booted.stderr.contains("no luck today"), "{booted:?}");
    assert_eq!(
        world.pids().len(),
        2,
        "a worker and a Redis: none of those that failed"
    );
    world.shut_down();

    let all = world.command("boot", "--require-all").run();
    assert_eq!(all.code, Some(1), "{all:?}");
    assert_eq!(all.words().len(), 1, "{all:?}");
    world.nothing_is_left();
}

#[test]
fn what_a_killed_boot_left_is_found_and_cleared() {
    let server = Server::start();
    let farm = format!("redis: '{}', worker: ./slow", server.url());
    let world = local("w-[0-2]", &farm);
    let worker = farm_tests::programs::path_of("farm-worker");
    // The third one never joins: the boot is killed while it waits for it.
    world.script(
        "slow",
        &format!(
            "case $4 in w-2) exec sleep 300;; esac\nexec {} \"$@\"",
            worker.display()
        ),
    );
    let running = world.command("boot", "").start();
    until("all were started", || world.pids().len() == 3);
    server.until("two have joined", || {
        server.try_ask::<u64>(&["ZCARD", "mf:workers"]) == Some(2)
    });
    let other = world.command("boot", "").run();
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(
        other
            .stderr
            .contains("another command is at network 'default'"),
        "{other:?}"
    );
    let pids = world.pids();
    running.signal(Signal::KILL);
    let _ = running.wait();
    assert!(
        pids.iter().all(|pid| is_alive(*pid)),
        "workers outlive their submitter"
    );
    world.shut_down();
    assert_eq!(server.keys("*"), [""; 0]);

    // The same for a worker that is killed so that it cannot sign off, on a Redis that goes on.
    let world = local("w-[0-1]", &format!("redis: '{}'", server.url()));
    let booted = world.boot();
    kill(pid(&booted, "w-0"), Signal::KILL);
    world.shut_down();
    assert_eq!(server.keys("*"), [""; 0]);
}

#[test]
fn a_pid_of_somebody_else_is_never_signalled() {
    let world = local("w-0", "");
    let booted = world.boot();
    let worker = pid(&booted, "w-0");
    kill(worker, Signal::KILL);
    until("it is gone", || !is_alive(worker));
    // A stranger under the pid that is written down.
    let stranger = farm_tests::Run::any("sleep").arg("300").start();
    let state = world.folder().join("state");
    let place = names_in(&state)
        .into_iter()
        .find(|name| !name.ends_with(".json"));
    let file = state.join(place.expect("a state")).join("w-0.pid");
    let text = std::fs::read_to_string(&file).expect("a pid");
    let born = text.split(' ').nth(1).expect("when it was born");
    std::fs::write(&file, format!("{} {born}", stranger.pid())).expect("a file of the test");
    let began = Instant::now();
    world.command("shutdown", "").ok();
    assert!(is_alive(stranger.pid()), "it was none of the world's");
    assert!(began.elapsed() < Duration::from_secs(30));
    world.nothing_is_left();
}

#[test]
fn what_is_set_for_a_farm_is_not_read_where_a_world_is_named() {
    let world = local("[1-2]", "threads: 1");
    let set = |plan: Run| {
        plan.env("FARM_REDIS", "redis://127.0.0.1:1")
            .env("FARM_KEY_FILE", "/nowhere/key")
            .env("FARM_TLS_CA", "/nowhere/ca")
            .env("FARM_REDIS_PASSWORD_FILE", "/nowhere/password")
    };
    let control = set(submitter("plan --density 8")).run();
    assert!(control.stderr.contains("/nowhere/"), "{control:?}");
    set(world.render("plan --density 8 --fallback never")).ok();
}
