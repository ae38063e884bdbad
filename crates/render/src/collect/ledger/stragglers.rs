//! The end of a job: which strips of slow workers are given to others as well. Decided without I/O.
//!
//! How long a worker has a strip is measured by this process's own clock, from when it was first seen there: other
//! machines' clocks may be wrong.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use farm_queue::{Issue, Order, UnderWay};

/// No strip is given to a second worker before this long.
const LEAST: Duration = Duration::from_secs(3);
/// Nor before this many times as long as nearly all strips of other workers take.
const TIMES: f64 = 2.5;
/// What nearly all means.
const NEARLY_ALL: f64 = 0.95;
/// The latest strips whose times are kept.
const SAMPLES: usize = 1024;

/// What is known of strips' times, and of who has what.
#[derive(Debug, Default)]
pub struct Stragglers {
    /// Worker, and seconds of one of its strips.
    times: VecDeque<(String, f64)>,
    /// When an entry's delivery was first seen, and its strip.
    seen: HashMap<(String, u32), (u32, Instant)>,
    /// Strips that were issued once more.
    issued: BTreeSet<u32>,
}

impl Stragglers {
    /// A strip came from `worker`, whose device was busy with it for `busy_secs`.
    pub fn came(&mut self, strip: u32, worker: &str, busy_secs: f64, now: Instant) {
        // Longer than the device worked, where it was seen to be.
        let wall = (self.seen.values())
            .filter(|(seen, _)| *seen == strip)
            .map(|(_, since)| now.duration_since(*since).as_secs_f64())
            .fold(busy_secs, f64::max);
        if self.times.len() >= SAMPLES {
            self.times.pop_front();
        }
        self.times.push_back((worker.to_owned(), wall));
    }

    /// Strips to give to a second worker, now that all are queued and `under_way` is how they are; `awaits`
    /// says which are still wanted.
    pub fn look(
        &mut self,
        under_way: &UnderWay,
        awaits: impl Fn(u32) -> bool,
        now: Instant,
    ) -> Vec<Order> {
        let mut seen = HashMap::new();
        let mut late = Vec::new();
        for lease in &under_way.leases {
            let key = (lease.entry.clone(), lease.attempt);
            let (_, since) = *(self.seen.get(&key)).unwrap_or(&(lease.strip.index, now));
            seen.insert(key, (lease.strip.index, since));
            let age = now.duration_since(since);
            if lease.issue == Issue::Render
                && awaits(lease.strip.index)
                && under_way.waiting == 0
                && !self.issued.contains(&lease.strip.index)
                && (self.limit(&lease.worker)).is_some_and(|limit| age > limit)
            {
                late.push(Order {
                    strip: lease.strip,
                    issue: Issue::Render,
                    not: Some(lease.worker.clone()),
                    extra: true,
                });
            }
        }
        self.seen = seen;
        self.issued
            .extend(late.iter().map(|order| order.strip.index));
        late
    }

    /// How long `worker` may have a strip; `None` while nobody else has shown how long one takes.
    fn limit(&self, worker: &str) -> Option<Duration> {
        let others = self.times.iter().filter(|(name, _)| name != worker);
        let mut times: Vec<f64> = others.map(|(_, secs)| *secs).collect();
        times.sort_by(f64::total_cmp);
        let at = (times.len() as f64 * NEARLY_ALL) as usize;
        let nearly_all = times.get(at.min(times.len().checked_sub(1)?))?;
        Some(LEAST.max(Duration::try_from_secs_f64(TIMES * nearly_all).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farm_queue::status::LeasedStrip;
    use fractal::Strip;

    fn lease(strip: u32, worker: &str, attempt: u32) -> LeasedStrip {
        LeasedStrip {
            strip: Strip {
                index: strip,
                row0: strip,
                rows: 1,
            },
            issue: Issue::Render,
            worker: worker.into(),
            attempt,
            entry: format!("entry {strip}"),
        }
    }

    fn under_way(waiting: u64, leases: &[LeasedStrip]) -> UnderWay {
        UnderWay {
            waiting,
            leases: leases.to_vec(),
        }
    }

    const ONE: Duration = Duration::from_secs(1);

    #[test]
    fn a_late_strip_is_issued_once_more_and_to_somebody_else() {
        let mut stragglers = Stragglers::default();
        let start = Instant::now();
        stragglers.came(0, "fast", 0.5, start);
        let late = under_way(0, &[lease(7, "slow", 1), lease(8, "fast", 1)]);
        assert!(stragglers.look(&late, |_| true, start).is_empty());
        assert!(stragglers.look(&late, |_| true, start + 3 * ONE).is_empty());
        let orders = stragglers.look(&late, |_| true, start + 4 * ONE);
        assert_eq!(orders.len(), 1, "nobody else has shown what 8 should take");
        assert_eq!((orders[0].strip.index, orders[0].extra), (7, true));
        assert_eq!(orders[0].not.as_deref(), Some("slow"));
        assert!(
            stragglers
                .look(&late, |_| true, start + 60 * ONE)
                .is_empty()
        );
    }

    #[test]
    fn strips_that_take_long_everywhere_have_their_time() {
        let mut stragglers = Stragglers::default();
        let start = Instant::now();
        (0..20).for_each(|strip| stragglers.came(strip, "fast", 10.0, start));
        // A slow worker's own times are no excuse.
        (20..90).for_each(|strip| stragglers.came(strip, "slow", 100.0, start));
        let late = under_way(0, &[lease(7, "slow", 1)]);
        stragglers.look(&late, |_| true, start);
        assert!(
            stragglers
                .look(&late, |_| true, start + 24 * ONE)
                .is_empty()
        );
        assert_eq!(stragglers.look(&late, |_| true, start + 26 * ONE).len(), 1);
    }

    #[test]
    fn nothing_is_issued_while_strips_wait_or_are_not_awaited_or_are_delivered_anew() {
        let mut stragglers = Stragglers::default();
        let start = Instant::now();
        stragglers.came(0, "fast", 0.1, start);
        let waiting = under_way(1, &[lease(7, "slow", 1)]);
        stragglers.look(&waiting, |_| true, start);
        assert!(
            stragglers
                .look(&waiting, |_| true, start + 9 * ONE)
                .is_empty()
        );
        let again = under_way(0, &[lease(7, "slow", 2)]);
        assert!(
            stragglers
                .look(&again, |_| true, start + 9 * ONE)
                .is_empty()
        );
        assert!(
            stragglers
                .look(&again, |_| false, start + 19 * ONE)
                .is_empty()
        );
        assert_eq!(stragglers.look(&again, |_| true, start + 20 * ONE).len(), 1);
    }

    #[test]
    fn the_time_of_a_strip_counts_from_when_it_was_seen() {
        let mut stragglers = Stragglers::default();
        let start = Instant::now();
        stragglers.look(&under_way(0, &[lease(1, "fast", 1)]), |_| true, start);
        stragglers.came(1, "fast", 0.1, start + 8 * ONE);
        assert_eq!(stragglers.limit("slow"), Some(20 * ONE));
        assert_eq!(stragglers.limit("fast"), None);
    }
}
