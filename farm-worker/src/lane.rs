//! One device and the strips it works on: lease, compute, deliver.
//!
//! A lane has a few slots, each a task with a strip of its own, so that while one strip is computed
//! another one is uploaded, read back or delivered. Slots take turns at the device: a strip on its way
//! back keeps none, so that slow deliveries do not leave the device idle.

use std::sync::Arc;
use std::time::Duration;

use engine::{Device, EngineError, PreparedFrame, Progress};
use farm_queue::{Accepts, Delivered, Lease, QueueError, WorkerQueue};
use fractal::{Backend, BackendChoice, Strip, StripBuffer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::keepalive::{Gone, keep_alive};
use crate::shared::{Shared, Stop};

/// How long one call waits for a strip before it asks again.
const LEASE_WAIT: Duration = Duration::from_secs(5);
/// First and longest pause after a failure of the queue or of a device.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Pauses that double from one failure to the next.
struct BackOff {
    next: Duration,
}

impl BackOff {
    fn new() -> Self {
        Self { next: BACK_OFF.0 }
    }

    async fn pause(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(BACK_OFF.1);
    }
}

/// How a strip left this worker.
enum Outcome {
    /// Delivered, released, or no longer ours: go on at once.
    Done,
    /// Failed on this device: pause before the next one.
    Failed,
}

/// One slot of a lane: takes one strip after the other until the worker is told to stop.
pub(crate) async fn run_slot<Q: WorkerQueue>(
    shared: Arc<Shared<Q>>,
    device: Arc<Device>,
    turns: Arc<Semaphore>,
) {
    let accepts = accepts(&device, shared.settings.backend);
    let mut stop = shared.stop.clone();
    let mut queue_trouble = BackOff::new();
    let mut device_trouble = BackOff::new();
    while *stop.borrow_and_update() == Stop::No {
        let mut turn = tokio::select! {
            turn = Arc::clone(&turns).acquire_owned() => turn.ok(),
            _ = stop.changed() => break,
        };
        let leased = tokio::select! {
            leased = shared.queue.lease(accepts, LEASE_WAIT) => leased,
            _ = stop.changed() => break,
        };
        match leased {
            Ok(Some(lease)) => {
                queue_trouble = BackOff::new();
                match serve(&shared, &device, lease, &mut turn).await {
                    Outcome::Done => device_trouble = BackOff::new(),
                    Outcome::Failed => device_trouble.pause().await,
                }
            }
            Ok(None) => queue_trouble = BackOff::new(),
            Err(error) => {
                tracing::warn!(%error, "cannot lease; trying again");
                tokio::select! {
                    () = queue_trouble.pause() => {}
                    _ = stop.changed() => break,
                }
            }
        }
    }
}

/// What a lane takes: its device's own kind; and on a worker that may use anything, an adapter's lane
/// also takes jobs that are pinned to the processor.
fn accepts(device: &Device, choice: BackendChoice) -> Accepts {
    let backend = device.info().backend;
    Accepts {
        cpu: backend == Backend::Cpu || choice == BackendChoice::Auto,
        gpu: backend == Backend::Gpu,
    }
}

/// Takes one strip from lease to delivery, and gives up the turn when it is computed; not where that failed,
/// so that the pause which follows is the device's.
#[tracing::instrument(skip_all, fields(job = %lease.job.id, strip = lease.strip.index, attempt = lease.attempt, device = %device.info().name))]
async fn serve<Q: WorkerQueue>(
    shared: &Arc<Shared<Q>>,
    device: &Arc<Device>,
    lease: Lease,
    turn: &mut Option<OwnedSemaphorePermit>,
) -> Outcome {
    let progress = Arc::new(Progress::default());
    // Whichever way this function is left, the computation does not run on for nobody.
    let _cancel = CancelOnDrop(Arc::clone(&progress));
    let mut stop = shared.stop.clone();
    let work = async {
        let computed = {
            let (shared, device, lease, progress) = (
                Arc::clone(shared),
                Arc::clone(device),
                lease.clone(),
                Arc::clone(&progress),
            );
            tokio::task::spawn_blocking(move || compute(&shared, &device, &lease, &progress))
        };
        let buffer = match computed.await {
            Ok(Ok(buffer)) => Arc::new(buffer),
            Ok(Err(reason)) => return Err(reason),
            Err(panic) => return Err(format!("the kernel panicked: {panic}")),
        };
        drop(turn.take());
        Ok((deliver(shared, &lease, Arc::clone(&buffer)).await, buffer))
    };
    let kept = tokio::select! {
        kept = keep_alive(&shared.queue, &lease, work) => kept,
        () = told_to_drop(&mut stop) => {
            progress.cancel();
            if let Err(error) = shared.queue.release(&lease).await {
                tracing::warn!(%error, "strip not released; its lease will expire");
            }
            return Outcome::Done;
        }
    };
    match kept {
        Ok(Ok((Delivered::First, buffer))) => {
            shared.tally.count(&buffer);
            tracing::debug!(busy_secs = buffer.busy_secs, "delivered");
            Outcome::Done
        }
        Ok(Ok((Delivered::Duplicate, _))) => {
            tracing::debug!("somebody else was first");
            Outcome::Done
        }
        Ok(Ok((Delivered::JobGone, _))) | Err(Gone::Job) => Outcome::Done,
        Err(Gone::Lost) => {
            tracing::warn!("lease lost; the strip is somebody else's now");
            Outcome::Done
        }
        Ok(Err(reason)) => {
            tracing::error!(reason, "strip failed");
            if let Err(error) = shared.queue.fail(&lease, &reason).await {
                tracing::warn!(%error, "failure not reported; the lease will expire");
            }
            Outcome::Failed
        }
    }
}

/// Waits until strips in hand are to be given back; for ever when the worker just goes on or ends.
async fn told_to_drop(stop: &mut watch::Receiver<Stop>) {
    if stop.wait_for(|stop| *stop == Stop::Now).await.is_err() {
        std::future::pending::<()>().await;
    }
}

struct CancelOnDrop(Arc<Progress>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Computes a strip on the lane's device, or on the processor where the device has no kernel that
/// serves the view or has failed twice, and the job admits it.
fn compute<Q>(
    shared: &Shared<Q>,
    device: &Device,
    lease: &Lease,
    progress: &Progress,
) -> Result<StripBuffer, String> {
    let frame: Arc<PreparedFrame> = shared
        .frames
        .get(&lease.job)
        .map_err(|error| error.to_string())?;
    let strip: Strip = lease.strip;
    let choice = lease.job.backend;
    let insist = choice == BackendChoice::Gpu;
    let computed = if choice.admits(device.info().backend) {
        device.compute(&frame, strip, insist, progress)
    } else {
        shared.cpu().compute(&frame, strip, insist, progress)
    };
    match computed {
        Err(error @ (EngineError::DeviceLost { .. } | EngineError::NotServed { .. }))
            if device.info().backend == Backend::Gpu && choice.admits(Backend::Cpu) =>
        {
            tracing::warn!(%error, strip = strip.index, "computing on the processor instead");
            shared
                .cpu()
                .compute(&frame, strip, insist, progress)
                .map_err(|error| error.to_string())
        }
        other => other.map_err(|error| error.to_string()),
    }
}

/// Delivers, again and again while the queue cannot be reached or is full: the lease's heartbeats tell
/// when to stop.
async fn deliver<Q: WorkerQueue>(
    shared: &Shared<Q>,
    lease: &Lease,
    buffer: Arc<StripBuffer>,
) -> Delivered {
    let mut back_off = BackOff::new();
    loop {
        match shared.queue.deliver(lease, Arc::clone(&buffer)).await {
            Ok(delivered) => return delivered,
            Err(error @ QueueError::Server(_)) => {
                tracing::error!(%error, "delivery refused; trying again");
                back_off.pause().await;
            }
            Err(error) => {
                tracing::warn!(%error, "not delivered yet; trying again");
                back_off.pause().await;
            }
        }
    }
}
