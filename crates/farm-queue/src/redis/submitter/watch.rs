//! Whether the server still keeps all that it is given: somebody may set it up anew in the midst of a job.
//!
//! What it threw away is queued again, so this is to tell why jobs take longer than they should, and nothing more.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::redis::connect::{Link, Memory};

/// How often the server is looked at when it shows nothing out of the way.
const INTERVAL: Duration = Duration::from_secs(10);

/// What was seen of the server's memory, and said.
pub(super) struct Watch(Mutex<WatchState>);

struct WatchState {
    at: Instant,
    /// Keys that it had thrown away.
    evicted: u64,
    /// It throws keys away at its limit, and that was said.
    unfit: bool,
}

impl Watch {
    /// Of a server that was fit, and looked so, just now.
    pub(super) fn new(memory: &Memory) -> Self {
        Self(Mutex::new(WatchState {
            at: Instant::now(),
            evicted: memory.evicted,
            unfit: false,
        }))
    }

    fn seen(&self) -> MutexGuard<'_, WatchState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to look again.
    pub(super) fn is_due(&self) -> bool {
        self.seen().at.elapsed() >= INTERVAL
    }

    /// Looks, and warns of what is new. A server that does not answer is others' business.
    pub(super) async fn look(&self, link: &Link) {
        self.seen().at = Instant::now();
        let Ok(memory) = Memory::read(link).await else {
            return;
        };
        let mut seen = self.seen();
        let fit = memory.check_policy(link.server());
        if let Err(error) = &fit
            && !seen.unfit
        {
            tracing::warn!(%error, "the server is not fit for a farm any more");
        }
        seen.unfit = fit.is_err();
        // Also when it keeps everything again by now. One that was started anew counts from nothing.
        if memory.evicted > seen.evicted {
            tracing::warn!(
                keys = memory.evicted - seen.evicted,
                "the server threw keys away when its memory was short; what was lost is queued again; \
                 set it with: CONFIG SET maxmemory-policy noeviction"
            );
        }
        seen.evicted = memory.evicted;
    }
}
