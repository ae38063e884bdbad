//! An adapter's kernels against the adapter's own limit.

use std::time::{Duration, Instant};

use fractal::{Arithmetic, Measure, Strip};

use super::figures::{BenchError, KernelFigure, Limit};
use super::scenes::{SCENES, Scene};
use crate::frame::PreparedFrame;
use crate::gpu::GpuDevice;
use crate::progress::Progress;

/// Runs of a scene of which the best counts.
const MOST_ROUNDS: usize = 5;
/// No further run is begun after this long: a software adapter takes about a second for one.
const ENOUGH: Duration = Duration::from_millis(500);

/// How far the total of a scene may be off, as a share of it. The scenes' boundary pixels are decided by last bits, and
/// single precision is too short for the deeper scene: there it shows speed alone.
const fn tolerance(arithmetic: Arithmetic) -> f64 {
    match arithmetic {
        Arithmetic::F32 => 2e-2,
        _ => 1e-3,
    }
}

/// Measures every arithmetic that an adapter offers: its limit, and its kernel on every scene, with a strip as large
/// as the scene, transfers included.
///
/// # Errors
/// See [`BenchError`].
pub fn run_gpu(device: &GpuDevice) -> Result<(Vec<Limit>, Vec<KernelFigure>), BenchError> {
    let (mut limits, mut kernels) = (Vec::new(), Vec::new());
    let name = &device.info().name;
    for arithmetic in Arithmetic::PLAIN {
        if !device.info().arithmetics.contains(&arithmetic) {
            continue;
        }
        let fma_per_sec = device.multiply_add_rate(arithmetic)?;
        let bound = fma_per_sec / f64::from(shaders::instructions_per_step(arithmetic));
        limits.push(Limit {
            backend: "gpu",
            device: name.clone(),
            arithmetic: arithmetic.name(),
            threads: 1,
            gfma_per_sec: fma_per_sec / 1e9,
            giter_per_sec: bound / 1e9,
        });
        for scene in &SCENES {
            let rate = iterations_per_sec(device, arithmetic, scene)?;
            kernels.push(KernelFigure {
                name: format!("WGSL {}", arithmetic.name()),
                backend: "gpu",
                device: name.clone(),
                scene: scene.name,
                threads: 1,
                giter_per_sec: rate / 1e9,
                of_limit: rate / bound,
                iterations_checked: true,
            });
        }
    }
    Ok((limits, kernels))
}

/// What an adapter makes of a deep view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeepFigure {
    /// In which arithmetic.
    pub arithmetic: Arithmetic,
    /// Seconds of the best run, transfers included; the reference orbit and the blocks of its steps are there.
    pub secs: f64,
    /// Iterations of all pixels, those inside counted as the limit.
    pub iterations: u128,
    /// Steps and blocks of steps that they took.
    pub moves: u64,
}

/// What finds out whether counts in an arithmetic are right.
pub type Check<'a> = &'a dyn Fn(Arithmetic, &[u32]) -> Result<(), BenchError>;

/// Measures every arithmetic of deltas that an adapter offers for a deep frame, on all of it; `check` is shown the counts.
///
/// # Errors
/// [`BenchError::Engine`], or what `check` finds.
pub fn run_deep(
    device: &GpuDevice,
    frame: &PreparedFrame,
    check: Check<'_>,
) -> Result<Vec<DeepFigure>, BenchError> {
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: frame.spec.height,
    };
    let offered = device.info().arithmetics.iter().copied();
    let exact =
        offered.filter(|a| a.is_delta() && a.is_exact_for(frame.extent_log2, frame.spacing_log2));
    let mut figures = Vec::new();
    for arithmetic in exact {
        let progress = Progress::default();
        // The first run uploads what the others find there.
        let (iterations, moves) = device.count_moves(frame, arithmetic, strip, true, &progress)?;
        let begun = Instant::now();
        let mut secs = f64::INFINITY;
        for round in 0..MOST_ROUNDS {
            if round > 0 && begun.elapsed() > ENOUGH {
                break;
            }
            let run_begun = Instant::now();
            let buffer = device.compute(frame, arithmetic, strip, &progress)?;
            secs = secs.min(run_begun.elapsed().as_secs_f64());
            if let Some(counts) = buffer.values::<u32>(Measure::Iterations) {
                check(arithmetic, counts)?;
            }
        }
        figures.push(DeepFigure {
            arithmetic,
            secs,
            iterations,
            moves,
        });
    }
    Ok(figures)
}

/// Iterations a second of one kernel on one scene, the best of some runs, each of which must be right.
fn iterations_per_sec(
    device: &GpuDevice,
    arithmetic: Arithmetic,
    scene: &Scene,
) -> Result<f64, BenchError> {
    let frame = PreparedFrame::new(scene.frame()?).map_err(|error| BenchError::Scene {
        scene: scene.name,
        reason: error.to_string(),
    })?;
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: frame.spec.height,
    };
    let kernel = format!("{} in {}", device.info().name, arithmetic.name());
    let begun = Instant::now();
    let mut best = 0.0f64;
    for round in 0..MOST_ROUNDS {
        if round > 0 && begun.elapsed() > ENOUGH {
            break;
        }
        let run_begun = Instant::now();
        let buffer =
            device.compute_without_shortcuts(&frame, arithmetic, strip, &Progress::default())?;
        let secs = run_begun.elapsed().as_secs_f64();
        scene.check_total(&kernel, buffer.iterations_total, tolerance(arithmetic))?;
        best = best.max(buffer.iterations_total as f64 / secs);
    }
    Ok(best)
}
