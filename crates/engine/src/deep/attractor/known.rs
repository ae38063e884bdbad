//! Cycles that a frame's pixels have led to.

use std::sync::{Mutex, PoisonError};

use super::cycle::Cycle;
use crate::deep::complex::sub;
use crate::deep::minibrot::sum_norm;

/// Most cycles that are kept, and most that are told of for one place.
const MOST: usize = 256;
const MOST_NEAR: usize = 3;

/// Cycles whose components may reach to other parts of a picture. Which ones there are depends on what was computed
/// before, so nothing but time may follow from them.
#[derive(Debug, Default)]
pub(crate) struct KnownCycles(Mutex<Vec<Cycle>>);

impl KnownCycles {
    /// Those nearest to `c` whose components may have a part within `spread` of it.
    pub(crate) fn near(&self, c: [f64; 2], spread: f64) -> Vec<Cycle> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut near: Vec<Cycle> = known
            .iter()
            .filter(|cycle| cycle.is_near(c, spread))
            .copied()
            .collect();
        drop(known);
        near.sort_by(|a, b| {
            let distance = |cycle: &Cycle| sum_norm(sub(cycle.c, c));
            distance(a).total_cmp(&distance(b))
        });
        // Of each period the nearest: others of it are likely to be of the same component.
        let mut periods = Vec::new();
        near.retain(|cycle| {
            let new = !periods.contains(&cycle.period);
            periods.push(cycle.period);
            new
        });
        near.truncate(MOST_NEAR);
        near
    }

    /// Adds a cycle.
    pub(crate) fn add(&self, cycle: Cycle) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST {
            known.push(cycle);
        }
    }
}
