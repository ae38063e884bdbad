//! What the submitter does.

use std::collections::BTreeMap;

use farm_queue::protocol::table::Entry;

use super::costs::Step;
use super::events::Event;
use super::simulation::{LATE, ROUND, Simulation, SimulationError, TICK, digest, secs};

impl Simulation<'_> {
    pub(super) fn collect(&mut self) -> Result<(), SimulationError> {
        if self.down {
            self.events.plan(self.now + TICK, Event::Collect);
            return Ok(());
        }
        self.repair();
        let received = self.submitter.collect(&mut self.table, ROUND);
        let right = |slot: &u32| self.submitter.journal().get(slot) == Some(&digest(*slot));
        let first = received.first.iter().find(|slot| !right(slot));
        let again = received.again.iter().find(|(slot, b)| digest(*slot) != *b);
        if let Some(slot) = first.or(again.map(|(slot, _)| slot)) {
            return Err(SimulationError::Bytes(*slot));
        }
        let count = received.first.len() + received.again.len();
        self.spend(Step::Collect, count);
        let share = self.submitter.journal().len() as f64 / f64::from(self.settings.strips);
        if share >= 0.99 && self.report.secs_99 == 0.0 {
            self.report.secs_99 = self.now.as_secs_f64();
        }
        self.fill();
        let own = secs(self.settings.costs.submitter * count as f64);
        let at = self.busy_until.max(self.now) + 2 * self.settings.network + own;
        self.collects = self.submitter.has_mail(&self.table);
        if self.collects {
            self.events.plan(at, Event::Collect);
        }
        Ok(())
    }

    pub(super) fn repair(&mut self) {
        if self.submitter.repair_due() {
            self.count("repairs");
            self.submitter.repair(&mut self.table);
        }
    }

    pub(super) fn fill(&mut self) {
        let before = self.submitter.awaited().len();
        if !self.submitter.fill(&mut self.table) {
            return;
        }
        let queued = self.submitter.awaited().len().saturating_sub(before);
        self.spend(Step::Enqueue, queued);
        self.wake(queued);
    }

    /// The hint reaches whoever waits for something to do.
    pub(super) fn wake(&mut self, queued: usize) {
        let at = self.busy_until + self.settings.network;
        let share = if self.settings.gentle {
            2.0 * queued as f64 / self.idle.len().max(1) as f64
        } else {
            1.0
        };
        for worker in self.idle.clone() {
            if self.dice.chance(share) {
                self.idle.remove(&worker);
                let process = self.lanes[worker as usize].machine.process;
                self.plan_look(process, at);
            }
        }
    }

    pub(super) fn tick(&mut self) -> Result<(), SimulationError> {
        self.events.plan(self.now + TICK, Event::Tick);
        if self.down {
            return Ok(());
        }
        self.spend(Step::Report, 1);
        self.repair();
        self.fill();
        if self.settings.check {
            let awaited: Vec<u32> = self.submitter.awaited().iter().copied().collect();
            let slots = self.table.missing(&awaited);
            // What was refused is asked for again before it is missed.
            if !slots.is_empty() {
                return Err(SimulationError::Lost {
                    at: self.now,
                    slots,
                });
            }
        }
        if self.settings.speculation && self.submitter.todo() == 0 {
            self.speculate();
        }
        if !self.collects && self.submitter.has_mail(&self.table) {
            self.collects = true;
            self.events.plan(self.now, Event::Collect);
        }
        Ok(())
    }

    /// Issues once more what is late when nothing else is to be done.
    pub(super) fn speculate(&mut self) {
        let queue = self.table.queue();
        if queue.is_none_or(|queue| queue.has_new() || queue.has_idle()) {
            return;
        }
        let mut times = self.sample.clone();
        times.sort_by(f64::total_cmp);
        let p95 = times.get(times.len() * 95 / 100).copied().unwrap_or(0.0);
        let late = secs(LATE.0.max(LATE.1 * p95));
        let mut copies = Vec::new();
        let mut seen = BTreeMap::new();
        for (id, entry, holder) in self.table.under_way() {
            let since = self.first_seen.get(&id).copied().unwrap_or(self.now);
            seen.insert(id, since);
            if let Some((holder, _)) = holder
                && self.now - since >= late
                && !entry.extra
                && self.copied.insert(entry.slot)
            {
                copies.push(Entry {
                    slot: entry.slot,
                    not: Some(*holder),
                    extra: true,
                });
            }
        }
        self.first_seen = seen;
        if !copies.is_empty() {
            let count = copies.len();
            *self.report.faults.entry("copies").or_default() += count as u64;
            self.spend(Step::Enqueue, count);
            self.table.enqueue(copies);
            self.wake(count);
        }
    }
}
