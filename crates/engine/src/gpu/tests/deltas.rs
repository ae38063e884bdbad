//! Deltas from a reference orbit: against the exact oracle, against a plain loop, and against themselves without
//! blocks of steps.

use std::sync::Arc;
use std::time::Instant;

use fractal::ReferenceOrbit;
use fractal::reference::{self, ReferencePoint};

use super::kernels::{Oracle, oracle};
use super::*;

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

fn with_reference(spec: FrameSpec) -> PreparedFrame {
    let orbit = Arc::new(orbit_of(&spec));
    PreparedFrame::with_reference(spec, orbit).unwrap()
}

/// The arithmetics of deltas that a device offers for a frame.
fn offered(device: &GpuDevice, frame: &PreparedFrame) -> Vec<Arithmetic> {
    (device.info().arithmetics.iter().copied())
        .filter(|a| a.is_delta() && a.is_exact_for(frame.extent_log2, frame.spacing_log2))
        .collect()
}

/// Samples off and falsely inside, of all.
fn check(
    oracle: &Oracle,
    device: &GpuDevice,
    arithmetic: Arithmetic,
    shortcuts: bool,
) -> (usize, usize, usize) {
    let places: Vec<(u32, u32)> = (oracle.samples.iter())
        .map(|(col, row, _)| (*col, *row))
        .collect();
    let counts = device
        .samples(
            &oracle.frame,
            arithmetic,
            &places,
            shortcuts,
            &Progress::default(),
        )
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
                let (off, inside, samples) = check(oracle, device, arithmetic, true);
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

#[test]
#[ignore = "figures for people"]
fn table() {
    let wanted = std::env::var("VIEWS").unwrap_or_default();
    for name in wanted.split_whitespace() {
        let oracle = deep(name);
        eprintln!(
            "{name}: M {} {:?}",
            oracle.frame.deep.as_ref().unwrap().orbit.steps(),
            oracle.frame.deep.as_ref().unwrap().orbit.end
        );
        on_every_adapter(|device| {
            for arithmetic in offered(device, &oracle.frame) {
                for shortcuts in [true, true, false] {
                    let begun = Instant::now();
                    let (off, inside, samples) = check(&oracle, device, arithmetic, shortcuts);
                    eprintln!(
                        "  {} {shortcuts}: {off} of {samples} off, {inside} inside; {:.2} s",
                        arithmetic.name(),
                        begun.elapsed().as_secs_f64()
                    );
                }
            }
        });
    }
}
