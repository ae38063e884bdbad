//! The picture that the farm grew out of: |z_N| after exactly N steps on numpy's grid, against arrays
//! that numpy made.

use std::path::Path;

use farm_tests::pictures::Npy;
use farm_tests::{folder, gpu, naive, submitter};

/// How near a value has to be, and how many of them (percent).
const TOLERANCE: f64 = 1e-6;
const PERCENT: f64 = 99.9;

/// The notebook's arrays: name, density, iterations.
const ARRAYS: [(&str, u32, u32); 2] = [
    ("density32-niterations60-z0", 32, 60),
    ("density64-niterations100-z0", 64, 100),
];

/// Why `ours` is not `theirs`, if it is not: values at most 2 have to agree, all else has to be blank.
fn difference(ours: &[f64], theirs: &[f64]) -> Option<String> {
    assert_eq!(ours.len(), theirs.len());
    let (inside, outside): (Vec<usize>, Vec<usize>) =
        (0..theirs.len()).partition(|at| theirs[*at] <= 2.0);
    let near = inside
        .iter()
        .filter(|at| (ours[**at] - theirs[**at]).abs() <= TOLERANCE)
        .count();
    let blank = outside.iter().all(|at| ours[*at].is_nan());
    let percent = 100.0 * near as f64 / inside.len() as f64;
    if inside.is_empty() || percent < PERCENT {
        return Some(format!("{percent:.2} % of {} values agree", inside.len()));
    }
    (!blank).then(|| "something is not blank that has to be".to_owned())
}

fn ours(args: &str) -> Npy {
    let folder = folder();
    let args = format!("render --grid linspace --measure stability -q -o x.npy {args}");
    submitter(&args).within(&folder).ok();
    Npy::read(folder.path().join("x.npy"))
}

fn theirs(name: &str) -> Npy {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/notebook");
    Npy::read(folder.join(name).with_extension("npy"))
}

fn check_arrays(backend: &str) {
    for (name, density, iterations) in ARRAYS {
        let theirs = theirs(name);
        let ours = ours(&format!(
            "--density {density} --iterations {iterations} --backend {backend}"
        ));
        assert_eq!(
            (ours.width, ours.height),
            (theirs.width, theirs.height),
            "{name}"
        );
        assert_eq!(
            difference(&ours.f64s(), &theirs.f64s()),
            None,
            "{name} on {backend}"
        );
    }
}

#[test]
fn the_processor_computes_numpys_arrays() {
    check_arrays("cpu");
}

#[test]
fn adapters_compute_numpys_arrays() {
    if gpu::is_there() {
        check_arrays("gpu");
    }
}

#[test]
fn control_one_step_more_is_another_picture() {
    let (name, density, iterations) = ARRAYS[0];
    let ours = ours(&format!(
        "--density {density} --iterations {} --backend cpu",
        iterations + 1
    ));
    assert!(difference(&ours.f64s(), &theirs(name).f64s()).is_some());
    // A value where there has to be none is seen, too.
    let theirs = theirs(name).f64s();
    let filled: Vec<f64> = theirs
        .iter()
        .map(|v| if *v <= 2.0 { *v } else { 3.0 })
        .collect();
    assert!(difference(&filled, &theirs).is_some());
}

#[test]
fn another_start_value_is_numpys_too() {
    let (density, iterations, z0) = (40u32, 80, (0.25, -0.5));
    let (width, height) = (100usize, 120usize);
    let linspace = |low: f64, high: f64, len: usize| -> Vec<f64> {
        let step = (high - low) / (len - 1) as f64;
        (0..len).map(|at| low + at as f64 * step).collect()
    };
    let (xs, ys) = (linspace(-2.0, 0.5, width), linspace(-1.5, 1.5, height));
    let expected: Vec<f64> = ys
        .iter()
        .flat_map(|y| {
            xs.iter()
                .map(move |x| naive::stability((*x, *y), z0, iterations))
        })
        .collect();
    let args = format!("--density {density} --iterations {iterations} --backend cpu");
    let started_there = ours(&format!("{args} --z0 {} {}", z0.0, z0.1));
    assert_eq!((started_there.width, started_there.height), (width, height));
    assert_eq!(difference(&started_there.f64s(), &expected), None);
    let control = ours(&args);
    assert!(
        difference(&control.f64s(), &expected).is_some(),
        "the start value matters"
    );
}
