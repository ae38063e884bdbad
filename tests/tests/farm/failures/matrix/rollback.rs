//! The server loses the end of its log, at every place where it can be cut: a strip that was queued is still
//! queued or stored, and what is lost with it is made whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::{
    AcceptedBackends, Collected, DeliveryOutcome, JobId, JobQueue, JobSpec, Lease, LeaseState,
    Order, RedisJobQueue, RedisWorkerQueue, WorkerQueue,
};
use farm_tests::aof::{boundaries, transactions};
use farm_tests::{Persistence, Server};
use fractal::{
    Arithmetic, Backend, BackendChoice, FrameSpec, Grid, Measure, MeasureSet, Origin, Plane, Strip,
    StripBuffer, StripPlan, View,
};

const STRIPS: u32 = 5;
/// A lease short enough to be waited for.
const LEASE: Duration = Duration::from_millis(300);
/// How long the rest of the job may take, on a loaded machine.
const SOON: Duration = Duration::from_secs(20);
const NOW: Duration = Duration::ZERO;
const CPU: AcceptedBackends = AcceptedBackends {
    cpu: true,
    gpu: false,
};

fn job() -> Arc<JobSpec> {
    let side = |text: &str| text.parse().expect("a number");
    Arc::new(JobSpec {
        id: JobId::generate(),
        frame: FrameSpec {
            view: View::Bounds {
                xmin: side("-2"),
                xmax: side("0.5"),
                ymin: side("-1.5"),
                ymax: side("1.5"),
            },
            transform: fractal::Transform::default(),
            grid: Grid::Pixels,
            width: 16,
            height: STRIPS,
            iterations: 100,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: fractal::Formula::default(),
            julia: None,
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: fractal::Counts::Fast,
            measures: MeasureSet::default().with(Measure::Smooth),
        },
        strips: StripPlan {
            height: STRIPS,
            strip_rows: 1,
        },
        backend: BackendChoice::Auto,
        max_workers: None,
        build: 0,
        orbit: None,
        arithmetic: None,
        on: None,
    })
}

/// A strip's buffer, full of its own number.
fn buffer(lease: &Lease) -> Arc<StripBuffer> {
    Arc::new(StripBuffer {
        strip: lease.strip,
        width: lease.job.frame.width,
        planes: vec![Plane::new(
            Measure::Smooth,
            vec![lease.strip.index as f32; 16],
        )],
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

/// The strip that was collected, which has to be full of its own number.
fn index_of(collected: &Collected) -> u32 {
    let Collected::Strip { buffer, .. } = collected else {
        panic!("not a strip: {collected:?}")
    };
    let right = vec![buffer.strip.index as f32; 16];
    assert_eq!(buffer.planes, [Plane::new(Measure::Smooth, right)]);
    buffer.strip.index
}

/// What a job left in the server's log, and when.
struct Life {
    job: Arc<JobSpec>,
    log: Vec<u8>,
    /// Length of the log from which on a strip is in the server's hands, and from which on it may be gone
    /// from them, because the submitter has it.
    queued: usize,
    gone: BTreeMap<u32, usize>,
    /// What the submitter had when the log was so long.
    had: Vec<(usize, BTreeSet<u32>)>,
}

/// Most of a job's life, with all that happens to strips: heartbeats, a failure, one given back, two that are
/// never delivered, results taken one by one.
async fn live(server: &Server) -> Life {
    let length = || server.log().bytes().len();
    let job = job();
    let jobs = RedisJobQueue::connect(&server.url())
        .await
        .expect("a queue");
    let worker = RedisWorkerQueue::connect_with_lease(&server.url(), "early", LEASE * 100)
        .await
        .expect("a queue");
    jobs.create(Arc::clone(&job)).await.expect("a job");
    let all: Vec<Order> = job.strips.strips().map(Order::from).collect();
    jobs.enqueue(&job.id, &all).await.expect("queued");
    let mut life = Life {
        queued: length(),
        job: Arc::clone(&job),
        log: Vec::new(),
        gone: BTreeMap::new(),
        had: vec![(0, BTreeSet::new())],
    };
    let lease = || async {
        let leased = worker.lease(CPU, SOON).await.expect("a queue that answers");
        leased.expect("a strip")
    };
    let failing = lease().await;
    worker.fail(&failing, "no").await.expect("failed");
    let given_back = lease().await;
    worker.release(&given_back).await.expect("given back");
    for _ in 0..STRIPS - 2 {
        let held = lease().await;
        let beat = worker.heartbeat(&held).await.expect("a beat");
        assert_eq!(beat, LeaseState::Held);
        let delivered = worker.deliver(&held, buffer(&held)).await;
        assert_eq!(delivered.expect("delivered"), DeliveryOutcome::First);
        // The look after this one removes what this one found.
        let before = length();
        let mut had = life.had.last().expect("a state").1.clone();
        for found in jobs.collect(&job.id, SOON).await.expect("collected") {
            let index = index_of(&found);
            had.insert(index);
            life.gone.insert(index, before);
        }
        life.had.push((length(), had));
    }
    let _ = jobs.collect(&job.id, NOW).await.expect("a look");
    let _never_delivered = [lease().await, lease().await];
    life.log = server.log().bytes();
    life
}

/// What the submitter knows when the server comes back.
#[derive(Clone, Copy, Debug)]
enum Memory {
    /// Nothing: it lost its journal with the server's.
    Nothing,
    /// What it had when the server wrote the last record that is left.
    AsOld,
    /// All that it ever had.
    All,
}

impl Life {
    fn awaited(&self, memory: Memory, cut: usize) -> Vec<Strip> {
        let had = match memory {
            Memory::Nothing => BTreeSet::new(),
            Memory::AsOld => {
                let known = self.had.iter().rev().find(|(length, _)| *length <= cut);
                known.map(|(_, had)| had.clone()).unwrap_or_default()
            }
            Memory::All => self.had.last().expect("a state").1.clone(),
        };
        let strips = self.job.strips.strips();
        strips.filter(|strip| !had.contains(&strip.index)).collect()
    }
}

/// Lets a new submitter and a new worker finish what is left of the job on a server that came back.
async fn finish(server: &Server, life: &Life, memory: Memory, cut: usize) {
    let job = &life.job;
    let jobs = RedisJobQueue::connect(&server.url())
        .await
        .expect("a queue");
    let worker = RedisWorkerQueue::connect_with_lease(&server.url(), "late", LEASE)
        .await
        .expect("a queue");
    jobs.create(Arc::clone(job)).await.expect("taken up");
    let awaited = life.awaited(memory, cut);
    let lost = jobs.repair(&job.id, &awaited).await.expect("repaired");
    for strip in &lost {
        let gone = life.gone.get(&strip.index).copied().unwrap_or(usize::MAX);
        let in_hands = life.queued <= cut && cut <= gone;
        assert!(
            !in_hands,
            "cut at {cut}: strip {} was queued and is neither queued nor stored",
            strip.index
        );
    }
    let orders: Vec<Order> = lost.into_iter().map(Order::from).collect();
    jobs.enqueue(&job.id, &orders).await.expect("queued");
    let mut missing: BTreeSet<u32> = awaited.iter().map(|strip| strip.index).collect();
    let begun = Instant::now();
    while !missing.is_empty() {
        assert!(
            begun.elapsed() < SOON,
            "cut at {cut}, {memory:?}: {missing:?} never came; keys: {:?}",
            server.keys("*")
        );
        let leased = worker.lease(CPU, Duration::from_millis(20)).await;
        if let Some(lease) = leased.expect("a queue that answers") {
            worker
                .deliver(&lease, buffer(&lease))
                .await
                .expect("delivered");
        }
        for found in jobs.collect(&job.id, NOW).await.expect("collected") {
            missing.remove(&index_of(&found));
        }
    }
    jobs.finish(&job.id).await.expect("finished");
    assert_eq!(server.job_keys(), [""; 0], "cut at {cut}");
    worker.leave().await.expect("left");
}

#[tokio::test]
async fn its_log_is_cut_at_every_record() {
    let mut server = Server::start_keeping(Persistence::Always, &[]);
    let life = live(&server).await;
    let mut cuts = transactions(&life.log);
    assert!(cuts.len() > 30, "control: {} places to cut", cuts.len());
    // In the middle of a transaction and in the middle of a record.
    let ends = boundaries(&life.log);
    let inside = ends
        .iter()
        .find(|end| **end > life.queued && !cuts.contains(end));
    cuts.extend([*inside.expect("a transaction"), life.log.len() - 3]);
    // What came later than the first log is of no use: each time it begins with all of it.
    for cut in cuts {
        for memory in [Memory::Nothing, Memory::AsOld, Memory::All] {
            server.kill();
            server.forget();
            server.restore(&life.log[..cut]);
            server.restart();
            finish(&server, &life, memory, cut).await;
        }
    }
}

#[tokio::test]
async fn control_a_strip_that_is_lost_is_seen_and_named() {
    let server = Server::start_keeping(Persistence::Always, &[]);
    let life = live(&server).await;
    let jobs = RedisJobQueue::connect(&server.url())
        .await
        .expect("a queue");
    jobs.create(Arc::clone(&life.job)).await.expect("taken up");
    let awaited = life.awaited(Memory::All, life.log.len());
    let lost = jobs.repair(&life.job.id, &awaited).await.expect("repaired");
    assert_eq!(lost, []);
    // As if it had been acknowledged before its buffer was stored.
    let queue = format!("mf:{{{}}}:q", life.job.id);
    let entries: Vec<(String, Vec<String>)> = server.ask(&["XRANGE", &queue, "-", "+"]);
    server.ask::<i64>(&["XDEL", &queue, &entries[0].0]);
    let lost = jobs.repair(&life.job.id, &awaited).await.expect("repaired");
    assert_eq!(lost.len(), 1, "of {awaited:?}");
}
