//! An open device with what strips leave on it for each other: spare buffers, the references of deep views, and the kernels of formulas.

use std::sync::Mutex;

use super::reference::cache::DeltaCache;
use super::session::buffers::BufferSet;
use super::session::context::Context;
use super::session::formulas::FormulaKernels;
use super::session::stop::{Stop, lock};

/// Spare sets of buffers that are kept: one for each strip that a lane has in flight.
const SPARE_SETS: usize = 3;

/// An open device and what is kept on it.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) context: Context,
    /// The references of deep views.
    pub(super) deltas: DeltaCache,
    /// The kernels of formulas.
    pub(super) formulas: FormulaKernels,
    spare: Mutex<Vec<BufferSet>>,
}

impl Workspace {
    /// Opens the device of an adapter; see [`Context::open`].
    pub(super) fn open(adapter: &wgpu::Adapter, binding_cap: u64) -> Result<Self, String> {
        Ok(Self {
            context: Context::open(adapter, binding_cap)?,
            deltas: DeltaCache::default(),
            formulas: FormulaKernels::default(),
            spare: Mutex::default(),
        })
    }

    /// A set of buffers with room for `pixels` of `width` columns and `rows` rows.
    pub(super) fn take_buffers(
        &self,
        pixels: u32,
        width: u32,
        rows: u32,
        state_bytes: u32,
    ) -> Result<BufferSet, Stop> {
        let state_bytes = u64::from(state_bytes);
        let spare = {
            let mut spare = lock(&self.spare);
            let fitting = spare
                .iter()
                .position(|set| set.fits(pixels, width, rows, state_bytes));
            // One that does not fit makes room for one that does.
            fitting
                .or_else(|| (spare.len() >= SPARE_SETS).then_some(0))
                .map(|at| spare.swap_remove(at))
        };
        match spare {
            Some(set) if set.fits(pixels, width, rows, state_bytes) => Ok(set),
            other => {
                drop(other);
                let set = BufferSet::new(&self.context, pixels, width, rows, state_bytes);
                self.context.failure.check()?;
                Ok(set)
            }
        }
    }

    /// Gives a set back that is in order: not after an error.
    pub(super) fn return_buffers(&self, set: BufferSet) {
        let mut spare = lock(&self.spare);
        if spare.len() < SPARE_SETS {
            spare.push(set);
        }
    }
}
