//! Addresses of Sentinels: what leads to a farm, and what does not in one line.

use std::path::Path;
use std::time::{Duration, Instant};

use farm_tests::certificates::{Authority, Pair};
use farm_tests::scenes::QUICK;
use farm_tests::server::free_port;
use farm_tests::{Run, Sentinel, Server, Worker, digest, folder, submitter};

/// How long a program may take to say that it gets nowhere, on a loaded machine.
const SOON: Duration = Duration::from_secs(15);
const FAILED: i32 = 1;
const USAGE: i32 = 2;

/// Checks that both programs refuse an address with one line that holds `says` and no secret.
#[track_caller]
fn assert_refused(url: &str, code: i32, says: &str) {
    let folder = folder();
    let render = submitter(&format!("render -q {QUICK} -o x.npy")).within(&folder);
    let jobs = submitter("jobs list");
    let worker = Run::program("farm-worker").args(["--backend", "cpu", "--log", "error"]);
    for program in [render, jobs, worker] {
        let started = Instant::now();
        let done = program.args(["--redis", url]).run();
        assert!(started.elapsed() < SOON, "{done:?}");
        assert_eq!(done.code, Some(code), "{done:?}");
        let [line] = done.words()[..] else {
            panic!("one line: {done:?}")
        };
        assert!(line.contains(says), "'{says}' in: {line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[test]
fn what_leads_nowhere_is_one_line() {
    let mut server = Server::start();
    let sentinel = Sentinel::start(
        ("127.0.0.1", server.port()),
        // Never down, so that it goes on naming a server that is gone.
        "sentinel down-after-milliseconds farm 600000",
        None,
    );
    let (place, nobody) = (sentinel.place(), free_port());
    let at = |rest: &str| format!("redis+sentinel://u:hunter2@{rest}");
    assert_refused(
        &at(&format!("{place}/form")),
        FAILED,
        "know no master of the name 'form'",
    );
    assert_refused(
        &at(&format!("127.0.0.1:{nobody},127.0.0.1:{nobody}/farm")),
        FAILED,
        "no Sentinel answers: the Sentinel 127.0.0.1:",
    );
    assert_refused(
        &at(&format!("127.0.0.1:{nobody},{place}/form")),
        FAILED,
        "of the others 1 know no such master",
    );
    assert_refused(
        &at(&format!("127.0.0.1:{}/farm", server.port())),
        FAILED,
        "it is no Sentinel",
    );
    assert_refused(&at(&place), USAGE, "names no master");
    server.kill();
    assert_refused(
        &format!("redis+sentinel://{place}/farm"),
        FAILED,
        &format!("127.0.0.1:{} (Sentinels call it 'farm'): ", server.port()),
    );
}

#[test]
fn a_sentinel_given_as_a_server_is_one_line() {
    let server = Server::start();
    let sentinel = Sentinel::of(&server);
    let folder = folder();
    let line = format!(
        "render -q {QUICK} -o x.npy --redis redis://{}",
        sentinel.place()
    );
    let done = submitter(&line).within(&folder).run();
    assert_eq!(done.code, Some(FAILED), "{done:?}");
    assert!(done.stderr.contains("it is a Sentinel"), "{done:?}");
}

#[test]
fn a_server_elsewhere_gets_nothing_in_plain_text() {
    // An address that leads nowhere; and nothing is sent there.
    let sentinel = Sentinel::start(("192.0.2.1", 6379), "", None);
    let started = Instant::now();
    assert_refused(
        &format!("redis+sentinel://u:hunter2@{}/farm", sentinel.place()),
        USAGE,
        "192.0.2.1:6379 (Sentinels call it 'farm') would get passwords",
    );
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[test]
fn servers_and_sentinels_have_passwords_of_their_own() {
    let server = Server::start_with(&["--requirepass", "hunter2-server"]);
    let sentinel = Sentinel::start(
        ("127.0.0.1", server.port()),
        "sentinel auth-pass farm hunter2-server\nrequirepass hunter2-sentinel",
        Some("hunter2-sentinel"),
    );
    let place = sentinel.place();
    for query in ["", "?sentinel_pass=hunter2-server"] {
        let url = format!("redis+sentinel://:hunter2-server@{place}/farm{query}");
        assert_refused(&url, FAILED, "?sentinel_user=USER&sentinel_pass=PASSWORD");
    }
    let right = "?sentinel_pass=hunter2-sentinel";
    let url = format!("redis+sentinel://{place}/farm{right}");
    assert_refused(
        &url,
        FAILED,
        "Authentication required. (give them as redis://USER:PASSWORD@HOST",
    );
    // The server's may come from elsewhere, as for any address.
    let folder = folder();
    let done = submitter("jobs list")
        .env("FARM_REDIS", &url)
        .env("FARM_REDIS_PASSWORD", "hunter2-server")
        .within(&folder)
        .ok();
    assert!(!done.stderr.contains("hunter2"), "{done:?}");
    let url = format!("redis+sentinel://:hunter2-server@{place}/farm/0{right}");
    let worker = Worker::start_at(&url, "worker", "--backend cpu --threads 1");
    assert!(!worker.said().contains("hunter2"), "{}", worker.said());
    let line = std::fs::read(format!("/proc/{}/cmdline", worker.pid()));
    let line = String::from_utf8_lossy(&line.unwrap_or_default()).into_owned();
    assert!(!line.contains("hunter2"), "{line}");
}

/// Arguments of a server that speaks TLS as `pair`, at this port.
fn tls(authority: &Authority, pair: &Pair, port: u16) -> Vec<(&'static str, String)> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    vec![
        ("tls-port", port.to_string()),
        ("tls-cert-file", text(&pair.certificate)),
        ("tls-key-file", text(&pair.key)),
        ("tls-ca-cert-file", text(&authority.file())),
        ("tls-auth-clients", "no".to_owned()),
        ("tls-replication", "yes".to_owned()),
    ]
}

#[test]
fn tls_holds_for_sentinels_and_for_the_server_that_they_name() {
    let (authority, other) = (Authority::new(), Authority::new());
    let pair = authority.server("127.0.0.1");
    let (at, sentinels) = (free_port(), free_port());
    let words: Vec<String> = (tls(&authority, &pair, at).into_iter())
        .flat_map(|(name, value)| [format!("--{name}"), value])
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let server = Server::start_with(&words);
    // Its own port is in plain text, for the test.
    let lines: Vec<String> = (tls(&authority, &pair, sentinels).into_iter())
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let sentinel = Sentinel::start(("127.0.0.1", at), &lines.join("\n"), None);
    let folder = folder();
    let url = format!("rediss+sentinel://127.0.0.1:{sentinels}/farm");
    let (ca, foreign) = (authority.file(), other.file());
    let farm = format!("--redis {url} --tls-ca {}", ca.display());
    let _worker = Worker::ready(
        Run::program("farm-worker")
            .args(["--backend", "cpu", "--threads", "1"])
            .args(farm.split_whitespace()),
    );
    let render = |more: &str| {
        submitter(&format!("render -q {QUICK} --backend cpu -o x.npy {more}")).within(&folder)
    };
    render(&farm).ok();
    let made = digest(folder.path().join("x.npy"));
    render("").ok();
    assert_eq!(made, digest(folder.path().join("x.npy")));
    assert_eq!(server.job_keys(), [""; 0]);
    let strange = format!("--redis {url} --tls-ca {}", foreign.display());
    let plain = format!(
        "--redis rediss+sentinel://{}/farm --tls-ca {}",
        sentinel.place(),
        ca.display()
    );
    let given = format!("--redis {} --tls-ca {}", sentinel.url(), ca.display());
    for (options, says) in [
        (strange, "authority that is not trusted"),
        (plain, "TLS"),
        (given, "use rediss+sentinel://"),
    ] {
        let done = render(&options).run();
        assert_ne!(done.code, Some(0), "{done:?}");
        let [line] = done.words()[..] else {
            panic!("one line: {done:?}")
        };
        assert!(line.contains(says), "'{says}' in: {line}");
    }
}
