//! The kernels' values: against the exact oracle, against a plain loop, and against themselves cut differently.

use super::*;
use fractal::Values;

/// An oracle file: exact counts of sampled pixels.
pub(super) struct Oracle {
    pub(super) frame: PreparedFrame,
    pub(super) samples: Vec<(u32, u32, u32)>,
}

pub(super) fn oracle(text: &str) -> Oracle {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let text = |name: &str| json[name].as_str().unwrap();
    let number = |value: &serde_json::Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let samples = json["samples"].as_array().unwrap();
    let mut spec = frame(
        centre(text("re"), text("im"), text("zoom")),
        (number(&json["width"]), number(&json["height"])),
        json["iterations"].as_u64().unwrap(),
        measures(&[Measure::Iterations]),
    );
    spec.escape_radius = json["escape_radius"].as_f64().unwrap();
    Oracle {
        frame: prepared(spec),
        samples: samples
            .iter()
            .map(|s| (number(&s[0]), number(&s[1]), number(&s[2])))
            .collect(),
    }
}

fn whole_set() -> Oracle {
    oracle(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/oracle/whole-set.json"
    )))
}

fn wiki6() -> Oracle {
    oracle(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/oracle/wiki-seahorse-wiki6.json"
    )))
}

impl Oracle {
    /// How many samples differ, and how many of them are falsely inside.
    pub(super) fn compare(&self, counts: &[u32]) -> (usize, usize) {
        let wrong: Vec<_> = self
            .samples
            .iter()
            .map(|(col, row, n)| (counts[(row * self.frame.spec.width + col) as usize], *n))
            .filter(|(found, exact)| found != exact)
            .collect();
        (
            wrong.len(),
            wrong.iter().filter(|(found, _)| *found == 0).count(),
        )
    }

    fn check(&self, device: &GpuDevice, arithmetic: Arithmetic, allowed_percent: usize) {
        if !device.info().arithmetics.contains(&arithmetic) {
            return;
        }
        let (off, falsely_inside) = self.compare(counts(&whole(device, &self.frame, arithmetic)));
        let samples = self.samples.len();
        eprintln!(
            "  {}: {off} of {samples} off, {falsely_inside} falsely inside",
            arithmetic.name()
        );
        assert!(off * 100 <= allowed_percent * samples);
        if arithmetic == Arithmetic::F64 {
            assert_eq!(falsely_inside, 0);
        }
    }
}

#[test]
fn whole_set_agrees_with_the_exact_oracle() {
    let oracle = whole_set();
    on_every_adapter(|device| {
        for arithmetic in Arithmetic::PLAIN {
            oracle.check(device, arithmetic, 2);
        }
    });
}

#[test]
fn seahorse_agrees_with_the_exact_oracle() {
    let oracle = wiki6();
    on_every_adapter(|device| {
        oracle.check(device, Arithmetic::F64, 2);
        // Low parts are rounded to 2^-48, five bits short of f64's.
        oracle.check(device, Arithmetic::DoubleSingle, 5);
    });
}

#[test]
fn the_oracle_tells_a_wrong_picture() {
    // Single precision is far too short for this view, which is why the comparison must see it.
    let oracle = wiki6();
    on_every_adapter(|device| {
        let (off, _) = oracle.compare(counts(&whole(device, &oracle.frame, Arithmetic::F32)));
        assert!(off * 100 > 20 * oracle.samples.len(), "{off}");
    });
}

/// What a plain loop on the host finds for a pixel, in double precision throughout.
#[derive(Clone, Copy)]
struct Pixel {
    n: u32,
    smooth: f32,
    distance: f32,
    stability: f64,
}

fn plain_loop(frame: &PreparedFrame, col: usize, row: usize) -> Pixel {
    let spec = &frame.spec;
    let (cx, cy) = (frame.columns[col], frame.rows[row]);
    let (mut x, mut y) = spec.z0;
    let (mut dx, mut dy) = (0.0f64, 0.0f64);
    let mut pixel = Pixel {
        n: 0,
        smooth: 0.0,
        distance: 0.0,
        stability: 0.0,
    };
    for n in 1..=spec.short_limit().unwrap() {
        (dx, dy) = (2.0 * (x * dx - y * dy) + 1.0, 2.0 * (x * dy + y * dx));
        (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
        let norm2 = x * x + y * y;
        if pixel.n == 0 && norm2 > spec.escape_radius * spec.escape_radius {
            pixel.n = n;
            pixel.smooth = fractal::smooth::Smoothing::new(spec.escape_radius).count(n, norm2);
            pixel.distance = fractal::smooth::distance(n, norm2, dx.hypot(dy), frame.pixel_spacing);
        }
        if norm2.is_nan() || norm2 > 1e30 {
            break;
        }
    }
    let norm = x.hypot(y);
    pixel.stability = if norm <= 2.0 { norm } else { f64::NAN };
    pixel
}

/// Shares of pixels, in percent, that may differ from the plain loop; the views are shallow, and what differs lies
/// at the boundary, where the last bit decides.
const ALLOWED_PERCENT: f64 = 1.5;

fn agrees(device: &GpuDevice, frame: &PreparedFrame, arithmetic: Arithmetic) {
    let buffer = whole(device, frame, arithmetic);
    let (width, height) = (frame.spec.width as usize, frame.spec.height as usize);
    let mut off = [0usize; 4];
    let mut total = 0u128;
    for (at, (row, col)) in (0..height)
        .flat_map(|row| (0..width).map(move |col| (row, col)))
        .enumerate()
    {
        let exact = plain_loop(frame, col, row);
        let close = |found: f32, exact: f32, part: f32| {
            (found - exact).abs() <= part * exact.abs().max(1e-3)
        };
        for plane in &buffer.planes {
            let (kind, same) = match (plane.measure(), plane.any()) {
                (_, Values::U32(values)) => {
                    total += if values[at] == 0 {
                        u128::from(frame.spec.iterations)
                    } else {
                        u128::from(values[at])
                    };
                    (0, values[at] == exact.n)
                }
                (Measure::Fraction, Values::F32(values)) => {
                    let fraction = exact.smooth - exact.n as f32;
                    (1, (values[at] - fraction).abs() <= 1e-3)
                }
                (Measure::Smooth, Values::F32(values)) => {
                    (1, close(values[at], exact.smooth, 1e-4))
                }
                (Measure::Distance, Values::F32(values)) => {
                    (2, close(values[at], exact.distance, 1e-2))
                }
                (other, Values::U64(_) | Values::F32(_)) => {
                    unreachable!("no adapter makes {other:?}")
                }
                (_, Values::F64(values)) => {
                    let same = values[at].is_nan() && exact.stability.is_nan();
                    (3, same || (values[at] - exact.stability).abs() <= 1e-6)
                }
            };
            off[kind] += usize::from(!same);
        }
    }
    if frame.spec.measures.contains(Measure::Iterations) {
        assert_eq!(buffer.iterations_total, total);
    } else if !frame.counts_iterations() {
        assert_eq!(
            buffer.iterations_total,
            u128::from(frame.spec.pixels()) * u128::from(frame.spec.iterations)
        );
    }
    let percent = off.map(|off| 100.0 * off as f64 / (width * height) as f64);
    eprintln!(
        "  {}: off {percent:.2?} % (iterations, smooth, distance, stability)",
        arithmetic.name()
    );
    assert!(
        percent.iter().all(|percent| *percent <= ALLOWED_PERCENT),
        "{} {percent:?}",
        arithmetic.name()
    );
}

fn agrees_in_all(frame: &PreparedFrame) {
    on_every_adapter(|device| {
        for arithmetic in &plain(device) {
            let stability = frame.spec.measures.contains(Measure::Stability);
            if !(stability && *arithmetic == Arithmetic::F32) {
                agrees(device, frame, *arithmetic);
            }
        }
    });
}

#[test]
fn all_measures_agree_with_a_plain_loop() {
    let three = measures(&[Measure::Iterations, Measure::Smooth, Measure::Distance]);
    let three = three.with(Measure::Fraction);
    agrees_in_all(&prepared(frame(
        centre("-0.75", "0.1", "1"),
        (120, 90),
        300,
        three,
    )));
    let all = three.with(Measure::Stability);
    agrees_in_all(&prepared(frame(
        centre("-0.75", "0", "1"),
        (120, 90),
        100,
        all,
    )));
}

#[test]
fn stability_alone_agrees_with_a_plain_loop() {
    let mut spec = frame(
        centre("-0.75", "0", "1"),
        (128, 96),
        203,
        measures(&[Measure::Stability]),
    );
    spec.grid = Grid::Linspace;
    agrees_in_all(&prepared(spec.clone()));
    spec.z0 = (0.1, -0.2);
    agrees_in_all(&prepared(spec));
}

#[test]
fn odd_parameters_agree_with_a_plain_loop() {
    let counted = measures(&[Measure::Iterations, Measure::Smooth]);
    let base = frame(centre("-0.5", "0.1", "0.7"), (90, 70), 61, counted);
    // Radii with and without a way back, start values, limits around a block, a single pixel, one row.
    for radius in [0.3, 1.0, 2.0, 2.4, 3.0, 1e4, 1e9] {
        agrees_in_all(&prepared(FrameSpec {
            escape_radius: radius,
            ..base.clone()
        }));
    }
    for z0 in [(0.3, -0.4), (1e9, -1e9), (3.0, 0.0)] {
        agrees_in_all(&prepared(FrameSpec { z0, ..base.clone() }));
    }
    for iterations in [1, 7, 8, 9, 16, 17] {
        agrees_in_all(&prepared(FrameSpec {
            iterations,
            ..base.clone()
        }));
    }
    agrees_in_all(&prepared(FrameSpec {
        width: 1,
        height: 1,
        ..base.clone()
    }));
    agrees_in_all(&prepared(FrameSpec {
        width: 1000,
        height: 1,
        ..base
    }));
}

#[test]
fn shortcuts_change_no_value() {
    let spec = frame(
        centre("-0.6", "0", "1.1"),
        (160, 120),
        400,
        measures(&[Measure::Iterations, Measure::Distance]),
    );
    let frame = prepared(spec);
    on_every_adapter(|device| {
        for arithmetic in &plain(device) {
            let with = whole(device, &frame, *arithmetic);
            let without = device
                .compute_without_shortcuts(
                    &frame,
                    *arithmetic,
                    whole_strip(&frame),
                    &Progress::default(),
                )
                .unwrap();
            assert!(with.planes == without.planes, "{}", arithmetic.name());
            assert_eq!(with.iterations_total, without.iterations_total);
        }
    });
}

#[test]
fn values_do_not_depend_on_the_strips() {
    let all = [Measure::Iterations, Measure::Smooth, Measure::Distance];
    let frame = prepared(frame(
        centre("-0.7436", "0.1318", "50"),
        (150, 101),
        700,
        measures(&all),
    ));
    on_every_adapter(|device| {
        for arithmetic in &plain(device) {
            let bytes = |strip_rows| {
                let strips = strips(device, &frame, *arithmetic, strip_rows);
                let total: u128 = strips.iter().map(|strip| strip.iterations_total).sum();
                let planes: Vec<Vec<u8>> = (0..all.len())
                    .map(|plane| {
                        strips
                            .iter()
                            .flat_map(|strip| strip.planes[plane].bytes().to_vec())
                            .collect()
                    })
                    .collect();
                (planes, total)
            };
            let reference = bytes(101);
            for strip_rows in [1, 7, 64] {
                assert!(
                    bytes(strip_rows) == reference,
                    "{} at {strip_rows} rows",
                    arithmetic.name()
                );
            }
        }
    });
}

#[test]
fn a_strip_larger_than_a_part_is_computed_in_parts() {
    let wanted = measures(&[Measure::Iterations]);
    let frame = prepared(frame(centre("-0.75", "0", "1"), (1531, 1400), 24, wanted));
    on_every_adapter(|device| {
        let at_once = whole(device, &frame, Arithmetic::F32);
        let pieces = strips(device, &frame, Arithmetic::F32, 211);
        let joined: Vec<u32> = pieces
            .iter()
            .flat_map(|strip| counts(strip).to_vec())
            .collect();
        assert!(counts(&at_once) == joined);
    });
}

#[test]
fn two_threads_on_one_device_get_the_same_values() {
    let frame = prepared(frame(
        centre("-0.74", "0.13", "20"),
        (200, 160),
        500,
        measures(&[Measure::Smooth]),
    ));
    on_every_adapter(|device| {
        let arithmetic = device.info().arithmetics[0];
        let reference = strips(device, &frame, arithmetic, 40);
        std::thread::scope(|scope| {
            let work: Vec<_> = (0..2)
                .map(|at| {
                    std::thread::Builder::new()
                        .name(format!("strips {at}"))
                        .spawn_scoped(scope, || strips(device, &frame, arithmetic, 40))
                        .unwrap()
                })
                .collect();
            for thread in work {
                for (strip, expected) in thread.join().unwrap().iter().zip(&reference) {
                    assert!(
                        strip.planes == expected.planes,
                        "strip {}",
                        strip.strip.index
                    );
                }
            }
        });
    });
}

#[test]
fn the_fastest_arithmetic_that_is_precise_enough_is_taken() {
    let at = |zoom: &str, measure| {
        prepared(frame(
            centre("-0.75", "0.1", zoom),
            (64, 64),
            10,
            measures(&[measure]),
        ))
    };
    on_every_adapter(|device| {
        let offered = &plain(device);
        assert_eq!(
            device.arithmetic_for(&at("1", Measure::Smooth), false),
            Some(offered[0])
        );
        // Deeper than anything is exact: `f64` or, if insisted on, whatever is most precise.
        let deep = at("1e9", Measure::Smooth);
        let most_precise = Arithmetic::PLAIN
            .into_iter()
            .rev()
            .find(|a| offered.contains(a));
        assert_eq!(device.arithmetic_for(&deep, true), most_precise);
        assert_eq!(
            device.arithmetic_for(&deep, false),
            most_precise.filter(|a| *a == Arithmetic::F64)
        );
        assert_ne!(
            device.arithmetic_for(&at("1", Measure::Stability), false),
            Some(Arithmetic::F32)
        );
    });
}
