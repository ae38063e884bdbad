//! The check of arithmetics: what it lets through, and what not.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use fractal::reference::{self, ReferencePoint};
use fractal::{Arithmetic, FrameSpec, Grid, Measure, MeasureSet, Strip, View};

use super::adapters::Checks;
use super::samples::{grid, spread};
use super::*;
use crate::cpu::CpuDevice;
use crate::{EngineError, PreparedFrame, Progress};

/// A square about a dense place, and about a calm one at the same zoom.
const DENSE: [&str; 2] = ["-0.743643887037151", "0.131825904205330"];
const CALM: [&str; 2] = ["0.2925755", "-0.0149977"];

fn spec(centre: [&str; 2], zoom: &str, side: u32) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: centre[0].parse().unwrap(),
            im: centre[1].parse().unwrap(),
            zoom: zoom.parse().unwrap(),
        },
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: side,
        height: side,
        iterations: 2000,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Smooth),
    }
}

fn deep(spec: FrameSpec) -> PreparedFrame {
    let point = ReferencePoint::centre_of(&spec);
    let orbit = reference::compute(&spec, point, 1 << 20, &mut |_| true).unwrap();
    PreparedFrame::with_reference(spec, Arc::new(orbit)).unwrap()
}

fn doubles(centre: [&str; 2], zoom: &str) -> Comparison {
    let spec = spec(centre, zoom, 512);
    let plain = PreparedFrame::new(spec.clone()).unwrap();
    let deep = deep(frame_of_doubles(&spec));
    doubles_suffice(&plain, &deep, &Progress::default()).unwrap()
}

#[test]
fn doubles_give_way_where_a_view_is_dense_and_not_by_its_depth() {
    let (dense, calm) = (doubles(DENSE, "400"), doubles(CALM, "400"));
    assert_eq!((dense.samples, calm.samples), (400, 400));
    assert!(!dense.is_within(MOST_PERCENT_OF_DOUBLES), "{dense:?}");
    assert!(calm.is_within(MOST_PERCENT_OF_DOUBLES), "{calm:?}");
    // The same dense place from farther away.
    let far = doubles(DENSE, "4");
    assert!(far.is_within(MOST_PERCENT_OF_DOUBLES), "{far:?}");
}

#[test]
fn every_row_is_a_sample_once_and_the_first_are_far_apart() {
    for rows in 1..=SIDE {
        let all: Vec<u32> = spread(rows).collect();
        let each: BTreeSet<u32> = all.iter().copied().collect();
        assert_eq!(each.len(), rows as usize, "{all:?}");
        assert!(all.iter().all(|row| *row < rows));
    }
    let first: Vec<u32> = spread(SIDE).take(3).collect();
    assert!(first.windows(2).all(|pair| pair[0].abs_diff(pair[1]) > 4));
}

#[test]
fn samples_are_the_pictures_own_pixels() {
    let picture = PreparedFrame::new(FrameSpec {
        measures: MeasureSet::default().with(Measure::Iterations),
        ..spec(DENSE, "4", 75)
    })
    .unwrap();
    let samples = Samples::of(&picture, u64::MAX, &Progress::default()).unwrap();
    assert!(!samples.exact);
    let whole = Strip {
        index: 0,
        row0: 0,
        rows: 75,
    };
    let buffer = CpuDevice::new(None)
        .compute(&picture, whole, &Progress::default())
        .unwrap();
    let Some(counts) = buffer.values::<u32>(Measure::Iterations) else {
        panic!("no counts")
    };
    for ((column, row), count) in samples.places.iter().zip(&samples.counts) {
        assert_eq!(counts[(row * 75 + column) as usize], *count);
    }
    let cancelled = Progress::default();
    cancelled.cancel();
    let none = Samples::of(&picture, u64::MAX, &cancelled);
    assert_eq!(none, Err(EngineError::Cancelled));
}

#[test]
fn a_hundredth_is_the_most_and_nothing_may_be_falsely_inside() {
    let known: Vec<u32> = (1..=400).collect();
    let samples = |exact| Samples {
        places: vec![(0, 0); 400],
        counts: known.clone(),
        limit: 1000,
        exact,
    };
    let off = |many: usize, by: fn(u32) -> u32| {
        let changed = known.iter().enumerate();
        let changed = changed.map(|(at, n)| if at < many { by(*n) } else { *n });
        changed.collect::<Vec<u32>>()
    };
    let within = |exact, many, by| {
        let comparison = samples(exact).compare(&off(many, by));
        assert_eq!(comparison.off as usize, many);
        comparison.is_within(MOST_PERCENT)
    };
    assert!(within(true, 0, |n| n) && within(true, 4, |n| n + 1));
    assert!(!within(true, 5, |n| n + 1));
    assert!(!within(true, 1, |_| 0), "falsely inside");
    let mut near = samples(true);
    near.limit = 1;
    assert!(
        near.compare(&off(1, |_| 0)).is_within(MOST_PERCENT),
        "by its last bits"
    );
    // Where the others' counts are doubles' own, either may be wrong.
    assert!(within(false, 4, |_| 0) && !within(false, 5, |_| 0));
}

/// A device whose counts are off in some arithmetics.
fn inexact(
    arithmetics: &'static [Arithmetic],
) -> impl Fn(Arithmetic, &Samples) -> Result<Vec<u32>, EngineError> {
    move |arithmetic, samples| {
        let error = u32::from(arithmetics.contains(&arithmetic));
        Ok(samples.counts.iter().map(|count| count + error).collect())
    }
}

#[test]
fn an_inexact_arithmetic_gives_way_to_the_next() {
    let frame = deep(spec(DENSE, "1e7", 60));
    let (single, double) = (Arithmetic::DeltaDoubleSingle, Arithmetic::DeltaF64);
    let of = |arithmetics| {
        let (checks, count) = (Checks::default(), inexact(arithmetics));
        let outcome = checks.outcome(&frame, 1, &[single, double], &Progress::default(), &count);
        let outcome = outcome.unwrap().unwrap();
        (outcome.arithmetic, outcome.suffices)
    };
    assert_eq!(of(&[]), (single, true));
    assert_eq!(of(&[Arithmetic::DeltaDoubleSingle]), (double, true));
    let all = of(&[Arithmetic::DeltaDoubleSingle, Arithmetic::DeltaF64]);
    assert!(!all.1, "{all:?}");
}

#[test]
fn a_frame_is_checked_once_on_each_device() {
    let frame = deep(spec(DENSE, "1e7", 60));
    let asked = RefCell::new(Vec::new());
    let candidates = [Arithmetic::DeltaF64];
    let check = |device: u64| {
        let count = |arithmetic, samples: &Samples| {
            asked.borrow_mut().push((device, arithmetic));
            inexact(&[])(arithmetic, samples)
        };
        let checks = Checks::of(&frame);
        checks.outcome(&frame, device, &candidates, &Progress::default(), &count)
    };
    for device in [3, 4, 3, 4] {
        assert!(check(device).unwrap().unwrap().suffices);
    }
    let each = [(3, Arithmetic::DeltaF64), (4, Arithmetic::DeltaF64)];
    assert_eq!(*asked.borrow(), each);
    // Nothing is kept of one that failed.
    let fails = |_: Arithmetic, _: &Samples| Err(EngineError::Cancelled);
    let checks = Checks::of(&frame);
    let failed = checks.outcome(&frame, 5, &candidates, &Progress::default(), &fails);
    assert_eq!(failed, Err(EngineError::Cancelled));
    assert!(check(5).unwrap().unwrap().suffices);
    assert_eq!(asked.borrow().len(), 3);
}

#[test]
fn blocks_are_built_once_for_a_frame_and_its_samples() {
    let frame = deep(spec(DENSE, "1e7", 60));
    let grid = grid(&frame, u64::MAX);
    let (own, thin) = (frame.deep.as_ref().unwrap(), grid.deep.as_ref().unwrap());
    // By whoever asks first, for all pixels of the frame.
    assert!(std::ptr::eq(thin.bla(), own.bla()) && std::ptr::eq(own.jets(), thin.jets()));
    assert_eq!(own.c_max().log2(), thin.c_max().log2());
    assert_ne!(own.columns.last(), thin.columns.last());
}
