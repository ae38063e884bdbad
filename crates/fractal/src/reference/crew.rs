//! Threads that square along.
//!
//! A step of ten thousand bits takes microseconds, so work is handed over by atomics and waited for by spinning.
//! Nobody waits long: whoever does not answer in about the time that the work takes (its core went to somebody else)
//! is not waited for, and the first thread does that part itself. All parts give the same bits whoever computes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::limbs::{add_rest, rest_for, scratch_for, square_high, square_main, square_rest};

/// Turns of a waiting thread between two looks at whether it should rather sleep.
const PATIENCE: u32 = 20_000;
/// How long it then sleeps.
const NAP: Duration = Duration::from_millis(1);

/// What one thread does of a step.
#[derive(Clone, Copy, PartialEq)]
enum Work {
    /// One square: 0 x², 1 y², 2 (|x| + |y|)².
    Square(usize),
    /// y² and the second part of (|x| + |y|)².
    SquareAndRest,
}

impl Work {
    /// The inputs that it takes.
    fn inputs(self) -> &'static [usize] {
        match self {
            Self::Square(1) => &[1],
            Self::Square(2) => &[2],
            Self::Square(_) => &[0],
            Self::SquareAndRest => &[1, 2],
        }
    }
}

/// What both sides see.
struct Board {
    /// The step whose inputs are there.
    given: AtomicU64,
    /// The step whose results are there.
    done: AtomicU64,
    stop: AtomicBool,
    inputs: [Vec<AtomicU64>; 3],
    square: Vec<AtomicU64>,
    rest: Vec<AtomicU64>,
}

fn atomics(n: usize) -> Vec<AtomicU64> {
    (0..n).map(|_| AtomicU64::new(0)).collect()
}

fn put(to: &[AtomicU64], from: &[u64]) {
    for (to, &from) in to.iter().zip(from) {
        to.store(from, Ordering::Relaxed);
    }
}

fn take(to: &mut [u64], from: &[AtomicU64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.load(Ordering::Relaxed);
    }
}

/// One thread, and its work.
struct Hand {
    board: Arc<Board>,
    work: Work,
    thread: Option<JoinHandle<()>>,
}

/// One or two threads beside the caller's.
pub(super) struct Crew {
    hands: Vec<Hand>,
    step: u64,
    /// Turns that a result is waited for.
    turns: u32,
    /// Room for the caller's own second parts.
    own: Vec<u64>,
}

impl Crew {
    /// A crew that makes up to `threads` threads, 3 at most, with the caller's; none for one, or where the system
    /// gives no thread.
    pub(super) fn hire(n: usize, threads: usize) -> Option<Self> {
        let works: &[Work] = match threads {
            0 | 1 => &[],
            2 => &[Work::SquareAndRest],
            _ => &[Work::Square(1), Work::Square(2)],
        };
        let mut hands = Vec::new();
        for &work in works {
            let board = Arc::new(Board {
                given: AtomicU64::new(0),
                done: AtomicU64::new(0),
                stop: AtomicBool::new(false),
                inputs: [(); 3].map(|()| atomics(n)),
                square: atomics(n + 1),
                rest: atomics(rest_for(n)),
            });
            let own = Arc::clone(&board);
            let thread = std::thread::Builder::new()
                .name("reference-orbit".into())
                .spawn(move || help(&own, work, n))
                .ok()?;
            let thread = Some(thread);
            hands.push(Hand {
                board,
                work,
                thread,
            });
        }
        (!hands.is_empty()).then_some(Self {
            hands,
            step: 0,
            turns: u32::try_from(100 + n * n / 60).unwrap_or(u32::MAX),
            own: vec![0; rest_for(n)],
        })
    }

    /// The high halves of three squares.
    pub(super) fn square(
        &mut self,
        inputs: [&[u64]; 3],
        out: &mut [Vec<u64>; 3],
        rest: &mut [u64],
        scratch: &mut [u64],
    ) {
        let last = self.step;
        self.step += 1;
        let mut left = [true; 3];
        let mut rest_left = true;
        // Who has not answered the last step is away, and not asked.
        let mut asked = [false; 2];
        for (hand, asked) in self.hands.iter().zip(&mut asked) {
            let board = &hand.board;
            let done = board.done.load(Ordering::Acquire);
            if done != board.given.load(Ordering::Relaxed) && last > 0 {
                continue;
            }
            for &input in hand.work.inputs() {
                put(&board.inputs[input], inputs[input]);
            }
            board.given.store(self.step, Ordering::Release);
            *asked = true;
            match hand.work {
                Work::Square(which) => left[which] = false,
                Work::SquareAndRest => (left[1], rest_left) = (false, false),
            }
        }
        let own = &mut self.own;
        for which in 0..3 {
            if which == 2 && !rest_left {
                square_main(inputs[2], &mut out[2], scratch);
            } else if left[which] {
                square_high(inputs[which], &mut out[which], own, scratch);
            }
        }
        for (hand, _) in self.hands.iter().zip(asked).filter(|(_, asked)| *asked) {
            let answered = hand.answered(self.step, self.turns);
            let mut square = |which: usize, own: &mut [u64], scratch: &mut [u64]| {
                if answered {
                    take(&mut out[which], &hand.board.square);
                } else {
                    square_high(inputs[which], &mut out[which], own, scratch);
                }
            };
            match hand.work {
                Work::Square(which) => square(which, own, scratch),
                Work::SquareAndRest => {
                    square(1, own, scratch);
                    if answered {
                        take(rest, &hand.board.rest);
                    } else {
                        square_rest(inputs[2], rest, scratch);
                    }
                    add_rest(&mut out[2], rest);
                }
            }
        }
    }
}

impl Hand {
    fn answered(&self, step: u64, turns: u32) -> bool {
        for _ in 0..turns {
            if self.board.done.load(Ordering::Acquire) == step {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for hand in &self.hands {
            hand.board.stop.store(true, Ordering::Relaxed);
        }
        for hand in &mut self.hands {
            if let Some(thread) = hand.thread.take() {
                // A thread that panicked was not waited for; its work was done here.
                drop(thread.join());
            }
        }
    }
}

/// A thread of the crew.
fn help(board: &Board, work: Work, n: usize) {
    let mut inputs = [(); 3].map(|()| vec![0; n]);
    let (mut out, mut rest) = (vec![0; n + 1], vec![0; rest_for(n)]);
    let mut scratch = vec![0; scratch_for(n)];
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
        for &input in work.inputs() {
            take(&mut inputs[input], &board.inputs[input]);
        }
        match work {
            Work::Square(which) => square_high(&inputs[which], &mut out, &mut rest, &mut scratch),
            Work::SquareAndRest => {
                square_high(&inputs[1], &mut out, &mut rest, &mut scratch);
                square_rest(&inputs[2], &mut rest, &mut scratch);
                put(&board.rest, &rest);
            }
        }
        put(&board.square, &out);
        board.done.store(given, Ordering::Release);
    }
}
