//! What the queue costs: printed, not asserted, because machines differ.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::{JobQueue, MemoryQueue, RedisJobQueue, RedisWorkerQueue, WorkerQueue};

use crate::setup::samples::*;
use crate::setup::server::{Server, Transport};

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

/// Seconds that the server computed so far.
fn server_secs(server: &Server) -> f64 {
    let info: String = server.ask(&["INFO", "cpu"]);
    let of = |name: &str| -> f64 {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
    };
    of("used_cpu_sys:") + of("used_cpu_user:")
}

/// What the server itself spends on each step of a strip: what bounds a large farm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_strip_costs_the_server() {
    const STRIPS: u32 = 4000;
    let server = Server::start_with(Transport::Tcp, &[]);
    let jobs = RedisJobQueue::connect(server.url()).await.unwrap();
    let worker = RedisWorkerQueue::connect(server.url(), "w").await.unwrap();
    let job = job(STRIPS);
    jobs.create(Arc::clone(&job)).await.unwrap();
    let mut last = server_secs(&server);
    let mut lap = |what: &str, count: u32| {
        let now = server_secs(&server);
        let each = (now - last) / f64::from(count) * 1e6;
        eprintln!("server: {what} {each:.1} us");
        last = server_secs(&server);
    };
    jobs.enqueue(&job.id, &orders(&job)).await.unwrap();
    lap("enqueue, of many", STRIPS);
    let mut leases = Vec::new();
    for _ in 0..STRIPS {
        leases.push(worker.lease(CPU, SOON).await.unwrap().unwrap());
    }
    lap("lease", STRIPS);
    for lease in &leases {
        worker.heartbeat(lease).await.unwrap();
    }
    lap("heartbeat", STRIPS);
    for lease in &leases {
        worker.deliver(lease, buffer_for(lease, 1.0)).await.unwrap();
    }
    lap("deliver", STRIPS);
    let mut collected = 0;
    while collected < STRIPS as usize {
        collected += jobs.collect(&job.id, SOON).await.unwrap().len();
    }
    jobs.collect(&job.id, NOW).await.unwrap();
    lap("collect", STRIPS);
    for _ in 0..STRIPS {
        assert!(worker.lease(CPU, NOW).await.unwrap().is_none());
    }
    lap("a look that finds nothing", STRIPS);
    jobs.finish(&job.id).await.unwrap();
    let mut connection = server.connect();
    let bytes = vec![7u8; 1 << 20];
    lap("(a new connection)", 1);
    for _ in 0..400 {
        let mut set = redis::cmd("SET");
        let () = set.arg("x").arg(&bytes).query(&mut connection).unwrap();
    }
    lap("storing 1 MiB", 400);
    for _ in 0..400 {
        let got: Vec<u8> = redis::cmd("GET").arg("x").query(&mut connection).unwrap();
        assert_eq!(got.len(), bytes.len());
    }
    lap("fetching 1 MiB", 400);
}
