//! What is known to be inside without iterating: by proof, and by exact cycles.

use fractal::{FrameSpec, Measure};

use super::{VIEWS, bytes, centre, counts, deep, floats, oracle, render};
use crate::cpu::CpuDevice;
use crate::deep::Proof;

/// Views whose reference ends at a minibrot's period.
const MINIBROTS: [&str; 4] = ["mini-1e16", "mini-1e47", "mini-1e164", "mini-1e317"];

/// The file of a view's exact counts.
fn file(name: &str) -> &'static str {
    let view = VIEWS.iter().find(|(known, _)| *known == name);
    view.expect(name).1
}

/// A minibrot's view with few pixels.
fn minibrot(name: &str, measures: &[Measure]) -> FrameSpec {
    let (mut spec, _) = oracle(file(name));
    (spec.width, spec.height) = (96, 80);
    spec.measures = measures.iter().copied().collect();
    spec
}

#[test]
fn proofs_of_interior_change_no_byte() {
    for name in MINIBROTS {
        let spec = minibrot(name, &Measure::ALL[..4]);
        let all = |on: bool| {
            let device = CpuDevice::new(None).shortcuts(on);
            render(&device, &deep(spec.clone()))
        };
        let (with, without) = (all(true), all(false));
        assert!(bytes(&with) == bytes(&without), "{name}");
        let inside = counts(&with).iter().filter(|n| **n == 0).count();
        assert!(inside > 100, "{name}: {inside}");
    }
}

#[test]
fn minibrots_are_done_at_any_iteration_limit() {
    // Nobody iterates 10^14 steps. What is outside is outside with fewer, and nothing else is.
    for name in MINIBROTS {
        let long = |iterations: u64| {
            let mut spec = minibrot(name, &[Measure::LongIterations]);
            spec.iterations = iterations;
            let buffer = render(&CpuDevice::new(None), &deep(spec));
            let counts = buffer.values::<u64>(Measure::LongIterations);
            counts.expect("counts").to_vec()
        };
        let (spec, _) = oracle(file(name));
        let (few, many) = (long(spec.iterations), long(100_000_000_000_000));
        let mut late = 0;
        for (few, many) in few.iter().zip(&many) {
            if *many == 0 || *many > spec.iterations {
                assert_eq!(*few, 0, "{name}");
                late += usize::from(*many > 0);
            } else {
                assert_eq!(few, many, "{name}");
            }
        }
        assert!(late < 96 * 80 / 10, "{name}: {late}");
    }
}

#[test]
fn nothing_outside_a_minibrot_is_proved_to_be_inside() {
    let (mut inside, mut open, mut outside) = (0, 0, 0);
    for name in MINIBROTS {
        let (spec, samples) = oracle(file(name));
        let frame = deep(spec);
        let deep = frame.deep.as_ref().unwrap();
        let map = deep.minibrot(u64::MAX).expect(name);
        for [col, row, n] in samples {
            let c = fractal::ComplexExp::new(deep.columns[col as usize], deep.rows[row as usize]);
            let share = map.share(c);
            let proof = map.prove(share, map.share_of(fractal::FloatExp::ZERO, c), 1 << 20);
            match (n, proof == Proof::Inside) {
                (0, true) => inside += 1,
                (0, false) => open += 1,
                (_, true) => panic!("{name}: {col}, {row} escapes after {n} steps"),
                (_, false) => outside += 1,
            }
        }
    }
    assert!(outside > 100, "{outside}");
    // Control: what is inside is proved to be, but for a few slow ones and those of other periods.
    assert!(inside > 4 * open, "{inside} and {open}");
}

#[test]
fn cycles_are_jumped_over_to_the_last_bit() {
    // |z_N| is proved by nothing: with 3 * 10^15 steps it is there only if whole cycles are jumped over.
    for name in ["mini-1e16", "mini-1e317"] {
        let mut spec = minibrot(name, &[Measure::Stability]);
        (spec.width, spec.height) = (24, 20);
        let of = |on: bool, iterations: u64| {
            let spec = FrameSpec {
                iterations,
                ..spec.clone()
            };
            floats(
                &render(&CpuDevice::new(None).shortcuts(on), &deep(spec)),
                Measure::Stability,
            )
        };
        let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        let stays = |values: &[f64]| values.iter().filter(|value| !value.is_nan()).count();
        let all = of(false, 400_000);
        assert!(stays(&all) > 10);
        assert!(bits(of(true, 400_000)) == bits(all.clone()));
        assert!(stays(&of(true, 3_000_000_000_000_000)) <= stays(&all));
    }
}

#[test]
fn components_of_any_period_are_proved_and_change_no_byte() {
    // The reference's period is that of none of the larger components here.
    let place = (
        "-0.0494700290631040937516922267273536",
        "-0.6747875758446753640113920531305976",
    );
    for (zoom, least) in [("1e8", 50), ("1e10", 2000), ("3.4e10", 1000)] {
        let spec = centre((place.0, place.1, zoom), (72, 56), 12_000);
        let all = |on: bool| {
            let device = CpuDevice::new(None).shortcuts(on);
            render(&device, &deep(spec.clone()))
        };
        let (with, without) = (all(true), all(false));
        assert!(bytes(&with) == bytes(&without), "{zoom}");
        let inside = counts(&with).iter().filter(|n| **n == 0).count();
        assert!(inside >= least, "{zoom}: {inside}");
    }
}
