//! How much memory of a worker a stranger's job can take: a few bytes on the queue may stand for gigabytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::{Collected, JobId, JobQueue, JobSpec, Order, RedisJobQueue, SharedOrbit};
use farm_tests::{Server, Worker};
use fractal::reference::{self, ReferencePoint};
use fractal::{BackendChoice, FrameSpec, Grid, Measure, MeasureSet, StripPlan, View};

/// Steps of an orbit that never ends: it comes nearer and nearer to a fixed point.
const STEPS: u64 = 400_000;
/// What its worker says of them at 64 bytes a value.
const REFUSAL: &str =
    "the job's reference orbit takes 24.4 MiB here, and this worker has 16.0 MiB for it (--memory)";
/// Longest wait for what should be there within seconds.
const PATIENCE: Duration = Duration::from_secs(60);

fn frame() -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: "-0.1".parse().unwrap(),
            im: "0.1".parse().unwrap(),
            zoom: "1e40".parse().unwrap(),
        },
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: 16,
        height: 2,
        iterations: STEPS,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

#[tokio::test]
async fn a_worker_refuses_an_orbit_that_is_over_its_memory_and_another_takes_it() {
    let server = Server::start();
    let frame = frame();
    let point = ReferencePoint::centre_of(&frame);
    let orbit = reference::compute(&frame, point, 1 << 20, &mut |_| true).unwrap();
    assert_eq!(orbit.steps(), STEPS, "control: a long one");
    let shared = SharedOrbit::new(Arc::new(orbit)).unwrap();
    assert!(
        shared.key.bytes() < 10_000,
        "and short on the way: {}",
        shared.key.bytes()
    );
    let job = Arc::new(JobSpec {
        id: JobId::generate(),
        strips: StripPlan {
            height: frame.height,
            strip_rows: 1,
        },
        frame,
        backend: BackendChoice::Cpu,
        max_workers: None,
        build: engine::build_id(),
        orbit: Some(shared.key.clone()),
        arithmetic: None,
        on: None,
    });
    let jobs = RedisJobQueue::connect(server.url().as_str()).await.unwrap();
    jobs.create(Arc::clone(&job)).await.unwrap();
    jobs.share_orbit(&job.id, shared).await.unwrap();
    let orders: Vec<Order> = job.strips.strips().map(Order::from).collect();
    jobs.enqueue(&job.id, &orders).await.unwrap();

    let options = |memory: &str| format!("--backend cpu --threads 1 --memory {memory}");
    let mut small = Worker::start_with(&server, "small", &options("16MiB"));
    small.until_it_says(REFUSAL);
    let began = Instant::now();
    loop {
        let failures = jobs.failures(&job.id).await.unwrap();
        if failures
            .iter()
            .any(|failure| *failure == format!("small: {REFUSAL}"))
        {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{failures:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let refused_at = small.peak_kib();

    let large = Worker::start_with(&server, "large", &options("64MiB"));
    let mut come = 0;
    while come < 2 {
        for collected in jobs.collect(&job.id, Duration::from_secs(1)).await.unwrap() {
            match collected {
                Collected::Strip { worker, .. } => assert_eq!(worker, "large"),
                other => panic!("{other:?}"),
            }
            come += 1;
        }
        assert!(began.elapsed() < 2 * PATIENCE, "only {come}");
    }
    jobs.finish(&job.id).await.unwrap();
    let refusals = small.said().matches(REFUSAL).count();
    assert!(
        (1..=2).contains(&refusals),
        "said once for each strip in hand, not again and again"
    );
    assert!(
        large.peak_kib() > refused_at + (4 << 10),
        "control: who unpacks it takes more"
    );
}
