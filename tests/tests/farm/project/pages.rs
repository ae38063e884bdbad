//! Pages of the documentation, every command of them as a reader types it, but for sizes that take less time.

use std::path::Path;
use std::time::{Duration, Instant};

use farm_tests::page::{self, BlockUse, Reader};
use farm_tests::programs::Finished;
use farm_tests::server::free_port;
use farm_tests::{folder, house, names_in, submitter};
use tempfile::TempDir;

const LIFE: Duration = Duration::from_secs(240);

/// Reads a page and runs its commands; what they said, and how many blocks there were.
fn walk(page: &str, folder: &TempDir, before: &str, replaced: &[(&str, &str)]) -> (String, usize) {
    let text = page::read(page);
    let blocks = page::blocks(&text)
        .unwrap_or_else(|line| panic!("{page}, line {line}: it does not say whether it is run"));
    let mut reader = Reader::new(folder.path(), replaced);
    reader.run(before);
    let (mut said, mut ran) = (String::new(), 0);
    for block in &blocks {
        match &block.usage {
            BlockUse::NotRun(why) => assert!(why.len() > 5, "{page}, line {}", block.line),
            BlockUse::Background => {
                let started = reader.start(&block.commands, LIFE);
                // Redis says on stdout that it is there, the page its address, and a worker that it is ready on stderr.
                let begun = Instant::now();
                let is_there = |said: &str| {
                    ["Ready to accept connections", "ready", "/?token="]
                        .iter()
                        .any(|words| said.contains(words))
                };
                while !is_there(&started.written()) && !is_there(&started.said()) {
                    assert!(started.is_running(), "{page}: {}", started.said());
                    assert!(begun.elapsed() < LIFE, "{page}: {}", started.said());
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            BlockUse::Run => {
                let Finished { stdout, .. } = reader.run(&block.commands);
                said += &stdout;
                ran += 1;
            }
        }
    }
    (said, ran)
}

#[track_caller]
fn are_there(folder: &TempDir, files: &[&str]) {
    for file in files {
        let path = folder.path().join(file);
        assert!(path.exists(), "{file} in {:?}", names_in(folder.path()));
    }
}

fn copy(from: &str, folder: &Path, name: &str) {
    std::fs::copy(house::top().join(from), folder.join(name)).expect("a file");
}

#[test]
fn a_first_picture() {
    let folder = folder();
    let replaced = [
        ("3840x2160", "384x216"),
        ("submitter serve", "submitter serve --listen 127.0.0.1:0"),
    ];
    let (said, ran) = walk("docs/first-picture.md", &folder, "", &replaced);
    assert!(ran == 2 && said.contains("dusk"), "{said}");
    are_there(
        &folder,
        &["first.png", "magma.png", "large.png", "deeper.png"],
    );
}

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
fn videos() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("worlds")).expect("a folder");
    copy(
        "worlds/4-local.penvm",
        folder.path(),
        "worlds/4-local.penvm",
    );
    let place = "re = \"-0.7436438870371587\"\nim = \"0.13182590420531197\"\nzoom = \"4000\"\niterations = 300\n";
    std::fs::write(folder.path().join("place.toml"), place).expect("a place");
    let small = "--size 96x54 --fps 8";
    let replaced = [
        (
            "--to 1e11 --iterations 10000",
            &*format!("--to 64 --iterations 300 {small}"),
        ),
        (
            "--size 1920x1080 --fps 60 --ease 2",
            &*format!("{small} --ease 1"),
        ),
        ("--rotate 180", &*format!("--rotate 180 {small}")),
        ("--preview", "--preview --size 320x180"),
        (
            "--world worlds/4-local.penvm",
            &*format!("--world worlds/4-local.penvm {small}"),
        ),
        ("--to 1e50 --size 640x360", "--to 64 --size 64x36"),
    ]
    .map(|(word, by)| (word, by.to_owned()));
    let replaced: Vec<(&str, &str)> = replaced.iter().map(|(word, by)| (*word, &**by)).collect();
    // The last of the first block is the first's file again: a video that is there already is made anew.
    let before = "export FARM_STATE=$PWD/state\n";
    let (_, ran) = walk("docs/zoom.md", &folder, before, &replaced);
    assert_eq!(ran, 2);
    are_there(
        &folder,
        &["dive.mp4", "out.webm", "quick.mp4", "keys", "frames"],
    );
}

#[test]
fn deep_places() {
    let folder = folder();
    copy("tests/data/locations/place.kfr", folder.path(), "place.kfr");
    let replaced = [
        (
            "--re RE --im IM --zoom 1e30",
            "--re -0.7436438870371587 --im 0.13182590420531197 --zoom 1e11",
        ),
        ("--re RE --im IM", "--re 0 --im 1"),
        ("--iterations 263010", "--iterations 3000"),
        ("1024x1024", "64x64"),
        ("1920x1080", "96x54"),
        ("--zoom 2e12 -o", "--zoom 2e12 --size 96x54 -o"),
    ];
    let (_, ran) = walk("docs/deep-zoom.md", &folder, "", &replaced);
    assert_eq!(ran, 3);
    are_there(&folder, &["deep.png", "mini.png", "around.png", "mini.kfr"]);
}

#[test]
fn files_of_every_kind() {
    let folder = folder();
    for file in ["place.kfr", "place.f3.toml"] {
        copy(&format!("tests/data/locations/{file}"), folder.path(), file);
    }
    let before = "submitter render --re -0.7436 --im 0.1318 --zoom 30 --size 96x54 -q -o place.exr -o spiral.png\n";
    let replaced = [
        ("1920x1080", "96x54"),
        ("--rotate 33", "--rotate 33 --size 96x54"),
    ];
    let (said, ran) = walk("docs/files.md", &folder, before, &replaced);
    assert!(ran == 5 && said.contains("96 x 54"), "{said}");
    are_there(
        &folder,
        &[
            "place.png",
            "deeper.png",
            "stretched.png",
            "mini.toml",
            "again.png",
            "other.png",
            "x.exr",
        ],
    );
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("a picture");
    assert!(
        read("again.png") == read("spiral.png"),
        "a picture made again from itself"
    );
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
