//! Iteration counts against the exact oracle, through the command line, on both back ends.

use farm_tests::oracle::{Comparison, Oracle};
use farm_tests::pictures::Npy;
use farm_tests::{Server, Worker, digest, folder, gpu, submitter};

/// The shallow views, and how many percent of their samples may differ on the processor and on an
/// adapter. An adapter without `f64` computes the second with two `f32` added up, whose last bits decide
/// more of the samples near the boundary.
const VIEWS: [(&str, f64, f64); 2] = [("whole-set", 2.0, 2.0), ("wiki-seahorse-wiki6", 2.0, 5.0)];

fn compare(name: &str, more: &str) -> Comparison {
    let oracle = Oracle::load(name);
    let folder = folder();
    let args = format!(
        "render {} --measure iterations -q -o x.npy {more}",
        oracle.args
    );
    submitter(&args).within(&folder).ok();
    oracle.compare(&Npy::read(folder.path().join("x.npy")))
}

#[test]
fn the_processor_agrees_with_exact_counts() {
    for (name, percent, _) in VIEWS {
        let comparison = compare(name, "--backend cpu");
        assert!(comparison.is_within(percent), "{name}: {comparison:?}");
    }
}

#[test]
fn adapters_agree_with_exact_counts() {
    if !gpu::is_there() {
        return;
    }
    for (name, _, percent) in VIEWS {
        let comparison = compare(name, "--backend gpu");
        assert!(comparison.is_within(percent), "{name}: {comparison:?}");
    }
}

#[test]
fn control_other_counts_do_not_pass() {
    // Clap lets the last of repeated options win only where it is told to; so change what was not given.
    let oracle = Oracle::load("whole-set");
    let folder = folder();
    for (what, from, to) in [
        (
            "another radius",
            "--escape-radius 256",
            "--escape-radius 16",
        ),
        (
            "too few iterations: escapes are called inside",
            "--iterations 2000",
            "--iterations 20",
        ),
        ("a view that is a pixel off", "--re -0.75", "--re -0.7417"),
    ] {
        let args = oracle.args.replace(from, to);
        assert_ne!(args, oracle.args, "{what}");
        submitter(&format!(
            "render {args} --measure iterations --backend cpu -q -o x.npy"
        ))
        .within(&folder)
        .ok();
        let comparison = oracle.compare(&Npy::read(folder.path().join("x.npy")));
        assert!(!comparison.is_within(5.0), "{what}: {comparison:?}");
    }
}

#[test]
fn settled_counts_are_exact_where_fast_ones_are_not_in_process_and_on_a_farm() {
    let server = Server::start();
    let crew = Worker::crew(&server, 2);
    let oracle = Oracle::load("../dense/dense-m-1e5");
    let render = |counts: &str, more: &str| {
        let folder = folder();
        let line = format!(
            "render {} --measure iterations --backend cpu --counts {counts} --json -o x.npy -o x.png {more}",
            oracle.args
        );
        let report = submitter(&line).within(&folder).ok().json();
        let found = oracle.compare(&Npy::read(folder.path().join("x.npy")));
        let info = submitter("info x.png").within(&folder).ok().stdout;
        let digests = ["x.npy", "x.png"].map(|name| digest(folder.path().join(name)));
        (report, found, info, digests)
    };
    let (report, found, info, _) = render("fast", "");
    assert_eq!(report["counts"], "fast");
    assert!(report["settling"].is_null(), "{report}");
    assert!(found.wrong > 0, "{found:?}");
    assert!(!info.contains("settled"), "{info}");

    let (report, found, info, here) = render("settled", "");
    assert_eq!((found.total, found.wrong), (300, 0));
    assert_eq!(report["counts"], "settled");
    let again = report["settling"]["again"].as_u64().expect("a number");
    assert!(again > 1000, "{report}");
    assert_eq!(report["settling"]["unsettled"], 0);
    let said = format!("settled, {again} pixels went again, 0 stayed unsettled");
    assert!(info.contains(&said), "{info}");

    let farm = format!("--redis {} --strip-rows 7", server.url());
    let (report, _, _, there) = render("settled", &farm);
    assert_eq!(report["settling"]["again"], again, "{report}");
    assert_eq!(there, here);
    drop(crew);
}

#[test]
fn settled_counts_of_deep_views_are_exact_and_the_same_on_a_farm() {
    let server = Server::start();
    let crew = Worker::crew(&server, 2);
    for name in ["e14", "flake"] {
        let oracle = Oracle::load(name);
        let render = |more: &str| {
            let folder = folder();
            let made = ["iterations", "distance"].map(|measure| {
                let line = format!(
                    "render {} --measure {measure} --backend cpu --counts settled --json -o {measure}.npy {more}",
                    oracle.args
                );
                let report = submitter(&line).within(&folder).ok().json();
                assert_eq!(report["settling"]["unsettled"], 0, "{report}");
                let file = folder.path().join(format!("{measure}.npy"));
                (report["settling"]["again"].clone(), digest(file))
            });
            let counts = Npy::read(folder.path().join("iterations.npy"));
            assert_eq!(oracle.compare(&counts).wrong, 0, "{name}");
            made
        };
        let here = render("");
        assert!(here[0].0.as_u64() > Some(0), "{here:?}");
        let farm = format!("--redis {} --strip-rows 37", server.url());
        assert_eq!(render(&farm), here, "{name}");
    }
    drop(crew);
}

#[test]
fn settled_counts_are_refused_where_nothing_settles_them() {
    let view = Oracle::load("../dense/dense-m-1e5").args;
    for (line, said) in [
        (format!("{view} --backend gpu"), "by processors alone"),
        (
            format!("{view} --arithmetic double-single"),
            "double-single",
        ),
        (
            format!("{view} --measure stability"),
            "stability alone has none",
        ),
    ] {
        let line = format!("render {line} --counts settled -o x.npy");
        let folder = folder();
        let refused = submitter(&line).within(&folder).run();
        assert_eq!(refused.code, Some(2), "{line}: {refused:?}");
        assert!(refused.stderr.contains(said), "{line}: {refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    }
}
