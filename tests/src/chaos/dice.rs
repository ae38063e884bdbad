//! Chance that can be had again: the same seed, the same throws.

use std::time::Duration;

/// SplitMix64: a few lines, and good enough to choose what breaks next.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that throw what they throw for this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Heads, once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A time between two others, in seconds.
    pub fn seconds(&mut self, from: f64, to: f64) -> Duration {
        let share = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        Duration::from_secs_f64(from + share * (to - from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_throws_one_way() {
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            (0..50).map(|_| dice.below(6)).collect::<Vec<_>>()
        };
        // As published for SplitMix64.
        let mut dice = Dice::new(1_234_567);
        assert_eq!(
            [dice.next(), dice.next()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
        assert_ne!(throw(7), throw(8));
        assert!((0..6).all(|face| throw(7).contains(&face)));
        let late = Dice::new(1).seconds(2.0, 3.0);
        assert!((2.0..3.0).contains(&late.as_secs_f64()));
    }
}
