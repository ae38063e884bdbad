//! A submitter's steps.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use super::bits::Bits;
use super::job::{JobTable, Letter};
use super::stream::{Entry, EntryId, Owner, Stream};

impl<W: Clone + Ord + Display, B> JobTable<W, B> {
    /// `create`: makes the job, or takes it up as it is.
    pub fn create(&mut self) {
        self.queue.get_or_insert_with(Stream::default);
    }

    /// `enqueue`: queues entries, in this order; `false` where there is no such job. Whatever was delivered for a slot
    /// before counts no more, unless what is queued is a copy of one under way.
    pub fn enqueue(&mut self, entries: impl IntoIterator<Item = Entry<W>>) -> bool {
        let Some(queue) = self.queue.as_mut() else {
            return false;
        };
        for entry in entries {
            if !entry.extra {
                self.bits.clear(entry.slot);
                self.got.clear(entry.slot);
            }
            queue.add(self.next_id, entry);
            self.next_id += 1;
        }
        true
    }

    /// XREAD: what was announced after `cursor`, in order.
    pub fn announced(&self, cursor: EntryId) -> impl Iterator<Item = (EntryId, u32)> {
        let after = self.done.range(cursor + 1..);
        after.map(|(id, slot)| (*id, *slot))
    }

    /// XREAD: dead letters after `cursor`, in order.
    pub fn letters(&self, cursor: EntryId) -> impl Iterator<Item = (EntryId, &Letter)> {
        self.dead
            .range(cursor + 1..)
            .map(|(id, letter)| (*id, letter))
    }

    /// XDEL of a dead letter.
    pub fn remove_letter(&mut self, id: EntryId) -> Option<Letter> {
        self.dead.remove(&id)
    }

    /// GET: what lies in a slot.
    #[must_use]
    pub fn result(&self, slot: u32) -> Option<&B> {
        self.results.get(&slot)
    }

    /// Why deliveries of a slot failed, so far.
    #[must_use]
    pub fn reasons(&self, slot: u32) -> &[String] {
        self.why.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// `take`: removes a collected buffer, its announcement and what was said of it, and remembers that it was collected.
    pub fn take(&mut self, slot: u32, announcement: EntryId) -> Option<B> {
        self.got.set(slot);
        self.done.remove(&announcement);
        self.why.remove(&slot);
        self.results.remove(&slot)
    }

    /// `reject`: throws away a buffer that cannot be used, so that the slot may be committed again.
    pub fn reject(&mut self, slot: u32, announcement: EntryId) {
        self.bits.clear(slot);
        self.got.clear(slot);
        self.results.remove(&slot);
        self.done.remove(&announcement);
    }

    /// Which of the `awaited` slots are neither to do, nor under way, nor announced, nor dead. Whoever asks has to
    /// read announcements and letters from the start again: a server that lost its last writes may hold some that
    /// were read, and answered, before.
    #[must_use]
    pub fn missing(&self, awaited: &[u32]) -> Vec<u32> {
        let mut held: BTreeSet<u32> = self.done.values().copied().collect();
        held.extend(self.dead.values().map(|letter| letter.slot));
        if let Some(queue) = &self.queue {
            held.extend(queue.entries().map(|(_, entry)| entry.slot));
        }
        let mut missing = awaited.to_vec();
        missing.retain(|slot| !held.contains(slot));
        missing
    }

    /// `finish`: removes all that the queue holds of the job.
    pub fn finish(&mut self) {
        self.queue = None;
        self.results.clear();
        self.bits = Bits::default();
        self.got = Bits::default();
        self.done.clear();
        self.dead.clear();
        self.why.clear();
        self.crew.clear();
    }

    /// Whether somebody holds the entry, and who: entries to do first, in order, then those that were delivered.
    pub fn under_way(&self) -> impl Iterator<Item = (EntryId, &Entry<W>, Option<(&W, u32)>)> {
        self.queue.iter().flat_map(|queue| {
            queue.entries().map(|(id, entry)| {
                let held = queue.pending(id).and_then(|pending| match &pending.owner {
                    Owner::Worker(worker) => Some((worker, pending.deliveries)),
                    Owner::Released | Owner::Failed => None,
                });
                (id, entry, held)
            })
        })
    }

    /// Whether the slot has a committed buffer.
    #[must_use]
    pub fn is_committed(&self, slot: u32) -> bool {
        self.bits.get(slot)
    }

    /// Whether the slot's buffer was collected.
    #[must_use]
    pub fn is_collected(&self, slot: u32) -> bool {
        self.got.get(slot)
    }

    /// Slots with something stored.
    pub fn stored(&self) -> impl Iterator<Item = (u32, &B)> {
        self.results.iter().map(|(slot, bytes)| (*slot, bytes))
    }

    /// When the next lease runs out, if no heartbeat comes.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Duration> {
        let oldest = self.queue.as_ref()?.oldest()?;
        Some(oldest + self.limits.lease)
    }

    /// The server came back with what it knew at an earlier moment. Its clock did not go back, so names are not
    /// used twice.
    pub fn roll_back_to(&mut self, earlier: Self) {
        let next_id = self.next_id.max(earlier.next_id);
        *self = earlier;
        self.next_id = next_id;
    }
}
