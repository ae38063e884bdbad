//! Pages about farms, their protection, the page, and the programs.

use farm_tests::server::free_port;
use farm_tests::{folder, submitter};

use super::walk::{are_there, copy, walk};

/// The farm of the page's two halves, and then what the longer page says of one.
#[test]
fn a_farm_and_what_it_can_do() {
    let folder = folder();
    let (one, other) = (free_port().to_string(), free_port().to_string());
    let here = format!("redis://127.0.0.1:{one}");
    let there = format!("redis://127.0.0.1:{other}");
    let bound = |port: &str| format!("redis-server --port {port} --bind 127.0.0.1 --save ''");
    let (first, second) = (
        format!(
            "{} --maxmemory-policy noeviction --protected-mode no",
            bound(&other)
        ),
        format!("{} --maxmemory-policy noeviction\n", bound(&one)),
    );
    let replaced = [
        (
            "redis-server --maxmemory-policy noeviction --protected-mode no",
            &*first,
        ),
        ("redis-server --maxmemory-policy noeviction\n", &*second),
        ("redis://localhost", &*here),
        ("redis://HOST", &*there),
        (
            "farm-worker --redis",
            "farm-worker --backend cpu --threads 1 --redis",
        ),
        ("--density 4096", "--density 200"),
        ("--density 8192", "--density 200"),
        ("submitter serve", "submitter serve --listen 127.0.0.1:0"),
    ];
    let (_, ran) = walk("docs/farm-start.md", &folder, "", &replaced);
    assert_eq!(ran, 2);
    are_there(&folder, &["set.png", "big.png"]);
    let alone = "render --density 200 -q -o alone.png";
    submitter(alone).within(&folder).ok();
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("a picture");
    assert!(read("set.png") == read("alone.png") && read("big.png") == read("alone.png"));
}

#[test]
fn what_a_farm_can_do() {
    let folder = folder();
    let server = farm_tests::Server::start();
    std::fs::create_dir(folder.path().join("worlds")).expect("a folder");
    copy(
        "worlds/4-local.penvm",
        folder.path(),
        "worlds/4-local.penvm",
    );
    let metrics = format!("127.0.0.1:{}", free_port());
    let url = server.url();
    let replaced = [
        ("redis://HOST", &*url),
        ("127.0.0.1:9464", &*metrics),
        (
            "farm-worker --redis",
            "farm-worker --backend cpu --threads 1 --redis",
        ),
        ("--density 2048", "--density 100"),
        ("--workers 1..4 -o", "--workers 1..4 --density 100 -o"),
        (
            "--workers 1,2,4,8 --repeat 5",
            "--workers 1 --repeat 2 --density 100",
        ),
    ];
    let before = "export FARM_STATE=$PWD/state\n";
    let (said, ran) = walk("docs/farm.md", &folder, before, &replaced);
    assert_eq!(ran, 3, "{said}");
    are_there(&folder, &["a.png", "scale.svg"]);
}

#[test]
fn completions_and_manual_pages() {
    let folder = folder();
    let (_, ran) = walk("docs/commands.md", &folder, "export HOME=$PWD\n", &[]);
    assert_eq!(ran, 1);
    are_there(
        &folder,
        &[
            ".zfunc/_submitter",
            ".local/share/man/man1/submitter-render.1",
        ],
    );
}

#[test]
fn worlds() {
    let folder = folder();
    copy(
        "worlds/4-local.penvm",
        folder.path(),
        "worlds/4-local.penvm",
    );
    let replaced = [("-o a.png", "--density 64 -o a.png")];
    let before = "export FARM_STATE=$PWD/state\n";
    let (said, ran) = walk("docs/worlds.md", &folder, before, &replaced);
    assert!(ran == 1 && said.contains("serving"), "{said}");
    are_there(&folder, &["a.png"]);
}

#[test]
fn the_page_and_its_jobs() {
    let folder = folder();
    let replaced = [
        ("submitter serve", "submitter serve --listen 127.0.0.1:0"),
        ("16384x9216", "96x54"),
        ("--to 1e11", "--to 16 --size 64x36 --fps 4 --iterations 300"),
        (
            "submitter jobs list",
            "until [ -e pictures/dive.mp4 ]; do sleep 0.1; done; submitter jobs list",
        ),
    ];
    let (said, ran) = walk("docs/page.md", &folder, "", &replaced);
    assert_eq!(ran, 1);
    assert!(
        said.contains("poster.png") && said.contains("dive.mp4"),
        "{said}"
    );
    are_there(&folder, &["pictures/poster.png", "pictures/dive.mp4"]);
}

#[test]
fn a_protected_farm() {
    let folder = folder();
    let port = free_port().to_string();
    let server = format!("--bind 127.0.0.1 --save '' --tls-port {port}");
    let as_worker = "farm-worker --redis rediss://HOST --tls-ca ca.pem --redis-user farm-worker --redis-password-file worker.pw --farm-key-file";
    let as_submitter = "submitter render --redis rediss://HOST --tls-ca ca.pem --redis-user farm-submitter --redis-password-file submitter.pw --farm-key-file";
    let [host, at] = [
        format!("rediss://localhost:{port}"),
        format!("localhost -p {port}"),
    ];
    let replaced = [
        // Redis has users by then, as the page says.
        (
            "farm-worker --redis rediss://HOST --tls-ca ca.pem --farm-key-file",
            as_worker,
        ),
        (
            "submitter render --redis rediss://HOST --tls-ca ca.pem --farm-key-file",
            as_submitter,
        ),
        (
            "farm-worker --redis rediss",
            "farm-worker --backend cpu --threads 1 --redis rediss",
        ),
        (
            "submitter render",
            "submitter render -o set.png --density 64",
        ),
        ("--density 4096", ""),
        ("--tls-port 6379", &*server),
        ("rediss://HOST", &*host),
        ("-h HOST", &*format!("-h {at}")),
        ("HOST", "localhost"),
    ];
    let (said, ran) = walk("docs/security.md", &folder, "", &replaced);
    assert_eq!(ran, 9);
    // Three users are made, one gets a new password, and loses the old one.
    assert_eq!(
        said.lines().filter(|line| *line == "OK").count(),
        5,
        "{said}"
    );
    let alone = "render --density 64 -q -o alone.png";
    submitter(alone).within(&folder).ok();
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("a picture");
    assert!(read("set.png") == read("alone.png"));
}

/// The first page of all, whose farm is that of `docs/farm-start.md`.
#[test]
fn the_readme() {
    let folder = folder();
    let replaced = [
        ("cargo build --release\n", ""),
        ("target/release/submitter", "submitter"),
        ("1280x720", "128x72"),
        ("1920x1080", "96x54"),
        (
            "--iterations 10000 --preview",
            "--iterations 300 --size 64x36 --fps 4",
        ),
        ("--to 1e11", "--to 16"),
    ];
    let (_, ran) = walk("README.md", &folder, "", &replaced);
    assert_eq!(ran, 6);
    are_there(
        &folder,
        &[
            "spiral.png",
            "dusk.png",
            "mini.png",
            "ship.png",
            "julia.png",
            "dive.mp4",
            "view.npy",
            "view.exr",
        ],
    );
}
