//! What becomes of each result: it is taken, or its strip goes back to the queue.

use std::sync::Arc;
use std::time::Instant;

use farm_queue::{Collected, Issue, Order};
use fractal::{Strip, StripBuffer};

use super::failed_strips::NextTry;
use super::ledger::StripLedger;
use crate::collect::queue_tasks::Ask;
use crate::error::CollectError;
use crate::journal::journal::Entry;
use crate::journal::records::maker;
use crate::progress::Arrival;

impl StripLedger<'_> {
    /// One result: into the assembly and the journal, or its strip back to the queue.
    pub(super) fn take(&mut self, found: Collected) -> Result<(), CollectError> {
        match found {
            Collected::Strip { buffer, worker, .. } if self.wrong_workers.contains(&worker) => {
                let reason = format!("{worker}: has delivered what is not so");
                return self.rejected(Some(buffer.strip), reason, Some(worker));
            }
            Collected::Strip { buffer, worker, .. } if self.is_foreign(&buffer) => {
                let reason = format!("{worker}: made by a kernel of another build");
                return self.rejected(Some(buffer.strip), reason, Some(worker));
            }
            Collected::Strip {
                buffer,
                worker,
                issue: Issue::Audit,
                ..
            } => {
                let finding = self.audits.heard(buffer, &worker, Instant::now());
                self.follow(finding)?;
            }
            Collected::Strip {
                buffer,
                worker,
                attempt,
                issue: Issue::Render,
                failed_workers,
            } => {
                for (worker, reason) in self.failure_counts.finished(&worker, &failed_workers) {
                    self.asks.push_back(Ask::Quarantine { worker, reason });
                }
                if self.assembly.accept(Arc::clone(&buffer)) {
                    self.came(buffer, worker, attempt);
                }
            }
            Collected::Rejected { strip, reason } => return self.rejected(strip, reason, None),
            Collected::Dead {
                strip,
                issue: Issue::Audit,
                reasons,
            } => {
                tracing::warn!(strip = strip.index, ?reasons, "strip not audited");
                self.audits.drop(strip.index);
            }
            Collected::Dead { strip, reasons, .. } if self.assembly.awaits(strip.index) => {
                self.failed_strips.died(strip, reasons);
                self.dead(strip)?;
            }
            Collected::Dead { .. } => {}
        }
        Ok(())
    }

    fn came(&mut self, buffer: Arc<StripBuffer>, worker: String, attempt: u32) {
        let (now, strip) = (Instant::now(), buffer.strip.index);
        self.tally.count(&buffer, &worker, attempt);
        self.show(&buffer, &worker);
        self.failed_strips.forget(strip);
        self.stragglers.came(strip, &worker, buffer.busy_secs, now);
        self.makers.insert(strip, maker(&worker));
        self.orders.extend(self.audits.came(&buffer, &worker, now));
        if let Some(journal) = self.journal.filter(|journal| journal.works()) {
            journal.announce();
            self.to_journal.push_back(Entry::Strip {
                buffer,
                worker,
                attempt,
            });
        }
    }

    /// Shows a strip to whoever is told.
    pub(super) fn show(&self, buffer: &StripBuffer, worker: &str) {
        self.progress.see(Arrival {
            frame: &self.job.frame,
            buffer,
            worker,
        });
    }

    /// Whether a buffer names a kernel as its maker that the job's build does not have.
    fn is_foreign(&self, buffer: &StripBuffer) -> bool {
        self.job.build == engine::build_id() && !engine::has_kernel(buffer.origin.kernel_id)
    }

    fn rejected(
        &mut self,
        strip: Option<Strip>,
        reason: String,
        not: Option<String>,
    ) -> Result<(), CollectError> {
        let index = strip.map(|strip| strip.index);
        tracing::warn!(strip = index, reason, "result rejected");
        self.tally.rejected += 1;
        let Some(strip) = strip else {
            return Ok(());
        };
        if !self.assembly.awaits(strip.index) {
            // Its audit then.
            self.orders.extend(self.audits.order(strip.index));
            return Ok(());
        }
        match (self.failed_strips.rejected(strip, reason), not) {
            (NextTry::Again, None) => self.assembly.queue_again(strip.index),
            (NextTry::Again, not) => self.orders.push(Order {
                not,
                ..strip.into()
            }),
            (NextTry::Dead, _) => self.dead(strip)?,
        }
        Ok(())
    }

    /// A strip is dead: with a journal the others go on, so that they need not be computed again.
    fn dead(&mut self, strip: Strip) -> Result<(), CollectError> {
        self.assembly.give_up(strip.index);
        if !self.journalled() {
            return Err(CollectError::Dead(self.failed_strips.to_string()));
        }
        tracing::error!(
            strip = strip.index,
            "strip failed too often; the others go on"
        );
        Ok(())
    }
}
