//! From queue to files: keeps a window of strips queued, takes what workers deliver, hands strips in
//! order to the files. The same loop in process and on a farm.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::{Collected, JobQueue, JobSpec, QueueError};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;

use crate::assembly::Assembly;
use crate::bar::Bar;
use crate::output::Writer;
use crate::report::Tally;

/// How long one look for results waits.
const WAIT: Duration = Duration::from_millis(500);
/// How long the queue may be out of reach before the render gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// First and longest pause between two tries to reach it.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Batches of results that may wait here.
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
///
/// # Errors
/// The first thing that keeps the picture from being finished. The job is still in the queue then, as it
/// is after success: the caller ends it.
pub async fn collect<Q: JobQueue>(
    queue: &Arc<Q>,
    job: &JobSpec,
    writers: &[Writer],
    bar: &Bar,
    tally: &mut Tally,
    interrupt: impl Future<Output = ()>,
) -> Result<(), CollectError> {
    let strip_bytes = u64::from(job.strips.strip_rows)
        * u64::from(job.frame.width)
        * job.frame.measures.bytes_per_pixel() as u64;
    let window = u32::try_from(queue.window_bytes() / strip_bytes.max(1)).unwrap_or(u32::MAX);
    let mut assembly = Assembly::new(job.strips, window);
    let (mut results, listener) = listen(Arc::clone(queue), job);
    let _listener = AbortOnDrop(listener);
    tokio::pin!(interrupt);
    while !assembly.is_complete() {
        let strips = assembly.strips_to_queue();
        if !strips.is_empty() {
            queue.enqueue(&job.id, &strips).await?;
        }
        let batch = tokio::select! {
            batch = results.recv() => batch,
            () = &mut interrupt => return Err(CollectError::Interrupted),
        };
        // The listener ends with an error as its last word, never without one.
        let Some(batch) = batch else {
            return Err(CollectError::Interrupted);
        };
        for found in batch? {
            take(queue, job, &mut assembly, found, tally).await?;
        }
        bar.workers(tally.workers_seen());
        while let Some(strip) = assembly.next() {
            bar.strip(&strip);
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

/// One result: into the assembly, or back into the queue.
async fn take<Q: JobQueue>(
    queue: &Arc<Q>,
    job: &JobSpec,
    assembly: &mut Assembly,
    found: Collected,
    tally: &mut Tally,
) -> Result<(), CollectError> {
    match found {
        Collected::Strip {
            buffer,
            worker,
            attempt,
        } => {
            if assembly.accept(Arc::clone(&buffer)) {
                tally.count(&buffer, &worker, attempt);
            }
        }
        Collected::Rejected { strip, reason } => {
            tracing::warn!(
                strip = strip.map(|strip| strip.index),
                reason,
                "result rejected"
            );
            tally.rejected += 1;
            if let Some(strip) = strip.filter(|strip| assembly.awaits(strip.index)) {
                queue.enqueue(&job.id, &[strip]).await?;
            }
        }
        Collected::Dead { strip, reasons } => {
            if assembly.awaits(strip.index) {
                return Err(CollectError::Dead {
                    strip: strip.index,
                    row0: strip.row0,
                    reasons,
                });
            }
        }
    }
    Ok(())
}

type Batch = Result<Vec<Collected>, QueueError>;

/// Looks for results on a task of its own: a look that is given up half-way could lose what it found.
fn listen<Q: JobQueue>(queue: Arc<Q>, job: &JobSpec) -> (Receiver<Batch>, JoinHandle<()>) {
    let (found, results) = channel(BATCHES);
    let job = job.id.clone();
    let listener = tokio::spawn(async move {
        let mut trouble: Option<Instant> = None;
        let mut pause = BACK_OFF.0;
        loop {
            let batch = queue.collect(&job, WAIT).await;
            match &batch {
                Ok(_) => (trouble, pause) = (None, BACK_OFF.0),
                Err(error @ (QueueError::Unreachable { .. } | QueueError::OutOfMemory(_)))
                    if trouble.get_or_insert_with(Instant::now).elapsed() < PATIENCE =>
                {
                    tracing::warn!(%error, "no results; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BACK_OFF.1);
                    continue;
                }
                Err(_) => {}
            }
            let last = batch.is_err();
            if found.send(batch).await.is_err() || last {
                return;
            }
        }
    });
    (results, listener)
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
