//! Pixels in pairs of doubles, and their bounds, against where their orbits are in long integers.

use dashu_int::IBig;
use dashu_int::ops::{BitTest, UnsignedAbs};
use fractal::reference::{ReferencePoint, compute};
use fractal::{Counts, FrameSpec, Transform};

use super::super::frame::Deep;
use super::super::paired::frame::Paired;
use super::super::paired::lanes::PairedLanes;
use super::super::rounding::Rounding;
use super::super::trees::Trees;
use super::bounds::views;
use crate::cpu::plan::Plan;
use crate::cpu::simd::Portable;
use crate::deep::pairs::Pair;
use crate::{PreparedFrame, Progress};

const SIDE: u32 = 24;
/// Bits of the integers beyond those that tell pixels apart.
const MORE_BITS: usize = 400;

/// Views whose orbits in integers take seconds.
const VIEWS: [&str; 5] = ["e14", "wiki14", "flake", "mini-1e317", "wide"];

/// `value` times 2^`bits`.
fn whole(value: f64, bits: usize) -> IBig {
    let raw = value.to_bits();
    let power = (raw >> 52 & 0x7ff) as i64;
    let mantissa = if power == 0 {
        0
    } else {
        raw & ((1 << 52) - 1) | 1 << 52
    };
    let shift = bits as i64 + power - 1075;
    let size = if shift >= 0 {
        IBig::from(mantissa) << shift as usize
    } else {
        IBig::from(mantissa) >> shift.unsigned_abs() as usize
    };
    if value < 0.0 { -size } else { size }
}

/// How far `z`, times 2^`bits`, is from a pair.
fn distance(pair: Pair, z: &IBig, bits: usize) -> f64 {
    let off = (whole(pair.0, bits) + whole(pair.1, bits) - z).unsigned_abs();
    let cut = off.bit_len().saturating_sub(60);
    let top = u64::try_from(off >> cut).unwrap();
    top as f64 * libm::exp2(cut as f64 - bits as f64)
}

#[test]
fn errors_in_pairs_stay_below_their_bounds_and_not_far_below() {
    let (mut pixels, mut closest) = (0, 0.0f64);
    for (name, view) in views().into_iter().filter(|(name, _)| VIEWS.contains(name)) {
        for degrees in [0.0, 30.0] {
            let spec = FrameSpec {
                width: SIDE,
                height: SIDE,
                counts: Counts::Settled,
                transform: Transform {
                    rotate: degrees,
                    ..Transform::default()
                },
                ..view.clone()
            };
            let point = ReferencePoint::centre_of(&spec);
            let orbit = compute(&spec, point, 1 << 22, &mut |_| true).unwrap();
            let frame = PreparedFrame::with_reference(spec.clone(), orbit.into()).unwrap();
            let part = frame.deep.as_deref().unwrap();
            let (plan, trees, progress) = (
                Plan::new(&frame, true),
                Trees::of(&frame, part),
                Progress::default(),
            );
            let radius = plan.radius2.sqrt();
            let deep = Deep::new(&frame, part, &trees.axes, &plan, radius, &progress);
            let tables = part.paired().unwrap();
            let rounding = Rounding::of_pairs(part, plan.limit);
            let paired = Paired::new(&frame, &deep, tables, rounding);
            let every = if frame.spacing_log2 < -400.0 { 97 } else { 13 };
            let mut waiting: Vec<(u32, u32)> = (0..SIDE * SIDE)
                .step_by(every)
                .map(|at| (at % SIDE, at / SIDE))
                .collect();
            let all = waiting.len();
            let mut seen = 0;
            let bits = (-frame.spacing_log2).max(0.0) as usize + MORE_BITS;
            let mut lanes = PairedLanes::<_, 2>::new(Portable, &paired);
            lanes
                .run(&mut waiting, &mut |pixel, end| {
                    let at = (pixel.col, pixel.row);
                    let c = frame.at(at.0 as usize, at.1 as usize);
                    assert!(
                        end.is_certain(&plan, c),
                        "{name}, {degrees}, {at:?}: {end:?}"
                    );
                    if end.count == 0 {
                        return;
                    }
                    let [cx, cy] = fractal::settled::fixed_point(&spec, at.0, at.1, bits as u32);
                    let (mut x, mut y) = (IBig::ZERO, IBig::ZERO);
                    let limit = IBig::from(radius as u64).pow(2) << bits;
                    for n in 1..=end.count {
                        let (xx, yy): (IBig, IBig) = ((&x * &x) >> bits, (&y * &y) >> bits);
                        assert!(n == 1 || &xx + &yy <= limit, "{name}, {at:?} at {n}");
                        y = ((x * y) >> (bits - 1)) + &cy;
                        x = xx - yy + &cx;
                    }
                    assert!((&x * &x + &y * &y) >> bits > limit, "{name}, {at:?}");
                    let (z, error) = pixel.value(&paired).unwrap();
                    let off = distance(z[0], &x, bits).hypot(distance(z[1], &y, bits));
                    assert!(
                        off <= error,
                        "{name}, {degrees}, {at:?}: {off:e} over {error:e}"
                    );
                    closest = closest.max(off / error);
                    seen += 1;
                })
                .unwrap();
            assert!(
                2 * seen > all || name == "mini-1e317",
                "{name}: {seen} of {all}"
            );
            pixels += seen;
        }
    }
    // A bound of a ten-thousandth would be seen to be wrong.
    assert!(pixels > 200 && closest > 1e-4, "{pixels}, {closest:e}");
}
