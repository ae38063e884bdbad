//! Samples before the picture, orbits in pages, and rounds of any length: what must not change a count, and what must.

use super::deltas::{offered, small};
use super::*;
use crate::check::adapters::{Checks, check_adapter};
use crate::check::{MOST_PERCENT, Samples};

/// A square about a place that is dense with boundary.
fn seahorse(zoom: &str) -> PreparedFrame {
    let view = centre("-0.743643887037151", "0.131825904205330", zoom);
    prepared(frame(
        view,
        (256, 256),
        2000,
        measures(&[Measure::Iterations]),
    ))
}

/// What samples show of arithmetics that are offered, the first of which is taken if it suffices.
fn check(device: &GpuDevice, frame: &PreparedFrame, all: &[Arithmetic]) -> (Arithmetic, bool) {
    let offered: Vec<_> = (all.iter().copied())
        .filter(|a| device.info().arithmetics.contains(a))
        .collect();
    let progress = Progress::default();
    let counts = |arithmetic, samples: &Samples| {
        device.compute_samples(frame, arithmetic, &samples.places, &progress)
    };
    // Each as a device of its own, so that no frame remembers another's.
    let number = u64::MAX - all.len() as u64;
    let outcome = Checks::default().outcome(frame, number, &offered, &progress, &counts);
    let outcome = outcome.unwrap().unwrap();
    eprintln!("  {outcome:?}");
    (outcome.arithmetic, outcome.suffices)
}

#[test]
fn single_precision_gives_way_where_samples_show_it() {
    // By its extent it would serve; 3.4 % of the counts are others.
    let dense = seahorse("40");
    let calm = prepared(frame(
        centre("-0.75", "0", "1"),
        (256, 256),
        200,
        measures(&[Measure::Smooth]),
    ));
    on_every_adapter(|device| {
        use Arithmetic::{DoubleSingle, F32, F64};
        assert_eq!(check(device, &calm, &[F32, DoubleSingle]), (F32, true));
        assert_eq!(
            check(device, &dense, &[F32, DoubleSingle]),
            (DoubleSingle, true)
        );
        assert_eq!(check(device, &dense, &[F32]), (F32, false));
        // What a device would take by itself suffices in both.
        for frame in [&calm, &dense] {
            let own = check_adapter(device, frame, &Progress::default())
                .unwrap()
                .unwrap();
            assert!(own.suffices, "{own:?}");
            let known = check_adapter(device, frame, &Progress::default())
                .unwrap()
                .unwrap();
            assert_eq!(own, known);
        }
        if device.info().arithmetics.contains(&F64) {
            assert_eq!(check(device, &dense, &[F32, F64]), (F64, true));
        }
    });
}

#[test]
fn deltas_of_every_adapter_suffice_by_their_samples() {
    let frame = small("julia-1e34", 9000, &[Measure::Smooth]);
    on_every_adapter(|device| {
        for arithmetic in offered(device, &frame) {
            assert_eq!(check(device, &frame, &[arithmetic]), (arithmetic, true));
        }
        let samples = Samples::of(&frame, u64::MAX, &Progress::default()).unwrap();
        assert!(samples.exact && samples.places.len() == 13 * 9);
        // Control: the counts of other pixels are not near enough.
        let mut others = samples.places.clone();
        others.rotate_left(1);
        let arithmetic = offered(device, &frame)[0];
        let counts = device
            .compute_samples(&frame, arithmetic, &others, &Progress::default())
            .unwrap();
        assert!(!samples.compare(&counts).is_within(MOST_PERCENT));
    });
}

#[test]
fn an_orbit_in_pages_gives_the_same_values() {
    let all = [Measure::Iterations, Measure::Smooth, Measure::Distance];
    // Its orbit has some 3600 steps.
    let frame = small("mini-1e317", 60_000, &all);
    let steps = frame.deep.as_ref().unwrap().orbit.steps();
    for (device, capped) in open_all().iter().zip(devices()) {
        assert_eq!(device.info().name, capped.info().name);
        let arithmetic = offered(device, &frame)[0];
        let planes = |device: &GpuDevice| whole(device, &frame, arithmetic).planes;
        let exact = planes(capped);
        // Pages of 1024 values, and of 256.
        for bytes in [20 << 10, 5 << 10] {
            device.cap_bindings_for_test(bytes).unwrap();
            let pages = device
                .with_workspace(|workspace| {
                    let progress = Progress::default();
                    let (deltas, context) = (&workspace.deltas, &workspace.context);
                    let deltas = deltas.get(context, &frame, arithmetic, &progress)?;
                    Ok(deltas.pages())
                })
                .unwrap();
            assert!(
                pages as u64 > steps / 1024 && pages >= 4,
                "{pages} of {steps}"
            );
            assert!(
                planes(device) == exact,
                "{pages} pages on {}",
                device.info().name
            );
        }
        // What is too long for all pages is not served, and spoils nothing.
        device.cap_bindings_for_test(1 << 10).unwrap();
        assert_eq!(device.arithmetic_for(&frame, true), None);
        device.cap_bindings_for_test(u64::MAX).unwrap();
        assert!(planes(device) == exact);
    }
}

#[test]
fn rounds_that_end_early_end_no_pixel() {
    let frame = small("julia-1e34", 9000, &[Measure::Iterations]);
    on_every_adapter(|device| {
        for arithmetic in offered(device, &frame) {
            let exact = whole(device, &frame, arithmetic);
            // As if it were so slow that a few moves are all that a submission may make, again and again.
            let slow = || {
                let kernel = shaders::Kernel::Escape;
                device.with_workspace(|workspace| {
                    workspace
                        .context
                        .pipeline(kernel, arithmetic)?
                        .set_rate(1.0);
                    Ok(())
                })
            };
            let strips = (0..frame.spec.height).map(|row| {
                slow().unwrap();
                let strip = Strip {
                    index: 0,
                    row0: row,
                    rows: 1,
                };
                let progress = Progress::default();
                let buffer = device
                    .compute(&frame, arithmetic, strip, &progress)
                    .unwrap();
                counts(&buffer).to_vec()
            });
            assert_eq!(strips.flatten().collect::<Vec<u32>>(), counts(&exact));
            assert!(counts(&exact).iter().filter(|n| **n != 0).count() > 100);
        }
    });
}
