//! How a job stands, and how its workers do: figures and decisions without I/O.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use farm_queue::JobReport;
use farm_queue::status::{DeadStrip, MAX_LISTED};

use super::failed_strips::FailedStrips;
use crate::report::Tally;

/// Failures of a worker at strips that others then finished, after which it gets no more for a while.
const MOST_FAILURES: u32 = 3;
/// Over how long the rate is taken.
const OF_LATE: Duration = Duration::from_secs(10);
/// How long nothing may come before the queue is asked whether it still has all strips; then twice as long each
/// time, up to the second.
const SILENCE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// Who failed at strips that others then finished.
#[derive(Debug, Default)]
pub struct FailureCounts(HashMap<String, u32>);

impl FailureCounts {
    /// `worker` finished a strip at which `failed` failed before: those to quarantine now, with the reason.
    pub fn finished(&mut self, worker: &str, failed: &[String]) -> Vec<(String, String)> {
        let mut over = Vec::new();
        for name in failed.iter().filter(|name| *name != worker) {
            let failures = self.0.entry(name.clone()).or_default();
            *failures += 1;
            if *failures >= MOST_FAILURES {
                self.0.remove(name);
                let reason = format!("failed at {MOST_FAILURES} strips that others finished");
                over.push((name.clone(), reason));
            }
        }
        over
    }
}

/// When to ask the queue for what it may have lost, with nothing else to show for it.
#[derive(Debug)]
pub struct Silence {
    since: Instant,
    next: Duration,
}

impl Silence {
    /// From now on.
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            next: SILENCE.0,
        }
    }

    /// Something came.
    pub fn broken(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// Whether to ask now; then not before twice as long.
    pub fn is_long(&mut self, now: Instant) -> bool {
        let long = now.duration_since(self.since) >= self.next;
        if long {
            self.since = now;
            self.next = (2 * self.next).min(SILENCE.1);
        }
        long
    }
}

/// Strips that came, over time.
#[derive(Debug)]
pub struct Rate {
    begun: Instant,
    marks: VecDeque<(Instant, u32)>,
}

impl Rate {
    /// From now on.
    pub fn new(now: Instant) -> Self {
        Self {
            begun: now,
            marks: VecDeque::new(),
        }
    }

    /// How a job of `strips` strips stands when `come` have come.
    pub fn report(
        &mut self,
        (come, strips): (u32, u32),
        tally: &Tally,
        failed_strips: &FailedStrips,
        now: Instant,
    ) -> JobReport {
        self.marks.push_back((now, come));
        while self.marks.len() > 2
            && (self.marks.front()).is_some_and(|(then, _)| now.duration_since(*then) > OF_LATE)
        {
            self.marks.pop_front();
        }
        let rate = self.marks.front().map_or(0.0, |(then, before)| {
            let secs = now.duration_since(*then).as_secs_f64();
            f64::from(come.saturating_sub(*before)) / secs.max(1e-3)
        });
        let dead = failed_strips.iter().take(MAX_LISTED);
        JobReport {
            strips,
            collected: come,
            elapsed_secs: now.duration_since(self.begun).as_secs_f64(),
            strips_per_sec: rate,
            secs_left: (rate > 0.0).then(|| f64::from(strips - come.min(strips)) / rate),
            by_worker: tally
                .strips_by_worker()
                .into_iter()
                .take(MAX_LISTED)
                .collect(),
            retries: tally.redelivered,
            rejected: tally.rejected,
            speculated: tally.speculated,
            audited: tally.audited,
            dead: dead
                .map(|(strip, reasons)| DeadStrip {
                    strip: strip.index,
                    reasons: reasons.to_vec(),
                })
                .collect(),
            ..JobReport::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Duration = Duration::from_secs(1);

    #[test]
    fn three_failures_that_others_make_good_are_enough() {
        let mut counts = FailureCounts::default();
        let bad = ["bad".to_owned()];
        assert!(counts.finished("good", &bad).is_empty());
        assert!(
            counts.finished("bad", &bad).is_empty(),
            "it came right by itself"
        );
        assert!(counts.finished("good", &bad).is_empty());
        assert_eq!(counts.finished("good", &bad)[0].0, "bad");
        assert!(counts.finished("good", &bad).is_empty(), "it starts anew");
    }

    #[test]
    fn the_queue_is_asked_ever_less_often() {
        let start = Instant::now();
        let mut silence = Silence::new(start);
        let asked: Vec<u64> = (0..200)
            .filter(|second| silence.is_long(start + *second as u32 * ONE))
            .collect();
        assert_eq!(asked, [5, 15, 35, 75, 135, 195]);
        silence.broken(start + 200 * ONE);
        assert!(!silence.is_long(start + 204 * ONE));
        assert!(silence.is_long(start + 205 * ONE));
    }

    #[test]
    fn the_rate_is_of_late() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let (tally, failed_strips) = (Tally::default(), FailedStrips::default());
        let mut at = |second: u32, come| {
            rate.report((come, 1000), &tally, &failed_strips, start + second * ONE)
        };
        assert_eq!(at(0, 100).secs_left, None);
        assert_eq!(at(1, 110).strips_per_sec, 10.0);
        for second in 2..60 {
            at(second, 110);
        }
        let report = at(60, 110);
        assert_eq!((report.strips_per_sec, report.secs_left), (0.0, None));
        assert_eq!(
            (report.collected, report.strips, report.elapsed_secs),
            (110, 1000, 60.0)
        );
        assert!(rate.marks.len() < 20);
    }
}
