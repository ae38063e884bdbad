//! What blocks of steps lose: bounds of how far from the steps themselves a block may lead.
//!
//! The steps of a block make a power series in z and c; the block keeps z' = A z + Q z² + B c of it. With moduli in place of all
//! numbers that series is a majorant, whose terms of z³, z c and c² (here κ, χ and σ) are carried along as blocks are joined.
//! Let x be a block and y the next one, X = (1 + δ) a_x |z| where δ = q_x r / a_x bounds what the square adds, r is the farthest
//! z that takes the block and C the largest |c|. What x leads to is X + b_x |c| at most, and
//!
//! - κ = a_y κ_x + 2 q_y a_x q_x + κ_y (1 + δ)³ a_x³
//! - χ = a_y χ_x + 2 q_y a_x b_x + χ_y (1 + δ) a_x + 3 κ_y (1 + δ)² a_x b_x (a_x r + b_x C)
//! - σ = a_y σ_x + q_y b_x² + χ_y b_x + κ_y b_x³ C + σ_y
//!
//! with products of small terms in a factor [`ABOVE`] that grows with every join. Beside it the rounding of A, B and Q is
//! bounded: each join adds some 2^-53 of what is summed, or 2^-100 where pairs of doubles make them.

use fractal::{ComplexExp, FloatExp, ReferenceOrbit};

use super::bla::{BlaTable, Entry, LOWEST_LEVEL};
use super::jets::{self, Block, JetTable, PolynomialLoss, Rounded};
use super::parallel::parallel_map;

/// Over 1 by more than products of small terms and the bounds' own rounding add in a join: 1/64.
const ABOVE: f64 = 1.0 + 1.0 / 64.0;
/// Unit roundoff, times more than the operations of one product of complex numbers and a sum.
const ROUNDING: f64 = 4.0 * f64::EPSILON;
/// The same of pairs of doubles (`deep::pairs`), in which A and B are computed where counts have to be certain.
const PAIR_ROUNDING: f64 = ROUNDING / (1u64 << 48) as f64;
/// A bound of this share and more is none.
const MOST: f64 = 1.0 / 1024.0;

/// What a block may lose, as shares: of |A z| and of |B| C, where C is the largest |c|.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loss {
    /// Of |A z|, all of it; infinite where no bound is known.
    pub of_z: f32,
    /// Of |B| C.
    pub of_c: f32,
    /// That part of the first which is rounding of A.
    pub rough_of_z: f32,
    /// That part of the second which is rounding of B.
    pub rough_of_c: f32,
    /// What rounding of A would be in doubles: that of the coefficients of higher powers.
    pub rough_of_powers: f32,
}

/// Bounds that are carried along.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    /// Moduli of A, B, and of all that the coefficient of z² is made of.
    a: FloatExp,
    b: FloatExp,
    q: FloatExp,
    /// Of z³, z c and c².
    cubic: FloatExp,
    cross: FloatExp,
    square: FloatExp,
    /// Rounding of A, B and Q in doubles.
    rough: [FloatExp; 3],
    /// Rounding of A and B in pairs of doubles.
    pairs: [FloatExp; 2],
}

fn number(value: f64) -> FloatExp {
    FloatExp::from_f64(value)
}

impl Bounds {
    /// Of one step from a Z of this modulus, of which low parts are known or not.
    fn step(z: FloatExp, paired: bool) -> Self {
        let a = z + z;
        let rough = if paired { PAIR_ROUNDING } else { ROUNDING };
        Self {
            a,
            b: FloatExp::ONE,
            q: FloatExp::ONE,
            rough: [a * number(ROUNDING), FloatExp::ZERO, FloatExp::ZERO],
            pairs: [a * number(rough), FloatExp::ZERO],
            ..Self::default()
        }
    }

    /// Of `self` and then `next`, for |z| up to `reach` and |c| up to `c_max`; `a` and `b` are the moduli of the whole
    /// block's A and B.
    fn then(
        &self,
        next: &Self,
        a: FloatExp,
        b: FloatExp,
        reach: FloatExp,
        c_max: FloatExp,
    ) -> Self {
        let (x, y) = (self, next);
        let bend = if x.a.is_zero() || reach.is_zero() {
            FloatExp::ZERO
        } else {
            x.q * reach / x.a
        };
        let two = number(2.0);
        let amp = FloatExp::ONE + bend;
        let (above, rounding) = (number(ABOVE), number(ROUNDING));
        let (amp2, a2, b2) = (amp * amp, x.a * x.a, x.b * x.b);
        let far = x.a * reach + x.b * c_max;
        let rough = |x_rough: [FloatExp; 2], y_rough: [FloatExp; 2], rounding: FloatExp| {
            let of_a = y.a * x_rough[0] + y_rough[0] * x.a + rounding * y.a * x.a;
            let of_b =
                y.a * x_rough[1] + y_rough[0] * x.b + y_rough[1] + rounding * (y.a * x.b + y.b);
            [of_a * above, of_b * above]
        };
        let [rough_a, rough_b] =
            rough([x.rough[0], x.rough[1]], [y.rough[0], y.rough[1]], rounding);
        let q = y.a * x.q + y.q * a2;
        let rough_q = y.a * x.rough[2]
            + y.rough[0] * x.q
            + y.rough[2] * a2
            + two * y.q * x.a * x.rough[0]
            + two * rounding * q;
        Self {
            a,
            b,
            q: q * above,
            cubic: (y.a * x.cubic + two * y.q * x.a * x.q + y.cubic * amp2 * amp * a2 * x.a)
                * above,
            cross: (y.a * x.cross
                + two * y.q * x.a * x.b
                + y.cross * amp * x.a
                + number(3.0) * y.cubic * amp2 * x.a * x.b * far)
                * above,
            square: (y.a * x.square
                + y.q * b2
                + y.cross * x.b
                + y.cubic * b2 * x.b * c_max
                + y.square)
                * above,
            rough: [rough_a, rough_b, rough_q * above],
            pairs: rough(x.pairs, y.pairs, number(PAIR_ROUNDING)),
        }
    }

    /// As shares of what `entry` leads to.
    fn loss(&self, entry: &Entry, reach: FloatExp, c_max: FloatExp, stored: Stored) -> Loss {
        let is_paired = stored == Stored::Pairs;
        let square = if is_paired || entry.q == [0.0; 2] {
            self.q
        } else {
            self.rough[2]
        };
        // Doubles are rounded once more as they are stored.
        let rounded = number(if is_paired { 0.0 } else { f64::EPSILON });
        let rough_a = self.pairs[0] + self.a * rounded;
        let rough_b = self.pairs[1] + self.b * rounded;
        let by_z = rough_a + (square + self.cubic * reach) * reach + self.cross * c_max;
        let by_c = rough_b + self.square * c_max;
        let share = |part: FloatExp, of: FloatExp| {
            let share = (part / of).to_f64() * ABOVE;
            if share < MOST {
                // Rounded up.
                (share as f32).next_up()
            } else {
                f32::INFINITY
            }
        };
        Loss {
            of_z: share(by_z, self.a),
            of_c: share(by_c, self.b),
            rough_of_z: share(rough_a, self.a),
            rough_of_c: share(rough_b, self.b),
            rough_of_powers: share(self.rough[0], self.a),
        }
    }
}

/// What A and B of blocks are when they are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Rounded to doubles; blocks whose numbers are narrow have the square's term.
    Doubles,
    /// Pairs of doubles, and nothing else.
    Pairs,
}

/// A block's bounds, and the entry's shares.
type Draft = (Bounds, Loss);

const UNKNOWN: Loss = Loss {
    of_z: f32::INFINITY,
    of_c: f32::INFINITY,
    rough_of_z: f32::INFINITY,
    rough_of_c: f32::INFINITY,
    rough_of_powers: f32::INFINITY,
};

/// What the blocks of a table lose.
#[derive(Clone, Debug, PartialEq)]
pub struct LossTable {
    /// As [`BlaTable::levels`].
    levels: Vec<Vec<Loss>>,
    /// As `JetTable::levels`.
    polynomials: Vec<Vec<PolynomialLoss>>,
}

/// |A|, |B| and the farthest |z| of an entry.
fn moduli(entry: &Entry, stored: Stored) -> [FloatExp; 3] {
    let wide = entry.wide();
    let reach = if entry.is_narrow() && stored == Stored::Doubles {
        number(entry.reach.max(entry.radius))
    } else {
        wide.radius
    };
    [wide.a.abs(), wide.b.abs(), reach]
}

impl LossTable {
    /// Of no blocks: none has a bound.
    pub(crate) const NONE: &'static Self = &Self {
        levels: Vec::new(),
        polynomials: Vec::new(),
    };

    /// What the blocks of `table` lose for |c| up to `c_max`, A and B of which are those of [`super::pairs`] with these low
    /// parts, and are used as `stored` says.
    #[must_use]
    pub fn new(
        orbit: &ReferenceOrbit,
        lows: &[[f64; 2]],
        table: &BlaTable,
        c_max: FloatExp,
        stored: Stored,
    ) -> Self {
        let twice = |z: ComplexExp| ComplexExp::new(z.re + z.re, z.im + z.im);
        let one = ComplexExp::from_f64(1.0, 0.0);
        let first = |entry: &Entry, m: u64| -> Draft {
            let [_, _, reach] = moduli(entry, stored);
            let z = orbit.at(m);
            let paired = |m: u64| lows[m as usize] != [0.0; 2];
            let (mut bounds, mut a, mut b) = (Bounds::step(z.abs(), paired(m)), twice(z), one);
            for m in m + 1..m + (1 << LOWEST_LEVEL) {
                let z = orbit.at(m);
                (a, b) = (twice(z) * a, twice(z) * b + one);
                bounds = bounds.then(
                    &Bounds::step(z.abs(), paired(m)),
                    a.abs(),
                    b.abs(),
                    reach,
                    c_max,
                );
            }
            (bounds, bounds.loss(entry, reach, c_max, stored))
        };
        let Some(lowest) = table.levels.first() else {
            return Self::NONE.clone();
        };
        let mut level: Vec<Draft> = parallel_map(lowest.len(), &|i| {
            first(&lowest[i], 1 + ((i as u64) << LOWEST_LEVEL))
        });
        let mut levels = vec![level.iter().map(|(_, loss)| *loss).collect()];
        for entries in &table.levels[1..] {
            level = parallel_map(entries.len(), &|i| {
                let [a, b, reach] = moduli(&entries[i], stored);
                let joined = level[2 * i].0.then(&level[2 * i + 1].0, a, b, reach, c_max);
                (joined, joined.loss(&entries[i], reach, c_max, stored))
            });
            levels.push(level.iter().map(|(_, loss)| *loss).collect());
        }
        Self {
            levels,
            polynomials: Vec::new(),
        }
    }

    /// The polynomials of the same orbit (see [`JetTable::new`]), and what they lose.
    pub(crate) fn polynomials_of(
        &mut self,
        orbit: &ReferenceOrbit,
        c_max: FloatExp,
        escape_radius: f64,
        epsilon: f64,
    ) -> JetTable {
        let mut add = |level, blocks: &[Block]| self.add_polynomials(level, blocks);
        JetTable::with_blocks(orbit, c_max, escape_radius, epsilon, &mut add)
    }

    fn add_polynomials(&mut self, level: u32, blocks: &[Block]) {
        let one = |(i, block): (usize, &Block)| {
            let loss = self.loss(1 << level, 1 + ((i as u64) << level));
            let rounded = Rounded {
                of_z: loss.rough_of_z.into(),
                of_c: loss.rough_of_c.into(),
                of_powers: loss.rough_of_powers.into(),
            };
            PolynomialLoss::new(block, rounded)
        };
        let losses = blocks.iter().enumerate().map(one).collect();
        self.polynomials.push(losses);
    }

    /// What the polynomial of `steps` steps that begins at `m` loses.
    #[inline(always)]
    pub(crate) fn polynomial(&self, steps: u64, m: u64) -> &PolynomialLoss {
        let level = steps.trailing_zeros();
        let known = level
            .checked_sub(jets::LOWEST_LEVEL)
            .and_then(|index| self.polynomials.get(index as usize))
            .and_then(|losses| losses.get((m.wrapping_sub(1) >> level) as usize));
        known.unwrap_or(&PolynomialLoss::UNKNOWN)
    }

    /// What the block of `steps` steps that begins at `m` loses.
    #[inline]
    #[must_use]
    pub fn loss(&self, steps: u64, m: u64) -> Loss {
        let level = steps.trailing_zeros();
        let known = level
            .checked_sub(LOWEST_LEVEL)
            .and_then(|index| self.levels.get(index as usize))
            .and_then(|losses| losses.get((m.wrapping_sub(1) >> level) as usize));
        known.copied().unwrap_or(UNKNOWN)
    }
}
