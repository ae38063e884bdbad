//! Views at the edges of what deltas were made for: the real axis, orbits that meet the escape radius, references that end
//! at once, and the largest components.

use fractal::{FrameSpec, Grid, Measure, MeasureSet, Plane, View, oracle};

use super::tests::{centre, deep, render};
use crate::cpu::CpuDevice;

fn spec([re, im, zoom]: [&str; 3], size: (u32, u32), iterations: u64) -> FrameSpec {
    FrameSpec {
        measures: MeasureSet::default().with(Measure::LongIterations),
        ..centre((re, im, zoom), size, iterations)
    }
}

/// Counts of all pixels, row by row, by deltas.
fn counts(spec: &FrameSpec) -> Vec<u64> {
    let made = render(&CpuDevice::new(None), &deep(spec.clone()));
    match made.plane(Measure::LongIterations) {
        Some(Plane::LongIterations(counts)) => counts.clone(),
        _ => unreachable!("the frame asks for them"),
    }
}

#[test]
fn the_needle_is_inside_at_every_depth() {
    let bounds = |ymin: &str, ymax: &str| View::Bounds {
        xmin: "-1.8000000001".parse().unwrap(),
        xmax: "-1.8".parse().unwrap(),
        ymin: ymin.parse().unwrap(),
        ymax: ymax.parse().unwrap(),
    };
    let mut views = vec![
        (spec(["-1.9", "0", "100"], (91, 61), 3000), 30),
        (spec(["-1.8", "0", "1e10"], (9, 9), 3000), 4),
        (spec(["-1.8", "0", "1e60"], (9, 9), 3000), 4),
        (spec(["-1.8", "0", "1e330"], (9, 9), 3000), 4),
    ];
    let mut linspace = spec(["0", "0", "1"], (9, 5), 3000);
    linspace.grid = Grid::Linspace;
    linspace.view = bounds("-5e-11", "5e-11");
    views.push((linspace.clone(), 2));
    // The axis is not in the middle.
    linspace.view = bounds("-1e-11", "3e-11");
    views.push((linspace, 1));
    for (view, row) in views {
        let counts = counts(&view);
        let width = view.width as usize;
        assert_eq!(counts[row * width..][..width], vec![0; width], "{view:?}");
        assert!(counts.iter().any(|count| *count != 0), "{view:?}");
    }
}

#[test]
fn orbits_that_meet_the_escape_radius_are_counted_as_it_is_written() {
    for (zoom, side) in [("1e6", 9), ("1e20", 9), ("1e20", 8), ("1e320", 7)] {
        let mut view = spec(["-2", "0", zoom], (side, side), 300);
        view.escape_radius = 2.0;
        let counts = counts(&view);
        for row in 0..side {
            for col in 0..side {
                let exact = oracle::iteration_count(&view, col, row);
                assert_eq!(
                    counts[(row * side + col) as usize],
                    exact,
                    "{zoom} {col} {row}"
                );
            }
        }
    }
}

#[test]
fn references_that_end_at_once_serve() {
    let known = |view: &FrameSpec, counts: &[u64]| {
        for at in (0..counts.len()).step_by(7) {
            let (col, row) = (at as u32 % view.width, at as u32 / view.width);
            assert_eq!(
                counts[at],
                oracle::iteration_count(view, col, row),
                "{at} {view:?}"
            );
        }
    };
    for zoom in ["1e161", "1e200", "1e270", "1e400"] {
        let view = spec(["0", "0", zoom], (91, 61), 100);
        assert_eq!(counts(&view), vec![0; 91 * 61], "{zoom}");
    }
    let mut far = spec(["257", "0", "1e300"], (17, 9), 100);
    far.measures = far.measures.with(Measure::Stability);
    assert_eq!(counts(&far), vec![1; 17 * 9]);
    let mut near = spec(["-0.75", "0", "0.5"], (33, 31), 300);
    near.escape_radius = 1.5;
    let short = counts(&near);
    known(&near, &short);
    near.escape_radius = 0.5;
    known(&near, &counts(&near));
}

#[test]
fn the_largest_components_take_no_time() {
    // Without proof the first takes hours.
    for place in [["0", "0", "1e10"], ["-1", "0", "1e40"]] {
        let view = spec(place, (64, 64), 1 << 50);
        assert_eq!(counts(&view), vec![0; 64 * 64], "{place:?}");
    }
}
