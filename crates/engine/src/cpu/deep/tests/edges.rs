//! Views at the edges of what deltas were made for: the real axis, orbits that meet the escape radius, references that end
//! at once, and the largest components.

use fractal::{FrameSpec, Grid, Measure, MeasureSet, View, exact, oracle};

use super::{centre, deep, render};
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
    made.values(Measure::LongIterations)
        .expect("counts")
        .to_vec()
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

#[test]
fn circles_that_no_double_is_on_are_met_all_the_same() {
    for (re, im, radius) in [("0.6", "0.8", 1.0), ("-1.2", "1.6", 2.0)] {
        for zoom in ["1e3", "1e12", "1e30"] {
            let mut view = spec([re, im, zoom], (9, 9), 6);
            view.escape_radius = radius;
            let known: Vec<u64> = (0..81)
                .map(|at| exact::iteration_count(&view, at % 9, at / 9))
                .collect();
            assert_eq!(counts(&view), known, "{view:?}");
            assert!(known[40] > 1 && known.contains(&1), "{view:?}");
        }
    }
}

#[test]
fn rows_columns_and_single_samples_of_linspace_are_as_fine_as_they_are() {
    let re = "-0.7437485627794257007334747472549807878117145697411620836770853449423833889100126";
    let im = "0.1318710906608262749433175178216937155291090265305708196113361784344997403491702";
    for zoom in ["1e20", "1.764e47", "1e50"] {
        for size in [(24, 1), (1, 24), (1, 1)] {
            let mut view = spec([re, im, zoom], size, 6000);
            view.grid = Grid::Linspace;
            let known: Vec<u64> = (0..size.0 * size.1)
                .map(|at| oracle::iteration_count(&view, at % size.0, at / size.0))
                .collect();
            // The last bits of what is skipped may decide one of a dense row.
            let off = counts(&view)
                .iter()
                .zip(&known)
                .filter(|(a, b)| a != b)
                .count();
            assert!(off <= known.len() / 24, "{off}: {view:?}");
        }
    }
}

#[test]
fn pixels_far_from_square_are_refused_in_a_sentence() {
    let oblong = |high: &str| {
        let mut view = spec(["0", "0", "1"], (60, 40), 1000);
        view.view = View::Bounds {
            xmin: "-1.7005".parse().unwrap(),
            xmax: "-1.6995".parse().unwrap(),
            ymin: format!("-{high}").parse().unwrap(),
            ymax: high.parse().unwrap(),
        };
        view
    };
    let refused = oblong("5e-21").check().unwrap_err().to_string();
    assert!(
        refused.starts_with("pixels are too far from square: "),
        "{refused}"
    );
    // What is not refused is right.
    let narrow = oblong("5e-10");
    narrow.check().unwrap();
    let made = counts(&narrow);
    for at in (0..made.len()).step_by(11) {
        let (col, row) = (at as u32 % 60, at as u32 / 60);
        let known = oracle::iteration_count(&narrow, col, row);
        assert_eq!(made[at], known, "{col} {row}");
    }
}
