//! How the steps of a strip are cut into rounds and submissions; pure.
//!
//! A round doubles the steps already made: most pixels leave early, where the next round soon drops them; later few
//! leave, and long rounds keep the number of launches small. A pixel idles at most as long as it worked.
//! A submission is bounded by time, so that no watchdog takes the device for hung and a cancelled strip ends
//! soon.

use std::time::Duration;

use crate::gpu::session::buffers::MAX_ROUNDS;

/// What a submission aims at: well under the 100 ms that a dispatch may take at most.
const SUBMISSION: Duration = Duration::from_millis(40);
/// Blocks of steps of the first round.
const FIRST_BLOCKS: u32 = 2;

/// Most steps of a round. Mesa's software adapters end a loop after 65535 turns, and say nothing.
pub(super) const LONGEST_ROUND: u32 = 1 << 15;
/// Most moves of a round of deltas, each of which looks for blocks in a loop: those adapters count the turns of all loops
/// together.
pub(super) const LONGEST_OF_DELTAS: u32 = 1 << 11;

/// First step and number of steps of each round of the next submission, at least one round, for `active` pixels that
/// have made `first_step` steps of `limit`, on a device that makes `rate` steps a second; no round has more than `longest`
/// steps, and each has whole blocks of `block`.
///
/// Counts of active pixels only fall, so the bound in time holds for every round of it.
pub(super) fn submission(
    first_step: u32,
    active: u32,
    limit: u32,
    longest: u32,
    block: u32,
    rate: f64,
) -> Vec<(u32, u32)> {
    let budget = rate * SUBMISSION.as_secs_f64() / f64::from(active.max(1));
    // Whole blocks, so that a pixel's blocks do not depend on rounds.
    let mut affordable = (budget.min(f64::from(u32::MAX)) as u32 / block * block).max(block);
    let longest = longest / block * block;
    let mut rounds = Vec::new();
    let mut at = first_step;
    while at < limit && affordable > 0 && rounds.len() < MAX_ROUNDS {
        let grown = (at / block * block).clamp(FIRST_BLOCKS * block, longest);
        let steps = grown.min(affordable).min(limit - at);
        rounds.push((at, steps));
        at += steps;
        affordable -= steps.next_multiple_of(block).min(affordable);
    }
    rounds
}

/// Rows of a part of a strip: at most `most_pixels` pixels, and so few that one block of steps of all of them is
/// far within a submission; at least one row.
pub(super) fn part_rows(width: u32, rows: u32, most_pixels: u32, block: u32, rate: f64) -> u32 {
    let by_rate = rate * SUBMISSION.as_secs_f64() / f64::from(FIRST_BLOCKS * block);
    let pixels = by_rate.clamp(1.0, f64::from(most_pixels)) as u32;
    (pixels / width).clamp(1, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shaders::BLOCK;

    #[test]
    fn rounds_reach_the_limit_in_whole_blocks() {
        for (active, limit, block, rate) in [
            (1000, 2000, BLOCK, 1e9),
            (1 << 20, 2003, BLOCK, 1e8),
            (1 << 20, 7, BLOCK, 1e6),
            (1, u32::MAX - 1, BLOCK, 1e12),
            (1, 1, BLOCK, 0.0),
            // Of formulas with three and with eleven phases.
            (1000, 200_000, 9, 1e9),
            (1 << 18, 2003, 11, 1e8),
        ] {
            let (mut at, mut submissions) = (0, 0);
            while at < limit {
                let rounds = submission(at, active, limit, LONGEST_ROUND, block, rate);
                assert!(!rounds.is_empty() && rounds.len() <= MAX_ROUNDS);
                let total: u64 = rounds.iter().map(|(_, steps)| u64::from(*steps)).sum();
                assert!(
                    total as f64 * f64::from(active) <= rate * 0.04 * 1.001
                        || total <= u64::from(block),
                    "{rounds:?}"
                );
                for (first, steps) in rounds {
                    assert_eq!(first, at);
                    assert!(
                        steps > 0
                            && steps <= LONGEST_ROUND
                            && (steps % block == 0 || first + steps == limit)
                    );
                    at += steps;
                }
                submissions += 1;
                assert!(submissions < 10_000);
            }
            assert_eq!(at, limit);
        }
    }

    #[test]
    fn parts_are_whole_rows_that_a_slow_device_can_begin() {
        assert_eq!(part_rows(1024, 100, 1 << 20, BLOCK, 1e12), 100);
        assert_eq!(part_rows(1024, 5000, 1 << 20, BLOCK, 1e12), 1024);
        assert_eq!(part_rows(1024, 5000, 1 << 20, BLOCK, 0.0), 1);
        assert_eq!(part_rows(131_072, 3, 1 << 20, BLOCK, 1e6), 1);
    }
}
