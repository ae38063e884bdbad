//! The range of smooth counts that the palette spans, where none is given.

use engine::cpu::CpuDevice;
use engine::{PreparedFrame, Progress};
use fractal::{Axis, FrameSpec, Measure, MeasureSet, Plane, Strip};

/// Samples along the longer side from which the colour range is found.
const RANGE_SAMPLES: u32 = 48;
/// Iterations of such a sample at most: they are computed before anything else starts.
const RANGE_ITERATIONS: u64 = 100_000;
/// Share of the escaped samples that lie below the palette's upper end.
const RANGE_HIGH: f64 = 0.995;

/// The smooth counts that the palette spans: from the lowest to nearly the highest of a coarse grid of
/// samples over the view, which the processor computes in milliseconds.
#[must_use]
pub fn colour_range(frame: &FrameSpec) -> (f64, f64) {
    let scale = f64::from(RANGE_SAMPLES) / f64::from(frame.width.max(frame.height));
    let side = |samples: u32| ((f64::from(samples) * scale) as u32).clamp(1, samples);
    let coarse = FrameSpec {
        width: side(frame.width),
        height: side(frame.height),
        iterations: frame.iterations.min(RANGE_ITERATIONS),
        measures: MeasureSet::default().with(Measure::Smooth),
        ..frame.clone()
    };
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: coarse.height,
    };
    // Samples of the frame's own columns and rows: a view by its centre is as wide as its sides are, so a
    // smaller frame of other proportions would show another part of the plane.
    let picked = |axis: &Axis, samples: u32| -> Vec<f64> {
        let index = |sample| u64::from(sample) * u64::from(axis.len()) / u64::from(samples);
        (0..samples)
            .map(|sample| axis.at(index(sample) as u32))
            .collect()
    };
    let (columns, rows) = frame.axes();
    let smooth = PreparedFrame::new(coarse).ok().and_then(|mut coarse| {
        coarse.columns = picked(&columns, coarse.spec.width);
        coarse.rows = picked(&rows, coarse.spec.height);
        CpuDevice::new(Some(1))
            .compute(&coarse, strip, &Progress::default())
            .ok()
    });
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
