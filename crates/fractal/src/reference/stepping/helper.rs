//! A thread that transforms along.
//!
//! A step of ten thousand bits takes microseconds, so work is handed over by atomics and waited for by spinning; buffers
//! change hands by being swapped. Nobody waits long: if the helper does not answer in about the time that the work takes
//! (its core went to somebody else), it is not waited for, and the first thread does that part itself. Either gives the
//! same columns.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

use num_complex::Complex;

/// Turns of a waiting thread between two looks at whether it should rather sleep.
const PATIENCE: u32 = 20_000;
/// How long it then sleeps.
const NAP: Duration = Duration::from_millis(1);

/// What both sides see.
struct Board {
    /// The step whose input is there.
    given: AtomicU64,
    /// The step whose result is there.
    done: AtomicU64,
    stop: AtomicBool,
    /// Input, then result. Locked by whoever's turn it is, so never waited for.
    buffer: Mutex<Vec<Complex<f64>>>,
}

/// A thread beside the caller's, and what it does.
pub(super) struct Helper {
    board: Arc<Board>,
    step: u64,
    /// Turns that a result is waited for.
    turns: u32,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    /// A helper that does `work` to buffers of `points`; none where the system gives no thread.
    pub(super) fn hire(
        points: usize,
        mut work: impl FnMut(&mut [Complex<f64>]) + Send + 'static,
    ) -> Option<Self> {
        let board = Arc::new(Board {
            given: AtomicU64::new(0),
            done: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            buffer: Mutex::new(vec![Complex::default(); points]),
        });
        let own = Arc::clone(&board);
        let thread = std::thread::Builder::new()
            .name("reference-orbit".into())
            .spawn(move || help(&own, &mut work))
            .ok()?;
        Some(Self {
            board,
            step: 0,
            turns: u32::try_from(100 + 2 * points).unwrap_or(u32::MAX),
            thread: Some(thread),
        })
    }

    fn swap(&self, buffer: &mut Vec<Complex<f64>>) -> bool {
        match self.board.buffer.try_lock() {
            Ok(mut own) => {
                std::mem::swap(&mut *own, buffer);
                true
            }
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => false,
        }
    }

    /// Hands a buffer over, for one that holds nothing; not if the last one has not come back.
    pub(super) fn give(&mut self, buffer: &mut Vec<Complex<f64>>) -> bool {
        if self.board.done.load(Ordering::Acquire) != self.step || !self.swap(buffer) {
            return false;
        }
        self.step += 1;
        self.board.given.store(self.step, Ordering::Release);
        true
    }

    /// Takes back what was given; not if that takes too long.
    pub(super) fn take(&self, buffer: &mut Vec<Complex<f64>>) -> bool {
        for _ in 0..self.turns {
            if self.board.done.load(Ordering::Acquire) == self.step {
                return self.swap(buffer);
            }
            std::hint::spin_loop();
        }
        false
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.board.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // One that panicked was not waited for; its work was done here.
            drop(thread.join());
        }
    }
}

fn help(board: &Board, work: &mut dyn FnMut(&mut [Complex<f64>])) {
    let (mut seen, mut idle) = (0, 0);
    while !board.stop.load(Ordering::Relaxed) {
        let given = board.given.load(Ordering::Acquire);
        if given == seen {
            idle += 1;
            if idle < PATIENCE {
                std::hint::spin_loop();
            } else {
                std::thread::sleep(NAP);
            }
            continue;
        }
        (seen, idle) = (given, 0);
        let Ok(mut buffer) = board.buffer.lock() else {
            return;
        };
        work(&mut buffer);
        drop(buffer);
        board.done.store(given, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_worked_on_and_a_slow_helper_is_not_waited_for() {
        let mut helper = Helper::hire(1, |buffer| {
            if buffer[0].re < 0.0 {
                std::thread::sleep(Duration::from_millis(200));
            }
            buffer[0].re += 1.0;
        })
        .unwrap();
        let mut buffer = vec![Complex::new(1.0, 0.0)];
        let mut helped = 0;
        for _ in 0..1000 {
            let before = buffer[0].re;
            assert!(helper.give(&mut buffer));
            while !helper.take(&mut buffer) {}
            helped += 1;
            assert_eq!(buffer[0].re, before + 1.0);
        }
        assert_eq!(helped, 1000);
        buffer[0].re = -5.0;
        assert!(helper.give(&mut buffer));
        assert!(!helper.take(&mut buffer), "it sleeps");
        assert!(!helper.give(&mut buffer), "it still does");
        std::thread::sleep(Duration::from_millis(400));
        assert!(helper.give(&mut buffer), "it answers again");
    }
}
