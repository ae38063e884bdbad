//! Orbits that meet the escape radius, and coordinates beyond every square.

use fractal::{exact, oracle};

use super::deltas::{offered, with_reference};
use super::*;

/// A view whose samples are numbers of single precision, its middle row and column among them: 17 samples a side, each
/// 2^`spacing_log2` apart.
fn around(re: f64, im: f64, spacing_log2: i32) -> FrameSpec {
    let reach = 8.0 * 2f64.powi(spacing_log2);
    let decimal = |value: f64| format!("{value:.40}").parse().unwrap();
    let view = View::Bounds {
        xmin: decimal(re - reach),
        xmax: decimal(re + reach),
        ymin: decimal(im - reach),
        ymax: decimal(im + reach),
    };
    let mut spec = frame(view, (17, 17), 7, measures(&[Measure::Iterations]));
    spec.grid = Grid::Linspace;
    spec
}

#[test]
fn counts_are_those_of_the_inequality_as_it_is_written() {
    let zero = (0.0, 0.0);
    for (re, im, escape_radius, z0) in [
        (-2.0, 0.0, 2.0, zero),
        (-2.0, 0.0, 2.0, (2.0, 0.0)),
        (-1.5, 0.0, 1.5, zero),
        (0.25, 0.0, 0.25, zero),
        (0.25, 0.0, 0.5, (0.5, 0.0)),
        (-1.0, 0.0, 1.0, zero),
        (0.0, 1.0, 1.0, zero),
    ] {
        for spacing_log2 in [-5, -12, -16] {
            let spec = FrameSpec {
                escape_radius,
                z0,
                ..around(re, im, spacing_log2)
            };
            let known: Vec<u32> = (0..17 * 17)
                .map(|at| exact::iteration_count(&spec, at % 17, at / 17) as u32)
                .collect();
            assert!(known.iter().any(|count| *count != known[0]), "{spec:?}");
            let frame = prepared(spec);
            on_every_adapter(|device| {
                for arithmetic in plain(device) {
                    let made = whole(device, &frame, arithmetic);
                    let name = arithmetic.name();
                    assert_eq!(counts(&made), known, "{name} {:?}", frame.spec);
                }
            });
        }
    }
}

#[test]
fn what_lies_beyond_every_square_ends_at_the_first_step() {
    for zoom in ["1e-25", "1e-100", "1e-155", "1e-300"] {
        for escape_radius in [2.0, 256.0] {
            let mut spec = frame(
                centre("0", "0", zoom),
                (8, 8),
                50,
                measures(&[Measure::Iterations]),
            );
            spec.escape_radius = escape_radius;
            let frame = prepared(spec);
            on_every_adapter(|device| {
                for arithmetic in plain(device) {
                    let made = whole(device, &frame, arithmetic);
                    let name = arithmetic.name();
                    assert_eq!(counts(&made), [1; 64], "{name} {zoom} {escape_radius}");
                }
            });
        }
    }
}

#[test]
fn references_that_meet_the_radius_are_counted_as_it_is_written() {
    for (place, escape_radius) in [
        (("-2", "0"), 2.0),
        (("-1.5", "0"), 1.5),
        (("0.25", "0"), 0.25),
    ] {
        for zoom in ["1e6", "1e20", "1e60"] {
            let mut spec = frame(
                centre(place.0, place.1, zoom),
                (9, 8),
                100,
                measures(&[Measure::Iterations]),
            );
            for height in [9, 8] {
                (spec.height, spec.escape_radius) = (height, escape_radius);
                let known: Vec<u32> = (0..9 * height)
                    .map(|at| oracle::iteration_count(&spec, at % 9, at / 9) as u32)
                    .collect();
                let frame = with_reference(spec.clone());
                on_every_adapter(|device| {
                    for arithmetic in offered(device, &frame) {
                        let made = whole(device, &frame, arithmetic);
                        let name = arithmetic.name();
                        assert_eq!(counts(&made), known, "{name} {:?}", frame.spec);
                    }
                });
            }
        }
    }
}
