//! Proofs held against long orbits, of points from a seed and near to boundaries.

use super::{Course, Cycle};
use crate::deep::complex::times_plus;

/// Steps after which an orbit that is outside has left.
const LONG: u64 = 300_000;

/// George Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Within `radius` of `around`.
    fn near(&mut self, around: [f64; 2], radius: f64) -> [f64; 2] {
        let turn = self.share() * std::f64::consts::TAU;
        let far = radius * self.share().sqrt();
        [around[0] + far * turn.cos(), around[1] + far * turn.sin()]
    }
}

/// z after `steps` steps, unless it has left before.
fn orbit(c: [f64; 2], steps: u64) -> Option<[f64; 2]> {
    let mut z = [0.0; 2];
    for _ in 0..steps {
        z = times_plus(z, z, c);
        if z[0] * z[0] + z[1] * z[1] > 16.0 {
            return None;
        }
    }
    Some(z)
}

/// The cycle that the orbit of 0 has come near to after `after` steps.
fn cycle(c: [f64; 2], after: u64, steps: u64) -> Option<Cycle> {
    let z = orbit(c, after)?;
    Course::PLAIN.cycle_near(z, c, steps, 1e-3)
}

#[test]
fn nothing_that_escapes_is_proved_to_be_inside() {
    // Cusps, where components touch, and the whole set: a point, how far around it, and the longest period.
    let places = [
        ([-0.5, 0.6], 1.2, 64),
        ([0.25, 0.0], 1e-2, 8),
        ([-0.75, 0.0], 1e-2, 8),
        ([-1.25, 0.0], 1e-3, 16),
        ([-1.75, 0.0], 1e-3, 32),
        ([-1.7548776662466927, 0.0], 2e-2, 32),
        ([-0.125, 0.649_519_052_838_329], 1e-2, 32),
        ([-0.15652016683375508, 1.0322471089228318], 5e-3, 64),
        ([-0.7454, 0.1131], 4e-3, 2000),
    ];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut inside, mut discs) = (0, 0);
    for (place, radius, longest) in places {
        let mut found = 0;
        for _ in 0..400 {
            let c = dice.near(place, radius);
            let Some(cycle) = cycle(c, 4 * longest + 400, longest) else {
                continue;
            };
            if !Course::PLAIN.is_inside(&cycle, 0.0) {
                continue;
            }
            found += 1;
            assert!(orbit(c, LONG).is_some(), "{c:?} escapes");
            // The largest disc of c that is proved, and points of it.
            let mut spread = radius;
            while spread > 1e-15 && !Course::PLAIN.is_inside(&cycle, spread) {
                spread /= 2.0;
            }
            for _ in 0..3 {
                let other = dice.near(c, spread);
                assert!(
                    orbit(other, LONG / 3).is_some(),
                    "{other:?} in {spread} of {c:?}"
                );
            }
            discs += usize::from(spread > 1e-9);
        }
        assert!(found >= 3, "{place:?}: {found}");
        inside += found;
    }
    // Control: proofs are found, and mostly of more than a point.
    assert!(inside > 500 && 10 * discs > 9 * inside, "{inside}, {discs}");
}

#[test]
fn a_disc_is_large_where_its_component_is() {
    // Of the cardioid, of which 0 is the nucleus, and of the component of period 3 on the axis.
    for (c, after, period, spread) in [
        ([0.0, 0.0], 4, 1, 0.1),
        ([-0.1, 0.1], 400, 1, 0.1),
        ([-1.7548776662466927, 0.0], 300, 3, 0.002),
    ] {
        let cycle = cycle(c, after, 8).expect("a cycle");
        assert_eq!(cycle.period, period);
        assert!(Course::PLAIN.is_inside(&cycle, spread), "{c:?}");
        assert!(!Course::PLAIN.is_inside(&cycle, 10.0 * spread), "{c:?}");
    }
}

#[test]
fn cycles_are_followed_to_other_points() {
    let begin = cycle([-0.1, 0.7], 2000, 16).expect("a cycle");
    assert!(Course::PLAIN.is_inside(&begin, 1e-3));
    let next = Course::PLAIN
        .cycle_from(&begin, [-0.12, 0.74])
        .expect("a cycle");
    assert_eq!(next.period, 3);
    assert!(Course::PLAIN.is_inside(&next, 1e-3));
    // Past the component's edge the cycle is there, and does not attract.
    let past = Course::PLAIN.cycle_from(&next, [-0.12, 0.86]);
    assert!(past.is_none_or(|cycle| !Course::PLAIN.is_inside(&cycle, 0.0)));
}
