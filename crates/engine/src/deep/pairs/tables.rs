//! All that pixels go by whose counts doubles do not tell.

use std::sync::Arc;

use fractal::{FloatExp, ReferenceOrbit};

use super::jets::{Making, PairedJets};
use super::linear::each_level;
use super::number::{Complex, Pair};
use crate::deep::bla::{self, BlaTable};
use crate::deep::jets::LOWEST_LEVEL;
use crate::deep::losses::{Loss, LossTable, Stored};

/// log2 of what a skipped step may lose at most, as a share of z: few counts are nearer to another one than that.
const EPSILON_LOG2: i32 = -84;
/// Most steps of a reference orbit for which there are tables: some 50 bytes for each, and as many again while they are made.
const MOST_STEPS: u64 = 1 << 22;

/// A block of steps: z' = A z + B c while |z| < radius.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LinearBlock {
    pub(crate) a: Complex,
    pub(crate) b: Complex,
    pub(crate) radius: FloatExp,
    /// Of A and B that are not rounded to doubles.
    pub(crate) loss: Loss,
}

/// A reference orbit in pairs of doubles, and its blocks of steps, for one view.
#[derive(Clone, Debug)]
pub(crate) struct PairedTables {
    /// What each value of the orbit is beyond its doubles.
    pub(crate) lows: Arc<[[f64; 2]]>,
    /// The values, by index and ascending, of which that is not known.
    unpaired: Vec<u64>,
    /// Levels from [`LOWEST_LEVEL`] on.
    blocks: Vec<Vec<LinearBlock>>,
    pub(crate) jets: PairedJets,
    /// |c| is no more than 2^`unit_log2`, the unit of c in [`PairedTables::jets`].
    pub(crate) unit_log2: i64,
}

impl PairedTables {
    /// Of an orbit, its low parts, the largest |c| and an escape radius; `None` where it has no low parts, or too many values.
    pub(crate) fn new(
        orbit: &ReferenceOrbit,
        lows: Arc<[[f64; 2]]>,
        c_max: FloatExp,
        escape_radius: f64,
    ) -> Option<Self> {
        if orbit.steps() > MOST_STEPS || lows.iter().all(|low| *low == [0.0; 2]) {
            return None;
        }
        let epsilon = FloatExp::new(1.0, EPSILON_LOG2.into()).to_f64();
        let unit_log2 = c_max.exponent() + 1;
        let table = BlaTable::new(orbit, c_max, escape_radius, epsilon);
        let losses = LossTable::new(orbit, &lows, &table, c_max, Stored::Pairs);
        let mut blocks = Vec::new();
        let mut jets = Making::new(orbit, &lows, unit_log2, escape_radius, epsilon);
        each_level(&table.counts(), orbit, &lows, &mut |level, linear| {
            if level < LOWEST_LEVEL {
                return;
            }
            let entries = &table.levels[(level - bla::LOWEST_LEVEL) as usize];
            let one = |(i, (a, b)): (usize, &(Complex, Complex))| LinearBlock {
                a: *a,
                b: *b,
                radius: entries[i].wide().radius,
                loss: losses.loss(1 << level, 1 + ((i as u64) << level)),
            };
            blocks.push(linear.iter().enumerate().map(one).collect());
            jets.add(linear);
        });
        let unknown = |m: &u64| lows[*m as usize] == [0.0; 2];
        let unpaired = (1..=orbit.steps()).filter(unknown).collect();
        Some(Self {
            unpaired,
            blocks,
            jets: jets.finish(),
            unit_log2,
            lows,
        })
    }

    /// The first value from `m` on whose low parts are not known.
    #[inline]
    pub(crate) fn next_unpaired(&self, m: u64) -> u64 {
        let at = self.unpaired.partition_point(|unpaired| *unpaired < m);
        self.unpaired.get(at).copied().unwrap_or(u64::MAX)
    }

    /// Z_m in pairs.
    pub(crate) fn value(&self, orbit: &ReferenceOrbit, m: u64) -> Complex {
        let twice = Complex::twice(orbit, &self.lows, m);
        Complex {
            exponent: twice.exponent - 1,
            ..twice
        }
    }

    /// The block of 2^`level` steps from `m` on.
    pub(crate) fn block(&self, level: u32, m: u64) -> Option<&LinearBlock> {
        let begins = m >= 1 && (m - 1) & ((1 << level) - 1) == 0;
        let blocks = self.blocks.get(level.checked_sub(LOWEST_LEVEL)? as usize)?;
        begins.then(|| blocks.get(((m - 1) >> level) as usize))?
    }

    /// Z_m where doubles hold it, in pairs.
    #[inline(always)]
    pub(crate) fn near(&self, orbit: &ReferenceOrbit, m: u64) -> [Pair; 2] {
        let ([x, y], [low_x, low_y]) = (orbit.values[m as usize], self.lows[m as usize]);
        [Pair(x, low_x), Pair(y, low_y)]
    }
}
