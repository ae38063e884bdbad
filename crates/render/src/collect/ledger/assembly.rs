//! Which strips to queue next, and in which order finished ones leave: pure bookkeeping.
//!
//! Strips are queued from the top down and leave in the same order, so that files can be written as streams. At
//! most a window of strips is under way at once, which bounds the memory of the queue. What came before its turn
//! waits in memory; with a journal beyond a budget on the disk alone, so that one slow or dead strip holds up no
//! other. Without a journal, the window is also the distance between the next strip to leave and the last one
//! queued, which bounds the memory of this process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use fractal::{Strip, StripBuffer, StripPlan};

/// Where a strip is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not queued yet.
    Untouched,
    /// Queued, or about to be.
    UnderWay,
    /// In memory.
    Here,
    /// In the journal alone.
    Stored,
    /// Failed too often.
    Dead,
    /// Has left.
    Left,
}

/// The next strip in order.
#[derive(Clone, Debug)]
pub enum Next {
    /// It is here.
    Here(Arc<StripBuffer>),
    /// It is to be read from the journal.
    Stored(Strip),
}

/// The state of one picture between its strips and its files.
#[derive(Debug)]
pub struct Assembly {
    plan: StripPlan,
    window: u32,
    /// Bytes of strips that may wait in memory where a journal has them too.
    budget: u64,
    states: Vec<State>,
    /// Strips below this one were queued, or were in the journal from the start.
    queued: u32,
    /// The highest that `queued` has been.
    reached: u32,
    /// Strips to queue once more, before any new one.
    again: VecDeque<u32>,
    /// Strips in [`State::UnderWay`].
    under_way: u32,
    /// Strips below this one have left.
    left: u32,
    /// Came before their turn.
    early: BTreeMap<u32, Arc<StripBuffer>>,
    /// Bytes of those.
    early_bytes: u64,
    dead: BTreeSet<u32>,
}

impl Assembly {
    /// Of all strips of `plan`, of which `window` may be under way at once (at least one is); those in `stored`
    /// are in the journal already.
    #[must_use]
    pub fn new(
        plan: StripPlan,
        window: u32,
        budget: u64,
        stored: impl IntoIterator<Item = u32>,
    ) -> Self {
        let mut states = vec![State::Untouched; plan.count() as usize];
        for strip in stored {
            if let Some(state) = states.get_mut(strip as usize) {
                *state = State::Stored;
            }
        }
        Self {
            plan,
            window: window.max(1),
            budget,
            states,
            queued: 0,
            reached: 0,
            again: VecDeque::new(),
            under_way: 0,
            left: 0,
            early: BTreeMap::new(),
            early_bytes: 0,
            dead: BTreeSet::new(),
        }
    }

    fn state(&self, strip: u32) -> Option<State> {
        self.states.get(strip as usize).copied()
    }

    fn set(&mut self, strip: u32, state: State) {
        if let Some(place) = self.states.get_mut(strip as usize) {
            self.under_way -= u32::from(*place == State::UnderWay);
            self.under_way += u32::from(state == State::UnderWay);
            *place = state;
        }
    }

    /// The strips to queue now. `unwritten` strips were taken but are not in the journal yet, and count as under
    /// way: they would have to be computed again. `journalled` says whether there is a journal at all.
    pub fn strips_to_queue(&mut self, unwritten: u32, journalled: bool) -> Vec<Strip> {
        let mut strips = Vec::new();
        // They are under way already.
        strips.extend(
            self.again
                .drain(..)
                .filter_map(|strip| self.plan.strip(strip)),
        );
        // Where the next strip to leave is there, files are behind, and the journal need not grow for them.
        let waits_for_head =
            journalled && matches!(self.state(self.left), Some(State::UnderWay | State::Dead));
        let end = if waits_for_head {
            self.plan.count()
        } else {
            self.left.saturating_add(self.window).min(self.plan.count())
        };
        while self.queued < end && self.under_way.saturating_add(unwritten) < self.window {
            if self.state(self.queued) == Some(State::Untouched) {
                self.set(self.queued, State::UnderWay);
                strips.extend(self.plan.strip(self.queued));
            }
            self.queued += 1;
        }
        self.reached = self.reached.max(self.queued);
        strips
    }

    /// Strips that the queue holds already: they are under way without being queued.
    pub fn already(&mut self, strips: impl IntoIterator<Item = u32>) {
        for strip in strips {
            if self.state(strip) == Some(State::Untouched) {
                self.set(strip, State::UnderWay);
            }
        }
    }

    /// These strips count for nothing any more and are computed again, unless they are under way. Whether some
    /// had left: then [`Assembly::restart`].
    pub fn revoke(&mut self, strips: impl IntoIterator<Item = u32>) -> bool {
        let mut had_left = false;
        for strip in strips {
            match self.state(strip) {
                Some(State::Here | State::Stored | State::Dead) => {}
                Some(State::Left) => had_left = true,
                _ => continue,
            }
            self.forget(strip);
            self.dead.remove(&strip);
            self.set(strip, State::Untouched);
            self.queued = self.queued.min(strip);
        }
        had_left
    }

    /// All strips are to leave once more, from the first one on: those that are `journalled` from there, others are
    /// computed again.
    pub fn restart(&mut self, journalled: impl Fn(u32) -> bool) {
        for strip in 0..self.left {
            if self.state(strip) != Some(State::Left) {
                continue;
            }
            if journalled(strip) {
                self.set(strip, State::Stored);
            } else {
                self.set(strip, State::Untouched);
                self.queued = self.queued.min(strip);
            }
        }
        self.left = 0;
    }

    /// Strips below this one were queued at some time.
    #[must_use]
    pub fn queued_below(&self) -> u32 {
        self.reached
    }

    /// Whether none is left to queue.
    #[must_use]
    pub fn all_queued(&self) -> bool {
        self.queued == self.plan.count() && self.again.is_empty()
    }

    /// Strips that are waited for, from the top down.
    pub fn awaited(&self) -> impl Iterator<Item = Strip> {
        let under_way = |at: &u32| self.awaits(*at);
        let strips = (0..self.reached).filter(under_way);
        strips.filter_map(|at| self.plan.strip(at))
    }

    /// How many are waited for.
    #[must_use]
    pub fn under_way(&self) -> u32 {
        self.under_way
    }

    /// How many have come.
    #[must_use]
    pub fn come(&self) -> u32 {
        let come = |state: &&State| matches!(state, State::Here | State::Stored | State::Left);
        self.states.iter().filter(come).count() as u32
    }

    /// Takes a finished strip; `false` when it was there already, and nothing changes.
    pub fn accept(&mut self, buffer: Arc<StripBuffer>) -> bool {
        let index = buffer.strip.index;
        // A dead one may come late after all.
        if !matches!(self.state(index), Some(State::UnderWay | State::Dead)) {
            return false;
        }
        self.dead.remove(&index);
        self.again.retain(|strip| *strip != index);
        self.set(index, State::Here);
        self.early_bytes += buffer.bytes();
        self.early.insert(index, buffer);
        true
    }

    /// Forgets buffers over the budget that `journalled` has as well, those whose turn is furthest off first.
    pub fn evict(&mut self, journalled: impl Fn(u32) -> bool) {
        if self.early_bytes <= self.budget {
            return;
        }
        let mut over = self.early_bytes - self.budget;
        let mut gone = Vec::new();
        for (index, buffer) in self.early.iter().rev() {
            if over == 0 {
                break;
            }
            if journalled(*index) {
                over = over.saturating_sub(buffer.bytes());
                gone.push(*index);
            }
        }
        for index in gone {
            self.forget(index);
            self.set(index, State::Stored);
        }
    }

    fn forget(&mut self, index: u32) -> Option<Arc<StripBuffer>> {
        let buffer = self.early.remove(&index)?;
        self.early_bytes -= buffer.bytes();
        Some(buffer)
    }

    /// The next strip in order, if there is one; it has left then.
    pub fn next(&mut self) -> Option<Next> {
        let index = self.left;
        let next = match self.state(index)? {
            State::Here => Next::Here(self.forget(index)?),
            State::Stored => Next::Stored(self.plan.strip(index)?),
            _ => return None,
        };
        self.set(index, State::Left);
        self.left += 1;
        Some(next)
    }

    /// The strip that left last is not in the journal after all: it is computed again.
    pub fn unread(&mut self, strip: u32) {
        if self.left == strip + 1 {
            self.left = strip;
            self.queue_again(strip);
        }
    }

    /// Queues a strip once more that is waited for, but whose result came to nothing.
    pub fn queue_again(&mut self, strip: u32) {
        self.set(strip, State::UnderWay);
        if !self.again.contains(&strip) {
            self.again.push_back(strip);
        }
    }

    /// A strip failed too often: the others go on.
    pub fn give_up(&mut self, strip: u32) {
        if self.awaits(strip) {
            self.set(strip, State::Dead);
            self.dead.insert(strip);
        }
    }

    /// Strips that failed too often, from the top down.
    pub fn dead(&self) -> impl Iterator<Item = Strip> {
        self.dead.iter().filter_map(|strip| self.plan.strip(*strip))
    }

    /// Whether `strip` is still waited for.
    #[must_use]
    pub fn awaits(&self, strip: u32) -> bool {
        self.state(strip) == Some(State::UnderWay)
    }

    /// Whether every strip has left.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left == self.plan.count()
    }

    /// Whether nothing more can come, although not every strip has left: dead ones are in the way.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.under_way == 0 && self.again.is_empty() && self.state(self.left) == Some(State::Dead)
    }
}

#[cfg(test)]
#[path = "assembly_tests.rs"]
mod tests;
