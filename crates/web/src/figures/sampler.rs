//! What takes figures, whether anybody watches or not.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use disk::pending::free_space;
use farm_queue::redis::RedisControl;

use super::series::{EVERY_SECS, Point, Series};
use crate::farm::{Farm, Seen};
use crate::jobs::queue::Jobs;
use crate::viewers::Viewers;

/// How long a farm may take to say how it stands.
const PATIENCE: Duration = Duration::from_secs(5);

/// Figures, and what they are taken from.
pub struct Sampler {
    farm: Option<Arc<Farm>>,
    jobs: Option<Arc<Jobs>>,
    viewers: Arc<Viewers>,
    taken: Mutex<Taken>,
}

/// What was taken so far.
#[derive(Default)]
pub struct Taken {
    /// Figures over time.
    pub series: Series,
    /// How the farm stood last; none where it does not answer.
    pub farm: Option<Seen>,
}

/// What figures a second are made from.
struct Before {
    at: Instant,
    /// Strips, pixels, seconds and failures of each worker process.
    workers: HashMap<String, [f64; 4]>,
    tiles: u64,
}

impl Sampler {
    /// Of a server with these parts; nothing is taken yet.
    #[must_use]
    pub fn new(
        farm: Option<Arc<Farm>>,
        jobs: Option<Arc<Jobs>>,
        viewers: Arc<Viewers>,
    ) -> Arc<Self> {
        Arc::new(Self {
            farm,
            jobs,
            viewers,
            taken: Mutex::default(),
        })
    }

    /// What was taken.
    pub fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes figures again and again.
    pub async fn run(self: Arc<Self>) {
        let mut control = None;
        let mut before: Option<Before> = None;
        let mut ticks = tokio::time::interval(Duration::from_secs(EVERY_SECS));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let seen = self.ask(&mut control).await;
            let now = Before {
                at: Instant::now(),
                workers: seen.as_ref().map(totals).unwrap_or_default(),
                tiles: self.viewers.counts.finished.load(Ordering::Relaxed),
            };
            let point = self.point(seen.as_ref(), before.as_ref(), &now);
            let mut taken = self.taken();
            taken.series.add(point);
            taken.farm = seen;
            before = Some(now);
        }
    }

    async fn ask(&self, control: &mut Option<RedisControl>) -> Option<Seen> {
        let farm = self.farm.as_ref()?;
        let seen = tokio::time::timeout(PATIENCE, farm.once(control)).await;
        let seen = seen.ok().and_then(Result::ok);
        if seen.is_none() {
            *control = None;
        }
        seen
    }

    fn point(&self, seen: Option<&Seen>, before: Option<&Before>, now: &Before) -> Point {
        let rates = before.filter(|_| seen.is_some()).map(|before| {
            let seconds = now.at.duration_since(before.at).as_secs_f64().max(1e-3);
            grown(&before.workers, &now.workers).map(|sum| sum / seconds)
        });
        let tiles = before.map(|before| {
            let seconds = now.at.duration_since(before.at).as_secs_f64().max(1e-3);
            now.tiles.saturating_sub(before.tiles) as f64 / seconds
        });
        let of_farm = |figure: fn(&Seen) -> usize| seen.map(|seen| figure(seen) as f64);
        let (waiting, running) = match &self.jobs {
            Some(jobs) => {
                let (counts, running) = jobs.counts();
                let open = counts.get("queued").copied().unwrap_or(0);
                (
                    Some(open.saturating_sub(running) as f64),
                    Some(running as f64),
                )
            }
            None => (None, None),
        };
        let free = self
            .jobs
            .as_ref()
            .and_then(|jobs| free_space(jobs.folder()).ok());
        [
            of_farm(|seen| seen.workers.len()),
            of_farm(|seen| {
                let kept = seen
                    .workers
                    .iter()
                    .filter(|worker| worker.quarantine.is_some());
                kept.count()
            }),
            of_farm(|seen| seen.jobs.len()),
            rates.map(|[strips, ..]| strips),
            rates.map(|[_, pixels, ..]| pixels / 1e6),
            rates.map(|[_, _, busy, _]| busy),
            rates.map(|[.., failed]| failed),
            of_farm(|seen| seen.jobs.iter().map(|job| job.report.dead.len()).sum()),
            waiting,
            running,
            tiles,
            free.map(|bytes| bytes as f64 / 1e9),
        ]
    }
}

fn totals(seen: &Seen) -> HashMap<String, [f64; 4]> {
    let workers = seen.workers.iter().map(|worker| {
        let figures = &worker.record.figures;
        let totals = [
            figures.strips as f64,
            figures.pixels as f64,
            figures.busy_secs,
            figures.failed as f64,
        ];
        (worker.process.clone(), totals)
    });
    workers.collect()
}

/// By how much the totals of processes have grown that were there before or have come since.
fn grown(before: &HashMap<String, [f64; 4]>, now: &HashMap<String, [f64; 4]>) -> [f64; 4] {
    let mut sums = [0.0; 4];
    for (process, totals) in now {
        let earlier = before.get(process).copied().unwrap_or_default();
        for ((sum, total), earlier) in sums.iter_mut().zip(totals).zip(earlier) {
            *sum += (total - earlier).max(0.0);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_leave_take_nothing_back() {
        let of = |list: &[(&str, f64)]| {
            let each = list
                .iter()
                .map(|(name, strips)| ((*name).to_owned(), [*strips, 0.0, 0.0, 0.0]));
            each.collect::<HashMap<_, _>>()
        };
        let before = of(&[("a", 10.0), ("gone", 1000.0), ("anew", 50.0)]);
        let now = of(&[("a", 15.0), ("new", 2.0), ("anew", 3.0)]);
        assert_eq!(grown(&before, &now)[0], 7.0);
    }
}
