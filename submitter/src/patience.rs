//! Bearing with a queue that is out of reach or full for a while.

use std::time::{Duration, Instant};

use farm_queue::QueueError;

/// How long the queue may be out of reach before the render gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// First and longest pause between two tries to reach it.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Trouble with the queue since it last answered.
#[derive(Debug)]
pub struct Patience {
    since: Option<Instant>,
    pause: Duration,
}

impl Patience {
    /// Without trouble so far.
    #[must_use]
    pub fn new() -> Self {
        Self {
            since: None,
            pause: BACK_OFF.0,
        }
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
        if !passing || self.since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return Err(error);
        }
        tracing::warn!(%error, "{what}; trying again");
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
        let mut patience = Patience::new();
        let full = || QueueError::OutOfMemory("full".into());
        assert!(patience.bear(full(), "no results").await.is_ok());
        let wrong = QueueError::Server("no".into());
        assert!(patience.bear(wrong, "no results").await.is_err());
        // Long enough ago.
        patience.since = Instant::now().checked_sub(2 * PATIENCE);
        assert!(patience.bear(full(), "no results").await.is_err());
    }
}
