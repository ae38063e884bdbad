//! Counts that are certain: by doubles with a bound of what rounding amounts to, and where that does not tell, again in pairs of
//! doubles, and at last by integers.

mod paired;

use fractal::settled::{Settlement, settle};

use super::band::{Band, End, Scratch};
use super::escape;
use super::points::CHUNK;
use crate::cpu::simd::Simd;
use paired::{PairedOrbits, Pixel};

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
    if !counted {
        return false;
    }
    let again = band.scratch.unsettled.len() as u64;
    if !run_in_pairs(s, band) {
        return false;
    }
    band.settling.again += again;
    run_again(band)
}

/// Computes the pixels again whose counts are not certain, in pairs of doubles; those that still are not are left. `false` if
/// cancelled.
#[inline(always)]
fn run_in_pairs<S: Simd>(s: S, band: &mut Band<'_>) -> bool {
    let plan = band.plan;
    // Bounds are those of orbits that stay outside.
    if band.scratch.unsettled.is_empty() || !plan.outside_for_good {
        return true;
    }
    let (width, first, progress) = (band.frame.columns.len(), band.first, band.progress);
    let goes_on = || {
        progress.step();
        !progress.is_cancelled()
    };
    let scratch = &mut *band.scratch;
    let mut waiting: Vec<Pixel> = scratch
        .unsettled
        .iter()
        .map(|index| {
            let pixel = first + *index as usize;
            Pixel {
                col: (pixel % width) as u32,
                row: (pixel / width) as u32,
                index: *index,
            }
        })
        .collect();
    let mut settled = Vec::new();
    let mut orbits = PairedOrbits::<S, 2>::new(s, plan, &band.frame.spec);
    if !orbits.run(&mut waiting, &goes_on, &mut |ended| settled.push(ended)) {
        return false;
    }
    for ended in &settled {
        write(scratch, ended.pixel.index as usize, ended.count, ended.end);
    }
    settled.sort_unstable_by_key(|ended| ended.pixel.index);
    let is_open =
        |index: &u32| (settled.binary_search_by_key(index, |ended| ended.pixel.index)).is_err();
    scratch.unsettled.retain(is_open);
    true
}

/// Takes over where a pixel ended.
fn write(scratch: &mut Scratch, index: usize, count: u64, end: End) {
    let ([x, y], [dx, dy]) = (end.z, end.slope);
    scratch.counts[index] = count as u32;
    scratch.norm2[index] = x.mul_add(x, y * y);
    if let Some(derivative2) = scratch.derivative2.get_mut(index) {
        *derivative2 = dx.mul_add(dx, dy * dy);
    }
    if let Some(kept) = scratch.ends.get_mut(index) {
        *kept = end;
    }
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
    for index in std::mem::take(&mut scratch.unsettled) {
        let (pixel, index) = (band.first + index as usize, index as usize);
        let (col, row) = ((pixel % width) as u32, (pixel / width) as u32);
        let end = match settle(&band.frame.spec, col, row, &goes_on) {
            Settlement::Settled(end) => end,
            Settlement::Cancelled => return false,
            Settlement::Unsettled => {
                band.settling.unsettled += 1;
                continue;
            }
        };
        let slope = [end.slope.re.to_f64(), end.slope.im.to_f64()];
        write(scratch, index, end.count, End { z: end.z, slope });
    }
    true
}
