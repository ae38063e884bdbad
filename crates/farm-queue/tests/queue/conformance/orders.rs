//! What every queue promises of orders other than to render a strip, and of who did what.

use farm_queue::{
    Collected, DeliveryOutcome, Issue, JobId, JobQueue, LeaseState, Order, QueueError, WorkerQueue,
};
use tokio::time::sleep;

use crate::setup::farms::Farm;
use crate::setup::samples::*;
use crate::setup::steps::{collect, lease, nothing, submit};

pub(super) async fn an_audit_goes_elsewhere_and_lies_apart(farm: impl Farm) {
    let job = job(2);
    submit(&farm, &job).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b").await);
    let first = lease(&a).await;
    a.deliver(&first, buffer_for(&first, 1.0)).await.unwrap();
    lease(&a).await;
    let audit = Order {
        issue: Issue::Audit,
        not: Some("a".to_owned()),
        ..Order::from(first.strip)
    };
    farm.jobs().enqueue(&job.id, &[audit]).await.unwrap();
    nothing(&a).await;
    let again = lease(&b).await;
    assert_eq!((again.strip, again.issue), (first.strip, Issue::Audit));
    assert_eq!(again.slot(), 2);
    let delivered = b.deliver(&again, buffer_for(&again, 2.0)).await.unwrap();
    assert_eq!(delivered, DeliveryOutcome::First);
    let collected = collect(farm.jobs(), &job.id, 2).await;
    let issues: Vec<_> = (collected.iter())
        .map(|found| match found {
            Collected::Strip { issue, worker, .. } => (*issue, worker.as_str(), value_of(found)),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (Issue::Render, "a", (0, 1.0)),
        (Issue::Audit, "b", (0, 2.0)),
    ];
    assert_eq!(issues, expected);
    farm.jobs().finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

pub(super) async fn a_copy_goes_elsewhere_and_ends_the_other(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let (slow, quick) = (farm.worker("slow").await, farm.worker("quick").await);
    let held = lease(&slow).await;
    let copy = Order {
        extra: true,
        not: Some("slow".to_owned()),
        ..Order::from(held.strip)
    };
    farm.jobs().enqueue(&job.id, &[copy]).await.unwrap();
    nothing(&slow).await;
    assert_eq!(slow.heartbeat(&held).await.unwrap(), LeaseState::Held);
    let other = lease(&quick).await;
    assert_eq!(other.strip, held.strip);
    let delivered = quick.deliver(&other, buffer_for(&other, 2.0)).await;
    assert_eq!(delivered.unwrap(), DeliveryOutcome::First);
    assert_eq!(slow.heartbeat(&held).await.unwrap(), LeaseState::Lost);
    let late = slow.deliver(&held, buffer_for(&held, 1.0)).await.unwrap();
    assert_eq!(late, DeliveryOutcome::Duplicate);
    let collected = collect(farm.jobs(), &job.id, 1).await;
    assert_eq!(value_of(&collected[0]), (0, 2.0));
    farm.jobs().finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

pub(super) async fn what_is_under_way_is_known(farm: impl Farm) {
    let job = job(4);
    submit(&farm, &job).await;
    let worker = farm.worker("box.local").await;
    let held = lease(&worker).await;
    let given_back = lease(&worker).await;
    worker.release(&given_back).await.unwrap();
    let way = farm.jobs().under_way(&job.id).await.unwrap();
    assert_eq!(way.waiting, 3);
    let [leased] = &way.leases[..] else {
        panic!("{way:?}");
    };
    assert_eq!((leased.strip, leased.issue), (held.strip, held.issue));
    assert_eq!((&*leased.worker, leased.attempt), ("box.local", 1));
    assert_eq!(leased.entry, held.entry);
    let gone = farm.jobs().under_way(&JobId::generate()).await;
    assert!(matches!(gone, Err(QueueError::JobGone(_))), "{gone:?}");
}

pub(super) async fn who_failed_is_known(farm: impl Farm) {
    let job = job(1);
    submit(&farm, &job).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b.local").await);
    let failed = lease(&a).await;
    a.fail(&failed, "it: burnt").await.unwrap();
    lease(&b).await;
    sleep(LEASE + LEASE / 10).await;
    let done = lease(&a).await;
    assert_eq!(done.attempt, 3);
    a.deliver(&done, buffer_for(&done, 1.0)).await.unwrap();
    let collected = collect(farm.jobs(), &job.id, 1).await;
    let Collected::Strip { failed_workers, .. } = &collected[0] else {
        panic!("{collected:?}");
    };
    assert_eq!(failed_workers, &["a", "b.local"]);
}

pub(super) async fn what_a_worker_failed_at_is_left_to_others_while_there_are_any(farm: impl Farm) {
    let job = job(1);
    let (bad, busy) = (farm.worker("bad").await, farm.worker("busy").await);
    nothing(&busy).await;
    submit(&farm, &job).await;
    let failed = lease(&bad).await;
    bad.fail(&failed, "burnt").await.unwrap();
    // The other one is alive and takes its time.
    assert!(bad.lease(CPU, 2 * LEASE).await.unwrap().is_none());
    let taken = lease(&busy).await;
    assert_eq!((taken.strip, taken.attempt), (failed.strip, 2));
    busy.fail(&taken, "burnt, too").await.unwrap();
    // All had it: it is anybody's.
    let again = lease(&bad).await;
    assert_eq!(again.attempt, 3);
    bad.fail(&again, "burnt").await.unwrap();
    assert!(bad.lease(CPU, 2 * LEASE).await.unwrap().is_none());
    busy.leave().await.unwrap();
    // Alone: a strip that nobody can do fails soon.
    assert_eq!(lease(&bad).await.attempt, 4);
}

pub(super) async fn a_quarantined_worker_gets_nothing(farm: impl Farm) {
    let job = job(3);
    submit(&farm, &job).await;
    let (bad, good) = (farm.worker("bad").await, farm.worker("good").await);
    lease(&bad).await;
    farm.jobs().quarantine("bad", "it lies").await.unwrap();
    sleep(LEASE / 2).await;
    nothing(&bad).await;
    lease(&good).await;
}
