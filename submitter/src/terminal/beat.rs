//! Signs of life of long work where stderr is no terminal: a plain line every ten seconds, so that a log tells how far it is.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use farm_worker::terminal;
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::tables::duration;

/// From one line to the next.
const PERIOD: Duration = Duration::from_secs(10);

/// Where a bar is drawn.
pub fn target(quiet: bool) -> ProgressDrawTarget {
    if quiet || !stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    }
}

/// How fast a bar has moved since its first line could have been said, or what was there from the start was known.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Its units a second.
    pub per_sec: f64,
    left: Option<Duration>,
}

impl Pace {
    fn of(done: u64, since: u64, elapsed: Duration, all: u64) -> Self {
        let per_sec = done.saturating_sub(since) as f64 / elapsed.as_secs_f64().max(1e-9);
        let left = all.saturating_sub(done) as f64 / per_sec;
        Self {
            per_sec,
            left: Duration::try_from_secs_f64(left).ok(),
        }
    }

    /// The time left as part of a line, where it can be told.
    #[must_use]
    pub fn left(self) -> String {
        self.left.map_or_else(String::new, |left| {
            format!("{} left, ", duration(left.as_secs_f64()))
        })
    }
}

/// A thread that says how far a bar is, until it is dropped.
#[derive(Debug)]
pub struct Beat {
    _over: SyncSender<()>,
}

impl Beat {
    /// Of `bar`, as `line` words it; `None` where nothing is to be said, or a bar is drawn.
    pub fn of(
        bar: &ProgressBar,
        quiet: bool,
        line: impl Fn(&ProgressBar, Pace) -> String + Send + 'static,
    ) -> Option<Self> {
        if quiet || stderr().is_terminal() {
            return None;
        }
        let (over, is_over) = sync_channel(0);
        let bar = bar.clone();
        let say = move || {
            let (mut began, mut since) = (Instant::now(), bar.position());
            while is_over.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                if bar.is_finished() {
                    break;
                }
                let (done, all) = (bar.position(), bar.length().unwrap_or_default());
                if done < since {
                    // Something new is counted.
                    (began, since) = (Instant::now(), done);
                }
                let pace = Pace::of(done, since, began.elapsed(), all);
                terminal::say("submitter", line(&bar, pace));
            }
        };
        let started = Builder::new().name("beat".to_owned()).spawn(say);
        started.ok().map(|_| Self { _over: over })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_where_it_is_known() {
        let pace = Pace::of(30, 10, Duration::from_secs(10), 100);
        assert_eq!((pace.per_sec, &*pace.left()), (2.0, "35 s left, "));
        assert_eq!(Pace::of(10, 10, Duration::from_secs(10), 100).left(), "");
    }
}
