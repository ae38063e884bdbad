//! All polynomial blocks of a reference orbit.

use fractal::{FloatExp, ReferenceOrbit};

use super::block::{Block, LOWEST_LEVEL, Rules, block};
use super::jet::Jet;
use crate::deep::parallel::parallel_map;

/// Blocks of the lowest level that are looked at in advance.
const SEEN_AHEAD: usize = 64;

/// Shows all blocks of an orbit to `visit`, level by level from [`LOWEST_LEVEL`] on; the radius of each one of the lowest level.
pub(in crate::deep) fn each_level(
    orbit: &ReferenceOrbit,
    rules: &Rules,
    visit: &mut dyn FnMut(&[Block]),
) -> Vec<f32> {
    // The last step of all leads from Z_(M-1) to Z_M.
    let steps = orbit.steps().saturating_sub(1);
    let count = (steps >> LOWEST_LEVEL) as usize;
    let one = |i: usize| block(orbit, 1 + ((i as u64) << LOWEST_LEVEL), rules);
    let mut level = parallel_map(count, &one);
    let reaches = level.iter().map(|block| block.radius as f32).collect();
    while !level.is_empty() {
        visit(&level);
        let pairs = level.as_chunks::<2>().0;
        level = parallel_map(pairs.len(), &|i| {
            let [first, second] = pairs[i];
            first.then(&second).finished(rules)
        });
    }
    reaches
}

/// The longest block from `m` that takes `z` and has at most `most` steps, u, and its level; `inverse` is one over a block's
/// radius, `least2` the square of the smallest |u| that blocks serve for.
#[inline(always)]
pub(in crate::deep) fn longest<T>(
    levels: &[Vec<T>],
    least2: f64,
    m: u64,
    z: [f64; 2],
    most: u64,
    inverse: impl Fn(&T) -> f64,
) -> Option<(&T, [f64; 2], u32)> {
    let place = m.wrapping_sub(1);
    let mut level = LOWEST_LEVEL;
    let mut best = None;
    while m > 0
        && place & ((1 << level) - 1) == 0
        && 1 << level <= most
        && let Some(jets) = levels.get((level - LOWEST_LEVEL) as usize)
        && let Some(jet) = jets.get((place >> level) as usize)
    {
        let inverse = inverse(jet);
        let u = [z[0] * inverse, z[1] * inverse];
        let square = u[0] * u[0] + u[1] * u[1];
        // Also where no z may take it, and u is not a number.
        if square >= 1.0 || square.is_nan() {
            break;
        }
        // Too small a z may do for a longer block.
        if square > least2 {
            best = Some((jet, u, level));
        }
        level += 1;
    }
    best
}

/// The next m from which a block may take a z of modulus `bound`, or the end of the look-ahead, of blocks of the lowest level
/// with these radii.
#[inline(always)]
pub(in crate::deep) fn next_block(reaches: &[f32], m: u64, bound: f64) -> u64 {
    let first = (m.saturating_sub(1) >> LOWEST_LEVEL) + 1;
    let ahead = reaches.iter().skip(first as usize);
    let wait = ahead
        .take(SEEN_AHEAD)
        .take_while(|reach| f64::from(**reach) <= bound)
        .count();
    1 + ((first + wait as u64) << LOWEST_LEVEL)
}

/// All blocks of a reference orbit for one view.
#[derive(Clone, Debug, PartialEq)]
pub struct JetTable {
    /// `levels[i]` holds the blocks of level [`LOWEST_LEVEL`] + i in ascending order of m; no level is empty.
    pub levels: Vec<Vec<Jet>>,
    /// The radius of each block of the lowest level.
    reaches: Vec<f32>,
    /// The largest of them.
    pub farthest: f64,
    /// The square of the smallest |u| that blocks serve for.
    pub(crate) least2: f64,
}

impl JetTable {
    /// The blocks of `orbit` for deltas c of up to `c_max` in modulus, and an escape radius.
    ///
    /// A skipped block is wrong by the share `epsilon` of z at most. 9 bytes for each value of the orbit.
    #[must_use]
    pub fn new(orbit: &ReferenceOrbit, c_max: FloatExp, escape_radius: f64, epsilon: f64) -> Self {
        Self::with_blocks(orbit, c_max, escape_radius, epsilon, &mut |_, _| {})
    }

    /// The same; shows each level's blocks to `visit`.
    pub(in crate::deep) fn with_blocks(
        orbit: &ReferenceOrbit,
        c_max: FloatExp,
        escape_radius: f64,
        epsilon: f64,
        visit: &mut dyn FnMut(u32, &[Block]),
    ) -> Self {
        let rules = Rules::new(c_max, escape_radius, epsilon);
        let mut levels: Vec<Vec<Jet>> = Vec::new();
        let reaches = each_level(orbit, &rules, &mut |level| {
            let at = LOWEST_LEVEL + levels.len() as u32;
            visit(at, level);
            levels.push(parallel_map(level.len(), &|i| level[i].pack()));
        });
        let farthest = reaches.iter().fold(0.0, |far: f32, reach| far.max(*reach));
        Self {
            levels,
            reaches,
            farthest: farthest.into(),
            least2: rules.least * rules.least,
        }
    }

    /// The longest block from `m` that takes `z` and has at most `most` steps, u, and its steps.
    #[inline(always)]
    #[must_use]
    pub fn longest(&self, m: u64, z: [f64; 2], most: u64) -> Option<(&Jet, [f64; 2], u64)> {
        let (jet, u, level) = longest(&self.levels, self.least2, m, z, most, |jet| jet.inverse)?;
        Some((jet, u, 1 << level))
    }

    /// The largest |z_1| that a block of at least `steps` steps from Z_1 on takes; 0 if there is none.
    #[must_use]
    pub fn first_reach(&self, steps: u64) -> f64 {
        let reach = |(level, jets): (u32, &Vec<Jet>)| {
            let first = jets.first().filter(|_| 1 << level >= steps)?;
            Some(1.0 / first.inverse)
        };
        let reaches = (LOWEST_LEVEL..).zip(&self.levels).filter_map(reach);
        reaches.fold(0.0, f64::max)
    }

    /// The next m from which a block may take a z of modulus `bound`, or the end of the look-ahead: where it is worth looking
    /// again.
    #[inline(always)]
    #[must_use]
    pub fn next_block(&self, m: u64, bound: f64) -> u64 {
        next_block(&self.reaches, m, bound)
    }
}
