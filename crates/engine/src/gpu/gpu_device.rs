//! An adapter as one of the engine's devices: chooses the arithmetic, retries once when the device is lost, and
//! turns whatever happens into an answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use fractal::{Arithmetic, Backend, Measure, Origin, Strip, StripBuffer};
use shaders::{Kernel, Program};

use super::adapters::AdapterSummary;
use super::context::{Context, Stop, lock};
use super::proof;
use super::strip::{self, Task};
use crate::info::{DeviceInfo, EngineError};
use crate::prepared::PreparedFrame;
use crate::progress::Progress;

/// Times that a strip is tried on a device before its caller looks for another one.
const ATTEMPTS: u32 = 2;

/// One adapter, open and proved.
#[derive(Debug)]
pub struct GpuDevice {
    info: DeviceInfo,
    adapter: wgpu::Adapter,
    /// Replaced by a fresh one after a failure.
    context: Mutex<Arc<Context>>,
    /// Losses yet to be simulated.
    losses: AtomicU32,
}

impl GpuDevice {
    /// Opens an adapter, proves its arithmetic and times what passed.
    pub(super) fn open(adapter: wgpu::Adapter, summary: &AdapterSummary) -> Result<Self, String> {
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let context = Context::open(&adapter)?;
            let arithmetics = proof::prove_and_time(&context, summary);
            Ok::<_, String>((context, arithmetics))
        }));
        let (context, arithmetics) =
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
        Ok(Self {
            info,
            adapter,
            context: Mutex::new(Arc::new(context)),
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
    /// either, the most precise one if `insist`.
    #[must_use]
    pub fn arithmetic_for(&self, frame: &PreparedFrame, insist: bool) -> Option<Arithmetic> {
        let stability = frame.spec.measures.contains(Measure::Stability);
        let serves = |a: &Arithmetic| !stability || Program::new(Kernel::Stability, *a).is_some();
        let proved = || self.info.arithmetics.iter().copied().filter(serves);
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
            progress,
        })
    }

    /// The same without interior shortcuts: every step of every pixel is made.
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
            progress,
        })
    }

    fn compute_task(&self, task: Task<'_>) -> Result<StripBuffer, EngineError> {
        if !self.info.arithmetics.contains(&task.arithmetic) {
            return Err(EngineError::NotServed {
                device: self.info.name.clone(),
                spacing_log2: task.frame.spacing_log2.floor() as i32,
            });
        }
        let begun = Instant::now();
        let mut reason = String::new();
        for attempt in 1..=ATTEMPTS {
            match self.attempt(task) {
                Ok((planes, iterations_total)) => {
                    return Ok(StripBuffer {
                        strip: task.strip,
                        width: task.frame.spec.width,
                        planes,
                        iterations_total,
                        origin: self.origin(task),
                        busy_secs: begun.elapsed().as_secs_f64(),
                    });
                }
                Err(Stop::Cancelled) => return Err(EngineError::Cancelled),
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

    fn attempt(&self, task: Task<'_>) -> Result<(Vec<fractal::Plane>, u64), Stop> {
        let context = self.context()?;
        let result = catch_unwind(AssertUnwindSafe(|| strip::compute(&context, task)))
            .unwrap_or_else(|panic| Err(Stop::Lost(panic_text(panic.as_ref()))));
        if let Err(Stop::Lost(reason)) = &result {
            // Nobody uses this context again.
            context.failure.record(reason.as_str());
        }
        result
    }

    /// The open device, opened anew if it has failed.
    fn context(&self) -> Result<Arc<Context>, Stop> {
        let mut context = lock(&self.context);
        if context.failure.get().is_some() {
            *context = Arc::new(Context::open(&self.adapter).map_err(Stop::Lost)?);
        }
        let simulated = self
            .losses
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if simulated.is_ok() {
            context.device.destroy();
        }
        Ok(Arc::clone(&context))
    }

    fn origin(&self, task: Task<'_>) -> Origin {
        let kernel_id = strip::kernels(task.frame)
            .filter_map(|kernel| Program::new(kernel, task.arithmetic))
            .fold(0, |id, program| id ^ program.id());
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

    /// The open device, for measurements beside strips.
    pub(super) fn with_context<T>(
        &self,
        work: impl FnOnce(&Context) -> Result<T, Stop>,
    ) -> Result<T, EngineError> {
        let result = self.context().and_then(|context| {
            catch_unwind(AssertUnwindSafe(|| work(&context)))
                .unwrap_or_else(|panic| Err(Stop::Lost(panic_text(panic.as_ref()))))
        });
        result.map_err(|stop| match stop {
            Stop::Cancelled => EngineError::Cancelled,
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
