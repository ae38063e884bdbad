//! Exact counts at more points of the known views than `deep_counts_are_the_oracle_s` has files for: `tests/long/run`.

use fractal::{Measure, oracle};

use super::{VIEWS, deep, oracle as known, render};
use crate::cpu::CpuDevice;

/// Views of which a single exact count takes minutes.
const TOO_DEEP: [&str; 2] = ["e533", "e1086"];
/// Pixels of each view that are counted exactly.
const SAMPLES: usize = 24;

/// George Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) % u64::from(end)) as u32
    }
}

#[test]
#[ignore = "minutes: a part of tests/long/run"]
fn long_counts_at_points_from_a_seed() {
    let seed = std::env::var("FARM_SEED").map_or(1, |seed| seed.parse().expect("a seed"));
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (seed << 20 | 1));
    let (mut all, mut off, mut falsely_inside) = (0, 0, 0);
    let views = VIEWS.iter().filter(|(name, _)| !TOO_DEEP.contains(name));
    for (name, text) in views {
        // Sides that the files have not, so that other points of the view are looked at.
        let mut spec = known(text).0;
        (spec.width, spec.height) = (33 + dice.below(64), 17 + dice.below(48));
        let made = render(&CpuDevice::new(None), &deep(spec.clone()));
        let Some(counts) = made.values::<u32>(Measure::Iterations) else {
            unreachable!("the frame asks for iterations")
        };
        let mut wrong = 0;
        for _ in 0..SAMPLES {
            let (col, row) = (dice.below(spec.width), dice.below(spec.height));
            let found = u64::from(counts[(row * spec.width + col) as usize]);
            let exact = oracle::iteration_count(&spec, col, row);
            wrong += usize::from(found != exact);
            falsely_inside += usize::from(found == 0 && exact != 0);
        }
        eprintln!(
            "{name}, {} x {}: {wrong} of {SAMPLES} off",
            spec.width, spec.height
        );
        (all, off) = (all + SAMPLES, off + wrong);
    }
    assert_eq!(falsely_inside, 0, "seed {seed}");
    // As in the files: the last bits decide one of a hundred.
    assert!(100 * off <= all, "{off} of {all}, seed {seed}");
}
