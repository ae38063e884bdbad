//! Nothing that a terminal obeys reaches one: of whatever stands in files and in Redis, in words, tables and JSON of both
//! programs.

use std::path::Path;
use std::time::{Duration, Instant};

use farm_tests::programs::{Finished, Run};
use farm_tests::scenes::QUICK;
use farm_tests::{Server, Worker, folder, submitter};

/// What clears a screen, begins a sequence by a C1 control, and turns the direction of writing.
const HOSTILE: &str = "x\u{1b}[2Jy\u{9b}31mz\u{202e}w";
const SOON: Duration = Duration::from_secs(15);

fn is_plain(text: &str) -> bool {
    let is_bad = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    !text.contains(is_bad)
}

fn assert_plain(done: &Finished) {
    assert!(is_plain(&done.stdout) && is_plain(&done.stderr), "{done:?}");
}

/// Runs a command with a terminal of its own, and gives what came there.
fn on_terminal(line: &str) -> String {
    let program = submitter("")
        .under("sh", &["-c", "printf %s \"$0\""])
        .ok()
        .stdout;
    let command = format!("{program} {line}");
    let done = Run::any("script")
        .args(["-qec", &command, "/dev/null"])
        .ok();
    done.stdout.replace('\r', "")
}

#[test]
fn what_stands_in_redis_is_shown_as_text() {
    let server = Server::start();
    let place = folder();
    let url = server.url();
    // A job whose picture has such a name, so that its title has.
    let name = format!("{HOSTILE}.png");
    let running = submitter(&format!("render -q {QUICK} --redis {url} --no-journal"))
        .args(["-o", &name])
        .within(&place)
        .start();
    let started = Instant::now();
    while server.job_keys().is_empty()
        || !submitter(&format!("jobs list --redis {url}"))
            .ok()
            .stdout
            .contains("y?31mz")
    {
        assert!(started.elapsed() < SOON, "{}", running.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    let json = submitter(&format!("jobs list --json --redis {url}")).ok();
    assert_plain(&json);
    assert_eq!(
        json.json()[0]["report"]["title"],
        name.as_str(),
        "JSON means the same"
    );
    let table = submitter(&format!("jobs list --redis {url}")).ok();
    assert_plain(&table);
    assert!(table.stdout.contains("x?[2Jy?31mz?w"), "{table:?}");
    assert_eq!(table.stdout.lines().count(), 2, "{table:?}");
    let id = server.job();
    assert_plain(&submitter(&format!("jobs show {id} --redis {url}")).ok());
    let shown = on_terminal(&format!("jobs list --redis {url}"));
    assert!(
        shown.contains("x?[2Jy?31mz?w") && is_plain(&shown),
        "{shown:?}"
    );
    // What is said of the picture when it is done.
    let worker = Worker::start(&server, "plain");
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_plain(&done);
    drop(worker);
}

/// A stranger with a worker's password chooses what it is called, its machine, its devices, and what it says of others.
#[test]
fn what_workers_say_of_themselves_is_shown_as_text() {
    let server = Server::start();
    let url = server.url();
    let worker = Worker::start(&server, "plain");
    let process = server
        .keys("mf:worker:*")
        .pop()
        .expect("a worker's record")
        .replacen("mf:worker:", "", 1);
    let text: String = server.ask(&["GET", &format!("mf:worker:{process}")]);
    let mut record: serde_json::Value = serde_json::from_str(&text).expect("a record");
    for field in ["host", "version", "backend"] {
        record[field] = HOSTILE.into();
    }
    record["devices"] = vec![HOSTILE].into();
    let hostile = format!("{HOSTILE}.1.1");
    server.ask::<()>(&["ZADD", "mf:workers", "9999999999999", &hostile]);
    let key = format!("mf:worker:{hostile}");
    server.ask::<()>(&["SET", &key, &record.to_string()]);
    let quarantined = format!("9999999999999 1 {HOSTILE}");
    server.ask::<i64>(&["HSET", "mf:bad", HOSTILE, &quarantined]);
    let list = submitter(&format!("workers list --redis {url}")).ok();
    assert_plain(&list);
    assert!(list.stdout.matches("[2Jy?31mz").count() >= 2, "{list:?}");
    assert_eq!(list.stdout.lines().count(), 3, "a line each: {list:?}");
    assert_plain(&submitter(&format!("workers list --json --redis {url}")).ok());
    let shown = on_terminal(&format!("workers list --redis {url}"));
    assert!(is_plain(&shown), "{shown:?}");
    for order in ["drain", "forgive"] {
        let line = format!("workers {order} --redis {url}");
        assert_plain(&submitter(&line).arg(HOSTILE).run());
    }
    drop(worker);
}

#[test]
fn what_stands_in_files_is_shown_as_text() {
    let place = folder();
    let write = |name: &str, text: String| std::fs::write(place.path().join(name), text).unwrap();
    write(
        "a.toml",
        format!("re = \"{HOSTILE}\"\nim = \"0\"\nzoom = \"1\"\n"),
    );
    write("b.toml", format!("\"{HOSTILE}\" = 1\n"));
    write(
        "a.kfr",
        format!("Re: 0\nIm: 0\nZoom: 1\nIterations: 100\nRotateAngle: {HOSTILE}\n"),
    );
    write("b.kfr", format!("Re: {HOSTILE}\nIm: 0\nZoom: 1\n"));
    write(
        "a.ugr",
        format!("{HOSTILE} {{\ngradient:\n index=0 color=1\n}}\n"),
    );
    write("a.css", format!("red, {HOSTILE}"));
    write("a.map", HOSTILE.to_owned());
    write("jobs.toml", format!("[[job]]\n\"{HOSTILE}\" = 1\n"));
    write("w.penvm", format!("\"{HOSTILE}\": 1\n"));
    let mut said = 0;
    for line in [
        "info a.toml",
        "info b.toml",
        "info a.kfr",
        "info b.kfr",
        "info a.ugr",
        "info a.ugr --json",
        "plan --location a.toml",
        "plan --location a.kfr",
        "plan --location b.kfr",
        "plan --palette a.css",
        "plan --palette a.map",
        "plan --palette a.ugr:none",
        "batch jobs.toml",
        "world show --world w.penvm",
    ] {
        let done = submitter(line).within(&place).run();
        assert_plain(&done);
        said += usize::from(done.stdout.contains("[2Jy") || done.stderr.contains("[2Jy"));
    }
    // Control: it is what was shown.
    assert!(said >= 5, "{said}");
    // What is typed, and what a program says that it starts.
    assert_plain(&submitter("render").args([HOSTILE]).run());
    let script = place.path().join("ffmpeg");
    let lines = format!(
        "#!/bin/sh\ncase \"$*\" in *-encoders*) echo ' V....D libx264 x';; *-h*) ;; *) printf '%s\\n' '{HOSTILE}' >&2; exit 1;; esac\n"
    );
    std::fs::write(&script, lines).unwrap();
    executable(&script);
    let zoom = "zoom -q --re 0 --im 0 --to 4 --size 16x16 --iterations 20 --backend cpu --ffmpeg ./ffmpeg -o x.mp4";
    let failed = submitter(zoom).within(&place).run();
    assert_plain(&failed);
    assert!(failed.stderr.contains("ffmpeg"), "{failed:?}");
}

fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
