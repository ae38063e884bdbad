//! What this machine can do: every kernel on fixed scenes, compared with the machine's own limit, which is
//! measured in the same run.

pub mod cpu;
pub mod deep;
pub mod deep_scenes;
pub mod gpu;
pub mod quick;
pub mod scenes;

use fractal::{Backend, BackendChoice};
use serde::Serialize;

pub use cpu::run_cpu;
pub use deep::{DeepKernelFigure, run_deep_cpu, run_deep_gpu};
pub use deep_scenes::{DEEP_SCENES, DeepScene};
pub use gpu::{DeepFigure, run_deep, run_gpu};
pub use scenes::{SCENES, Scene};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A kernel's total count is wrong.
    #[error(
        "kernel '{kernel}' counted {total} iterations on scene '{scene}' where {expected} are right"
    )]
    WrongTotal {
        /// Its name.
        kernel: String,
        /// Name of the [`Scene`].
        scene: &'static str,
        /// What it counted.
        total: u128,
        /// What is right.
        expected: u64,
    },
    /// A kernel missed counts that are known.
    #[error("kernel '{kernel}' missed {off} of {of} known counts of scene '{scene}'")]
    WrongCounts {
        /// Its name.
        kernel: String,
        /// Name of the [`DeepScene`].
        scene: &'static str,
        /// Counts that it missed.
        off: usize,
        /// Of so many.
        of: usize,
    },
    /// A scene cannot be set up.
    #[error("scene '{scene}': {reason}")]
    Scene {
        /// Its name.
        scene: &'static str,
        /// What was wrong.
        reason: String,
    },
    /// A kernel could not be run.
    #[error(transparent)]
    Engine(#[from] crate::info::EngineError),
    /// Adapters were asked for, and there are none.
    #[error(transparent)]
    Gpu(#[from] crate::gpu::GpuError),
}

/// The machine's own bound on plain iteration for one backend and arithmetic: measured multiply-add
/// rate times lanes, divided by the 4 instructions of an iteration.
#[derive(Clone, Debug, Serialize)]
pub struct Limit {
    /// `cpu` or `gpu`.
    pub backend: &'static str,
    /// The device's name.
    pub device: String,
    /// The number type.
    pub arithmetic: &'static str,
    /// Processor threads used; 1 for an adapter.
    pub threads: usize,
    /// Multiply-adds a second of one lane's width, in 1e9: vector instructions times lanes.
    pub gfma_per_sec: f64,
    /// Bound on iterations a second, in 1e9.
    pub giter_per_sec: f64,
}

/// One kernel's figure on one scene.
#[derive(Clone, Debug, Serialize)]
pub struct KernelFigure {
    /// Kernel: instruction set or adapter API, and arithmetic.
    pub name: String,
    /// `cpu` or `gpu`.
    pub backend: &'static str,
    /// The device's name.
    pub device: String,
    /// Name of the [`Scene`].
    pub scene: &'static str,
    /// Processor threads used; 1 for an adapter.
    pub threads: usize,
    /// Iterations a second, in 1e9.
    pub giter_per_sec: f64,
    /// Share of the limit of the same device, arithmetic and threads.
    pub of_limit: f64,
    /// Whether the total count of the scene was compared with the known one; a wrong one ends the run with an error.
    pub iterations_checked: bool,
}

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
            return Err(crate::gpu::GpuError::NoAdapter("usable").into());
        }
        for adapter in adapters.iter().filter(|_| plain) {
            add(&mut report, run_gpu(adapter)?);
        }
        report.deep.extend(run_deep_gpu(&adapters, &deep_scenes)?);
    }
    Ok(report)
}
