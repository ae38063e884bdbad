//! Iteration counts against the exact oracle, through the command line, on both back ends.

use farm_tests::oracle::{Comparison, Oracle};
use farm_tests::pictures::Npy;
use farm_tests::{folder, gpu, submitter};

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
