//! Jobs of farms with a key.

use std::sync::Arc;

use farm_queue::protocol::keys::{JOBS, JobKeys};
use farm_queue::protocol::signing::FarmKey;
use farm_queue::protocol::spec;
use farm_queue::redis::ConnectOptions;
use farm_queue::{JobQueue, JobSpec, QueueError, RedisJobQueue};

use crate::samples::job;
use crate::server::Server;

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
    // Its own is taken up, and one whose signature nobody asks for.
    planted(Some(&wanted), Some(&ours));
    let queue = submitter(&server, Some(ours.clone())).await;
    queue.create(Arc::clone(&wanted)).await.unwrap();
    let open = submitter(&server, None).await;
    open.create(Arc::clone(&wanted)).await.unwrap();
    planted(Some(&greedy), None);
    let refused = submitter(&server, None).await.create(wanted).await;
    assert!(matches!(refused, Err(QueueError::Spec(_))), "{refused:?}");
}
