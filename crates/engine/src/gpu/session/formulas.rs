//! The compiled kernels of formulas, and which of them passed their proof.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use fractal::{Arithmetic, FrameSpec};
use shaders::{Kernel, Program};

use super::context::Context;
use super::pipeline::Pipeline;
use super::stop::{Stop, lock};

/// Kernels of formulas that are kept; beyond them all are made again as they are asked for.
const MAX_KERNELS: usize = 64;
/// Outcomes of proofs that are kept, likewise.
const MAX_PROOFS: usize = 256;

/// Which kernel: what it does, in which numbers, by which operations, and whether of Julia sets.
type Key = (Kernel, Arithmetic, String, bool);

/// What a device keeps of formulas' kernels.
#[derive(Debug, Default)]
pub(in crate::gpu) struct FormulaKernels {
    pipelines: Mutex<HashMap<Key, Arc<Pipeline>>>,
    proofs: Mutex<HashMap<(Arithmetic, String), bool>>,
}

impl FormulaKernels {
    /// The compiled kernel, compiled now if it was not before.
    pub(in crate::gpu) fn pipeline(
        &self,
        context: &Context,
        spec: &FrameSpec,
        kernel: Kernel,
        arithmetic: Arithmetic,
    ) -> Result<Arc<Pipeline>, Stop> {
        let (formula, is_julia) = (&spec.formula, spec.julia.is_some());
        let key = (kernel, arithmetic, formula.operations(), is_julia);
        let mut pipelines = lock(&self.pipelines);
        if let Some(pipeline) = pipelines.get(&key) {
            return Ok(Arc::clone(pipeline));
        }
        let program =
            Program::of_formula(kernel, arithmetic, formula, is_julia).ok_or(Stop::NotServed)?;
        let pipeline = Arc::new(context.compile(program)?);
        // A first guess, until it is measured.
        let plain = context.pipeline(Kernel::Escape, arithmetic)?;
        let products = formula.products().div_ceil(formula.phases().len()) as f64;
        pipeline.set_rate(plain.rate() / products);
        if pipelines.len() >= MAX_KERNELS {
            pipelines.clear();
        }
        pipelines.insert(key, Arc::clone(&pipeline));
        Ok(pipeline)
    }

    /// Whether a formula's steps in an arithmetic came out right on this device: `prove` finds it out the first time.
    pub(in crate::gpu) fn is_proved(
        &self,
        spec: &FrameSpec,
        arithmetic: Arithmetic,
        prove: impl FnOnce() -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        let key = (arithmetic, spec.formula.operations());
        let mut proofs = lock(&self.proofs);
        if let Some(known) = proofs.get(&key) {
            return Ok(*known);
        }
        let passed = prove()?;
        if proofs.len() >= MAX_PROOFS {
            proofs.clear();
        }
        proofs.insert(key, passed);
        Ok(passed)
    }
}
