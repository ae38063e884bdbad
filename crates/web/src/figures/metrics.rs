//! `/metrics`: the whole farm and this server, as Prometheus reads them.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::sampler::Taken;
use crate::farm::Seen;

/// What every name begins with.
const PREFIX: &str = "mandelfarm";
/// Workers and jobs that have figures of their own.
const MOST_LABELLED: usize = 1000;

type Number = Gauge<f64, AtomicU64>;
type Label = Vec<(&'static str, String)>;
type Numbers = Family<Label, Number>;

/// What was taken last, as text.
#[must_use]
pub fn text(taken: &Taken) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    for (name, title, value) in taken.series.known() {
        let gauge = Number::default();
        gauge.set(value);
        registry.register(name, title, gauge);
    }
    let up = Number::default();
    up.set(if taken.farm.is_some() { 1.0 } else { 0.0 });
    registry.register(
        "farm_up",
        "Whether a farm was there when it was asked last",
        up,
    );
    if let Some(seen) = &taken.farm {
        of_farm(&mut registry, seen);
    }
    let mut text = String::new();
    // Into a text nothing fails.
    let _ = encode(&mut text, &registry);
    text
}

fn of_farm(registry: &mut Registry, seen: &Seen) {
    let mut family = |name: &str, help: &str| {
        let numbers = Numbers::default();
        registry.register(name, help, numbers.clone());
        numbers
    };
    let strips = family("worker_strips", "Strips that a worker delivered first");
    let pixels = family("worker_pixels", "Pixels of those");
    let busy = family("worker_busy_seconds", "Seconds that its devices computed");
    let failed = family("worker_failed_strips", "Strips that failed on it");
    let kept = family("worker_quarantined", "Whether it is in quarantine");
    for worker in seen.workers.iter().take(MOST_LABELLED) {
        let label = vec![
            ("worker", worker.record.name.clone()),
            ("process", worker.process.clone()),
        ];
        let figures = &worker.record.figures;
        for (numbers, value) in [
            (&strips, figures.strips as f64),
            (&pixels, figures.pixels as f64),
            (&busy, figures.busy_secs),
            (&failed, figures.failed as f64),
            (&kept, f64::from(u8::from(worker.quarantine.is_some()))),
        ] {
            numbers.get_or_create(&label).set(value);
        }
    }
    let all = family("job_strips", "Strips of a job on the farm");
    let come = family("job_strips_collected", "Strips of it that are there");
    let again = family("job_retries", "Deliveries beyond the first of each strip");
    let dead = family("job_dead_strips", "Strips of it that were given up");
    for job in seen.jobs.iter().take(MOST_LABELLED) {
        let label = vec![("job", job.job.to_string())];
        let report = &job.report;
        for (numbers, value) in [
            (&all, f64::from(report.strips)),
            (&come, f64::from(report.collected)),
            (&again, report.retries as f64),
            (&dead, report.dead.len() as f64),
        ] {
            numbers.get_or_create(&label).set(value);
        }
    }
}
