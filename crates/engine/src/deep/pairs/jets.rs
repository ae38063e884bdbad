//! Polynomial blocks whose larger numbers are pairs of doubles.
//!
//! As [`crate::deep::jets`] has them, but not over a: z' = a_1 u + a_2 u² + ... + a_K u^K + d u w + e w² + b w, u = z / radius and w = c / unit,
//! radius and unit powers of two, so that neither division rounds. The powers from u^5 on, d and e stay doubles: where a block
//! may be taken they are that small.

use fractal::{FloatExp, ReferenceOrbit};

use super::linear::Linear;
use super::number::{Complex, Pair, times_plus as paired_times_plus};
use crate::deep::complex::times_plus;
use crate::deep::jets::{
    Block, DEGREE, LOWEST_LEVEL, Rules, dropped_at, each_level, longest, next_block,
};
use crate::deep::parallel::parallel_map;

/// The powers whose coefficients are pairs.
const PAIRED: usize = 4;
const HIGH: usize = DEGREE - PAIRED;

/// A block of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PairedJet {
    /// One over the radius; infinite where no z may take this block.
    pub(crate) inverse: f64,
    /// d
    cross: [f64; 2],
    /// e
    square: [f64; 2],
    /// a_5 and on.
    high: [[f64; 2]; HIGH],
    /// a_1 to a_4.
    low: [[Pair; 2]; PAIRED],
    /// b
    b: [Pair; 2],
    /// What it drops, as shares of |a_1|: see [`dropped_at`].
    dropped: [f64; 4],
}

impl Default for PairedJet {
    fn default() -> Self {
        Self {
            inverse: f64::INFINITY,
            cross: [0.0; 2],
            square: [0.0; 2],
            high: [[0.0; 2]; HIGH],
            low: [[Pair::default(); 2]; PAIRED],
            b: [Pair::default(); 2],
            dropped: [0.0; 4],
        }
    }
}

/// Sums of moduli of a block's terms, for |u| = `size` and |w| = 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// |a_1|, |b|
    pub(crate) linear: f64,
    pub(crate) by_c: f64,
    /// A bound of |dz'/du|.
    pub(crate) growth: f64,
    /// All terms of u alone, and of these and the others those whose coefficients are doubles.
    pub(crate) by_u: f64,
    pub(crate) doubles: f64,
    /// What it leaves out.
    pub(crate) dropped: f64,
}

#[inline(always)]
fn rounded(p: [Pair; 2]) -> [f64; 2] {
    [p[0].0, p[1].0]
}

#[inline(always)]
fn modulus(p: [f64; 2]) -> f64 {
    p[0].mul_add(p[0], p[1] * p[1]).sqrt()
}

/// The pair plus a number that is far smaller.
#[inline(always)]
fn plus(p: [Pair; 2], small: [f64; 2]) -> [Pair; 2] {
    [p[0].plus_small(small[0]), p[1].plus_small(small[1])]
}

impl PairedJet {
    /// z' for a `u` and `w`.
    #[inline(always)]
    pub(crate) fn apply(&self, u: [Pair; 2], w: [Pair; 2]) -> [Pair; 2] {
        let (near_u, near_w) = (rounded(u), rounded(w));
        let mut tail = self.high[HIGH - 1];
        for k in (0..HIGH - 1).rev() {
            tail = times_plus(tail, near_u, self.high[k]);
        }
        tail = times_plus(tail, near_u, [0.0; 2]);
        let mut z = plus(self.low[PAIRED - 1], tail);
        for k in (0..PAIRED - 1).rev() {
            let mut low = self.low[k];
            if k == 0 {
                low = plus(low, times_plus(self.cross, near_w, [0.0; 2]));
            }
            z = paired_times_plus(z, u, low);
        }
        let square = times_plus(self.square, near_w, [0.0; 2]);
        let from_c = paired_times_plus(plus(self.b, square), w, [Pair::default(); 2]);
        paired_times_plus(z, u, from_c)
    }

    /// dz' in doubles, from `slope` = dz and `unit` = dw, which is real.
    #[inline(always)]
    pub(crate) fn derive(&self, u: [f64; 2], w: [f64; 2], slope: [f64; 2], unit: f64) -> [f64; 2] {
        let mut by_u = [0.0; 2];
        for k in (0..DEGREE).rev() {
            let a = if k < PAIRED {
                rounded(self.low[k])
            } else {
                self.high[k - PAIRED]
            };
            let factor = (k + 1) as f64;
            by_u = times_plus(by_u, u, [a[0] * factor, a[1] * factor]);
        }
        by_u = times_plus(self.cross, w, by_u);
        let twice = [w[0] + w[0], w[1] + w[1]];
        let by_w = times_plus(
            self.cross,
            u,
            times_plus(self.square, twice, rounded(self.b)),
        );
        let slope = [slope[0] * self.inverse, slope[1] * self.inverse];
        times_plus(by_u, slope, [by_w[0] * unit, by_w[1] * unit])
    }

    /// Its terms' sizes where |u| is `size`; its derivative's up to where |u| is `farther`.
    #[inline(always)]
    pub(crate) fn sizes(&self, size: f64, farther: f64) -> Sizes {
        let (mut growth, mut by_u, mut doubles) = (0.0, 0.0, 0.0);
        let mut linear = 0.0;
        for k in (0..DEGREE).rev() {
            let a = if k < PAIRED {
                modulus(rounded(self.low[k]))
            } else {
                modulus(self.high[k - PAIRED])
            };
            growth = growth * farther + (k + 1) as f64 * a;
            by_u = (by_u + a) * size;
            doubles *= size;
            if k >= PAIRED {
                doubles += a * size;
            }
            linear = a;
        }
        let cross = modulus(self.cross);
        Sizes {
            linear,
            by_c: modulus(rounded(self.b)),
            growth: growth + cross,
            by_u,
            doubles: doubles + cross * size + modulus(self.square),
            dropped: linear * dropped_at(self.dropped, size),
        }
    }
}

/// a_2 to a_4 of z itself.
type Powers = [Complex; PAIRED - 1];

/// `x` and then `y`, whose a_1 are `ax` and `ay`.
fn joined((ax, x): (Complex, Powers), (ay, y): (Complex, Powers)) -> Powers {
    let ([x2, x3, x4], [y2, y3, y4]) = (x, y);
    let twice = |p: Complex| p.plus(p);
    let square = ax.times(ax);
    let cube = square.times(ax);
    [
        ay.times(x2).plus(y2.times(square)),
        (ay.times(x3))
            .plus(twice(y2.times(ax).times(x2)))
            .plus(y3.times(cube)),
        (ay.times(x4))
            .plus(y2.times(twice(ax.times(x3)).plus(x2.times(x2))))
            .plus(twice(y3.times(square).times(x2)).plus(y3.times(square).times(x2)))
            .plus(y4.times(square).times(square)),
    ]
}

/// The same of the steps from m on.
fn first(orbit: &ReferenceOrbit, lows: &[[f64; 2]], m: u64) -> Powers {
    let zero = Complex::ZERO;
    let mut linear = Complex::twice(orbit, lows, m);
    let [mut two, mut three, mut four] = [Complex::ONE, zero, zero];
    for m in m + 1..m + (1 << LOWEST_LEVEL) {
        let by = Complex::twice(orbit, lows, m);
        let twice = |p: Complex| p.plus(p);
        four = (by.times(four)).plus(twice(linear.times(three)).plus(two.times(two)));
        three = by.times(three).plus(twice(linear.times(two)));
        two = by.times(two).plus(linear.times(linear));
        linear = by.times(linear);
    }
    [two, three, four]
}

/// All polynomial blocks of a reference orbit for one view.
#[derive(Clone, Debug)]
pub(crate) struct PairedJets {
    /// As [`crate::deep::JetTable::levels`].
    levels: Vec<Vec<PairedJet>>,
    reaches: Vec<f32>,
    /// The largest radius of all.
    pub(crate) farthest: f64,
    /// The square of the smallest |u| that blocks serve for.
    least2: f64,
}

/// Polynomial blocks while they are made, level by level.
pub(super) struct Making<'a> {
    orbit: &'a ReferenceOrbit,
    lows: &'a [[f64; 2]],
    unit_log2: i64,
    /// The same blocks in doubles, of which radii are.
    blocks: Vec<Vec<Block>>,
    /// a_1 to a_4 of the last level.
    below: Vec<(Complex, Powers)>,
    made: PairedJets,
}

impl<'a> Making<'a> {
    /// As [`crate::deep::JetTable::new`], for |c| up to 2^`unit_log2`, with the low parts of the orbit.
    pub(super) fn new(
        orbit: &'a ReferenceOrbit,
        lows: &'a [[f64; 2]],
        unit_log2: i64,
        escape_radius: f64,
        epsilon: f64,
    ) -> Self {
        let rules = Rules::new(FloatExp::new(1.0, unit_log2), escape_radius, epsilon);
        let mut blocks = Vec::new();
        let reaches = each_level(orbit, &rules, &mut |level| blocks.push(level.to_vec()));
        let farthest = reaches.iter().fold(0.0, |far: f32, reach| far.max(*reach));
        Self {
            orbit,
            lows,
            unit_log2,
            blocks,
            below: Vec::new(),
            made: PairedJets {
                levels: Vec::new(),
                reaches,
                farthest: farthest.into(),
                least2: rules.least * rules.least,
            },
        }
    }

    /// The next level, from [`LOWEST_LEVEL`] on, whose A and B these are.
    pub(super) fn add(&mut self, linear: &[Linear]) {
        let Some(blocks) = self.blocks.get(self.made.levels.len()) else {
            return;
        };
        let (orbit, lows, below) = (self.orbit, self.lows, &self.below);
        let powers = if self.made.levels.is_empty() {
            parallel_map(linear.len(), &|i| {
                first(orbit, lows, 1 + ((i as u64) << LOWEST_LEVEL))
            })
        } else {
            parallel_map(linear.len(), &|i| joined(below[2 * i], below[2 * i + 1]))
        };
        let unit_log2 = self.unit_log2;
        self.made.levels.push(parallel_map(linear.len(), &|i| {
            pack(&blocks[i], linear[i], powers[i], unit_log2)
        }));
        self.below = linear.iter().map(|(a, _)| *a).zip(powers).collect();
    }

    /// What has been made.
    pub(super) fn finish(self) -> PairedJets {
        self.made
    }
}

impl PairedJets {
    /// The longest block from `m` that takes `z`, which doubles hold, and has at most `most` steps; its level.
    #[inline(always)]
    pub(crate) fn longest(&self, m: u64, z: [f64; 2], most: u64) -> Option<(&PairedJet, u32)> {
        let jets = longest(&self.levels, self.least2, m, z, most, |jet| jet.inverse);
        jets.map(|(jet, _, level)| (jet, level))
    }

    /// See [`crate::deep::JetTable::next_block`].
    #[inline(always)]
    pub(crate) fn next_block(&self, m: u64, bound: f64) -> u64 {
        next_block(&self.reaches, m, bound)
    }
}

/// A block as it is stored, beside A, B and the powers of z in pairs.
fn pack(block: &Block, (a, b): Linear, powers: Powers, unit_log2: i64) -> PairedJet {
    if block.radius <= 0.0 || block.radius.is_nan() {
        return PairedJet::default();
    }
    let log2 = FloatExp::from_f64(block.radius).exponent();
    let radius = FloatExp::new(1.0, log2).to_f64();
    let inner = block.shrunk(radius / block.radius);
    let mut jet = PairedJet {
        inverse: 1.0 / radius,
        cross: inner.cross,
        square: inner.square,
        b: b.in_units_of(-unit_log2),
        dropped: inner.dropped(),
        ..PairedJet::default()
    };
    jet.low[0] = a.in_units_of(-log2);
    for (k, power) in powers.into_iter().enumerate() {
        jet.low[1 + k] = power.in_units_of(-(k as i64 + 2) * log2);
    }
    jet.high.copy_from_slice(&inner.a[PAIRED..]);
    let known = jet.low.iter().flatten().all(|pair| pair.0.is_finite());
    if known { jet } else { PairedJet::default() }
}
