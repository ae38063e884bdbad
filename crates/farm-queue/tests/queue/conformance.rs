//! What every queue promises, as one suite that runs on each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::job::MAX_DELIVERIES;
use farm_queue::{
    Collected, Delivered, JobId, JobQueue, JobSpec, Lease, LeaseState, QueueError, WorkerQueue,
};
use fractal::BackendChoice;
use tokio::time::{sleep, timeout};

use crate::farms::{Farm, MemoryFarm, RedisFarm};
use crate::orders::*;
use crate::samples::*;

macro_rules! conformance {
    ($($test:ident)*) => {
        mod memory {
            use super::MemoryFarm;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test(MemoryFarm::start().await).await; })*
        }
        mod redis {
            use super::RedisFarm;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test(RedisFarm::start().await).await; })*
        }
    };
}

conformance! {
    strips_come_in_order_each_to_one_worker
    an_expired_lease_goes_to_somebody_else
    a_zombie_changes_nothing
    a_heartbeat_keeps_a_lease
    a_release_is_at_once_and_uncounted
    a_failure_is_at_once_and_counted
    a_strip_that_kills_its_workers_is_given_up
    the_first_delivery_wins
    a_delivery_may_be_repeated
    a_finished_job_leaves_nothing
    a_job_that_nobody_made_is_unknown
    a_bad_spec_is_refused
    two_jobs_share_the_workers
    a_pinned_job_is_kept_from_other_devices
    many_workers_collect_every_strip_once
    a_dropped_lease_call_loses_no_strip
    lease_waits_for_work
    collect_waits_for_results
    a_dropped_collect_call_loses_no_strip
    a_dead_strip_may_be_queued_again
    workers_are_counted_until_they_leave
    a_cap_on_workers_is_kept
    an_audit_goes_elsewhere_and_lies_apart
    a_copy_goes_elsewhere_and_ends_the_other
    what_is_under_way_is_known
    who_failed_is_known
    what_a_worker_failed_at_is_left_to_others_while_there_are_any
    a_quarantined_worker_gets_nothing
}

/// Creates a job and queues all its strips.
pub(crate) async fn submit(farm: &impl Farm, job: &Arc<JobSpec>) {
    farm.jobs().create(Arc::clone(job)).await.unwrap();
    farm.jobs().enqueue(&job.id, &orders(job)).await.unwrap();
}

pub(crate) async fn lease(worker: &impl WorkerQueue) -> Lease {
    worker.lease(CPU, SOON).await.unwrap().expect("a strip")
}

pub(crate) async fn nothing(worker: &impl WorkerQueue) {
    let lease = worker.lease(CPU, NOW).await.unwrap();
    assert!(lease.is_none(), "{lease:?}");
}

/// Collects `count` things.
pub(crate) async fn collect(jobs: &impl JobQueue, job: &JobId, count: usize) -> Vec<Collected> {
    let start = Instant::now();
    let mut all = Vec::new();
    while all.len() < count {
        assert!(start.elapsed() < 2 * SOON, "only {all:?}");
        all.extend(jobs.collect(job, Duration::from_secs(1)).await.unwrap());
    }
    assert_eq!(all.len(), count, "{all:?}");
    all
}

async fn strips_come_in_order_each_to_one_worker(farm: impl Farm) {
    let job = job(6);
    submit(&farm, &job).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    for index in 0..6 {
        let lease = if index % 2 == 0 {
            lease(&a).await
        } else {
            lease(&b).await
        };
        assert_eq!(lease.strip, job.strips.strip(index).unwrap());
        assert_eq!((lease.attempt, &lease.job), (1, &job));
    }
    nothing(&a).await;
    nothing(&b).await;
}

async fn an_expired_lease_goes_to_somebody_else(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    let lost = lease(&a).await;
    nothing(&b).await;
    let start = Instant::now();
    let again = lease(&b).await;
    assert_eq!((again.strip, again.attempt), (lost.strip, 2));
    // The lease, and a look every quarter of it.
    assert!(start.elapsed() < 2 * LEASE, "{:?}", start.elapsed());
}

async fn a_zombie_changes_nothing(farm: impl Farm) {
    let job = job(2);
    submit(&farm, &job).await;
    let (zombie, b) = (farm.worker("zombie").await, farm.worker("b").await);
    let old = lease(&zombie).await;
    assert_eq!(lease(&b).await.strip.index, 1);
    sleep(LEASE + LEASE / 10).await;
    let again = lease(&b).await;
    assert_eq!(again.strip, old.strip);
    // Neither keeping, nor giving back, nor failing touches what is another's now.
    assert_eq!(zombie.heartbeat(&old).await.unwrap(), LeaseState::Lost);
    zombie.release(&old).await.unwrap();
    zombie.fail(&old, "late").await.unwrap();
    assert_eq!(b.heartbeat(&again).await.unwrap(), LeaseState::Held);
    let delivered = b.deliver(&again, buffer_for(&again, 1.0)).await.unwrap();
    assert_eq!(delivered, Delivered::First);
    let late = zombie.deliver(&old, buffer_for(&old, 2.0)).await.unwrap();
    assert_eq!(late, Delivered::Duplicate);
    let collected = collect(farm.jobs(), &job.id, 1).await;
    assert_eq!(value_of(&collected[0]), (0, 1.0));
    // Later still: its bytes are collected, and the zombie's must not linger.
    let late = zombie.deliver(&old, buffer_for(&old, 2.0)).await.unwrap();
    assert_eq!(late, Delivered::Duplicate);
    assert!(farm.residue(&job.id).iter().all(|key| !key.contains(":r:")));
}

async fn a_heartbeat_keeps_a_lease(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    let kept = lease(&a).await;
    let start = Instant::now();
    while start.elapsed() < 3 * LEASE {
        assert_eq!(a.heartbeat(&kept).await.unwrap(), LeaseState::Held);
        assert!(b.lease(CPU, LEASE / 4).await.unwrap().is_none());
    }
    a.deliver(&kept, buffer_for(&kept, 1.0)).await.unwrap();
    assert_eq!(a.heartbeat(&kept).await.unwrap(), LeaseState::Lost);
}

async fn a_release_is_at_once_and_uncounted(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    for _ in 0..2 * MAX_DELIVERIES {
        let given_back = lease(&a).await;
        a.release(&given_back).await.unwrap();
        let start = Instant::now();
        let taken = lease(&b).await;
        assert_eq!((taken.strip, taken.attempt), (given_back.strip, 1));
        assert!(start.elapsed() < LEASE);
        b.release(&taken).await.unwrap();
    }
}

async fn a_failure_is_at_once_and_counted(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    let failed = lease(&a).await;
    a.fail(&failed, "device lost").await.unwrap();
    let start = Instant::now();
    let taken = lease(&b).await;
    assert_eq!((taken.strip, taken.attempt), (failed.strip, 2));
    assert!(start.elapsed() < LEASE);
    assert_eq!(a.heartbeat(&failed).await.unwrap(), LeaseState::Lost);
}

async fn a_strip_that_kills_its_workers_is_given_up(farm: impl Farm) {
    let job = job(2);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let other = lease(&worker).await;
    worker
        .deliver(&other, buffer_for(&other, 1.0))
        .await
        .unwrap();
    // Three ways to die: a failure with a reason, and leases that run out.
    for attempt in 1..=MAX_DELIVERIES {
        let lease = lease(&worker).await;
        assert_eq!((lease.strip.index, lease.attempt), (1, attempt));
        if attempt == 2 {
            worker.fail(&lease, "out of\nmemory").await.unwrap();
        }
    }
    assert!(worker.lease(CPU, 2 * LEASE).await.unwrap().is_none());
    let collected = collect(farm.jobs(), &job.id, 2).await;
    assert_eq!(value_of(&collected[0]), (0, 1.0));
    let Collected::Dead { strip, reasons, .. } = &collected[1] else {
        panic!("{collected:?}");
    };
    assert_eq!(strip.index, 1);
    assert_eq!(reasons.len(), MAX_DELIVERIES as usize, "{reasons:?}");
    assert_eq!(reasons[1], "w: out of memory");
    assert!(reasons[3].ends_with("no heartbeat"), "{reasons:?}");
}

async fn a_dead_strip_may_be_queued_again(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    for _ in 0..MAX_DELIVERIES {
        let lease = lease(&worker).await;
        worker.fail(&lease, "no").await.unwrap();
    }
    nothing(&worker).await;
    let collected = collect(farm.jobs(), &job.id, 1).await;
    assert!(matches!(&collected[0], Collected::Dead { reasons, .. } if reasons.len() == 4));
    farm.jobs().enqueue(&job.id, &orders(&job)).await.unwrap();
    let retried = lease(&worker).await;
    assert_eq!(retried.attempt, 1);
    worker
        .deliver(&retried, buffer_for(&retried, 3.0))
        .await
        .unwrap();
    assert_eq!(
        value_of(&collect(farm.jobs(), &job.id, 1).await[0]),
        (0, 3.0)
    );
}

async fn the_first_delivery_wins(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    // The same strip twice in the queue, as after a repeated submission.
    farm.jobs().enqueue(&job.id, &orders(&job)).await.unwrap();
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    let (first, second) = (lease(&a).await, lease(&b).await);
    assert_ne!(first.entry, second.entry);
    let delivered = b.deliver(&second, buffer_for(&second, 2.0)).await.unwrap();
    assert_eq!(delivered, Delivered::First);
    let delivered = a.deliver(&first, buffer_for(&first, 1.0)).await.unwrap();
    assert_eq!(delivered, Delivered::Duplicate);
    let collected = collect(farm.jobs(), &job.id, 1).await;
    assert_eq!(value_of(&collected[0]), (0, 2.0));
    let Collected::Strip {
        worker, attempt, ..
    } = &collected[0]
    else {
        unreachable!();
    };
    assert_eq!((worker.as_str(), *attempt), ("b", 1));
    assert!(farm.jobs().collect(&job.id, NOW).await.unwrap().is_empty());
    sleep(LEASE + LEASE / 10).await;
    nothing(&a).await;
}

async fn a_delivery_may_be_repeated(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let lease = lease(&worker).await;
    for (at, expected) in [Delivered::First, Delivered::Duplicate, Delivered::Duplicate]
        .into_iter()
        .enumerate()
    {
        let delivered = worker
            .deliver(&lease, buffer_for(&lease, 1.0))
            .await
            .unwrap();
        assert_eq!(delivered, expected);
        if at == 1 {
            assert_eq!(
                value_of(&collect(farm.jobs(), &job.id, 1).await[0]),
                (0, 1.0)
            );
        }
    }
    assert!(farm.jobs().collect(&job.id, NOW).await.unwrap().is_empty());
}

async fn a_finished_job_leaves_nothing(farm: impl Farm) {
    let job = job(6);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let (uncollected, failed) = (lease(&worker).await, lease(&worker).await);
    let (held, late) = (lease(&worker).await, lease(&worker).await);
    worker
        .deliver(&uncollected, buffer_for(&uncollected, 1.0))
        .await
        .unwrap();
    worker.fail(&failed, "no").await.unwrap();
    farm.jobs().finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
    assert_eq!(worker.heartbeat(&held).await.unwrap(), LeaseState::JobGone);
    let delivered = worker.deliver(&late, buffer_for(&late, 1.0)).await.unwrap();
    assert_eq!(delivered, Delivered::JobGone);
    worker.release(&held).await.unwrap();
    worker.fail(&held, "late").await.unwrap();
    nothing(&worker).await;
    let collected = farm.jobs().collect(&job.id, NOW).await;
    assert!(
        matches!(collected, Err(QueueError::JobGone(_))),
        "{collected:?}"
    );
    assert_eq!(farm.residue(&job.id), [""; 0]);
    farm.jobs().finish(&job.id).await.unwrap();
}

async fn a_job_that_nobody_made_is_unknown(farm: impl Farm) {
    let job = job(1);
    let queued = farm.jobs().enqueue(&job.id, &orders(&job)).await;
    assert!(matches!(queued, Err(QueueError::JobGone(_))));
    let collected = farm.jobs().collect(&job.id, NOW).await;
    assert!(matches!(collected, Err(QueueError::JobGone(_))));
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

async fn a_bad_spec_is_refused(farm: impl Farm) {
    let mut bad = (*job(1)).clone();
    bad.strips.strip_rows = 0;
    let created = farm.jobs().create(Arc::new(bad.clone())).await;
    assert!(matches!(created, Err(QueueError::Spec(_))), "{created:?}");
    assert_eq!(farm.residue(&bad.id), [""; 0]);
}

async fn two_jobs_share_the_workers(farm: impl Farm) {
    const STRIPS: u32 = 160;
    let (one, two) = (job(STRIPS), job(STRIPS));
    submit(&farm, &one).await;
    submit(&farm, &two).await;
    let worker = farm.worker("w").await;
    let mut served: BTreeMap<JobId, u32> = BTreeMap::new();
    let mut second_served = None;
    for at in 0..2 * STRIPS {
        let lease = lease(&worker).await;
        *served.entry(lease.job.id.clone()).or_default() += 1;
        if served.len() == 2 {
            second_served.get_or_insert(at);
        }
        worker
            .deliver(&lease, buffer_for(&lease, at as f32))
            .await
            .unwrap();
    }
    assert_eq!(served.into_values().collect::<Vec<_>>(), [STRIPS, STRIPS]);
    // The other job is not left to wait until the first is through (by chance once in 2^19).
    assert!(second_served.unwrap() < STRIPS, "{second_served:?}");
    for job in [&one, &two] {
        let collected = collect(farm.jobs(), &job.id, STRIPS as usize).await;
        let indices: BTreeSet<u32> = collected.iter().map(|c| value_of(c).0).collect();
        assert_eq!(indices.len(), STRIPS as usize);
        farm.jobs().finish(&job.id).await.unwrap();
    }
}

async fn a_pinned_job_is_kept_from_other_devices(farm: impl Farm) {
    let (on_gpu, on_cpu) = (pinned(1, BackendChoice::Gpu), pinned(1, BackendChoice::Cpu));
    submit(&farm, &on_gpu).await;
    let worker = farm.worker("w").await;
    nothing(&worker).await;
    submit(&farm, &on_cpu).await;
    assert_eq!(lease(&worker).await.job.id, on_cpu.id);
    nothing(&worker).await;
    let lease = worker.lease(GPU, SOON).await.unwrap().unwrap();
    assert_eq!(lease.job.id, on_gpu.id);
}

async fn many_workers_collect_every_strip_once(farm: impl Farm) {
    const STRIPS: u32 = 500;
    let job = job(STRIPS);
    farm.jobs().create(Arc::clone(&job)).await.unwrap();
    let mut lanes = tokio::task::JoinSet::new();
    for name in 0..6 {
        let worker = farm.worker(&format!("worker {name}")).await;
        lanes.spawn(async move {
            let mut count = 0;
            while let Some(lease) = worker.lease(CPU, Duration::from_secs(1)).await.unwrap() {
                let value = lease.strip.index as f32;
                let delivered = worker
                    .deliver(&lease, buffer_for(&lease, value))
                    .await
                    .unwrap();
                assert_eq!((delivered, lease.attempt), (Delivered::First, 1));
                count += 1;
            }
            worker.leave().await.unwrap();
            count
        });
    }
    // A window at a time, as a submitter does.
    let all = orders(&job);
    let (mut queued, mut collected) = (0, Vec::new());
    while collected.len() < all.len() {
        while queued < all.len() && queued < collected.len() + 40 {
            farm.jobs()
                .enqueue(&job.id, &all[queued..queued + 10])
                .await
                .unwrap();
            queued += 10;
        }
        collected.extend(farm.jobs().collect(&job.id, SOON).await.unwrap());
    }
    let values: BTreeSet<u32> = (collected.iter())
        .map(|c| {
            let (index, value) = value_of(c);
            assert_eq!(value, index as f32);
            index
        })
        .collect();
    assert_eq!(
        (values.len(), collected.len()),
        (STRIPS as usize, STRIPS as usize)
    );
    assert_eq!(lanes.join_all().await.into_iter().sum::<u32>(), STRIPS);
    farm.jobs().finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

async fn a_dropped_lease_call_loses_no_strip(farm: impl Farm) {
    const STRIPS: u32 = 60;
    let job = job(STRIPS);
    farm.jobs().create(Arc::clone(&job)).await.unwrap();
    let worker = farm.worker("w").await;
    let mut leased = BTreeSet::new();
    // Dropped at all kinds of moments, with strips arriving meanwhile.
    for (at, strip) in job.strips.strips().enumerate() {
        let wait = Duration::from_micros(at as u64 * 20);
        let call = async {
            let strips = [strip.into()];
            let queue = farm.jobs().enqueue(&job.id, &strips);
            let lease = timeout(wait, worker.lease(CPU, SOON));
            tokio::join!(queue, lease)
        };
        let (queued, lease) = call.await;
        queued.unwrap();
        if let Ok(lease) = lease {
            let lease = lease.unwrap().unwrap();
            assert!(leased.insert(lease.strip.index));
            assert_eq!(worker.heartbeat(&lease).await.unwrap(), LeaseState::Held);
            worker
                .deliver(&lease, buffer_for(&lease, 1.0))
                .await
                .unwrap();
        }
    }
    let start = Instant::now();
    while leased.len() < STRIPS as usize {
        let lease = lease(&worker).await;
        assert_eq!(lease.attempt, 1, "a strip was lost for a while");
        assert!(leased.insert(lease.strip.index));
        worker
            .deliver(&lease, buffer_for(&lease, 1.0))
            .await
            .unwrap();
    }
    assert!(start.elapsed() < SOON);
    collect(farm.jobs(), &job.id, STRIPS as usize).await;
}

async fn lease_waits_for_work(farm: impl Farm) {
    let job = job(1);
    farm.jobs().create(Arc::clone(&job)).await.unwrap();
    let worker = farm.worker("w").await;
    let start = Instant::now();
    assert!(worker.lease(CPU, LEASE).await.unwrap().is_none());
    assert!(
        (LEASE..4 * LEASE).contains(&start.elapsed()),
        "{:?}",
        start.elapsed()
    );
    let queue = async {
        sleep(LEASE).await;
        farm.jobs().enqueue(&job.id, &orders(&job)).await.unwrap();
        Instant::now()
    };
    let (lease, queued) = tokio::join!(worker.lease(CPU, SOON), queue);
    assert!(lease.unwrap().is_some());
    assert!(
        queued.elapsed() < Duration::from_millis(500),
        "{:?}",
        queued.elapsed()
    );
}

async fn collect_waits_for_results(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let start = Instant::now();
    assert!(
        farm.jobs()
            .collect(&job.id, LEASE)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        (LEASE..4 * LEASE).contains(&start.elapsed()),
        "{:?}",
        start.elapsed()
    );
    let deliver = async {
        sleep(LEASE).await;
        let lease = lease(&worker).await;
        worker
            .deliver(&lease, buffer_for(&lease, 4.0))
            .await
            .unwrap();
        Instant::now()
    };
    let (collected, delivered) = tokio::join!(farm.jobs().collect(&job.id, SOON), deliver);
    assert_eq!(value_of(&collected.unwrap()[0]), (0, 4.0));
    assert!(delivered.elapsed() < Duration::from_millis(500));
}

async fn a_dropped_collect_call_loses_no_strip(farm: impl Farm) {
    const STRIPS: u32 = 60;
    let job = job(STRIPS);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let mut found = BTreeSet::new();
    for at in 0..STRIPS {
        let lease = lease(&worker).await;
        worker
            .deliver(&lease, buffer_for(&lease, 1.0))
            .await
            .unwrap();
        let wait = Duration::from_micros(u64::from(at) * 20);
        if let Ok(collected) = timeout(wait, farm.jobs().collect(&job.id, SOON)).await {
            for one in collected.unwrap() {
                assert!(found.insert(value_of(&one).0));
            }
        }
    }
    for one in collect(farm.jobs(), &job.id, STRIPS as usize - found.len()).await {
        assert!(found.insert(value_of(&one).0));
    }
    assert_eq!(found.len(), STRIPS as usize);
}

async fn workers_are_counted_until_they_leave(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    let held = lease(&a).await;
    nothing(&b).await;
    assert_eq!(farm.jobs().workers().await.unwrap(), 2);
    b.leave().await.unwrap();
    assert_eq!(farm.jobs().workers().await.unwrap(), 1);
    // One that holds a strip cannot be forgotten, or the strip would be.
    a.leave().await.unwrap();
    assert_eq!(farm.jobs().workers().await.unwrap(), 1);
    a.deliver(&held, buffer_for(&held, 1.0)).await.unwrap();
    a.leave().await.unwrap();
    assert_eq!(farm.jobs().workers().await.unwrap(), 0);
    assert_eq!(collect(farm.jobs(), &job.id, 1).await.len(), 1);
}

async fn a_cap_on_workers_is_kept(farm: impl Farm) {
    let job = Arc::new(JobSpec {
        max_workers: Some(1),
        ..JobSpec::clone(&job(4))
    });
    submit(&farm, &job).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    let first = lease(&a).await;
    nothing(&b).await;
    let second = lease(&a).await;
    assert_ne!(first.strip, second.strip);
    // Another job has places of its own.
    let other = crate::samples::job(1);
    submit(&farm, &other).await;
    assert_eq!(lease(&b).await.job.id, other.id);
    for held in [&first, &second] {
        a.deliver(held, buffer_for(held, 1.0)).await.unwrap();
    }
    a.leave().await.unwrap();
    assert_eq!(lease(&b).await.job.id, job.id);
    farm.jobs().finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
}
