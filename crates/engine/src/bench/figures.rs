//! What is measured, and why it may not be.

use serde::Serialize;

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
        /// Name of the scene.
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
        /// Name of the scene.
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
    /// Name of the scene.
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
