//! Coordinates of turned views: each is the sum of what its column and its row contribute.

use fractal::reference::farthest;
use fractal::transform::TurnedAxes;
use fractal::{ComplexExp, FloatExp};

use super::picks::picked;

/// Real and imaginary part of what columns or rows contribute, each an unevaluated sum of two doubles.
type Pairs = [Vec<[f64; 2]>; 2];

/// The sum of two unevaluated sums, rounded once but for 2^-104 of their size.
#[inline]
fn sum(a: [f64; 2], b: [f64; 2]) -> f64 {
    // Donald Knuth's exact sum.
    let near = a[0] + b[0];
    let back = near - a[0];
    let lost = (a[0] - (near - back)) + (b[0] - back);
    near + (lost + (a[1] + b[1]))
}

/// The samples of a turned view in doubles.
#[derive(Clone, Debug)]
pub(crate) struct TurnedPoints {
    columns: Pairs,
    rows: Pairs,
}

impl TurnedPoints {
    pub(crate) fn new(axes: &TurnedAxes) -> Self {
        Self {
            columns: [axes.columns[0].to_pairs(), axes.columns[1].to_pairs()],
            rows: [axes.rows[0].to_pairs(), axes.rows[1].to_pairs()],
        }
    }

    /// Real and imaginary part of a sample.
    #[inline]
    pub(crate) fn at(&self, col: usize, row: usize) -> [f64; 2] {
        [
            sum(self.columns[0][col], self.rows[0][row]),
            sum(self.columns[1][col], self.rows[1][row]),
        ]
    }

    /// The square of a bound of |c| over the samples.
    pub(crate) fn farthest2(&self) -> f64 {
        let ends = [self.columns[0].len(), self.rows[0].len()].map(|len| [0, len.max(1) - 1]);
        let mut far = 0f64;
        for col in ends[0] {
            for row in ends[1] {
                let [x, y] = self.at(col, row);
                far = far.max(x * x + y * y);
            }
        }
        far
    }

    /// Some of the columns and rows.
    pub(crate) fn thinned(&self, width: u32, height: u32) -> Self {
        Self {
            columns: [
                picked(&self.columns[0], width),
                picked(&self.columns[1], width),
            ],
            rows: [picked(&self.rows[0], height), picked(&self.rows[1], height)],
        }
    }
}

/// What turned views have beside the real parts of columns and the imaginary parts of rows, which are all that upright ones
/// have: in any kind of number.
#[derive(Clone, Debug, Default)]
pub struct Cross<T> {
    /// Imaginary part of what each column contributes.
    pub columns: Vec<T>,
    /// Real part of what each row contributes.
    pub rows: Vec<T>,
}

impl<T: Copy> Cross<T> {
    pub(crate) fn map<U>(&self, column: impl Fn(T) -> U, row: impl Fn(T) -> U) -> Cross<U> {
        Cross {
            columns: self.columns.iter().copied().map(column).collect(),
            rows: self.rows.iter().copied().map(row).collect(),
        }
    }

    pub(crate) fn thinned(&self, width: u32, height: u32) -> Self {
        Self {
            columns: picked(&self.columns, width),
            rows: picked(&self.rows, height),
        }
    }
}

impl Cross<FloatExp> {
    /// The sample of a column and a row whose other parts are `re` and `im`.
    #[inline]
    pub(crate) fn at(&self, re: FloatExp, im: FloatExp, col: usize, row: usize) -> ComplexExp {
        ComplexExp::new(re + self.rows[row], self.columns[col] + im)
    }

    /// A bound of the modulus of all samples.
    pub(crate) fn c_max(&self, columns: &[FloatExp], rows: &[FloatExp]) -> FloatExp {
        let ends = |values: &[FloatExp]| {
            let end = |value: Option<&FloatExp>| value.copied().unwrap_or_default();
            [end(values.first()), end(values.last())]
        };
        farthest(
            &[ends(columns), ends(&self.columns)],
            &[ends(&self.rows), ends(rows)],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn sums_are_rounded_once() {
        // 1/3 and a little, and what is left of it when 1/3 goes.
        let third = [1.0 / 3.0, 1.0 / 54_043_195_528_445_952.0];
        assert_eq!(sum(third, [-1.0 / 3.0, 0.0]), third[1]);
        assert_eq!(sum(third, [-third[0], -third[1]]), 0.0);
        assert_eq!(sum([1.0, 1e-17], [1e-16, 0.0]), 1.0 + (1e-16 + 1e-17));
    }
}
