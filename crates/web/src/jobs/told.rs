//! What is told of the jobs: made once for all who watch them.

use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::sync::Mutex;

/// For how long it is told again while nothing has changed: less than those who watch wait for the next.
const FRESH: Duration = Duration::from_millis(700);

/// An event as it is sent, and whether jobs are under way, which change by themselves.
pub type Event = (Bytes, bool);

/// What was told last.
#[derive(Default)]
pub struct Told(Mutex<Option<Latest>>);

struct Latest {
    at: Instant,
    change: u64,
    event: Event,
}

impl Told {
    /// What there is to tell after so many changes: what was told last, or what `make` makes.
    ///
    /// # Errors
    /// Those of `make`.
    pub async fn event<E>(
        &self,
        change: u64,
        make: impl Future<Output = Result<Event, E>>,
    ) -> Result<Event, E> {
        // One makes it, and all others wait for that.
        let mut latest = self.0.lock().await;
        if let Some(latest) = &*latest
            && latest.change >= change
            && latest.at.elapsed() < FRESH
        {
            return Ok(latest.event.clone());
        }
        let event = make.await?;
        *latest = Some(Latest {
            at: Instant::now(),
            change,
            event: event.clone(),
        });
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_made_once_for_all_and_anew_after_a_change() {
        let told = Told::default();
        let ask = async |change, text| {
            let made = async { Ok::<_, ()>((Bytes::from_static(text), false)) };
            told.event(change, made).await.unwrap().0
        };
        assert_eq!(ask(1, b"a").await, "a");
        assert_eq!(ask(1, b"b").await, "a");
        assert_eq!(ask(2, b"c").await, "c");
        assert_eq!(ask(1, b"d").await, "c", "who is late hears the latest");
    }
}
