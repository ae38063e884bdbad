//! Polynomial blocks against the steps that they stand for.

use fractal::reference::{ReferencePoint, compute};
use fractal::{FloatExp, FrameSpec, Grid, Measure, MeasureSet, View};

use super::block::modulus;
use super::*;
use crate::deep::complex::{add, mul, scale};

/// All blocks of an orbit, at several z and c, against their steps one by one.
#[test]
fn blocks_do_what_their_steps_do() {
    let spec = FrameSpec {
        view: View::Centre {
            re: "0".parse().unwrap(),
            im: "1".parse().unwrap(),
            zoom: "1e40".parse().unwrap(),
        },
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: 64,
        height: 64,
        iterations: 3000,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    };
    let point = ReferencePoint::centre_of(&spec);
    let orbit = compute(&spec, point, 1 << 20, &mut |_| true).unwrap();
    let (c_max, unit) = (3e-40, 1e-3);
    let table = JetTable::new(&orbit, FloatExp::from_f64(c_max), 256.0, libm::exp2(-40.0));
    let mut tried = 0;
    for (level, jets) in (LOWEST_LEVEL..).zip(&table.levels) {
        for (i, jet) in jets.iter().enumerate() {
            if jet.inverse == f64::INFINITY {
                continue;
            }
            let first = 1 + (i << level);
            for (u, w) in [
                ([0.6, -0.7], [0.6, 0.7]),
                ([-0.9, 0.1], [-0.3, -0.9]),
                ([1e-3, 2e-3], [0.0, 1.0]),
            ] {
                let (mut z, c) = (scale(u, 1.0 / jet.inverse), scale(w, c_max));
                let mut slope = [0.3 * modulus(z), 0.1 * modulus(z)];
                let got = (jet.apply(u, w), jet.derive(u, w, slope, unit));
                for reference in &orbit.values[first..first + (1 << level)] {
                    let full = add(*reference, z);
                    slope = add(mul(scale(full, 2.0), slope), [c_max * unit, 0.0]);
                    z = add(mul(add(*reference, full), z), c);
                    tried += 1;
                }
                let off =
                    |p: [f64; 2], q: [f64; 2]| modulus([p[0] - q[0], p[1] - q[1]]) / modulus(q);
                assert!(off(got.0, z) < 1e-11, "{level} {i} {u:?} {}", off(got.0, z));
                assert!(
                    off(got.1, slope) < 1e-10,
                    "{level} {i} {u:?} {}",
                    off(got.1, slope)
                );
            }
        }
    }
    assert!(tried > 300, "{tried}");
}
