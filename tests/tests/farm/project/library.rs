//! The library's examples, run as docs/library.md has them.

use std::path::PathBuf;

use farm_tests::pictures::Png;
use farm_tests::programs::Run;
use farm_tests::{Server, Worker, digest, folder, submitter};

/// An example's program, which cargo builds with the tests of the workspace.
fn example(name: &str) -> Run {
    let tests = std::env::current_exe().expect("this program has a path");
    let built: PathBuf = (tests.ancestors().nth(2))
        .map(|folder| folder.join("examples").join(name))
        .expect("a folder of programs");
    assert!(
        built.is_file(),
        "build it: cargo build --release -p mandelfarm --examples"
    );
    Run::any(built)
}

#[test]
fn a_view_comes_as_an_array() {
    let ran = example("array").arg("-0.75").arg("0.1").arg("20").run();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let number = |name: &str| -> f64 {
        let mut lines = ran.stdout.lines();
        let line = lines
            .find_map(|line| line.strip_prefix(name))
            .expect("a line");
        line.trim().parse().expect("a number")
    };
    assert_eq!(number("pixels"), 320.0 * 180.0);
    assert!(number("inside") > 1000.0 && number("inside") < 320.0 * 180.0);
    assert!(number("least") > 1.0 && number("most") > 100.0);
    let wrong = example("array").arg("x").arg("0").arg("1").run();
    assert_ne!(wrong.code, Some(0), "{wrong:?}");
}

#[test]
fn a_request_as_json_becomes_a_file() {
    let folder = folder();
    let request = r#"{"density": "64", "palette": "dusk", "iterations": 300}"#;
    let ran = example("file")
        .arg(request)
        .arg("a.png")
        .within(&folder)
        .run();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("30720 samples in"), "{ran:?}");
    assert!(ran.stderr.contains("strips are done"), "{ran:?}");
    // As the command line makes it.
    submitter("render -q --density 64 --palette dusk --iterations 300 -o b.png")
        .within(&folder)
        .ok();
    let [a, b] = ["a.png", "b.png"].map(|name| digest(folder.path().join(name)));
    assert_eq!(a, b);
    let unknown = example("file")
        .arg(r#"{"rotate": "much"}"#)
        .arg("c.png")
        .within(&folder)
        .run();
    assert_ne!(unknown.code, Some(0), "{unknown:?}");
}

#[test]
fn a_farm_makes_the_same_picture() {
    let (server, folder) = (Server::start(), folder());
    let _worker = Worker::start(&server, "worker");
    let ran = example("farm")
        .arg(server.url())
        .arg("magma")
        .arg("a.png")
        .within(&folder)
        .run();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("640 x 768"), "{ran:?}");
    submitter("render -q --density 256 --palette magma --backend cpu -o b.png")
        .within(&folder)
        .ok();
    let [a, b] = ["a.png", "b.png"].map(|name| Png::read(folder.path().join(name)));
    assert_eq!(a.pixels, b.pixels);
}
