//! Jobs and buffers to test with.

use std::sync::Arc;
use std::time::Duration;

use farm_queue::{AcceptedBackends, Collected, JobId, JobSpec, Lease, Order};
use fractal::{
    Arithmetic, Backend, BackendChoice, FrameSpec, Grid, Measure, MeasureSet, Origin, Plane, Strip,
    StripBuffer, StripPlan, View,
};

/// A lease short enough to wait for its end.
pub(crate) const LEASE: Duration = Duration::from_millis(500);
/// Longest wait for something that should happen at once.
pub(crate) const SOON: Duration = Duration::from_secs(10);
pub(crate) const NOW: Duration = Duration::ZERO;
pub(crate) const CPU: AcceptedBackends = AcceptedBackends {
    cpu: true,
    gpu: false,
};
pub(crate) const GPU: AcceptedBackends = AcceptedBackends {
    cpu: false,
    gpu: true,
};

/// A job of `count` strips of one row.
pub(crate) fn job(count: u32) -> Arc<JobSpec> {
    job_of(count, 16, 1)
}

pub(crate) fn job_of(count: u32, width: u32, strip_rows: u32) -> Arc<JobSpec> {
    let height = count * strip_rows;
    Arc::new(JobSpec {
        id: JobId::generate(),
        frame: FrameSpec {
            view: View::Bounds {
                xmin: "-2".parse().unwrap(),
                xmax: "0.5".parse().unwrap(),
                ymin: "-1.5".parse().unwrap(),
                ymax: "1.5".parse().unwrap(),
            },
            transform: fractal::Transform::default(),
            grid: Grid::Pixels,
            width,
            height,
            iterations: 100,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: fractal::Formula::default(),
            julia: None,
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: fractal::Counts::Fast,
            measures: MeasureSet::default().with(Measure::Smooth),
        },
        strips: StripPlan { height, strip_rows },
        backend: BackendChoice::Auto,
        max_workers: None,
        build: 0,
        orbit: None,
        arithmetic: None,
        on: None,
    })
}

pub(crate) fn pinned(count: u32, backend: BackendChoice) -> Arc<JobSpec> {
    let mut spec = (*job(count)).clone();
    spec.backend = backend;
    Arc::new(spec)
}

pub(crate) fn strips(job: &JobSpec) -> Vec<Strip> {
    job.strips.strips().collect()
}

/// Everything of a job, to be rendered by anybody.
pub(crate) fn orders(job: &JobSpec) -> Vec<Order> {
    job.strips.strips().map(Order::from).collect()
}

/// A buffer whose pixels all are `value`.
pub(crate) fn buffer(job: &JobSpec, strip: Strip, value: f32) -> Arc<StripBuffer> {
    let pixels = (strip.rows * job.frame.width) as usize;
    Arc::new(StripBuffer {
        strip,
        width: job.frame.width,
        planes: vec![Plane::new(Measure::Smooth, vec![value; pixels])],
        iterations_total: 7,
        settling: fractal::Settling::default(),
        origin: Origin {
            backend: Backend::Cpu,
            arithmetic: Arithmetic::F64,
            device: "test".into(),
            kernel_id: 1,
        },
        busy_secs: 0.5,
    })
}

pub(crate) fn buffer_for(lease: &Lease, value: f32) -> Arc<StripBuffer> {
    buffer(&lease.job, lease.strip, value)
}

/// Index and value of a collected strip.
pub(crate) fn value_of(collected: &Collected) -> (u32, f32) {
    match collected {
        Collected::Strip { buffer, .. } => {
            let values = buffer
                .values::<f32>(Measure::Smooth)
                .expect("smooth counts");
            (buffer.strip.index, values[0])
        }
        other => panic!("not a strip: {other:?}"),
    }
}
