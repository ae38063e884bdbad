//! Orbits that meet the escape radius, by every instruction set, against counts without rounding.

use fractal::{FrameSpec, Grid, Measure, MeasureSet, Strip, View, exact};

use super::*;
use crate::cpu::{CpuDevice, Isa};
use crate::frame::PreparedFrame;
use crate::progress::Progress;

fn view([re, im, zoom]: [&str; 3], side: u32, escape_radius: f64, z0: (f64, f64)) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: re.parse().unwrap(),
            im: im.parse().unwrap(),
            zoom: zoom.parse().unwrap(),
        },
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: side,
        height: side,
        iterations: 7,
        escape_radius,
        z0,
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

fn counts(device: &CpuDevice, spec: &FrameSpec) -> Vec<u32> {
    let frame = PreparedFrame::new(spec.clone()).unwrap();
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: spec.height,
    };
    let made = device.compute(&frame, strip, &Progress::default());
    let counts = made.unwrap();
    counts.values(Measure::Iterations).expect("counts").to_vec()
}

fn devices() -> Vec<CpuDevice> {
    let both = |isa| [true, false].map(|on| CpuDevice::with_isa(isa, Some(1)).shortcuts(on));
    Isa::available().into_iter().flat_map(both).collect()
}

#[test]
fn counts_are_those_of_the_inequality_as_it_is_written() {
    let zero = (0.0, 0.0);
    let places: [([&str; 2], f64, (f64, f64)); 10] = [
        (["-2", "0"], 2.0, zero),
        (["-2", "0"], 2.0, (2.0, 0.0)),
        (["-1.5", "0"], 1.5, zero),
        (["0.25", "0"], 0.25, zero),
        (["0.25", "0"], 0.5, (0.5, 0.0)),
        (["-1", "0"], 1.0, zero),
        (["0", "1"], 1.0, zero),
        // On the circle, and no double is.
        (["0.6", "0.8"], 1.0, zero),
        (["-1.2", "1.6"], 2.0, zero),
        (["0.28", "-0.96"], 1.0, zero),
    ];
    let (devices, mut met) = (devices(), 0);
    for ([re, im], radius, z0) in places {
        for zoom in ["1", "16", "1e3", "1e6", "1e8", "1e10"] {
            for side in [9, 8] {
                let spec = view([re, im, zoom], side, radius, z0);
                let known: Vec<u32> = (0..side * side)
                    .map(|at| exact::iteration_count(&spec, at % side, at / side) as u32)
                    .collect();
                for device in &devices {
                    let name = &device.info().name;
                    assert_eq!(counts(device, &spec), known, "{name} {spec:?}");
                }
                met += usize::from(known.contains(&1) && known.iter().any(|count| *count != 1));
            }
        }
    }
    // Control: circles lead through most of these views.
    assert!(met > 40, "{met}");
}

#[test]
fn what_lies_beyond_every_square_ends_at_the_first_step() {
    for zoom in ["1e-100", "1e-155", "1e-200", "1e-300", "1e-307"] {
        for radius in [2.0, 256.0, 0.5] {
            let mut spec = view(["0", "0", zoom], 8, radius, (0.0, 0.0));
            for z0 in [(0.0, 0.0), (1.0, -3.0)] {
                spec.z0 = z0;
                for device in devices() {
                    let name = &device.info().name;
                    assert_eq!(
                        counts(&device, &spec),
                        vec![1; 64],
                        "{name} {zoom} {radius}"
                    );
                }
            }
        }
    }
}

#[test]
fn differences_are_decided_without_rounding() {
    let tiny = 2f64.powi(-300);
    assert!(!exceeds(2.0, 0.0, 2.0) && exceeds(2.0, tiny, 2.0) && exceeds(-tiny, -2.0, 2.0));
    assert!(!exceeds(2f64.next_down(), 2f64.powi(-30), 2.0));
    assert!(exceeds(2f64.next_down(), 2f64.powi(-25), 2.0));
    assert!(exceeds(1e9, 1e-9, 1e9) && !exceeds(1e9, 0.0, 1e9));
    assert!(!exceeds(3e-9, 4e-9, 5e-9f64.next_up().next_up()));
}

#[test]
fn points_are_moved_by_the_least() {
    let radius = Radius::new(1.0);
    let [x, y] = radius.settled([0.6, 0.8], false);
    assert!(!exceeds(x, y, 1.0) && (y - 0.8).abs() < 3e-16 && x == 0.6);
    let [x, y] = radius.settled([-1.0, 0.0], true);
    assert_eq!([x, y], [-(1f64.next_up()), 0.0]);
}
