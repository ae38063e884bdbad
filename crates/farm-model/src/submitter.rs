//! A submitter: keeps a window of strips on the queue, writes down what comes, and makes whole what the server lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use farm_queue::protocol::table::{Entry, EntryId, JobTable};

/// A submitter's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Submitter<B> {
    window: usize,
    /// To be queued.
    todo: BTreeSet<u32>,
    /// Queued, and not received.
    awaited: BTreeSet<u32>,
    /// On its disk; it survives.
    journal: BTreeMap<u32, B>,
    /// Read, not yet removed from the server: slot and announcement.
    taken: Vec<(u32, EntryId)>,
    refused: Vec<(u32, EntryId)>,
    /// The last announcement and the last dead letter that were read.
    done: EntryId,
    dead: EntryId,
    /// The server is not the one that it was.
    repair_due: bool,
    /// Strips that were given up and queued once more.
    retried: u32,
}

/// What one look brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedStrips<B> {
    /// Slots that were written down.
    pub first: Vec<u32>,
    /// Buffers for slots that were written down before.
    pub again: Vec<(u32, B)>,
}

impl<B: Clone> Submitter<B> {
    /// One that wants all of `slots`, `window` of them on the queue at most.
    #[must_use]
    pub fn new(slots: u32, window: usize) -> Self {
        Self {
            window,
            todo: (0..slots).collect(),
            awaited: BTreeSet::new(),
            journal: BTreeMap::new(),
            taken: Vec::new(),
            refused: Vec::new(),
            done: 0,
            dead: 0,
            repair_due: false,
            retried: 0,
        }
    }

    /// Queues what there is room for; whether that was anything.
    pub fn fill<W: Clone + Ord + Display, T>(&mut self, table: &mut JobTable<W, T>) -> bool {
        let room = self.window.saturating_sub(self.awaited.len());
        let next: Vec<u32> = self.todo.iter().take(room).copied().collect();
        if next.is_empty() {
            return false;
        }
        if !table.enqueue(next.iter().copied().map(Entry::plain)) {
            self.repair_due = true;
            return true;
        }
        for slot in next {
            self.todo.remove(&slot);
            self.awaited.insert(slot);
        }
        true
    }

    /// Whether there is something to read, or something read to be removed.
    pub fn has_mail<W: Clone + Ord + Display, T>(&self, table: &JobTable<W, T>) -> bool {
        !self.taken.is_empty()
            || !self.refused.is_empty()
            || table.announced(self.done).next().is_some()
            || table.letters(self.dead).next().is_some()
    }

    /// Removes what it read before, reads what is new and writes it down.
    pub fn collect<W: Clone + Ord + Display>(
        &mut self,
        table: &mut JobTable<W, B>,
        most: usize,
    ) -> ReceivedStrips<B> {
        for (slot, id) in self.taken.drain(..) {
            table.take(slot, id);
        }
        for (slot, id) in self.refused.drain(..) {
            table.reject(slot, id);
        }
        let mut received = ReceivedStrips {
            first: Vec::new(),
            again: Vec::new(),
        };
        for (id, slot) in table.announced(self.done).take(most) {
            self.done = id;
            match table.result(slot) {
                Some(bytes) if self.journal.contains_key(&slot) => {
                    received.again.push((slot, bytes.clone()));
                    self.taken.push((slot, id));
                }
                Some(bytes) => {
                    self.journal.insert(slot, bytes.clone());
                    self.awaited.remove(&slot);
                    self.todo.remove(&slot);
                    self.taken.push((slot, id));
                    received.first.push(slot);
                }
                None => {
                    self.refused.push((slot, id));
                    self.again(slot);
                }
            }
        }
        let letters: Vec<_> = table.letters(self.dead).map(|(id, _)| id).collect();
        for id in letters {
            self.dead = id;
            if let Some(letter) = table.remove_letter(id) {
                self.retried += 1;
                self.again(letter.slot);
            }
        }
        received
    }

    /// A slot has to be queued once more, unless it is there.
    fn again(&mut self, slot: u32) {
        if !self.journal.contains_key(&slot) {
            self.awaited.remove(&slot);
            self.todo.insert(slot);
        }
    }

    /// Makes whole what a server lost that came back with older data, or with none.
    pub fn repair<W: Clone + Ord + Display, T>(&mut self, table: &mut JobTable<W, T>) {
        self.queue_missing(table);
        // What was read, and answered, before may lie there again: from the start, then.
        (self.done, self.dead) = (0, 0);
    }

    /// The half of a repair that does not read again what was read before.
    pub fn queue_missing<W: Clone + Ord + Display, T>(&mut self, table: &mut JobTable<W, T>) {
        table.create();
        let awaited: Vec<u32> = self.awaited.iter().copied().collect();
        for slot in table.missing(&awaited) {
            self.again(slot);
        }
        self.repair_due = false;
    }

    /// Goes on in another process, from what is on the disk.
    pub fn restart<W: Clone + Ord + Display, T>(&mut self, table: &mut JobTable<W, T>) {
        self.taken.clear();
        self.refused.clear();
        self.awaited.append(&mut self.todo);
        self.repair(table);
    }

    /// Notes that the server is not the one that it was.
    pub fn server_changed(&mut self) {
        self.repair_due = true;
    }

    /// Whether [`Self::repair`] has to be called.
    #[must_use]
    pub fn repair_due(&self) -> bool {
        self.repair_due
    }

    /// Whether everything is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.todo.is_empty() && self.awaited.is_empty()
    }

    /// Slots that were queued and not received.
    #[must_use]
    pub fn awaited(&self) -> &BTreeSet<u32> {
        &self.awaited
    }

    /// Slots that are to be queued.
    #[must_use]
    pub fn todo(&self) -> usize {
        self.todo.len()
    }

    /// What is on its disk.
    #[must_use]
    pub fn journal(&self) -> &BTreeMap<u32, B> {
        &self.journal
    }

    /// Dead letters that were answered by queueing the strip once more.
    #[must_use]
    pub fn retried(&self) -> u32 {
        self.retried
    }
}
