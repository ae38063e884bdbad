//! A worker's lane: idle, leased, computed, stored, committed and idle again. Each step that touches the table is one
//! exchange with the server.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use farm_queue::LeaseState;
use farm_queue::protocol::table::{CommitOutcome, EntryId, JobTable, TakenEntry};

/// How far a worker is with what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It computes.
    Leased,
    /// It has the bytes.
    Computed,
    /// The server has the bytes; they are not announced yet.
    Stored,
}

/// One lane of a worker's process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Worker<W> {
    /// Its process; another one after every crash.
    pub process: W,
    /// What it has, and how far it is.
    pub hand: Option<(TakenEntry<W>, Stage)>,
    /// Entries at which this process failed, and how often. Nothing is forgotten with time here.
    pub failed: BTreeMap<EntryId, u32>,
}

impl<W: Clone + Ord + Display> Worker<W> {
    /// One that has nothing.
    #[must_use]
    pub fn new(process: W) -> Self {
        Self {
            process,
            hand: None,
            failed: BTreeMap::new(),
        }
    }

    /// Takes something over that was given up; whether there was something. What this process failed at is left
    /// to the `others` that are alive until they had their turns.
    pub fn claim<B>(&mut self, table: &mut JobTable<W, B>, now: Duration, others: u32) -> bool {
        let failed = self.failed.iter().filter(|_| others > 0);
        let passed: Vec<_> = failed
            .map(|(id, times)| (*id, times * (others + 1)))
            .collect();
        let taken = table.claim(&self.process, now, &passed);
        self.begin(taken)
    }

    /// Takes something new; whether there was something.
    pub fn lease<B>(&mut self, table: &mut JobTable<W, B>, now: Duration) -> bool {
        let taken = table.lease(&self.process, now);
        self.begin(taken)
    }

    /// Finds what was leased to it in an answer that got lost; whether there was something.
    pub fn adopt<B>(&mut self, table: &mut JobTable<W, B>, now: Duration) -> bool {
        let taken = table.adopt(&self.process, &[], now);
        self.begin(taken)
    }

    /// Hears what it was given; whether it was given anything.
    pub fn begin(&mut self, taken: Option<TakenEntry<W>>) -> bool {
        self.hand = taken.map(|taken| (taken, Stage::Leased));
        self.hand.is_some()
    }

    /// Shows that it is alive; whether it goes on.
    pub fn send_heartbeat<B>(&mut self, table: &mut JobTable<W, B>, now: Duration) -> bool {
        let Some((taken, _)) = &self.hand else {
            return false;
        };
        let state = table.heartbeat(&self.process, taken, now);
        self.hear_heartbeat(state)
    }

    /// Hears whether somebody still waits for what it has, and stops where nobody does; whether it goes on.
    pub fn hear_heartbeat(&mut self, state: LeaseState) -> bool {
        if state != LeaseState::Held {
            self.hand = None;
        }
        self.hand.is_some()
    }

    /// Has computed.
    pub fn compute(&mut self) {
        if let Some((_, stage)) = &mut self.hand {
            *stage = Stage::Computed;
        }
    }

    /// Stores what it computed, unless something lies there already.
    pub fn store<B>(&mut self, table: &mut JobTable<W, B>, bytes: B) {
        if let Some((taken, stage)) = &mut self.hand {
            table.store(taken.entry.slot, bytes);
            *stage = Stage::Stored;
        }
    }

    /// Announces what it stored.
    pub fn commit<B>(&mut self, table: &mut JobTable<W, B>) -> Option<CommitOutcome> {
        let (taken, _) = self.hand.as_ref()?;
        let committed = table.commit(taken.id, taken.entry.slot);
        self.hear_commit(committed);
        Some(committed)
    }

    /// Hears what came of it: what vanished has to be stored again.
    pub fn hear_commit(&mut self, committed: CommitOutcome) {
        match &mut self.hand {
            Some((_, stage)) if committed == CommitOutcome::NoBuffer => *stage = Stage::Computed,
            _ => self.hand = None,
        }
    }

    /// Gives back what it has, uncounted.
    pub fn release<B>(&mut self, table: &mut JobTable<W, B>) {
        if let Some((taken, _)) = self.hand.take() {
            table.release(&self.process, &taken);
        }
    }

    /// Fails at what it has.
    pub fn fail<B>(&mut self, table: &mut JobTable<W, B>) {
        if let Some((taken, _)) = self.hand.take() {
            table.fail(&self.process, &taken, "failed");
            *self.failed.entry(taken.id).or_default() += 1;
        }
    }

    /// Dies, and comes back as another process that knows nothing.
    pub fn crash(&mut self, process: W) {
        *self = Self::new(process);
    }
}
