//! A worker's signs of life, and what operators and submitters want of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::redis::{Pipeline, from_redis_value};
use tokio::time::{Instant, timeout};

use super::shared::{Inner, KnownJob, MAX_LISTED};
use crate::protocol::keys;
use crate::queue::QueueError;
use crate::redis::connect::CONTROL_TIMEOUT;
use crate::redis::lifetimes::{PRESENCE_LIFETIME, millis};
use crate::redis::scripts;
use crate::status::{self, LeaveOrder, Quarantine};

/// Wait after a sign of life that could not be given.
const PRESENCE_RETRY: Duration = Duration::from_secs(1);

impl Inner {
    /// A sign of life; and what operators and submitters want of this worker.
    pub(super) async fn show_presence(&self) -> Result<(), QueueError> {
        let about = {
            let state = self.state();
            let shown = status::WorkerRecord {
                name: self.name.clone(),
                about: state.about.clone(),
                figures: state.figures,
            };
            serde_json::to_vec(&shown).unwrap_or_default()
        };
        let (now, _) = self.appear().await?;
        let mut both = Pipeline::with_capacity(3);
        both.cmd("SET").arg(keys::worker(&self.consumer)).arg(about);
        both.arg("PX").arg(millis(PRESENCE_LIFETIME));
        both.cmd("HGET").arg(keys::ORDERS).arg(&self.consumer);
        both.cmd("HGET").arg(keys::QUARANTINE).arg(&self.name);
        for queue in self.known_queues() {
            both.cmd("XLEN").arg(queue);
        }
        let answers = self.control.pipeline(&both, CONTROL_TIMEOUT).await?;
        let mut answers = answers.into_iter();
        let mut texts = answers.by_ref().take(3).map(|answer| {
            (answer.extract_error().ok())
                .and_then(|value| from_redis_value::<Option<String>>(value).ok())
                .flatten()
        });
        let (_, order, record) = (texts.next(), texts.next(), texts.next());
        if let Some(order) = order.flatten().as_deref().and_then(LeaveOrder::parse) {
            self.leave_order.send_replace(Some(order));
        }
        drop(texts);
        let depth = answers
            .filter_map(|answer| answer.extract_error().ok())
            .filter_map(|value| from_redis_value::<u64>(value).ok())
            .sum();
        self.state().depth = Some(depth);
        self.heed_quarantine(record.flatten().as_deref(), now);
        Ok(())
    }

    /// The barest sign of life: the server's time, in ms, and how many workers are alive, this one included.
    pub(super) async fn appear(&self) -> Result<(u64, u32), QueueError> {
        let call = scripts::PRESENCE
            .call(&[keys::WORKERS])
            .arg(&self.consumer)
            .arg(millis(PRESENCE_LIFETIME));
        self.control.script(&call).await
    }

    /// The streams of the jobs that this worker serves.
    fn known_queues(&self) -> Vec<String> {
        let state = self.state();
        let good = state
            .offered
            .iter()
            .filter_map(|job| match state.jobs.get(job)? {
                KnownJob::Good { keys, .. } => Some(keys.queue.clone()),
                KnownJob::Skip { .. } => None,
            });
        good.take(MAX_LISTED).collect()
    }

    fn heed_quarantine(&self, record: Option<&str>, now: u64) {
        let record = record.and_then(Quarantine::parse);
        let left = record
            .as_ref()
            .map_or(0, |record| record.until_ms.saturating_sub(now));
        let mut state = self.state();
        let was = state.quarantined_until.is_some();
        state.quarantined_until = (left > 0).then(|| Instant::now() + Duration::from_millis(left));
        match (was, record) {
            (false, Some(record)) if left > 0 => tracing::warn!(
                reason = record.reason,
                secs = left / 1000,
                "in quarantine: no strips for now"
            ),
            (true, _) if left == 0 => tracing::info!("out of quarantine"),
            _ => {}
        }
    }

    /// Shows that this worker is alive, again and again; `shown`: it has just done so.
    pub(super) async fn keep_presence(self: Arc<Self>, mut shown: bool) {
        let mut heard = self.heard.subscribe();
        let mut seen = 0;
        loop {
            let asked = heard.wait_for(|heard| heard.orders != seen);
            let wait = if shown {
                PRESENCE_LIFETIME / 3
            } else {
                PRESENCE_RETRY
            };
            // Either way: at an operator's wish, or because it is time.
            let hinted = matches!(timeout(wait, asked).await, Ok(Ok(_)));
            // Before the sign is given: what comes meanwhile is for the next one.
            seen = heard.borrow_and_update().orders;
            if hinted {
                // Jobs may have been paused.
                self.state().listed = None;
            }
            // Whoever leaves waits for a sign that is on its way: it would be there for good after it.
            let _sign = self.signs.lock().await;
            if self.left.load(Ordering::Relaxed) {
                return;
            }
            let told = self.show_presence().await;
            shown = told.is_ok();
            if let Err(error) = told {
                tracing::debug!("cannot tell the farm that this worker is alive: {error}");
            }
        }
    }
}
