//! What the queue costs: printed, not asserted, because machines differ.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::{JobQueue, MemoryQueue, RedisJobQueue, RedisWorkerQueue, WorkerQueue};

use crate::samples::*;
use crate::server::{Server, Transport};

/// A strip of 1 MiB, as `StripPlan::for_picture` aims at.
const WIDTH: u32 = 16_384;
const ROWS: u32 = 16;
const STRIPS: u32 = 128;

/// Delivers and collects a picture of 128 MiB; what the whole took.
async fn picture<W: WorkerQueue, J: JobQueue>(workers: Vec<Arc<W>>, jobs: &J) -> Duration {
    let job = job_of(STRIPS, WIDTH, ROWS);
    jobs.create(Arc::clone(&job)).await.unwrap();
    let ready = buffer(&job, job.strips.strip(0).unwrap(), 1.0);
    let start = Instant::now();
    let mut lanes = tokio::task::JoinSet::new();
    for worker in workers {
        let ready = Arc::clone(&ready);
        lanes.spawn(async move {
            while let Some(lease) = worker.lease(CPU, Duration::from_millis(200)).await.unwrap() {
                let mut buffer = (*ready).clone();
                buffer.strip = lease.strip;
                worker.deliver(&lease, Arc::new(buffer)).await.unwrap();
            }
        });
    }
    let (mut queued, mut collected) = (0, 0);
    let all = orders(&job);
    while collected < all.len() {
        let until = all.len().min(collected + 64);
        if queued < until {
            jobs.enqueue(&job.id, &all[queued..until]).await.unwrap();
            queued = until;
        }
        collected += jobs.collect(&job.id, SOON).await.unwrap().len();
    }
    let elapsed = start.elapsed();
    lanes.join_all().await;
    jobs.finish(&job.id).await.unwrap();
    elapsed
}

/// Leases, keeps, delivers and collects tiny strips one by one; time of each call.
async fn calls<W: WorkerQueue, J: JobQueue>(worker: &W, jobs: &J) -> [Duration; 5] {
    const CALLS: u32 = 300;
    let job = job(CALLS);
    jobs.create(Arc::clone(&job)).await.unwrap();
    let mut spent = [Duration::ZERO; 5];
    let mut clock = Instant::now();
    for strip in job.strips.strips() {
        let mut lap = |at: usize| {
            spent[at] += clock.elapsed();
            clock = Instant::now();
        };
        jobs.enqueue(&job.id, &[strip.into()]).await.unwrap();
        lap(0);
        let lease = worker.lease(CPU, SOON).await.unwrap().unwrap();
        lap(1);
        worker.heartbeat(&lease).await.unwrap();
        lap(2);
        let buffer = buffer_for(&lease, 1.0);
        worker.deliver(&lease, buffer).await.unwrap();
        lap(3);
        assert_eq!(jobs.collect(&job.id, SOON).await.unwrap().len(), 1);
        lap(4);
    }
    jobs.finish(&job.id).await.unwrap();
    spent.map(|total| total / CALLS)
}

fn report(name: &str, lanes: usize, elapsed: Duration) {
    let mib_per_sec = f64::from(STRIPS) / elapsed.as_secs_f64();
    eprintln!("{name}, {lanes} worker(s): {STRIPS} MiB in {elapsed:.2?}, {mib_per_sec:.0} MiB/s");
}

fn report_calls(name: &str, [enqueue, lease, heartbeat, deliver, collect]: [Duration; 5]) {
    eprintln!(
        "{name}: enqueue {enqueue:.1?}, lease {lease:.1?}, heartbeat {heartbeat:.1?}, \
         deliver {deliver:.1?}, collect {collect:.1?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throughput() {
    let memory = MemoryQueue::default();
    report(
        "in process",
        1,
        picture(vec![Arc::new(memory.clone())], &memory).await,
    );
    report_calls("in process", calls(&memory, &memory).await);
    for (name, transport) in [("unix", Transport::Unix), ("loopback", Transport::Tcp)] {
        let server = Server::start_with(transport, &[]);
        let jobs = RedisJobQueue::connect(server.url()).await.unwrap();
        for lanes in [1, 2] {
            let mut workers = Vec::new();
            for lane in 0..lanes {
                let name = format!("w{lane}");
                let worker = RedisWorkerQueue::connect(server.url(), &name)
                    .await
                    .unwrap();
                workers.push(Arc::new(worker));
            }
            report(name, lanes, picture(workers, &jobs).await);
        }
        let worker = RedisWorkerQueue::connect(server.url(), "w").await.unwrap();
        report_calls(name, calls(&worker, &jobs).await);
    }
}
