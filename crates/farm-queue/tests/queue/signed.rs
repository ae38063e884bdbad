//! Jobs, results and failures on farms with a key.

use std::sync::Arc;

use farm_queue::protocol::keys::{JOBS, JobKeys};
use farm_queue::protocol::signing::FarmKey;
use farm_queue::protocol::{blob, sealed, spec};
use farm_queue::redis::ConnectOptions;
use farm_queue::{
    Collected, Issue, JobQueue, JobSpec, QueueError, RedisJobQueue, RedisWorkerQueue, WorkerQueue,
};

use crate::setup::samples::*;
use crate::setup::server::Server;
use crate::setup::steps::{collect, lease, plant};

fn key(of: u8) -> FarmKey {
    FarmKey::new(&[of; 32]).unwrap()
}

async fn submitter(server: &Server, key: Option<FarmKey>) -> RedisJobQueue {
    let mut options = ConnectOptions::new(server.url());
    options.farm_key = key;
    RedisJobQueue::connect(&options).await.unwrap()
}

#[tokio::test]
async fn a_submitter_takes_up_no_job_that_it_did_not_sign() {
    let server = Server::start();
    let (ours, theirs) = (key(1), key(2));
    let wanted = job(3);
    let planted = |spec: Option<&JobSpec>, key: Option<&FarmKey>| {
        let text = match spec {
            Some(spec) => spec::encode(spec, key).unwrap(),
            None => b"no spec".to_vec(),
        };
        let name = JobKeys::new(&wanted.id).spec;
        server.ask::<()>(&[b"SET", name.as_bytes(), &text]);
    };
    // The same name, more work.
    let greedy = JobSpec {
        id: wanted.id.clone(),
        ..JobSpec::clone(&job(300))
    };
    for (spec, signed) in [
        (Some(&*wanted), None),
        (Some(&*wanted), Some(&theirs)),
        (Some(&greedy), Some(&ours)),
        (None, None),
    ] {
        planted(spec, signed);
        let queue = submitter(&server, Some(ours.clone())).await;
        let refused = queue.create(Arc::clone(&wanted)).await;
        assert!(matches!(refused, Err(QueueError::Spec(_))), "{refused:?}");
        let offered: u64 = server.ask(&["ZCARD", JOBS]);
        assert_eq!(offered, 0, "workers are not offered it");
    }
    // Its own is taken up; one that was signed is not by somebody who cannot check it.
    planted(Some(&wanted), Some(&ours));
    let queue = submitter(&server, Some(ours.clone())).await;
    queue.create(Arc::clone(&wanted)).await.unwrap();
    let open = submitter(&server, None).await;
    let refused = open.create(Arc::clone(&wanted)).await;
    assert!(matches!(refused, Err(QueueError::Spec(_))), "{refused:?}");
    planted(Some(&greedy), None);
    let refused = submitter(&server, None).await.create(wanted).await;
    assert!(matches!(refused, Err(QueueError::Spec(_))), "{refused:?}");
}

async fn worker(server: &Server, name: &str, key: &FarmKey) -> RedisWorkerQueue {
    let mut options = ConnectOptions::new(server.url());
    options.farm_key = Some(key.clone());
    RedisWorkerQueue::connect_with_lease(options, name, LEASE)
        .await
        .unwrap()
}

/// A farm with a key, and a job of one strip that is queued on it.
async fn farm_with_a_job(server: &Server) -> (FarmKey, RedisJobQueue, Arc<JobSpec>) {
    let farm = key(1);
    let jobs = submitter(server, Some(farm.clone())).await;
    let wanted = job(1);
    jobs.create(Arc::clone(&wanted)).await.unwrap();
    jobs.enqueue(&wanted.id, &orders(&wanted)).await.unwrap();
    (farm, jobs, wanted)
}

#[tokio::test]
async fn a_farm_with_a_key_takes_what_its_workers_sealed_and_nothing_else() {
    let server = Server::start();
    let (farm, jobs, wanted) = farm_with_a_job(&server).await;
    let strip = strips(&wanted)[0];
    let own = |name| FarmKey::new(farm.worker_key(name).unwrap().as_bytes()).unwrap();
    let forged = buffer(&wanted, strip, 66.0);
    let sealed = |name: &str, key: &FarmKey, spec: &JobSpec, issue| {
        let parts = blob::parts(&wanted.id, &forged, name, 1);
        let parts = parts.sealed(&blob::Sealer::new(key, spec), issue, name);
        parts.pieces().flatten().copied().collect::<Vec<u8>>()
    };
    let mut other = JobSpec::clone(&wanted);
    other.frame.iterations += 1;
    let ours = |name: &str, key: &FarmKey, issue| sealed(name, key, &wanted, issue);
    let render = Issue::Render;
    for (what, bytes, says) in [
        (
            "no seal",
            blob::encode(&wanted.id, &forged, "honest", 1),
            "without a seal",
        ),
        (
            "another farm's key",
            ours("honest", &key(2), render),
            "whose seal",
        ),
        (
            "another worker's key",
            ours("honest", &own("other"), render),
            "whose seal",
        ),
        (
            "an audit",
            ours("honest", &own("honest"), Issue::Audit),
            "whose seal",
        ),
        (
            "another picture",
            sealed("honest", &own("honest"), &other, render),
            "whose seal",
        ),
        ("nobody", ours("", &farm, render), "name"),
    ] {
        plant(&server, &wanted, &bytes);
        match &collect(&jobs, &wanted.id, 1).await[0] {
            Collected::Rejected {
                strip: Some(of),
                reason,
            } => {
                assert!(*of == strip && reason.contains(says), "{what}: {reason}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    // Control: what its worker sealed, with its own key or the farm's, is taken.
    for name in ["honest", "keeper"] {
        jobs.enqueue(&wanted.id, &[strip.into()]).await.unwrap();
        let key = if name == "keeper" {
            farm.clone()
        } else {
            own(name)
        };
        let worker = worker(&server, name, &key).await;
        let lease = lease(&worker).await;
        worker
            .deliver(&lease, buffer_for(&lease, 5.0))
            .await
            .unwrap();
        let collected = collect(&jobs, &wanted.id, 1).await;
        assert_eq!(value_of(&collected[0]), (0, 5.0), "{name}");
        server.ask::<i64>(&["SETBIT", &JobKeys::new(&wanted.id).bits, "0", "0"]);
    }
}

#[tokio::test]
async fn whoever_has_no_key_reports_no_failure_of_others() {
    let server = Server::start();
    let (farm, jobs, wanted) = farm_with_a_job(&server).await;
    let own = |name| FarmKey::new(farm.worker_key(name).unwrap().as_bytes()).unwrap();
    // One that failed says so itself; of others nobody may say it.
    let failing = worker(&server, "failing", &own("failing")).await;
    let first = lease(&failing).await;
    failing.fail(&first, "out of memory").await.unwrap();
    drop(failing);
    let keys = JobKeys::new(&wanted.id);
    let said: String = server.ask(&["HGET", &keys.why, "0"]);
    assert!(said.contains("failing: out of memory #"), "{said}");
    let plain = sealed::sealed_reason("honest: burnt", &own("other"), &wanted.id, 0);
    let more = format!("{said}\nhonest: burnt\nhonest.1.0: no heartbeat\n{plain}");
    server.ask::<i64>(&["HSET", &keys.why, "0", &more]);
    let honest = worker(&server, "honest", &own("honest")).await;
    let second = lease(&honest).await;
    assert_eq!(second.attempt, 2);
    honest
        .deliver(&second, buffer_for(&second, 5.0))
        .await
        .unwrap();
    match &collect(&jobs, &wanted.id, 1).await[0] {
        Collected::Strip {
            failed_workers,
            worker,
            ..
        } => {
            assert_eq!(
                (failed_workers.as_slice(), worker.as_str()),
                (&["failing".to_owned()][..], "honest")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_workers_key_is_of_use_to_that_worker_alone() {
    let server = Server::start();
    let mut options = ConnectOptions::new(server.url());
    let line = key(1).worker_key("box").unwrap();
    options.farm_key = Some(FarmKey::new(line.as_bytes()).unwrap());
    let refused = |error: Option<QueueError>, says: &str| {
        let said = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(says), "{said:?}");
    };
    let other = RedisWorkerQueue::connect(&options, "other").await.err();
    refused(other, "that of the worker \"box\"");
    let submitting = RedisJobQueue::connect(&options).await.err();
    refused(submitting, "a submitter needs the farm's own");
    let nameless = RedisWorkerQueue::connect(server.url(), " ").await.err();
    refused(nameless, "a worker's name is empty");
    RedisWorkerQueue::connect(&options, "box").await.unwrap();
}
