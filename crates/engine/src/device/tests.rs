//! Turned and stretched views against exact counts, in every arithmetic on every kind of device.

use std::sync::Arc;

use fractal::oracle::iteration_count;
use fractal::reference::{ReferencePoint, compute};
use fractal::{
    Arithmetic, FrameSpec, Grid, Measure, MeasureSet, Strip, StripBuffer, StripPlan, Transform,
    View,
};

use crate::check::Samples;
use crate::cpu::{CpuDevice, Isa};
use crate::gpu::{GpuDevice, open_all};
use crate::{PreparedFrame, Progress};

fn spec(place: (&str, &str, &str), size: (u32, u32), turn: (f64, f64, f64)) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: place.0.parse().unwrap(),
            im: place.1.parse().unwrap(),
            zoom: place.2.parse().unwrap(),
        },
        transform: Transform {
            rotate: turn.0,
            stretch: turn.1,
            stretch_angle: turn.2,
        },
        grid: Grid::Pixels,
        width: size.0,
        height: size.1,
        iterations: 400,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

/// The place of one of the oracle's files.
fn known(text: &str, size: (u32, u32), turn: (f64, f64, f64)) -> FrameSpec {
    let file: serde_json::Value = serde_json::from_str(text).unwrap();
    let word = |key: &str| file[key].as_str().unwrap();
    FrameSpec {
        iterations: file["iterations"].as_u64().unwrap(),
        ..spec((word("re"), word("im"), word("zoom")), size, turn)
    }
}

const E14: &str = include_str!("../../../../tests/data/oracle/e14.json");
const MINI: &str = include_str!("../../../../tests/data/oracle/mini-1e16.json");

/// A view for doubles, one for deltas in doubles, and one whose deltas have exponents of their own.
fn views() -> [FrameSpec; 3] {
    [
        spec(("-0.7436", "0.1318", "30"), (47, 30), (33.0, 45.0, 20.0)),
        known(E14, (64, 40), (-115.0, 30.0, 70.0)),
        FrameSpec {
            iterations: 3000,
            ..spec(("-2", "0", "1e700"), (40, 33), (205.0, 60.0, -10.0))
        },
    ]
}

fn plain(spec: &FrameSpec) -> PreparedFrame {
    PreparedFrame::new(spec.clone()).unwrap()
}

fn deep(spec: &FrameSpec) -> PreparedFrame {
    let orbit = compute(spec, ReferencePoint::centre_of(spec), 1 << 22, &mut |_| {
        true
    })
    .unwrap();
    PreparedFrame::with_reference(spec.clone(), Arc::new(orbit)).unwrap()
}

fn whole(spec: &FrameSpec) -> Strip {
    Strip {
        index: 0,
        row0: 0,
        rows: spec.height,
    }
}

fn render(device: &CpuDevice, frame: &PreparedFrame) -> StripBuffer {
    let strip = whole(&frame.spec);
    device.compute(frame, strip, &Progress::default()).unwrap()
}

fn counts(buffer: &StripBuffer) -> &[u32] {
    buffer.values(Measure::Iterations).expect("counts")
}

fn singles(buffer: &StripBuffer, measure: Measure) -> Vec<f32> {
    buffer.values(measure).expect("single values").to_vec()
}

/// Some samples with their exact counts.
fn exact(spec: &FrameSpec) -> Vec<(u32, u32, u64)> {
    let side = |index: u32, of: u32| index * (of - 1) / 6;
    let places = (0..7).flat_map(|i| (0..7).map(move |j| (i, j)));
    places
        .map(|(i, j)| (side(i, spec.width), side(j, spec.height)))
        .map(|(col, row)| (col, row, iteration_count(spec, col, row)))
        .collect()
}

/// How many samples' counts are others, and how many differ among themselves, so that it would be seen.
fn off(spec: &FrameSpec, found: &[u32], exact: &[(u32, u32, u64)]) -> usize {
    let mut values: Vec<u64> = exact.iter().map(|(.., n)| *n).collect();
    values.sort_unstable();
    values.dedup();
    assert!(values.len() > 4, "a view without features: {values:?}");
    let own = |col: u32, row: u32| u64::from(found[(row * spec.width + col) as usize]);
    let differs = |(col, row, n): &&(u32, u32, u64)| own(*col, *row) != *n;
    exact.iter().filter(differs).count()
}

#[test]
fn counts_of_processors_are_exact_in_every_arithmetic() {
    let [shallow, middle, far] = views();
    let device = CpuDevice::new(None);
    for (frame, arithmetic) in [
        (plain(&shallow), Arithmetic::F64),
        (deep(&shallow), Arithmetic::DeltaF64),
        (deep(&middle), Arithmetic::DeltaF64),
        (deep(&far), Arithmetic::DeltaFloatexp),
    ] {
        let exact = exact(&frame.spec);
        let buffer = render(&device, &frame);
        assert_eq!(buffer.origin.arithmetic, arithmetic);
        assert_eq!(
            off(&frame.spec, counts(&buffer), &exact),
            0,
            "{arithmetic:?}"
        );
        // The control: another direction of stretching is seen.
        let mut wrong = frame.spec.clone();
        wrong.transform.stretch_angle += 40.0;
        let wrong = match &frame.deep {
            None => plain(&wrong),
            Some(_) => deep(&wrong),
        };
        assert!(off(&frame.spec, counts(&render(&device, &wrong)), &exact) > 5);
    }
}

#[test]
fn counts_of_adapters_are_exact_in_every_arithmetic() {
    let views = views();
    let exacts: Vec<_> = views.iter().map(exact).collect();
    let devices: Vec<GpuDevice> = open_all();
    if devices.is_empty() {
        assert_ne!(std::env::var("FARM_GPU").as_deref(), Ok("require"));
        eprintln!("SKIPPED: this machine has no usable adapter");
    }
    for device in &devices {
        let mut tried = 0;
        for (view, exact) in views.iter().zip(&exacts) {
            for frame in [plain(view), deep(view)] {
                for arithmetic in device.info().arithmetics.iter().copied() {
                    let serves = arithmetic.is_delta() == frame.deep.is_some()
                        && arithmetic != Arithmetic::F32
                        && arithmetic.is_exact_for(frame.extent_log2, frame.spacing_log2);
                    if !serves {
                        continue;
                    }
                    tried += 1;
                    let (strip, progress) = (whole(view), Progress::default());
                    let buffer = device
                        .compute(&frame, arithmetic, strip, &progress)
                        .unwrap();
                    let off = off(view, counts(&buffer), exact);
                    let name = &device.info().name;
                    assert!(off <= 1, "{name}, {arithmetic:?}: {off}");
                }
            }
        }
        assert!(tried > 2, "{}: {tried}", device.info().name);
    }
}

#[test]
fn where_orbits_are_after_all_steps_agrees_on_adapters() {
    let mut spec = spec(("-0.12", "0.75", "8"), (33, 20), (70.0, 30.0, 5.0));
    (spec.iterations, spec.measures) = (60, MeasureSet::default().with(Measure::Stability));
    let frame = plain(&spec);
    let values = |buffer: &StripBuffer| {
        let values = buffer.values::<f64>(Measure::Stability);
        values.expect("double values").to_vec()
    };
    let expected = values(&render(&CpuDevice::new(None), &frame));
    assert!(expected.iter().any(|value| value.is_nan()));
    for device in open_all() {
        for arithmetic in [Arithmetic::DoubleSingle, Arithmetic::F64] {
            if !device.info().arithmetics.contains(&arithmetic) {
                continue;
            }
            let (strip, progress) = (whole(&spec), Progress::default());
            let buffer = device
                .compute(&frame, arithmetic, strip, &progress)
                .unwrap();
            let own = values(&buffer);
            let near = |(a, b): &(&f64, &f64)| a.is_nan() && b.is_nan() || (*a - *b).abs() < 1e-3;
            let same = own.iter().zip(&expected).filter(near).count();
            assert!(same * 50 >= own.len() * 49, "{same} of {}", own.len());
        }
    }
}

#[test]
fn a_quarter_turn_is_the_same_picture_from_the_side() {
    let measures = [
        Measure::Iterations,
        Measure::Smooth,
        Measure::Distance,
        Measure::Direction,
    ];
    let side = 31u32;
    let at = |rotate: f64| {
        let mut spec = spec(
            ("-0.7436", "0.1318", "30"),
            (side, side),
            (rotate, 0.0, 0.0),
        );
        spec.measures = measures.into_iter().collect();
        render(&CpuDevice::new(None), &plain(&spec))
    };
    let (upright, turned) = (at(0.0), at(90.0));
    // The view turned anticlockwise: what was at its right edge is at the top of the plane, so the picture's rows are the
    // upright one's columns.
    let from = |index: usize| {
        let (row, col) = (index as u32 / side, index as u32 % side);
        ((side - 1 - col) * side + row) as usize
    };
    let places = 0..(side * side) as usize;
    for index in places.clone() {
        assert_eq!(counts(&turned)[index], counts(&upright)[from(index)]);
    }
    for measure in [Measure::Smooth, Measure::Distance] {
        let (turned, upright) = (singles(&turned, measure), singles(&upright, measure));
        for index in places.clone() {
            assert_eq!(turned[index].to_bits(), upright[from(index)].to_bits());
        }
    }
    let directions = [&turned, &upright].map(|buffer| singles(buffer, Measure::Direction));
    let mut seen = 0;
    for index in places {
        if counts(&turned)[index] == 0 {
            continue;
        }
        // The picture turns clockwise.
        let by = (directions[1][from(index)] - directions[0][index]).rem_euclid(1.0);
        assert!((by - 0.25).abs() < 1e-5, "{by}");
        seen += 1;
    }
    assert!(seen > 100);
}

#[test]
fn the_needle_is_seen_from_the_side() {
    // Turned by a quarter the real axis is the middle column, and it is in the set.
    let spec = FrameSpec {
        iterations: 3000,
        ..spec(("-1.9", "0", "100"), (31, 41), (90.0, 0.0, 0.0))
    };
    let buffer = render(&CpuDevice::new(None), &plain(&spec));
    let inside = |col: u32| {
        let of = |row: u32| counts(&buffer)[(row * spec.width + col) as usize] == 0;
        (0..spec.height).filter(|row| of(*row)).count()
    };
    assert_eq!(inside(15), 41);
    assert!(inside(14) < 5);
}

#[test]
fn distances_are_those_of_the_picture() {
    // The set ends at -2. Stretched fourfold a pixel is twice as wide as usual, and half as high: k pixels left of the end
    // the set is k pixels away.
    let device = CpuDevice::new(None);
    for zoom in ["40", "1e40", "1e1000"] {
        for (rotate, left) in [(0.0, (-1i32, 0i32)), (90.0, (0, -1))] {
            let mut spec = spec(("-2", "0", zoom), (65, 65), (rotate, 100.0, 0.0));
            spec.transform.stretch_angle = -rotate;
            spec.iterations = 6000;
            spec.measures = [Measure::Iterations, Measure::Distance]
                .into_iter()
                .collect();
            let frame = if zoom == "40" {
                plain(&spec)
            } else {
                deep(&spec)
            };
            let distance = singles(&render(&device, &frame), Measure::Distance);
            for pixels in [4, 9, 20] {
                let (col, row) = (32 + left.0 * pixels, 32 + left.1 * pixels);
                let found = distance[(row * 65 + col) as usize];
                let (low, high) = (pixels as f32 * 0.98, pixels as f32 * 4.05);
                assert!(
                    (low..high).contains(&found),
                    "{zoom}, {rotate}: {pixels} {found}"
                );
            }
        }
    }
}

#[test]
fn bytes_depend_on_no_strip_and_no_instruction_set() {
    for spec in views() {
        let mut spec = spec;
        spec.measures = [Measure::Iterations, Measure::Smooth, Measure::Distance]
            .into_iter()
            .collect();
        let (shallow, plan) = (
            spec.iterations == 400,
            StripPlan {
                height: spec.height,
                strip_rows: 7,
            },
        );
        let frame = if shallow { plain(&spec) } else { deep(&spec) };
        let bytes = |buffer: &StripBuffer| -> Vec<Vec<u8>> {
            let planes = buffer.planes.iter();
            planes.map(|plane| plane.bytes().to_vec()).collect()
        };
        let expected = bytes(&render(&CpuDevice::new(Some(2)), &frame));
        for isa in Isa::available() {
            let device = CpuDevice::with_isa(isa, Some(1));
            let fresh = if shallow { plain(&spec) } else { deep(&spec) };
            let mut joined = vec![Vec::new(); 3];
            for strip in plan.strips() {
                let buffer = device.compute(&fresh, strip, &Progress::default()).unwrap();
                for (all, plane) in joined.iter_mut().zip(bytes(&buffer)) {
                    all.extend(plane);
                }
            }
            assert!(joined == expected, "{isa:?}");
        }
    }
}

#[test]
fn a_turned_minibrot_is_proved_to_be_inside() {
    let spec = known(MINI, (96, 80), (40.0, 50.0, 15.0));
    let of = |on: bool| {
        let buffer = render(&CpuDevice::new(None).shortcuts(on), &deep(&spec));
        counts(&buffer).to_vec()
    };
    let with = of(true);
    assert!(with.iter().filter(|n| **n == 0).count() > 100);
    assert!(with == of(false));
}

#[test]
fn samples_are_pixels_of_the_picture() {
    for frame in [plain(&views()[0]), deep(&views()[1])] {
        let samples = Samples::of(&frame, u64::MAX, &Progress::default()).unwrap();
        let picture = render(&CpuDevice::new(None), &frame);
        let of =
            |(col, row): &(u32, u32)| counts(&picture)[(row * frame.spec.width + col) as usize];
        let own: Vec<u32> = samples.places.iter().map(of).collect();
        let comparison = samples.compare(&own);
        assert!(
            comparison.samples >= 400 && comparison.is_within(1.0),
            "{comparison:?}"
        );
    }
}
