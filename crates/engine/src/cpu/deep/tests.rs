//! The deep kernels against exact counts, across instruction sets, strips and depths.

mod bounds;
mod edges;
mod long;
mod minibrots;
mod paired;

use std::sync::Arc;

use fractal::reference::{ReferencePoint, compute};
use fractal::{
    Arithmetic, FrameSpec, Grid, Measure, MeasureSet, Plane, Strip, StripBuffer, StripPlan, Values,
    View,
};

use crate::cpu::{CpuDevice, Isa};
use crate::{EngineError, PreparedFrame, Progress};

/// The exact counts of a view: its frame and samples `[col, row, n]`.
fn oracle(text: &str) -> (FrameSpec, Vec<[u32; 3]>) {
    let file: serde_json::Value = serde_json::from_str(text).unwrap();
    let text = |key: &str| file[key].as_str().unwrap().to_owned();
    let number = |key: &str| file[key].as_u64().unwrap();
    let mut spec = centre(
        (&text("re"), &text("im"), &text("zoom")),
        (number("width") as u32, number("height") as u32),
        number("iterations"),
    );
    spec.escape_radius = file["escape_radius"].as_f64().unwrap();
    (
        spec,
        serde_json::from_value(file["samples"].clone()).unwrap(),
    )
}

fn centre(place: (&str, &str, &str), size: (u32, u32), iterations: u64) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: place.0.parse().unwrap(),
            im: place.1.parse().unwrap(),
            zoom: place.2.parse().unwrap(),
        },
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: size.0,
        height: size.1,
        iterations,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

fn deep(spec: FrameSpec) -> PreparedFrame {
    let point = ReferencePoint::centre_of(&spec);
    let orbit = compute(&spec, point, 1 << 22, &mut |_| true).unwrap();
    PreparedFrame::with_reference(spec, Arc::new(orbit)).unwrap()
}

fn whole(frame: &PreparedFrame) -> Strip {
    Strip {
        index: 0,
        row0: 0,
        rows: frame.spec.height,
    }
}

fn render(device: &CpuDevice, frame: &PreparedFrame) -> StripBuffer {
    let buffer = device
        .compute(frame, whole(frame), &Progress::default())
        .unwrap();
    assert!(buffer.fits(&frame.spec, whole(frame)));
    buffer
}

fn bytes(buffer: &StripBuffer) -> (Vec<Vec<u8>>, u128) {
    let planes = buffer.planes.iter().map(|plane| plane.bytes().to_vec());
    (planes.collect(), buffer.iterations_total)
}

fn counts(buffer: &StripBuffer) -> &[u32] {
    buffer.values(Measure::Iterations).expect("counts")
}

fn floats(buffer: &StripBuffer, measure: Measure) -> Vec<f64> {
    match buffer.plane(measure).map(Plane::any) {
        Some(Values::F32(values)) => values.iter().map(|x| f64::from(*x)).collect(),
        Some(Values::F64(values)) => values.clone(),
        _ => unreachable!("the frame asks for it"),
    }
}

/// Samples, those that differ, and those that are falsely inside.
fn compare(frame: &PreparedFrame, samples: &[[u32; 3]]) -> (usize, usize, usize) {
    let buffer = render(&CpuDevice::new(None), frame);
    let at = |s: &[u32; 3]| counts(&buffer)[(s[1] * frame.spec.width + s[0]) as usize];
    (
        samples.len(),
        samples.iter().filter(|s| at(s) != s[2]).count(),
        samples.iter().filter(|s| at(s) == 0 && s[2] != 0).count(),
    )
}

macro_rules! views {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../../tests/data/oracle/", $name, ".json")))),*]
    };
}

/// Every view of which exact counts are known, with its file.
const VIEWS: [(&str, &str); 20] = views![
    "whole-set",
    "wiki-seahorse-wiki6",
    "wiki-seahorse-wiki7",
    "wiki-seahorse-wiki14",
    "e14",
    "mini-1e16",
    "mini-1e47",
    "julia-1e12",
    "julia-1e34",
    "peanuts",
    "e50",
    "e113",
    "flake",
    "julia-1e121",
    "mini-1e164",
    "e227",
    "julia-1e234",
    "mini-1e317",
    "e533",
    "e1086",
];

#[test]
fn deep_counts_are_the_oracle_s() {
    let (mut all, mut all_off) = (0, 0);
    for (name, text) in VIEWS {
        let (spec, samples) = oracle(text);
        let frame = deep(spec);
        let (total, off, falsely_inside) = compare(&frame, &samples);
        assert!(
            50 * off <= total && falsely_inside == 0,
            "{name}: {off} of {total} differ, {falsely_inside} falsely inside"
        );
        all += total;
        all_off += off;
    }
    assert!(200 * all_off <= all, "{all_off} of {all}");
}

#[test]
fn pixels_about_a_nucleus_are_exact() {
    // Both views have one in their middle: z_n is c^8 there before the first of these pixels escapes, and one series about
    // many of them has bits for none. In an odd picture the middle's own delta is 0.
    for ((_, text), size) in [(views!["flake"][0], 512), (views!["julia-1e34"][0], 321)] {
        let (mut spec, _) = oracle(text);
        (spec.width, spec.height) = (size, size);
        let frame = deep(spec.clone());
        let first = size / 2 - 2;
        let strip = Strip {
            index: 0,
            row0: first,
            rows: 4,
        };
        let device = CpuDevice::new(None);
        let buffer = device.compute(&frame, strip, &Progress::default()).unwrap();
        for row in 0..4 {
            for col in first..first + 4 {
                let own = u64::from(counts(&buffer)[(row * size + col) as usize]);
                let exact = fractal::oracle::iteration_count(&spec, col, first + row);
                assert_eq!(own, exact, "{size}: {col}, {}", first + row);
            }
        }
    }
}

#[test]
fn the_error_of_skipped_steps_is_the_frame_s() {
    let (spec, samples) = oracle(views!["e50"][0].1);
    let frame = |skip_error_log2| {
        deep(FrameSpec {
            skip_error_log2,
            ..spec.clone()
        })
    };
    let off = |skip_error_log2| compare(&frame(skip_error_log2), &samples).1;
    let (exact, loose, all) = (off(-40), off(-12), samples.len());
    assert!(
        50 * exact <= all && 20 * loose > all,
        "{exact}, {loose} of {all}"
    );
}

#[test]
fn comparison_sees_a_wrong_reference() {
    // The control: c off by a pixel is off in most samples, and half the iterations are falsely inside.
    let (_, text) = views!["e14"][0];
    let (spec, samples) = oracle(text);
    let mut wrong = spec.clone();
    let View::Centre { re, .. } = &mut wrong.view else {
        unreachable!()
    };
    *re = "-1.75981713080484".parse().unwrap();
    let (total, off, _) = compare(&deep(wrong), &samples);
    assert!(2 * off > total, "{off}");
    let short = FrameSpec {
        iterations: 450,
        ..spec
    };
    assert!(compare(&deep(short), &samples).2 > 0);
}

/// Frames with all measures: where doubles serve, where they do not, and where both are needed.
fn frames() -> Vec<PreparedFrame> {
    let mut frames = Vec::new();
    for (_, text) in views!["e14", "mini-1e47", "julia-1e234", "mini-1e317"] {
        let (mut spec, _) = oracle(text);
        (spec.width, spec.height) = (75, 70);
        spec.iterations = spec.iterations.min(9000);
        spec.measures = Measure::ALL.into_iter().collect();
        frames.push(deep(spec));
    }
    frames
}

#[test]
fn every_instruction_set_gives_the_same_bytes_deep() {
    for frame in frames() {
        let expected = bytes(&render(
            &CpuDevice::with_isa(Isa::Portable, Some(2)),
            &frame,
        ));
        for isa in Isa::available() {
            // A frame of its own: nothing kept from another instruction set.
            let own = PreparedFrame::with_reference(
                frame.spec.clone(),
                Arc::clone(&frame.deep.as_ref().unwrap().orbit),
            );
            let buffer = render(&CpuDevice::with_isa(isa, Some(1)), &own.unwrap());
            assert!(bytes(&buffer) == expected, "{isa:?}");
        }
    }
}

#[test]
fn strips_of_any_height_have_the_picture_s_rows_deep() {
    for frame in frames() {
        let (height, device) = (frame.spec.height, CpuDevice::new(Some(2)));
        let expected = bytes(&render(&device, &frame));
        for strip_rows in [1, 7, 64, 69] {
            let own = PreparedFrame::with_reference(
                frame.spec.clone(),
                Arc::clone(&frame.deep.as_ref().unwrap().orbit),
            )
            .unwrap();
            let mut joined = (vec![Vec::new(); Measure::ALL.len()], 0);
            for strip in (StripPlan { height, strip_rows }).strips() {
                let buffer = device.compute(&own, strip, &Progress::default()).unwrap();
                let (planes, total) = bytes(&buffer);
                let pairs = joined.0.iter_mut().zip(planes);
                pairs.for_each(|(all, plane)| all.extend(plane));
                joined.1 += total;
            }
            assert!(joined == expected, "{strip_rows} rows");
        }
    }
}

#[test]
fn all_measures_agree_with_plain_iteration_where_that_is_exact() {
    let mut spec = centre(("-0.7436", "0.1318", "300"), (160, 120), 700);
    spec.measures = Measure::ALL.into_iter().collect();
    let device = CpuDevice::new(None);
    let plain = render(&device, &PreparedFrame::new(spec.clone()).unwrap());
    let frame = deep(spec);
    let own = render(&device, &frame);
    assert_eq!(own.origin.arithmetic, Arithmetic::DeltaF64);
    assert_eq!(plain.origin.arithmetic, Arithmetic::F64);
    let same = counts(&own)
        .iter()
        .zip(counts(&plain))
        .filter(|(a, b)| a == b)
        .count();
    assert!(same >= counts(&own).len() - 60, "{same}");
    for (measure, bound) in [
        (Measure::Smooth, 1e-6),
        (Measure::Distance, 1e-4),
        (Measure::Stability, 1e-6),
        (Measure::Fraction, 1e-4),
        (Measure::Phase, 1e-4),
        (Measure::Direction, 1e-4),
    ] {
        let (a, b) = (floats(&own, measure), floats(&plain, measure));
        let near = |a: f64, b: f64| a.is_nan() && b.is_nan() || (a - b).abs() <= bound * b.abs();
        let far = a.iter().zip(&b).filter(|(a, b)| !near(**a, **b)).count();
        assert!(far * 50 < a.len(), "{measure:?}: {far}");
        assert!(a.iter().filter(|a| a.is_finite() && **a > 0.0).count() > 100);
    }
}

#[test]
fn the_tip_is_known_at_every_depth() {
    // The set ends at -2. On the axis k pixels left of it the distance is k pixels, and its estimate between that
    // and four times as much; four times the zoom is one step more.
    let mut before = Vec::new();
    for (zoom, arithmetic) in [
        ("1e40", Arithmetic::DeltaF64),
        ("4e40", Arithmetic::DeltaF64),
        ("1e1000", Arithmetic::DeltaFloatexp),
        ("4e1000", Arithmetic::DeltaFloatexp),
        ("1e3000", Arithmetic::DeltaFloatexp),
        ("4e3000", Arithmetic::DeltaFloatexp),
    ] {
        let mut spec = centre(("-2", "0", zoom), (65, 65), 6000);
        spec.measures = [Measure::Iterations, Measure::Smooth, Measure::Distance]
            .into_iter()
            .collect();
        let buffer = render(&CpuDevice::new(None), &deep(spec));
        assert_eq!(buffer.origin.arithmetic, arithmetic);
        let (smooth, distance) = (
            floats(&buffer, Measure::Smooth),
            floats(&buffer, Measure::Distance),
        );
        for pixels in 1..=32 {
            let at = 32 * 65 + 32 - pixels;
            let (low, high) = (pixels as f64 * 0.99, pixels as f64 * 4.01);
            assert!(
                (low..high).contains(&distance[at]),
                "{zoom}: {pixels} pixels away: {}",
                distance[at]
            );
        }
        if zoom.starts_with('4') {
            let steps: Vec<f64> = smooth.iter().zip(&before).map(|(a, b)| a - b).collect();
            let odd = steps.iter().filter(|d| (*d - 1.0).abs() > 2e-3).count();
            assert!(odd < 80, "{zoom}: {odd} of {}", steps.len());
        }
        before = smooth;
    }
}

#[test]
fn counts_at_great_depth_are_exact() {
    let mut spec = centre(("-2", "0", "1e700"), (40, 40), 3000);
    for radius in [256.0, 3.0, 1.5] {
        spec.escape_radius = radius;
        let buffer = render(&CpuDevice::new(None), &deep(spec.clone()));
        for (col, row) in [(0, 0), (39, 3), (20, 19), (7, 33), (19, 20), (31, 20)] {
            let own = u64::from(counts(&buffer)[(row * 40 + col) as usize]);
            let exact = fractal::oracle::iteration_count(&spec, col, row);
            assert_eq!(own, exact, "radius {radius} at {col}, {row}");
        }
    }
}

#[test]
fn slow_deep_pixels_show_that_they_move_and_are_cancelled_soon() {
    // A minibrot's inside, for as long as anybody watches.
    let (_, text) = views!["mini-1e16"][0];
    let (mut spec, _) = oracle(text);
    spec.iterations = u64::from(u32::MAX - 1);
    let frame = deep(spec);
    for threads in [1, 2] {
        // Nothing is proved: every step is made.
        let device = CpuDevice::new(Some(threads)).shortcuts(false);
        let progress = Progress::default();
        std::thread::scope(|scope| {
            let handle = scope.spawn(|| device.compute(&frame, whole(&frame), &progress));
            let begun = std::time::Instant::now();
            while progress.steps() < 20 {
                std::thread::sleep(std::time::Duration::from_millis(1));
                assert!(begun.elapsed().as_secs() < 20);
            }
            let asked = std::time::Instant::now();
            progress.cancel();
            assert_eq!(handle.join().unwrap().unwrap_err(), EngineError::Cancelled);
            assert!(asked.elapsed().as_secs_f64() < 2.0);
        });
    }
}

#[test]
fn columns_need_not_be_evenly_spaced() {
    let (_, text) = views!["e14"][0];
    let (spec, _) = oracle(text);
    let frame = deep(spec.clone());
    let picture = render(&CpuDevice::new(None), &frame);
    let (width, height) = (77, 59);
    let thin = frame.thinned(FrameSpec {
        width,
        height,
        ..spec.clone()
    });
    let own = render(&CpuDevice::new(None), &thin);
    let mut off = 0;
    for row in 0..height {
        for col in 0..width {
            let index =
                |sample: u32, of: u32, all: u32| (sample as usize * all as usize) / of as usize;
            let at = index(row, height, spec.height) * spec.width as usize
                + index(col, width, spec.width);
            off += usize::from(counts(&own)[(row * width + col) as usize] != counts(&picture)[at]);
        }
    }
    assert!(off < 10, "{off}");
}
