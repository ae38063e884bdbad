//! From queue to files: keeps a window of strips queued, takes what workers deliver, hands strips in
//! order to the files. The same loop in process and on a farm.
//!
//! Queueing and looking for results are tasks of their own: the queue may be out of reach or full for a
//! while, and then what relieves it must go on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use farm_queue::job::MAX_DELIVERIES;
use farm_queue::{Collected, JobQueue, JobSpec, Order, QueueError};
use fractal::{BackendChoice, Strip};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use crate::assembly::Assembly;
use crate::bar::Bar;
use crate::output::Writer;
use crate::patience::Patience;
use crate::report::Tally;

/// How long one look for results waits.
const WAIT: Duration = Duration::from_millis(500);
/// How long nothing may come before the user is told who is there.
const SILENCE: Duration = Duration::from_secs(5);
/// Batches of results that may wait here, and of strips that may wait to be queued.
const BATCHES: usize = 2;

/// Why a picture was not finished.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The queue stayed out of reach, or answered what it should not.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A strip failed on every worker that had it.
    #[error("strip {strip} (rows from {row0}) failed {}", reasons_of(reasons))]
    Dead {
        /// Index of the strip.
        strip: u32,
        /// Its first row.
        row0: u32,
        /// What workers said.
        reasons: Vec<String>,
    },
    /// A file's thread ended early; the file says why.
    #[error("a file could not be written")]
    Output,
    /// The user or the system asked to stop.
    #[error("interrupted")]
    Interrupted,
}

fn reasons_of(reasons: &[String]) -> String {
    if reasons.is_empty() {
        "and nobody said why".to_owned()
    } else {
        format!("each time: {}", reasons.join("; "))
    }
}

/// Renders the strips of a created job into `writers` until all have left, `bar` and `tally` told of each.
/// `on_farm` says that workers are elsewhere, and may not be there at all.
///
/// # Errors
/// The first thing that keeps the picture from being finished. The job is still in the queue then, as it
/// is after success: the caller ends it.
pub async fn collect<Q: JobQueue>(
    queue: &Arc<Q>,
    job: &Arc<JobSpec>,
    writers: &[Writer],
    bar: &Bar,
    tally: &mut Tally,
    on_farm: bool,
    interrupt: impl Future<Output = ()>,
) -> Result<(), CollectError> {
    let strip_bytes = u64::from(job.strips.strip_rows)
        * u64::from(job.frame.width)
        * job.frame.measures.bytes_per_pixel() as u64;
    let window = u32::try_from(queue.window_bytes() / strip_bytes.max(1)).unwrap_or(u32::MAX);
    let mut assembly = Assembly::new(job.strips, window);
    let mut rejections = Rejections::default();
    let (found, mut results) = channel(BATCHES);
    let (feed, wanted) = channel(BATCHES);
    let _tasks = [
        AbortOnDrop(tokio::spawn(feeding(
            Arc::clone(queue),
            Arc::clone(job),
            wanted,
            found.clone(),
        ))),
        AbortOnDrop(tokio::spawn(listening(
            Arc::clone(queue),
            Arc::clone(job),
            found,
        ))),
    ];
    tokio::pin!(interrupt);
    let silence = tokio::time::sleep(SILENCE);
    tokio::pin!(silence);
    // In process the workers are known to be there.
    let mut told = !on_farm;
    // At most a window of strips.
    let mut to_queue: Vec<Strip> = Vec::new();
    while !assembly.is_complete() {
        to_queue.extend(assembly.strips_to_queue());
        let batch = tokio::select! {
            batch = results.recv() => batch,
            Ok(place) = feed.reserve(), if !to_queue.is_empty() => {
                place.send(std::mem::take(&mut to_queue));
                continue;
            }
            () = &mut silence, if !told => {
                told = true;
                tell_who_is_there(queue, job).await;
                continue;
            }
            () = &mut interrupt => return Err(CollectError::Interrupted),
        };
        // Both tasks end with an error as their last word, never without one.
        let Some(batch) = batch else {
            return Err(CollectError::Interrupted);
        };
        for found in batch? {
            told = true;
            to_queue.extend(take(&mut assembly, &mut rejections, found, tally)?);
        }
        bar.workers(tally.workers_seen());
        while let Some(strip) = assembly.next() {
            bar.strip();
            for writer in writers {
                tokio::select! {
                    sent = writer.send(Arc::clone(&strip)) => if !sent { return Err(CollectError::Output) },
                    () = &mut interrupt => return Err(CollectError::Interrupted),
                }
            }
        }
    }
    Ok(())
}

/// How often each strip's results were rejected: a worker whose results nobody can read must not keep a
/// strip for ever.
#[derive(Default)]
struct Rejections(HashMap<u32, Vec<String>>);

/// One result: into the assembly, or its strip back to the queue.
fn take(
    assembly: &mut Assembly,
    rejections: &mut Rejections,
    found: Collected,
    tally: &mut Tally,
) -> Result<Option<Strip>, CollectError> {
    let dead = |strip: Strip, reasons| CollectError::Dead {
        strip: strip.index,
        row0: strip.row0,
        reasons,
    };
    match found {
        Collected::Strip {
            buffer,
            worker,
            attempt,
            ..
        } => {
            if assembly.accept(Arc::clone(&buffer)) {
                tally.count(&buffer, &worker, attempt);
                rejections.0.remove(&buffer.strip.index);
            }
            Ok(None)
        }
        Collected::Rejected { strip, reason } => {
            tracing::warn!(
                strip = strip.map(|strip| strip.index),
                reason,
                "result rejected"
            );
            tally.rejected += 1;
            let Some(strip) = strip.filter(|strip| assembly.awaits(strip.index)) else {
                return Ok(None);
            };
            let reasons = rejections.0.entry(strip.index).or_default();
            reasons.push(reason);
            if reasons.len() >= MAX_DELIVERIES as usize {
                return Err(dead(strip, std::mem::take(reasons)));
            }
            Ok(Some(strip))
        }
        Collected::Dead { strip, reasons, .. } if assembly.awaits(strip.index) => {
            Err(dead(strip, reasons))
        }
        Collected::Dead { .. } => Ok(None),
    }
}

/// Says once who could be working when nothing has come: a farm without workers, or without such as the
/// job asks for, would be waited for in silence.
async fn tell_who_is_there<Q: JobQueue>(queue: &Arc<Q>, job: &JobSpec) {
    let asked = match job.backend {
        BackendChoice::Auto => "any backend",
        BackendChoice::Cpu => "--backend cpu",
        BackendChoice::Gpu => "--backend gpu",
    };
    match queue.workers().await {
        Ok(0) => {
            tracing::warn!("no worker is on the farm; start farm-worker with the same --redis");
        }
        Ok(workers) => tracing::warn!(
            workers,
            "no strip has come yet; the job asks for {asked}, and a strip may simply take this long"
        ),
        Err(error) => tracing::warn!(%error, "cannot ask who is on the farm"),
    }
}

type Batch = Result<Vec<Collected>, QueueError>;

/// Queues strips as they are wanted.
async fn feeding<Q: JobQueue>(
    queue: Arc<Q>,
    job: Arc<JobSpec>,
    mut wanted: Receiver<Vec<Strip>>,
    found: Sender<Batch>,
) {
    while let Some(strips) = wanted.recv().await {
        let mut patience = Patience::new();
        // Queued twice is harmless, so an unknown outcome is tried again.
        let orders: Vec<Order> = strips.into_iter().map(Order::from).collect();
        while let Err(error) = queue.enqueue(&job.id, &orders).await {
            if let Err(error) = patience.bear(error, "strips not queued").await {
                let _ = found.send(Err(error)).await;
                return;
            }
        }
    }
}

/// Looks for results. Its own task also because a look that is given up half-way could lose what it found.
async fn listening<Q: JobQueue>(queue: Arc<Q>, job: Arc<JobSpec>, found: Sender<Batch>) {
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

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
