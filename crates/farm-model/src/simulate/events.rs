//! What is going to happen, by time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

use farm_queue::LeaseState;
use farm_queue::protocol::table::{CommitOutcome, TakenEntry};

use super::process::Process;

/// What a worker asks the server for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    /// What was given up, if `claim`, or else what nobody had.
    Look { claim: bool },
    /// What was leased to it unknown.
    Adopt,
    /// Whether it goes on.
    Beat(TakenEntry<Process>),
    /// To store and announce.
    Deliver(TakenEntry<Process>),
    /// To know that it is alive.
    Presence,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Looked {
        claim: bool,
        taken: Option<TakenEntry<Process>>,
    },
    Beaten(LeaseState),
    Delivered(CommitOutcome),
    /// Nothing came.
    TimedOut(Ask),
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    /// A request reaches the server.
    Arrives(Process, Ask),
    /// An answer reaches a worker.
    Answered(Process, Answer),
    /// A worker has computed the strip that it took at this delivery.
    Computed(Process, u64),
    /// A heartbeat is due.
    BeatDue(Process, u64),
    /// A worker looks for something to do, unless it did since.
    Poll(Process, u64),
    /// A worker tells that it is alive.
    PresenceDue(Process),
    /// A worker dies.
    Crash(Process),
    /// A worker stands still.
    Pause(Process),
    /// A worker's next process starts.
    Start(u32),
    /// The submitter reads.
    Collect,
    /// The submitter's regular look.
    Tick,
    /// The server writes what it knows to its disk.
    Save,
    /// The server dies.
    ServerDown,
    /// The server is back.
    ServerUp,
}

struct Due {
    at: Duration,
    /// Of two at the same time the one that was planned first.
    number: u64,
    event: Event,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the largest first.
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

/// Everything that is planned.
#[derive(Default)]
pub(super) struct Events {
    heap: BinaryHeap<Due>,
    planned: u64,
}

impl Events {
    pub(super) fn plan(&mut self, at: Duration, event: Event) {
        self.planned += 1;
        let number = self.planned;
        self.heap.push(Due { at, number, event });
    }

    pub(super) fn next(&mut self) -> Option<(Duration, Event)> {
        self.heap.pop().map(|due| (due.at, due.event))
    }

    pub(super) fn planned(&self) -> u64 {
        self.planned
    }
}
