//! The range of values that the palette spans, where none is given.

use engine::cpu::CpuDevice;
use engine::{PreparedFrame, Progress};
use fractal::{FrameSpec, Measure, MeasureSet, Plane, Strip};

use crate::colour::Distribution;

/// Samples along the longer side from which the colour range is found.
const RANGE_SAMPLES: u32 = 48;
/// Iterations of such a sample at most, where it is iterated plainly: samples are computed before anything else starts.
const RANGE_ITERATIONS: u64 = 100_000;

/// How many of `width` columns and `height` rows the range is found from, evenly chosen.
#[must_use]
pub fn sampled_size(width: u32, height: u32) -> (u32, u32) {
    let scale = f64::from(RANGE_SAMPLES) / f64::from(width.max(height));
    let side = |samples: u32| ((f64::from(samples) * scale) as u32).clamp(1, samples);
    (side(width), side(height))
}

/// The values of `measure` at a coarse grid of samples over the view, which the processor computes in milliseconds: a
/// palette spans their range. `progress` ends it early.
#[must_use]
pub fn sampled(frame: &PreparedFrame, measure: Measure, progress: &Progress) -> Distribution {
    let (width, height) = sampled_size(frame.spec.width, frame.spec.height);
    let limit = match &frame.deep {
        // All of a deep view may escape past any fixed limit; and most iterations are skipped.
        Some(_) => frame.spec.iterations,
        None => frame.spec.iterations.min(RANGE_ITERATIONS),
    };
    let coarse = frame.thinned(FrameSpec {
        width,
        height,
        iterations: limit,
        measures: MeasureSet::default().with(measure),
        ..frame.spec.clone()
    });
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: coarse.spec.height,
    };
    let buffer = CpuDevice::new(None).compute(&coarse, strip, progress).ok();
    let mut values = Distribution::new();
    if let Some(Plane::Smooth(plane) | Plane::Distance(plane)) =
        buffer.as_ref().and_then(|buffer| buffer.plane(measure))
    {
        for (row, line) in (0..).zip(plane.chunks_exact(width as usize)) {
            values.add_row(row, line);
        }
    }
    values
}
