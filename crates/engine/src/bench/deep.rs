//! Deep scenes on devices of either kind, with all shortcuts: iterations a second, skipped ones included.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fractal::reference::{self, ReferencePoint};
use fractal::{Arithmetic, Measure, Strip};
use serde::Serialize;

use super::deep_scenes::DeepScene;
use super::figures::BenchError;
use super::gpu::{DeepFigure, run_deep};
use crate::cpu::{CpuDevice, Isa};
use crate::frame::PreparedFrame;
use crate::gpu::GpuDevice;
use crate::progress::Progress;

/// Runs of a scene of which the best counts.
const MOST_ROUNDS: usize = 3;
/// No further run is begun after this long.
const ENOUGH: Duration = Duration::from_millis(500);
/// Most values of a scene's reference orbit.
const MOST_VALUES: u64 = 1 << 24;

/// One kernel's figure on one deep scene.
#[derive(Clone, Debug, Serialize)]
pub struct DeepKernelFigure {
    /// Kernel: instruction set or WGSL, and arithmetic.
    pub name: String,
    /// `cpu` or `gpu`.
    pub backend: &'static str,
    /// The device's name.
    pub device: String,
    /// Name of the [`DeepScene`].
    pub scene: &'static str,
    /// Processor threads used; 1 for an adapter.
    pub threads: usize,
    /// Pixels: fewer on software adapters.
    pub pixels: u64,
    /// Seconds of the best run; the reference orbit and the blocks of its steps were there.
    pub secs: f64,
    /// Iterations of all pixels, those inside counted as the limit.
    pub iterations: u128,
    /// Steps and blocks of steps that were made for them; not counted on processors.
    pub applied: Option<u64>,
    /// Iterations that were never made one by one; likewise.
    pub skipped: Option<u128>,
    /// Iterations a second, skipped ones included, in 1e9.
    pub giter_per_sec: f64,
    /// Exact counts that are known of the scene, and its total, were compared with the kernel's; a wrong one ends the run with
    /// an error.
    pub iterations_checked: bool,
}

/// A scene with its frame.
struct PreparedScene<'a> {
    scene: &'a DeepScene,
    frame: PreparedFrame,
}

/// Scenes with their reference orbits.
fn prepare<'a>(scenes: &[&'a DeepScene]) -> Result<Vec<PreparedScene<'a>>, BenchError> {
    let one = |scene: &'a DeepScene| {
        let trouble = |reason: String| BenchError::Scene {
            scene: scene.name,
            reason,
        };
        let spec = scene.frame()?;
        let point = ReferencePoint::centre_of(&spec);
        let orbit = reference::compute(&spec, point, MOST_VALUES, &mut |_| true)
            .map_err(|error| trouble(error.to_string()))?;
        let frame = PreparedFrame::with_reference(spec, Arc::new(orbit));
        let frame = frame.map_err(|error| trouble(error.to_string()))?;
        Ok(PreparedScene { scene, frame })
    };
    scenes.iter().map(|scene| one(scene)).collect()
}

fn whole(frame: &PreparedFrame) -> Strip {
    Strip {
        index: 0,
        row0: 0,
        rows: frame.spec.height,
    }
}

/// Measures every vector instruction set of this processor on the deep scenes, as [`super::run_cpu`] does on the others.
///
/// # Errors
/// See [`BenchError`].
pub fn run_deep_cpu(
    threads: Option<usize>,
    scenes: &[&DeepScene],
) -> Result<Vec<DeepKernelFigure>, BenchError> {
    let mut figures = Vec::new();
    let scenes = prepare(scenes)?;
    for isa in Isa::available() {
        if isa == Isa::Portable {
            continue;
        }
        let all = CpuDevice::with_isa(isa, threads);
        let one = (all.threads() > 1).then(|| CpuDevice::with_isa(isa, Some(1)));
        for device in one.into_iter().chain([all]) {
            for scene in &scenes {
                figures.push(on_processor(&device, isa, scene)?);
            }
        }
    }
    Ok(figures)
}

fn on_processor(
    device: &CpuDevice,
    isa: Isa,
    prepared: &PreparedScene<'_>,
) -> Result<DeepKernelFigure, BenchError> {
    let arithmetic = prepared.frame.cpu_arithmetic().name();
    let name = format!("{} {arithmetic}", isa.name());
    let began = Instant::now();
    let (mut secs, mut iterations) = (f64::INFINITY, 0);
    for round in 0..MOST_ROUNDS {
        if round > 0 && began.elapsed() > ENOUGH {
            break;
        }
        // Without what an earlier run left behind: series of squares are part of the work, blocks are not.
        let frame = prepared.frame.thinned(prepared.frame.spec.clone());
        if let Some(deep) = &frame.deep {
            let _ = (deep.bla(), deep.jets());
        }
        let run_began = Instant::now();
        let buffer = device.compute(&frame, whole(&frame), &Progress::default())?;
        secs = secs.min(run_began.elapsed().as_secs_f64());
        iterations = buffer.iterations_total;
        if let Some(counts) = buffer.values::<u32>(Measure::Iterations) {
            prepared.scene.check(&name, counts)?;
        }
    }
    Ok(DeepKernelFigure {
        name,
        backend: "cpu",
        device: device.info().name.clone(),
        scene: prepared.scene.name,
        threads: device.threads(),
        pixels: prepared.frame.spec.pixels(),
        secs,
        iterations,
        applied: None,
        skipped: None,
        giter_per_sec: iterations as f64 / secs / 1e9,
        iterations_checked: true,
    })
}

/// Measures every arithmetic of deltas that each adapter offers on the deep scenes, on few pixels where it is software.
///
/// # Errors
/// See [`BenchError`].
pub fn run_deep_gpu(
    devices: &[GpuDevice],
    scenes: &[&DeepScene],
) -> Result<Vec<DeepKernelFigure>, BenchError> {
    let scenes = prepare(scenes)?;
    let mut figures = Vec::new();
    for device in devices {
        for PreparedScene { scene, frame } in &scenes {
            let small = device.info().software.then(|| scene.small(frame));
            let frame = small.as_ref().unwrap_or(frame);
            let check = |arithmetic: Arithmetic, counts: &[u32]| {
                let kernel = format!("{} in {}", device.info().name, arithmetic.name());
                scene.check(&kernel, counts)
            };
            for figure in run_deep(device, frame, &check)? {
                figures.push(on_adapter(device, scene, frame, &figure));
            }
        }
    }
    Ok(figures)
}

fn on_adapter(
    device: &GpuDevice,
    scene: &DeepScene,
    frame: &PreparedFrame,
    figure: &DeepFigure,
) -> DeepKernelFigure {
    DeepKernelFigure {
        name: format!("WGSL {}", figure.arithmetic.name()),
        backend: "gpu",
        device: device.info().name.clone(),
        scene: scene.name,
        threads: 1,
        pixels: frame.spec.pixels(),
        secs: figure.secs,
        iterations: figure.iterations,
        applied: Some(figure.moves),
        skipped: Some(figure.iterations.saturating_sub(u128::from(figure.moves))),
        giter_per_sec: figure.iterations as f64 / figure.secs / 1e9,
        iterations_checked: true,
    }
}
