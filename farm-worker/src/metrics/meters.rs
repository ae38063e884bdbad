//! What a worker counts: for its operators ([`crate::metrics::exporter`]) and for whoever runs it.

use std::sync::atomic::AtomicU64;

use farm_queue::WorkerFigures;
use fractal::StripBuffer;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// What every name begins with.
const PREFIX: &str = "farm_worker";
/// Bounds of the histogram of strip times: 10 ms, doubling, up to 11 minutes.
const BUCKETS: (f64, f64, u16) = (0.01, 2.0, 17);

/// How a strip left this worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Delivered, and the first to be.
    Delivered,
    /// Delivered, but somebody else was first.
    Duplicate,
    /// The lease was lost: somebody else has it, or had it done.
    Lost,
    /// Given back untouched because the worker stops.
    Released,
    /// Not computed: an error, or no progress.
    Failed,
    /// Its job ended.
    JobGone,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Delivered,
        Self::Duplicate,
        Self::Lost,
        Self::Released,
        Self::Failed,
        Self::JobGone,
    ];

    /// The name in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Duplicate => "duplicate",
            Self::Lost => "lost",
            Self::Released => "released",
            Self::Failed => "failed",
            Self::JobGone => "job_gone",
        }
    }
}

/// A call of the queue that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Lease,
    Heartbeat,
    Deliver,
    Release,
    Fail,
    Orbit,
}

impl Call {
    const ALL: [Self; 6] = [
        Self::Lease,
        Self::Heartbeat,
        Self::Deliver,
        Self::Release,
        Self::Fail,
        Self::Orbit,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Heartbeat => "heartbeat",
            Self::Deliver => "deliver",
            Self::Release => "release",
            Self::Fail => "fail",
            Self::Orbit => "orbit",
        }
    }
}

type Label = [(&'static str, &'static str); 1];
/// Kind and name of a device.
type Device = [(&'static str, String); 2];
type Seconds = Counter<f64, AtomicU64>;
type StripSeconds = Family<Device, Histogram, fn() -> Histogram>;

/// A worker's running counts. Cheap to count in from any thread; read by [`Meters::text`] and [`Meters::figures`].
#[derive(Debug)]
pub struct Meters {
    registry: Registry,
    up: Gauge,
    strips: Family<Label, Counter>,
    in_hand: Gauge,
    pixels: Counter,
    iterations: Counter<f64, AtomicU64>,
    busy_secs: Seconds,
    compute_secs: Family<Device, Seconds>,
    strip_secs: StripSeconds,
    lease_losses: Counter,
    retries: Counter,
    delivery_retries: Counter,
    device_errors: Family<Device, Counter>,
    hung: Gauge,
    queue_errors: Family<Label, Counter>,
    /// Has no value until somebody tells one.
    queue_depth: Family<[(&'static str, &'static str); 0], Gauge>,
}

impl Meters {
    /// All at zero; `build` is [`engine::build_id`].
    #[must_use]
    pub fn new(version: &str, build: u64) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let about: [(&str, String); 2] = [
            ("version", version.to_owned()),
            ("kernels", format!("{build:016x}")),
        ];
        let histogram: fn() -> Histogram =
            || Histogram::new(exponential_buckets(BUCKETS.0, BUCKETS.1, BUCKETS.2));
        let mut meters = Self {
            up: Gauge::default(),
            strips: Family::default(),
            in_hand: Gauge::default(),
            pixels: Counter::default(),
            iterations: Counter::default(),
            busy_secs: Seconds::default(),
            compute_secs: Family::default(),
            strip_secs: Family::new_with_constructor(histogram),
            lease_losses: Counter::default(),
            retries: Counter::default(),
            delivery_retries: Counter::default(),
            device_errors: Family::default(),
            hung: Gauge::default(),
            queue_errors: Family::default(),
            queue_depth: Family::default(),
            registry: Registry::default(),
        };
        registry.register("build", "This build of the worker", Info::new(about));
        registry.register(
            "up",
            "1 while the worker takes strips, 0 before and after",
            meters.up.clone(),
        );
        registry.register(
            "strips",
            "Strips that left this worker, by how",
            meters.strips.clone(),
        );
        registry.register(
            "strips_in_hand",
            "Strips that are leased, computed or delivered now",
            meters.in_hand.clone(),
        );
        registry.register(
            "pixels",
            "Pixels of strips delivered first",
            meters.pixels.clone(),
        );
        registry.register(
            "iterations",
            "Iterations of strips delivered first",
            meters.iterations.clone(),
        );
        registry.register(
            "compute_seconds",
            "Seconds that devices were busy computing strips",
            meters.compute_secs.clone(),
        );
        registry.register(
            "strip_seconds",
            "Seconds from the start of a strip's computation to its end",
            meters.strip_secs.clone(),
        );
        registry.register(
            "lease_losses",
            "Leases that ended before the work under them did",
            meters.lease_losses.clone(),
        );
        registry.register(
            "retries",
            "Strips leased that had been delivered to somebody before",
            meters.retries.clone(),
        );
        registry.register(
            "delivery_retries",
            "Buffers offered once more because the queue did not take them",
            meters.delivery_retries.clone(),
        );
        registry.register(
            "device_errors",
            "Strips that a device failed at, or hung over",
            meters.device_errors.clone(),
        );
        registry.register(
            "hung_computations",
            "Computations given up as hung that have not ended yet",
            meters.hung.clone(),
        );
        registry.register(
            "queue_errors",
            "Calls of the queue that failed, by call",
            meters.queue_errors.clone(),
        );
        registry.register(
            "queue_depth",
            "Strips that wait on the queue, as last seen",
            meters.queue_depth.clone(),
        );
        meters.registry = registry;
        // What has not happened yet is told as 0, not left out.
        for outcome in Outcome::ALL {
            let _ = meters.strips.get_or_create(&[("outcome", outcome.name())]);
        }
        for call in Call::ALL {
            let _ = meters.queue_errors.get_or_create(&[("call", call.name())]);
        }
        meters
    }

    /// Everything, in the text format that Prometheus reads (OpenMetrics 1.0).
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }

    /// What the worker did so far.
    #[must_use]
    pub fn figures(&self) -> WorkerFigures {
        let ended = |outcome: Outcome| {
            let label = [("outcome", outcome.name())];
            self.strips.get_or_create(&label).get()
        };
        WorkerFigures {
            strips: ended(Outcome::Delivered),
            pixels: self.pixels.get(),
            busy_secs: self.busy_secs.get(),
            failed: ended(Outcome::Failed),
        }
    }

    /// Strips that wait on the queue, as just seen.
    pub fn set_queue_depth(&self, strips: u64) {
        let strips = i64::try_from(strips).unwrap_or(i64::MAX);
        self.queue_depth.get_or_create(&[]).set(strips);
    }

    pub(crate) fn set_up(&self, works: bool) {
        self.up.set(i64::from(works));
    }

    /// A device is there: its counts begin at 0.
    pub(crate) fn add_device(&self, device: &engine::DeviceInfo) {
        let device = label(device.backend, &device.name);
        let _ = self.compute_secs.get_or_create(&device);
        let _ = self.strip_secs.get_or_create(&device);
        let _ = self.device_errors.get_or_create(&device);
    }

    /// A strip came, for the `attempt`-th time.
    pub(crate) fn count_lease(&self, attempt: u32) {
        self.in_hand.inc();
        if attempt > 1 {
            self.retries.inc();
        }
    }

    /// A strip was computed, and took so long.
    pub(crate) fn count_computation(&self, buffer: &StripBuffer, secs: f64) {
        let device = label(buffer.origin.backend, &buffer.origin.device);
        (self.compute_secs.get_or_create(&device)).inc_by(buffer.busy_secs.max(0.0));
        self.strip_secs.get_or_create(&device).observe(secs);
        self.busy_secs.inc_by(buffer.busy_secs.max(0.0));
    }

    /// A buffer was the first of its strip.
    pub(crate) fn count_delivery(&self, buffer: &StripBuffer) {
        self.pixels.inc_by(buffer.pixels() as u64);
        self.iterations.inc_by(buffer.iterations_total as f64);
    }

    /// A strip left.
    pub(crate) fn count_end(&self, outcome: Outcome) {
        self.in_hand.dec();
        self.strips
            .get_or_create(&[("outcome", outcome.name())])
            .inc();
        if outcome == Outcome::Lost {
            self.lease_losses.inc();
        }
    }

    pub(crate) fn count_delivery_retry(&self) {
        self.delivery_retries.inc();
    }

    pub(crate) fn count_device_error(&self, device: &engine::DeviceInfo) {
        self.device_errors
            .get_or_create(&label(device.backend, &device.name))
            .inc();
    }

    pub(crate) fn add_hung(&self, more: i64) {
        self.hung.inc_by(more);
    }

    pub(crate) fn count_queue_error(&self, call: Call) {
        self.queue_errors
            .get_or_create(&[("call", call.name())])
            .inc();
    }
}

fn label(backend: fractal::Backend, name: &str) -> Device {
    [
        ("backend", backend.name().to_owned()),
        ("device", name.to_owned()),
    ]
}

/// Only what the registry can write may be a label.
const _: fn() = || {
    fn is_label<T: EncodeLabelSet>() {}
    is_label::<Device>();
    is_label::<Label>();
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out_and_what_has_not_happened_is_zero() {
        let meters = Meters::new("1.2.3", 0xfeed);
        let before = meters.text();
        assert!(!before.contains("\nfarm_worker_queue_depth"), "{before}");
        for line in [
            "farm_worker_build_info{version=\"1.2.3\",kernels=\"000000000000feed\"} 1",
            "farm_worker_strips_total{outcome=\"released\"} 0",
            "farm_worker_queue_errors_total{call=\"heartbeat\"} 0",
            "farm_worker_up 0",
        ] {
            assert!(
                before.lines().any(|found| found == line),
                "{line} in {before}"
            );
        }
        meters.set_queue_depth(3);
        let after = meters.text();
        let found = after
            .lines()
            .any(|line| line == "farm_worker_queue_depth{} 3");
        assert!(found, "{after}");
    }
}
