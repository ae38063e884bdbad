//! Blocks of steps of a reference orbit as linear maps of deltas, with a proved bound of what they leave out.
//!
//! A block leads from the delta z at its first step, and the pixel's offset c, to the delta after its last:
//! `A z + B c + e` with `|e| <= alpha |z| + beta` for all `|z| <= radius` and all c of the view. A single step is the formula
//! itself evaluated in such maps ([`Model`]); two blocks join to one by
//!
//! - `A = A_2 A_1`, `B = A_2 B_1 + B_2`,
//! - `|z_1| <= (|A_1| + alpha_1) |z| + b_1 + beta_1` with `b = |B| max |c|`, which has to stay within the second's radius,
//! - `alpha = |A_2| alpha_1 + alpha_2 (|A_1| + alpha_1)`, `beta = |A_2| beta_1 + alpha_2 (b_1 + beta_1) + beta_2`,
//!
//! and the rounding of A and B. Norms are the larger singular values: for formulas whose folds act on whole parts they are
//! the smaller ones as well, and nothing is given away.

use fractal::formula::{Fold, FormulaOrbit, Numbers, Phase};

use super::delta::norm;
use super::matrix::Matrix;
use super::real::Real;
use crate::cpu::formulas::roundoff::UNIT;

/// What bounds are made larger by for their own rounding.
const ABOVE: f64 = 1.0 + 1.0 / (1u64 << 40) as f64;
/// What a product of matrices rounds by, in units of the product of their norms.
const PRODUCT_UNITS: f64 = 16.0 * UNIT;

/// A block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<R> {
    pub(super) a: Matrix<R>,
    /// For offsets in the view's unit.
    pub(super) b: Matrix<R>,
    /// |A|
    pub(super) growth: R,
    /// A bound of |B c| over the view.
    pub(super) reach: R,
    pub(super) alpha: R,
    pub(super) beta: R,
    /// Largest |z| that it is good for; 0 where it is for none.
    pub(super) radius: R,
}

impl<R: Real> Block<R> {
    /// The two blocks as one, `self` first.
    pub(super) fn then(&self, next: &Self, c_max: R) -> Self {
        let above = R::of(ABOVE);
        let grown = (self.growth + self.alpha) * above;
        let moved = (self.reach + self.beta) * above;
        let room = next.radius - moved;
        let radius = if room > R::ZERO && self.radius > R::ZERO {
            self.radius
                .smaller(room.quotient(grown) * R::of(1.0 / ABOVE))
        } else {
            R::ZERO
        };
        let units = R::of(PRODUCT_UNITS);
        let (a, b) = (next.a.times(&self.a), next.a.times(&self.b).plus(&next.b));
        let alpha =
            next.growth * self.alpha + next.alpha * grown + units * next.growth * self.growth;
        let beta = next.growth * self.beta
            + next.alpha * moved
            + next.beta
            + units * (next.growth * self.reach + next.reach);
        Self {
            growth: a.most(),
            reach: b.most() * c_max * above,
            a,
            b,
            alpha: alpha * above,
            beta: beta * above,
            radius,
        }
        .checked()
    }

    /// Where it leads the delta z of a pixel with this offset, in the view's unit; and how far that may be from what belongs
    /// there, only if `E`.
    #[inline(always)]
    pub(super) fn lead<const E: bool>(&self, z: [R; 2], error: R, offset: [R; 2]) -> ([R; 2], R) {
        let [ax, ay] = self.a.apply(z);
        let [bx, by] = self.b.apply(offset);
        let mut after = error;
        if E {
            after = (self.growth + self.alpha) * error
                + (self.alpha + self.growth * R::of(8.0 * UNIT)) * norm(z)
                + self.beta
                + self.reach * R::of(8.0 * UNIT);
        }
        ([ax + bx, ay + by], after)
    }

    /// One that has left the range of its numbers is for no delta.
    fn checked(self) -> Self {
        let bounds = [self.growth, self.reach, self.alpha, self.beta];
        let is_sound = self.a.is_finite()
            && self.b.is_finite()
            && bounds.iter().all(|bound| bound.is_finite());
        if is_sound {
            return self;
        }
        Self {
            radius: R::ZERO,
            ..self
        }
    }

    /// In other numbers, with offsets in a unit of 2^`unit_log2`.
    pub(super) fn narrowed<S: Real>(&self, unit_log2: i64) -> Block<S> {
        let of = |value: R| S::narrow(value.wide());
        Block {
            a: self.a.map(of),
            b: self.b.map(|entry| of(entry.shifted(unit_log2))),
            growth: of(self.growth),
            reach: of(self.reach),
            alpha: of(self.alpha),
            beta: of(self.beta),
            radius: of(self.radius),
        }
        .checked()
    }
}

/// The value of z in a step: that of the reference orbit, and the linear map that leads to its delta.
#[derive(Clone)]
pub(super) struct Modelled<R> {
    /// The orbit's, of the last tap.
    big: [R; 2],
    a: Matrix<R>,
    b: Matrix<R>,
    alpha: R,
    beta: R,
}

/// What a step's [`Modelled`] values are made with.
pub(super) struct Model<'a, R> {
    taps: &'a dyn Fn(usize) -> [R; 2],
    next: usize,
    rotations: &'a [[f64; 2]],
    /// A bound of |c|; 0 for a Julia set, whose plane is that of z.
    c_max: R,
    /// What a step may lose of a delta.
    epsilon: R,
    radius: R,
}

impl<R: Real> Model<'_, R> {
    /// The two numbers that bound a delta: times |z|, and beside it.
    fn bound(&self, of: &Modelled<R>) -> (R, R) {
        let above = R::of(ABOVE);
        let slope = (of.a.most() + of.alpha) * above;
        (slope, (of.b.most() * self.c_max + of.beta) * above)
    }

    /// Takes the radius in so that deltas stay within `most`; what is left of the delta is |delta| <= slope |z| + rest.
    fn keep_within(&mut self, most: R, (slope, rest): (R, R)) {
        let room = most - rest;
        if room > R::ZERO {
            if slope > R::ZERO {
                let largest = room.quotient(slope) * R::of(1.0 / ABOVE);
                self.radius = self.radius.smaller(largest);
            }
        } else {
            self.radius = R::ZERO;
        }
    }

    fn size([x, y]: [R; 2]) -> R {
        (x * x + y * y).root()
    }

    /// `m` times the map, and what rounding adds to its bounds.
    fn scaled(&self, m: &Matrix<R>, of: &Modelled<R>) -> Modelled<R> {
        let (norm, units) = (m.most(), R::of(PRODUCT_UNITS));
        Modelled {
            big: of.big,
            a: m.times(&of.a),
            b: m.times(&of.b),
            alpha: norm * (of.alpha + units * of.a.most()),
            beta: norm * (of.beta + units * of.b.most() * self.c_max),
        }
    }
}

impl<R: Real> Numbers for Model<'_, R> {
    type Value = Modelled<R>;

    fn tap(&mut self, z: Modelled<R>) -> Modelled<R> {
        let big = (self.taps)(self.next);
        self.next += 1;
        Modelled { big, ..z }
    }

    /// (Z + d)² - Z² = 2 Z d + d²
    fn square(&mut self, z: Modelled<R>) -> Modelled<R> {
        let (slope, rest) = self.bound(&z);
        let twice = z.big.map(|part| part + part);
        self.keep_within(self.epsilon * Self::size(twice), (slope, rest));
        let most = slope * self.radius + rest;
        let linear = self.scaled(&Matrix::complex(twice), &z);
        Modelled {
            alpha: (linear.alpha + most * slope) * R::of(ABOVE),
            beta: (linear.beta + most * rest) * R::of(ABOVE),
            ..linear
        }
    }

    /// (Z + d) (S + s) - Z S = Z s + S d + d s
    fn multiply(&mut self, z: Modelled<R>, stored: &Modelled<R>) -> Modelled<R> {
        let (slope, rest) = self.bound(&z);
        let (other, beside) = self.bound(stored);
        self.keep_within(self.epsilon * Self::size(z.big), (slope, rest));
        let most = slope * self.radius + rest;
        let one = self.scaled(&Matrix::complex(stored.big), &z);
        let two = self.scaled(&Matrix::complex(z.big), stored);
        let units = R::of(PRODUCT_UNITS);
        let (a, b) = (one.a.plus(&two.a), one.b.plus(&two.b));
        let added = (one.a.most() + two.a.most(), one.b.most() + two.b.most());
        Modelled {
            big: z.big,
            a,
            b,
            alpha: (one.alpha + two.alpha + most * other + units * added.0) * R::of(ABOVE),
            beta: (one.beta + two.beta + most * beside + units * added.1 * self.c_max)
                * R::of(ABOVE),
        }
    }

    /// Within the distance of the orbit's part from 0 it is linear: the sign, and nothing is lost.
    fn fold(&mut self, z: Modelled<R>, fold: Fold) -> Modelled<R> {
        /// Share of that distance which the part's own rounding cannot eat up.
        const SURE: f64 = 1.0 - 1.0 / (1u64 << 20) as f64;
        let row = usize::from(matches!(fold, Fold::AbsY | Fold::NegY));
        let turns = match fold {
            Fold::NegX | Fold::NegY => true,
            Fold::AbsX | Fold::AbsY => {
                let bound = self.bound(&z);
                self.keep_within(z.big[row].abs() * R::of(SURE), bound);
                z.big[row] < R::ZERO
            }
        };
        let mut folded = z;
        if turns {
            folded.big[row] = -folded.big[row];
            folded.a = folded.a.turned(row);
            folded.b = folded.b.turned(row);
        }
        folded
    }

    fn rotate(&mut self, z: Modelled<R>, index: usize) -> Modelled<R> {
        let turn = self.rotations[index].map(R::of);
        self.scaled(&Matrix::complex(turn), &z)
    }

    fn add(&mut self, z: Modelled<R>) -> Modelled<R> {
        let is_parameter = self.c_max > R::ZERO;
        if !is_parameter {
            return z;
        }
        let units = R::of(4.0 * UNIT);
        let b = z.b.plus(&Matrix::scalar(R::of(1.0)));
        Modelled {
            beta: z.beta + units * b.most() * self.c_max,
            b,
            ..z
        }
    }
}

/// What blocks of one orbit are made with.
pub(super) struct Making<'a, R> {
    pub(super) orbit: &'a FormulaOrbit,
    pub(super) rotations: &'a [[f64; 2]],
    pub(super) c_max: R,
    pub(super) epsilon: f64,
    pub(super) escape_radius: f64,
    /// See `FormulaOrbits::step_error`.
    pub(super) step_error: R,
}

impl<R: Real> Making<'_, R> {
    /// The step `step` of the orbit by `phase` as a block.
    pub(super) fn step(&self, phase: &Phase, step: usize) -> Block<R> {
        let place = self.orbit.place(step);
        let taps = |index: usize| {
            let value = self.orbit.wide(place + index);
            [R::narrow(value.re), R::narrow(value.im)]
        };
        let mut model = Model {
            taps: &taps,
            next: 0,
            rotations: self.rotations,
            c_max: self.c_max,
            epsilon: R::of(self.epsilon),
            radius: R::of(self.escape_radius),
        };
        let start = Modelled {
            big: [R::ZERO; 2],
            a: Matrix::scalar(R::of(1.0)),
            b: Matrix::zero(),
            alpha: R::ZERO,
            beta: R::ZERO,
        };
        let end = phase.apply(&mut model, start);
        // No pixel escapes within a block.
        let [x, y] = self.orbit.values[self.orbit.place(step + 1)];
        let after = (x * x + y * y).sqrt();
        let stays = after < self.escape_radius * (1.0 - 1.0 / (1u64 << 10) as f64);
        let growth = end.a.most();
        Block {
            growth,
            reach: end.b.most() * self.c_max * R::of(ABOVE),
            a: end.a,
            b: end.b,
            alpha: end.alpha,
            beta: end.beta + self.step_error,
            radius: if stays { model.radius } else { R::ZERO },
        }
        .checked()
    }
}
