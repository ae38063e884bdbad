//! What follows from audits: strips that this process computes itself, and workers that delivered what is not so.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use engine::cpu::CpuDevice;
use engine::{PreparedFrame, Progress};
use fractal::{Strip, StripBuffer};
use tokio::task::JoinHandle;

use super::CollectError;
use super::audit::Finding;
use super::feeding::Ask;
use super::leaving::Leaving;
use super::table::Table;
use crate::journal::{Entry, Event};

/// A strip that this process computes itself.
pub struct Computing {
    progress: Arc<Progress>,
    strip: Strip,
    /// Its end.
    pub task: JoinHandle<Option<StripBuffer>>,
}

impl Drop for Computing {
    fn drop(&mut self) {
        self.progress.cancel();
    }
}

impl Table<'_> {
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
            Finding::Liars(liars) => {
                for liar in liars {
                    self.convict(liar)?;
                }
            }
        }
        Ok(())
    }

    /// Begins to compute a strip.
    pub(super) fn compute(&self, strip: Strip) -> Computing {
        let progress = Arc::new(Progress::default());
        let (job, frame) = (Arc::clone(self.job), Arc::clone(&self.frame));
        let orbit = self.orbit.clone();
        let task = tokio::task::spawn_blocking({
            let progress = Arc::clone(&progress);
            move || {
                let spec = job.frame.clone();
                let frame = frame.get_or_init(|| match orbit {
                    Some(orbit) => PreparedFrame::with_reference(spec, orbit).ok(),
                    None => PreparedFrame::new(spec).ok(),
                });
                let frame = frame.as_ref()?;
                CpuDevice::new(None).compute(frame, strip, &progress).ok()
            }
        });
        Computing {
            progress,
            strip,
            task,
        }
    }

    /// This process has computed a strip, or could not.
    pub fn computed(&mut self, truth: Option<StripBuffer>) -> Result<(), CollectError> {
        let Some(strip) = self.computing.take().map(|computing| computing.strip) else {
            return Ok(());
        };
        let Some(truth) = truth else {
            tracing::warn!(
                strip = strip.index,
                "strip not audited: it cannot be computed here"
            );
            self.audits.drop(strip.index);
            return Ok(());
        };
        let finding = self.audits.judge(&truth, Instant::now());
        self.follow(finding)?;
        // Where the auditor was wrong.
        self.orders.extend(self.audits.order(strip.index));
        Ok(())
    }

    /// A worker delivered what is not so: nothing that it made counts any more.
    fn convict(&mut self, liar: String) -> Result<(), CollectError> {
        let maker = crate::journal::maker(&liar);
        let mut made: HashSet<u32> = self
            .journal
            .map_or_else(Vec::new, |j| j.made_by(&liar))
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
            worker = liar,
            strips = made.len(),
            "delivered what is not so; all that it made is computed again"
        );
        self.makers.retain(|_, by| *by != maker);
        let resumed = self.past.stored.len();
        self.past
            .stored
            .retain(|strip| made.binary_search(strip).is_err());
        self.tally.resumed -= (resumed - self.past.stored.len()) as u64;
        self.audits.convict(&liar);
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
                .push_front(Entry::Event(Event::Revoked(made.clone())));
        }
        let reason = "an audit found its strips wrong".to_owned();
        self.asks.push_back(Ask::Quarantine {
            worker: liar.clone(),
            reason,
        });
        self.liars.insert(liar);
        if self.assembly.revoke(made) {
            self.restart()?;
        }
        self.bar.come(u64::from(self.assembly.come()));
        Ok(())
    }

    /// Files that got what is not so begin again.
    fn restart(&mut self) -> Result<(), CollectError> {
        self.next = None;
        self.reading = None;
        let journal = self.journal;
        (self.assembly).restart(|strip| journal.is_some_and(|journal| journal.holds(strip)));
        self.leaving.give_up();
        tokio::task::block_in_place(|| self.files.restart())?;
        self.leaving = Leaving::start(self.files.senders());
        Ok(())
    }
}
