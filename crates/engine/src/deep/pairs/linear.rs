//! A and B of blocks of steps, in pairs of doubles.

use fractal::{FloatExp, ReferenceOrbit};

use super::number::Complex;
use crate::deep::bla::{BlaTable, LOWEST_LEVEL};
use crate::deep::jets::{self, JetTable};
use crate::deep::parallel::parallel_map;

/// A and B of a block.
pub(crate) type Linear = (Complex, Complex);

fn joined((ax, bx): Linear, (ay, by): Linear) -> Linear {
    (ay.times(ax), ay.times(bx).plus(by))
}

/// Shows A and B of all blocks to `visit`, level by level from [`LOWEST_LEVEL`] on, of which there are as many as `counts` has;
/// `lows` are those of [`fractal::reference::low_parts`].
pub(crate) fn each_level(
    counts: &[usize],
    orbit: &ReferenceOrbit,
    lows: &[[f64; 2]],
    visit: &mut dyn FnMut(u32, &[Linear]),
) {
    let first = |i: usize| -> Linear {
        let from = 1 + ((i as u64) << LOWEST_LEVEL);
        let mut all = (Complex::twice(orbit, lows, from), Complex::ONE);
        for m in from + 1..from + (1 << LOWEST_LEVEL) {
            all = joined(all, (Complex::twice(orbit, lows, m), Complex::ONE));
        }
        all
    };
    let mut level: Vec<Linear> = Vec::new();
    for (at, count) in (LOWEST_LEVEL..).zip(counts) {
        level = match at {
            LOWEST_LEVEL => parallel_map(*count, &first),
            _ => parallel_map(*count, &|i| joined(level[2 * i], level[2 * i + 1])),
        };
        visit(at, &level);
    }
}

/// Puts A and B into the blocks of `table` and `jets`, of a frame whose largest |c| is `c_max`.
pub(crate) fn refine(
    table: &mut BlaTable,
    jets: &mut JetTable,
    orbit: &ReferenceOrbit,
    lows: &[[f64; 2]],
    c_max: FloatExp,
) {
    each_level(&table.counts(), orbit, lows, &mut |at, level| {
        let entries = &mut table.levels[(at - LOWEST_LEVEL) as usize];
        for (entry, (a, b)) in entries.iter_mut().zip(level) {
            entry.a = a.rounded(i64::from(entry.a_exponent));
            entry.b = b.rounded(i64::from(entry.b_exponent));
        }
        let of_jets = at.checked_sub(jets::LOWEST_LEVEL);
        let Some(polynomials) = of_jets.and_then(|at| jets.levels.get_mut(at as usize)) else {
            return;
        };
        for (jet, (a, b)) in polynomials.iter_mut().zip(level) {
            if jet.inverse < f64::INFINITY {
                let radius = FloatExp::ONE / FloatExp::from_f64(jet.inverse);
                jet.a = a.scaled(radius).rounded(0);
                jet.b = b.scaled(c_max).rounded(0);
            }
        }
    });
}
