//! What a worker needs of a device; the devices of either kind, and which of them this machine offers.

use fractal::{Arithmetic, BackendChoice, Strip, StripBuffer};

use crate::check::adapters::check_adapter;
use crate::cpu::CpuDevice;
use crate::frame::PreparedFrame;
use crate::gpu::{GpuDevice, GpuError};
use crate::info::{DeviceInfo, EngineError};
use crate::progress::Progress;

/// What a worker needs of a device: a [`Device`], or in tests one that fails on purpose.
pub trait Compute: Send + Sync {
    /// What it is.
    fn info(&self) -> &DeviceInfo;

    /// Computes one strip; blocks the calling thread, and may be called from several at once. With `insist` by the
    /// most precise arithmetic that there is, also where none is precise enough.
    ///
    /// It calls [`Progress::step`] every 100 ms or so, and ends soon after [`Progress::cancel`].
    ///
    /// # Errors
    /// See [`EngineError`].
    fn compute(
        &self,
        frame: &PreparedFrame,
        strip: Strip,
        insist: bool,
        progress: &Progress,
    ) -> Result<StripBuffer, EngineError>;
}

/// Why this machine offers no device of the kind asked for.
#[derive(Debug, thiserror::Error)]
pub enum NoDevice {
    /// No adapter at all, or none passed its proof.
    #[error(
        "no usable GPU adapter: {0} (use --backend cpu, or install a Vulkan, Metal, DX12 or GL driver)"
    )]
    Gpu(String),
}

/// One device: a lane of a worker.
#[derive(Debug)]
pub enum Device {
    /// The processor.
    Cpu(CpuDevice),
    /// An adapter.
    Gpu(Box<GpuDevice>),
}

impl Device {
    /// The arithmetic that this device would use for a frame: the fastest that is precise enough for
    /// its view; where none is, its `f64`, and if `insist` its most precise one.
    ///
    /// Where the frame asks for one arithmetic, that one, if the device has it for such a view.
    #[must_use]
    pub fn arithmetic_for(&self, frame: &PreparedFrame, insist: bool) -> Option<Arithmetic> {
        match (self, frame.arithmetic) {
            (Self::Cpu(_), pinned) => {
                let own = frame.cpu_arithmetic();
                pinned.is_none_or(|pinned| pinned == own).then_some(own)
            }
            (Self::Gpu(gpu), None) => gpu.arithmetic_for(frame, insist),
            (Self::Gpu(gpu), Some(pinned)) => {
                let fits = pinned.is_delta() == frame.deep.is_some();
                let has = gpu.info().arithmetics.contains(&pinned);
                (fits && has).then_some(pinned)
            }
        }
    }

    /// The same, and on an adapter one of which samples of the frame showed that it suffices; with `insist` the one that
    /// came nearest where none does.
    fn checked_arithmetic(
        &self,
        frame: &PreparedFrame,
        insist: bool,
        progress: &Progress,
    ) -> Result<Option<Arithmetic>, EngineError> {
        let outcome = match self {
            Self::Gpu(gpu) if frame.arithmetic.is_none() => check_adapter(gpu, frame, progress)?,
            _ => None,
        };
        match outcome {
            None => Ok(self.arithmetic_for(frame, insist)),
            Some(outcome) if outcome.suffices || insist => Ok(Some(outcome.arithmetic)),
            Some(outcome) => Err(EngineError::Inexact {
                device: self.info().name.clone(),
                arithmetic: outcome.arithmetic.name(),
                off: outcome.comparison.off,
                samples: outcome.comparison.samples,
            }),
        }
    }
}

impl Compute for Device {
    fn info(&self) -> &DeviceInfo {
        match self {
            Self::Cpu(cpu) => cpu.info(),
            Self::Gpu(gpu) => gpu.info(),
        }
    }

    fn compute(
        &self,
        frame: &PreparedFrame,
        strip: Strip,
        insist: bool,
        progress: &Progress,
    ) -> Result<StripBuffer, EngineError> {
        let device = || self.info().name.clone();
        let arithmetic = self.checked_arithmetic(frame, insist, progress)?;
        // Plain kernels count in 32 bits.
        let counts = frame.deep.is_some() || frame.spec.short_limit().is_some();
        let arithmetic = arithmetic.filter(|_| counts);
        let arithmetic = arithmetic.ok_or_else(|| match frame.arithmetic {
            None => EngineError::NotServed {
                device: device(),
                spacing_log2: frame.spacing_log2.floor() as i32,
            },
            Some(arithmetic) => EngineError::Arithmetic {
                device: device(),
                arithmetic: arithmetic.name(),
            },
        })?;
        match self {
            Self::Cpu(cpu) => cpu.compute(frame, strip, progress),
            Self::Gpu(gpu) => gpu.compute(frame, arithmetic, strip, progress),
        }
    }
}

/// The devices of this machine that `choice` asks for: with `Auto` every hardware adapter, or the
/// processor when there is none (never a software adapter, which is slower than the SIMD kernels);
/// with `Gpu` every hardware adapter, or the software ones when there is none.
///
/// # Errors
/// When adapters are insisted on and there are none.
pub fn open(choice: BackendChoice, cpu_threads: Option<usize>) -> Result<Vec<Device>, NoDevice> {
    let cpu = || vec![Device::Cpu(CpuDevice::new(cpu_threads))];
    match choice {
        BackendChoice::Cpu => Ok(cpu()),
        BackendChoice::Auto => {
            let gpus = crate::gpu::open_hardware();
            Ok(if gpus.is_empty() {
                cpu()
            } else {
                gpus.into_iter()
                    .map(|gpu| Device::Gpu(Box::new(gpu)))
                    .collect()
            })
        }
        BackendChoice::Gpu => {
            let mut gpus = crate::gpu::open_hardware();
            if gpus.is_empty() {
                gpus = crate::gpu::open_software()
                    .map_err(|error: GpuError| NoDevice::Gpu(error.to_string()))?;
            }
            Ok(gpus
                .into_iter()
                .map(|gpu| Device::Gpu(Box::new(gpu)))
                .collect())
        }
    }
}

#[cfg(test)]
mod tests;
