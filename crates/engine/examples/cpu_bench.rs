//! Prints what this processor can do: each kernel against the processor's own limit, and the time of a
//! picture of mostly cheap pixels.
#![allow(clippy::print_stdout)] // printing is what this program is for

use std::time::Instant;

use engine::cpu::{CpuDevice, Isa};
use engine::{PreparedFrame, Progress};
use fractal::{FrameSpec, Grid, Measure, MeasureSet, StripPlan, View};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let only = std::env::args().nth(1);
    let wants = |what| only.as_deref().is_none_or(|only| only == what);
    if wants("scenes") {
        let (limits, kernels) = engine::bench::run_cpu(None)?;
        for limit in limits {
            println!(
                "{:24} {:8.2} Gfma/s, bound {:6.2} Giter/s",
                limit.device, limit.gfma_per_sec, limit.giter_per_sec
            );
        }
        for k in kernels {
            println!(
                "{:24} {:10} {:6.2} Giter/s {:5.3} of the bound",
                k.device, k.scene, k.giter_per_sec, k.of_limit
            );
        }
    }
    if wants("cheap") {
        cheap(&[Measure::Smooth], 1000)?;
        cheap(&[Measure::Smooth, Measure::Distance], 1000)?;
        cheap(&[Measure::Stability], 200)?;
    }
    Ok(())
}

/// The default picture at a density of 2048.
fn cheap(measures: &[Measure], iterations: u64) -> Result<(), Box<dyn std::error::Error>> {
    let frame = PreparedFrame::new(FrameSpec {
        view: View::Bounds {
            xmin: "-2".parse()?,
            xmax: "0.5".parse()?,
            ymin: "-1.5".parse()?,
            ymax: "1.5".parse()?,
        },
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: 5120,
        height: 6144,
        iterations,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: measures.iter().copied().collect::<MeasureSet>(),
    })?;
    let plan = StripPlan::for_picture(5120, 6144, frame.spec.measures.bytes_per_pixel());
    for isa in Isa::available()
        .into_iter()
        .filter(|isa| *isa != Isa::Portable)
    {
        let device = CpuDevice::with_isa(isa, Some(1));
        let mut best = f64::INFINITY;
        for _ in 0..4 {
            let began = Instant::now();
            for strip in plan.strips() {
                device.compute(&frame, strip, &Progress::default())?;
            }
            best = best.min(began.elapsed().as_secs_f64());
        }
        println!(
            "{:24} {measures:?} N = {iterations}: {:.2} ns/pixel on one core",
            device.info().name,
            best * 1e9 / frame.spec.pixels() as f64
        );
    }
    Ok(())
}
