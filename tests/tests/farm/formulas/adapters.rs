//! Other formulas on adapters: by themselves, on a farm, and beside processors.

use farm_tests::pictures::Npy;
use farm_tests::{Server, Worker, folder, gpu, submitter};
use serde_json::Value;

/// A formula, and what makes its view.
const VIEWS: [(&str, &str); 5] = [
    ("burning-ship", "--density 40"),
    ("multibrot-5", "--density 40"),
    (
        "sqr add / absx absy pow3 add",
        "--re -0.4 --im 0.1 --zoom 0.7 --size 120x90",
    ),
    (
        "absx absy pow3 add / sqr add",
        "--re -0.4 --im 0.1 --zoom 0.7 --size 120x90",
    ),
    ("tricorn", "--julia -0.6 0.4 --density 40"),
];

/// Counts of a view, and what the render reports.
fn counts(formula: &str, view: &str, how: &str) -> (Vec<u32>, Value) {
    let folder = folder();
    let line = format!("render {view} --iterations 300 --measure iterations --json {how} -o x.npy");
    let run = submitter(&line).arg("--formula").arg(formula);
    let report = run.within(&folder).ok().json();
    let counts = Npy::read(folder.path().join("x.npy")).u32s().to_vec();
    (counts, report)
}

/// Percent of counts that differ.
fn differing(ours: &[u32], known: &[u32]) -> f64 {
    assert_eq!(ours.len(), known.len());
    let differ = ours.iter().zip(known).filter(|(a, b)| a != b).count();
    100.0 * differ as f64 / known.len() as f64
}

#[test]
fn adapters_count_as_processors_do() {
    if !gpu::is_there() {
        return;
    }
    let mut all: Vec<Vec<u32>> = Vec::new();
    for (formula, view) in VIEWS {
        let (known, _) = counts(formula, view, "--backend cpu");
        let (ours, report) = counts(formula, view, "--backend gpu");
        let differ = differing(&ours, &known);
        assert!(differ <= 2.0, "{formula}: {differ} %");
        let arithmetic = report["workers"][0]["arithmetic"]
            .as_str()
            .expect("its arithmetic");
        assert!(!arithmetic.contains("delta"), "{report}");
        // Control: no two formulas are alike.
        assert!(
            all.iter()
                .all(|other| other.len() != ours.len() || differing(other, &ours) > 5.0)
        );
        all.push(ours);
    }
}

#[test]
fn adapters_and_processors_of_a_farm_make_one_picture() {
    if !gpu::is_there() {
        return;
    }
    let server = Server::start();
    let _adapter = Worker::start_with(&server, "adapter", "--backend gpu");
    let _processor = Worker::start_with(&server, "processor", "--backend cpu --threads 1");
    let how = format!("--strip-rows 1 --redis {}", server.url());
    for (formula, view) in &VIEWS[1..4] {
        let (known, _) = counts(formula, view, "--backend cpu");
        let (ours, report) = counts(formula, view, &how);
        let differ = differing(&ours, &known);
        assert!(differ <= 2.0, "{formula}: {differ} %");
        assert!(
            report["workers"]
                .as_array()
                .is_some_and(|workers| !workers.is_empty())
        );
        // Deep views are left to the processor.
        let deep = "--re -1.755 --im -0.03 --zoom 1e12 --size 12x8";
        let (ours, report) = counts(formula, deep, &how);
        let (known, _) = counts(formula, deep, "--backend cpu");
        assert_eq!(ours, known, "{formula}");
        let workers = report["workers"].as_array().expect("workers");
        assert_eq!(workers.len(), 1, "{report}");
        assert!(report.to_string().contains("processor"), "{report}");
    }
}

#[test]
fn what_adapters_lack_is_refused_in_one_line() {
    for (formula, more, said) in [
        (
            "burning-ship",
            "--re 0 --im 0 --zoom 1e12",
            "deep views of Julia sets",
        ),
        ("pow16 add", "--density 8", "so high a degree"),
    ] {
        let line = format!("render {more} --backend gpu -o x.png");
        let refused = submitter(&line).arg("--formula").arg(formula).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(said), "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    }
}
