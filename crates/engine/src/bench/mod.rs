//! What this machine can do: every kernel on fixed scenes, compared with the machine's own limit, which is
//! measured in the same run.

pub mod cpu;
pub mod deep;
pub mod deep_scenes;
pub mod figures;
pub mod gpu;
pub mod quick;
pub mod scenes;

use fractal::{Backend, BackendChoice};
use serde::Serialize;

pub use cpu::run_cpu;
pub use deep::{DeepKernelFigure, run_deep_cpu, run_deep_gpu};
pub use deep_scenes::{DEEP_SCENES, DeepScene};
pub use figures::{BenchError, KernelFigure, Limit};
pub use gpu::{DeepFigure, run_deep, run_gpu};
pub use scenes::{SCENES, Scene};

/// The whole report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Processor, threads and operating system.
    pub machine: String,
    /// Measured bounds.
    pub limits: Vec<Limit>,
    /// Measured kernels.
    pub kernels: Vec<KernelFigure>,
    /// Kernels measured on deep scenes.
    pub deep: Vec<DeepKernelFigure>,
}

/// Names of all scenes.
pub fn scene_names() -> impl Iterator<Item = &'static str> {
    let deep = DEEP_SCENES.iter().map(|scene| scene.name);
    SCENES.iter().map(|scene| scene.name).chain(deep)
}

/// Measures what `choice` asks for: with `Auto` the processor and every adapter, software adapters too; on the scenes
/// named, or all where none is. `machine` is how the report calls this machine.
///
/// # Errors
/// See [`BenchError`].
pub fn run(
    choice: BackendChoice,
    scenes: &[String],
    machine: String,
) -> Result<Report, BenchError> {
    let wanted = |name: &str| scenes.is_empty() || scenes.iter().any(|scene| scene == name);
    let plain = SCENES.iter().any(|scene| wanted(scene.name));
    let deep_scenes: Vec<&DeepScene> =
        (DEEP_SCENES.iter().filter(|scene| wanted(scene.name))).collect();
    let mut report = Report {
        machine,
        limits: Vec::new(),
        kernels: Vec::new(),
        deep: Vec::new(),
    };
    let add = |report: &mut Report, (limits, kernels): (Vec<Limit>, Vec<KernelFigure>)| {
        report.limits.extend(limits);
        let kernels = kernels.into_iter().filter(|kernel| wanted(kernel.scene));
        report.kernels.extend(kernels);
    };
    if choice.admits(Backend::Cpu) {
        if plain {
            add(&mut report, run_cpu(None)?);
        }
        report.deep.extend(run_deep_cpu(None, &deep_scenes)?);
    }
    if choice.admits(Backend::Gpu) {
        let adapters = crate::gpu::open_all();
        if adapters.is_empty() && choice == BackendChoice::Gpu {
            return Err(crate::gpu::GpuError::none("usable").into());
        }
        for adapter in adapters.iter().filter(|_| plain) {
            add(&mut report, run_gpu(adapter)?);
        }
        report.deep.extend(run_deep_gpu(&adapters, &deep_scenes)?);
    }
    Ok(report)
}
