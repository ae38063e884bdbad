//! The range of smooth counts that the palette spans, where none is given.

use engine::cpu::CpuDevice;
use engine::{PreparedFrame, Progress};
use fractal::{FrameSpec, Measure, MeasureSet, Plane, Strip};

/// Samples along the longer side from which the colour range is found.
const RANGE_SAMPLES: u32 = 48;
/// Iterations of such a sample at most, where it is iterated plainly: samples are computed before anything else starts.
const RANGE_ITERATIONS: u64 = 100_000;
/// Share of the escaped samples that lie below the palette's upper end.
const RANGE_HIGH: f64 = 0.995;

/// The smooth counts that the palette spans: from the lowest to nearly the highest of a coarse grid of
/// samples over the view, which the processor computes in milliseconds. `progress` ends it early.
#[must_use]
pub fn colour_range(frame: &PreparedFrame, progress: &Progress) -> (f64, f64) {
    let (width, height) = (frame.spec.width, frame.spec.height);
    let scale = f64::from(RANGE_SAMPLES) / f64::from(width.max(height));
    let side = |samples: u32| ((f64::from(samples) * scale) as u32).clamp(1, samples);
    let limit = match &frame.deep {
        // All of a deep view may escape past any fixed limit; and most iterations are skipped.
        Some(_) => frame.spec.iterations,
        None => frame.spec.iterations.min(RANGE_ITERATIONS),
    };
    let coarse = frame.thinned(FrameSpec {
        width: side(width),
        height: side(height),
        iterations: limit,
        measures: MeasureSet::default().with(Measure::Smooth),
        ..frame.spec.clone()
    });
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: coarse.spec.height,
    };
    let smooth = CpuDevice::new(None).compute(&coarse, strip, progress).ok();
    let mut escaped: Vec<f32> = match smooth
        .as_ref()
        .and_then(|buffer| buffer.plane(Measure::Smooth))
    {
        Some(Plane::Smooth(values)) => values
            .iter()
            .copied()
            .filter(|value| *value != 0.0)
            .collect(),
        _ => Vec::new(),
    };
    escaped.sort_by(f32::total_cmp);
    let at = |share: f64| {
        escaped
            .get((escaped.len() as f64 * share) as usize)
            .copied()
    };
    match (escaped.first(), at(RANGE_HIGH)) {
        (Some(low), Some(high)) if high > *low => (f64::from(*low), f64::from(high)),
        (Some(low), _) => (f64::from(*low), f64::from(*low) + 1.0),
        _ => (0.0, 1.0),
    }
}
