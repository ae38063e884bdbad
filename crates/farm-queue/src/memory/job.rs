//! One job of the queue in process: its table, and what is collected from it.

use std::sync::Arc;

use fractal::{ReferenceOrbit, Strip, StripBuffer};

use crate::job::JobSpec;
use crate::order::Issue;
use crate::protocol::attempts::{self, FailureSource};
use crate::protocol::table::JobTable;
use crate::queue::Collected;

/// A job and its table.
pub(super) struct Job {
    pub(super) spec: Arc<JobSpec>,
    pub(super) orbit: Option<Arc<ReferenceOrbit>>,
    pub(super) table: JobTable<Arc<str>, Delivery>,
}

/// What a worker handed over for a slot.
pub(super) struct Delivery {
    pub(super) buffer: Arc<StripBuffer>,
    pub(super) worker: Arc<str>,
    pub(super) attempt: u32,
}

impl Job {
    /// What a slot is for.
    pub(super) fn strip_of(&self, slot: u32) -> Option<(Strip, Issue)> {
        let plan = self.spec.strips;
        let (index, issue) = match slot.checked_sub(plan.count()) {
            None => (slot, Issue::Render),
            Some(index) => (index, Issue::Audit),
        };
        Some((plan.strip(index)?, issue))
    }

    /// Whatever was announced, and the dead letters.
    pub(super) fn collect(&mut self) -> Vec<Collected> {
        let announced: Vec<_> = self.table.announced(0).collect();
        let mut collected = Vec::with_capacity(announced.len());
        for (id, slot) in announced {
            let Some((strip, issue)) = self.strip_of(slot) else {
                self.table.reject(slot, id);
                continue;
            };
            let fits = |delivery: &Delivery| delivery.buffer.fits(&self.spec.frame, strip);
            if self.table.result(slot).is_some_and(fits) {
                let failed_workers = (self.table.reasons(slot).iter())
                    .filter_map(|reason| match attempts::failure_source(reason)? {
                        FailureSource::Worker(name) | FailureSource::Silent(name) => {
                            Some(name.to_owned())
                        }
                    })
                    .collect();
                let Some(delivery) = self.table.take(slot, id) else {
                    continue;
                };
                collected.push(Collected::Strip {
                    buffer: delivery.buffer,
                    worker: delivery.worker.to_string(),
                    attempt: delivery.attempt,
                    issue,
                    failed_workers,
                });
            } else {
                let worker = self.table.result(slot).map(|delivery| &delivery.worker);
                let reason = worker.map_or_else(
                    || "an announced buffer is not there".to_owned(),
                    |worker| format!("{worker}: a buffer that does not fit its strip"),
                );
                self.table.reject(slot, id);
                collected.push(Collected::Rejected {
                    strip: (issue == Issue::Render).then_some(strip),
                    reason,
                });
            }
        }
        let letters: Vec<_> = self.table.letters(0).map(|(id, _)| id).collect();
        for id in letters {
            if let Some(letter) = self.table.remove_letter(id)
                && let Some((strip, issue)) = self.strip_of(letter.slot)
            {
                collected.push(Collected::Dead {
                    strip,
                    issue,
                    reasons: letter.reasons,
                });
            }
        }
        collected
    }
}
