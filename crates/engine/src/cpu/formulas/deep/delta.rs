//! A step of the formula in deltas from a reference orbit, with a bound of their error.
//!
//! Of each operation on Z + z, where Z is the orbit's value and z the delta, what it does to the difference, so that nothing is
//! lost where z is far smaller than Z: (2 Z + z) z, Z s + (S + s) z, and for |x| the difference of two moduli, which is z's own
//! part with a sign unless X and X + x lie on different sides of 0. Then it is 2 X + x with a sign, of which no more than X's own
//! rounding is certain: the bound takes that in, and counts that hang on it are settled in longer numbers.

use fractal::formula::{Fold, Numbers};

use super::matrix::Matrix;
use super::real::Real;
use crate::cpu::formulas::roundoff::UNIT;

/// A delta in a step.
#[derive(Clone, Copy)]
pub(super) struct Delta<R, S> {
    /// The orbit's value, of the last tap.
    pub(super) big: [R; 2],
    pub(super) z: [R; 2],
    /// How far z may be from what belongs there; only if `E`.
    pub(super) error: R,
    /// The derivative of z by the point of the plane, in its unit.
    pub(super) slope: S,
}

/// A derivative, or none where no value of the frame needs one.
pub(super) trait Slope<R>: Copy {
    /// Of z times `factor`, for an analytic step.
    fn scaled(&self, factor: [R; 2]) -> Self;
    fn plus(&self, other: &Self) -> Self;
    fn turned(&self, row: usize) -> Self;
    /// With that of c added, which is `one`.
    fn moved(&self, one: R) -> Self;
    /// After a block of this linear map.
    fn mapped(&self, a: &Matrix<R>, b: &Matrix<R>) -> Self;
    fn of(matrix: Matrix<R>) -> Self;
    fn matrix(&self) -> Matrix<R>;
}

impl<R: Real> Slope<R> for () {
    #[inline(always)]
    fn scaled(&self, _: [R; 2]) {}
    #[inline(always)]
    fn plus(&self, (): &()) {}
    #[inline(always)]
    fn turned(&self, _: usize) {}
    #[inline(always)]
    fn moved(&self, _: R) {}
    #[inline(always)]
    fn mapped(&self, _: &Matrix<R>, _: &Matrix<R>) {}
    fn of(_: Matrix<R>) {}
    fn matrix(&self) -> Matrix<R> {
        Matrix::zero()
    }
}

impl<R: Real> Slope<R> for Matrix<R> {
    #[inline(always)]
    fn scaled(&self, factor: [R; 2]) -> Self {
        Matrix::complex(factor).times(self)
    }
    #[inline(always)]
    fn plus(&self, other: &Self) -> Self {
        Matrix::plus(self, other)
    }
    #[inline(always)]
    fn turned(&self, row: usize) -> Self {
        Matrix::turned(*self, row)
    }
    #[inline(always)]
    fn moved(&self, one: R) -> Self {
        Matrix::plus(self, &Matrix::scalar(one))
    }
    #[inline(always)]
    fn mapped(&self, a: &Matrix<R>, b: &Matrix<R>) -> Self {
        a.times(self).plus(b)
    }
    fn of(matrix: Matrix<R>) -> Self {
        matrix
    }
    fn matrix(&self) -> Matrix<R> {
        *self
    }
}

/// What a step's deltas are made with. `E`: with a bound of their error; `S`: their derivative.
pub(super) struct Deltas<'a, R, T, S, const E: bool> {
    pub(super) slopes: std::marker::PhantomData<S>,
    pub(super) tap: T,
    pub(super) next: usize,
    /// The pixel's c as a delta; `None` for a Julia set.
    pub(super) c: Option<[R; 2]>,
    /// How far that may be from the pixel's own.
    pub(super) c_error: R,
    /// 1 in the plane's unit.
    pub(super) one: R,
    pub(super) rotations: &'a [[f64; 2]],
}

/// |x| + |y|, which is no less than the modulus.
#[inline(always)]
fn sum<R: Real>([x, y]: [R; 2]) -> R {
    x.abs() + y.abs()
}

#[inline(always)]
pub(super) fn norm<R: Real>([x, y]: [R; 2]) -> R {
    (x * x + y * y).root()
}

#[inline(always)]
fn plus<R: Real>([a, b]: [R; 2], [x, y]: [R; 2]) -> [R; 2] {
    [a + x, b + y]
}

#[inline(always)]
fn product<R: Real>([a, b]: [R; 2], [x, y]: [R; 2]) -> [R; 2] {
    [a * x - b * y, a * y + b * x]
}

impl<R: Real, T: Fn(usize) -> [R; 2], S: Slope<R>, const E: bool> Numbers
    for Deltas<'_, R, T, S, E>
{
    type Value = Delta<R, S>;

    #[inline(always)]
    fn tap(&mut self, of: Delta<R, S>) -> Delta<R, S> {
        let big = (self.tap)(self.next);
        self.next += 1;
        Delta { big, ..of }
    }

    #[inline(always)]
    fn square(&mut self, of: Delta<R, S>) -> Delta<R, S> {
        let whole = plus(of.big, of.z);
        let twice = plus(whole, of.big);
        let mut next = of;
        next.z = product(twice, of.z);
        if E {
            let whole = norm(whole);
            let rounding = (sum(of.big) + whole) * sum(of.z) * R::of(8.0 * UNIT);
            next.error = (whole + whole + of.error) * of.error + rounding;
        }
        next.slope = of.slope.scaled([whole[0] + whole[0], whole[1] + whole[1]]);
        next
    }

    #[inline(always)]
    fn multiply(&mut self, of: Delta<R, S>, stored: &Delta<R, S>) -> Delta<R, S> {
        let (whole, other) = (plus(of.big, of.z), plus(stored.big, stored.z));
        let mut next = of;
        next.z = plus(product(of.big, stored.z), product(other, of.z));
        if E {
            let rounding = (sum(of.big) * sum(stored.z)
                + (sum(stored.big) + sum(other)) * sum(of.z))
                * R::of(8.0 * UNIT);
            next.error =
                norm(whole) * stored.error + (norm(other) + stored.error) * of.error + rounding;
        }
        next.slope = (of.slope.scaled(other)).plus(&stored.slope.scaled(whole));
        next
    }

    #[inline(always)]
    fn fold(&mut self, of: Delta<R, S>, fold: Fold) -> Delta<R, S> {
        let row = usize::from(matches!(fold, Fold::AbsY | Fold::NegY));
        let mut next = of;
        if matches!(fold, Fold::NegX | Fold::NegY) {
            next.big[row] = -of.big[row];
            next.z[row] = -of.z[row];
            next.slope = of.slope.turned(row);
            return next;
        }
        let (big, z) = (of.big[row], of.z[row]);
        let whole = big + z;
        let (was_below, is_below) = (big < R::ZERO, whole < R::ZERO);
        next.big[row] = big.abs();
        next.z[row] = match (was_below, is_below) {
            (false, false) => z,
            (true, true) => -z,
            (false, true) => -(big + whole),
            (true, false) => big + whole,
        };
        if E {
            let own = big.abs() * R::of(8.0 * UNIT);
            if was_below != is_below || whole.abs() <= of.error + own {
                next.error = of.error + own;
            }
        }
        if is_below {
            next.slope = of.slope.turned(row);
        }
        next
    }

    #[inline(always)]
    fn rotate(&mut self, of: Delta<R, S>, index: usize) -> Delta<R, S> {
        let turn = self.rotations[index].map(R::of);
        let mut next = of;
        next.z = product(turn, of.z);
        if E {
            next.error = of.error * R::of(1.0 + 8.0 * UNIT) + sum(of.z) * R::of(8.0 * UNIT);
        }
        next.slope = of.slope.scaled(turn);
        next
    }

    #[inline(always)]
    fn add(&mut self, of: Delta<R, S>) -> Delta<R, S> {
        let Some(c) = self.c else {
            return of;
        };
        let mut next = of;
        next.z = plus(of.z, c);
        if E {
            next.error = of.error + self.c_error + sum(next.z) * R::of(2.0 * UNIT);
        }
        next.slope = of.slope.moved(self.one);
        next
    }
}
