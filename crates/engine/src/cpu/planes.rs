//! The planes of a strip: blank ones, cut into bands or put together from tasks.

use fractal::{Measure, Plane};

use super::deep::task::Output;
use super::plain::band::Planes;

/// A plane of `len` values that are not yet computed.
pub(super) fn blank(measure: Measure, len: usize) -> Plane {
    match measure {
        Measure::Iterations => Plane::Iterations(vec![0; len]),
        Measure::Smooth => Plane::Smooth(vec![0.0; len]),
        Measure::Distance => Plane::Distance(vec![0.0; len]),
        Measure::Stability => Plane::Stability(vec![0.0; len]),
        Measure::LongIterations => Plane::LongIterations(vec![0; len]),
        Measure::Fraction => Plane::Fraction(vec![0.0; len]),
        Measure::Phase => Plane::Phase(vec![0.0; len]),
        Measure::Direction => Plane::Direction(vec![0.0; len]),
    }
}

/// Copies the values `from` of a task to the pixels `to` of a plane.
pub(super) fn copy_row(
    plane: &mut Plane,
    to: std::ops::Range<usize>,
    output: &Output,
    from: std::ops::Range<usize>,
) {
    match plane {
        Plane::Iterations(v) => v[to].copy_from_slice(&output.iterations[from]),
        Plane::Smooth(v) => v[to].copy_from_slice(&output.smooth[from]),
        Plane::Distance(v) => v[to].copy_from_slice(&output.distance[from]),
        Plane::Stability(v) => v[to].copy_from_slice(&output.stability[from]),
        Plane::LongIterations(v) => v[to].copy_from_slice(&output.long_iterations[from]),
        Plane::Fraction(v) => v[to].copy_from_slice(&output.fraction[from]),
        Plane::Phase(v) => v[to].copy_from_slice(&output.phase[from]),
        Plane::Direction(v) => v[to].copy_from_slice(&output.direction[from]),
    }
}

/// Cuts `total` pixels and their planes into bands of `pixels`: (first pixel, number, planes) of each.
pub(super) fn cut(
    planes: &mut [Plane],
    total: usize,
    pixels: usize,
) -> Vec<(usize, usize, Planes<'_>)> {
    let mut bands: Vec<_> = (0..total)
        .step_by(pixels)
        .map(|first| (first, pixels.min(total - first), Planes::default()))
        .collect();
    for plane in planes {
        let bands = bands.iter_mut().map(|band| &mut band.2);
        match plane {
            Plane::Iterations(v) => bands
                .zip(v.chunks_mut(pixels))
                .for_each(|(b, v)| b.iterations = Some(v)),
            Plane::Smooth(v) => bands
                .zip(v.chunks_mut(pixels))
                .for_each(|(b, v)| b.smooth = Some(v)),
            Plane::Distance(v) => bands
                .zip(v.chunks_mut(pixels))
                .for_each(|(b, v)| b.distance = Some(v)),
            Plane::Stability(v) => bands
                .zip(v.chunks_mut(pixels))
                .for_each(|(b, v)| b.stability = Some(v)),
            Plane::Fraction(v) => bands
                .zip(v.chunks_mut(pixels))
                .for_each(|(b, v)| b.fraction = Some(v)),
            Plane::Phase(v) => bands
                .zip(v.chunks_mut(pixels))
                .for_each(|(b, v)| b.phase = Some(v)),
            Plane::Direction(v) => bands
                .zip(v.chunks_mut(pixels))
                .for_each(|(b, v)| b.direction = Some(v)),
            // Of deltas alone.
            Plane::LongIterations(_) => {}
        }
    }
    bands
}
