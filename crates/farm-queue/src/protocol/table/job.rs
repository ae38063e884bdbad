//! A job's table and a worker's steps on it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use super::bits::Bits;
use super::stream::{Entry, EntryId, Owner, Pending, Stream};
use crate::job::{LEASE, MAX_DELIVERIES};
use crate::protocol::attempts::{self, MAX_REASONS};
use crate::queue::LeaseState;

/// Most idle entries that one claim looks at, so that a flood of them does not hold up a server.
pub const MOST_LOOKED_AT: usize = 32;

/// Limits of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// A lease that shows no heartbeat for this long is given to somebody else.
    pub lease: Duration,
    /// Deliveries of one entry after which it is put to the dead letters.
    pub deliveries: u32,
    /// Most reasons that are kept of one slot.
    pub reasons: usize,
}

impl Default for Limits {
    /// Those of the farm.
    fn default() -> Self {
        Self {
            lease: LEASE,
            deliveries: MAX_DELIVERIES,
            reasons: MAX_REASONS,
        }
    }
}

/// An entry in a worker's hands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TakenEntry<W> {
    /// Its name.
    pub id: EntryId,
    /// How often it was delivered, this time included.
    pub attempt: u32,
    /// What it says.
    pub entry: Entry<W>,
}

/// Answer to a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommitOutcome {
    /// The first for this slot.
    First,
    /// Somebody else was first.
    Duplicate,
    /// There is no such job; what was stored is removed.
    JobGone,
    /// Nothing is stored; nothing was acknowledged.
    NoBuffer,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Letter {
    /// The slot that was given up.
    pub slot: u32,
    /// Why, a line each.
    pub reasons: Vec<String>,
}

/// What a queue holds of one job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobTable<W, B> {
    pub(super) limits: Limits,
    /// `None`: there is no such job, though buffers of it may still be stored.
    pub(super) queue: Option<Stream<W>>,
    pub(super) results: BTreeMap<u32, B>,
    /// Slots with a committed buffer.
    pub(super) bits: Bits,
    /// Slots whose buffer was collected.
    pub(super) got: Bits,
    pub(super) done: BTreeMap<EntryId, u32>,
    pub(super) dead: BTreeMap<EntryId, Letter>,
    pub(super) why: BTreeMap<u32, Vec<String>>,
    /// Workers of a job with a cap on them, and until when they count.
    pub(super) crew: BTreeMap<W, Duration>,
    pub(super) next_id: EntryId,
}

impl<W: Clone + Ord + Display, B> JobTable<W, B> {
    /// A table that knows no job yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            queue: None,
            results: BTreeMap::new(),
            bits: Bits::default(),
            got: Bits::default(),
            done: BTreeMap::new(),
            dead: BTreeMap::new(),
            why: BTreeMap::new(),
            crew: BTreeMap::new(),
            next_id: 1,
        }
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Entries to do and under way; `None` where there is no job.
    #[must_use]
    pub fn queue(&self) -> Option<&Stream<W>> {
        self.queue.as_ref()
    }

    /// The same for those who want to break it: a table that is changed otherwise than by its steps promises nothing.
    pub fn queue_mut(&mut self) -> Option<&mut Stream<W>> {
        self.queue.as_mut()
    }

    /// `lease`: the next entry that nobody had, for `worker`. Those that are not for it are given back, and passed
    /// over from then on.
    pub fn lease(&mut self, worker: &W, now: Duration) -> Option<TakenEntry<W>> {
        let queue = self.queue.as_mut()?;
        for _ in 0..MOST_LOOKED_AT {
            let (id, entry) = queue.read_new(worker, now)?;
            if entry.not.as_ref() != Some(worker) {
                return Some(TakenEntry {
                    id,
                    attempt: 1,
                    entry,
                });
            }
            queue.claim(id, Owner::Released, 0, None);
        }
        None
    }

    /// `claim`: takes over an entry whose lease ran out or that was given back. One that was delivered too
    /// often is put to the dead letters on the way, one whose slot is done is forgotten. `passed`: entries that the
    /// worker leaves to others, each until it was delivered so often.
    pub fn claim(
        &mut self,
        worker: &W,
        now: Duration,
        passed: &[(EntryId, u32)],
    ) -> Option<TakenEntry<W>> {
        let limits = self.limits;
        let queue = self.queue.as_mut()?;
        if queue.oldest().is_none() && !queue.has_idle() {
            return None;
        }
        for id in queue.idle(now, limits.lease, MOST_LOOKED_AT) {
            let queue = self.queue.as_mut()?;
            let Some(entry) = queue.entry(id).cloned() else {
                // Deleted meanwhile: nobody waits for it.
                queue.remove(id);
                continue;
            };
            let Some(Pending {
                owner, deliveries, ..
            }) = queue.pending(id).cloned()
            else {
                continue;
            };
            let is_passed = |(of, until): &(EntryId, u32)| *of == id && deliveries < *until;
            if entry.not.as_ref() == Some(worker) || passed.iter().any(is_passed) {
                continue;
            }
            // Counts the delivery.
            let attempt = deliveries + 1;
            queue.claim(id, Owner::Worker(worker.clone()), attempt, Some(now));
            if self.bits.get(entry.slot) {
                // Another copy of it was delivered.
                queue.remove(id);
                continue;
            }
            if let Owner::Worker(owner) = owner
                && limits.reasons > 0
            {
                let reasons = self.why.entry(entry.slot).or_default();
                attempts::remember(reasons, &attempts::expired_reason(&owner.to_string()));
            }
            if deliveries < limits.deliveries {
                return Some(TakenEntry { id, attempt, entry });
            }
            queue.remove(id);
            self.bury(entry.slot);
        }
        None
    }

    /// `adopt`: an entry that was leased to the worker in an answer that never arrived. The delivery that got lost on
    /// the way is the one that counts.
    pub fn adopt(&mut self, worker: &W, known: &[EntryId], now: Duration) -> Option<TakenEntry<W>> {
        let queue = self.queue.as_mut()?;
        let id = queue.owned_by(worker).find(|id| !known.contains(id))?;
        let entry = queue.entry(id).cloned()?;
        let attempt = queue.pending(id)?.deliveries;
        queue.claim(id, Owner::Worker(worker.clone()), attempt, Some(now));
        Some(TakenEntry { id, attempt, entry })
    }

    /// Whether the entry still is the worker's, from that delivery.
    fn holds(&self, worker: &W, taken: &TakenEntry<W>) -> bool {
        let pending = self.queue.as_ref().and_then(|q| q.pending(taken.id));
        pending.is_some_and(|pending| {
            matches!(&pending.owner, Owner::Worker(owner) if owner == worker)
                && pending.deliveries == taken.attempt
        })
    }

    /// `heartbeat`: keeps a lease alive, if it still is the caller's and its slot is not done.
    pub fn heartbeat(&mut self, worker: &W, taken: &TakenEntry<W>, now: Duration) -> LeaseState {
        let holds = self.holds(worker, taken);
        let Some(queue) = self.queue.as_mut() else {
            return LeaseState::JobGone;
        };
        if !holds {
            return LeaseState::Lost;
        }
        if self.bits.get(taken.entry.slot) {
            // Another copy of the strip was delivered: nobody waits for this one.
            queue.remove(taken.id);
            return LeaseState::Lost;
        }
        let owner = Owner::Worker(worker.clone());
        queue.claim(taken.id, owner, taken.attempt, Some(now));
        LeaseState::Held
    }

    /// SET NX: stores what was computed, unless something lies there; whether it was stored.
    pub fn store(&mut self, slot: u32, bytes: B) -> bool {
        let mut stored = false;
        self.results.entry(slot).or_insert_with(|| {
            stored = true;
            bytes
        });
        stored
    }

    /// `commit`: marks, announces and acknowledges a slot whose buffer was stored before.
    pub fn commit(&mut self, id: EntryId, slot: u32) -> CommitOutcome {
        let Some(queue) = self.queue.as_mut() else {
            self.results.remove(&slot);
            return CommitOutcome::JobGone;
        };
        let first = !self.bits.get(slot);
        if first {
            if !self.results.contains_key(&slot) {
                return CommitOutcome::NoBuffer;
            }
            self.bits.set(slot);
            self.done.insert(self.next_id, slot);
            self.next_id += 1;
        } else if self.got.get(slot) {
            // The first buffer was collected, so what lies there now is the late one.
            self.results.remove(&slot);
        }
        queue.remove(id);
        if first {
            CommitOutcome::First
        } else {
            CommitOutcome::Duplicate
        }
    }

    /// `release`: gives an entry back at once and uncounted, if it still is the caller's.
    pub fn release(&mut self, worker: &W, taken: &TakenEntry<W>) -> bool {
        let holds = self.holds(worker, taken);
        if let Some(queue) = self.queue.as_mut().filter(|_| holds) {
            queue.claim(taken.id, Owner::Released, taken.attempt - 1, None);
        }
        holds
    }

    /// `fail`: gives an entry back at once after a failure that counts, if it still is the caller's; after too many
    /// it is put to the dead letters.
    pub fn fail(&mut self, worker: &W, taken: &TakenEntry<W>, reason: &str) -> bool {
        if !self.holds(worker, taken) {
            return false;
        }
        let Some(queue) = self.queue.as_mut() else {
            return false;
        };
        let slot = taken.entry.slot;
        if self.limits.reasons > 0 {
            attempts::remember(self.why.entry(slot).or_default(), reason);
        }
        if taken.attempt < self.limits.deliveries {
            queue.claim(taken.id, Owner::Failed, taken.attempt, None);
            return true;
        }
        queue.remove(taken.id);
        if self.bits.get(slot) {
            self.why.remove(&slot);
        } else {
            self.bury(slot);
        }
        true
    }

    /// Puts a slot to the dead letters.
    fn bury(&mut self, slot: u32) {
        let reasons = self.why.remove(&slot).unwrap_or_default();
        self.dead.insert(self.next_id, Letter { slot, reasons });
        self.next_id += 1;
    }

    /// `leave`: forgets a worker, unless it still holds entries; whether it was forgotten.
    pub fn leave(&mut self, worker: &W) -> bool {
        self.crew.remove(worker);
        let Some(queue) = self.queue.as_mut() else {
            return false;
        };
        if queue.owned_by(worker).next().is_some() {
            return false;
        }
        queue.delete_consumer(worker);
        true
    }

    /// `join`: whether a worker may have entries of a job that only `most` may have; its place is its own until `until`.
    pub fn join(&mut self, worker: &W, most: usize, now: Duration, until: Duration) -> bool {
        if self.queue.is_none() {
            return false;
        }
        self.crew.retain(|_, counts_until| *counts_until > now);
        if !self.crew.contains_key(worker) && self.crew.len() >= most {
            return false;
        }
        self.crew.insert(worker.clone(), until);
        true
    }
}
