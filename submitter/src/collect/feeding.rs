//! The two tasks that talk with the queue while strips are collected: one queues strips, one looks for results.
//!
//! The queue may be out of reach or full for a while, and then what relieves it must go on.

use std::sync::Arc;
use std::time::Duration;

use farm_queue::{Collected, JobQueue, JobSpec, QueueError};
use fractal::Strip;
use tokio::sync::mpsc::{Receiver, Sender};

use crate::patience::Patience;

/// How long one look for results waits.
const WAIT: Duration = Duration::from_millis(500);

/// What a look for results found.
pub type Batch = Result<Vec<Collected>, QueueError>;

/// Queues strips as they are wanted.
pub async fn feeding<Q: JobQueue>(
    queue: Arc<Q>,
    job: Arc<JobSpec>,
    mut wanted: Receiver<Vec<Strip>>,
    found: Sender<Batch>,
) {
    while let Some(strips) = wanted.recv().await {
        let mut patience = Patience::new();
        // Queued twice is harmless, so an unknown outcome is tried again.
        while let Err(error) = queue.enqueue(&job.id, &strips).await {
            if let Err(error) = patience.bear(error, "strips not queued").await {
                let _ = found.send(Err(error)).await;
                return;
            }
        }
    }
}

/// Looks for results. Its own task also because a look that is given up half-way could lose what it found.
pub async fn listening<Q: JobQueue>(queue: Arc<Q>, job: Arc<JobSpec>, found: Sender<Batch>) {
    let mut patience = Patience::new();
    loop {
        let batch = match queue.collect(&job.id, WAIT).await {
            Ok(batch) => {
                patience = Patience::new();
                Ok(batch)
            }
            Err(error) => match patience.bear(error, "no results").await {
                Ok(()) => continue,
                Err(error) => Err(error),
            },
        };
        let last = batch.is_err();
        if found.send(batch).await.is_err() || last {
            return;
        }
    }
}
