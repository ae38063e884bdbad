//! What a reference orbit's doubles have lost.

use super::compute::{Walker, threads};
use super::orbit::ReferenceOrbit;
use super::stepping::stepper::{Part, fraction_bits};
use crate::numbers::floatexp::FloatExp;

/// Words of a part that are looked at: far more bits than two doubles hold.
const WORDS: usize = 3;
/// Smaller values have no low parts: they would be below the range of doubles.
const LEAST: f64 = f64::from_bits((1023 - 800) << 52);

/// What each value of `orbit` is beyond its doubles, to some 2^-100 of it: 0 where that is not known, as of the last values of
/// an orbit that escapes and of those that are too small. `reach` is the largest distance from C that is looked at, as when the
/// orbit was computed, and takes about as long as that. `None` if cancelled by `watch`, which is told how far it is every now
/// and then.
pub fn low_parts(
    orbit: &ReferenceOrbit,
    reach: FloatExp,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Option<Vec<[f64; 2]>> {
    let mut lows = vec![[0.0; 2]; orbit.values.len()];
    let every = super::watched(orbit.point.bits);
    let mut walker = Walker::new(&orbit.point, reach, threads());
    for m in 1..=orbit.replayed.min(orbit.steps()) {
        if m % every == 0 && !watch(m) {
            return None;
        }
        let z = walker.step().z;
        let near = orbit.values[m as usize];
        let larger = near[0].abs().max(near[1].abs());
        // Another taper would be another orbit, as good as this one but not the same.
        if z != near && larger > LEAST {
            break;
        }
        let parts = walker.stepper.parts();
        lows[m as usize] = [low(parts[0], near[0]), low(parts[1], near[1])];
    }
    Some(lows)
}

/// The part minus `near`, its nearest double.
fn low((negative, words): Part<'_>, near: f64) -> f64 {
    if near.abs() < LEAST {
        return 0.0;
    }
    let Some(top) = words.iter().rposition(|word| *word != 0) else {
        return 0.0;
    };
    let fraction = fraction_bits(words.len()) as i64;
    let (mut sum, mut rest) = (-near.abs(), 0.0);
    for at in (0..=top).rev().take(WORDS) {
        let unit = 64 * at as i64 - fraction;
        for (half, shift) in [(words[at] >> 32, 32), (words[at] & 0xffff_ffff, 0)] {
            let piece = FloatExp::new(half as f64, unit + shift).to_f64();
            // Knuth's sum, whose rounding is kept.
            let next = sum + piece;
            let back = next - sum;
            rest += (sum - (next - back)) + (piece - back);
            sum = next;
        }
    }
    let low = sum + rest;
    if negative { -low } else { low }
}
