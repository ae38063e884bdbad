//! Which strips to queue next, and in which order finished ones leave: pure bookkeeping.
//!
//! Strips are queued from the top down and leave in the same order, so that files can be written as
//! streams. At most a window of strips lies between the next one to leave and the last one queued,
//! which bounds the memory of the queue and of this process whatever the size of the picture.

use std::collections::BTreeMap;
use std::sync::Arc;

use fractal::{Strip, StripBuffer, StripPlan};

/// The state of one picture between its strips and its files.
#[derive(Debug)]
pub struct Assembly {
    plan: StripPlan,
    window: u32,
    /// Strips below this one were queued.
    queued: u32,
    /// Strips below this one have left.
    left: u32,
    /// Came before their turn.
    early: BTreeMap<u32, Arc<StripBuffer>>,
}

impl Assembly {
    /// Of all strips of `plan`, of which `window` may be on their way at once (at least one is).
    #[must_use]
    pub fn new(plan: StripPlan, window: u32) -> Self {
        Self {
            plan,
            window: window.max(1),
            queued: 0,
            left: 0,
            early: BTreeMap::new(),
        }
    }

    /// The strips to queue now.
    pub fn strips_to_queue(&mut self) -> Vec<Strip> {
        let end = self.left.saturating_add(self.window).min(self.plan.count());
        let strips = (self.queued..end)
            .filter_map(|index| self.plan.strip(index))
            .collect();
        self.queued = self.queued.max(end);
        strips
    }

    /// Takes a finished strip; `false` when it was there already, and nothing changes.
    pub fn accept(&mut self, buffer: Arc<StripBuffer>) -> bool {
        let index = buffer.strip.index;
        if index < self.left || index >= self.queued || self.early.contains_key(&index) {
            return false;
        }
        self.early.insert(index, buffer);
        true
    }

    /// The next strip in order, if it is there; it has left then.
    pub fn next(&mut self) -> Option<Arc<StripBuffer>> {
        let buffer = self.early.remove(&self.left)?;
        self.left += 1;
        Some(buffer)
    }

    /// Whether `strip` is still waited for.
    #[must_use]
    pub fn awaits(&self, strip: u32) -> bool {
        (self.left..self.queued).contains(&strip) && !self.early.contains_key(&strip)
    }

    /// Whether every strip has left.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left == self.plan.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fractal::{Arithmetic, Backend, Origin};
    use proptest::prelude::*;

    fn buffer(strip: Strip) -> Arc<StripBuffer> {
        let origin = Origin {
            backend: Backend::Cpu,
            arithmetic: Arithmetic::F64,
            device: String::new(),
            kernel_id: 0,
        };
        Arc::new(StripBuffer {
            strip,
            width: 1,
            planes: Vec::new(),
            iterations_total: 0,
            origin,
            busy_secs: 0.0,
        })
    }

    proptest! {
        #[test]
        fn every_strip_leaves_once_in_order_and_within_the_window(
            height in 1u32..200, strip_rows in 1u32..20, window in 0u32..12, picks in prop::collection::vec(any::<u32>(), 0..400),
        ) {
            let plan = StripPlan { height, strip_rows };
            let mut assembly = Assembly::new(plan, window);
            let (mut underway, mut out, mut picks) = (Vec::new(), Vec::new(), picks.into_iter().cycle());
            while !assembly.is_complete() {
                underway.extend(assembly.strips_to_queue());
                prop_assert!(!underway.is_empty());
                prop_assert!(underway.len() <= window.max(1) as usize);
                let pick = picks.next().unwrap_or(0) as usize % underway.len();
                let strip: Strip = underway.swap_remove(pick);
                prop_assert!(assembly.awaits(strip.index));
                prop_assert!(assembly.accept(buffer(strip)));
                prop_assert!(!assembly.accept(buffer(strip)), "a duplicate changes nothing");
                prop_assert!(!assembly.awaits(strip.index));
                while let Some(next) = assembly.next() {
                    out.push(next.strip);
                }
            }
            prop_assert_eq!(out, plan.strips().collect::<Vec<_>>());
            prop_assert!(assembly.strips_to_queue().is_empty());
        }
    }

    #[test]
    fn what_was_never_queued_is_refused() {
        let plan = StripPlan {
            height: 10,
            strip_rows: 1,
        };
        let mut assembly = Assembly::new(plan, 2);
        assembly.strips_to_queue();
        assert!(!assembly.accept(buffer(plan.strip(5).unwrap())));
    }
}
