//! Bearing with a queue that is out of reach or full for a while.

use std::time::{Duration, Instant};

use farm_queue::QueueError;

/// How long the queue may be out of reach before the render gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The same where a journal keeps what is done.
pub const LONG_PATIENCE: Duration = Duration::from_secs(600);
/// How often that is said.
const SAY_EVERY: Duration = Duration::from_secs(60);
/// First and longest pause between two tries to reach it.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Trouble with the queue since it last answered.
#[derive(Debug)]
pub struct Patience {
    limit: Duration,
    since: Option<Instant>,
    said: Option<Instant>,
    pause: Duration,
}

impl Patience {
    /// Without trouble so far, for trouble of this length.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            limit,
            since: None,
            said: None,
            pause: BACK_OFF.0,
        }
    }

    /// Forgets past trouble; returns whether there was any.
    pub fn over(&mut self) -> bool {
        let trouble = self.since.is_some();
        *self = Self::new(self.limit);
        trouble
    }

    /// Waits before the next try after `error`; `what` was not done because of it.
    ///
    /// # Errors
    /// The error itself when it is none that passes, or has lasted too long.
    pub async fn bear(&mut self, error: QueueError, what: &str) -> Result<(), QueueError> {
        let passing = matches!(
            error,
            QueueError::Unreachable { .. } | QueueError::OutOfMemory(_)
        );
        if !passing || self.since.get_or_insert_with(Instant::now).elapsed() > self.limit {
            return Err(error);
        }
        if self.said.is_none_or(|said| said.elapsed() > SAY_EVERY) {
            self.said = Some(Instant::now());
            let minutes = self.limit.as_secs() / 60;
            tracing::warn!(%error, "{what}; trying again for up to {minutes} min");
        } else {
            tracing::debug!(%error, "{what}; trying again");
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(BACK_OFF.1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_pass_is_not_borne() {
        let mut patience = Patience::new(PATIENCE);
        let full = || QueueError::OutOfMemory("full".into());
        assert!(patience.bear(full(), "no results").await.is_ok());
        let wrong = QueueError::Server("no".into());
        assert!(patience.bear(wrong, "no results").await.is_err());
        // The first pause is longer than this limit.
        let mut patience = Patience::new(BACK_OFF.0 / 2);
        assert!(patience.bear(full(), "no results").await.is_ok());
        assert!(patience.bear(full(), "no results").await.is_err());
    }
}
