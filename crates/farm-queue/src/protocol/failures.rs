//! What a worker failed at, so that others have their turn at it first.
//!
//! A device that fails at once is never busy: it would be back for the strip that it just gave up before any good
//! worker is free, and use up all of a strip's deliveries alone. So a worker passes over what it failed at until
//! the others that are alive have had their turns; for a while only, since they may be unable to take it. Alone, it
//! passes nothing over.

use std::collections::VecDeque;
use std::time::Duration;

use crate::job::JobId;

/// For how long others have their turn first.
pub const OTHERS_FIRST: Duration = Duration::from_secs(60);
/// Most entries that a worker remembers; the oldest are forgotten first.
pub const MAX_FAILURES: usize = 64;

/// The entries that one worker failed at of late; `E` names an entry. Time is a distance from any fixed moment.
#[derive(Clone, Debug)]
pub struct Failures<E>(VecDeque<Failure<E>>);

#[derive(Clone, Debug)]
struct Failure<E> {
    job: JobId,
    entry: E,
    /// How often.
    times: u32,
    until: Duration,
}

impl<E> Default for Failures<E> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<E: Clone + PartialEq> Failures<E> {
    /// The worker failed at `entry`.
    pub fn note_failure(&mut self, job: &JobId, entry: E, now: Duration) {
        let known = (self.0.iter()).position(|f| f.job == *job && f.entry == entry);
        let times = known
            .and_then(|at| self.0.remove(at))
            .map_or(0, |f| f.times);
        if self.0.len() >= MAX_FAILURES {
            self.0.pop_front();
        }
        self.0.push_back(Failure {
            job: job.clone(),
            entry,
            times: times.saturating_add(1),
            until: now + OTHERS_FIRST,
        });
    }

    /// When the first of a job's entries is this worker's again, whatever others do; `None` if there is none.
    #[must_use]
    pub fn next_end(&self, job: &JobId, now: Duration) -> Option<Duration> {
        self.of(job, now).map(|f| f.until).min()
    }

    /// Which entries of a job to pass over while `others` are alive, and until how many deliveries: see
    /// [`JobTable::claim`](super::table::JobTable::claim).
    #[must_use]
    pub fn passed_over(&self, job: &JobId, others: u32, now: Duration) -> Vec<(E, u32)> {
        if others == 0 {
            return Vec::new();
        }
        self.of(job, now)
            .map(|f| {
                (
                    f.entry.clone(),
                    f.times.saturating_mul(others.saturating_add(1)),
                )
            })
            .collect()
    }

    fn of(&self, job: &JobId, now: Duration) -> impl Iterator<Item = &Failure<E>> {
        self.0
            .iter()
            .filter(move |f| f.job == *job && f.until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_have_their_turn_first_but_not_for_ever() {
        let (job, other) = (JobId::generate(), JobId::generate());
        let mut failures = Failures::default();
        let now = Duration::from_secs(5);
        failures.note_failure(&job, 7, now);
        failures.note_failure(&job, 7, now);
        failures.note_failure(&job, 8, now);
        // Two others: 7 was this worker's twice, and both have it twice before it has it again.
        assert_eq!(failures.passed_over(&job, 2, now), [(7, 6), (8, 3)]);
        assert_eq!(failures.passed_over(&job, 0, now), []);
        assert_eq!(failures.passed_over(&other, 2, now), []);
        assert_eq!(failures.next_end(&job, now), Some(now + OTHERS_FIRST));
        assert_eq!(failures.passed_over(&job, 2, now + OTHERS_FIRST), []);
        assert_eq!(failures.next_end(&job, now + OTHERS_FIRST), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let job = JobId::generate();
        let mut failures = Failures::default();
        for entry in 0..1000 {
            failures.note_failure(&job, entry, Duration::ZERO);
        }
        let passed = failures.passed_over(&job, 1, Duration::ZERO);
        assert_eq!((passed.len(), passed[0].0), (MAX_FAILURES, 936));
    }
}
