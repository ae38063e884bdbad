//! Which job a worker serves next.
//!
//! Stateless fair sharing: each worker draws at random, weighted by priority, so no worker needs to know
//! what the others do. A worker stays with its job for some strips, which keeps its prepared coordinates
//! and device buffers warm.

use crate::job::JobId;

/// Priority of a job that was given none.
pub const DEFAULT_PRIORITY: f64 = 1.0;
/// Strips of one job that a worker takes before it draws again.
pub const STRIPS_PER_DRAW: u32 = 8;
/// Most jobs that a worker asks for a strip in one look.
pub const MAX_JOBS: usize = 64;

/// A job of so many times the weight of the one that a worker stays with is urgent: that one's turn is over.
pub const URGENT: f64 = 100.0;

/// Smallest and largest weight: a job of any priority is served at last, and none starves all others.
const WEIGHTS: (f64, f64) = (0.01, 1e6);

/// Draws jobs; one for each worker.
#[derive(Clone, Debug)]
pub struct Chooser {
    state: u64,
    current: Option<JobId>,
    left: u32,
}

impl Chooser {
    /// A chooser whose draws follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            // xorshift stays at zero for ever when it starts there.
            state: seed | 1,
            current: None,
            left: 0,
        }
    }

    /// A number from 0 up to 1, 1 excluded.
    pub fn uniform(&mut self) -> f64 {
        // xorshift64*: small, and good enough to share work by.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let bits = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1u64 << 53) as f64
    }

    /// The job to stay with, if its turn is not over.
    #[must_use]
    pub fn current(&self) -> Option<&JobId> {
        self.current.as_ref().filter(|_| self.left > 0)
    }

    /// The order in which to ask `jobs` (name and priority): the current one first while its turn
    /// lasts and nothing is urgent, then a draw without replacement.
    pub fn order(&mut self, mut jobs: Vec<(JobId, f64)>) -> Vec<JobId> {
        let mut order = Vec::with_capacity(jobs.len());
        let weight = |priority: f64| {
            if priority.is_nan() {
                WEIGHTS.0
            } else {
                priority.clamp(WEIGHTS.0, WEIGHTS.1)
            }
        };
        if let Some(at) = self
            .current()
            .and_then(|current| jobs.iter().position(|(job, _)| job == current))
        {
            let urgent = URGENT * weight(jobs[at].1);
            if !jobs.iter().any(|(_, priority)| weight(*priority) >= urgent) {
                order.push(jobs.swap_remove(at).0);
            }
        }
        while jobs.len() > 1 {
            let total: f64 = jobs.iter().map(|(_, priority)| weight(*priority)).sum();
            let mut drawn = self.uniform() * total;
            let at = jobs
                .iter()
                .position(|(_, priority)| {
                    drawn -= weight(*priority);
                    drawn < 0.0
                })
                .unwrap_or(jobs.len() - 1);
            order.push(jobs.swap_remove(at).0);
        }
        order.extend(jobs.into_iter().map(|(job, _)| job));
        order
    }

    /// Notes that a strip of `job` was leased.
    pub fn note_served(&mut self, job: &JobId) {
        if self.current() == Some(job) {
            self.left -= 1;
        } else {
            self.current = Some(job.clone());
            self.left = STRIPS_PER_DRAW - 1;
        }
    }

    /// Notes that `job` had nothing to lease.
    pub fn note_idle(&mut self, job: &JobId) {
        if self.current.as_ref() == Some(job) {
            self.current = None;
            self.left = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_for_a_while_then_shares_by_priority() {
        let (a, b) = (JobId::generate(), JobId::generate());
        let jobs = || vec![(a.clone(), 1.0), (b.clone(), 3.0)];
        let mut chooser = Chooser::new(7);
        let (mut served, mut changes, mut last) = ([0u32; 2], 0, None);
        for _ in 0..8000 {
            let order = chooser.order(jobs());
            assert_eq!(order.len(), 2);
            assert_ne!(order[0], order[1]);
            chooser.note_served(&order[0]);
            served[usize::from(order[0] == b)] += 1;
            changes += u32::from(last.as_ref() != Some(&order[0]));
            last = Some(order[0].clone());
        }
        assert!(changes <= 8000 / STRIPS_PER_DRAW + 1);
        let share = f64::from(served[1]) / 8000.0;
        assert!((0.68..0.82).contains(&share), "{share}");
    }

    #[test]
    fn what_is_urgent_ends_the_turn_of_another() {
        let (long, view) = (JobId::generate(), JobId::generate());
        let mut first = 0;
        for seed in 1..=500 {
            let mut chooser = Chooser::new(seed * 0x9e37_79b9);
            chooser.note_served(&long);
            let order = chooser.order(vec![(long.clone(), 1.0), (view.clone(), 1000.0)]);
            assert_eq!(order.len(), 2);
            first += u32::from(order[0] == view);
        }
        assert!(first > 490, "{first} of 500");
        let mut chooser = Chooser::new(1);
        chooser.note_served(&long);
        let order = chooser.order(vec![(long.clone(), 1.0), (view, 99.0)]);
        assert_eq!(order[0], long, "its turn lasts");
    }

    #[test]
    fn any_priority_is_a_weight() {
        let mut chooser = Chooser::new(0);
        let jobs = [f64::NAN, f64::INFINITY, -1.0, 0.0].map(|p| (JobId::generate(), p));
        assert_eq!(chooser.order(jobs.to_vec()).len(), 4);
        assert!(chooser.order(Vec::new()).is_empty());
    }
}
