//! The three tasks that talk with the queue while strips are collected: one queues strips, one looks for results,
//! one tends to the rest.
//!
//! The queue may be out of reach or full for a while, and then what relieves it must go on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::{
    Collected, Issue, JobOrders, JobQueue, JobReport, JobSpec, Order, QueueError, UnderWay,
};
use fractal::Strip;
use tokio::sync::mpsc::{Receiver, Sender};

use crate::queue::Queue;
use crate::queue::retry::Patience;

/// How long one look for results waits.
const WAIT: Duration = Duration::from_millis(500);
/// How often a job that the queue does not know any more is brought back at once, without any result in between, and how
/// long it waits before each time after those.
const AT_ONCE: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(500);

/// What is heard of the queue.
#[derive(Debug)]
pub enum Heard {
    /// Results.
    Results(Vec<Collected>),
    /// These strips are on the queue now.
    Queued(Vec<u32>),
    /// The queue was out of reach, or came back without the job: it may have lost strips.
    Trouble,
    /// How operators want it; `None` where the queue did not say.
    Orders(Option<JobOrders>),
    /// Who has what; `None` where the queue did not say.
    UnderWay(Option<UnderWay>),
    /// How many workers are on the farm; `None` where the queue did not say.
    Workers(Option<usize>),
    /// Why workers failed; `None` where the queue did not say.
    Failures(Option<Vec<String>>),
    /// Strips that the queue does not hold; `None` where it did not say.
    Missing(Option<Vec<Strip>>),
    /// Nothing can be had of the queue any more; the last word.
    Failed(QueueError),
}

/// What the queue is asked for beside strips.
#[derive(Debug)]
pub enum Ask {
    /// A sign of life.
    Report(Box<JobReport>),
    /// Who has what.
    UnderWay,
    /// To keep the job, where this process ends: another one could go on with it from now on.
    Outlive,
    /// How many workers there are.
    Workers,
    /// Why workers failed.
    Failures,
    /// To make whole what it lost, and to say which of these strips it does not hold.
    Repair(Vec<Strip>),
    /// To keep a worker from getting strips.
    Quarantine {
        /// Its name.
        worker: String,
        /// Why.
        reason: String,
    },
}

/// Queues strips as they are wanted.
pub async fn feed_strips(
    queue: Queue,
    job: Arc<JobSpec>,
    limit: Duration,
    mut wanted: Receiver<Vec<Order>>,
    heard: Sender<Heard>,
) {
    while let Some(orders) = wanted.recv().await {
        let mut patience = Patience::new(limit);
        let mut revivals = Revivals::new(limit);
        // Queued twice is harmless, so an unknown outcome is tried again.
        while let Err(error) = queue.enqueue(&job.id, &orders).await {
            if let Err(error) = bear(
                &queue,
                &job,
                &mut patience,
                &mut revivals,
                error,
                "strips not queued",
            )
            .await
            {
                let _ = heard.send(Heard::Failed(error)).await;
                return;
            }
        }
        let rendered = orders.iter().filter(|order| order.issue == Issue::Render);
        let queued = rendered.map(|order| order.strip.index).collect();
        let trouble = patience.over() || revivals.count > 0;
        if heard.send(Heard::Queued(queued)).await.is_err()
            || trouble && heard.send(Heard::Trouble).await.is_err()
        {
            return;
        }
    }
}

/// Looks for results. Its own task also because a look that is given up half-way could lose what it found.
pub async fn listen_for_results(
    queue: Queue,
    job: Arc<JobSpec>,
    limit: Duration,
    heard: Sender<Heard>,
) {
    let mut patience = Patience::new(limit);
    let mut revivals = Revivals::new(limit);
    loop {
        match queue.collect(&job.id, WAIT).await {
            Ok(batch) => {
                let trouble = patience.over() || revivals.count > 0;
                if !batch.is_empty() {
                    revivals = Revivals::new(limit);
                }
                if heard.send(Heard::Results(batch)).await.is_err()
                    || trouble && heard.send(Heard::Trouble).await.is_err()
                {
                    return;
                }
            }
            Err(error) => {
                if let Err(error) = bear(
                    &queue,
                    &job,
                    &mut patience,
                    &mut revivals,
                    error,
                    "no results",
                )
                .await
                {
                    let _ = heard.send(Heard::Failed(error)).await;
                    return;
                }
            }
        }
    }
}

/// How often the queue lost a job without any result in between, and since when: it may be thrown away again and again
/// while the queue's memory is short.
#[derive(Debug)]
struct Revivals {
    limit: Duration,
    since: Option<Instant>,
    count: u32,
}

impl Revivals {
    /// None yet; so long may they go on.
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            since: None,
            count: 0,
        }
    }

    /// How long to wait before the next one; `None` when it has been long enough.
    fn pause(&mut self) -> Option<Duration> {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.count += 1;
        match self.count {
            ..=AT_ONCE => Some(Duration::ZERO),
            _ => (since.elapsed() < self.limit).then_some(BETWEEN),
        }
    }
}

/// Waits before the next try; a job that is gone is brought back first.
async fn bear(
    queue: &Queue,
    job: &Arc<JobSpec>,
    patience: &mut Patience,
    revivals: &mut Revivals,
    error: QueueError,
    what: &str,
) -> Result<(), QueueError> {
    let pause = match &error {
        QueueError::JobGone(_) => revivals.pause(),
        _ => None,
    };
    let Some(pause) = pause else {
        return patience.bear(error, what).await;
    };
    tokio::time::sleep(pause).await;
    match queue.repair(&job.id, &[]).await {
        Ok(_) => {
            tracing::warn!(job = %job.id, "the queue had lost the job; it is there again");
            Ok(())
        }
        Err(error) => patience.bear(error, what).await,
    }
}

/// Does what is asked, one after the other; each is answered.
pub async fn tend_to_job(
    queue: Queue,
    job: Arc<JobSpec>,
    mut asks: Receiver<Ask>,
    heard: Sender<Heard>,
) {
    while let Some(ask) = asks.recv().await {
        let (answer, error) = match ask {
            Ask::Report(report) => {
                let (orders, error) = told(queue.report(&job.id, &report).await);
                (Heard::Orders(orders), error)
            }
            Ask::Outlive => {
                // What was not heard now is so with the next sign of life.
                let (_, error) = told(queue.outlive(&job.id).await);
                (Heard::Orders(None), error)
            }
            Ask::UnderWay => {
                let (under_way, error) = told(queue.under_way(&job.id).await);
                (Heard::UnderWay(under_way), error)
            }
            Ask::Workers => {
                let (workers, error) = told(queue.workers().await);
                (Heard::Workers(workers), error)
            }
            Ask::Failures => {
                let (failures, error) = told(queue.failures(&job.id).await);
                (Heard::Failures(failures), error)
            }
            Ask::Repair(awaited) => {
                let (missing, error) = told(queue.repair(&job.id, &awaited).await);
                (Heard::Missing(missing), error)
            }
            Ask::Quarantine { worker, reason } => {
                tracing::warn!(worker, reason, "quarantined");
                let (_, error) = told(queue.quarantine(&worker, &reason).await);
                (Heard::Orders(None), error)
            }
        };
        let last = match error {
            Some(error @ QueueError::Cancelled(_)) => Some(Heard::Failed(error)),
            // Those who queue and listen bear with it, or do not.
            Some(error) => {
                tracing::debug!(%error, "the queue was asked in vain");
                None
            }
            None => None,
        };
        if heard.send(answer).await.is_err() {
            return;
        }
        if let Some(last) = last {
            let _ = heard.send(last).await;
            return;
        }
    }
}

fn told<T>(answer: Result<T, QueueError>) -> (Option<T>, Option<QueueError>) {
    match answer {
        Ok(answer) => (Some(answer), None),
        Err(error) => (None, Some(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_lost_again_and_again_is_brought_back_for_as_long_as_anything_is_borne() {
        let mut patient = Revivals::new(Duration::from_secs(600));
        for _ in 0..AT_ONCE {
            assert_eq!(patient.pause(), Some(Duration::ZERO));
        }
        for _ in 0..100 {
            assert_eq!(patient.pause(), Some(BETWEEN));
        }
        let mut hasty = Revivals::new(Duration::ZERO);
        let brought = std::iter::from_fn(|| hasty.pause()).take(100).count();
        assert_eq!(brought, AT_ONCE as usize);
    }
}
