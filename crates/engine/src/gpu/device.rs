//! An adapter as one of the engine's devices: chooses the arithmetic, retries once when the device is lost, and
//! turns every failure into an error.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use fractal::{Arithmetic, Backend, Measure, Origin, Settling, Strip, StripBuffer};
use shaders::{Kernel, Program};

use super::adapters::AdapterSummary;
use super::proof;
use super::reference::cache as reference;
use super::session::stop::{Stop, lock};
use super::strip::{self, Task};
use super::workspace::Workspace;
use crate::frame::{DeepFrame, PreparedFrame};
use crate::info::{DeviceInfo, EngineError};
use crate::progress::Progress;

/// Times that a strip is tried on a device before its caller looks for another one.
const ATTEMPTS: u32 = 2;

/// What is done on an open device.
type Work<'a, T> = &'a dyn Fn(&Workspace, Task<'_>) -> Result<T, Stop>;

/// One adapter, open and proved.
#[derive(Debug)]
pub struct GpuDevice {
    info: DeviceInfo,
    /// No other device of this process has it.
    number: u64,
    adapter: wgpu::Adapter,
    /// Replaced by a fresh one after a failure.
    workspace: Mutex<Arc<Workspace>>,
    /// Most bytes of a buffer of a reference orbit, where that is less than the adapter's own limit: in tests.
    binding_cap: AtomicU64,
    /// Losses yet to be simulated.
    losses: AtomicU32,
}

impl GpuDevice {
    /// Opens an adapter, proves its arithmetic and times what passed.
    pub(super) fn open(adapter: wgpu::Adapter, summary: &AdapterSummary) -> Result<Self, String> {
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let workspace = Workspace::open(&adapter, u64::MAX)?;
            let arithmetics = proof::prove_and_time(&workspace, summary);
            Ok::<_, String>((workspace, arithmetics))
        }));
        let (workspace, arithmetics) =
            opened.unwrap_or_else(|panic| Err(panic_text(panic.as_ref())))?;
        if arithmetics.is_empty() {
            return Err("no arithmetic passed its proof".into());
        }
        let info = DeviceInfo {
            backend: Backend::Gpu,
            name: summary.name.clone(),
            arithmetics,
            software: summary.software,
        };
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Ok(Self {
            info,
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            adapter,
            binding_cap: AtomicU64::new(u64::MAX),
            workspace: Mutex::new(Arc::new(workspace)),
            losses: AtomicU32::new(0),
        })
    }

    /// What it is.
    #[must_use]
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// The arithmetic for a frame: the fastest that is precise enough for its pixel spacing and offers its
    /// measures; where none is, `f64`, since the processor has nothing better; where there is no `f64`
    /// either, the most precise one if `insist`. For a deep view the fastest arithmetic of deltas, if its reference
    /// orbit fits.
    #[must_use]
    pub fn arithmetic_for(&self, frame: &PreparedFrame, insist: bool) -> Option<Arithmetic> {
        if !frame.is_for_adapters() {
            return None;
        }
        if let Some(deep) = &frame.deep {
            return self.delta_for(frame, deep);
        }
        let proved = || self.proved_plain(frame);
        proved()
            .find(|a| a.is_exact_for(frame.extent_log2, frame.spacing_log2))
            .or_else(|| {
                let most_precise = Arithmetic::PLAIN
                    .into_iter()
                    .rev()
                    .find(|a| proved().any(|b| b == *a));
                most_precise.filter(|a| insist || *a == Arithmetic::F64)
            })
    }

    /// The arithmetics of plain iteration that passed their proof and offer a frame's measures, the fastest first.
    fn proved_plain(&self, frame: &PreparedFrame) -> impl Iterator<Item = Arithmetic> {
        let stability = frame.spec.measures.contains(Measure::Stability);
        let serves =
            move |a: &Arithmetic| !stability || Program::new(Kernel::Stability, *a).is_some();
        let plain = move |a: &Arithmetic| {
            !a.is_delta() && serves(a) && self.iterates(frame, *a) == Ok(true)
        };
        self.info.arithmetics.iter().copied().filter(plain)
    }

    /// Whether what a frame iterates passed its proof in an arithmetic of plain iteration that did: z² + c did with it.
    ///
    /// # Errors
    /// When the device fails.
    fn iterates(&self, frame: &PreparedFrame, arithmetic: Arithmetic) -> Result<bool, EngineError> {
        let spec = &frame.spec;
        if !spec.is_general() {
            return Ok(true);
        }
        self.with_workspace(|workspace| {
            let context = &workspace.context;
            workspace.formulas.is_proved(spec, arithmetic, || {
                let result = proof::prove_formula(context, &spec.formula, arithmetic);
                // A kernel that does not compile is an answer too.
                let failure = context.failure.take();
                let Some(reason) = result.err().or(failure) else {
                    return Ok(true);
                };
                tracing::warn!(
                    adapter = self.info.name,
                    arithmetic = arithmetic.name(),
                    reason,
                    "arithmetic is not used for this formula"
                );
                Ok(false)
            })
        })
    }

    /// What [`GpuDevice::arithmetic_for`] takes for a frame, and after it whatever is more precise, each as far as it is
    /// exact enough by what is known beforehand.
    pub(crate) fn candidates(&self, frame: &PreparedFrame) -> Vec<Arithmetic> {
        if frame.spec.short_limit().is_none() {
            return Vec::new();
        }
        let exact = |a: &Arithmetic| a.is_exact_for(frame.extent_log2, frame.spacing_log2);
        let offered: Vec<Arithmetic> = match &frame.deep {
            Some(deep) if self.serves_deltas(frame, deep) => {
                let all = self.info.arithmetics.iter().copied();
                all.filter(|a| a.is_delta() && exact(a)).collect()
            }
            Some(_) => Vec::new(),
            // Processors have nothing better than doubles for plain views of formulas.
            None => (self.proved_plain(frame))
                .filter(|a| exact(a) || frame.spec.is_general() && *a == Arithmetic::F64)
                .collect(),
        };
        let mut candidates: Vec<Arithmetic> = Vec::new();
        for arithmetic in offered {
            // In the order of their precision, as both lists of all have it.
            let more = candidates
                .last()
                .is_none_or(|last| (*last as u8) < arithmetic as u8);
            // One program serves both in doubles.
            let same = candidates.last() == Some(&Arithmetic::DeltaF64);
            if more && !same {
                candidates.push(arithmetic);
            }
        }
        candidates
    }

    /// Its number: no other device of this process has it.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Most bytes of a buffer of a reference orbit.
    fn most_binding(&self) -> u64 {
        lock(&self.workspace).context.most_binding()
    }

    fn serves_deltas(&self, frame: &PreparedFrame, deep: &DeepFrame) -> bool {
        // Deltas begin with the orbit of 0.
        frame.spec.z0 == (0.0, 0.0)
            && deep.orbit.steps() <= reference::most_steps(self.most_binding())
            && reference::has_exponents_for(deep)
    }

    fn delta_for(&self, frame: &PreparedFrame, deep: &DeepFrame) -> Option<Arithmetic> {
        let served = self.serves_deltas(frame, deep);
        let deltas = (self.info.arithmetics.iter()).filter(|a| served && a.is_delta());
        deltas
            .copied()
            .find(|a| a.is_exact_for(frame.extent_log2, frame.spacing_log2))
    }

    /// Computes one strip; blocks the calling thread, and may be called from several at once.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`], or [`EngineError::DeviceLost`] when the device failed twice.
    pub fn compute(
        &self,
        frame: &PreparedFrame,
        arithmetic: Arithmetic,
        strip: Strip,
        progress: &Progress,
    ) -> Result<StripBuffer, EngineError> {
        self.compute_task(Task {
            frame,
            arithmetic,
            strip,
            shortcuts: true,
            listed: None,
            moves: false,
            progress,
        })
    }

    /// The same without interior shortcuts and blocks: every step of every pixel is made.
    pub(crate) fn compute_without_shortcuts(
        &self,
        frame: &PreparedFrame,
        arithmetic: Arithmetic,
        strip: Strip,
        progress: &Progress,
    ) -> Result<StripBuffer, EngineError> {
        self.compute_task(Task {
            frame,
            arithmetic,
            strip,
            shortcuts: false,
            listed: None,
            moves: false,
            progress,
        })
    }

    /// Iteration counts of single pixels, by column and row: what one arithmetic makes of them shows whether it is
    /// precise enough.
    ///
    /// # Errors
    /// As [`GpuDevice::compute`].
    pub fn compute_samples(
        &self,
        frame: &PreparedFrame,
        arithmetic: Arithmetic,
        samples: &[(u32, u32)],
        progress: &Progress,
    ) -> Result<Vec<u32>, EngineError> {
        let task = Task {
            frame,
            arithmetic,
            strip: Strip {
                index: 0,
                row0: 0,
                rows: 1,
            },
            shortcuts: true,
            listed: Some(samples),
            moves: false,
            progress,
        };
        let on_grid =
            |(column, row): &(u32, u32)| *column < frame.spec.width && *row < frame.spec.height;
        if !samples.iter().all(on_grid) {
            return Err(self.not_served(frame));
        }
        self.attempts(task, &strip::compute_listed)
    }

    /// Iterations of a strip of a deep view, and the moves that they took, a block of steps being one; with `skips`
    /// off every step is a move.
    pub(crate) fn count_moves(
        &self,
        frame: &PreparedFrame,
        arithmetic: Arithmetic,
        strip: Strip,
        skips: bool,
        progress: &Progress,
    ) -> Result<(u128, u64), EngineError> {
        let task = Task {
            frame,
            arithmetic,
            strip,
            shortcuts: skips,
            listed: None,
            moves: true,
            progress,
        };
        if !arithmetic.is_delta() {
            return Err(self.not_served(frame));
        }
        self.attempts(task, &strip::count_moves)
    }

    fn compute_task(&self, task: Task<'_>) -> Result<StripBuffer, EngineError> {
        let begun = Instant::now();
        let (planes, iterations_total) = self.attempts(task, &strip::compute)?;
        Ok(StripBuffer {
            strip: task.strip,
            width: task.frame.spec.width,
            planes,
            iterations_total,
            settling: Settling::default(),
            origin: self.origin(task),
            busy_secs: begun.elapsed().as_secs_f64(),
        })
    }

    fn not_served(&self, frame: &PreparedFrame) -> EngineError {
        EngineError::NotServed {
            device: self.info.name.clone(),
            spacing_log2: frame.spacing_log2.floor() as i32,
        }
    }

    /// Does `work` if the arithmetic is offered; once more if the device was lost.
    fn attempts<T>(&self, task: Task<'_>, work: Work<'_, T>) -> Result<T, EngineError> {
        let deep = task.frame.deep.as_ref();
        let is_for_adapters = task.frame.is_for_adapters();
        let is_served = is_for_adapters && self.info.arithmetics.contains(&task.arithmetic);
        let is_served = is_served
            && match (task.arithmetic.is_delta(), deep) {
                (true, Some(deep)) => self.serves_deltas(task.frame, deep),
                (true, None) => false,
                (false, _) => self.iterates(task.frame, task.arithmetic)?,
            };
        if !is_served {
            return Err(self.not_served(task.frame));
        }
        let mut reason = String::new();
        for attempt in 1..=ATTEMPTS {
            match self.attempt(task, work) {
                Ok(result) => return Ok(result),
                Err(Stop::Cancelled) => return Err(EngineError::Cancelled),
                Err(Stop::NotServed) => return Err(self.not_served(task.frame)),
                Err(Stop::Lost(why)) => {
                    tracing::warn!(
                        device = self.info.name,
                        attempt,
                        reason = why,
                        "strip failed"
                    );
                    reason = why;
                }
            }
        }
        Err(EngineError::DeviceLost {
            device: self.info.name.clone(),
            reason,
        })
    }

    fn attempt<T>(&self, task: Task<'_>, work: Work<'_, T>) -> Result<T, Stop> {
        let workspace = self.workspace()?;
        let result = catch_unwind(AssertUnwindSafe(|| work(&workspace, task)))
            .unwrap_or_else(|panic| Err(Stop::Lost(panic_text(panic.as_ref()))));
        if let Err(Stop::Lost(reason)) = &result {
            // Nobody uses this context again.
            workspace.context.failure.record(reason.as_str());
        }
        result
    }

    /// The open device, opened anew if it has failed.
    fn workspace(&self) -> Result<Arc<Workspace>, Stop> {
        let mut workspace = lock(&self.workspace);
        if workspace.context.failure.get().is_some() {
            let cap = self.binding_cap.load(Ordering::Relaxed);
            *workspace = Arc::new(Workspace::open(&self.adapter, cap).map_err(Stop::Lost)?);
        }
        let simulated = self
            .losses
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if simulated.is_ok() {
            workspace.context.device.destroy();
        }
        Ok(Arc::clone(&workspace))
    }

    fn origin(&self, task: Task<'_>) -> Origin {
        let is_general = task.frame.spec.is_general();
        let kernel_id = strip::kernels(task.frame)
            .filter_map(|kernel| match is_general {
                true => Program::formula_id(kernel, task.arithmetic),
                false => Program::new(kernel, task.arithmetic).map(|program| program.id()),
            })
            .fold(0, |id, own| id ^ own);
        Origin {
            backend: Backend::Gpu,
            arithmetic: task.arithmetic,
            device: self.info.name.clone(),
            kernel_id,
        }
    }

    /// Lets the next `times` attempts at a strip find their device destroyed: for tests of what follows.
    #[doc(hidden)]
    pub fn lose_for_test(&self, times: u32) {
        self.losses.store(times, Ordering::Relaxed);
    }

    /// Binds no more than so many bytes of a reference orbit at once from now on, on a device that is opened anew: for
    /// tests of what is too long for an adapter.
    ///
    /// # Errors
    /// When the device cannot be opened again.
    #[doc(hidden)]
    pub fn cap_bindings_for_test(&self, bytes: u64) -> Result<(), String> {
        self.binding_cap.store(bytes, Ordering::Relaxed);
        *lock(&self.workspace) = Arc::new(Workspace::open(&self.adapter, bytes)?);
        Ok(())
    }

    /// The open device, for measurements beside strips.
    pub(super) fn with_workspace<T>(
        &self,
        work: impl FnOnce(&Workspace) -> Result<T, Stop>,
    ) -> Result<T, EngineError> {
        let result = self.workspace().and_then(|workspace| {
            catch_unwind(AssertUnwindSafe(|| work(&workspace)))
                .unwrap_or_else(|panic| Err(Stop::Lost(panic_text(panic.as_ref()))))
        });
        result.map_err(|stop| match stop {
            Stop::Cancelled => EngineError::Cancelled,
            Stop::NotServed => EngineError::DeviceLost {
                device: self.info.name.clone(),
                reason: Stop::NotServed.reason(),
            },
            Stop::Lost(reason) => EngineError::DeviceLost {
                device: self.info.name.clone(),
                reason,
            },
        })
    }
}

/// What a panic said, on one line.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("wgpu panicked")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
