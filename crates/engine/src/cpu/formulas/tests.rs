//! Counts of other formulas against integers, and the same bytes everywhere.

use fractal::smooth::Smoothing;
use fractal::{
    Arithmetic, Counts, FrameSpec, Grid, Measure, MeasureSet, Plane, SKIP_ERROR_LOG2, Settling,
    Strip, StripBuffer, Transform, View, oracle,
};

use crate::cpu::{CpuDevice, Isa};
use crate::frame::PreparedFrame;
use crate::info::EngineError;
use crate::progress::Progress;

fn frame(formula: &str, re: &str, im: &str, zoom: &str, iterations: u64) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: re.parse().unwrap(),
            im: im.parse().unwrap(),
            zoom: zoom.parse().unwrap(),
        },
        transform: Transform::default(),
        grid: Grid::Pixels,
        width: 24,
        height: 16,
        iterations,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: formula.parse().unwrap(),
        julia: None,
        skip_error_log2: SKIP_ERROR_LOG2,
        counts: Counts::Settled,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

fn julia(formula: &str, c: [&str; 2], re: &str, im: &str, zoom: &str) -> FrameSpec {
    FrameSpec {
        julia: Some(c.map(|part| part.parse().unwrap())),
        ..frame(formula, re, im, zoom, 4000)
    }
}

fn computed(spec: &FrameSpec, device: &CpuDevice) -> StripBuffer {
    let frame = PreparedFrame::new(spec.clone()).unwrap();
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: spec.height,
    };
    device.compute(&frame, strip, &Progress::default()).unwrap()
}

fn counts(buffer: &StripBuffer) -> Vec<u32> {
    let plane = Plane::find(&buffer.planes, Measure::Iterations).unwrap();
    plane.values::<u32>().unwrap().to_vec()
}

/// Computes a frame and compares every seventh pixel's count with that of integers of so many bits.
fn check(spec: &FrameSpec, arithmetic: Arithmetic, bits: usize) -> (StripBuffer, usize) {
    let buffer = computed(spec, &CpuDevice::new(Some(2)));
    assert_eq!(buffer.origin.arithmetic, arithmetic, "{spec:?}");
    assert_eq!(buffer.settling.unsettled, 0);
    let counts = counts(&buffer);
    let mut known = std::collections::BTreeSet::new();
    for pixel in (0..counts.len()).step_by(7) {
        let (col, row) = (pixel as u32 % spec.width, pixel as u32 / spec.width);
        let exact = oracle::iteration_count_in(spec, col, row, bits);
        assert_eq!(u64::from(counts[pixel]), exact, "{col}, {row} of {spec:?}");
        known.insert(exact);
    }
    (buffer, known.len())
}

#[test]
fn formulas_plain_counts_are_exact() {
    for (formula, re, im, zoom) in [
        ("burning-ship", "-1.755", "-0.03", "30"),
        ("tricorn", "-0.9", "0.4", "8"),
        ("celtic", "-1.2", "0.3", "9"),
        ("buffalo", "-0.3", "-0.9", "6"),
        ("perpendicular-mandelbrot", "-1.1", "0.3", "12"),
        ("perpendicular-burning-ship", "-1.3", "0.2", "12"),
        ("multibrot-3", "0.2", "1.0", "20"),
        ("multibrot-7", "0.3", "0.95", "3"),
        ("sqr mul add", "0.2", "1.0", "20"),
        ("sqr add / absx absy pow3 rot{30} add", "-0.4", "0.6", "3"),
        ("absx absy pow3 add / sqr add", "-0.4", "0.6", "3"),
        ("sqr add / absx absy pow3 add", "-0.4", "0.6", "3"),
        ("store negx sqr mul absx add", "-0.4", "0.6", "3"),
    ] {
        let (_, known) = check(&frame(formula, re, im, zoom, 300), Arithmetic::F64, 700);
        assert!(known > 2, "{formula}: {known}");
    }
    let (_, known) = check(
        &julia("mandelbrot", ["-0.8", "0.156"], "0.1", "0.2", "20"),
        Arithmetic::F64,
        400,
    );
    assert!(known > 5);
}

#[test]
fn formulas_deep_counts_are_exact() {
    // Beside -2, where the orbits of all of these repel: as deep as one likes, and no two rows are alike.
    for formula in [
        "burning-ship",
        "tricorn",
        "celtic",
        "perpendicular-mandelbrot",
        "absx absy sqr add / sqr add",
        "sqr absx add / negy sqr add / sqr add",
    ] {
        for (zoom, arithmetic) in [
            ("3e9", Arithmetic::DeltaF64),
            ("3e60", Arithmetic::DeltaF64),
            ("3e200", Arithmetic::DeltaF64),
            ("3e420", Arithmetic::DeltaFloatexp),
        ] {
            let spec = frame(formula, "-2", "0", zoom, 4000);
            let (buffer, known) = check(&spec, arithmetic, 3200);
            assert!(known > 1, "{formula} {zoom}");
            assert!(
                buffer.settling.again < 60,
                "{formula} {zoom}: {:?}",
                buffer.settling
            );
        }
    }
    let places = [
        ("multibrot-3", "0.24127184187152", "1.08231742613"),
        // The same in other words: times the z that the phase begins with.
        ("sqr mul add", "0.24127184187152", "1.08231742613"),
        ("multibrot-4", "-0.60213457", "0.8331923"),
        ("burning-ship", "-1.62003714", "-0.00241893"),
    ];
    for (formula, re, im) in places {
        check(
            &frame(formula, re, im, "1e8", 3000),
            Arithmetic::DeltaF64,
            1500,
        );
    }
}

#[test]
fn formulas_deep_julia_sets_and_start_values_are_exact() {
    // 2 is the fixed point of z² - 2 that repels, and a third of the interval is as good as any.
    for (re, zoom, arithmetic) in [
        ("2", "1e12", Arithmetic::DeltaF64),
        ("2", "1e330", Arithmetic::DeltaFloatexp),
        (
            "0.66666666666666666666666666666666666666",
            "1e30",
            Arithmetic::DeltaF64,
        ),
    ] {
        let (_, known) = check(
            &julia("mandelbrot", ["-2", "0"], re, "0", zoom),
            arithmetic,
            3000,
        );
        assert!(known > 1, "{re} {zoom}");
    }
    check(
        &julia(
            "multibrot-3",
            ["0.24127184187152", "1.08231742613"],
            "0.1",
            "0.05",
            "1e9",
        ),
        Arithmetic::DeltaF64,
        1500,
    );
    check(
        &julia("burning-ship", ["-1.62", "-0.0024"], "0.3", "0.2", "1e9"),
        Arithmetic::DeltaF64,
        1500,
    );
    let started = FrameSpec {
        z0: (0.25, -0.125),
        ..frame("mandelbrot", "-1.62003714", "0.00241893", "1e20", 3000)
    };
    check(&started, Arithmetic::DeltaF64, 1500);
}

/// Orbits that are computed with their derivatives are so one by one, the others side by side.
#[test]
fn formulas_deep_orbits_side_by_side_are_those_of_one_by_one() {
    let place = ["0.24127184187152", "1.08231742613"];
    let other = ["-1.62003714", "-0.00241893"];
    for (formula, [re, im], zoom) in [
        ("multibrot-3", place, "1e8"),
        ("multibrot-4", ["-0.60213457", "0.8331923"], "1e30"),
        ("sqr mul add", place, "1e8"),
        ("burning-ship", other, "1e8"),
        ("burning-ship", ["-2", "0"], "1e40"),
        ("celtic", ["-1.2", "0.3"], "1e9"),
        ("buffalo", ["-0.3", "-0.9"], "1e9"),
        (
            "store negx sqr mul rot{30} absx add",
            ["-0.4", "0.6"],
            "1e9",
        ),
    ] {
        let plane = frame(formula, re, im, zoom, 3000);
        let near = julia(formula, [re, im], "0.1", "0.05", zoom);
        for (spec, counts) in [&plane, &near]
            .into_iter()
            .flat_map(|spec| [Counts::Fast, Counts::Settled].map(|counts| (spec, counts)))
        {
            let with = |measures: &[Measure]| FrameSpec {
                counts,
                measures: measures.iter().copied().collect(),
                ..spec.clone()
            };
            let own = [Measure::Iterations, Measure::Smooth];
            let alone = with(&[own[0], own[1], Measure::Distance]);
            let alone = computed(&alone, &CpuDevice::new(Some(2)));
            for isa in Isa::available() {
                let beside = computed(&with(&own), &CpuDevice::with_isa(isa, Some(1)));
                for measure in own {
                    let bytes = |made: &StripBuffer| {
                        let plane = Plane::find(&made.planes, measure).unwrap();
                        plane.bytes().to_vec()
                    };
                    assert!(
                        bytes(&beside) == bytes(&alone),
                        "{isa:?} {measure:?} of {spec:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn formulas_have_the_same_bytes_on_every_instruction_set_and_by_any_cut() {
    let all = [
        Measure::Iterations,
        Measure::Smooth,
        Measure::Distance,
        Measure::Phase,
        Measure::Direction,
        Measure::Stability,
    ];
    for spec in [
        frame("burning-ship", "-1.755", "-0.03", "30", 400),
        frame(
            "sqr add / absx absy pow3 rot{30} add",
            "-0.4",
            "0.6",
            "3",
            300,
        ),
        frame("burning-ship", "-2", "0", "1e40", 3000),
        frame(
            "multibrot-3",
            "0.24127184187152",
            "1.08231742613",
            "1e8",
            3000,
        ),
    ] {
        for counts in [Counts::Fast, Counts::Settled] {
            let spec = FrameSpec {
                counts,
                measures: all.into_iter().collect(),
                ..spec.clone()
            };
            let best = computed(&spec, &CpuDevice::new(Some(2)));
            for isa in [Isa::Portable, Isa::Avx2] {
                let other = computed(&spec, &CpuDevice::with_isa(isa, Some(1)));
                for (ours, theirs) in best.planes.iter().zip(&other.planes) {
                    assert_eq!(
                        ours.bytes(),
                        theirs.bytes(),
                        "{isa:?} {:?} of {spec:?}",
                        ours.measure()
                    );
                }
            }
            // Strips of a row each.
            let frame = PreparedFrame::new(spec.clone()).unwrap();
            let device = CpuDevice::new(Some(1));
            let row = |row0: u32| {
                let strip = Strip {
                    index: 0,
                    row0,
                    rows: 1,
                };
                device.compute(&frame, strip, &Progress::default()).unwrap()
            };
            let rows: Vec<StripBuffer> = (0..spec.height).map(row).collect();
            for (plane, ours) in best.planes.iter().enumerate() {
                let theirs: Vec<u8> = rows
                    .iter()
                    .flat_map(|row| row.planes[plane].bytes().to_vec())
                    .collect();
                assert_eq!(ours.bytes(), theirs, "{:?} of {spec:?}", ours.measure());
            }
            let again: Settling = rows
                .iter()
                .fold(Settling::default(), |sum, row| sum + row.settling);
            assert_eq!(again, best.settling);
        }
    }
}

#[test]
fn formulas_smooth_counts_and_distances_are_those_of_their_degree() {
    // Far from the set z_n is nearly c^(d^(n-1)), and the distance to it nearly that to 0.
    for (formula, degree) in [("multibrot-3", 3), ("multibrot-5", 5), ("burning-ship", 2)] {
        let spec = FrameSpec {
            measures: MeasureSet::default()
                .with(Measure::Smooth)
                .with(Measure::Distance),
            ..frame(formula, "3000", "4000", "4", 50)
        };
        let buffer = computed(&spec, &CpuDevice::new(Some(1)));
        let smooth = Plane::find(&buffer.planes, Measure::Smooth).unwrap();
        let at = smooth.values::<f32>().unwrap()[0];
        let expected = Smoothing::of_degree(256.0, degree).long_count(1.0, 5000.0 * 5000.0);
        assert!((at - expected).abs() < 1e-3, "{formula}: {at} {expected}");
        let distance = Plane::find(&buffer.planes, Measure::Distance).unwrap();
        let pixels = f64::from(distance.values::<f32>().unwrap()[0]);
        let estimate = 5000.0 * 2.0 * 5000f64.ln() / spec.pixel_spacing();
        assert!(
            (pixels / estimate - 1.0).abs() < 1e-2,
            "{formula}: {pixels} {estimate}"
        );
    }
}

#[test]
fn formulas_deep_distances_are_those_of_long_numbers() {
    let of = |formula: &str, skip: i32| FrameSpec {
        measures: MeasureSet::default()
            .with(Measure::Distance)
            .with(Measure::Iterations),
        counts: Counts::Fast,
        skip_error_log2: skip,
        ..frame(formula, "-2", "0", "1e40", 3000)
    };
    for formula in ["burning-ship", "celtic", "multibrot-3"] {
        let spec = of(formula, SKIP_ERROR_LOG2);
        let spec = if formula == "multibrot-3" {
            FrameSpec {
                ..frame(
                    "multibrot-3",
                    "0.24127184187152",
                    "1.08231742613",
                    "1e8",
                    3000,
                )
            }
        } else {
            spec
        };
        let spec = FrameSpec {
            measures: of(formula, -40).measures,
            ..spec
        };
        let buffer = computed(&spec, &CpuDevice::new(Some(2)));
        let distances = Plane::find(&buffer.planes, Measure::Distance).unwrap();
        let distances = distances.values::<f32>().unwrap();
        let mut seen = 0;
        for pixel in (0..distances.len()).step_by(11) {
            let (col, row) = (pixel as u32 % spec.width, pixel as u32 / spec.width);
            let fractal::settled::Settlement::Settled(end) =
                fractal::formula::settle(&spec, col, row, &|| true)
            else {
                panic!("{formula}");
            };
            if end.count == 0 || end.count != u64::from(counts(&buffer)[pixel]) {
                continue;
            }
            let spacing = spec.pixel_spacing();
            let slope = [end.slope.re, end.slope.im]
                .map(|part| (part * fractal::FloatExp::from_f64(spacing)).to_f64());
            let norm2 = end.z[0] * end.z[0] + end.z[1] * end.z[1];
            let known = fractal::smooth::distance(1, norm2, slope[0].hypot(slope[1]), 1.0);
            assert!(
                (distances[pixel] / known - 1.0).abs() < 1e-4,
                "{formula}: {} {known}",
                distances[pixel]
            );
            seen += 1;
        }
        assert!(seen > 5, "{formula}");
    }
}

#[test]
fn formulas_that_are_cancelled_or_too_long_say_so() {
    let spec = frame("burning-ship", "-1.7", "0", "1e12", 1 << 40);
    let frame = PreparedFrame::new(FrameSpec {
        measures: MeasureSet::default().with(Measure::LongIterations),
        ..spec
    });
    let frame = frame.unwrap();
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: 1,
    };
    let progress = Progress::default();
    progress.cancel();
    let device = CpuDevice::new(Some(1));
    assert_eq!(
        device.compute(&frame, strip, &progress).unwrap_err(),
        EngineError::Cancelled
    );
    // The real axis from -2 on never escapes: its reference orbit is as long as the limit.
    let long = device
        .compute(&frame, strip, &Progress::default())
        .unwrap_err();
    assert!(matches!(long, EngineError::Orbits(_)), "{long}");
}
