//! A stream with one consumer group, as Redis keeps it: the commands that the scripts are made of.
//!
//! None of these guards anything: who may do what is decided in [`JobTable`](super::JobTable), as it is in the
//! scripts and not in Redis.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Name of an entry; they grow, also over a restart, because Redis makes them of its clock.
pub type EntryId = u64;

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry<W> {
    /// The place of the result among those of the job.
    pub slot: u32,
    /// A worker that may not have it.
    pub not: Option<W>,
    /// Whether it is a copy of one that is under way already.
    pub extra: bool,
}

impl<W> Entry<W> {
    /// An entry for `slot` that anybody may have.
    #[must_use]
    pub fn plain(slot: u32) -> Self {
        Self {
            slot,
            not: None,
            extra: false,
        }
    }
}

/// Who has an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner<W> {
    /// A worker.
    Worker(W),
    /// Nobody: it was given back uncounted.
    Released,
    /// Nobody: its last worker failed at it.
    Failed,
}

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pending<W> {
    /// Who has it.
    pub owner: Owner<W>,
    /// Deliveries that count.
    pub deliveries: u32,
    /// When it was last heard of; `None`: so long ago that anybody may take it over.
    pub since: Option<Duration>,
}

/// A stream and its group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stream<W> {
    entries: BTreeMap<EntryId, Entry<W>>,
    /// Up to here entries were delivered for the first time.
    delivered: EntryId,
    pending: BTreeMap<EntryId, Pending<W>>,
    /// Pending entries by the time when they were last heard of.
    by_age: BTreeSet<(Duration, EntryId)>,
    /// Pending entries that anybody may take over.
    idle: BTreeSet<EntryId>,
    consumers: BTreeSet<W>,
}

impl<W> Default for Stream<W> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            delivered: 0,
            pending: BTreeMap::new(),
            by_age: BTreeSet::new(),
            idle: BTreeSet::new(),
            consumers: BTreeSet::new(),
        }
    }
}

impl<W: Clone + Ord> Stream<W> {
    /// XADD. `id` must be larger than all before it.
    pub fn add(&mut self, id: EntryId, entry: Entry<W>) {
        self.entries.insert(id, entry);
    }

    /// XREADGROUP `>`: the next entry that nobody had, delivered once.
    pub fn read_new(&mut self, worker: &W, now: Duration) -> Option<(EntryId, Entry<W>)> {
        self.consumers.insert(worker.clone());
        let (id, entry) = self.entries.range(self.delivered + 1..).next()?;
        let (id, entry) = (*id, entry.clone());
        self.delivered = id;
        self.claim(id, Owner::Worker(worker.clone()), 1, Some(now));
        Some((id, entry))
    }

    /// XCLAIM: gives `id` an owner, a count of deliveries and a time, whoever had it. Adds it to the pending ones.
    pub fn claim(
        &mut self,
        id: EntryId,
        owner: Owner<W>,
        deliveries: u32,
        since: Option<Duration>,
    ) {
        self.unlist(id);
        match since {
            Some(since) => self.by_age.insert((since, id)),
            None => self.idle.insert(id),
        };
        if let Owner::Worker(worker) = &owner
            && !self.consumers.contains(worker)
        {
            self.consumers.insert(worker.clone());
        }
        let pending = Pending {
            owner,
            deliveries,
            since,
        };
        self.pending.insert(id, pending);
    }

    /// XACK and XDEL.
    pub fn remove(&mut self, id: EntryId) {
        self.unlist(id);
        self.pending.remove(&id);
        self.entries.remove(&id);
    }

    /// XGROUP DELCONSUMER: what it had is pending no more, and so is never delivered again.
    pub fn delete_consumer(&mut self, worker: &W) {
        for id in self.owned_by(worker).collect::<Vec<_>>() {
            self.unlist(id);
            self.pending.remove(&id);
        }
        self.consumers.remove(worker);
    }

    fn unlist(&mut self, id: EntryId) {
        match self.pending.get(&id) {
            Some(Pending {
                since: Some(since), ..
            }) => self.by_age.remove(&(*since, id)),
            Some(_) => self.idle.remove(&id),
            None => false,
        };
    }

    /// XPENDING for one entry.
    #[must_use]
    pub fn pending(&self, id: EntryId) -> Option<&Pending<W>> {
        self.pending.get(&id)
    }

    /// XPENDING: all of them, by name.
    pub fn all_pending(&self) -> impl Iterator<Item = (EntryId, &Pending<W>)> {
        self.pending.iter().map(|(id, pending)| (*id, pending))
    }

    /// XPENDING of one worker, by name.
    pub fn owned_by(&self, worker: &W) -> impl Iterator<Item = EntryId> {
        self.all_pending()
            .filter(move |(_, pending)| matches!(&pending.owner, Owner::Worker(w) if w == worker))
            .map(|(id, _)| id)
    }

    /// XPENDING IDLE: the first `count` that nobody was heard of for `lease`, by name.
    pub fn idle(&mut self, now: Duration, lease: Duration, count: usize) -> Vec<EntryId> {
        while let Some((since, id)) = self.by_age.first().copied() {
            if since + lease > now {
                break;
            }
            self.by_age.pop_first();
            self.idle.insert(id);
            if let Some(pending) = self.pending.get_mut(&id) {
                pending.since = None;
            }
        }
        self.idle.iter().take(count).copied().collect()
    }

    /// Makes an entry idle before its time, as a jump of the server's clock would.
    pub fn age(&mut self, id: EntryId) {
        if let Some(pending) = self.pending.get(&id) {
            let Pending {
                owner, deliveries, ..
            } = pending.clone();
            self.claim(id, owner, deliveries, None);
        }
    }

    /// The time of the last sign of the entry that is idle next.
    #[must_use]
    pub fn oldest(&self) -> Option<Duration> {
        self.by_age.first().map(|(since, _)| *since)
    }

    /// XRANGE for one entry.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Option<&Entry<W>> {
        self.entries.get(&id)
    }

    /// XRANGE: all of them.
    pub fn entries(&self) -> impl Iterator<Item = (EntryId, &Entry<W>)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }

    /// Whether there are entries that nobody had.
    #[must_use]
    pub fn has_new(&self) -> bool {
        (self.entries.last_key_value()).is_some_and(|(id, _)| *id > self.delivered)
    }

    /// Whether anything was found idle before and not taken over.
    #[must_use]
    pub fn has_idle(&self) -> bool {
        !self.idle.is_empty()
    }

    /// Workers that the group knows.
    #[must_use]
    pub fn consumers(&self) -> &BTreeSet<W> {
        &self.consumers
    }
}
