//! From counts and final states to the planes of a strip.
//!
//! Plain loops over slices, without branches, that the compiler turns into vectors of the instruction set
//! that they are compiled for; no operation of theirs is fused, so the values are the same for each.

use fractal::smooth;

use super::band::Band;

/// Writes the planes of a computed band, and its total.
#[inline(always)]
pub(super) fn write(band: &mut Band<'_>) {
    let (plan, len) = (band.plan, band.len);
    let limit = plan.limit;
    if plan.counts {
        let counts = &band.scratch.counts[..len];
        let norm2 = &band.scratch.norm2[..len];
        let outside: u64 = counts.iter().map(|&n| u64::from(n)).sum();
        let inside: u64 = counts.iter().map(|&n| u64::from(n == 0)).sum();
        band.iterations_total = u128::from(outside) + u128::from(inside) * u128::from(limit);
        if let Some(plane) = &mut band.planes.iterations {
            plane.copy_from_slice(counts);
        }
        if let Some(plane) = &mut band.planes.smooth {
            let smoothing = plan.smoothing;
            for ((value, &n), &norm2) in plane.iter_mut().zip(counts).zip(norm2) {
                *value = smoothing.count(n, norm2);
            }
        }
        if let Some(plane) = &mut band.planes.fraction {
            for ((value, &n), &norm2) in plane.iter_mut().zip(counts).zip(norm2) {
                let fraction = plan.smoothing.fraction(norm2);
                *value = if n == 0 { 0.0 } else { fraction };
            }
        }
        let ends = || counts.iter().zip(&band.scratch.ends);
        if let Some(plane) = &mut band.planes.phase {
            for (value, (&n, end)) in plane.iter_mut().zip(ends()) {
                let [x, y] = end.z;
                *value = if n == 0 { 0.0 } else { smooth::turns(x, y) };
            }
        }
        if let Some(plane) = &mut band.planes.direction {
            for (value, (&n, end)) in plane.iter_mut().zip(ends()) {
                *value = match n {
                    0 => 0.0,
                    _ => match &plan.shape {
                        None => smooth::direction(end.z, end.slope),
                        Some(shape) => smooth::direction_seen(end.z, end.slope, &shape.matrix),
                    },
                };
            }
        }
        let stretched = plan.shape.filter(|shape| !shape.is_square);
        if let (Some(plane), Some(shape)) = (&mut band.planes.distance, stretched) {
            let values = plane.iter_mut().zip(norm2).zip(ends());
            for ((value, &norm2), (&n, end)) in values {
                let slope = smooth::steepness_seen(end.z, end.slope, &shape.matrix);
                *value = smooth::distance(n, norm2, slope, plan.spacing);
            }
        } else if let Some(plane) = &mut band.planes.distance {
            let derivative2 = &band.scratch.derivative2[..len];
            let values = plane.iter_mut().zip(counts).zip(norm2).zip(derivative2);
            for (((value, &n), &norm2), &derivative2) in values {
                // A derivative past f64's range belongs to a distance of nothing.
                let slope = if derivative2 < f64::INFINITY {
                    derivative2.sqrt()
                } else {
                    f64::INFINITY
                };
                *value = smooth::distance(n, norm2, slope, plan.spacing);
            }
        }
    } else {
        band.iterations_total = u128::from(limit) * len as u128;
    }
    if let Some(plane) = &mut band.planes.stability {
        for (value, &norm2) in plane.iter_mut().zip(&band.scratch.stability[..len]) {
            *value = if norm2 <= 4.0 { norm2.sqrt() } else { f64::NAN };
        }
    }
}
