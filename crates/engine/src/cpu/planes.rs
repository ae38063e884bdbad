//! The planes of a strip: cut into bands, or put together from tasks.

use std::ops::Range;

use fractal::{Measure, Plane, Value, ValueType};

use super::plain::band::Planes;

/// Copies the values `from` of a task's plane to the pixels `to` of one of the same measure.
pub(super) fn copy_row(plane: &mut Plane, to: Range<usize>, task: &Plane, from: Range<usize>) {
    fn copy<T: Value>(plane: &mut Plane, to: Range<usize>, task: &Plane, from: Range<usize>) {
        if let (Some(plane), Some(task)) = (plane.values_mut::<T>(), task.values::<T>()) {
            plane[to].copy_from_slice(&task[from]);
        }
    }
    match plane.measure().value_type() {
        ValueType::U32 => copy::<u32>(plane, to, task, from),
        ValueType::U64 => copy::<u64>(plane, to, task, from),
        ValueType::F32 => copy::<f32>(plane, to, task, from),
        ValueType::F64 => copy::<f64>(plane, to, task, from),
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
    fn deal<'a, T: Value>(
        plane: &'a mut Plane,
        pixels: usize,
        bands: &mut [(usize, usize, Planes<'a>)],
        part: impl for<'b> Fn(&'b mut Planes<'a>) -> &'b mut Option<&'a mut [T]>,
    ) {
        let values = plane.values_mut().unwrap_or_default();
        for ((_, _, band), values) in bands.iter_mut().zip(values.chunks_mut(pixels)) {
            *part(band) = Some(values);
        }
    }
    for plane in planes {
        let bands = &mut bands;
        match plane.measure() {
            Measure::Iterations => deal(plane, pixels, bands, |band| &mut band.iterations),
            Measure::Smooth => deal(plane, pixels, bands, |band| &mut band.smooth),
            Measure::Distance => deal(plane, pixels, bands, |band| &mut band.distance),
            Measure::Stability => deal(plane, pixels, bands, |band| &mut band.stability),
            Measure::Fraction => deal(plane, pixels, bands, |band| &mut band.fraction),
            Measure::Phase => deal(plane, pixels, bands, |band| &mut band.phase),
            Measure::Direction => deal(plane, pixels, bands, |band| &mut band.direction),
            // Of deltas alone.
            Measure::LongIterations => {}
        }
    }
    bands
}
