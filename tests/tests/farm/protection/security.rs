//! Who may join a farm, who can listen, and what is kept secret.

use std::path::Path;
use std::time::Duration;

use farm_tests::certificates::{Authority, Pair};
use farm_tests::programs::{Finished, Run, Running};
use farm_tests::scenes::QUICK;
use farm_tests::{Server, digest, folder, submitter, write_secret};
use rustix::process::Signal;
use tempfile::TempDir;

const FAILED: i32 = 1;
const USAGE: i32 = 2;
/// Long enough for any of these tests.
const LIFE: Duration = Duration::from_secs(120);

/// `farm-worker` with these options, on the processor.
fn worker(options: &str) -> Run {
    Run::program("farm-worker")
        .args("--backend cpu --threads 1 --name worker".split_whitespace())
        .args(options.split_whitespace())
        .limit(LIFE)
}

/// It, when it is ready.
fn ready(worker: Run) -> Running {
    let mut running = worker.start();
    running.until_it_says("ready");
    running
}

/// The quick scene on a farm, as `x.npy` in a folder; the farm's options follow.
fn render(folder: &Path, options: &str) -> Run {
    submitter(&format!(
        "render {QUICK} --backend cpu -q -o x.npy {options}"
    ))
    .within(folder)
}

/// The scene's digest without a farm.
fn expected() -> u64 {
    let folder = folder();
    render(folder.path(), "").ok();
    digest(folder.path().join("x.npy"))
}

/// One line, of the program itself, that holds `says`.
#[track_caller]
fn assert_refused(done: &Finished, code: i32, says: &str) {
    assert_eq!(done.code, Some(code), "{done:?}");
    let [line] = done.words()[..] else {
        panic!("one line: {done:?}")
    };
    assert!(line.contains(says), "'{says}' in: {line}");
}

#[test]
fn a_farm_over_tls_makes_the_same_picture() {
    let (expected, authority) = (expected(), Authority::new());
    for host in ["127.0.0.1", "localhost"] {
        let (_server, port) = authority.redis(&authority.server(host), "no");
        let farm = format!(
            "--redis rediss://{host}:{port} --tls-ca {}",
            authority.file().display()
        );
        let _worker = ready(worker(&farm));
        let folder = folder();
        render(folder.path(), &farm).ok();
        assert_eq!(digest(folder.path().join("x.npy")), expected);
    }
}

#[test]
fn a_server_that_is_another_or_that_nobody_vouches_for_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let good = authority.server("127.0.0.1");
    let (server, port) = authority.redis(&good, "no");
    let ca = format!("--tls-ca {}", authority.file().display());
    let refused = |options: &str, code: i32, says: &str| {
        let folder = folder();
        assert_refused(&render(folder.path(), options).run(), code, says);
        let work = worker(&format!("--log error {options}")).run();
        assert_refused(&work, code, says);
    };
    let at = format!("--redis rediss://127.0.0.1:{port}");
    // An authority that is not known: neither to the system nor to whoever names another.
    refused(&at, FAILED, "authority that is not trusted here");
    let wrong = format!("{at} --tls-ca {}", other.file().display());
    refused(&wrong, FAILED, "authority that is not trusted here");
    // Another machine's certificate.
    let elsewhere = format!("--redis rediss://localhost:{port} {ca}");
    refused(&elsewhere, FAILED, "not for this name, but for");
    // Nobody switches that off.
    let insecure = format!("--redis rediss://localhost:{port}#insecure {ca}");
    refused(&insecure, USAGE, "certificates are always checked");
    refused(&format!("{insecure} --insecure"), USAGE, "always checked");
    refused(
        &format!("--redis rediss://localhost:{port} {ca} --insecure"),
        FAILED,
        "not for this name",
    );
    // TLS to a port that speaks none.
    let plain = format!("--redis rediss://127.0.0.1:{} {ca}", server.port());
    refused(&plain, FAILED, "is there TLS on that port?");

    let (_server, port) = authority.redis(&authority.expired_server("127.0.0.1"), "no");
    refused(
        &format!("--redis rediss://127.0.0.1:{port} {ca}"),
        FAILED,
        "has expired",
    );
    // Files that are none.
    let folder = folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let none = file("none.pem", "no certificate");
    refused(
        &format!("{at} --tls-ca {none}"),
        USAGE,
        "--tls-ca holds no certificate",
    );
    refused(&format!("{at} --tls-ca {none}.not"), USAGE, "--tls-ca ");
    refused(
        &format!("--redis redis://127.0.0.1:{port} {ca}"),
        USAGE,
        "is without TLS",
    );
}

#[test]
fn a_server_that_wants_to_know_its_clients_is_shown_certificates() {
    let (expected, authority, other) = (expected(), Authority::new(), Authority::new());
    let pair = authority.server("127.0.0.1");
    let (_server, port) = authority.redis(&pair, "yes");
    let at = format!(
        "--redis rediss://127.0.0.1:{port} --tls-ca {}",
        authority.file().display()
    );
    let with = |pair: &Pair| {
        let (certificate, key) = (pair.certificate.display(), pair.key.display());
        format!("{at} --tls-cert {certificate} --tls-key {key}")
    };
    let client = authority.client("worker");
    let good = with(&client);
    let _worker = ready(worker(&good));
    let folder = folder();
    render(folder.path(), &good).ok();
    assert_eq!(digest(folder.path().join("x.npy")), expected);

    let refused = |options: &str, code: i32, says: &str| {
        assert_refused(&render(folder.path(), options).run(), code, says);
        let work = worker(&format!("--log error {options}")).run();
        assert_refused(&work, code, says);
    };
    refused(&at, FAILED, "client certificate");
    refused(&with(&other.client("stranger")), FAILED, "certificate");
    let mixed = Pair {
        certificate: client.certificate.clone(),
        key: authority.client("another").key,
    };
    refused(&with(&mixed), USAGE, "no pair");
    let swapped = Pair {
        certificate: client.key.clone(),
        key: client.certificate.clone(),
    };
    refused(&with(&swapped), USAGE, "--tls-cert holds no certificate");
    // Half of it is a misuse before anything is read.
    let half = format!("{at} --tls-cert {}", client.certificate.display());
    refused(&half, USAGE, "--tls-key");
}

#[test]
fn plain_text_stays_on_this_machine() {
    let folder = folder();
    for url in [
        "redis://:hunter2@192.0.2.1",
        "redis://farm.invalid:6379",
        "redis://[2001:db8::1]",
    ] {
        let options = format!("--redis {url}");
        for done in [
            render(folder.path(), &options).run(),
            worker(&options).run(),
        ] {
            assert_refused(&done, USAGE, "rediss:// (TLS), or --insecure");
            assert!(!done.stderr.contains("hunter2"), "{done:?}");
        }
    }
    // Whoever insists gets as far as the network does.
    let options = "--redis redis://farm.invalid --insecure";
    let done = render(folder.path(), options).run();
    assert_refused(&done, FAILED, "cannot reach Redis at farm.invalid");
    let done = render(folder.path(), "--redis redis://farm.invalid")
        .env("FARM_INSECURE", "1")
        .run();
    assert_refused(&done, FAILED, "cannot reach Redis at farm.invalid");
    for (value, says) in [
        ("0", "--insecure"),
        ("", "--insecure"),
        ("maybe", "neither"),
    ] {
        let done = render(folder.path(), "--redis redis://farm.invalid")
            .env("FARM_INSECURE", value)
            .run();
        assert_refused(&done, USAGE, says);
    }
    // Here it is no question: by address, by name, by socket.
    let socket = folder.path().join("redis.sock");
    let server = Server::start_with(&["--unixsocket", &socket.display().to_string()]);
    let urls = [
        server.url(),
        server.url().replace("127.0.0.1", "localhost"),
        format!("unix://{}", socket.display()),
    ];
    let _worker = ready(worker(&format!("--redis {}", urls[2])));
    for url in urls {
        render(folder.path(), &format!("--redis {url}")).ok();
    }
}

/// What other users of the machine see of a process's command line.
fn shown(running: &Running) -> String {
    let line = std::fs::read(format!("/proc/{}/cmdline", running.pid())).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

#[test]
fn passwords_are_seen_nowhere() {
    const SECRET: &str = "s3same-0pen-door";
    const KEY: &str = "a-k3y-that-opens-the-farm";
    let (expected, folder) = (expected(), folder());
    let server = Server::start_with(&["--requirepass", SECRET]);
    let file = folder.path().join("password");
    write_secret(&file, &format!("{SECRET}\nand a second line\n"));
    let bare = server.url_with(None);
    let in_url = format!("--redis {}", server.url());
    let in_url_joined = format!("--redis={}", server.url());
    let in_file = format!("--redis {bare} --redis-password-file {}", file.display());
    let plain = format!("--redis {bare}");
    let ways = [
        (&in_url, None),
        (&in_url_joined, None),
        (&in_file, None),
        (&plain, Some(("FARM_REDIS_PASSWORD", SECRET))),
    ];
    for (options, variable) in ways {
        let with = |run: Run| {
            let run = run.env("FARM_KEY", KEY);
            match variable {
                Some((name, value)) => run.env(name, value),
                None => run,
            }
        };
        let worker = ready(with(worker(&format!("{options} --log trace"))));
        let line = shown(&worker);
        // Elsewhere than on Linux nobody can look there.
        if cfg!(target_os = "linux") {
            assert!(line.contains("--name worker"), "control: {line}");
            let name = std::fs::read_to_string(format!("/proc/{}/comm", worker.pid()));
            assert_eq!(name.expect("a name").trim(), "farm-worker");
        }
        assert!(!line.contains(SECRET), "{line}");
        let done = with(render(folder.path(), &format!("{options} --log trace"))).ok();
        assert_eq!(digest(folder.path().join("x.npy")), expected);
        worker.signal(Signal::TERM);
        let worked = worker.wait();
        assert_eq!(worked.code, Some(0), "signals come as before: {worked:?}");
        assert!(worked.stderr.contains("DEBUG"), "control: it said a lot");
        for said in [done.stdout, done.stderr, worked.stdout, worked.stderr] {
            assert!(!said.contains(SECRET) && !said.contains(KEY), "{said}");
        }
    }
    // A wrong one is not repeated either, nor one in an address that cannot be read.
    for url in [
        server.url_with(Some("wr0ng-word")),
        "redis://:wr0ng-word@192.0.2.1".to_owned(),
        "rediss://:wr0ng-word@localhost:1/#insecure".to_owned(),
        "redis://:wr0ng-word@localhost:port".to_owned(),
    ] {
        let options = format!("--redis {url} --log trace");
        for done in [
            render(folder.path(), &options).run(),
            worker(&options).run(),
        ] {
            assert_ne!(done.code, Some(0));
            assert!(!done.stderr.contains("wr0ng-word"), "{done:?}");
        }
    }
    let empty = folder.path().join("empty");
    write_secret(&empty, "\n");
    let options = format!("--redis {bare} --redis-password-file {}", empty.display());
    let done = render(folder.path(), &options).run();
    assert_refused(&done, USAGE, "its first line is empty");
}

#[test]
fn a_worker_with_a_key_serves_only_who_has_it() {
    let (expected, folder) = (expected(), folder());
    let server = Server::start();
    let key = folder.path().join("farm.key");
    write_secret(&key, "0123456789abcdef0123456789abcdef\n");
    let farm = format!("--redis {}", server.url());
    let keyed = format!("{farm} --farm-key-file {}", key.display());
    let mut guard = ready(worker(&keyed));
    // Each in a folder of its own: in the same one a job would be the last one's continuation.
    let folders: Vec<TempDir> = (0..6).map(|_| farm_tests::folder()).collect();
    let render = |number: usize, options: &str| render(folders[number].path(), options);
    let picture = |number: usize| digest(folders[number].path().join("x.npy"));

    // Without a key, and with another one, a job waits for workers that will not take it.
    for (run, says) in [
        (render(0, &farm), "job spec without a signature"),
        (
            render(1, &farm).env("FARM_KEY", "another key of another farm"),
            "a signature that is not of this farm's key",
        ),
    ] {
        let stranger = run.start();
        let id = server.job();
        guard.until_it_says(says);
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(guard.said().matches(says).count(), 1, "said once");
        assert_eq!(server.pending(&id), [], "and nothing is computed");
        stranger.signal(Signal::INT);
        assert_eq!(stranger.wait().code, Some(130));
    }
    // Its own farm's job is served, whichever way the key came.
    render(2, &keyed).ok();
    let by_environment = render(3, &farm).env("FARM_KEY", "0123456789abcdef0123456789abcdef");
    by_environment.ok();
    assert_eq!((picture(2), picture(3)), (expected, expected));
    // A worker without a key could make nothing that a farm with one takes: it leaves signed jobs to others.
    drop(guard);
    let mut open = ready(worker(&farm));
    let signed = render(4, &keyed).start();
    open.until_it_says("signed job spec, and there is no farm key here");
    render(5, &farm).ok();
    assert_eq!(picture(5), expected);
    let _keyed = ready(worker(&keyed));
    assert_eq!(signed.wait().code, Some(0));
    assert_eq!(picture(4), expected);
}

#[test]
fn workers_with_keys_of_their_own_render_and_audit() {
    let (expected, folder) = (expected(), folder());
    let server = Server::start();
    let at = |name: &str| folder.path().join(name);
    write_secret(&at("farm.key"), "0123456789abcdef0123456789abcdef\n");
    let make = |name: &str, from: &str| {
        let from = at(from).display().to_string();
        submitter(&format!("worker-key {name} --farm-key-file {from}"))
    };
    let key_of = |name: &str| {
        let done = make(name, "farm.key").ok();
        write_secret(&at(&format!("{name}.key")), &done.stdout);
        format!(
            "--redis {} --farm-key-file {}",
            server.url(),
            at(&format!("{name}.key")).display()
        )
    };
    let (first, second) = (key_of("first"), key_of("second"));
    let refused = worker(&first).run();
    assert_refused(
        &refused,
        USAGE,
        "the farm key is that of the worker \"first\"",
    );
    assert_refused(
        &make("third", "first.key").run(),
        USAGE,
        "made of the farm's own",
    );
    assert_refused(
        &render(folder.path(), &second).run(),
        USAGE,
        "a submitter needs the farm's own",
    );

    // Each has the name that its key is for.
    let unnamed = |options: &str| {
        let work = Run::program("farm-worker").args("--backend cpu --threads 1".split_whitespace());
        ready(work.args(options.split_whitespace()).limit(LIFE))
    };
    let workers = [unnamed(&first), unnamed(&second)];
    let farm = format!(
        "--redis {} --farm-key-file {}",
        server.url(),
        at("farm.key").display()
    );
    let done = render(folder.path(), &format!("{farm} --audit 100 --json")).ok();
    assert_eq!(digest(folder.path().join("x.npy")), expected);
    let report = done.json();
    assert!(report["audited"].as_u64() > Some(0), "{report}");
    for (worker, name) in workers.iter().zip(["first", "second"]) {
        assert!(
            worker.said().contains(&format!("worker=\"{name}\"")),
            "{}",
            worker.said()
        );
    }
}

#[test]
fn a_signed_job_that_was_changed_is_not_computed() {
    let (server, folder) = (Server::start(), folder());
    let farm = format!("--redis {}", server.url());
    let key = ("FARM_KEY", "0123456789abcdef");
    let running = render(folder.path(), &farm).env(key.0, key.1).start();
    let id = server.job();
    let name = format!("mf:{{{id}}}:spec");
    let spec: String = server.ask(&["GET", &name]);
    assert!(spec.contains("\"iterations\":3000"), "{spec}");
    let forged = spec.replace("\"iterations\":3000", "\"iterations\":9000000000");
    server.ask::<()>(&["SET", &name, &forged, "KEEPTTL"]);
    let mut guard = ready(worker(&farm).env(key.0, key.1));
    guard.until_it_says("a signature that is not of this farm's key");
    // Control: as it was, it is.
    server.ask::<()>(&["SET", &name, &spec, "KEEPTTL"]);
    drop(guard);
    let _guard = ready(worker(&farm).env(key.0, key.1));
    assert_eq!(running.wait().code, Some(0));
}

#[test]
fn keys_that_anybody_could_guess_are_refused() {
    let folder = folder();
    let short = folder.path().join("short.key");
    write_secret(&short, "fifteen bytes..\n");
    let options = format!(
        "--redis redis://127.0.0.1:1 --farm-key-file {}",
        short.display()
    );
    for done in [
        render(folder.path(), &options).run(),
        worker(&format!("--log error {options}")).run(),
    ] {
        assert_refused(
            &done,
            USAGE,
            "a farm key has 16 to 1024 bytes, and this one has 15",
        );
        assert!(!done.stderr.contains("fifteen"), "{done:?}");
    }
    let done = render(folder.path(), "--redis redis://127.0.0.1:1")
        .env("FARM_KEY", "short")
        .run();
    assert_refused(&done, USAGE, "FARM_KEY: ");
    // One that others may read is used, and said to be.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = folder.path().join("open.key");
        std::fs::write(&open, "0123456789abcdef").expect("a file");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).expect("a file");
        let options = format!(
            "--redis redis://127.0.0.1:1 --farm-key-file {}",
            open.display()
        );
        let done = render(folder.path(), &options).run();
        assert_eq!(done.code, Some(FAILED), "{done:?}");
        assert!(
            done.stderr
                .contains("every user of this machine may read it")
        );
        assert!(!done.stderr.contains("0123456789abcdef"), "{done:?}");
    }
}
