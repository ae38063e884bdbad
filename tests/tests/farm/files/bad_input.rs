//! What cannot be done is refused in one clear line, with the right exit status, and leaves nothing.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use farm_tests::programs::{Finished, Run};
use farm_tests::server::free_port;
use farm_tests::{Server, Worker, folder, names_in, submitter};

const FAILED: i32 = 1;
const USAGE: i32 = 2;
/// How long a program may try before it says that it cannot.
const PATIENCE: Duration = Duration::from_secs(30);

/// One line on stderr that begins with the program's name and holds `says`; nothing on stdout.
fn assert_refused(done: &Finished, code: i32, says: &str) {
    let program = done.line.split(' ').next().unwrap_or_default();
    assert_eq!(done.code, Some(code), "{done:?}");
    assert_eq!(done.stdout, "", "{done:?}");
    let [line] = done.words()[..] else {
        panic!("one line: {done:?}")
    };
    assert!(line.starts_with(&format!("{program}: ")), "{line}");
    assert!(line.contains(says), "'{says}' in: {line}");
    assert!(line.len() < 1000 && !line.contains('\u{1b}'), "{line}");
    // The same cause said twice is a chain of errors that was put together wrongly.
    let parts: Vec<&str> = line.split(": ").collect();
    let mut distinct = parts.clone();
    distinct.dedup();
    assert_eq!(parts, distinct, "{line}");
}

/// A render in an empty folder that has to be refused, and leave the folder empty.
fn assert_render_refused(args: &str, code: i32, says: &str) -> Finished {
    let folder = folder();
    let done = submitter(&format!("render {args}"))
        .within(&folder)
        .limit(PATIENCE)
        .run();
    assert_refused(&done, code, says);
    assert_eq!(names_in(folder.path()), [""; 0], "{done:?}");
    done
}

/// Arguments of `render`, and what the line says about them.
const MISUSES: &[(&str, &str)] = &[
    // Unknown, or half given.
    ("--dens 5", "--density"),
    ("--frobnicate", "--frobnicate"),
    ("picture.png", "picture.png"),
    ("--density", "--density"),
    ("-o", "-o"),
    ("--json=yes", "--json"),
    ("--grid hexagonal", "linspace"),
    ("--measure colour", "smooth"),
    ("--palette beige", "plasma"),
    ("--backend abacus", "cpu"),
    ("--compression lots", "fast"),
    // Not numbers.
    ("--density abc", "abc"),
    ("--density 1e", "1e"),
    ("--density nan", "nan"),
    ("--density inf", "inf"),
    ("--density 0x10", "0x10"),
    ("--density 1,5", "1,5"),
    ("--xmin --5", "--5"),
    ("--re x --im 0 --zoom 1", "'x'"),
    ("--re 0 --im 0 --zoom 1e99999999999", "limit"),
    ("--iterations many", "many"),
    ("--iterations 1.5", "1.5"),
    ("--iterations -1", "-1"),
    ("--iterations 99999999999999999999999", "--iterations"),
    ("--escape-radius x", "x"),
    ("--z0 a b", "--z0"),
    ("--workers few", "few"),
    ("--threads 0", "1..=1024"),
    ("--threads 1025", "1..=1024"),
    ("--threads all", "all"),
    ("--strip-rows 1.5", "1.5"),
    ("--re 0 --im 0 --zoom 1 --size big", "1920x1080"),
    ("--re 0 --im 0 --zoom 1 --size 5", "1920x1080"),
    ("--re 0 --im 0 --zoom 1 --size 5x5x5", "1920x1080"),
    ("--re 0 --im 0 --zoom 1 --size=-5x5", "-5x5"),
    // Contradictory, or not whole.
    ("--re 0", "--im"),
    ("--re 0 --im 0", "--zoom"),
    ("--zoom 5", "--re"),
    ("--size 5x5", "--re"),
    ("--re 0 --im 0 --zoom 1 --density 5", "--density"),
    ("--re 0 --im 0 --zoom 1 --xmin 0", "--xmin"),
    ("--density 1 --density 2", "--density"),
    ("--z0 1", "--z0"),
    ("-o x.png -o x.png", "given twice"),
    // Out of order, or without extent.
    ("--xmin 1", "xmin 1 is not below xmax 0.5"),
    ("--xmin 0.5 --xmax 0.5", "xmin 0.5 is not below xmax 0.5"),
    ("--ymin 2 --ymax -2", "ymin 2 is not below ymax -2"),
    ("--re 0 --im 0 --zoom 0", "zoom 0"),
    ("--re 0 --im 0 --zoom -3", "zoom -3"),
    ("--colour-range 9 3", "--colour-range"),
    // Nothing, or too much.
    ("--density 0", "--density 0"),
    ("--density -4", "--density -4"),
    ("--density 0.1", "0 x 0"),
    ("--density 100000", "131072"),
    ("--density 1e30", "2^17"),
    ("--re 0 --im 0 --zoom 1 --size 0x5", "0 x 5"),
    ("--re 0 --im 0 --zoom 1 --size 5x0", "5 x 0"),
    ("--re 0 --im 0 --zoom 1 --size 131073x1", "131072"),
    ("--re 0 --im 0 --zoom 1 --size 1x131073", "131072"),
    ("--re 0 --im 0 --zoom 1 --size 4294967296x1", "1920x1080"),
    ("--iterations 0", "iteration limit of 0"),
    ("--iterations 9007199254740993", "9007199254740992"),
    ("--escape-radius 0", "escape radius 0"),
    ("--escape-radius -2", "-2"),
    ("--escape-radius nan", "escape radius"),
    ("--escape-radius inf", "escape radius"),
    ("--escape-radius 1e10", "1e9"),
    ("--z0 nan 0", "start value"),
    ("--z0 0 inf", "start value"),
    ("--z0 1e10 0", "start value"),
    ("--workers 0", "--workers"),
    ("--workers 1000000", "--workers"),
    ("--strip-rows 0", "--strip-rows"),
    ("--density 4096 --strip-rows 1000", "at most 102 rows"),
    // Files of no kind.
    ("-o picture", ".avif, .npy, .exr, .kfr or .toml"),
    ("-o picture.gif", ".avif, .npy, .exr, .kfr or .toml"),
    ("-o .png", ".avif, .npy, .exr, .kfr or .toml"),
    // Addresses that are none.
    ("--redis nonsense", "Redis"),
    ("--redis http://127.0.0.1", "Redis"),
    ("--redis redis://127.0.0.1:port", "Redis"),
];

#[test]
fn misuse_is_one_line_and_status_2() {
    for (args, says) in MISUSES {
        assert_render_refused(args, USAGE, says);
    }
}

#[test]
fn an_address_that_is_none_is_the_users_mistake_for_every_command() {
    let folder = folder();
    for command in [
        "zoom --re -0.75 --im 0.1 --to 8 --size 32x18 -o a.mkv",
        "zoom --re -0.75 --im 0.1 --to 8 --size 32x18 --fallback auto -o a.mkv",
        "scale --density 16 --workers 1",
        "render --density 16 --fallback auto",
    ] {
        let done = submitter(&format!("{command} --redis nonsense"))
            .within(&folder)
            .limit(PATIENCE)
            .run();
        assert_refused(&done, USAGE, "Redis");
        assert_eq!(names_in(folder.path()), [""; 0], "{done:?}");
    }
}

#[test]
fn programs_without_a_command_say_what_is_missing() {
    for (program, args, says) in [
        ("submitter", "", "--help"),
        ("submitter", "rendr", "render"),
        ("submitter", "completions", "<SHELL>"),
        ("submitter", "completions sh", "bash"),
        ("farm-worker", "", "--redis"),
        ("farm-worker", "bench --backend abacus", "cpu"),
        (
            "farm-worker",
            "--redis redis://127.0.0.1 --threads 0",
            "--threads",
        ),
        (
            "farm-worker",
            "--redis redis://127.0.0.1 --backend abacus",
            "cpu",
        ),
        ("farm-worker", "--redis nonsense", "Redis"),
        ("farm-worker", "frobnicate", "frobnicate"),
    ] {
        let done = Run::program(program)
            .args(args.split_whitespace())
            .limit(PATIENCE)
            .run();
        assert_refused(&done, USAGE, says);
    }
}

/// Both programs on a Redis, without and with whatever the address holds.
fn assert_both_refused(url: &str, says: &str, secret: &str) {
    let render = assert_render_refused(&format!("--density 16 --redis {url}"), FAILED, says);
    let work = Run::program("farm-worker")
        .args(["--log", "error", "--redis", url])
        .limit(PATIENCE)
        .run();
    assert_refused(&work, FAILED, says);
    for done in [render, work] {
        assert!(
            secret.is_empty() || !done.stderr.contains(secret),
            "{done:?}"
        );
    }
}

#[test]
fn a_redis_that_is_not_there() {
    let port = free_port();
    assert_both_refused(
        &format!("redis://127.0.0.1:{port}"),
        &format!("127.0.0.1:{port}"),
        "",
    );
    assert_both_refused(
        &format!("redis://:hunter2@127.0.0.1:{port}"),
        "cannot reach Redis",
        "hunter2",
    );
    assert_both_refused("unix:///nowhere/redis.sock", "/nowhere/redis.sock", "");
    // The environment names it as well as the option does.
    let folder = folder();
    let run =
        submitter("render --density 16").env("FARM_REDIS", &format!("redis://127.0.0.1:{port}"));
    assert_refused(&run.within(&folder).run(), FAILED, "cannot reach Redis");
}

#[test]
fn a_host_that_never_answers_and_one_that_speaks_something_else() {
    // Connections are taken by the system, and nobody reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    assert_both_refused(
        &format!("redis://127.0.0.1:{port}"),
        "cannot reach Redis",
        "",
    );

    let web = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = web.local_addr().expect("an address").port();
    std::thread::Builder::new()
        .name("web-server".into())
        .spawn(move || {
            for stream in web.incoming().flatten() {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }
        })
        .expect("a thread");
    assert_both_refused(&format!("redis://127.0.0.1:{port}"), "Redis", "");
}

#[test]
fn a_redis_with_a_password() {
    let server = Server::start_with(&["--requirepass", "s3same-0pen"]);
    assert_both_refused(&server.url_with(None), "refused the credentials", "s3same");
    assert_both_refused(
        &server.url_with(Some("mellon-friend")),
        "refused the credentials",
        "mellon",
    );
    let somebody = server.url().replace("redis://:", "redis://somebody:");
    assert_both_refused(&somebody, "refused the credentials", "s3same");
    // Control: with the right one it works, and is not said either.
    let worker = Worker::start(&server, "worker");
    let folder = folder();
    let line = format!(
        "render --density 16 --backend cpu -o x.png --json --redis {}",
        server.url()
    );
    let done = submitter(&line).within(&folder).ok();
    for said in [worker.said(), done.stdout, done.stderr] {
        assert!(!said.contains("s3same"), "{said}");
    }
}

#[test]
fn a_redis_that_evicts() {
    for policy in [
        "allkeys-lru",
        "allkeys-random",
        "volatile-ttl",
        "volatile-lru",
    ] {
        let server = Server::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", policy]);
        assert_both_refused(&server.url(), "noeviction", "");
        assert_eq!(server.keys("*"), [""; 0]);
    }
}

#[test]
fn a_redis_that_is_full() {
    let server = Server::start_with(&["--maxmemory", "4mb", "--maxmemory-policy", "noeviction"]);
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let redis = server.url();
    for file in ["x.png", "x.npy", "x.exr"] {
        let args = format!("--density 1024 --backend cpu -q -o {file} --redis {redis}");
        assert_render_refused(&args, FAILED, "memory");
    }
    assert_eq!(server.job_keys(), [""; 0]);
}

#[test]
fn files_that_cannot_be_written() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "").unwrap();
    std::fs::create_dir(folder.path().join("folder.png")).unwrap();
    let before = names_in(folder.path());
    let long = format!("{}.png", "x".repeat(252));
    for (path, says) in [
        ("nowhere/x.png", "nowhere/x.png"),
        ("file/x.png", "file/x.png"),
        ("/proc/x.png", "/proc/x.png"),
        ("folder.png", "is a directory"),
        ("./folder.png/", "is a directory"),
        (&long, "cannot be written"),
    ] {
        // Refused before any work, and the good one beside it is not left either.
        let done =
            submitter("render --density 4096 --iterations 1000000 --backend cpu -o good.npy -o")
                .arg(path)
                .within(&folder)
                .limit(PATIENCE)
                .run();
        assert_refused(&done, FAILED, says);
        assert_eq!(names_in(folder.path()), before, "{path}");
    }
}

#[test]
fn no_adapter_where_one_is_asked_for() {
    let nowhere = |run: Run| {
        run.env("VK_DRIVER_FILES", "/dev/null")
            .env("VK_ICD_FILENAMES", "/dev/null")
            .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/dev/null")
    };
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED: adapters can be hidden on Linux only");
        return;
    }
    let folder = folder();
    let done = nowhere(submitter("render --density 16 --backend gpu"))
        .within(&folder)
        .run();
    assert_refused(&done, FAILED, "adapter");
    assert_eq!(names_in(folder.path()), [""; 0]);
    // Left to choose, the farm takes the processor.
    let done = nowhere(submitter("render --density 16 --json"))
        .within(&folder)
        .ok();
    assert_eq!(done.json()["workers"][0]["backend"], "cpu");
}

/// Renders that fill a small disk: an array, whose size is known before, and files whose size is not.
/// More than a megabyte each.
const FILLING: [&str; 3] = [
    "render --density 1024 --iterations 300 --backend cpu -q -o x.npy",
    "render --density 1024 --iterations 300 --backend cpu -q -o x.png",
    "render --density 1024 --iterations 300 --backend cpu -q -o x.exr",
];

#[test]
fn a_disk_that_fills_up() {
    let folder = folder();
    let mount = folder.path().join("small");
    let listing = folder.path().join("listing");
    std::fs::create_dir(&mount).unwrap();
    // A disk of 1 MiB that only this child sees; what is left on it is listed before it goes.
    let script = "mount -t tmpfs -o size=1m none \"$0\" || exit 77; cd \"$0\"; listing=$1; shift; \
                  \"$@\"; code=$?; ls -A . > \"$listing\"; exit $code";
    for args in FILLING {
        let isolation = ["--user", "--map-root-user", "--mount", "sh", "-c", script];
        let paths = [mount.to_string_lossy(), listing.to_string_lossy()];
        let all: Vec<&str> = isolation
            .into_iter()
            .chain(paths.iter().map(AsRef::as_ref))
            .collect();
        let mut done = submitter(args).under("unshare", &all).run();
        if done.code == Some(77) || done.stderr.contains("unshare") {
            eprintln!("SKIPPED: no disk can be mounted here: {}", done.stderr);
            return;
        }
        done.line = format!("submitter {args}");
        assert_refused(&done, FAILED, "x.");
        assert_eq!(std::fs::read_to_string(&listing).unwrap(), "", "{done:?}");
    }
}

#[test]
fn a_file_that_may_not_grow() {
    // The same on every Unix: the system refuses to write past 256 KiB.
    let limit = ["-c", "trap '' XFSZ; ulimit -f 256; exec \"$0\" \"$@\""];
    for args in FILLING {
        let folder = folder();
        let mut done = submitter(args).within(&folder).under("sh", &limit).run();
        done.line = format!("submitter {args}");
        assert_refused(&done, FAILED, "writing failed");
        assert_left_empty(folder.path());
        // Control: it is the limit that stops it.
        submitter(args).within(&folder).ok();
    }
}

fn assert_left_empty(folder: &Path) {
    assert_eq!(names_in(folder), [""; 0]);
}
