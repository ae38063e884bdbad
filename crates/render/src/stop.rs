//! A request to stop, which is heard at any moment.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use farm_worker::Fault;
use tokio::sync::watch;

use crate::error::{CollectError, RenderError};
use crate::progress::{Ending, Progress};

/// A request that may come; all clones are of one.
#[derive(Clone, Debug)]
pub struct Stop {
    requested: Arc<watch::Sender<bool>>,
}

/// Somebody who has something to put in order before the process may end.
#[derive(Debug)]
pub struct Hold(#[expect(dead_code, reason = "counted")] watch::Receiver<bool>);

impl Stop {
    /// None so far.
    #[must_use]
    pub fn new() -> Self {
        Self {
            requested: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Requests it.
    pub fn request(&self) {
        self.requested.send_replace(true);
    }

    /// Whether it was requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }

    /// Resolves when it is requested, also where that was before. Somebody listens from now on and as long as the future
    /// is kept, also when it has resolved: whoever keeps it may be putting something in order.
    pub fn requested(&self) -> Requested {
        let mut heard = self.requested.subscribe();
        let sender = Arc::clone(&self.requested);
        Requested {
            coming: Box::pin(async move {
                // Its sender lives as long as this.
                let _ = heard.wait_for(|heard| *heard).await;
                drop(sender);
                Hold(heard)
            }),
            come: None,
        }
    }

    /// The same as why a render ends.
    pub fn interrupts(&self) -> Interrupts {
        Interrupts(self.requested())
    }

    /// Counts as somebody who listens as long as it is kept.
    #[must_use]
    pub fn hold(&self) -> Hold {
        Hold(self.requested.subscribe())
    }

    /// How many listen: where nobody does, nothing has to be put in order.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.requested.receiver_count()
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

/// A request that is waited for: see [`Stop::requested`].
#[must_use = "it is a future"]
pub struct Requested {
    coming: Pin<Box<dyn Future<Output = Hold> + Send>>,
    come: Option<Hold>,
}

impl Future for Requested {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.come.is_none() {
            let hold = ready!(self.coming.as_mut().poll(context));
            self.come = Some(hold);
        }
        Poll::Ready(())
    }
}

/// The same as why a render ends: see [`Stop::interrupts`].
#[must_use = "it is a future"]
pub struct Interrupts(Requested);

impl Future for Interrupts {
    type Output = CollectError;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<CollectError> {
        let requested = Pin::new(&mut self.0).poll(context);
        requested.map(|()| CollectError::Interrupted)
    }
}

/// Does what blocks on a thread of its own, until `ends` comes: then nobody waits for it any more. `is_told` where it is
/// worth words when it takes long.
///
/// # Errors
/// When `ends` comes first, or the thread panics.
pub async fn aside<T: Send + 'static>(
    what: &'static str,
    progress: &dyn Progress,
    is_told: bool,
    ends: impl Future<Output = CollectError>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RenderError> {
    let _activity = Ending::activity(progress, what, is_told);
    tokio::select! {
        done = tokio::task::spawn_blocking(work) => {
            done.map_err(|error| Fault::of_task(format!("the thread that was {what}"), error).into())
        }
        why = ends => Err(RenderError::Stopped { what, why }),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::progress::Silent;

    #[tokio::test]
    async fn a_request_is_heard_whenever_it_came() {
        let stop = Stop::new();
        let before = stop.requested();
        assert_eq!((stop.listeners(), stop.is_requested()), (1, false));
        stop.clone().request();
        before.await;
        stop.requested().await;
        assert_eq!((stop.listeners(), stop.is_requested()), (0, true));
    }

    #[tokio::test]
    async fn somebody_listens_from_the_call_until_the_future_goes() {
        let stop = Stop::new();
        let mut ends = stop.interrupts();
        assert_eq!(stop.listeners(), 1, "before anybody polls it");
        stop.request();
        assert!(matches!((&mut ends).await, CollectError::Interrupted));
        assert_eq!(stop.listeners(), 1, "something is put in order");
        drop(ends);
        assert_eq!(stop.listeners(), 0);
    }

    #[tokio::test]
    async fn what_blocks_is_not_waited_for() {
        let (keep, blocked) = sync_channel::<()>(1);
        let ends = async { CollectError::Interrupted };
        let blocks = move || blocked.recv().is_ok();
        let what = "waiting for nothing";
        let error = aside(what, &Silent, true, ends, blocks).await.unwrap_err();
        assert!(error.is_interrupted());
        assert_eq!(error.to_string(), "stopped while waiting for nothing");
        assert_eq!(error.source().unwrap().to_string(), "interrupted");
        drop(keep);
        let never = std::future::pending();
        let error = aside("counting", &Silent, true, never, || panic!("lost count"));
        let said = error.await.unwrap_err().to_string();
        assert!(said.contains("the thread that was counting") && said.ends_with("lost count"));
    }
}
