//! Whether two results of one strip agree.

use fractal::{Plane, StripBuffer, Values};

/// Share of its pixels in which two buffers of a strip may differ that were made by different kernels, as a divisor.
const TOLERANCE: usize = 50;
/// Relative difference of two values from which on they differ.
const CLOSE: f64 = 1e-3;

/// Whether two buffers of one strip can both be right.
pub fn agree(a: &StripBuffer, b: &StripBuffer) -> bool {
    let class = |buffer: &StripBuffer| {
        let origin = &buffer.origin;
        (origin.backend, origin.arithmetic, origin.kernel_id)
    };
    if a.strip != b.strip || a.measures() != b.measures() {
        return false;
    }
    if class(a) == class(b) {
        let mut planes = a.planes.iter().zip(&b.planes);
        return a.iterations_total == b.iterations_total
            && a.settling == b.settling
            && planes.all(|(a, b)| a.bytes() == b.bytes());
    }
    a.planes.iter().zip(&b.planes).all(|(a, b)| {
        let (a, b) = (values(a), values(b));
        let differing = a.iter().zip(&b).filter(|(a, b)| differ(**a, **b)).count();
        a.len() == b.len() && differing <= a.len() / TOLERANCE
    })
}

fn values(plane: &Plane) -> Vec<f64> {
    match plane.any() {
        Values::U32(values) => values.iter().map(|value| f64::from(*value)).collect(),
        Values::U64(values) => values.iter().map(|value| *value as f64).collect(),
        Values::F32(values) => values.iter().map(|value| f64::from(*value)).collect(),
        Values::F64(values) => values.clone(),
    }
}

fn differ(a: f64, b: f64) -> bool {
    // Inside, or not a number, is all or nothing.
    a.is_nan() != b.is_nan() || (a == 0.0) != (b == 0.0) || (a - b).abs() > CLOSE * a.abs().max(1.0)
}
