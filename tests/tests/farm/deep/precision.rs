//! An arithmetic that does not suffice for a view is found out before the picture is computed with it; and what a
//! machine can do is measured on scenes whose counts are known.

use farm_tests::pictures::Npy;
use farm_tests::programs::Run;
use farm_tests::{Server, Worker, digest, folder, gpu, submitter};
use serde_json::Value;

/// Dense with boundary, so that plain doubles miscount more than they may, though the view is not deep.
const DENSE: &str =
    "--re -0.743643887037151 --im 0.131825904205330 --zoom 1.7e4 --size 160x160 --iterations 2000";
/// Deeper, where they do not.
const CALM: &str = "--re -1.25066 --im 0.02012 --zoom 3e4 --size 160x120 --iterations 3000";

/// Bytes of the counts of a view, and what was said.
fn counts(view: &str, more: &str) -> (u64, String) {
    let folder = folder();
    let line = format!("render {view} --measure iterations -o x.npy --log info {more}");
    let done = submitter(&line).within(&folder).ok();
    (digest(folder.path().join("x.npy")), done.stderr)
}

#[test]
fn plain_doubles_give_way_to_deltas_where_samples_say_so() {
    let compared = "plain doubles compared with deltas";
    let (own, said) = counts(DENSE, "--backend cpu");
    assert!(said.contains(compared), "{said}");
    assert_eq!(own, counts(DENSE, "--backend cpu --arithmetic delta-f64").0);
    let (plain, said) = counts(DENSE, "--backend cpu --arithmetic f64");
    assert_ne!(own, plain, "what was to be avoided");
    assert!(!said.contains(compared), "{said}");
    // The same on a farm, and the orbit goes with the job.
    let server = Server::start();
    let worker = Worker::start(&server, "worker");
    let farm = format!("--backend cpu --redis {}", server.url());
    assert_eq!(own, counts(DENSE, &farm).0);
    assert_eq!(server.keys("mf:orbit:*"), [""; 0]);
    drop(worker);
    // Control: deeper, and plain doubles stay.
    let (own, said) = counts(CALM, "--backend cpu");
    assert!(said.contains(compared), "{said}");
    assert_eq!(own, counts(CALM, "--backend cpu --arithmetic f64").0);
    // Where deltas are no better than doubles, nothing is compared.
    for wide in ["--density 32", &DENSE.replace("1.7e4", "400")] {
        let (_, said) = counts(wide, "--backend cpu");
        assert!(!said.contains(compared), "{said}");
    }
}

#[test]
fn a_plan_says_what_will_be_compared() {
    let plan = |line: &str| submitter(&format!("plan {line}")).ok().stdout;
    assert!(plan(DENSE).contains("deltas instead if more than 0.5 % of 400 samples differ"));
    let deep = plan("--re -0.75 --im 0.1 --zoom 1e30");
    assert!(deep.contains("adapters compare 400 samples"), "{deep}");
    let asked_for = plan(&format!("{DENSE} --arithmetic f64"));
    assert!(!asked_for.contains("samples"), "{asked_for}");
    let json = submitter(&format!("plan --json {DENSE}")).ok().json();
    assert_eq!(
        (&json["checked"], &json["deltas"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn adapters_are_compared_with_the_processor_first() {
    if !gpu::is_there() {
        return;
    }
    let said = counts(DENSE, "--backend gpu").1;
    assert!(
        said.contains("arithmetic compared with the processor's"),
        "{said}"
    );
    let (own, said) = counts("--density 32", "--backend gpu");
    assert!(
        said.contains("arithmetic compared with the processor's"),
        "{said}"
    );
    // One that is asked for is taken as it is.
    let folder = folder();
    let line = "render --density 32 --backend gpu --measure iterations -o x.npy --log info --json";
    let report = submitter(line).within(&folder).ok().json();
    let arithmetic = report["workers"][0]["arithmetic"]
        .as_str()
        .expect("its arithmetic");
    assert!(said.contains(arithmetic), "{arithmetic}: {said}");
    let (pinned, said) = counts(
        "--density 32",
        &format!("--backend gpu --arithmetic {arithmetic}"),
    );
    assert_eq!(own, pinned);
    assert!(!said.contains("compared"), "{said}");
}

/// What `farm-worker bench` prints.
fn bench(args: &str) -> String {
    let line = format!("bench {args}");
    Run::program("farm-worker")
        .args(line.split_whitespace())
        .ok()
        .stdout
}

#[test]
fn deep_scenes_are_measured_and_their_counts_checked() {
    let json: Value = serde_json::from_str(&bench("--json --scene flake")).expect("JSON");
    let deep = json["deep"].as_array().expect("figures");
    assert!(
        json["kernels"].as_array().is_some_and(Vec::is_empty),
        "{json}"
    );
    let of = |backend: &str| deep.iter().filter(|f| f["backend"] == backend).count();
    assert!(of("cpu") > 0, "{json}");
    assert!(!gpu::is_there() || of("gpu") > 0, "{json}");
    for figure in deep {
        assert_eq!(figure["scene"], "flake");
        assert_eq!(figure["iterations_checked"], true);
        let number = |name: &str| figure[name].as_f64().unwrap_or(f64::NAN);
        // Some 30,000 a pixel.
        let each = number("iterations") / number("pixels");
        assert!((25_000.0..35_000.0).contains(&each), "{figure}");
        let rate = number("iterations") / number("secs") / 1e9;
        assert!(
            (number("giter_per_sec") / rate - 1.0).abs() < 1e-6,
            "{figure}"
        );
        if figure["backend"] == "gpu" {
            assert_eq!(number("applied") + number("skipped"), number("iterations"));
            assert!(number("applied") < number("iterations") / 20.0, "{figure}");
        }
    }
    let table = bench("--scene flake --backend cpu");
    assert!(
        table.contains("flake") && !table.contains("seahorse"),
        "{table}"
    );
    let wrong = Run::program("farm-worker")
        .args(["bench", "--scene", "nowhere"])
        .run();
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("e533"), "{wrong:?}");
}

#[test]
fn smooth_counts_and_distances_of_adapters_are_the_processors_at_depth() {
    if !gpu::is_there() {
        return;
    }
    let view = farm_tests::oracle::Oracle::load("julia-1e34").args;
    for (measure, nearness) in [("smooth", 1e-4), ("distance", 2e-2)] {
        let values = |backend: &str| {
            let folder = folder();
            let line = format!("render {view} --measure {measure} --backend {backend} -q -o x.npy");
            submitter(&line).within(&folder).ok();
            Npy::read(folder.path().join("x.npy")).values_f64()
        };
        let (processor, adapter) = (values("cpu"), values("gpu"));
        let far = |(a, b): &(&f64, &f64)| (*a - *b).abs() > nearness * a.abs().max(1e-3);
        let off = processor.iter().zip(&adapter).filter(far).count();
        assert!(
            100 * off <= processor.len(),
            "{measure}: {off} of {}",
            processor.len()
        );
        // Control: neighbours are not that near.
        let shifted = processor.iter().zip(&adapter[1..]).filter(far).count();
        assert!(2 * shifted > processor.len(), "{measure}: {shifted}");
    }
}
