//! The range of values that the palette spans, where none is given.

use colour::{Distribution, sampled_size};
use engine::cpu::CpuDevice;
use engine::{PreparedFrame, Progress};
use fractal::{Counts, FrameSpec, Measure, MeasureSet, Strip};

/// Iterations of such a sample at most, where it is iterated plainly: samples are computed before anything else starts.
const RANGE_ITERATIONS: u64 = 100_000;

/// The values of `measure` at a coarse grid of samples over the view, which the processor computes in milliseconds: a
/// palette spans their range. `progress` ends it early.
#[must_use]
pub fn sampled(frame: &PreparedFrame, measure: Measure, progress: &Progress) -> Distribution {
    let (width, height) = sampled_size(frame.spec.width, frame.spec.height);
    let limit = if frame.deep.is_some() || frame.general.is_some() {
        // All of a deep view may escape past any fixed limit; and most iterations are skipped.
        frame.spec.iterations
    } else {
        frame.spec.iterations.min(RANGE_ITERATIONS)
    };
    let coarse = frame.thinned(FrameSpec {
        width,
        height,
        iterations: limit,
        counts: Counts::Fast,
        measures: MeasureSet::default().with(measure),
        ..frame.spec.clone()
    });
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: coarse.spec.height,
    };
    let buffer = CpuDevice::new(None).compute(&coarse, strip, progress).ok();
    match buffer.as_ref().and_then(|buffer| buffer.values(measure)) {
        Some(samples) => Distribution::of_rows(samples.chunks_exact(width as usize)),
        None => Distribution::new(),
    }
}
