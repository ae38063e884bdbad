//! What pixels may be off by, against where their orbits are in long integers.

use fractal::settled::{Settlement, settle};
use fractal::{Counts, Transform};

use super::super::task::{Task, TaskScratch};
use super::super::trees::Trees;
use super::{centre, deep, oracle};
use crate::Progress;
use crate::cpu::plan::Plan;
use crate::cpu::simd::Portable;

/// Sides of the pictures.
const SIDE: u32 = 24;

/// Views whose orbits go by tiles, blocks with exponents and without, polynomials, steps, tails and all of these.
pub(super) fn views() -> Vec<(&'static str, fractal::FrameSpec)> {
    let of = |text: &str| oracle(text).0;
    vec![
        (
            "e14",
            of(include_str!("../../../../../../tests/data/oracle/e14.json")),
        ),
        (
            "wiki14",
            of(include_str!(
                "../../../../../../tests/data/oracle/wiki-seahorse-wiki14.json"
            )),
        ),
        (
            "wiki7",
            of(include_str!(
                "../../../../../../tests/data/oracle/wiki-seahorse-wiki7.json"
            )),
        ),
        (
            "flake",
            of(include_str!(
                "../../../../../../tests/data/oracle/flake.json"
            )),
        ),
        (
            "mini-1e47",
            of(include_str!(
                "../../../../../../tests/data/oracle/mini-1e47.json"
            )),
        ),
        (
            "mini-1e317",
            of(include_str!(
                "../../../../../../tests/data/oracle/mini-1e317.json"
            )),
        ),
        (
            "e533",
            of(include_str!(
                "../../../../../../tests/data/oracle/e533.json"
            )),
        ),
        (
            "wide",
            centre(
                ("-0.7436438870371587", "0.1318259042053119", "3e4"),
                (SIDE, SIDE),
                2000,
            ),
        ),
    ]
}

#[test]
fn errors_of_pixels_stay_below_their_bounds_and_not_far_below() {
    let (mut pixels, mut closest) = (0, 0.0f64);
    for (name, view) in views() {
        for degrees in [0.0, 30.0] {
            let transform = Transform {
                rotate: degrees,
                ..Transform::default()
            };
            let spec = fractal::FrameSpec {
                width: SIDE,
                height: SIDE,
                counts: Counts::Settled,
                transform,
                ..view.clone()
            };
            let frame = deep(spec.clone());
            let plan = Plan::new(&frame, true);
            let part = frame.deep.as_deref().unwrap();
            let trees = Trees::of(&frame, part);
            let progress = Progress::default();
            let task = Task {
                frame: &frame,
                deep: part,
                trees: &trees,
                plan: &plan,
                progress: &progress,
                columns: (0, SIDE),
                rows: (0, SIDE),
            };
            let mut scratch = TaskScratch::default();
            let radius = plan.radius2.sqrt();
            (task.find_ends::<_, 1, 2, false, true>(
                Portable,
                &mut scratch,
                &trees.counts,
                radius,
                true,
            ))
            .unwrap();
            let mut seen = 0;
            // Few of those whose integers are long.
            let every = if frame.spacing_log2 < -400.0 { 37 } else { 11 };
            for at in (0..SIDE * SIDE).step_by(every) {
                let end = scratch.ends[at as usize];
                // What is proved to be inside has no end, and what is off by more than it is large may be another step.
                if end.count == 0
                    || !end.is_certain(&plan, frame.at((at % SIDE) as usize, (at / SIDE) as usize))
                {
                    continue;
                }
                let Settlement::Settled(exact) = settle(&spec, at % SIDE, at / SIDE, &|| true)
                else {
                    panic!("{name} at {at}: not settled");
                };
                assert_eq!(end.count, exact.count, "{name}, {degrees} degrees, at {at}");
                let off = [end.z[0] - exact.z[0], end.z[1] - exact.z[1]];
                let off = off[0].hypot(off[1]);
                assert!(
                    off <= end.error,
                    "{name}, {degrees} degrees, at {at}: {off:e} over {:e}",
                    end.error
                );
                closest = closest.max(off / end.error);
                seen += 1;
            }
            assert!(seen > 4, "{name}: {seen}");
            pixels += seen;
        }
    }
    // A bound of a hundredth would be seen to be wrong.
    assert!(pixels > 400 && closest > 0.01, "{pixels}, {closest}");
}
