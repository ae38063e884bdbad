//! Faults of the server and of the way to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::protocol::keys::JobKeys;
use farm_queue::redis::YOUNG_LIFETIME;
use farm_queue::{
    DeliveryOutcome, JobId, JobQueue, JobSpec, Lease, LeaseState, QueueError, RedisJobQueue,
    RedisWorkerQueue, WorkerQueue,
};

use crate::setup::farms::{Farm, RedisFarm};
use crate::setup::samples::*;
use crate::setup::server::{Server, Transport, free_port};
use crate::setup::steps::{collect, lease, submit};

async fn refused(url: &str) -> QueueError {
    let as_submitter = RedisJobQueue::connect(url).await.err().expect("refused");
    let as_worker = RedisWorkerQueue::connect(url, "w")
        .await
        .err()
        .expect("refused");
    assert_eq!(as_submitter.to_string(), as_worker.to_string());
    let text = format!("{as_submitter} {as_submitter:?}");
    assert!(!text.contains("secret"), "{text}");
    assert!(!as_submitter.to_string().contains('\n'));
    as_submitter
}

#[tokio::test]
async fn an_evicting_server_is_refused_with_advice() {
    let server = Server::start();
    server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    // Without a limit nothing is ever evicted.
    assert!(RedisJobQueue::connect(server.url()).await.is_ok());
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "100mb"]);
    let error = refused(server.url()).await;
    assert!(matches!(error, QueueError::Unfit { .. }));
    assert!(
        error
            .to_string()
            .contains("CONFIG SET maxmemory-policy noeviction"),
        "{error}"
    );
    server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let jobs = RedisJobQueue::connect(server.url()).await.unwrap();
    assert_eq!(jobs.window_bytes(), 25 << 20);
}

#[tokio::test]
async fn passwords_are_asked_for_and_never_shown() {
    let server = Server::start_with(Transport::Tcp, &["--requirepass", "topsecret"]);
    let place = server.url().strip_prefix("redis://").unwrap().to_owned();
    for given in ["", ":wrongsecret@", "nobody:secret@"] {
        let error = refused(&format!("redis://{given}{place}")).await;
        assert!(matches!(error, QueueError::Denied { .. }), "{error:?}");
        assert!(error.to_string().contains(&place), "{error}");
    }
    let right = format!("redis://:topsecret@{place}");
    let jobs = RedisJobQueue::connect(&right).await.unwrap();
    let worker = RedisWorkerQueue::connect(&right, "w").await.unwrap();
    let job = job(1);
    jobs.create(Arc::clone(&job)).await.unwrap();
    jobs.enqueue(&job.id, &orders(&job)).await.unwrap();
    let lease = lease(&worker).await;
    worker
        .deliver(&lease, buffer_for(&lease, 1.0))
        .await
        .unwrap();
    assert_eq!(collect(&jobs, &job.id, 1).await.len(), 1);
}

#[tokio::test]
async fn an_unreachable_server_is_one_clear_line_within_seconds() {
    let start = Instant::now();
    let nobody = format!("redis://:secret@127.0.0.1:{}", free_port());
    let error = refused(&nobody).await;
    assert!(matches!(error, QueueError::Unreachable { .. }), "{error:?}");
    let error = refused("redis+unix:///nowhere/redis.sock?pass=secret").await;
    assert!(matches!(error, QueueError::Unreachable { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
    // One that takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let start = Instant::now();
    let error = RedisJobQueue::connect(&url).await.err().expect("refused");
    assert!(matches!(error, QueueError::Unreachable { .. }), "{error:?}");
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    let error = refused("http://secret@nowhere").await;
    assert!(matches!(error, QueueError::Address { .. }), "{error:?}");
}

/// Works through a job while `fault` happens now and then; every strip comes through.
async fn survives(farm: RedisFarm, strips_in_all: u32, fault: impl Fn(&Server, u32)) {
    let job = job(strips_in_all);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let mut seen = vec![0u32; strips_in_all as usize];
    let start = Instant::now();
    for at in 0.. {
        assert!(start.elapsed() < 3 * SOON, "{seen:?}");
        if seen.iter().all(|times| *times > 0) {
            break;
        }
        if at % 5 == 2 && at < 60 {
            fault(&farm.server, at);
        }
        // Any call may fail; the caller tries again, as the worker's loop does.
        if let Ok(Some(lease)) = worker.lease(CPU, Duration::from_millis(50)).await {
            let buffer = buffer_for(&lease, lease.strip.index as f32);
            while let Err(error) = worker.deliver(&lease, Arc::clone(&buffer)).await {
                assert!(matches!(error, QueueError::Unreachable { .. }), "{error}");
            }
        }
        for one in farm.jobs().collect(&job.id, NOW).await.unwrap_or_default() {
            let (index, value) = value_of(&one);
            assert_eq!(value, index as f32);
            seen[index as usize] += 1;
        }
    }
    assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    farm.jobs().finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let flush = |server: &Server, _| server.ask::<()>(&["SCRIPT", "FLUSH"]);
    survives(RedisFarm::start().await, 30, flush).await;
}

#[tokio::test]
async fn broken_connections_are_opened_anew() {
    let kill = |server: &Server, _| {
        server.ask::<i64>(&["CLIENT", "KILL", "TYPE", "normal"]);
        server.ask::<i64>(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    };
    survives(RedisFarm::start().await, 40, kill).await;
}

#[tokio::test]
async fn hints_are_heard_again_after_a_broken_connection() {
    let farm = RedisFarm::start().await;
    let job = job(1);
    farm.jobs().create(Arc::clone(&job)).await.unwrap();
    let worker = farm.worker("w").await;
    farm.server
        .ask::<i64>(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let start = Instant::now();
    while farm.server.ask::<i64>(&["PUBLISH", "mf:ctl", "x"]) == 0 {
        assert!(start.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(worker);
}

#[tokio::test]
async fn a_strip_whose_answer_got_lost_is_found_at_once() {
    let farm = RedisFarm::start().await;
    let job = job(1);
    farm.jobs().create(Arc::clone(&job)).await.unwrap();
    let worker = RedisWorkerQueue::connect(farm.server.url(), "w")
        .await
        .unwrap();
    assert!(worker.lease(CPU, NOW).await.unwrap().is_none());
    // The server holds all answers back; it has assigned the strip when the connection breaks.
    farm.jobs().enqueue(&job.id, &orders(&job)).await.unwrap();
    farm.server.ask::<()>(&["CLIENT", "PAUSE", "2500", "WRITE"]);
    let start = Instant::now();
    let lost = worker.lease(CPU, NOW).await;
    assert!(lost.is_err(), "{lost:?}");
    let lease = lease(&worker).await;
    // Long before the 15 seconds of a lease; and it is a strip's first delivery, or its second at most.
    assert!(
        start.elapsed() < Duration::from_secs(6),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(worker.heartbeat(&lease).await.unwrap(), LeaseState::Held);
}

#[tokio::test]
async fn out_of_memory_passes() {
    let farm = RedisFarm::start().await;
    let server = &farm.server;
    let job = job(3);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let (first, second) = (lease(&worker).await, lease(&worker).await);
    let delivered = worker
        .deliver(&first, buffer_for(&first, 1.0))
        .await
        .unwrap();
    assert_eq!(delivered, DeliveryOutcome::First);
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    // Refused: what needs memory.
    let refused = worker.deliver(&second, buffer_for(&second, 2.0)).await;
    assert!(
        matches!(refused, Err(QueueError::OutOfMemory(_))),
        "{refused:?}"
    );
    let refused = farm.jobs().enqueue(&job.id, &orders(&job)).await;
    assert!(
        matches!(refused, Err(QueueError::OutOfMemory(_))),
        "{refused:?}"
    );
    // Not refused: keeping a lease, handing out, giving back, and what frees memory.
    assert_eq!(worker.heartbeat(&second).await.unwrap(), LeaseState::Held);
    let third = lease(&worker).await;
    worker.release(&third).await.unwrap();
    assert_eq!(
        value_of(&collect(farm.jobs(), &job.id, 1).await[0]),
        (0, 1.0)
    );
    assert!(farm.jobs().workers().await.unwrap() == 1);
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    let delivered = worker
        .deliver(&second, buffer_for(&second, 2.0))
        .await
        .unwrap();
    assert_eq!(delivered, DeliveryOutcome::First);
    let third = lease(&worker).await;
    assert_eq!(third.attempt, 1);
    worker
        .deliver(&third, buffer_for(&third, 3.0))
        .await
        .unwrap();
    collect(farm.jobs(), &job.id, 2).await;
}

/// Leases three strips: one fails, one is delivered and, with what else is there, collected, one is delivered and waits.
async fn deliver_some(
    farm: &RedisFarm,
    worker: &RedisWorkerQueue,
    job: &JobId,
    collected: usize,
) -> Lease {
    let (failed, one, two) = (
        lease(worker).await,
        lease(worker).await,
        lease(worker).await,
    );
    worker.fail(&failed, "no").await.unwrap();
    worker.deliver(&one, buffer_for(&one, 1.0)).await.unwrap();
    collect(farm.jobs(), job, collected).await;
    worker.deliver(&two, buffer_for(&two, 1.0)).await.unwrap();
    two
}

#[tokio::test]
async fn every_key_expires() {
    let farm = RedisFarm::start().await;
    let job = Arc::new(JobSpec {
        max_workers: Some(2),
        ..JobSpec::clone(&job(8))
    });
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    for _ in 0..4 {
        let dying = lease(&worker).await;
        worker.fail(&dying, "no").await.unwrap();
    }
    let _ = deliver_some(&farm, &worker, &job.id, 2).await;
    // All kinds of keys are there, and none is there for ever.
    let keys = farm.server.keys("*");
    let names = JobKeys::new(&job.id);
    for kind in names.fixed().into_iter().chain(["mf:jobs", "mf:workers"]) {
        assert!(keys.iter().any(|key| key == kind), "{kind} in {keys:?}");
    }
    for key in &keys {
        let ttl = farm.server.ask::<i64>(&["PTTL", key]);
        assert!(ttl > 0, "{key} never expires");
    }
    farm.jobs().finish(&job.id).await.unwrap();
    worker.leave().await.unwrap();
    assert_eq!(farm.server.keys("*"), [""; 0]);
}

#[tokio::test]
async fn what_a_submitter_leaves_that_died_young_goes_soon() {
    let farm = RedisFarm::start().await;
    let job = job(8);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let longest = || {
        let keys = farm.residue(&job.id);
        let left = keys
            .iter()
            .map(|key| farm.server.ask::<i64>(&["PTTL", key]));
        left.max().unwrap()
    };
    let waiting = deliver_some(&farm, &worker, &job.id, 1).await;
    let young = i64::try_from(YOUNG_LIFETIME.as_millis()).unwrap();
    // Buffers that wait to be collected, too.
    assert!(
        farm.residue(&job.id)
            .contains(&JobKeys::new(&job.id).result(waiting.slot()))
    );
    assert!(longest() <= young, "{} ms", longest());
    // Its submitter has a journal by now, and another one could go on with it.
    farm.jobs().outlive(&job.id).await.unwrap();
    let three = lease(&worker).await;
    worker
        .deliver(&three, buffer_for(&three, 1.0))
        .await
        .unwrap();
    let keys = JobKeys::new(&job.id);
    for key in [
        keys.spec.clone(),
        keys.queue.clone(),
        keys.bits.clone(),
        keys.state.clone(),
        keys.result(three.slot()),
    ] {
        let left = farm.server.ask::<i64>(&["PTTL", &key]);
        assert!(left > 100 * young, "{key}: {left} ms");
    }
}

#[tokio::test]
async fn a_job_whose_keys_vanished_is_reported() {
    let farm = RedisFarm::start().await;
    let job = job(2);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let held = lease(&worker).await;
    farm.server.ask::<()>(&["FLUSHALL"]);
    assert_eq!(worker.heartbeat(&held).await.unwrap(), LeaseState::JobGone);
    let delivered = worker.deliver(&held, buffer_for(&held, 1.0)).await.unwrap();
    assert_eq!(delivered, DeliveryOutcome::JobGone);
    assert!(worker.lease(CPU, NOW).await.unwrap().is_none());
    let collected = farm.jobs().collect(&job.id, NOW).await;
    assert!(
        matches!(collected, Err(QueueError::JobGone(_))),
        "{collected:?}"
    );
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

#[tokio::test]
async fn jobs_whose_submitter_died_are_pruned() {
    let farm = RedisFarm::start().await;
    let (dead, alive) = (job(1), job(1));
    submit(&farm, &dead).await;
    farm.server
        .ask::<()>(&["DEL", &JobKeys::new(&dead.id).spec]);
    submit(&farm, &alive).await;
    let listed: Vec<String> = farm.server.ask(&["ZRANGE", "mf:jobs", "0", "-1"]);
    assert_eq!(listed, [alive.id.to_string()]);
}

#[tokio::test]
async fn what_a_server_says_in_passing_is_as_if_it_were_out_of_reach() {
    let server = Server::start();
    let jobs = RedisJobQueue::connect(server.url()).await.unwrap();
    let worker = RedisWorkerQueue::connect(server.url(), "w").await.unwrap();
    let job = job(2);
    jobs.create(Arc::clone(&job)).await.unwrap();
    jobs.enqueue(&job.id, &orders(&job)).await.unwrap();
    let first = lease(&worker).await;
    let passes = |error: QueueError, word: &str| {
        let passes =
            matches!(&error, QueueError::Unreachable { reason, .. } if reason.contains(word));
        assert!(passes, "{word}: {error:?}");
    };
    // Replicas that writes wait for and that are not there.
    server.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    passes(
        jobs.enqueue(&job.id, &orders(&job)).await.unwrap_err(),
        "NOREPLICAS",
    );
    passes(
        worker
            .deliver(&first, buffer_for(&first, 1.0))
            .await
            .unwrap_err(),
        "NOREPLICAS",
    );
    server.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    // A replica of a server that is not there.
    let clients = || -> i64 {
        let list: String = server.ask(&["CLIENT", "LIST", "TYPE", "normal"]);
        list.lines().count() as i64
    };
    let before = clients();
    server.ask::<()>(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    let error = jobs.enqueue(&job.id, &orders(&job)).await.unwrap_err();
    passes(error, "READONLY");
    let error = (worker.deliver(&first, buffer_for(&first, 1.0)).await).unwrap_err();
    passes(error, "READONLY");
    // Their connections were closed, so that the server's name is resolved anew.
    let start = Instant::now();
    while clients() >= before {
        assert!(start.elapsed() < Duration::from_secs(20), "still connected");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    let told = worker.deliver(&first, buffer_for(&first, 1.0)).await;
    assert_eq!(told.unwrap(), DeliveryOutcome::First);
    assert_eq!(collect(&jobs, &job.id, 1).await.len(), 1);
}

#[tokio::test]
async fn a_member_of_a_cluster_is_refused_in_a_line() {
    let server = Server::start_with(Transport::Tcp, &["--cluster-enabled", "yes"]);
    let error = refused(server.url()).await;
    assert!(matches!(error, QueueError::Unfit { .. }), "{error:?}");
    assert!(error.to_string().contains("Redis Cluster"), "{error}");
}

#[tokio::test]
async fn jobs_that_nobody_can_serve_do_not_starve_an_older_one() {
    let server = Server::start();
    let jobs = RedisJobQueue::connect(server.url()).await.unwrap();
    let worker = RedisWorkerQueue::connect(server.url(), "w").await.unwrap();
    let old = job(2);
    jobs.create(Arc::clone(&old)).await.unwrap();
    jobs.enqueue(&old.id, &orders(&old)).await.unwrap();
    worker.describe(farm_queue::WorkerAbout {
        build: old.build ^ 2,
        ..farm_queue::WorkerAbout::default()
    });
    for _ in 0..100 {
        let mut foreign = JobSpec::clone(&job(1));
        foreign.build = old.build ^ 1;
        jobs.create(Arc::new(foreign)).await.unwrap();
    }
    // Of its own build alone.
    worker.describe(farm_queue::WorkerAbout {
        build: old.build,
        ..farm_queue::WorkerAbout::default()
    });
    let found = lease(&worker).await;
    assert_eq!(found.job.id, old.id);
    let start = Instant::now();
    while worker.depth().is_none_or(|depth| depth != 2) {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{:?}",
            worker.depth()
        );
        // Each makes it give a sign of life.
        worker.describe(farm_queue::WorkerAbout {
            build: old.build,
            ..farm_queue::WorkerAbout::default()
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
