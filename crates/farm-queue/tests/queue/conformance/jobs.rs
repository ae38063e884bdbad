//! What every queue promises of jobs and of the workers that share them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use farm_queue::{DeliveryOutcome, JobId, JobQueue, JobSpec, LeaseState, QueueError, WorkerQueue};
use fractal::BackendChoice;

use crate::setup::farms::Farm;
use crate::setup::samples::*;
use crate::setup::steps::{collect, lease, nothing, submit};

pub(super) async fn a_finished_job_leaves_nothing(farm: impl Farm) {
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
    assert_eq!(delivered, DeliveryOutcome::JobGone);
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

pub(super) async fn a_job_that_nobody_made_is_unknown(farm: impl Farm) {
    let job = job(1);
    let queued = farm.jobs().enqueue(&job.id, &orders(&job)).await;
    assert!(matches!(queued, Err(QueueError::JobGone(_))));
    let collected = farm.jobs().collect(&job.id, NOW).await;
    assert!(matches!(collected, Err(QueueError::JobGone(_))));
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

pub(super) async fn a_bad_spec_is_refused(farm: impl Farm) {
    let mut bad = (*job(1)).clone();
    bad.strips.strip_rows = 0;
    let created = farm.jobs().create(Arc::new(bad.clone())).await;
    assert!(matches!(created, Err(QueueError::Spec(_))), "{created:?}");
    assert_eq!(farm.residue(&bad.id), [""; 0]);
}

pub(super) async fn two_jobs_share_the_workers(farm: impl Farm) {
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

pub(super) async fn a_pinned_job_is_kept_from_other_devices(farm: impl Farm) {
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

pub(super) async fn workers_are_counted_until_they_leave(farm: impl Farm) {
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

pub(super) async fn a_cap_on_workers_is_kept(farm: impl Farm) {
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
    let other = crate::setup::samples::job(1);
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
