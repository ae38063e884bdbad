//! What operators see of a farm and want of it, on a real server.

use std::sync::Arc;
use std::time::Duration;

use farm_queue::redis::RedisControl;
use farm_queue::redis::control::OrderOutcome;
use farm_queue::{
    Issue, JobQueue, JobReport, JobState, LeaseState, LeaveOrder, Order, QueueError, RedisJobQueue,
    RedisWorkerQueue, WorkerAbout, WorkerQueue,
};
use tokio::time::{sleep, timeout};

use crate::setup::farms::{Farm, RedisFarm};
use crate::setup::samples::*;
use crate::setup::steps::{collect, lease, submit};

async fn control(farm: &RedisFarm) -> RedisControl {
    RedisControl::connect(farm.server.url()).await.unwrap()
}

async fn nothing(worker: &RedisWorkerQueue) {
    let found = worker.lease(CPU, Duration::from_millis(300)).await.unwrap();
    assert!(found.is_none(), "{found:?}");
}

#[tokio::test]
async fn jobs_are_listed_and_shown() {
    let farm = RedisFarm::start().await;
    let control = control(&farm).await;
    assert!(control.jobs().await.unwrap().is_empty());
    let (first, urgent) = (job(4), job(2));
    submit(&farm, &first).await;
    submit(&farm, &urgent).await;
    let changed = control.prioritise(&urgent.id, 5.0).await.unwrap();
    assert_eq!(changed, OrderOutcome::Done);
    let report = JobReport {
        title: "x.png".to_owned(),
        strips: 4,
        collected: 1,
        ..JobReport::default()
    };
    let orders = farm.jobs().report(&first.id, &report).await.unwrap();
    assert_eq!(orders.state, JobState::Running);
    let listed = control.jobs().await.unwrap();
    let names: Vec<_> = listed.iter().map(|job| &job.job).collect();
    assert_eq!(names, [&urgent.id, &first.id]);
    assert_eq!((listed[0].priority, listed[1].priority), (5.0, 1.0));
    assert_eq!(listed[1].report, report);
    assert!(listed[1].has_submitter() && listed[1].silent_secs < 5.0);
    let worker = farm.worker("w").await;
    let held = lease(&worker).await;
    let details = control.job(&held.job.id).await.unwrap().unwrap();
    assert_eq!(details.spec.as_ref(), Some(&*held.job));
    assert_eq!(details.under_way["w"], [held.strip.index]);
    let all = held.job.strips.count();
    assert_eq!(details.waiting, u64::from(all) - 1);
    // A job by the end of its name; and one that is none.
    let end = &first.id.as_str()[20..];
    assert_eq!(control.find(end).await.unwrap(), Ok(first.id.clone()));
    for wrong in ["", "0", "nothing"] {
        assert!(control.find(wrong).await.unwrap().is_err(), "{wrong}");
    }
    for job in [&first, &urgent] {
        farm.jobs().finish(&job.id).await.unwrap();
        assert_eq!(farm.residue(&job.id), [""; 0]);
    }
    assert!(control.job(&first.id).await.unwrap().is_none());
    let gone = control.pause(&first.id).await.unwrap();
    assert_eq!(gone, OrderOutcome::NoSuchJob);
}

#[tokio::test]
async fn a_paused_job_is_not_offered_until_it_is_resumed() {
    let farm = RedisFarm::start().await;
    let (control, worker) = (control(&farm).await, farm.worker("w").await);
    let job = job(30);
    submit(&farm, &job).await;
    let held = lease(&worker).await;
    assert_eq!(control.pause(&job.id).await.unwrap(), OrderOutcome::Done);
    // In the middle of its turn, and by a hint that it may not hear.
    sleep(Duration::from_millis(1100)).await;
    nothing(&worker).await;
    // What it has it may finish.
    let delivered = worker.deliver(&held, buffer_for(&held, 1.0)).await;
    assert_eq!(delivered.unwrap(), farm_queue::DeliveryOutcome::First);
    let state = |orders: farm_queue::JobOrders| orders.state;
    let report = JobReport::default();
    let told = farm.jobs().report(&job.id, &report).await.map(state);
    assert_eq!(told.unwrap(), JobState::Paused);
    assert_eq!(control.resume(&job.id).await.unwrap(), OrderOutcome::Done);
    lease(&worker).await;
    let told = farm.jobs().report(&job.id, &report).await.map(state);
    assert_eq!(told.unwrap(), JobState::Running);
}

/// What comes before all others, as views of the page do, is taken up in the middle of another job's turn.
#[tokio::test]
async fn an_urgent_job_ends_the_turn_of_another() {
    let farm = RedisFarm::start().await;
    let worker = farm.worker("w").await;
    let (long, view, other) = (job(30), job(4), job(1));
    submit(&farm, &other).await;
    lease(&worker).await;
    submit(&farm, &long).await;
    assert_eq!(lease(&worker).await.job.id, long.id);
    let hint = worker.hint();
    let views = RedisJobQueue::connect(farm.server.url()).await.unwrap();
    let views = views.of_priority(1e6);
    views.create(Arc::clone(&view)).await.unwrap();
    views.enqueue(&view.id, &orders(&view)).await.unwrap();
    // Messages come in order: who has heard of this end has heard of the view.
    farm.jobs().finish(&other.id).await.unwrap();
    timeout(SOON, hint).await.expect("a hint");
    for _ in 0..4 {
        assert_eq!(lease(&worker).await.job.id, view.id);
    }
    assert_eq!(lease(&worker).await.job.id, long.id);
}

#[tokio::test]
async fn a_cancelled_job_is_gone_for_workers_and_told_to_its_submitter() {
    let farm = RedisFarm::start().await;
    let (control, worker) = (control(&farm).await, farm.worker("w").await);
    let job = job(3);
    submit(&farm, &job).await;
    let held = lease(&worker).await;
    let hint = worker.hint();
    assert_eq!(control.cancel(&job.id).await.unwrap(), OrderOutcome::Done);
    timeout(SOON, hint).await.expect("a hint");
    assert_eq!(worker.heartbeat(&held).await.unwrap(), LeaseState::JobGone);
    let late = worker.deliver(&held, buffer_for(&held, 1.0)).await;
    assert_eq!(late.unwrap(), farm_queue::DeliveryOutcome::JobGone);
    nothing(&worker).await;
    let jobs = farm.jobs();
    let is_cancelled = |error: QueueError| matches!(error, QueueError::Cancelled(_));
    let collected = jobs.collect(&job.id, Duration::ZERO).await;
    assert!(collected.is_err_and(is_cancelled));
    let queued = jobs.enqueue(&job.id, &orders(&job)).await;
    assert!(queued.is_err_and(is_cancelled));
    // Nothing brings it back by itself.
    assert!(
        jobs.repair(&job.id, &strips(&job))
            .await
            .is_err_and(is_cancelled)
    );
    let told = jobs.report(&job.id, &JobReport::default()).await.unwrap();
    assert_eq!(told.state, JobState::Cancelled);
    let again = control.pause(&job.id).await.unwrap();
    assert_eq!(again, OrderOutcome::Ended(JobState::Cancelled));
    // Whoever submits it again means it.
    jobs.create(Arc::clone(&job)).await.unwrap();
    jobs.enqueue(&job.id, &orders(&job)).await.unwrap();
    lease(&worker).await;
    jobs.finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

#[tokio::test]
async fn a_failed_job_stays_readable_and_can_be_taken_up() {
    let farm = RedisFarm::start().await;
    let control = control(&farm).await;
    let job = job(3);
    submit(&farm, &job).await;
    assert_eq!(control.retry(&job.id).await.unwrap(), OrderOutcome::Done);
    let told = farm.jobs().report(&job.id, &JobReport::default()).await;
    assert_eq!(told.unwrap().retries, 1);
    let report = JobReport {
        collected: 2,
        ..JobReport::default()
    };
    farm.jobs().fail(&job.id, &report).await.unwrap();
    let listed = control.jobs().await.unwrap();
    assert_eq!(
        (listed[0].state, listed[0].report.collected),
        (JobState::Failed, 2)
    );
    let left = farm.residue(&job.id);
    assert_eq!(left.len(), 1, "{left:?}");
    let retried = control.retry(&job.id).await.unwrap();
    assert_eq!(retried, OrderOutcome::Ended(JobState::Failed));
    let details = control.job(&job.id).await.unwrap().unwrap();
    assert!(details.spec.is_none());
    farm.jobs().create(Arc::clone(&job)).await.unwrap();
    farm.jobs().enqueue(&job.id, &orders(&job)).await.unwrap();
    lease(&farm.worker("w").await).await;
    farm.jobs().finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

#[tokio::test]
async fn workers_are_shown_drained_and_kept_in_quarantine() {
    let farm = RedisFarm::start().await;
    let control = control(&farm).await;
    let (a, b) = (farm.worker("a").await, farm.worker("b.local").await);
    a.describe(WorkerAbout {
        host: "box".to_owned(),
        devices: vec!["a device".to_owned()],
        ..WorkerAbout::default()
    });
    sleep(Duration::from_millis(300)).await;
    let listed = control.workers().await.unwrap();
    let names: Vec<_> = listed.iter().map(|w| w.record.name.as_str()).collect();
    assert_eq!(names, ["a", "b.local"]);
    assert_eq!(listed[0].record.about.host, "box");
    assert!(control.drain("nobody").await.unwrap().is_empty());
    let asked = control.drain("b.local").await.unwrap();
    assert_eq!(asked, [listed[1].process.clone()]);
    let order = timeout(SOON, b.leave_order()).await.expect("drained");
    assert_eq!(order, LeaveOrder::Drain);
    assert!(control.workers().await.unwrap()[1].draining);
    b.leave().await.unwrap();
    assert_eq!(control.workers().await.unwrap().len(), 1);

    let job = job(5);
    submit(&farm, &job).await;
    lease(&a).await;
    farm.jobs().quarantine("a", "it lies").await.unwrap();
    sleep(Duration::from_millis(500)).await;
    nothing(&a).await;
    let confined = control.workers().await.unwrap()[0]
        .quarantine
        .clone()
        .unwrap();
    assert_eq!((confined.strikes, confined.reason.as_str()), (1, "it lies"));
    assert!(confined.secs_left > 50.0 && confined.secs_left <= 60.0);
    // While it is there, nothing more is held against it.
    farm.jobs().quarantine("a", "again").await.unwrap();
    let same = control.workers().await.unwrap()[0]
        .quarantine
        .clone()
        .unwrap();
    assert_eq!(same.strikes, 1);
    assert!(control.forgive("a").await.unwrap());
    assert!(!control.forgive("a").await.unwrap());
    sleep(Duration::from_millis(500)).await;
    lease(&a).await;
}

#[tokio::test]
async fn quarantine_doubles_and_is_forgotten() {
    let farm = RedisFarm::start().await;
    let control = control(&farm).await;
    let _worker = farm.worker("w").await;
    let now = || -> u64 {
        let (secs, _): (u64, u64) = farm.server.ask(&["TIME"]);
        secs * 1000
    };
    let set = |till: u64, strikes: u32| {
        let record = format!("{till} {strikes} it lies");
        farm.server.ask::<i64>(&["HSET", "mf:bad", "w", &record]);
    };
    let day = 24 * 3600 * 1000;
    for (strikes, over_since, expected) in [
        (1, 1, 120.0),
        (3, 1, 480.0),
        (20, 1, 3600.0),
        (5, day + 1000, 60.0),
    ] {
        set(now() - over_since, strikes);
        farm.jobs().quarantine("w", "it lies").await.unwrap();
        let confined = control.workers().await.unwrap()[0]
            .quarantine
            .clone()
            .unwrap();
        let off = (confined.secs_left - expected).abs();
        assert!(off < 5.0, "{strikes} strikes: {confined:?}");
        assert_eq!(
            confined.strikes,
            if over_since > day { 1 } else { strikes + 1 }
        );
    }
}

#[tokio::test]
async fn what_the_server_lost_is_found_and_made_again() {
    let farm = RedisFarm::start().await;
    let (control, worker) = (control(&farm).await, farm.worker("w").await);
    let job = job(6);
    submit(&farm, &job).await;
    let jobs = farm.jobs();
    let queue = format!("mf:{{{}}}:q", job.id);
    // Whole: one under way, one delivered, the others waiting.
    let _held = lease(&worker).await;
    let done = lease(&worker).await;
    worker.deliver(&done, buffer_for(&done, 1.0)).await.unwrap();
    assert!(
        jobs.repair(&job.id, &strips(&job))
            .await
            .unwrap()
            .is_empty()
    );
    // One entry is lost.
    let entries: Vec<(String, Vec<String>)> =
        farm.server.ask(&["XRANGE", &queue, "-", "+", "COUNT", "2"]);
    farm.server.ask::<i64>(&["XDEL", &queue, &entries[1].0]);
    let missing = jobs.repair(&job.id, &strips(&job)).await.unwrap();
    assert_eq!(missing, [strips(&job)[2]]);
    // The group is: entries that were under way are handed out again.
    farm.server.ask::<i64>(&["XGROUP", "DESTROY", &queue, "w"]);
    assert_eq!(jobs.repair(&job.id, &strips(&job)).await.unwrap(), missing);
    let orders: Vec<Order> = missing.into_iter().map(Order::from).collect();
    jobs.enqueue(&job.id, &orders).await.unwrap();
    sleep(Duration::from_millis(2100)).await;
    lease(&worker).await;
    // Everything is; what operators wanted is not forgotten.
    control.prioritise(&job.id, 7.0).await.unwrap();
    jobs.report(&job.id, &JobReport::default()).await.unwrap();
    assert_eq!(collect(jobs, &job.id, 1).await.len(), 1);
    farm.server.ask::<()>(&["FLUSHALL"]);
    let gone = jobs.report(&job.id, &JobReport::default()).await;
    assert!(matches!(gone, Err(QueueError::JobGone(_))), "{gone:?}");
    let awaited = &strips(&job)[2..];
    let missing = jobs.repair(&job.id, awaited).await.unwrap();
    assert_eq!(missing, awaited);
    assert_eq!(control.jobs().await.unwrap()[0].priority, 7.0);
    let orders: Vec<Order> = missing.into_iter().map(Order::from).collect();
    jobs.enqueue(&job.id, &orders).await.unwrap();
    sleep(Duration::from_millis(2100)).await;
    let lease = lease(&worker).await;
    assert_eq!(lease.strip, awaited[0]);
    jobs.finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

#[tokio::test]
async fn a_strip_that_was_collected_can_be_computed_again() {
    let farm = RedisFarm::start().await;
    let worker = farm.worker("w").await;
    let job = job(1);
    submit(&farm, &job).await;
    for value in [1.0, 2.0] {
        let lease = lease(&worker).await;
        worker
            .deliver(&lease, buffer_for(&lease, value))
            .await
            .unwrap();
        let collected = collect(farm.jobs(), &job.id, 1).await;
        assert_eq!(value_of(&collected[0]), (0, value));
        farm.jobs().enqueue(&job.id, &orders(&job)).await.unwrap();
    }
}

#[tokio::test]
async fn builds_are_not_mixed() {
    let farm = RedisFarm::start().await;
    let (old, new) = (farm.worker("old").await, farm.worker("new").await);
    let about = |build| WorkerAbout {
        build,
        ..WorkerAbout::default()
    };
    old.describe(about(1));
    new.describe(about(2));
    let mut spec = (*job(2)).clone();
    spec.build = 2;
    let job = Arc::new(spec);
    submit(&farm, &job).await;
    nothing(&old).await;
    assert_eq!(lease(&new).await.issue, Issue::Render);
}
