//! Heartbeats beside whatever a strip is waiting for.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use farm_queue::{Lease, LeaseState, WorkerQueue, job};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Three heartbeats fit in a lease, so that two may be lost.
const HEARTBEAT: Duration = Duration::from_millis(job::LEASE.as_millis() as u64 / 3);

/// How a lease ended before the work under it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Somebody else has the strip.
    Lost,
    /// The job ended.
    Job,
}

/// Runs `work` while the heartbeats of `lease` keep it alive.
///
/// A heartbeat that cannot be sent is tried again at the next beat: the server, not this worker,
/// decides when a lease is over.
///
/// # Errors
/// How the lease ended, if it did so first; `work` is dropped then.
pub async fn keep_alive<Q: WorkerQueue, T>(
    queue: &Q,
    lease: &Lease,
    work: impl Future<Output = T>,
) -> Result<T, Gone> {
    let mut work = pin!(work);
    let mut beats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            _ = beats.tick() => {
                // The work goes on while the answer is on its way.
                let beat = queue.heartbeat(lease);
                tokio::select! {
                    done = &mut work => return Ok(done),
                    state = beat => match state {
                        Ok(LeaseState::Held) => {}
                        Ok(LeaseState::Lost) => return Err(Gone::Lost),
                        Ok(LeaseState::JobGone) => return Err(Gone::Job),
                        Err(error) => tracing::warn!(%error, strip = lease.strip.index, "heartbeat not sent"),
                    },
                }
            }
        }
    }
}
