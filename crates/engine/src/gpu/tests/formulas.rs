//! Formulas on adapters: against exact counts, against the processor, and against themselves cut differently.

use fractal::{Formula, formula::names::NAMED};

use super::super::proof;
use super::*;
use crate::check::adapters::check_adapter;
use crate::cpu::CpuDevice;

/// Hybrids in both orders, products of folded values, turns, and a `c` that is added in the middle.
const HYBRIDS: [&str; 8] = [
    "sqr add / absx absy pow3 add",
    "absx absy pow3 add / sqr add",
    "sqr add / sqr add / absx absy sqr add",
    "store absx sqr mul add",
    "store negx sqr mul absx add",
    "sqr add / absx absy pow3 rot{30} add",
    "sqr add negy sqr add",
    "pow5 add / sqr / tricorn",
];

fn of(formula: &str, view: View, iterations: u64, wanted: &[Measure]) -> FrameSpec {
    FrameSpec {
        formula: formula.parse().unwrap(),
        ..frame(view, (96, 72), iterations, measures(wanted))
    }
}

fn julia(spec: FrameSpec, re: &str, im: &str) -> FrameSpec {
    FrameSpec {
        julia: Some([re.parse().unwrap(), im.parse().unwrap()]),
        ..spec
    }
}

fn on_processor(frame: &PreparedFrame) -> StripBuffer {
    let device = CpuDevice::new(Some(1));
    let strip = whole_strip(frame);
    device.compute(frame, strip, &Progress::default()).unwrap()
}

/// Every formula that there is a name for, and the hybrids.
fn formulas() -> Vec<String> {
    let hybrids = HYBRIDS.map(|text| text.replace("tricorn", "negy sqr add"));
    let named = NAMED.iter().map(|(name, _)| (*name).to_owned());
    named
        .chain(hybrids)
        .filter(|name| name != "mandelbrot")
        .collect()
}

/// Percent of pixels of which a value is not the processor's, by measure.
fn off(ours: &StripBuffer, known: &StripBuffer) -> Vec<(Measure, f64)> {
    let planes = ours.planes.iter().zip(&known.planes);
    let of = |(ours, known): (&fractal::Plane, &fractal::Plane)| {
        assert_eq!(ours.measure(), known.measure());
        let close = |a: f64, b: f64, part: f64| (a - b).abs() <= part * b.abs().max(1.0);
        let differing = match (ours.values::<u32>(), known.values::<u32>()) {
            (Some(ours), Some(known)) => ours.iter().zip(known).filter(|(a, b)| a != b).count(),
            _ => match (ours.values::<f32>(), known.values::<f32>()) {
                (Some(ours), Some(known)) => {
                    let differs =
                        |(a, b): &(&f32, &f32)| !close(f64::from(**a), f64::from(**b), 1e-2);
                    ours.iter().zip(known).filter(differs).count()
                }
                _ => {
                    let (ours, known) = (
                        ours.values::<f64>().unwrap(),
                        known.values::<f64>().unwrap(),
                    );
                    let differs = |(a, b): &(&f64, &f64)| {
                        !(close(**a, **b, 1e-5) || a.is_nan() && b.is_nan())
                    };
                    ours.iter().zip(known).filter(differs).count()
                }
            },
        };
        let percent = 100.0 * differing as f64 / (96.0 * 72.0);
        (ours.measure(), percent)
    };
    planes.map(of).collect()
}

/// Compares a frame on an adapter, in all of its arithmetics, with the processor; at most so many percent may differ.
fn agrees(device: &GpuDevice, frame: &PreparedFrame, most: f64) {
    let known = on_processor(frame);
    for arithmetic in plain(device) {
        let stability = frame.spec.measures.contains(Measure::Stability);
        let is_exact = arithmetic.is_exact_for(frame.extent_log2, frame.spacing_log2);
        if !is_exact || stability && arithmetic == Arithmetic::F32 {
            continue;
        }
        let ours = whole(device, frame, arithmetic);
        let off = off(&ours, &known);
        let formula = &frame.spec.formula;
        eprintln!("  {formula} in {}: {off:?}", arithmetic.name());
        for (measure, percent) in off {
            assert!(
                percent <= most,
                "{formula} in {}: {measure:?} {percent} %",
                arithmetic.name()
            );
        }
        if !stability {
            let counts = |buffer: &StripBuffer| buffer.iterations_total as f64;
            assert!(
                (counts(&ours) / counts(&known) - 1.0).abs() < 0.02,
                "{formula}"
            );
        }
    }
}

const THREE: [Measure; 4] = [
    Measure::Iterations,
    Measure::Smooth,
    Measure::Fraction,
    Measure::Distance,
];

#[test]
fn formulas_agree_with_the_processor() {
    on_every_adapter(|device| {
        for formula in formulas() {
            let spec = of(&formula, centre("-0.4", "0.1", "0.6"), 60, &THREE);
            agrees(device, &prepared(spec.clone()), 2.0);
        }
    });
}

#[test]
fn julia_sets_and_start_values_of_formulas_agree_with_the_processor() {
    on_every_adapter(|device| {
        for formula in [
            "mandelbrot",
            "burning-ship",
            "multibrot-4",
            HYBRIDS[0],
            HYBRIDS[1],
        ] {
            let spec = of(formula, centre("0", "0", "0.7"), 60, &THREE);
            agrees(
                device,
                &prepared(julia(spec, "-0.6123456789", "0.3987654321")),
                2.0,
            );
        }
        for formula in ["celtic", HYBRIDS[0]] {
            let spec = FrameSpec {
                z0: (0.3, -0.2),
                ..of(formula, centre("-0.4", "0.1", "0.6"), 60, &THREE)
            };
            agrees(device, &prepared(spec), 2.0);
        }
    });
}

#[test]
fn stability_of_formulas_agrees_with_the_processor() {
    let both = [Measure::Iterations, Measure::Stability];
    on_every_adapter(|device| {
        for (formula, wanted) in [
            ("burning-ship", &both[..]),
            ("multibrot-3", &both[1..]),
            (HYBRIDS[0], &both[1..]),
            (HYBRIDS[2], &both[..]),
        ] {
            let spec = of(formula, centre("-0.4", "0.1", "0.6"), 47, wanted);
            agrees(device, &prepared(spec.clone()), 2.0);
            agrees(device, &prepared(julia(spec, "-0.4", "0.3")), 2.0);
        }
    });
}

#[test]
fn odd_radii_and_limits_of_formulas_agree_with_the_processor() {
    on_every_adapter(|device| {
        for formula in ["burning-ship", HYBRIDS[0], HYBRIDS[2]] {
            let spec = of(formula, centre("-0.4", "0.1", "0.6"), 60, &THREE[..2]);
            // With and without a way back.
            for radius in [0.7, 2.0, 3.0, 1e6] {
                let escape_radius = radius;
                agrees(
                    device,
                    &prepared(FrameSpec {
                        escape_radius,
                        ..spec.clone()
                    }),
                    2.0,
                );
            }
            for iterations in [1, 2, 3, 8, 9, 17] {
                agrees(
                    device,
                    &prepared(FrameSpec {
                        iterations,
                        ..spec.clone()
                    }),
                    2.0,
                );
            }
        }
    });
}

#[test]
fn formulas_agree_with_exact_counts() {
    let files = [
        include_str!("../../../../../tests/data/oracle/formulas/ship-1e2.json"),
        include_str!("../../../../../tests/data/oracle/formulas/tricorn-1e2.json"),
        include_str!("../../../../../tests/data/oracle/formulas/buffalo-1e2.json"),
        include_str!("../../../../../tests/data/oracle/formulas/multibrot3-1e2.json"),
        include_str!("../../../../../tests/data/oracle/formulas/multibrot4-1e2.json"),
    ];
    for text in files {
        let mut oracle = super::kernels::oracle(text);
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let formula: Formula = json["formula"].as_str().unwrap().parse().unwrap();
        let spec = FrameSpec {
            formula,
            ..oracle.frame.spec.clone()
        };
        oracle.frame = prepared(spec);
        let (_, unavoidable) = oracle.compare(counts(&on_processor(&oracle.frame)));
        on_every_adapter(|device| {
            for arithmetic in [Arithmetic::F64, Arithmetic::DoubleSingle] {
                if !device.info().arithmetics.contains(&arithmetic) {
                    continue;
                }
                let buffer = whole(device, &oracle.frame, arithmetic);
                let (off, falsely_inside) = oracle.compare(counts(&buffer));
                let (name, samples) = (arithmetic.name(), oracle.samples.len());
                eprintln!("  {name}: {off} of {samples} off, {falsely_inside} falsely inside");
                assert!(off * 100 <= 2 * samples);
                // Where orbits are chaotic doubles may miss an escape, here and there.
                assert!(falsely_inside <= unavoidable + 1);
            }
        });
    }
}

#[test]
fn values_of_formulas_do_not_depend_on_the_strips() {
    on_every_adapter(|device| {
        for spec in [
            of(HYBRIDS[0], centre("-0.4", "0.1", "3"), 300, &THREE),
            julia(
                of(HYBRIDS[2], centre("0", "0", "0.7"), 300, &THREE),
                "-0.4",
                "0.3",
            ),
        ] {
            let frame = prepared(spec);
            for arithmetic in plain(device) {
                let bytes = |rows: u32| {
                    let strips = strips(device, &frame, arithmetic, rows);
                    let plane = |plane: usize| {
                        let of = strips
                            .iter()
                            .map(|strip| strip.planes[plane].bytes().to_vec());
                        of.collect::<Vec<_>>().concat()
                    };
                    (0..THREE.len()).map(plane).collect::<Vec<_>>()
                };
                let whole = bytes(72);
                for rows in [1, 7, 40] {
                    assert!(
                        bytes(rows) == whole,
                        "{} rows in {}",
                        rows,
                        arithmetic.name()
                    );
                }
            }
        }
    });
}

#[test]
fn single_pixels_and_turned_views_of_formulas_are_those_of_the_picture() {
    on_every_adapter(|device| {
        for spec in [
            of(
                "burning-ship",
                centre("-0.4", "0.1", "0.6"),
                60,
                &THREE[..1],
            ),
            julia(
                of("burning-ship", centre("0", "0", "0.7"), 60, &THREE[..1]),
                "-0.6",
                "0.3",
            ),
        ] {
            let frame = prepared(spec.clone());
            let arithmetic = plain(device)[0];
            let picture = whole(device, &frame, arithmetic);
            let listed = [(0, 0), (95, 71), (17, 40), (60, 3)];
            let found = device
                .compute_samples(&frame, arithmetic, &listed, &Progress::default())
                .unwrap();
            for ((column, row), n) in listed.iter().zip(found) {
                assert_eq!(counts(&picture)[(row * 96 + column) as usize], n);
            }
            let turned = prepared(FrameSpec {
                transform: fractal::Transform {
                    rotate: 30.0,
                    ..fractal::Transform::default()
                },
                ..spec
            });
            agrees(device, &turned, 3.0);
        }
    });
}

#[test]
fn an_arithmetic_is_chosen_by_samples_and_deep_formulas_are_not_served() {
    on_every_adapter(|device| {
        let wide = prepared(of("burning-ship", centre("-0.4", "0.1", "0.6"), 60, &THREE));
        let outcome = check_adapter(device, &wide, &Progress::default())
            .unwrap()
            .unwrap();
        assert!(outcome.suffices, "{outcome:?}");
        assert_eq!(outcome.comparison.samples, 400);
        // Narrow, chaotic, and beyond what any but doubles hold.
        let narrow = prepared(of("celtic", centre("-1.25", "0.35", "3e4"), 2000, &THREE));
        let outcome = check_adapter(device, &narrow, &Progress::default()).unwrap();
        let of_two = [Arithmetic::DoubleSingle, Arithmetic::F64];
        let outcome = outcome.unwrap();
        assert!(of_two.contains(&outcome.arithmetic), "{outcome:?}");
        // Deeper than any is exact: doubles, as on processors.
        let deeper = prepared(of("celtic", centre("-1.25", "0.35", "2e5"), 2000, &THREE));
        let has_doubles = device.info().arithmetics.contains(&Arithmetic::F64);
        let doubles = has_doubles.then_some(Arithmetic::F64);
        assert_eq!(device.arithmetic_for(&deeper, false), doubles);
        assert!((device.candidates(&deeper).into_iter()).eq(doubles));
        for (formula, zoom) in [
            ("burning-ship", "1e20"),
            (
                "pow32 add / pow32 add / pow32 add / pow32 add / pow32 add / pow32 add / pow32 add",
                "0.6",
            ),
        ] {
            let frame = prepared(of(formula, centre("-0.4", "0.1", zoom), 60, &THREE));
            assert_eq!(device.arithmetic_for(&frame, true), None);
            for arithmetic in plain(device) {
                let refused = device.compute(
                    &frame,
                    arithmetic,
                    whole_strip(&frame),
                    &Progress::default(),
                );
                assert!(
                    matches!(refused, Err(crate::EngineError::NotServed { .. })),
                    "{refused:?}"
                );
            }
        }
    });
}

#[test]
fn every_formula_passes_its_proof() {
    on_every_adapter(|device| {
        for text in formulas() {
            let formula: Formula = text.parse().unwrap();
            for arithmetic in plain(device) {
                let proved = device.with_workspace(|workspace| {
                    Ok(proof::prove_formula(
                        &workspace.context,
                        &formula,
                        arithmetic,
                    ))
                });
                assert_eq!(proved.unwrap(), Ok(()), "{}", arithmetic.name());
            }
        }
    });
}
