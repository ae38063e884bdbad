//! Ctrl-C and SIGTERM, heard from the program's start to its end, whatever it is doing.
//!
//! The command runs on a thread of its own; the main thread listens. Who has something to put in order first asks for
//! [`interrupted`] (or [`hold`]s the program while it puts it in order), and is waited for. Where nobody has, the program
//! ends at once. It also says what takes long ([`doing`]), and what was under way when it was interrupted.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use anyhow::Context;
use farm_worker::Fault;
use tokio::sync::watch;

use crate::collect::CollectError;

/// How long something takes before it is said what it is.
const SOON: Duration = Duration::from_secs(2);
/// How long a command that listens no more may take to end by itself after all.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// How long after one signal another one is not its echo, but somebody who will not wait.
const INSISTING: Duration = Duration::from_secs(1);
/// How often the main thread looks.
const LOOK: Duration = Duration::from_millis(250);
/// Stack of the command's thread: that of a main thread.
const STACK: usize = 8 << 20;

/// Whether a signal was heard.
static HEARD: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));
/// What is under way, the latest last; at most a few at a time.
static UNDER_WAY: Mutex<Vec<UnderWay>> = Mutex::new(Vec::new());

struct UnderWay {
    what: String,
    since: Instant,
    /// It was said, or is not to be.
    is_said: bool,
    number: u64,
}

fn under_way() -> MutexGuard<'static, Vec<UnderWay>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that may take long; it is over when this is dropped.
pub struct Doing(u64);

/// What this process does from now on: "reading the journals". Said when it takes long, but where `quiet`.
pub fn doing(what: impl Into<String>, quiet: bool) -> Doing {
    let mut all = under_way();
    let number = all.last().map_or(0, |last| last.number + 1);
    all.push(UnderWay {
        what: what.into(),
        since: Instant::now(),
        is_said: quiet,
        number,
    });
    Doing(number)
}

impl Drop for Doing {
    fn drop(&mut self) {
        under_way().retain(|one| one.number != self.0);
    }
}

/// Resolves when the user presses Ctrl-C or the system asks the program to stop, also where that was before. While one of
/// these is kept, the program does not end without whoever keeps it.
pub fn interrupted() -> impl Future<Output = ()> + use<> {
    let mut heard = HEARD.subscribe();
    async move {
        // Its sender lives as long as the program.
        let _ = heard.wait_for(|heard| *heard).await;
    }
}

/// The program does not end at a signal while this is kept.
pub struct Hold(#[expect(dead_code, reason = "counted")] watch::Receiver<bool>);

/// Keeps the program from ending at a signal.
#[must_use]
pub fn hold() -> Hold {
    Hold(HEARD.subscribe())
}

/// Does what blocks on a thread of its own, until `ends` comes: then nobody waits for it any more.
///
/// # Errors
/// When `ends` comes first.
pub async fn aside<T: Send + 'static>(
    what: &str,
    quiet: bool,
    ends: impl Future<Output = CollectError>,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    let _doing = doing(what, quiet);
    tokio::select! {
        done = tokio::task::spawn_blocking(work) => {
            done.map_err(|error| Fault::of_task(format!("the thread that was {what}"), error).into())
        }
        why = ends => Err(anyhow::Error::from(why).context(format!("stopped while {what}"))),
    }
}

enum News<T> {
    Done(Result<T, Fault>),
    Signal,
}

/// Runs `command`, and listens meanwhile.
///
/// # Errors
/// When it is interrupted and has nothing to put in order, when it panics, and when the system gives no threads.
pub fn until_interrupted<T: Send + 'static>(
    command: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let (tell, news) = sync_channel(8);
    listen(tell.clone()).context("cannot listen to signals")?;
    let run = move || {
        let run = std::panic::AssertUnwindSafe(command);
        let done = std::panic::catch_unwind(run);
        let done = done.map_err(|panic| Fault::of_thread("the command", &*panic));
        let _ = tell.send(News::Done(done));
    };
    let thread = Builder::new().name("command".into()).stack_size(STACK);
    thread.spawn(run).context("cannot start the command")?;
    ended(&news)?
}

fn ended<T>(news: &Receiver<News<T>>) -> anyhow::Result<T> {
    let mut first: Option<Instant> = None;
    loop {
        match news.recv_timeout(LOOK) {
            Ok(News::Done(done)) => return Ok(done?),
            Ok(News::Signal) => {
                let insists = first.is_some_and(|first| first.elapsed() > INSISTING);
                first.get_or_insert_with(Instant::now);
                HEARD.send_replace(true);
                if insists {
                    break;
                }
            }
            Err(RecvTimeoutError::Timeout) => say_what_takes_long(),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Fault::ended("the thread that listens to signals").into());
            }
        }
        // Nobody is there to end it in order.
        if first.is_some() && HEARD.receiver_count() == 0 {
            if let Ok(News::Done(done)) = news.recv_timeout(LAST_WORDS) {
                return Ok(done?);
            }
            if HEARD.receiver_count() == 0 {
                break;
            }
        }
    }
    let error = anyhow::Error::from(CollectError::Interrupted);
    Err(match under_way().last() {
        Some(last) => error.context(format!("stopped while {}", last.what)),
        None => error,
    })
}

fn say_what_takes_long() {
    let mut all = under_way();
    let long = |one: &&mut UnderWay| !one.is_said && one.since.elapsed() > SOON;
    for one in all.iter_mut().filter(long) {
        one.is_said = true;
        crate::say(&format!("{} ...", one.what));
    }
}

/// Starts the thread that tells of signals.
fn listen<T: Send + 'static>(tell: SyncSender<News<T>>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    #[cfg(unix)]
    let mut signals = {
        use tokio::signal::unix::{SignalKind, signal};
        let _within = runtime.enter();
        // From here on they no longer end the program by themselves.
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    let listen = move || {
        runtime.block_on(async {
            loop {
                #[cfg(unix)]
                tokio::select! {
                    _ = signals.0.recv() => {}
                    _ = signals.1.recv() => {}
                }
                #[cfg(not(unix))]
                if tokio::signal::ctrl_c().await.is_err() {
                    return;
                }
                if tell.send(News::Signal).is_err() {
                    return;
                }
            }
        });
    };
    let thread = Builder::new().name("signals".into());
    thread.spawn(listen).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_blocks_is_not_waited_for() {
        let (_keep, blocked) = sync_channel::<()>(1);
        let ends = async { CollectError::Interrupted };
        let blocks = move || blocked.recv().is_ok();
        let error = aside("waiting for nothing", true, ends, blocks)
            .await
            .unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "stopped while waiting for nothing: interrupted"
        );
        assert!(matches!(
            error.downcast_ref(),
            Some(CollectError::Interrupted)
        ));
        drop(_keep);
        let never = std::future::pending();
        let error = aside("counting", true, never, || panic!("lost count"));
        let said = error.await.unwrap_err().to_string();
        assert!(said.contains("the thread that was counting") && said.ends_with("lost count"));
    }
}
