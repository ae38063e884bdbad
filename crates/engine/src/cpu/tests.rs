//! Every instruction set of this machine against one naive loop, and against the exact oracle.

use fractal::frame::FrameSpec;
use fractal::smooth::{self, Smoothing};
use fractal::{Grid, Measure, MeasureSet, Plane, Strip, StripBuffer, StripPlan, View};
use proptest::prelude::*;

use super::{CpuDevice, Isa};
use crate::frame::PreparedFrame;
use crate::info::EngineError;
use crate::progress::Progress;

/// Bytes of each plane, and the total: what two computations of a strip must agree on.
type Bytes = (Vec<Vec<u8>>, u128);

/// Where one pixel's orbit ends.
#[derive(Default)]
struct End {
    /// 0 if it does not escape.
    n: u32,
    norm2: f64,
    z: [f64; 2],
    slope: [f64; 2],
}

/// Whether |z| > R, without rounding where that could decide.
fn is_outside(x: f64, y: f64, radius: f64) -> bool {
    let (norm2, limit) = (x.mul_add(x, y * y), radius * radius);
    let is_close = (norm2 - limit).abs() <= 1e-12 * limit;
    if is_close {
        super::radius::exceeds(x, y, radius)
    } else {
        norm2 > limit || norm2.is_nan()
    }
}

/// One pixel by the plain loop.
fn naive_count(spec: &FrameSpec, cx: f64, cy: f64) -> End {
    let (mut x, mut y) = spec.z0;
    let (mut dx, mut dy) = (0.0f64, 0.0f64);
    for n in 1..=spec.short_limit().unwrap() {
        let (x2, y2) = (x + x, y + y);
        (dx, dy) = (
            x2.mul_add(dx, (-y2).mul_add(dy, 1.0)),
            x2.mul_add(dy, y2 * dx),
        );
        (x, y) = (x.mul_add(x, (-y).mul_add(y, cx)), x2.mul_add(y, cy));
        let norm2 = x.mul_add(x, y * y);
        if is_outside(x, y, spec.escape_radius) {
            return End {
                n,
                norm2,
                z: [x, y],
                slope: [dx, dy],
            };
        }
    }
    End::default()
}

/// |z_N| of one pixel by the plain loop.
fn naive_stability(spec: &FrameSpec, cx: f64, cy: f64) -> f64 {
    let (mut x, mut y) = spec.z0;
    for _ in 0..spec.iterations {
        (x, y) = (x.mul_add(x, (-y).mul_add(y, cx)), (x + x).mul_add(y, cy));
    }
    let norm2 = x.mul_add(x, y * y);
    if norm2 <= 4.0 { norm2.sqrt() } else { f64::NAN }
}

/// What `of` says of each pixel that escapes, and 0 for the others.
fn outside(ends: &[End], of: impl Fn(&End) -> f32) -> Vec<f32> {
    ends.iter()
        .map(|end| if end.n == 0 { 0.0 } else { of(end) })
        .collect()
}

/// The whole picture by the plain loops.
fn naive(frame: &PreparedFrame) -> Bytes {
    let spec = &frame.spec;
    let pixels = || {
        frame
            .rows
            .iter()
            .flat_map(|&cy| frame.columns.iter().map(move |&cx| (cx, cy)))
    };
    let counts: Vec<_> = pixels().map(|(cx, cy)| naive_count(spec, cx, cy)).collect();
    let smoothing = Smoothing::new(spec.escape_radius);
    let planes = spec.measures.iter().map(|measure| match measure {
        Measure::Iterations => {
            let counts: Vec<u32> = counts.iter().map(|p| p.n).collect();
            Plane::new(measure, counts)
        }
        Measure::Smooth => {
            let values = counts.iter().map(|p| smoothing.count(p.n, p.norm2));
            Plane::new(measure, values.collect())
        }
        Measure::Distance => {
            let distance = |end: &End| {
                let [dx, dy] = end.slope;
                let slope2 = dx.mul_add(dx, dy * dy);
                let slope = if slope2 < f64::INFINITY {
                    slope2.sqrt()
                } else {
                    f64::INFINITY
                };
                smooth::distance(end.n, end.norm2, slope, frame.pixel_spacing)
            };
            Plane::new(measure, counts.iter().map(distance).collect())
        }
        Measure::Fraction => Plane::new(
            measure,
            outside(&counts, |end| smoothing.fraction(end.norm2)),
        ),
        Measure::Phase => Plane::new(
            measure,
            outside(&counts, |end| smooth::turns(end.z[0], end.z[1])),
        ),
        Measure::Direction => Plane::new(
            measure,
            outside(&counts, |end| smooth::direction(end.z, end.slope)),
        ),
        Measure::LongIterations => unreachable!("of deltas alone"),
        Measure::Stability => {
            let values = pixels().map(|(cx, cy)| naive_stability(spec, cx, cy));
            Plane::new(measure, values.collect())
        }
    });
    let total = if frame.counts_iterations() {
        counts
            .iter()
            .map(|p| {
                if p.n == 0 {
                    u128::from(spec.iterations)
                } else {
                    u128::from(p.n)
                }
            })
            .sum()
    } else {
        u128::from(spec.iterations) * u128::from(spec.pixels())
    };
    (planes.map(|plane| plane.bytes().to_vec()).collect(), total)
}

fn whole(frame: &PreparedFrame) -> Strip {
    Strip {
        index: 0,
        row0: 0,
        rows: frame.spec.height,
    }
}

fn bytes(buffer: &StripBuffer) -> Bytes {
    (
        buffer
            .planes
            .iter()
            .map(|plane| plane.bytes().to_vec())
            .collect(),
        buffer.iterations_total,
    )
}

fn compute(device: &CpuDevice, frame: &PreparedFrame) -> Bytes {
    let buffer = device
        .compute(frame, whole(frame), &Progress::default())
        .unwrap();
    assert!(buffer.fits(&frame.spec, whole(frame)));
    bytes(&buffer)
}

/// One device for each instruction set, with shortcuts and without.
fn devices() -> Vec<CpuDevice> {
    let both = |isa| [true, false].map(|on| CpuDevice::with_isa(isa, Some(2)).shortcuts(on));
    Isa::available().into_iter().flat_map(both).collect()
}

fn bounds(x: (f64, f64), y: (f64, f64)) -> View {
    let decimal = |value: f64| format!("{value:.12}").parse().unwrap();
    View::Bounds {
        xmin: decimal(x.0),
        xmax: decimal(x.1),
        ymin: decimal(y.0),
        ymax: decimal(y.1),
    }
}

/// Frames of every kind that the kernels treat in their own way.
fn frames() -> impl Strategy<Value = FrameSpec> {
    let place = prop_oneof![
        (Just((-0.75, 0.0)), 1.0..5.0f64),
        (Just((-0.7436, 0.1318)), 1e-4..1e-2f64),
        (Just((-2.0, 0.0)), 1e-9..1e-1f64),
        (Just((0.25, 0.0)), 1e-6..1e-1f64),
        (Just((-1.3, 0.05)), 1e-3..1e-1f64),
        ((-3.0..3.0f64, -3.0..3.0f64), 1e-3..4.0f64),
    ];
    let radius = prop_oneof![
        Just(256.0),
        Just(2.0),
        Just(2.5),
        Just(1e9),
        0.1..2.0f64,
        2.0..4.0f64,
    ];
    let start = prop_oneof![3 => Just((0.0, 0.0)), 1 => (-1.5..1.5f64, -1.5..1.5f64), 1 => Just((1e9, -1e9))];
    let limit = prop_oneof![
        1u64..40,
        40u64..700,
        Just(1),
        Just(16),
        Just(17),
        Just(1024)
    ];
    let measures = proptest::collection::vec(proptest::sample::select(&Measure::ALL), 1..8);
    let grid = prop_oneof![Just(Grid::Pixels), Just(Grid::Linspace)];
    (
        (place, grid, 1u32..90, 1u32..40),
        radius,
        start,
        limit,
        measures,
    )
        .prop_map(
            |(((centre, size), grid, width, height), escape_radius, z0, iterations, measures)| {
                FrameSpec {
                    view: bounds(
                        (centre.0 - size / 2.0, centre.0 + size / 2.0),
                        (centre.1 - size / 2.1, centre.1 + size / 1.9),
                    ),
                    transform: fractal::Transform::default(),
                    grid,
                    width,
                    height,
                    iterations,
                    escape_radius,
                    z0,
                    formula: fractal::Formula::default(),
                    julia: None,
                    skip_error_log2: fractal::SKIP_ERROR_LOG2,
                    counts: fractal::Counts::Fast,
                    measures: measures.into_iter().collect(),
                }
            },
        )
}

/// The notebook's view, with every measure.
fn notebook(width: u32, height: u32, iterations: u64) -> FrameSpec {
    FrameSpec {
        view: bounds((-2.0, 0.5), (-1.5, 1.5)),
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width,
        height,
        iterations,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: Measure::ALL.into_iter().collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn cpu_every_instruction_set_gives_the_naive_bytes(spec in frames()) {
        let frame = PreparedFrame::new(spec).unwrap();
        let expected = naive(&frame);
        for device in devices() {
            prop_assert!(
                compute(&device, &frame) == expected,
                "{} differs, shortcuts {}", device.info().name, device.shortcuts
            );
        }
    }
}

#[test]
fn cpu_bands_of_a_large_picture_give_the_naive_bytes() {
    // Several bands, a width that no chunk divides, and cycles to find and to jump over.
    let frame = PreparedFrame::new(notebook(331, 401, 3001)).unwrap();
    let expected = naive(&frame);
    for device in devices() {
        assert!(
            compute(&device, &frame) == expected,
            "{} {}",
            device.info().name,
            device.shortcuts
        );
    }
}

#[test]
fn cpu_strips_of_any_height_have_the_picture_s_rows() {
    let frame = PreparedFrame::new(notebook(201, 150, 150)).unwrap();
    let expected = compute(&CpuDevice::new(Some(1)), &frame);
    for isa in Isa::available() {
        for (strip_rows, threads) in [(1, 3), (7, 1), (64, 2), (149, 2)] {
            let device = CpuDevice::with_isa(isa, Some(threads));
            let mut joined: Bytes = (vec![Vec::new(); expected.0.len()], 0);
            for strip in (StripPlan {
                height: 150,
                strip_rows,
            })
            .strips()
            {
                let buffer = device.compute(&frame, strip, &Progress::default()).unwrap();
                let (planes, total) = bytes(&buffer);
                joined
                    .0
                    .iter_mut()
                    .zip(planes)
                    .for_each(|(all, plane)| all.extend(plane));
                joined.1 += total;
            }
            assert!(joined == expected, "{isa:?}, {strip_rows} rows");
        }
    }
}

#[test]
fn cpu_comparison_sees_a_single_pixel() {
    // The control: a frame whose limit is one step lower must not pass for the same.
    let frame = PreparedFrame::new(notebook(64, 64, 50)).unwrap();
    let other = PreparedFrame::new(notebook(64, 64, 49)).unwrap();
    let device = CpuDevice::new(Some(1));
    assert!(compute(&device, &frame) != naive(&other));
    let mut changed = naive(&frame);
    assert!(compute(&device, &frame) == changed);
    *changed.0[1].last_mut().unwrap() ^= 1;
    assert!(compute(&device, &frame) != changed);
}

#[test]
fn cpu_cancelled_strip_is_no_strip() {
    let progress = Progress::default();
    progress.cancel();
    let frame = PreparedFrame::new(notebook(10, 10, 10)).unwrap();
    let answer = CpuDevice::new(Some(1)).compute(&frame, whole(&frame), &progress);
    assert_eq!(answer.unwrap_err(), EngineError::Cancelled);
}

#[test]
fn cpu_long_band_is_cancelled_soon() {
    // Points on the boundary of the cardioid, without shortcuts: hours, if nobody asked to stop.
    let mut spec = notebook(64, 64, u64::from(u32::MAX - 1));
    spec.view = bounds((-0.2, -0.1), (-0.05, 0.05));
    let frame = PreparedFrame::new(spec).unwrap();
    for isa in Isa::available() {
        let device = CpuDevice::with_isa(isa, Some(1)).shortcuts(false);
        let progress = Progress::default();
        std::thread::scope(|scope| {
            let handle = scope.spawn(|| device.compute(&frame, whole(&frame), &progress));
            while progress.steps() == 0 {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            let asked = std::time::Instant::now();
            progress.cancel();
            assert_eq!(handle.join().unwrap().unwrap_err(), EngineError::Cancelled);
            // Generous, for a machine that is busy with other things; it is about a millisecond.
            assert!(asked.elapsed().as_secs_f64() < 2.0);
        });
    }
}

#[test]
fn cpu_slow_strips_show_that_they_move() {
    // Each kernel and each kind of block, on orbits that stay for as long as anybody watches.
    let slow = |measure, escape_radius| {
        let mut spec = notebook(256, 256, u64::from(u32::MAX - 1));
        spec.view = bounds((-0.2, -0.1), (-0.05, 0.05));
        spec.measures = MeasureSet::default().with(measure);
        spec.escape_radius = escape_radius;
        spec
    };
    for spec in [
        slow(Measure::Iterations, 256.0),
        slow(Measure::Iterations, 1.5),
        slow(Measure::Distance, 256.0),
        slow(Measure::Stability, 256.0),
    ] {
        let frame = PreparedFrame::new(spec).unwrap();
        let device = CpuDevice::new(Some(1)).shortcuts(false);
        let progress = Progress::default();
        std::thread::scope(|scope| {
            let handle = scope.spawn(|| device.compute(&frame, whole(&frame), &progress));
            let begun = std::time::Instant::now();
            let (mut seen, mut moved, mut gap) = (0, begun, 0.0f64);
            while begun.elapsed().as_secs_f64() < 0.5 {
                std::thread::sleep(std::time::Duration::from_millis(1));
                let steps = progress.steps();
                if steps != seen {
                    (seen, moved) = (steps, std::time::Instant::now());
                }
                gap = gap.max(moved.elapsed().as_secs_f64());
            }
            progress.cancel();
            assert_eq!(handle.join().unwrap().unwrap_err(), EngineError::Cancelled);
            // Some hundred steps; the pause is generous, for a machine that is busy with other things.
            assert!(seen >= 5 && gap < 0.45, "{seen} steps, {gap} s between two");
        });
    }
}

/// An oracle file's view and samples `[col, row, n]`.
fn oracle(text: &str) -> (FrameSpec, Vec<[u32; 3]>) {
    let file: serde_json::Value = serde_json::from_str(text).unwrap();
    let decimal = |key: &str| file[key].as_str().unwrap().parse().unwrap();
    let number = |key: &str| file[key].as_u64().unwrap();
    let spec = FrameSpec {
        view: View::Centre {
            re: decimal("re"),
            im: decimal("im"),
            zoom: decimal("zoom"),
        },
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: number("width") as u32,
        height: number("height") as u32,
        iterations: number("iterations"),
        escape_radius: file["escape_radius"].as_f64().unwrap(),
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    };
    (
        spec,
        serde_json::from_value(file["samples"].clone()).unwrap(),
    )
}

/// Percent of the samples that differ, and how many are falsely inside.
fn compare(device: &CpuDevice, frame: &PreparedFrame, samples: &[[u32; 3]]) -> (f64, usize) {
    assert!(samples.len() >= 200);
    let buffer = device
        .compute(frame, whole(frame), &Progress::default())
        .unwrap();
    let Some(counts) = buffer.values::<u32>(Measure::Iterations) else {
        unreachable!("the frame asks for iterations")
    };
    let at = |sample: &[u32; 3]| counts[(sample[1] * frame.spec.width + sample[0]) as usize];
    let off = samples
        .iter()
        .filter(|sample| at(sample) != sample[2])
        .count();
    let falsely_inside = samples
        .iter()
        .filter(|sample| at(sample) == 0 && sample[2] != 0)
        .count();
    (100.0 * off as f64 / samples.len() as f64, falsely_inside)
}

#[test]
fn cpu_counts_are_the_oracle_s() {
    for text in [
        include_str!("../../../../tests/data/oracle/whole-set.json"),
        include_str!("../../../../tests/data/oracle/wiki-seahorse-wiki6.json"),
    ] {
        let (spec, samples) = oracle(text);
        let frame = PreparedFrame::new(spec.clone()).unwrap();
        for device in devices() {
            let (off, falsely_inside) = compare(&device, &frame, &samples);
            assert!(
                off <= 2.0 && falsely_inside == 0,
                "{}: {off} %, {falsely_inside}",
                device.info().name
            );
        }
        // The control: the same view with half the iterations is falsely inside somewhere, and another
        // escape radius is off everywhere.
        let device = CpuDevice::new(None);
        let wide = PreparedFrame::new(FrameSpec {
            escape_radius: 1e9,
            ..spec.clone()
        })
        .unwrap();
        assert!(compare(&device, &wide, &samples).0 > 50.0);
        let short = PreparedFrame::new(FrameSpec {
            iterations: 50,
            ..spec
        })
        .unwrap();
        assert!(compare(&device, &short, &samples).1 > 0);
    }
}
