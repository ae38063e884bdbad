//! Heartbeats beside whatever a strip is waiting for.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use farm_queue::{Lease, LeaseState, WorkerQueue, job};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::metrics::meters::{Call, Meters};

/// Three heartbeats fit in a lease, so that two may be lost; and a strip whose job was cancelled is dropped
/// within 5 s.
const HEARTBEAT: Duration = Duration::from_secs(4);
const _: () = assert!(3 * HEARTBEAT.as_millis() < job::LEASE.as_millis());

/// Between two heartbeats at the least, however many hints come.
const HINT_GAP: Duration = Duration::from_millis(200);

/// How a lease ended before the work under it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseEnd {
    /// Somebody else has the strip.
    Lost,
    /// The job ended.
    Job,
    /// The computation has stood still for so long.
    Hung(Duration),
}

/// Runs `work` while the heartbeats of `lease` keep it alive, until `hung` says that they should not.
///
/// A heartbeat that cannot be sent is tried again at the next beat: the server, not this worker,
/// decides when a lease is over.
///
/// # Errors
/// How the lease ended, if it did so first; `work` is dropped then.
pub(crate) async fn keep_alive<Q: WorkerQueue, T>(
    queue: &Q,
    meters: &Meters,
    lease: &Lease,
    hung: impl Future<Output = Duration>,
    work: impl Future<Output = T>,
) -> Result<T, LeaseEnd> {
    // The work goes on while a heartbeat's answer is on its way.
    tokio::select! {
        biased;
        done = work => Ok(done),
        gone = send_heartbeats(queue, meters, lease) => Err(gone),
        still = hung => Err(LeaseEnd::Hung(still)),
    }
}

/// Heartbeats until the lease has ended; says how. At once when the queue hints at it.
async fn send_heartbeats<Q: WorkerQueue>(queue: &Q, meters: &Meters, lease: &Lease) -> LeaseEnd {
    let mut beats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    let mut hint = pin!(queue.hint());
    loop {
        tokio::select! {
            biased;
            () = &mut hint => {
                hint.set(queue.hint());
                beats.reset_after(HINT_GAP.saturating_sub(last.elapsed()));
                continue;
            }
            _ = beats.tick() => {}
        }
        last = Instant::now();
        let mut heartbeat = pin!(queue.heartbeat(lease));
        let answer = loop {
            // A hint while the answer is on its way may be about what came after it.
            tokio::select! {
                biased;
                () = &mut hint => {
                    hint.set(queue.hint());
                    beats.reset_after(HINT_GAP);
                }
                answer = &mut heartbeat => break answer,
            }
        };
        match answer {
            Ok(LeaseState::Held) => {}
            Ok(LeaseState::Lost) => return LeaseEnd::Lost,
            Ok(LeaseState::JobGone) => return LeaseEnd::Job,
            Err(error) => {
                meters.count_queue_error(Call::Heartbeat);
                tracing::warn!(%error, "heartbeat not sent");
            }
        }
    }
}
