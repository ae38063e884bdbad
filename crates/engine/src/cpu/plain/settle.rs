//! Counts that are certain: by doubles with a bound of what rounding amounts to, and where that does not tell, again by
//! integers.

use fractal::settled::{Settlement, settle};

use super::band::{Band, End};
use super::escape;
use super::points::CHUNK;
use crate::cpu::simd::Simd;

/// The same as `escape::run`, each count for certain. `false` if cancelled.
#[inline(always)]
pub(super) fn run<S: Simd, const V: usize>(s: S, band: &mut Band<'_>) -> bool {
    let plan = band.plan;
    let counted = match (plan.derivative, plan.cycles) {
        // Bounds are those of orbits that stay outside.
        _ if !plan.outside_for_good => {
            clear(band);
            true
        }
        (false, false) => escape::run::<S, V, false, false, true>(s, band),
        (false, true) => escape::run::<S, V, false, true, true>(s, band),
        (true, false) => escape::run::<S, V, true, false, true>(s, band),
        (true, true) => escape::run::<S, V, true, true, true>(s, band),
    };
    counted && run_again(band)
}

/// Leaves all pixels to integers.
#[inline(never)]
fn clear(band: &mut Band<'_>) {
    let padded = band.len.next_multiple_of(CHUNK);
    let scratch = &mut *band.scratch;
    scratch.counts.clear();
    scratch.counts.resize(padded, 0);
    scratch.norm2.resize(padded, 0.0);
    scratch.derivative2.resize(padded, 0.0);
    scratch.ends.resize(padded, End::default());
    scratch.unsettled.clear();
    scratch.unsettled.extend(0..band.len as u32);
}

/// Computes the pixels again whose counts are not certain. `false` if cancelled.
#[inline(never)]
fn run_again(band: &mut Band<'_>) -> bool {
    let width = band.frame.columns.len();
    let goes_on = || {
        band.progress.step();
        !band.progress.is_cancelled()
    };
    let scratch = &mut *band.scratch;
    for index in scratch.unsettled.drain(..) {
        let (pixel, index) = (band.first + index as usize, index as usize);
        let (col, row) = ((pixel % width) as u32, (pixel / width) as u32);
        band.settling.again += 1;
        let end = match settle(&band.frame.spec, col, row, &goes_on) {
            Settlement::Settled(end) => end,
            Settlement::Cancelled => return false,
            Settlement::Unsettled => {
                band.settling.unsettled += 1;
                continue;
            }
        };
        let ([x, y], slope) = (end.z, [end.slope.re.to_f64(), end.slope.im.to_f64()]);
        let [dx, dy] = slope;
        scratch.counts[index] = end.count as u32;
        scratch.norm2[index] = x.mul_add(x, y * y);
        if let Some(derivative2) = scratch.derivative2.get_mut(index) {
            *derivative2 = dx.mul_add(dx, dy * dy);
        }
        if let Some(kept) = scratch.ends.get_mut(index) {
            *kept = End { z: end.z, slope };
        }
    }
    true
}
