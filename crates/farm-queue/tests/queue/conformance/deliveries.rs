//! What every queue promises of results: each strip is collected once, whatever happens on the way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::job::MAX_DELIVERIES;
use farm_queue::{Collected, DeliveryOutcome, JobQueue, WorkerQueue};
use tokio::time::{sleep, timeout};

use crate::setup::farms::Farm;
use crate::setup::samples::*;
use crate::setup::steps::{collect, lease, nothing, submit};

pub(super) async fn a_dead_strip_may_be_queued_again(farm: impl Farm) {
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

pub(super) async fn the_first_delivery_wins(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    // The same strip twice in the queue, as after a repeated submission.
    farm.jobs().enqueue(&job.id, &orders(&job)).await.unwrap();
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    let (first, second) = (lease(&a).await, lease(&b).await);
    assert_ne!(first.entry, second.entry);
    let delivered = b.deliver(&second, buffer_for(&second, 2.0)).await.unwrap();
    assert_eq!(delivered, DeliveryOutcome::First);
    let delivered = a.deliver(&first, buffer_for(&first, 1.0)).await.unwrap();
    assert_eq!(delivered, DeliveryOutcome::Duplicate);
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

pub(super) async fn a_delivery_may_be_repeated(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    let lease = lease(&worker).await;
    for (at, expected) in [
        DeliveryOutcome::First,
        DeliveryOutcome::Duplicate,
        DeliveryOutcome::Duplicate,
    ]
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

pub(super) async fn many_workers_collect_every_strip_once(farm: impl Farm) {
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
                assert_eq!((delivered, lease.attempt), (DeliveryOutcome::First, 1));
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

pub(super) async fn collect_waits_for_results(farm: impl Farm) {
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

pub(super) async fn a_dropped_collect_call_loses_no_strip(farm: impl Farm) {
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
