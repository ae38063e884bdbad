//! One device and the strips it works on: lease, compute, deliver.
//!
//! A lane has slots, each a task with a strip of its own, so that while one strip is computed
//! another one is uploaded, read back or delivered. Slots take turns at the device: a strip on its way
//! back keeps none, so that slow deliveries do not leave the device idle. How many there are at a time, [`Pace`] says.

use std::sync::Arc;
use std::time::Duration;

use engine::{EngineError, PreparedFrame};
use farm_queue::{
    AcceptedBackends, DeliveryOutcome, Lease, LeaseState, QueueError, WorkerQueue, job,
};
use fractal::{Backend, BackendChoice, Strip, StripBuffer};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::lanes::frames::FrameTrouble;
use crate::lanes::gate;
use crate::lanes::keepalive::{LeaseEnd, keep_alive};
use crate::lanes::pace::{Pace, Permit};
use crate::lanes::shared::{Shared, Stop};
use crate::lanes::station::{Computation, Station};
use crate::metrics::meters::{Call, Meters, Outcome};

/// How long one call waits for a strip before it asks again.
const LEASE_WAIT: Duration = Duration::from_secs(5);
/// How long a buffer is offered in vain before its strip is given back, while heartbeats are taken.
const OFFERED: Duration = job::LEASE;
/// First and longest pause after a failure of the queue or of a device.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// One device, and the turns that slots take at it.
pub(crate) struct Lane {
    station: Arc<Station>,
    pace: Pace,
    hung: watch::Sender<HungComputations>,
}

/// Computations that were given up as hung and have not ended.
#[derive(Clone, Copy, Debug, Default)]
struct HungComputations {
    count: usize,
    /// Since when there are any.
    since: Option<Instant>,
}

impl Lane {
    pub(crate) fn new(station: Arc<Station>) -> Self {
        Self {
            station,
            pace: Pace::new(),
            hung: watch::Sender::new(HungComputations::default()),
        }
    }

    /// For how long it has hung; `None` if it does not.
    pub(crate) fn hung_for(&self) -> Option<Duration> {
        self.hung.borrow().since.map(|since| since.elapsed())
    }

    /// Nothing is leased for the lane from now on until the computation that `end` belongs to has ended.
    fn hangs_until(self: &Arc<Self>, end: oneshot::Receiver<()>, meters: &Arc<Meters>) {
        let (lane, meters) = (Arc::clone(self), Arc::clone(meters));
        lane.count_hung(1, &meters);
        tokio::spawn(async move {
            // An error is an end too: that of a kernel that panicked.
            let _ = end.await;
            lane.count_hung(-1, &meters);
            tracing::info!(device = %lane.station.info().name, "the computation that hung has ended");
        });
    }

    fn count_hung(&self, more: isize, meters: &Meters) {
        meters.add_hung(more as i64);
        self.hung.send_modify(|hung| {
            hung.count = hung.count.saturating_add_signed(more);
            hung.since = (hung.count > 0).then(|| hung.since.unwrap_or_else(Instant::now));
        });
    }
}

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

/// One slot of a lane: takes one strip after the other until the worker is told to stop.
pub(crate) async fn run_slot<Q: WorkerQueue>(shared: Arc<Shared<Q>>, lane: Arc<Lane>) {
    let accepts = accepts(&lane.station, shared.settings.backend);
    let mut stop = shared.stop.clone();
    let mut hung = lane.hung.subscribe();
    let mut queue_trouble = BackOff::new();
    let mut device_trouble = BackOff::new();
    while *stop.borrow_and_update() == Stop::No {
        let _in_hand = tokio::select! {
            permit = lane.pace.in_hand.take() => permit,
            _ = stop.changed() => break,
        };
        let mut turn = tokio::select! {
            turn = lane.pace.turns.take() => turn,
            _ = stop.changed() => break,
        };
        // Only now: turns are given up by strips that hang, too.
        tokio::select! {
            () = until_hung(&mut hung, false) => {}
            _ = stop.changed() => break,
        }
        // Those that bridge a long way look, and leave the waiting to the usual ones.
        let wait = match lane.pace.is_ahead() {
            true => Duration::ZERO,
            false => LEASE_WAIT,
        };
        let leased = tokio::select! {
            leased = shared.queue.lease(accepts, wait) => leased,
            () = until_hung(&mut hung, true) => continue,
            _ = stop.changed() => break,
        };
        match leased {
            Ok(Some(lease)) => {
                queue_trouble = BackOff::new();
                (lane.pace).set_trip(shared.queue.trip(), lane.station.mean_secs());
                match serve(&shared, &lane, lease, &mut turn).await {
                    Outcome::Failed => tokio::select! {
                        () = device_trouble.pause() => {}
                        _ = stop.changed() => break,
                    },
                    _ => device_trouble = BackOff::new(),
                }
            }
            Ok(None) => {
                queue_trouble = BackOff::new();
                lane.pace.set_dry();
            }
            Err(error) => {
                shared.meters.count_queue_error(Call::Lease);
                tracing::warn!(%error, "cannot lease; trying again");
                tokio::select! {
                    () = queue_trouble.pause() => {}
                    _ = stop.changed() => break,
                }
            }
        }
    }
}

/// Why a strip has no buffer.
enum StripTrouble {
    /// There is no frame to compute it with.
    Frame(FrameTrouble),
    /// The device failed at it.
    Device(String),
    /// The device hangs over others, and this one was not begun.
    Elsewhere,
    /// The queue takes heartbeats and no buffer.
    Undelivered(QueueError),
}

/// Waits until the lane hangs, or does not.
async fn until_hung(hung: &mut watch::Receiver<HungComputations>, hangs: bool) {
    if (hung.wait_for(|hung| (hung.count > 0) == hangs).await).is_err() {
        std::future::pending::<()>().await;
    }
}

/// What a lane takes: its device's own kind; and on a worker that may use anything, an adapter's lane
/// also takes jobs that are pinned to the processor.
fn accepts(station: &Station, choice: BackendChoice) -> AcceptedBackends {
    let backend = station.info().backend;
    AcceptedBackends {
        cpu: backend == Backend::Cpu || choice == BackendChoice::Auto,
        gpu: backend == Backend::Gpu,
    }
}

/// Takes one strip from lease to delivery, and says how it left.
// At the level of errors, so that the fields stand beside whatever is logged of a strip at all.
#[tracing::instrument(level = "error", name = "strip", skip_all, fields(job = %lease.job.id, strip = lease.strip.index, attempt = lease.attempt, device = %lane.station.info().name))]
async fn serve<Q: WorkerQueue>(
    shared: &Arc<Shared<Q>>,
    lane: &Arc<Lane>,
    lease: Lease,
    turn: &mut Option<Permit>,
) -> Outcome {
    let began = Instant::now();
    shared.meters.count_lease(lease.attempt);
    let outcome = compute_and_deliver(shared, lane, &lease, turn).await;
    shared.meters.count_end(outcome);
    let seconds = began.elapsed().as_secs_f64();
    tracing::debug!(outcome = outcome.name(), seconds, "strip ended");
    outcome
}

/// Computes and delivers a strip; gives up the turn when it is computed, but not where that failed, so that the pause
/// which follows is the device's.
async fn compute_and_deliver<Q: WorkerQueue>(
    shared: &Arc<Shared<Q>>,
    lane: &Arc<Lane>,
    lease: &Lease,
    turn: &mut Option<Permit>,
) -> Outcome {
    let computation = Arc::new(Computation::at(&lane.station));
    // Whichever way this function is left, the computation does not run on for nobody.
    let _cancel = CancelOnDrop(Arc::clone(&computation));
    // Told, or dropped, when the computation has really ended.
    let (end, has_ended) = oneshot::channel();
    let mut stop = shared.stop.clone();
    let mut hung = lane.hung.subscribe();
    let work = async {
        // Before a thread is taken: it may have to be fetched.
        let frame = shared
            .frames
            .get(&shared.queue, &lease.job, &computation.progress);
        let frame = frame.await.map_err(StripTrouble::Frame)?;
        computation.set_waiting(true);
        let computing = tokio::select! {
            permit = lane.pace.computing.take() => permit,
            () = until_hung(&mut hung, true) => return Err(StripTrouble::Elsewhere),
        };
        computation.set_waiting(false);
        let computed = {
            let (shared, lane, lease, computation) = (
                Arc::clone(shared),
                Arc::clone(lane),
                lease.clone(),
                Arc::clone(&computation),
            );
            let span = tracing::Span::current();
            tokio::task::spawn_blocking(move || {
                let _end = end;
                span.in_scope(|| compute(&shared, &lane.station, &lease, &frame, &computation))
            })
        };
        let computed = computed.await;
        computation.end();
        drop(computing);
        let buffer = match computed {
            Ok(Ok((buffer, secs))) => {
                shared.meters.count_computation(&buffer, secs);
                Arc::new(buffer)
            }
            Ok(Err(reason)) => return Err(StripTrouble::Device(reason)),
            Err(panic) => {
                shared
                    .meters
                    .count_device_error(computation.station().info());
                return Err(StripTrouble::Device(format!(
                    "the kernel panicked: {panic}"
                )));
            }
        };
        drop(turn.take());
        let delivered = deliver(shared, lease, Arc::clone(&buffer)).await;
        (delivered.map(|outcome| (outcome, buffer))).map_err(StripTrouble::Undelivered)
    };
    let still = gate::wait_until_hung(&computation, shared.settings.strip_timeout);
    let kept = tokio::select! {
        kept = keep_alive(&shared.queue, &shared.meters, lease, still, work) => kept,
        () = wait_to_drop(&mut stop) => {
            computation.progress.cancel();
            return release_strip(shared, lease).await;
        }
    };
    match kept {
        Ok(Ok((DeliveryOutcome::First, buffer))) => {
            shared.meters.count_delivery(&buffer);
            Outcome::Delivered
        }
        Ok(Ok((DeliveryOutcome::Duplicate, _))) => Outcome::Duplicate,
        Ok(Ok((DeliveryOutcome::JobGone, _))) | Err(LeaseEnd::Job) => Outcome::JobGone,
        Err(LeaseEnd::Lost) => {
            tracing::warn!("lease lost; the strip is somebody else's now");
            Outcome::Lost
        }
        Err(LeaseEnd::Hung(still)) => {
            computation.progress.cancel();
            lane.hangs_until(has_ended, &shared.meters);
            let station = computation.station();
            shared.meters.count_device_error(station.info());
            let reason = format!(
                "no progress for {:.0} s on {}",
                still.as_secs_f64(),
                station.info().name
            );
            fail_strip(shared, lease, &reason).await
        }
        Ok(Err(StripTrouble::Elsewhere)) => release_strip(shared, lease).await,
        Ok(Err(StripTrouble::Frame(trouble))) if trouble.may_pass() => {
            tracing::warn!(error = %trouble, "strip given back");
            shared.meters.count_queue_error(Call::Orbit);
            release_strip(shared, lease).await;
            // With a pause: the same is to be expected of the next one.
            Outcome::Failed
        }
        Ok(Err(StripTrouble::Undelivered(error))) => {
            tracing::error!(%error, "strip given back: its buffer is not taken");
            release_strip(shared, lease).await;
            Outcome::Failed
        }
        Ok(Err(StripTrouble::Frame(trouble))) => {
            let outcome = fail_strip(shared, lease, &trouble.to_string()).await;
            if let FrameTrouble::Memory { .. } = trouble {
                // One failure says it; with more of them it would only be in the way of workers that have the memory.
                shared.queue.leave_to_others(&lease.job.id).await;
            }
            outcome
        }
        Ok(Err(StripTrouble::Device(reason))) => fail_strip(shared, lease, &reason).await,
    }
}

/// Gives a strip back uncounted.
async fn release_strip<Q: WorkerQueue>(shared: &Shared<Q>, lease: &Lease) -> Outcome {
    if let Err(error) = shared.queue.release(lease).await {
        shared.meters.count_queue_error(Call::Release);
        tracing::warn!(%error, "strip not released; its lease will expire");
    }
    Outcome::Released
}

/// Gives a strip back that was not computed, as a failure.
async fn fail_strip<Q: WorkerQueue>(shared: &Shared<Q>, lease: &Lease, reason: &str) -> Outcome {
    tracing::error!(reason, "strip failed");
    if let Err(error) = shared.queue.fail(lease, reason).await {
        shared.meters.count_queue_error(Call::Fail);
        tracing::warn!(%error, "failure not reported; the lease will expire");
    }
    Outcome::Failed
}

/// Waits until strips in hand are to be given back; for ever when the worker just goes on or ends.
async fn wait_to_drop(stop: &mut watch::Receiver<Stop>) {
    if stop.wait_for(|stop| *stop == Stop::Now).await.is_err() {
        std::future::pending::<()>().await;
    }
}

struct CancelOnDrop(Arc<Computation>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.progress.cancel();
    }
}

/// Computes a strip on the lane's device, or on the processor where the device has no kernel that
/// serves the view or has failed twice, and the job admits it. Says also in how many seconds.
fn compute<Q>(
    shared: &Shared<Q>,
    station: &Arc<Station>,
    lease: &Lease,
    frame: &PreparedFrame,
    computation: &Computation,
) -> Result<(StripBuffer, f64), String> {
    let strip: Strip = lease.strip;
    let choice = lease.job.backend;
    let insist = choice == BackendChoice::Gpu;
    let run = |station: &Arc<Station>| {
        let computed = computation.run(station, frame, strip, insist);
        if let Err(EngineError::DeviceLost { .. }) = computed {
            shared.meters.count_device_error(station.info());
        }
        computed
    };
    let backend = station.info().backend;
    let computed = if choice.admits(backend) {
        run(station)
    } else {
        run(shared.cpu())
    };
    match computed {
        Err(
            error @ (EngineError::DeviceLost { .. }
            | EngineError::Inexact { .. }
            | EngineError::NotServed { .. }
            | EngineError::Arithmetic { .. }),
        ) if backend == Backend::Gpu && choice.admits(Backend::Cpu) => {
            tracing::warn!(%error, "computing on the processor instead");
            run(shared.cpu()).map_err(|error| error.to_string())
        }
        other => other.map_err(|error| error.to_string()),
    }
}

/// Delivers, again and again while the queue cannot be reached or is full: the lease's heartbeats tell
/// when to stop.
///
/// # Errors
/// Why the queue takes no buffer from this worker, though it takes its heartbeats: they would keep the strip from everybody
/// else for ever.
async fn deliver<Q: WorkerQueue>(
    shared: &Shared<Q>,
    lease: &Lease,
    buffer: Arc<StripBuffer>,
) -> Result<DeliveryOutcome, QueueError> {
    let mut back_off = BackOff::new();
    let mut refused_since = None;
    loop {
        match shared.queue.deliver(lease, Arc::clone(&buffer)).await {
            Ok(delivered) => return Ok(delivered),
            // It takes them again when there is room.
            Err(error @ QueueError::OutOfMemory(_)) => {
                refused_since = None;
                tracing::warn!(%error, "not delivered yet; trying again");
            }
            Err(error) => {
                let since = refused_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= OFFERED
                    && let Ok(LeaseState::Held) = shared.queue.heartbeat(lease).await
                {
                    return Err(error);
                }
                match error {
                    QueueError::Server(_) => {
                        tracing::error!(%error, "delivery refused; trying again");
                    }
                    _ => tracing::warn!(%error, "not delivered yet; trying again"),
                }
            }
        }
        shared.meters.count_queue_error(Call::Deliver);
        back_off.pause().await;
        shared.meters.count_delivery_retry();
    }
}
