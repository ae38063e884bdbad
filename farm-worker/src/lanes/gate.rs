//! Tells a computation that is slow from one that hangs.
//!
//! A slow one moves: kernels call [`engine::Progress::step`] every 100 ms or so. One that stands still may still
//! be waiting for its turn: a device works on what it likes of the strips that it was given, and on the processor one
//! slow strip takes all threads from the next. So a computation also counts as moving while another one on its
//! device does; but not for ever, since a device may hang over one strip alone: only until more strips have
//! overtaken it than could by rights.

use std::time::Duration;

use tokio::time::Instant;

use crate::lanes::station::{Computation, StationCounts, patience};

/// How often a computation is looked at, at most and at least.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_millis(10));
/// Looks within the shortest time-out.
const LOOKS_PER_TIMEOUT: u32 = 8;
/// Strips that may overtake a computation for each one that is on its device.
const OVERTAKING: u64 = 2;

/// What was seen of a computation, and for how long nothing.
#[derive(Debug, Default)]
struct Gate {
    still: Duration,
    steps: u64,
    /// As of the last look.
    moved: u64,
    /// Computations of the device that had ended when this one moved last.
    ended: u64,
}

impl Gate {
    /// Looks again, after `passed`; for how long nothing has moved by now. `steps`: the computation's own.
    fn look(&mut self, passed: Duration, steps: u64, device: StationCounts) -> Duration {
        let overtaken = device.ended.wrapping_sub(self.ended);
        if steps != self.steps {
            self.steps = steps;
            self.ended = device.ended;
            self.still = Duration::ZERO;
        } else if device.moved != self.moved && overtaken <= OVERTAKING * device.inside {
            self.still = Duration::ZERO;
        } else {
            self.still += passed;
        }
        self.moved = device.moved;
        self.still
    }
}

/// Waits until `computation` has stood still for longer than `floor`, or than 20 times what its device's strips
/// usually take; says for how long. For ever if it moves, and from its end on.
pub(crate) async fn wait_until_hung(computation: &Computation, floor: Duration) -> Duration {
    let every = (floor / LOOKS_PER_TIMEOUT).clamp(LOOKS.1, LOOKS.0);
    let mut gate = Gate::default();
    let mut last = Instant::now();
    loop {
        tokio::time::sleep(every).await;
        if computation.is_over() {
            return std::future::pending().await;
        }
        // A process that was stopped, or a machine that slept, saw nothing move in all that time.
        let passed = last.elapsed().min(2 * every);
        last = Instant::now();
        if computation.is_waiting() {
            gate.still = Duration::ZERO;
            continue;
        }
        let station = computation.station();
        let steps = computation.progress.steps();
        if steps != gate.steps {
            station.note_move();
        }
        let still = gate.look(passed, steps, station.counts());
        if still >= patience(&station, floor) {
            return still;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn device(moved: u64, ended: u64) -> StationCounts {
        StationCounts {
            moved,
            ended,
            inside: 2,
        }
    }

    #[test]
    fn what_moves_is_never_still() {
        let mut gate = Gate::default();
        for steps in 1..1000 {
            assert_eq!(gate.look(SECOND, steps, device(steps, 0)), Duration::ZERO);
        }
    }

    #[test]
    fn what_stands_still_is_told_for_how_long() {
        let mut gate = Gate::default();
        gate.look(SECOND, 7, device(1, 0));
        for seconds in 1..100 {
            assert_eq!(gate.look(SECOND, 7, device(1, 0)), seconds * SECOND);
        }
        assert_eq!(gate.look(SECOND, 8, device(2, 0)), Duration::ZERO);
    }

    #[test]
    fn a_strip_that_waits_for_another_does_not_hang() {
        let mut gate = Gate::default();
        // The other moves for as long as it likes, then ends; a third overtakes, and a fourth.
        for moved in 1..1000 {
            assert_eq!(
                gate.look(SECOND, 1, device(moved, moved / 250)),
                Duration::ZERO
            );
        }
    }

    #[test]
    fn a_strip_that_others_overtake_again_and_again_hangs() {
        let mut gate = Gate::default();
        let still = (1..100).map(|n| gate.look(SECOND, 1, device(n, n)));
        assert!(still.max().is_some_and(|still| still > 90 * SECOND));
    }
}
