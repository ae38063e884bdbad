//! Cancelled strips, and devices that are lost.

use std::time::{Duration, Instant};

use super::*;
use crate::info::EngineError;

/// A device of its own, so that losing it disturbs no other test.
fn own_devices() -> Vec<GpuDevice> {
    on_every_adapter(|_| {});
    open_all()
}

#[test]
fn a_cancelled_strip_ends_soon() {
    // All inside, and without shortcuts: days of work.
    let spec = frame(
        centre("-0.2", "0.1", "20"),
        (1024, 1024),
        4_000_000_000,
        measures(&[Measure::Iterations]),
    );
    let frame = prepared(spec);
    on_every_adapter(|device| {
        for arithmetic in &plain(device) {
            let progress = Progress::default();
            let cancelled_at = std::thread::scope(|scope| {
                let canceller = std::thread::Builder::new()
                    .name("canceller".into())
                    .spawn_scoped(scope, || {
                        // It moves, so it is at work.
                        while progress.steps() < 3 {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                        progress.cancel();
                        Instant::now()
                    })
                    .unwrap();
                let result = device.compute_without_shortcuts(
                    &frame,
                    *arithmetic,
                    whole_strip(&frame),
                    &progress,
                );
                assert_eq!(result.map(|_| ()), Err(EngineError::Cancelled));
                canceller.join().unwrap()
            });
            let late = cancelled_at.elapsed();
            eprintln!("  {}: ended {late:.0?} after the call", arithmetic.name());
            // A submission aims at 40 ms; other tests keep the same processor busy.
            assert!(late < Duration::from_secs(2), "{late:?}");
        }
    });
}

#[test]
fn a_lost_device_is_opened_again() {
    let frame = prepared(frame(
        centre("-0.75", "0", "1"),
        (100, 80),
        200,
        measures(&[Measure::Smooth]),
    ));
    for device in own_devices() {
        eprintln!("on {}", device.info().name);
        let arithmetic = device.info().arithmetics[0];
        let before = whole(&device, &frame, arithmetic);
        device.lose_for_test(1);
        let retried = whole(&device, &frame, arithmetic);
        assert!(retried.planes == before.planes);

        device.lose_for_test(2);
        let result = device.compute(
            &frame,
            arithmetic,
            whole_strip(&frame),
            &Progress::default(),
        );
        assert!(
            matches!(&result, Err(EngineError::DeviceLost { device: name, reason }) if *name == device.info().name && !reason.is_empty()),
            "{result:?}"
        );
        let after = whole(&device, &frame, arithmetic);
        assert!(after.planes == before.planes);
    }
}

#[test]
fn an_unproved_arithmetic_is_refused() {
    let frame = prepared(frame(
        centre("-0.75", "0", "1"),
        (8, 8),
        10,
        measures(&[Measure::Smooth]),
    ));
    on_every_adapter(|device| {
        for arithmetic in Arithmetic::PLAIN {
            if !device.info().arithmetics.contains(&arithmetic) {
                let result = device.compute(
                    &frame,
                    arithmetic,
                    whole_strip(&frame),
                    &Progress::default(),
                );
                assert!(
                    matches!(result, Err(EngineError::NotServed { .. })),
                    "{result:?}"
                );
            }
        }
    });
}
