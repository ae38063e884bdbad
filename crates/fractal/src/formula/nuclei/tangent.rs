//! Orbits in integers with their derivatives in doubles of any exponent.

use dashu_int::IBig;

use crate::formula::exact::Fixed;
use crate::formula::numbers::{Fold, Numbers};
use crate::formula::references::rounded;
use crate::numbers::floatexp::{ComplexExp, FloatExp};

/// A real 2 x 2 matrix, row by row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix(pub(super) [[FloatExp; 2]; 2]);

impl Matrix {
    pub(super) const ZERO: Self = Self([[FloatExp::ZERO; 2]; 2]);

    pub(super) fn identity() -> Self {
        let one = FloatExp::from_f64(1.0);
        Self([[one, FloatExp::ZERO], [FloatExp::ZERO, one]])
    }

    fn plus(&self, other: &Self) -> Self {
        let [[a, b], [c, d]] = self.0;
        let [[e, f], [g, h]] = other.0;
        Self([[a + e, b + f], [c + g, d + h]])
    }

    /// The product of a complex number and what it maps to.
    fn turned(&self, by: ComplexExp) -> Self {
        let [[a, b], [c, d]] = self.0;
        let (x, y) = (by.re, by.im);
        Self([
            [x * a - y * c, x * b - y * d],
            [y * a + x * c, y * b + x * d],
        ])
    }

    pub(super) fn determinant(&self) -> FloatExp {
        let [[a, b], [c, d]] = self.0;
        a * d - b * c
    }

    /// What it maps to `value`; `None` where it has no inverse.
    pub(super) fn solve(&self, value: ComplexExp) -> Option<ComplexExp> {
        let determinant = self.determinant();
        if determinant.is_zero() {
            return None;
        }
        let [[a, b], [c, d]] = self.0;
        let (x, y) = (value.re, value.im);
        Some(ComplexExp::new(
            (d * x - b * y) / determinant,
            (a * y - c * x) / determinant,
        ))
    }

    /// The complex number that it multiplies by, where it is that of an analytic map.
    pub(super) fn factor(&self) -> ComplexExp {
        ComplexExp::new(self.0[0][0], self.0[1][0])
    }
}

/// A value of an orbit from 0.
#[derive(Clone, Debug)]
pub(super) struct Tangent {
    pub(super) z: [IBig; 2],
    /// Its derivative by c.
    pub(super) by_c: Matrix,
    /// That by the orbit's first value other than 0 as it was before c was added to it; `None` until then.
    pub(super) by_first: Option<Matrix>,
}

impl Tangent {
    pub(super) fn zero() -> Self {
        Self {
            z: [IBig::ZERO, IBig::ZERO],
            by_c: Matrix::ZERO,
            by_first: None,
        }
    }

    pub(super) fn each(&self, change: impl Fn(&Matrix) -> Matrix) -> (Matrix, Option<Matrix>) {
        (change(&self.by_c), self.by_first.as_ref().map(&change))
    }
}

/// Steps of a formula with derivatives.
pub(super) struct Tangents {
    pub(super) fixed: Fixed,
}

impl Tangents {
    /// A value in doubles with an exponent of its own.
    pub(super) fn rounded(&self, [x, y]: &[IBig; 2]) -> ComplexExp {
        let bits = self.fixed.bits;
        ComplexExp::new(rounded(x, bits), rounded(y, bits))
    }
}

impl Numbers for Tangents {
    type Value = Tangent;

    fn square(&mut self, value: Tangent) -> Tangent {
        let z = self.rounded(&value.z);
        let twice = z + z;
        let (by_c, by_first) = value.each(|matrix| matrix.turned(twice));
        Tangent {
            z: self.fixed.square(value.z),
            by_c,
            by_first,
        }
    }

    fn multiply(&mut self, value: Tangent, stored: &Tangent) -> Tangent {
        let [own, other] = [&value.z, &stored.z].map(|z| self.rounded(z));
        let joined = |a: &Matrix, b: &Matrix| a.turned(other).plus(&b.turned(own));
        let none = Matrix::ZERO;
        let by_first = match (&value.by_first, &stored.by_first) {
            (None, None) => None,
            (a, b) => Some(joined(
                a.as_ref().unwrap_or(&none),
                b.as_ref().unwrap_or(&none),
            )),
        };
        Tangent {
            by_c: joined(&value.by_c, &stored.by_c),
            by_first,
            z: self.fixed.multiply(value.z, &stored.z),
        }
    }

    fn fold(&mut self, value: Tangent, fold: Fold) -> Tangent {
        let [x, y] = &value.z;
        let row = match fold {
            Fold::AbsX if *x < IBig::ZERO => Some(0),
            Fold::AbsY if *y < IBig::ZERO => Some(1),
            Fold::AbsX | Fold::AbsY => None,
            Fold::NegX => Some(0),
            Fold::NegY => Some(1),
        };
        let (by_c, by_first) = value.each(|matrix| {
            let mut rows = matrix.0;
            if let Some(row) = row {
                rows[row] = rows[row].map(|entry| -entry);
            }
            Matrix(rows)
        });
        Tangent {
            z: self.fixed.fold(value.z, fold),
            by_c,
            by_first,
        }
    }

    fn rotate(&mut self, value: Tangent, index: usize) -> Tangent {
        let turn = self.rounded(&self.fixed.rotation(index).clone());
        let (by_c, by_first) = value.each(|matrix| matrix.turned(turn));
        Tangent {
            z: self.fixed.rotate(value.z, index),
            by_c,
            by_first,
        }
    }

    fn add(&mut self, value: Tangent) -> Tangent {
        let one = Matrix::identity();
        Tangent {
            by_c: value.by_c.plus(&one),
            by_first: Some(value.by_first.unwrap_or(one)),
            z: self.fixed.add(value.z),
        }
    }
}
