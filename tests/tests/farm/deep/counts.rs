//! Deep zoom is exact at every depth: counts against those of the oracle, and the other measures against each other.

use std::collections::BTreeSet;

use farm_tests::oracle::{Comparison, Oracle};
use farm_tests::pictures::Npy;
use farm_tests::{folder, gpu, names_in, submitter};

use super::setup::values;

/// Every view of which exact counts are known.
const VIEWS: [&str; 21] = [
    "whole-set",
    "wiki-seahorse-wiki6",
    "wiki-seahorse-wiki7",
    "wiki-seahorse-wiki14",
    "e14",
    "e50",
    "e113",
    "e227",
    "e533",
    "e1086",
    "e8000",
    "flake",
    "peanuts",
    "julia-1e12",
    "julia-1e34",
    "julia-1e121",
    "julia-1e234",
    "mini-1e16",
    "mini-1e47",
    "mini-1e164",
    "mini-1e317",
];

/// Percent of the samples of one view, and of all together, that may differ.
const OF_ONE: f64 = 2.0;

const OF_ALL: f64 = 0.5;

fn compare(name: &str, more: &str) -> Comparison {
    let oracle = Oracle::load(name);
    let folder = folder();
    let line = format!(
        "render {} --measure iterations -q -o x.npy {more}",
        oracle.args
    );
    submitter(&line).within(&folder).ok();
    oracle.compare(&Npy::read(folder.path().join("x.npy")))
}

#[test]
fn every_known_count_is_right_on_the_processor() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/data/oracle");
    let known = names_in(data.as_ref());
    let known: BTreeSet<&str> = known
        .iter()
        .filter_map(|n| n.strip_suffix(".json"))
        .collect();
    assert_eq!(known, VIEWS.into_iter().collect(), "all, and no other");
    let mut all = Comparison {
        total: 0,
        wrong: 0,
        falsely_inside: 0,
    };
    for name in VIEWS {
        let comparison = compare(name, "--backend cpu");
        assert!(comparison.is_within(OF_ONE), "{name}: {comparison:?}");
        all.total += comparison.total;
        all.wrong += comparison.wrong;
    }
    assert!(all.is_within(OF_ALL), "{all:?}");
    assert!(all.total > 1500, "{all:?}");
}

#[test]
fn every_delta_type_of_the_processor_counts_right() {
    for (name, arithmetic) in [
        ("wiki-seahorse-wiki7", "delta-f64"),
        ("julia-1e12", "delta-f64"),
        ("mini-1e16", "delta-f64"),
        ("mini-1e317", "delta-floatexp"),
    ] {
        let comparison = compare(name, &format!("--backend cpu --arithmetic {arithmetic}"));
        assert!(
            comparison.is_within(OF_ONE),
            "{name} in {arithmetic}: {comparison:?}"
        );
    }
    // Control: what plain doubles make of it.
    let plain = compare("julia-1e12", "--backend cpu --arithmetic f64");
    assert!(!plain.is_within(OF_ONE), "{plain:?}");
}

#[test]
fn known_counts_are_right_on_adapters() {
    if !gpu::is_there() {
        return;
    }
    for name in ["julia-1e12", "julia-1e34"] {
        let comparison = compare(name, "--backend gpu");
        assert!(comparison.is_within(OF_ONE), "{name}: {comparison:?}");
    }
}

#[test]
fn smooth_counts_and_distances_are_sound_at_every_depth() {
    for name in ["julia-1e34", "mini-1e164", "mini-1e317"] {
        let args = Oracle::load(name).args;
        let counts = values(&args, "iterations", "");
        let smooth = values(&args, "smooth", "");
        let distances = values(&args, "distance", "");
        let outside = counts.iter().filter(|count| **count > 0.0).count();
        assert!(outside > counts.len() / 2, "{name}: {outside}");
        for (pixel, count) in counts.iter().enumerate() {
            let (smooth, distance) = (smooth[pixel], distances[pixel]);
            if *count == 0.0 {
                assert_eq!((smooth, distance), (0.0, 0.0), "{name}: {pixel}");
                continue;
            }
            // A single holds some 7 digits of it.
            let off = smooth - count;
            let tolerance = 1e-6 * count;
            assert!(
                (-tolerance..1.0 + tolerance).contains(&off),
                "{name}: {pixel}: {smooth} and {count}"
            );
            assert!(
                distance.is_finite() && distance > 0.0,
                "{name}: {pixel}: {distance}"
            );
        }
        // In pixels, whatever the depth: some near the boundary, and none farther than from here to the horizon.
        let nearest = (distances.iter().copied()).filter(|distance| *distance > 0.0);
        assert!(nearest.fold(f64::MAX, f64::min) < 2.0, "{name}");
    }
}

#[test]
fn deltas_agree_with_plain_iteration_where_both_are_exact() {
    // Not so dense that doubles themselves miscount.
    let args = "--re -1.25066 --im 0.02012 --zoom 1e4 --size 160x120 --iterations 3000";
    for (measure, nearness) in [("iterations", 0.0), ("smooth", 1e-3), ("distance", 1e-3)] {
        let plain = values(args, measure, "--arithmetic f64");
        let deltas = values(args, measure, "--arithmetic delta-f64");
        let far = |(a, b): &(&f64, &f64)| (*a - *b).abs() > nearness * a.abs().max(1e-300);
        let off = plain.iter().zip(&deltas).filter(far).count();
        assert!(
            200 * off < plain.len(),
            "{measure}: {off} of {} differ",
            plain.len()
        );
        // Control: another view is far off.
        let other = values(&args.replace("1e4", "2e4"), measure, "");
        let same = plain.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(same < plain.len() * 9 / 10, "{measure}: {same}");
    }
}
