//! The processor's kernels against the processor's own limit.

use std::time::Instant;

use fractal::Strip;

use super::figures::{BenchError, KernelFigure, Limit};
use super::scenes::SCENES;
use crate::cpu::{CpuDevice, Isa};
use crate::frame::PreparedFrame;
use crate::progress::Progress;

/// Rounds of each measurement; limit and kernels take turns, so that a slow spell hits both.
const ROUNDS: usize = 5;
/// Multiply-adds of one measurement of the limit, for each thread: about 30 ms.
const LIMIT_FMAS: u64 = 1 << 28;
/// Vector instructions of one iteration: three multiply-adds and an addition.
const INSTRUCTIONS_PER_ITERATION: f64 = 4.0;

/// Measures every vector instruction set of this processor, on one thread and, if there are more, on all of
/// `threads` (`None`: one for each core). The portable kernel is left out: it has no limit of its own, and
/// takes minutes where multiply-add is a library call.
///
/// Limit and kernel are each the best of several rounds, taken in turns.
///
/// # Errors
/// See [`BenchError`].
pub fn run_cpu(threads: Option<usize>) -> Result<(Vec<Limit>, Vec<KernelFigure>), BenchError> {
    let (mut limits, mut kernels) = (Vec::new(), Vec::new());
    for isa in Isa::available()
        .into_iter()
        .filter(|isa| *isa != Isa::Portable)
    {
        let all = CpuDevice::with_isa(isa, threads).shortcuts(false);
        let one = (all.threads() > 1).then(|| CpuDevice::with_isa(isa, Some(1)).shortcuts(false));
        for device in one.into_iter().chain([all]) {
            let (limit, figures) = measure(&device, isa)?;
            limits.push(limit);
            kernels.extend(figures);
        }
    }
    Ok((limits, kernels))
}

/// One device: its limit, and its figure on each scene.
fn measure(device: &CpuDevice, isa: Isa) -> Result<(Limit, Vec<KernelFigure>), BenchError> {
    let frames: Vec<PreparedFrame> = SCENES
        .iter()
        .map(|scene| {
            PreparedFrame::new(scene.frame()?).map_err(|error| BenchError::Scene {
                scene: scene.name,
                reason: error.to_string(),
            })
        })
        .collect::<Result<_, _>>()?;
    let (mut limit_rate, mut rates) = (0.0f64, vec![0.0f64; SCENES.len()]);
    for _ in 0..ROUNDS {
        for ((scene, frame), rate) in SCENES.iter().zip(&frames).zip(&mut rates) {
            limit_rate = limit_rate.max(device.multiply_add_rate(LIMIT_FMAS));
            let strip = Strip {
                index: 0,
                row0: 0,
                rows: frame.spec.height,
            };
            let began = Instant::now();
            let buffer = device.compute(frame, strip, &Progress::default())?;
            let secs = began.elapsed().as_secs_f64();
            scene.check_total(isa.name(), buffer.iterations_total, 0.0)?;
            *rate = rate.max(buffer.iterations_total as f64 / secs);
        }
    }
    let bound = limit_rate / INSTRUCTIONS_PER_ITERATION;
    let limit = Limit {
        backend: "cpu",
        device: device.info().name.clone(),
        arithmetic: "f64",
        threads: device.threads(),
        gfma_per_sec: limit_rate / 1e9,
        giter_per_sec: bound / 1e9,
    };
    let figures = SCENES.iter().zip(rates).map(|(scene, rate)| KernelFigure {
        name: format!("{} f64", isa.name()),
        backend: "cpu",
        device: device.info().name.clone(),
        scene: scene.name,
        threads: device.threads(),
        giter_per_sec: rate / 1e9,
        of_limit: rate / bound,
        iterations_checked: true,
    });
    Ok((limit, figures.collect()))
}
