//! A worker's lane: idle, leased, computed, stored, committed and idle again. Each step that touches the table is one
//! exchange with the server.

use std::fmt::Display;
use std::time::Duration;

use farm_queue::LeaseState;
use farm_queue::protocol::table::{Committed, JobTable, Taken};

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
    pub hand: Option<(Taken<W>, Stage)>,
}

impl<W: Clone + Ord + Display> Worker<W> {
    /// One that has nothing.
    #[must_use]
    pub fn new(process: W) -> Self {
        Self {
            process,
            hand: None,
        }
    }

    /// Takes something over that was given up; whether there was something.
    pub fn claim<B>(&mut self, table: &mut JobTable<W, B>, now: Duration) -> bool {
        let taken = table.claim(&self.process, now);
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

    fn begin(&mut self, taken: Option<Taken<W>>) -> bool {
        self.hand = taken.map(|taken| (taken, Stage::Leased));
        self.hand.is_some()
    }

    /// Shows that it is alive; stops when nobody waits for what it has. Whether it goes on.
    pub fn beat<B>(&mut self, table: &mut JobTable<W, B>, now: Duration) -> bool {
        let held = self.hand.as_ref().is_some_and(|(taken, _)| {
            table.heartbeat(&self.process, taken, now) == LeaseState::Held
        });
        if !held {
            self.hand = None;
        }
        held
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

    /// Announces what it stored; it has to be stored again if it vanished.
    pub fn commit<B>(&mut self, table: &mut JobTable<W, B>) -> Option<Committed> {
        let (taken, stage) = self.hand.as_mut()?;
        let committed = table.commit(taken.id, taken.entry.slot);
        if committed == Committed::NoBuffer {
            *stage = Stage::Computed;
        } else {
            self.hand = None;
        }
        Some(committed)
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
        }
    }

    /// Dies, and comes back as another process that knows nothing.
    pub fn crash(&mut self, process: W) {
        *self = Self::new(process);
    }
}
