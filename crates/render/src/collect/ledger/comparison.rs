//! What follows when two results of a strip do not agree: it is computed once more, and what a worker that was wrong has
//! delivered is thrown away.

use std::collections::HashSet;
use std::time::Instant;

use fractal::{Strip, StripBuffer};

use super::ledger::StripLedger;
use crate::collect::audit::audits::Finding;
use crate::collect::queue_tasks::Ask;
use crate::collect::to_files::FileFeed;
use crate::error::CollectError;
use crate::journal::journal::Entry;
use crate::journal::records::{JobEvent, maker};
use crate::progress::Event as Told;

impl StripLedger<'_> {
    /// An audit that nobody else did in time.
    pub(super) fn audit_here(&mut self, strip: Strip, here: bool) {
        if !self.warned && self.on_farm {
            self.warned = true;
            tracing::warn!("no other worker audits strips; those of processors are audited here");
        }
        if here {
            if !self.to_compute.contains(&strip) {
                self.to_compute.push_back(strip);
            }
        } else {
            tracing::warn!(
                strip = strip.index,
                "strip not audited: no other worker can"
            );
            self.audits.drop(strip.index);
        }
    }

    /// Does what an audit asks for.
    pub(super) fn follow(&mut self, finding: Finding) -> Result<(), CollectError> {
        match finding {
            Finding::Nothing => {}
            Finding::Order(order) => self.orders.push(order),
            Finding::Compute(strip) => self.to_compute.push_back(strip),
            Finding::Wrong(workers) => {
                for worker in workers {
                    self.discard_worker(worker)?;
                }
            }
        }
        Ok(())
    }

    /// This process has computed a strip, or could not.
    pub fn take_own(&mut self, own: Option<StripBuffer>) -> Result<(), CollectError> {
        let Some(strip) = self.computing.take().map(|computing| computing.strip) else {
            return Ok(());
        };
        let Some(own) = own else {
            tracing::warn!(
                strip = strip.index,
                "strip not audited: it cannot be computed here"
            );
            self.audits.drop(strip.index);
            return Ok(());
        };
        let finding = self.audits.compare_with_own(&own, Instant::now());
        self.follow(finding)?;
        // Where the auditor was wrong.
        self.orders.extend(self.audits.order(strip.index));
        Ok(())
    }

    /// A worker delivered what is not so: nothing that it made counts any more.
    fn discard_worker(&mut self, worker: String) -> Result<(), CollectError> {
        let maker = maker(&worker);
        let mut made: HashSet<u32> = self
            .journal
            .map_or_else(Vec::new, |j| j.made_by(&worker))
            .into_iter()
            .collect();
        made.extend(
            self.makers
                .iter()
                .filter(|(_, by)| **by == maker)
                .map(|(strip, _)| *strip),
        );
        let mut made: Vec<u32> = made.into_iter().collect();
        made.sort_unstable();
        tracing::error!(
            worker,
            strips = made.len(),
            "delivered what is not so; all that it made is computed again"
        );
        self.makers.retain(|_, by| *by != maker);
        let resumed = self.past.stored.len();
        self.past
            .stored
            .retain(|strip| made.binary_search(strip).is_err());
        self.tally.resumed -= (resumed - self.past.stored.len()) as u64;
        self.audits.discard_worker(&worker);
        if let Some(journal) = self.journal {
            journal.revoke(&made);
            let revoked = |entry: &Entry| match entry {
                Entry::Strip { buffer, .. } => made.binary_search(&buffer.strip.index).is_ok(),
                Entry::Event(_) => false,
            };
            let before = self.to_journal.len();
            self.to_journal.retain(|entry| !revoked(entry));
            (self.to_journal.len()..before).for_each(|_| journal.withdraw());
            self.to_journal
                .push_front(Entry::Event(JobEvent::Revoked(made.clone())));
        }
        let reason = "an audit found its strips wrong".to_owned();
        self.asks.push_back(Ask::Quarantine {
            worker: worker.clone(),
            reason,
        });
        self.wrong_workers.insert(worker);
        if self.assembly.revoke(made) {
            self.restart()?;
        }
        self.progress
            .tell(Told::StripsDone(self.assembly.come().into()));
        Ok(())
    }

    /// Files that got what is not so begin again.
    fn restart(&mut self) -> Result<(), CollectError> {
        self.next = None;
        self.reading = None;
        let journal = self.journal;
        (self.assembly).restart(|strip| journal.is_some_and(|journal| journal.holds(strip)));
        self.to_files.give_up();
        tokio::task::block_in_place(|| self.files.restart())?;
        self.to_files = FileFeed::start(self.files.senders());
        Ok(())
    }
}
