//! Malformed, truncated, oversized and foreign things planted in Redis: counted, thrown away, and the job
//! goes on.

use std::sync::Arc;
use std::time::Duration;

use farm_queue::protocol::blob;
use farm_queue::protocol::keys::{JOBS, JobKeys};
use farm_queue::{Collected, DeliveryOutcome, JobId, JobQueue, JobSpec, WorkerQueue};

use crate::setup::farms::{Farm, RedisFarm};
use crate::setup::samples::*;
use crate::setup::steps::{collect, lease, plant, submit};

/// After a rejection the strip is queued again, computed and collected.
async fn goes_on(farm: &RedisFarm, job: &Arc<JobSpec>) {
    let worker = farm.worker("honest").await;
    farm.jobs()
        .enqueue(&job.id, &[strips(job)[0].into()])
        .await
        .unwrap();
    let lease = lease(&worker).await;
    let delivered = worker
        .deliver(&lease, buffer_for(&lease, 5.0))
        .await
        .unwrap();
    assert_eq!(delivered, DeliveryOutcome::First);
    assert_eq!(
        value_of(&collect(farm.jobs(), &job.id, 1).await[0]),
        (0, 5.0)
    );
    farm.jobs().finish(&job.id).await.unwrap();
    assert_eq!(farm.residue(&job.id), [""; 0]);
}

#[tokio::test]
async fn bad_results_are_rejected_and_the_job_goes_on() {
    let farm = RedisFarm::start().await;
    let good = job(2);
    let strip = strips(&good)[0];
    let blob_of = |job: &JobSpec| blob::encode(&job.id, &buffer(job, strip, 1.0), "w", 1);
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let damages: [(&str, Damage); 6] = [
        ("digest", |mut blob| {
            *blob.last_mut().unwrap() ^= 4;
            blob
        }),
        ("result of", |blob| blob[..blob.len() - 1].to_vec()),
        ("cut short", |blob| blob[..20].to_vec()),
        ("result of", |mut blob| {
            blob.resize(64 << 20, 0);
            blob
        }),
        ("mark", |_| b"not a blob at all".to_vec()),
        ("not there", |_| Vec::new()),
    ];
    for (said, damage) in damages {
        let job = job(2);
        farm.jobs().create(Arc::clone(&job)).await.unwrap();
        plant(&farm.server, &job, &damage(blob_of(&job)));
        let collected = collect(farm.jobs(), &job.id, 1).await;
        let Collected::Rejected { strip, reason } = &collected[0] else {
            panic!("{collected:?}");
        };
        assert_eq!(*strip, Some(strips(&job)[0]));
        assert!(reason.contains(said), "{reason}");
        goes_on(&farm, &job).await;
    }
    // The control: undamaged, it is taken; and another job's is not.
    for (of_this_job, taken) in [(true, true), (false, false)] {
        let this = job(2);
        farm.jobs().create(Arc::clone(&this)).await.unwrap();
        let blob = if of_this_job {
            blob_of(&this)
        } else {
            blob_of(&good)
        };
        plant(&farm.server, &this, &blob);
        let collected = collect(farm.jobs(), &this.id, 1).await;
        assert_eq!(matches!(collected[0], Collected::Strip { .. }), taken);
    }
}

#[tokio::test]
async fn something_else_under_a_results_name_is_rejected() {
    let farm = RedisFarm::start().await;
    let job = job(1);
    farm.jobs().create(Arc::clone(&job)).await.unwrap();
    let keys = JobKeys::new(&job.id);
    plant(&farm.server, &job, b"x");
    farm.server.ask::<()>(&["DEL", &keys.result(0)]);
    farm.server.ask::<i64>(&["LPUSH", &keys.result(0), "x"]);
    let collected = collect(farm.jobs(), &job.id, 1).await;
    assert!(matches!(
        collected[0],
        Collected::Rejected { strip: Some(_), .. }
    ));
    goes_on(&farm, &job).await;
}

#[tokio::test]
async fn malformed_announcements_are_counted_and_removed() {
    let farm = RedisFarm::start().await;
    let job = job(3);
    submit(&farm, &job).await;
    let keys = JobKeys::new(&job.id);
    for fields in [
        ["v", "9", "s", "1"],
        ["v", "2", "s", "99"],
        ["a", "b", "c", "d"],
    ] {
        for stream in [&keys.done, &keys.dead] {
            let words = [&["XADD", stream, "*"][..], &fields].concat();
            farm.server.ask::<String>(&words);
        }
    }
    let worker = farm.worker("w").await;
    let lease = lease(&worker).await;
    worker
        .deliver(&lease, buffer_for(&lease, 1.0))
        .await
        .unwrap();
    let collected = collect(farm.jobs(), &job.id, 7).await;
    let rejected = |c: &&Collected| matches!(c, Collected::Rejected { strip: None, .. });
    assert_eq!(collected.iter().filter(rejected).count(), 6);
    // Removed when the next call begins, if not before.
    farm.jobs().collect(&job.id, NOW).await.unwrap();
    assert_eq!(farm.server.ask::<i64>(&["XLEN", &keys.done]), 0);
    assert_eq!(farm.server.ask::<i64>(&["XLEN", &keys.dead]), 0);
}

#[tokio::test]
async fn malformed_strips_are_counted_and_dropped() {
    let farm = RedisFarm::start().await;
    let job = job(2);
    farm.jobs().create(Arc::clone(&job)).await.unwrap();
    let keys = JobKeys::new(&job.id);
    let bad = [
        ["v", "2", "s", "4"],
        ["v", "1", "s", "0"],
        ["v", "2", "s", "-1"],
        ["s", "1", "x", "\u{0}"],
        ["v", "2", "s", "99999999999999999999"],
    ];
    for fields in bad {
        farm.server
            .ask::<String>(&[&["XADD", &keys.queue, "*"][..], &fields].concat());
    }
    farm.jobs().enqueue(&job.id, &orders(&job)).await.unwrap();
    let worker = farm.worker("w").await;
    for index in 0..2 {
        assert_eq!(lease(&worker).await.strip.index, index);
    }
    assert_eq!(worker.malformed(), bad.len() as u64);
    assert_eq!(farm.server.ask::<i64>(&["XLEN", &keys.queue]), 2);
    // Also one that was leased before, by somebody who died of it.
    farm.server
        .ask::<String>(&["XADD", &keys.queue, "*", "s", "x"]);
    let read = [
        "XREADGROUP",
        "GROUP",
        "w",
        "dead",
        "STREAMS",
        &keys.queue,
        ">",
    ];
    farm.server.ask::<redis::Value>(&read);
    let start = std::time::Instant::now();
    while worker.malformed() == bad.len() as u64 {
        assert!(start.elapsed() < SOON);
        worker.lease(CPU, LEASE).await.unwrap();
    }
    assert_eq!(worker.malformed(), bad.len() as u64 + 1);
}

#[tokio::test]
async fn malformed_specs_and_job_names_are_skipped() {
    let farm = RedisFarm::start().await;
    let server = &farm.server;
    server.ask::<i64>(&["ZADD", JOBS, "9", "no job", "8", "{x}"]);
    let plant = |spec: &[u8]| {
        let id = JobId::generate();
        let keys = JobKeys::new(&id);
        server.ask::<()>(&[b"SET", keys.spec.as_bytes(), spec]);
        server.ask::<i64>(&["ZADD", JOBS, "7", id.as_str()]);
        server.ask::<String>(&["XADD", &keys.queue, "*", "v", "2", "s", "0"]);
        server.ask::<()>(&["XGROUP", "CREATE", &keys.queue, "w", "0"]);
    };
    plant(b"not json");
    plant(b"{\"version\":77}");
    plant(&vec![b' '; 5 << 20]);
    // A whole spec, but another job's.
    plant(&farm_queue::protocol::spec::encode(&job(1), None).unwrap());
    let job = job(1);
    submit(&farm, &job).await;
    let worker = farm.worker("w").await;
    assert_eq!(lease(&worker).await.job.id, job.id);
    assert!(
        worker
            .lease(CPU, Duration::from_millis(100))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(worker.malformed(), 4);
}
