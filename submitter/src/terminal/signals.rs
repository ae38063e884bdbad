//! Ctrl-C and SIGTERM, heard from the program's start to its end, whatever it is doing.
//!
//! The command runs on a thread of its own; the main thread listens. Who has something to put in order first listens to the
//! [`Stop`] (or holds it), and is waited for. Where nobody does, the program ends at once. It also says what takes long, and
//! what was under way when it was interrupted.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use farm_worker::Fault;
use render::Stop;

use super::output::say;
use crate::failure::Failure;

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

/// What is under way, the latest last; at most a few at a time.
static UNDER_WAY: Mutex<Vec<UnderWay>> = Mutex::new(Vec::new());

struct UnderWay {
    what: String,
    since: Instant,
    /// It was said, or is not to be.
    is_said: bool,
    id: u64,
}

fn under_way() -> MutexGuard<'static, Vec<UnderWay>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something began that may take long: "reading the journals". It is said when it does, but where it is not `told`.
pub fn began(id: u64, what: &str, told: bool) {
    under_way().push(UnderWay {
        what: what.to_owned(),
        since: Instant::now(),
        is_said: !told,
        id,
    });
}

/// It ended.
pub fn ended(id: u64) {
    under_way().retain(|one| one.id != id);
}

enum News<T> {
    Done(Result<T, Failure>),
    Signal,
}

/// Runs `command`, and listens meanwhile.
///
/// # Errors
/// When it is interrupted and has nothing to put in order, when it panics, and when the system gives no threads.
pub fn until_interrupted<T: Send + 'static>(
    stop: &Stop,
    command: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (tell, news) = sync_channel(8);
    listen(tell.clone())
        .map_err(|error| Failure::failed(format!("cannot listen to signals: {error}")))?;
    let run = move || {
        let run = std::panic::AssertUnwindSafe(command);
        let done = std::panic::catch_unwind(run);
        let fault = |panic: Box<dyn std::any::Any + Send>| {
            Err(Failure::failed(Fault::of_thread("the command", &*panic)))
        };
        let done = done.unwrap_or_else(fault);
        let _ = tell.send(News::Done(done));
    };
    let thread = Builder::new().name("command".into()).stack_size(STACK);
    (thread.spawn(run))
        .map_err(|error| Failure::failed(format!("cannot start the command: {error}")))?;
    wait(&news, stop)
}

fn wait<T>(news: &Receiver<News<T>>, stop: &Stop) -> Result<T, Failure> {
    let mut first: Option<Instant> = None;
    // What hears of the signal ends, and the command may need longer than that for its last words.
    let mut interrupted = None;
    loop {
        match news.recv_timeout(LOOK) {
            Ok(News::Done(done)) => return done,
            Ok(News::Signal) => {
                let insists = first.is_some_and(|first| first.elapsed() > INSISTING);
                if first.is_none() {
                    first = Some(Instant::now());
                    interrupted = last_under_way();
                }
                stop.request();
                if insists {
                    break;
                }
            }
            Err(RecvTimeoutError::Timeout) => say_what_takes_long(),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::failed(Fault::ended(
                    "the thread that listens to signals",
                )));
            }
        }
        // Nobody is there to end it in order.
        if first.is_some() && stop.listeners() == 0 {
            if let Ok(News::Done(done)) = news.recv_timeout(LAST_WORDS) {
                return done;
            }
            if stop.listeners() == 0 {
                break;
            }
        }
    }
    Err(Failure::interrupted(last_under_way().or(interrupted)))
}

fn last_under_way() -> Option<String> {
    under_way().last().map(|last| last.what.clone())
}

fn say_what_takes_long() {
    let mut all = under_way();
    let long = |one: &&mut UnderWay| !one.is_said && one.since.elapsed() > SOON;
    for one in all.iter_mut().filter(long) {
        one.is_said = true;
        say(&format!("{} ...", one.what));
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

    #[test]
    fn what_was_under_way_is_said_however_long_the_command_takes_to_end() {
        let (tell, news) = sync_channel::<News<()>>(8);
        let stop = Stop::new();
        began(u64::MAX, "counting", false);
        let listener = Builder::new().name("listener".into()).spawn({
            let (stop, requested) = (stop.clone(), stop.hold());
            move || {
                while !stop.is_requested() {
                    std::thread::yield_now();
                }
                ended(u64::MAX);
                drop(requested);
            }
        });
        tell.send(News::Signal).unwrap();
        let failure = wait(&news, &stop).unwrap_err();
        listener.unwrap().join().unwrap();
        assert_eq!(failure.line(), "stopped while counting: interrupted");
    }
}
