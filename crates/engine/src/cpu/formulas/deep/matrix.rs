//! Linear maps of the plane.

use super::real::Real;

/// A real 2 x 2 matrix: a linear map of the plane, analytic or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix<R>(pub(super) [[R; 2]; 2]);

impl<R: Real> Matrix<R> {
    /// Nothing.
    pub(super) fn zero() -> Self {
        Self([[R::ZERO; 2]; 2])
    }

    /// A number times the identity.
    pub(super) fn scalar(value: R) -> Self {
        Self([[value, R::ZERO], [R::ZERO, value]])
    }

    /// Multiplication by a complex number.
    #[inline(always)]
    pub(super) fn complex([x, y]: [R; 2]) -> Self {
        Self([[x, -y], [y, x]])
    }

    #[inline(always)]
    pub(super) fn apply(&self, [x, y]: [R; 2]) -> [R; 2] {
        let Self([[a, b], [c, d]]) = *self;
        [a * x + b * y, c * x + d * y]
    }

    #[inline(always)]
    pub(super) fn times(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        let entry = |row: usize, col: usize| a[row][0] * b[0][col] + a[row][1] * b[1][col];
        Self([[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]])
    }

    #[inline(always)]
    pub(super) fn plus(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        Self([
            [a[0][0] + b[0][0], a[0][1] + b[0][1]],
            [a[1][0] + b[1][0], a[1][1] + b[1][1]],
        ])
    }

    /// With the signs of a row turned.
    #[inline(always)]
    pub(super) fn turned(mut self, row: usize) -> Self {
        self.0[row] = self.0[row].map(|entry| -entry);
        self
    }

    /// A bound of how much it makes a vector longer: the larger singular value, a little more for rounding.
    pub(super) fn most(&self) -> R {
        let Self([[a, b], [c, d]]) = *self;
        let length = |x: R, y: R| (x * x + y * y).root();
        let twice = length(a + d, b - c) + length(a - d, b + c);
        twice * R::of(0.5 * (1.0 + 1.0 / (1u64 << 48) as f64))
    }

    pub(super) fn is_finite(&self) -> bool {
        self.0.iter().flatten().all(|entry| entry.is_finite())
    }

    pub(super) fn map<S: Real>(&self, of: impl Fn(R) -> S) -> Matrix<S> {
        Matrix(self.0.map(|row| row.map(&of)))
    }
}
