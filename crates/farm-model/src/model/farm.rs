//! A small farm: its state, and what may happen in it.

use std::time::Duration;

use farm_queue::protocol::table::{CommitOutcome, Entry, EntryId, JobTable, Owner};

use super::breach::Breach;
use super::settings::{Faults, Variant};
use crate::submitter::Submitter;
use crate::worker::{Stage, Worker};

/// A worker's process: worker and how often it was started, in decimal digits.
pub type Process = u8;

/// What a worker computed. They all compute the same; here it shows who did, of the first strip: the others are like
/// it, and there would be eight times as many states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bytes {
    /// Of which strip.
    pub slot: u32,
    /// Who.
    pub maker: Option<Process>,
}

impl Bytes {
    fn made(slot: u32, maker: Process) -> Self {
        Self {
            slot,
            maker: (slot == 0).then_some(maker),
        }
    }
}

/// The farm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Farm {
    /// The server.
    pub table: JobTable<Process, Bytes>,
    /// What of it is on its disk, and how many steps ago that was.
    pub(super) saved: Option<(Box<JobTable<Process, Bytes>>, u8)>,
    /// The workers; `None`: it left.
    pub workers: Vec<Option<Worker<Process>>>,
    /// The submitter.
    pub submitter: Submitter<Bytes>,
    /// What may still go wrong.
    pub(super) left: Faults,
    /// The job was finished or cancelled.
    pub ended: bool,
    /// A worker died that may have stored something.
    pub died: bool,
    /// The server lost something.
    pub lost: bool,
    /// What went wrong that must not.
    pub breach: Option<Breach>,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The submitter queues what there is room for.
    Fill,
    /// It reads what there is.
    Collect,
    /// It makes whole what the server lost.
    Repair,
    /// It is through.
    Finish,
    /// A worker takes something new.
    Lease(usize),
    /// ... takes something over.
    Claim(usize),
    /// ... finds what it did not know it had.
    Adopt(usize),
    /// ... shows that it is alive.
    Beat(usize),
    /// ... has computed and stores it.
    Store(usize),
    /// ... announces it.
    Commit(usize),
    /// ... dies.
    Crash(usize),
    /// ... takes something new, and does not learn of it.
    LoseLease(usize),
    /// ... announces, and does not learn of it.
    LoseCommit(usize),
    /// ... fails.
    Fail(usize),
    /// ... gives back what it has, if anything, and leaves.
    Drain(usize),
    /// A lease runs out.
    Expire(EntryId),
    /// A copy is queued.
    Copy(EntryId),
    /// The server's disk has everything.
    Save,
    /// The server comes back with what is on its disk.
    Rollback,
    /// The server comes back with nothing.
    Flush,
    /// The submitter dies and goes on.
    Restart,
    /// An operator cancels the job.
    Cancel,
}

/// Time does not pass.
const NOW: Duration = Duration::from_secs(1);

impl Farm {
    /// Counts a fault; whether it may happen.
    fn spend(&mut self, of: fn(&mut Faults) -> &mut u8) -> bool {
        if self.left.total == 0 || *of(&mut self.left) == 0 {
            return false;
        }
        self.left.total -= 1;
        *of(&mut self.left) -= 1;
        true
    }

    pub(super) fn may(&self, of: fn(&Faults) -> u8) -> bool {
        self.left.total > 0 && of(&self.left) > 0
    }

    /// Whether worker `at` still has what it believes to have.
    pub(super) fn holds(&self, at: usize) -> bool {
        let Some(worker) = &self.workers[at] else {
            return false;
        };
        let Some((taken, _)) = &worker.hand else {
            return false;
        };
        let pending = self.table.queue().and_then(|q| q.pending(taken.id));
        pending.is_some_and(|pending| {
            pending.owner == Owner::Worker(worker.process) && pending.deliveries == taken.attempt
        })
    }

    /// How many workers are alive beside one.
    fn others(&self) -> u32 {
        self.workers.iter().flatten().count().saturating_sub(1) as u32
    }

    pub(super) fn stage(&self, at: usize) -> Option<Stage> {
        let hand = self.workers[at].as_ref()?.hand.as_ref();
        hand.map(|(_, stage)| *stage)
    }

    pub(super) fn is_idle(&self, at: usize) -> bool {
        (self.workers[at].as_ref()).is_some_and(|worker| worker.hand.is_none())
    }

    /// The worker's next process.
    fn reborn(process: Process) -> Process {
        process + 1
    }

    /// Lets everything go right from here on, with one worker that is new: whether the job gets done and leaves
    /// nothing behind.
    #[must_use]
    pub fn completes(&self, variant: Variant) -> bool {
        const ROUNDS: usize = 64;
        let mut farm = self.clone();
        farm.left = Faults::default();
        farm.saved = None;
        farm.workers.push(Some(Worker::new(99)));
        if farm.ended {
            return true;
        }
        for _ in 0..ROUNDS {
            if farm.submitter.is_complete() {
                farm.table.finish();
                return farm.table.stored().next().is_none();
            }
            let mut moved = farm.submitter.repair_due();
            if moved {
                farm.repair(variant);
            }
            moved |= farm.submitter.fill(&mut farm.table);
            for at in 0..farm.workers.len() {
                match farm.stage(at) {
                    Some(Stage::Leased | Stage::Computed) => farm.store(at, variant),
                    Some(Stage::Stored) => farm.commit(at, variant),
                    None => continue,
                }
                moved = true;
            }
            let fresh = farm.workers.len() - 1;
            let others = farm.others();
            if let Some(worker) = farm.workers[fresh].as_mut().filter(|w| w.hand.is_none()) {
                moved |= worker.claim(&mut farm.table, NOW, others)
                    || worker.lease(&mut farm.table, NOW);
            }
            if farm.submitter.has_mail(&farm.table) {
                farm.submitter.collect(&mut farm.table, usize::MAX);
                moved = true;
            }
            if !moved && !farm.age_all() {
                return false;
            }
        }
        false
    }

    /// Lets every lease run out; whether there was one.
    fn age_all(&mut self) -> bool {
        let pending = self.table.queue().into_iter().flat_map(|q| q.all_pending());
        let ids: Vec<EntryId> = pending
            .filter(|(_, pending)| pending.since.is_some())
            .map(|(id, _)| id)
            .collect();
        if let Some(queue) = self.table.queue_mut() {
            for id in &ids {
                queue.age(*id);
            }
        }
        !ids.is_empty()
    }

    fn store(&mut self, at: usize, variant: Variant) {
        let Some(worker) = &mut self.workers[at] else {
            return;
        };
        let Some((taken, stage)) = &mut worker.hand else {
            return;
        };
        if variant == Variant::AcknowledgedFirst {
            // The wrong way round: what is acknowledged here is stored in the next step.
            if let Some(queue) = self.table.queue_mut() {
                queue.remove(taken.id);
            }
            *stage = Stage::Stored;
            return;
        }
        let bytes = Bytes::made(taken.entry.slot, worker.process);
        worker.compute();
        worker.store(&mut self.table, bytes);
    }

    fn commit(&mut self, at: usize, variant: Variant) {
        let Some(worker) = &mut self.workers[at] else {
            return;
        };
        if variant == Variant::AcknowledgedFirst
            && let Some((taken, _)) = &worker.hand
        {
            let slot = taken.entry.slot;
            self.table.store(slot, Bytes::made(slot, worker.process));
        }
        let _: Option<CommitOutcome> = worker.commit(&mut self.table);
    }

    fn beat(&mut self, at: usize, variant: Variant) {
        let Some(worker) = &mut self.workers[at] else {
            return;
        };
        if variant == Variant::UnguardedHeartbeat
            && let Some((taken, _)) = &worker.hand
            && let Some(queue) = self.table.queue_mut()
            && let Some(pending) = queue.pending(taken.id)
        {
            // As XCLAIM alone does it.
            let deliveries = pending.deliveries;
            let owner = Owner::Worker(worker.process);
            queue.claim(taken.id, owner, deliveries, Some(NOW));
            return;
        }
        let _: bool = worker.send_heartbeat(&mut self.table, NOW);
    }

    fn drain(&mut self, at: usize, variant: Variant) {
        let Some(mut worker) = self.workers[at].take() else {
            return;
        };
        worker.release(&mut self.table);
        if variant == Variant::UnguardedLeave {
            if let Some(queue) = self.table.queue_mut() {
                queue.delete_consumer(&worker.process);
            }
        } else {
            self.table.leave(&worker.process);
        }
    }

    fn repair(&mut self, variant: Variant) {
        if variant == Variant::ReadOnce {
            self.submitter.queue_missing(&mut self.table);
        } else {
            self.submitter.repair(&mut self.table);
        }
    }

    fn collect(&mut self) {
        let received = self.submitter.collect(&mut self.table, usize::MAX);
        for (slot, bytes) in received.again {
            // A strip that was given up is queued once more, and may come late from a zombie, too.
            let given_up = self.submitter.retried() > 0;
            if self.submitter.journal().get(&slot) != Some(&bytes) && !self.lost && !given_up {
                self.breach = Some(Breach::Twice);
            }
        }
    }

    pub(super) fn act(&mut self, action: Action, variant: Variant) -> bool {
        let table = &mut self.table;
        match action {
            Action::Fill => {
                self.submitter.fill(table);
            }
            Action::Collect => self.collect(),
            Action::Repair => self.repair(variant),
            Action::Finish => {
                table.finish();
                self.ended = true;
            }
            Action::Store(at) => self.store(at, variant),
            Action::Commit(at) => self.commit(at, variant),
            Action::Beat(at) => self.beat(at, variant),
            Action::Expire(id) => {
                if let Some(queue) = table.queue_mut() {
                    queue.age(id);
                }
                return self.spend(|f| &mut f.expiries);
            }
            Action::Copy(id) => {
                let pending = table.queue().and_then(|q| q.pending(id));
                let entry = table.queue().and_then(|q| q.entry(id));
                let (Some(pending), Some(entry)) = (pending, entry) else {
                    return false;
                };
                let Owner::Worker(owner) = pending.owner else {
                    return false;
                };
                let copy = Entry {
                    extra: true,
                    not: Some(owner),
                    ..entry.clone()
                };
                table.enqueue([copy]);
                return self.spend(|f| &mut f.copies);
            }
            Action::Save => self.saved = Some((Box::new(table.clone()), 0)),
            Action::Rollback => {
                let Some((saved, _)) = self.saved.take() else {
                    return false;
                };
                table.roll_back_to(*saved);
                self.submitter.server_changed();
                self.lost = true;
                return self.spend(|f| &mut f.rollbacks);
            }
            Action::Flush => {
                table.roll_back_to(JobTable::new(table.limits()));
                self.saved = None;
                self.submitter.server_changed();
                self.lost = true;
                return self.spend(|f| &mut f.flushes);
            }
            Action::Restart => {
                self.submitter.restart(table);
                return self.spend(|f| &mut f.restarts);
            }
            Action::Cancel => {
                table.finish();
                self.ended = true;
                return self.spend(|f| &mut f.cancels);
            }
            Action::Drain(at) => {
                self.drain(at, variant);
                return self.spend(|f| &mut f.drains);
            }
            Action::Lease(at)
            | Action::Claim(at)
            | Action::Adopt(at)
            | Action::Crash(at)
            | Action::LoseLease(at)
            | Action::LoseCommit(at)
            | Action::Fail(at) => return self.work(action, at, variant),
        }
        true
    }

    fn work(&mut self, action: Action, at: usize, variant: Variant) -> bool {
        let others = self.others();
        let table = &mut self.table;
        let Some(worker) = &mut self.workers[at] else {
            return false;
        };
        match action {
            // A look that finds nothing may have tidied up.
            Action::Lease(_) => {
                worker.lease(table, NOW);
            }
            Action::Claim(_) => {
                let heeded = if variant == Variant::FailedAtOnce {
                    0
                } else {
                    others
                };
                worker.claim(table, NOW, heeded);
                if let Some((taken, _)) = &worker.hand
                    && let Some(times) = worker.failed.get(&taken.id)
                    && others > 0
                    && taken.attempt - 1 == *times
                {
                    // Every delivery before was its own.
                    self.breach = Some(Breach::OutOfTurn);
                }
            }
            Action::Adopt(_) => {
                worker.adopt(table, NOW);
            }
            Action::Crash(_) => {
                self.died |= worker
                    .hand
                    .as_ref()
                    .is_some_and(|(_, s)| *s == Stage::Stored);
                worker.crash(Self::reborn(worker.process));
                return self.spend(|f| &mut f.crashes);
            }
            Action::LoseLease(_) => {
                table.lease(&worker.process, NOW);
                return self.spend(|f| &mut f.lost_answers);
            }
            Action::LoseCommit(_) => {
                if let Some((taken, _)) = &worker.hand {
                    table.commit(taken.id, taken.entry.slot);
                }
                return self.spend(|f| &mut f.lost_answers);
            }
            Action::Fail(_) => {
                worker.fail(table);
                return self.spend(|f| &mut f.failures);
            }
            _ => return false,
        }
        true
    }
}
