//! The calls of a worker.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::redis::{Cmd, Pipeline, RedisWrite, ToRedisArgs, Value, cmd};
use fractal::reference::{CodecError, MAX_VALUES};
use fractal::{ReferenceOrbit, StripBuffer};
use tokio::time::{Instant, timeout};

use super::connection::RedisWorkerQueue;
use super::shared::{GIVEN_BACK_IDLE, Inner, KnownJob};
use crate::job::{JobId, JobSpec, MAX_DELIVERIES};
use crate::orbit::OrbitKeyError;
use crate::protocol::keys::{self, JobKeys};
use crate::protocol::{blob, entry, lines, sealed};
use crate::queue::{AcceptedBackends, DeliveryOutcome, Lease, LeaseState, QueueError, WorkerQueue};
use crate::redis::connect::{CONTROL_TIMEOUT, is_unknown_script};
use crate::redis::lifetimes::{JOB_LIFETIME, RESULT_LIFETIME, millis};
use crate::redis::{orbits, scripts};
use crate::status::{LeaveOrder, WorkerAbout, WorkerFigures};

/// How long a job that this worker cannot do is left to others before it is looked at again.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(600);
/// A blob as an argument, copied once from the planes into the command.
struct BlobArgument<'a, 'b>(&'a blob::Parts<'b>);

impl ToRedisArgs for BlobArgument<'_, '_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut argument = out.writer_for_next_arg();
        for piece in self.0.pieces() {
            // A command is in memory: writing to it does not fail.
            let _ = argument.write_all(piece);
        }
    }
}

/// A strip on its way from the task that leased it to the caller; given back when nobody takes it.
struct FoundLease {
    lease: Option<Lease>,
    inner: Arc<Inner>,
}

impl Drop for FoundLease {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let inner = Arc::clone(&self.inner);
            runtime.spawn(async move { inner.release(&lease).await });
        }
    }
}

impl WorkerQueue for RedisWorkerQueue {
    async fn lease(
        &self,
        accepts: AcceptedBackends,
        wait: Duration,
    ) -> Result<Option<Lease>, QueueError> {
        // What is computed has to go on its way: who may not enter any more, on a connection that is open still, takes nothing.
        self.inner.bulk.open().await?;
        let deadline = Instant::now() + wait;
        let mut hints = self.inner.heard.subscribe();
        loop {
            hints.mark_unchanged();
            let inner = Arc::clone(&self.inner);
            // Apart from the caller, who may stop waiting while the answer is on its way.
            let look = tokio::spawn(async move {
                let lease = inner.try_lease(accepts).await?;
                Ok(FoundLease { lease, inner })
            });
            let mut found = match look.await {
                Ok(found) => found?,
                Err(error) => return Err(QueueError::Server(format!("a look failed: {error}"))),
            };
            if let Some(lease) = found.lease.take() {
                return Ok(Some(lease));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            // A hint or the time-out: either way it looks again.
            let _ = timeout(left.min(self.inner.poll_wait()), hints.changed()).await;
        }
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<LeaseState, QueueError> {
        let job = JobKeys::new(&lease.job.id);
        let call = (scripts::HEARTBEAT.call(&[&job.queue, &job.bits]))
            .arg(keys::GROUP)
            .arg(&self.inner.consumer)
            .arg(&lease.entry)
            .arg(lease.attempt)
            .arg(lease.slot());
        let state = match self.inner.control.script::<i64>(&call).await? {
            1 => {
                // A long strip keeps its worker's place too; whether it still has one does not matter.
                self.inner.joins(&lease.job, &job).await?;
                return Ok(LeaseState::Held);
            }
            0 => LeaseState::Lost,
            _ => LeaseState::JobGone,
        };
        self.inner.no_longer_holds(lease);
        Ok(state)
    }

    async fn deliver(
        &self,
        lease: &Lease,
        buffer: Arc<StripBuffer>,
    ) -> Result<DeliveryOutcome, QueueError> {
        let inner = &self.inner;
        let job = JobKeys::new(&lease.job.id);
        let result = job.result(lease.slot());
        let mut parts = blob::parts(&lease.job.id, &buffer, &inner.name, lease.attempt);
        if let Some(key) = inner.control.server().farm_key() {
            let sealer = blob::Sealer::new(key, &lease.job);
            parts = parts.sealed(&sealer, lease.issue, &inner.name);
        }
        let commit = (scripts::COMMIT.call(&[&job.queue, &result, &job.bits, &job.got, &job.done]))
            .arg(keys::GROUP)
            .arg(&lease.entry)
            .arg(lease.slot())
            .arg(entry::ENTRY_VERSION)
            .arg(millis(JOB_LIFETIME));
        // Together: the script itself sees whether the buffer is there, and refuses without it.
        let upload = inner.bulk.upload(parts.total_len() as u64);
        let timeout = upload.timeout();
        let mut set = Cmd::with_capacity(6, parts.total_len() + 2 * result.len());
        set.arg("SET").arg(&result).arg(BlobArgument(&parts));
        set.arg("NX").arg("PX").arg(millis(RESULT_LIFETIME));
        drop(parts);
        let mut both = Pipeline::with_capacity(2);
        both.add_command(set).add_command(commit.command());
        let server = inner.bulk.server();
        let mut answers = inner.bulk.pipeline(&both, timeout).await?.into_iter();
        let stored = answers.next().unwrap_or(Value::Nil).extract_error();
        let committed = match answers.next().unwrap_or(Value::Nil).extract_error() {
            Err(error) if is_unknown_script(&error) => inner.bulk.script(&commit).await?,
            Err(error) => return Err(server.error(&error)),
            Ok(value) => inner.bulk.read::<i64>(value)?,
        };
        let delivered = match committed {
            1 => DeliveryOutcome::First,
            0 => DeliveryOutcome::Duplicate,
            -1 => DeliveryOutcome::JobGone,
            _ => {
                return Err(match stored {
                    Err(error) => server.error(&error),
                    Ok(_) => QueueError::Server("the stored buffer vanished".to_owned()),
                });
            }
        };
        inner.no_longer_holds(lease);
        Ok(delivered)
    }

    async fn release(&self, lease: &Lease) -> Result<(), QueueError> {
        self.inner.release(lease).await
    }

    async fn fail(&self, lease: &Lease, reason: &str) -> Result<(), QueueError> {
        let inner = &self.inner;
        let job = JobKeys::new(&lease.job.id);
        let reason = format!("{}: {reason}", inner.name);
        let reason = match inner.control.server().farm_key() {
            Some(key) => sealed::sealed_reason(&reason, key, &lease.job.id, lease.slot()),
            None => lines::reason_line(&reason),
        };
        let call = (scripts::FAIL.call(&[&job.queue, &job.dead, &job.why, &job.bits]))
            .arg(keys::GROUP)
            .arg(&inner.consumer)
            .arg(&lease.entry)
            .arg(lease.attempt)
            .arg(keys::FAILED)
            .arg(millis(GIVEN_BACK_IDLE))
            .arg(keys::CONTROL)
            .arg(keys::WAKE_CLAIM)
            .arg(lease.slot())
            .arg(reason)
            .arg(MAX_DELIVERIES)
            .arg(entry::ENTRY_VERSION)
            .arg(millis(JOB_LIFETIME));
        inner.control.script::<i64>(&call).await?;
        // Before it looks again.
        let now = inner.start.elapsed();
        let entry = lease.entry.clone();
        (inner.state().failures).note_failure(&lease.job.id, entry, now);
        inner.given_back(lease);
        Ok(())
    }

    fn trip(&self) -> Duration {
        self.inner.control.trip()
    }

    async fn leave_to_others(&self, job: &JobId) {
        let mut state = self.inner.state();
        state.chooser.note_idle(job);
        let until = Instant::now() + LEFT_TO_OTHERS;
        let refused = None;
        state
            .jobs
            .insert(job.clone(), KnownJob::Skip { until, refused });
    }

    async fn orbit(
        &self,
        job: &JobSpec,
        most: u64,
        piece: &(dyn Fn() + Sync),
    ) -> Result<Option<Arc<ReferenceOrbit>>, QueueError> {
        let Some(key) = job.orbit.clone() else {
            return Ok(None);
        };
        let Some(bytes) = orbits::fetch(&self.inner.bulk, &key, piece).await? else {
            return Ok(None);
        };
        // Takes as long as a strip may.
        let opened = tokio::task::spawn_blocking(move || key.open(&bytes, most)).await;
        match opened {
            Ok(Ok(orbit)) => Ok(Some(Arc::new(orbit))),
            // Somebody else's fault than the job's: its submitter writes it again when nothing comes.
            Ok(Err(error @ OrbitKeyError::Other)) => Err(QueueError::Server(error.to_string())),
            Ok(Err(OrbitKeyError::Malformed(CodecError::TooLong { values, .. })))
                if values <= MAX_VALUES =>
            {
                Err(QueueError::LongOrbit(values))
            }
            Ok(Err(error)) => Err(QueueError::Spec(error.to_string())),
            Err(error) => Err(QueueError::Server(format!(
                "an orbit was not read: {error}"
            ))),
        }
    }

    async fn leave(&self) -> Result<(), QueueError> {
        let inner = &self.inner;
        let known: Vec<JobId> = inner.state().jobs.keys().cloned().collect();
        for job in known {
            let job = JobKeys::new(&job);
            let call = (scripts::LEAVE.call(&[&job.queue]))
                .arg(keys::GROUP)
                .arg(&inner.consumer);
            inner.control.script::<i64>(&call).await?;
            let mut forget = cmd("ZREM");
            forget.arg(&job.crew).arg(&inner.consumer);
            inner.control.query::<i64>(&forget, CONTROL_TIMEOUT).await?;
        }
        if inner.state().held.is_empty() {
            inner.left.store(true, Ordering::Relaxed);
            let _sign = inner.signs.lock().await;
            let mut forget = Pipeline::with_capacity(3);
            forget.cmd("ZREM").arg(keys::WORKERS).arg(&inner.consumer);
            forget.cmd("UNLINK").arg(keys::worker(&inner.consumer));
            forget.cmd("HDEL").arg(keys::ORDERS).arg(&inner.consumer);
            inner.control.pipeline(&forget, CONTROL_TIMEOUT).await?;
        }
        Ok(())
    }

    fn hint(&self) -> impl Future<Output = ()> + Send {
        // From the call on, not from the first poll.
        let mut heard = self.inner.heard.subscribe();
        let ends = heard.borrow_and_update().ends;
        async move {
            // The sender lives as long as this queue.
            let _ = heard.wait_for(|heard| heard.ends != ends).await;
        }
    }

    async fn broken(&self) -> &'static str {
        let mut broken = self.inner.broken.subscribe();
        match broken.wait_for(Option::is_some).await.map(|helper| *helper) {
            Ok(Some(helper)) => helper,
            _ => std::future::pending().await,
        }
    }

    async fn leave_order(&self) -> LeaveOrder {
        let mut order = self.inner.leave_order.subscribe();
        match order.wait_for(Option::is_some).await.map(|order| *order) {
            Ok(Some(order)) => order,
            _ => std::future::pending().await,
        }
    }

    fn describe(&self, about: WorkerAbout) {
        self.inner.state().about = about;
        // Not only with the next sign of life: whoever lists workers sees it.
        self.inner.heard.send_modify(|heard| heard.orders += 1);
    }

    fn depth(&self) -> Option<u64> {
        self.inner.state().depth
    }

    fn tell(&self, figures: WorkerFigures) {
        self.inner.state().figures = figures;
    }
}
