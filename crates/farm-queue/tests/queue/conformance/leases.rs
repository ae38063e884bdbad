//! What every queue promises of leases: whose a strip is, and until when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::job::MAX_DELIVERIES;
use farm_queue::{Collected, DeliveryOutcome, JobQueue, LeaseState, WorkerQueue};
use tokio::time::{sleep, timeout};

use crate::setup::farms::Farm;
use crate::setup::samples::*;
use crate::setup::steps::{collect, lease, nothing, submit};

pub(super) async fn strips_come_in_order_each_to_one_worker(farm: impl Farm) {
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

pub(super) async fn an_expired_lease_goes_to_somebody_else(farm: impl Farm) {
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

pub(super) async fn a_zombie_changes_nothing(farm: impl Farm) {
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
    assert_eq!(delivered, DeliveryOutcome::First);
    let late = zombie.deliver(&old, buffer_for(&old, 2.0)).await.unwrap();
    assert_eq!(late, DeliveryOutcome::Duplicate);
    let collected = collect(farm.jobs(), &job.id, 1).await;
    assert_eq!(value_of(&collected[0]), (0, 1.0));
    // Later still: its bytes are collected, and the zombie's must not linger.
    let late = zombie.deliver(&old, buffer_for(&old, 2.0)).await.unwrap();
    assert_eq!(late, DeliveryOutcome::Duplicate);
    assert!(farm.residue(&job.id).iter().all(|key| !key.contains(":r:")));
}

pub(super) async fn a_heartbeat_keeps_a_lease(farm: impl Farm) {
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

pub(super) async fn a_release_is_at_once_and_uncounted(farm: impl Farm) {
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

pub(super) async fn a_failure_is_at_once_and_counted(farm: impl Farm) {
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

pub(super) async fn a_strip_that_kills_its_workers_is_given_up(farm: impl Farm) {
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

pub(super) async fn a_dropped_lease_call_loses_no_strip(farm: impl Farm) {
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

pub(super) async fn lease_waits_for_work(farm: impl Farm) {
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
