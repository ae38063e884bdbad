//! Deltas from a reference orbit: against the exact oracle, against a plain loop, and against themselves without
//! blocks of steps.

use std::sync::Arc;
use std::time::Instant;

use fractal::reference::{self, ReferencePoint};
use fractal::{ComplexExp, ReferenceOrbit, Values};

use super::kernels::{Oracle, oracle};
use super::*;
use crate::EngineError;

/// An oracle's view with the reference orbit of its middle.
fn deep(name: &str) -> Oracle {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/oracle/");
    let text = std::fs::read_to_string(format!("{path}{name}.json")).unwrap();
    let mut oracle = oracle(&text);
    oracle.frame = with_reference(oracle.frame.spec);
    oracle
}

fn orbit_of(spec: &FrameSpec) -> ReferenceOrbit {
    let centre = ReferencePoint::centre_of(spec);
    reference::compute(spec, centre, 1 << 24, &mut |_| true).unwrap()
}

pub(super) fn with_reference(spec: FrameSpec) -> PreparedFrame {
    let orbit = Arc::new(orbit_of(&spec));
    PreparedFrame::with_reference(spec, orbit).unwrap()
}

/// The arithmetics of deltas that a device offers for a frame.
pub(super) fn offered(device: &GpuDevice, frame: &PreparedFrame) -> Vec<Arithmetic> {
    (device.info().arithmetics.iter().copied())
        .filter(|a| a.is_delta() && a.is_exact_for(frame.extent_log2, frame.spacing_log2))
        .collect()
}

/// Samples off and falsely inside, of all.
fn check(oracle: &Oracle, device: &GpuDevice, arithmetic: Arithmetic) -> (usize, usize, usize) {
    let places: Vec<(u32, u32)> = (oracle.samples.iter())
        .map(|(col, row, _)| (*col, *row))
        .collect();
    let counts = device
        .compute_samples(&oracle.frame, arithmetic, &places, &Progress::default())
        .unwrap();
    assert_eq!(counts.len(), places.len());
    let pairs = || counts.iter().zip(&oracle.samples);
    let off = pairs().filter(|(n, (_, _, exact))| *n != exact).count();
    let inside = pairs()
        .filter(|(n, (_, _, exact))| **n == 0 && *exact != 0)
        .count();
    (off, inside, places.len())
}

fn agree(names: &[&str]) {
    let oracles: Vec<(&str, Oracle)> = names.iter().map(|name| (*name, deep(name))).collect();
    on_every_adapter(|device| {
        for arithmetic in Arithmetic::DELTA {
            let (mut all_off, mut all) = (0, 0);
            for (name, oracle) in &oracles {
                if !offered(device, &oracle.frame).contains(&arithmetic) {
                    continue;
                }
                let begun = Instant::now();
                let (off, inside, samples) = check(oracle, device, arithmetic);
                eprintln!(
                    "  {name} in {}: {off} of {samples} off, {inside} falsely inside; {:.2} s",
                    arithmetic.name(),
                    begun.elapsed().as_secs_f64()
                );
                assert_eq!(inside, 0, "{name}");
                assert!(off * 50 <= samples, "{name}: {off} of {samples}");
                (all_off, all) = (all_off + off, all + samples);
            }
            assert!(all_off * 200 <= all, "{all_off} of {all}");
        }
    });
}

#[test]
fn shallow_views_agree_with_the_exact_oracle() {
    agree(&[
        "whole-set",
        "wiki-seahorse-wiki6",
        "wiki-seahorse-wiki7",
        "wiki-seahorse-wiki14",
        "julia-1e12",
    ]);
}

#[test]
fn deep_views_agree_with_the_exact_oracle() {
    agree(&[
        "e14",
        "mini-1e16",
        "julia-1e34",
        "peanuts",
        "mini-1e47",
        "e50",
        "e113",
        "julia-1e121",
        "flake",
    ]);
}

#[test]
fn very_deep_views_agree_with_the_exact_oracle() {
    agree(&[
        "mini-1e164",
        "julia-1e234",
        "mini-1e317",
        "e227",
        "e533",
        "e1086",
    ]);
}

/// What plain deltas on the host find for a pixel, with whole exponents throughout.
fn on_the_host(frame: &PreparedFrame, col: usize, row: usize) -> (u32, f32, f32, f64) {
    let (deep, spec) = (frame.deep.as_ref().unwrap(), &frame.spec);
    let c = ComplexExp::new(deep.columns[col], deep.rows[row]);
    let last = deep.orbit.steps();
    let (one, two) = (
        ComplexExp::from_f64(1.0, 0.0),
        ComplexExp::from_f64(2.0, 0.0),
    );
    let (mut z, mut dz, mut m) = (ComplexExp::ZERO, ComplexExp::ZERO, 0);
    for n in 1..=spec.short_limit().unwrap() {
        let at = deep.orbit.at(m);
        dz = two * (at + z) * dz + one;
        z = (two * at + z) * z + c;
        m += 1;
        let whole = deep.orbit.at(m) + z;
        let norm2 = whole.norm2().to_f64();
        if norm2 > spec.escape_radius * spec.escape_radius {
            let smooth = fractal::smooth::Smoothing::new(spec.escape_radius).count(n, norm2);
            let derivative = (dz.abs() * deep.pixel_spacing).to_f64();
            let distance = fractal::smooth::distance(n, norm2, derivative, 1.0);
            return (n, smooth, distance, f64::NAN);
        }
        if m == last || whole.norm2() < z.norm2() {
            (z, m) = (whole, 0);
        }
    }
    (0, 0.0, 0.0, (deep.orbit.at(m) + z).abs().to_f64())
}

/// The view of an oracle with few samples.
pub(super) fn small(name: &str, iterations: u64, wanted: &[Measure]) -> PreparedFrame {
    let mut spec = deep(name).frame.spec;
    (spec.width, spec.height) = (13, 9);
    spec.iterations = iterations;
    spec.measures = measures(wanted);
    with_reference(spec)
}

#[test]
fn all_measures_agree_with_the_host() {
    let three = [Measure::Iterations, Measure::Smooth, Measure::Distance];
    let four = [
        Measure::Iterations,
        Measure::Smooth,
        Measure::Distance,
        Measure::Stability,
    ];
    let frames = [
        small("whole-set", 200, &four),
        small("wiki-seahorse-wiki14", 3000, &three),
        small("julia-1e34", 9000, &three),
        // Few have escaped: what is left has been at every depth.
        small("julia-1e34", 1500, &four),
        small("peanuts", 4000, &[Measure::Stability]),
        small("mini-1e317", 60_000, &three),
    ];
    for frame in &frames {
        let (width, height) = (frame.spec.width as usize, frame.spec.height as usize);
        let places = (0..height).flat_map(|row| (0..width).map(move |col| (col, row)));
        let exact: Vec<_> = places
            .map(|(col, row)| on_the_host(frame, col, row))
            .collect();
        on_every_adapter(|device| {
            for arithmetic in offered(device, frame) {
                let buffer = whole(device, frame, arithmetic);
                let close = |found: f32, exact: f32, part: f32| {
                    (found - exact).abs() <= part * exact.abs().max(1e-3)
                };
                for plane in &buffer.planes {
                    let same = |at: usize| match (plane.measure(), plane.any()) {
                        (Measure::Iterations, Values::U32(values)) => values[at] == exact[at].0,
                        (Measure::Smooth, Values::F32(values)) => {
                            close(values[at], exact[at].1, 1e-4)
                        }
                        (Measure::Distance, Values::F32(values)) => {
                            close(values[at], exact[at].2, 1e-2)
                        }
                        (other, Values::U32(_) | Values::U64(_) | Values::F32(_)) => {
                            unreachable!("{other:?} is not asked for")
                        }
                        (_, Values::F64(values)) => {
                            let (found, exact) = (values[at], exact[at].3);
                            // What has left |z| <= 2 and not yet the escape radius has none either.
                            let none = exact.is_nan() || exact > 2.0;
                            found.is_nan() && none || (found - exact).abs() <= 1e-6
                        }
                    };
                    let off = (0..exact.len()).filter(|at| !same(*at)).count();
                    eprintln!("  {}: {off} off", arithmetic.name());
                    assert!(
                        off <= 2,
                        "{off} in {} of {:?}",
                        arithmetic.name(),
                        frame.spec
                    );
                }
            }
        });
    }
}

#[test]
fn deltas_do_not_depend_on_strips_or_rounds() {
    let all = [Measure::Iterations, Measure::Smooth, Measure::Distance];
    let mut spec = deep("julia-1e34").frame.spec;
    (spec.width, spec.height) = (70, 41);
    spec.measures = measures(&all);
    let frame = with_reference(spec);
    on_every_adapter(|device| {
        for arithmetic in offered(device, &frame) {
            let bytes = |strip_rows| {
                let strips = strips(device, &frame, arithmetic, strip_rows);
                let plane = |plane: usize| {
                    let bytes = strips
                        .iter()
                        .flat_map(move |s| s.planes[plane].bytes().to_vec());
                    bytes.collect::<Vec<u8>>()
                };
                (0..all.len()).map(plane).collect::<Vec<_>>()
            };
            let reference = bytes(41);
            for strip_rows in [1, 7] {
                assert!(bytes(strip_rows) == reference, "{}", arithmetic.name());
            }
            // Single pixels are the same ones.
            let places: Vec<_> = (0..41).map(|at| (at, at)).collect();
            let counts = device
                .compute_samples(&frame, arithmetic, &places, &Progress::default())
                .unwrap();
            let buffer = whole(device, &frame, arithmetic);
            for ((col, row), n) in places.iter().zip(counts) {
                assert_eq!(n, super::counts(&buffer)[(row * 70 + col) as usize]);
            }
        }
    });
}

#[test]
fn what_is_no_delta_frame_is_not_served() {
    let shallow = small("wiki-seahorse-wiki14", 500, &[Measure::Iterations]);
    let deeper = small("mini-1e317", 500, &[Measure::Iterations]);
    on_every_adapter(|device| {
        let refused = |frame: &PreparedFrame, arithmetic| {
            let strip = whole_strip(frame);
            let result = device.compute(frame, arithmetic, strip, &Progress::default());
            assert!(
                matches!(result, Err(EngineError::NotServed { .. })),
                "{result:?}"
            );
        };
        for arithmetic in Arithmetic::DELTA {
            let mut frame = shallow.clone();
            frame.deep = None;
            refused(&frame, arithmetic);
            frame = shallow.clone();
            frame.spec.z0 = (0.1, 0.0);
            refused(&frame, arithmetic);
            assert_eq!(device.arithmetic_for(&frame, true), None);
            frame = shallow.clone();
            frame.spec.iterations = 1 << 32;
            refused(&frame, arithmetic);
            assert_eq!(device.arithmetic_for(&frame, true), None);
            frame.deep = None;
            refused(&frame, Arithmetic::DoubleSingle);
            assert_eq!(device.arithmetic_for(&frame, true), None);
        }
        let best = device.arithmetic_for(&shallow, false).unwrap();
        assert_eq!(best, offered(device, &shallow)[0]);
        let best = device.arithmetic_for(&deeper, false).unwrap();
        assert!(best.is_delta() && best != Arithmetic::DeltaF64);
        let outside = device.compute_samples(&shallow, best, &[(13, 0)], &Progress::default());
        assert!(matches!(outside, Err(EngineError::NotServed { .. })));
        let cancelled = Progress::default();
        cancelled.cancel();
        let result = device.compute(&shallow, best, whole_strip(&shallow), &cancelled);
        assert!(matches!(result, Err(EngineError::Cancelled)));
        // Neither spoils the device.
        assert!(counts(&whole(device, &shallow, best)).contains(&0));
    });
}

#[test]
fn blocks_of_steps_are_skipped_and_counted() {
    let frame = small("peanuts", 9450, &[Measure::Iterations]);
    on_every_adapter(|device| {
        for figure in crate::bench::run_deep(device, &frame, &|_, _| Ok(())).unwrap() {
            eprintln!("  {figure:?}");
            let buffer = whole(device, &frame, figure.arithmetic);
            assert_eq!(figure.iterations, buffer.iterations_total);
            assert!(figure.moves > 0 && u128::from(figure.moves) < figure.iterations / 4);
            let strip = whole_strip(&frame);
            let progress = Progress::default();
            let unskipped = device
                .count_moves(&frame, figure.arithmetic, strip, false, &progress)
                .unwrap();
            assert_eq!(u128::from(unskipped.1), unskipped.0);
            let plain = device
                .compute_without_shortcuts(&frame, figure.arithmetic, strip, &progress)
                .unwrap();
            let off = counts(&buffer).iter().zip(counts(&plain));
            assert!(off.filter(|(a, b)| a != b).count() <= 2);
        }
    });
}
