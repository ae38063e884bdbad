//! How a view is turned and stretched: a 2 x 2 matrix M that stands between the picture and the plane.
//!
//! Without it the sample at (x, y) from the picture's middle, x to the right and y upwards, is c = centre + x + iy. With
//! it c = centre + M (x, y): the view's own axes turn about its centre, and the zoom goes on saying how high the picture is
//! before they do. M = R S, where R turns anticlockwise by [`Transform::rotate`] and S stretches by
//! f = 2^([`Transform::stretch`] / 100) along the direction [`Transform::stretch_angle`] and by 1/f across it, so that its
//! determinant is 1. These are the numbers of Fraktaler-3 (`transform.rotate`, `stretch_amount`, `stretch_angle`). As the
//! view turns anticlockwise, what is seen turns clockwise.
//!
//! Kalles Fraktaler has the amount in whole octaves, stretches after it has turned, and has its imaginary axis point down. The
//! same picture, drawn with that axis upwards (at the conjugate of its centre), is `rotate` = -RotateAngle,
//! `stretch` = 100 StretchAmount, `stretch_angle` = RotateAngle - StretchAngle: [`Transform::of_kalles_fraktaler`].
//!
//! M's entries are doubles, made of these numbers by fixed operations, and taken for what they are: the c of every
//! sample is an exact fraction. Turns by multiples of 90 degrees have entries 0, 1 and -1.

use dashu_int::{IBig, UBig};
use serde::{Deserialize, Serialize};

use crate::numbers::decimal::Decimal;
use crate::numbers::floatexp::FloatExp;
use crate::plane::axis::Axis;

/// Most degrees of either angle, either way.
pub const MAX_DEGREES: f64 = 1e6;
/// Most of [`Transform::stretch`], either way: a picture's pixels are then 2^20 times as long as wide.
pub const MAX_STRETCH: f64 = 1000.0;

/// How a view is turned and stretched about its centre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transform {
    /// Degrees by which the view is turned anticlockwise, within [`MAX_DEGREES`].
    pub rotate: f64,
    /// By how much it is stretched, in hundredths of an octave, within [`MAX_STRETCH`]: 100 shows twice as much of the
    /// plane along the direction, and half as much across it.
    pub stretch: f64,
    /// The direction that it is stretched in before it is turned, in degrees anticlockwise from the right, within
    /// [`MAX_DEGREES`].
    pub stretch_angle: f64,
}

/// Why numbers are no [`Transform`].
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum TransformError {
    /// An angle is no number, or far too large.
    #[error("a view's {0} of {1:?} degrees is not within a million")]
    Degrees(&'static str, f64),
    /// It is no number, or pixels would become lines.
    #[error("a view's stretch of {0:?} is not within {MAX_STRETCH} hundredths of an octave")]
    Stretch(f64),
}

/// Sine and cosine of an angle in degrees; exact for multiples of 90.
fn sin_cos(degrees: f64) -> (f64, f64) {
    // Remainder and difference are exact.
    let within = libm::fmod(degrees, 360.0);
    let quarter = libm::round(within / 90.0);
    let (sin, cos) = libm::sincos((within - 90.0 * quarter) * (std::f64::consts::PI / 180.0));
    match (quarter as i64).rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

impl Transform {
    /// The numbers of a place of Kalles Fraktaler, at the conjugate of its centre; see [the module](self).
    #[must_use]
    pub fn of_kalles_fraktaler(rotate: f64, stretch_amount: f64, stretch_angle: f64) -> Self {
        Self {
            rotate: 0.0 - rotate,
            stretch: 100.0 * stretch_amount,
            stretch_angle: if stretch_amount == 0.0 {
                0.0
            } else {
                rotate - stretch_angle
            },
        }
    }

    /// What Kalles Fraktaler calls the same: `RotateAngle`, `StretchAmount`, `StretchAngle`.
    #[must_use]
    pub fn to_kalles_fraktaler(&self) -> (f64, f64, f64) {
        let rotate = 0.0 - self.rotate;
        let angle = if self.stretch == 0.0 {
            0.0
        } else {
            rotate - self.stretch_angle
        };
        (rotate, self.stretch / 100.0, angle)
    }

    /// Whether all its numbers are 0, so that files need not mention it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it leaves every view as it is.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.stretch == 0.0 && libm::fmod(self.rotate, 360.0) == 0.0
    }

    /// Checks its limits: numbers, and not so large that its matrix would be singular.
    ///
    /// # Errors
    /// The first limit that it exceeds.
    pub fn check(&self) -> Result<(), TransformError> {
        for (name, angle) in [
            ("rotation", self.rotate),
            ("angle of stretching", self.stretch_angle),
        ] {
            if angle.is_nan() || angle.abs() > MAX_DEGREES {
                return Err(TransformError::Degrees(name, angle));
            }
        }
        if self.stretch.is_nan() || self.stretch.abs() > MAX_STRETCH {
            return Err(TransformError::Stretch(self.stretch));
        }
        Ok(())
    }

    /// The matrix M, by rows.
    #[must_use]
    pub fn matrix(&self) -> [[f64; 2]; 2] {
        let (sin, cos) = sin_cos(self.rotate);
        // Without signs at zeros.
        let turn = [[cos + 0.0, 0.0 - sin], [sin + 0.0, cos + 0.0]];
        if self.stretch == 0.0 {
            return turn;
        }
        let long = libm::exp2(self.stretch / 100.0);
        let short = libm::exp2(self.stretch / -100.0);
        let (sin, cos) = sin_cos(self.stretch_angle);
        let both = (long - short) * sin * cos;
        let stretch = [
            [long * cos * cos + short * sin * sin, both],
            [both, long * sin * sin + short * cos * cos],
        ];
        let entry = |row: [f64; 2], column: usize| {
            row[0] * stretch[0][column] + row[1] * stretch[1][column] + 0.0
        };
        turn.map(|row| [entry(row, 0), entry(row, 1)])
    }

    /// Decimal digits that coordinates need beyond those of the view without it: the shorter side is so much shorter.
    #[must_use]
    pub fn digits(&self) -> f64 {
        self.stretch.abs() / 100.0 * std::f64::consts::LOG10_2
    }
}

/// How the samples of a turned view are arranged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// log2 of the least distance from one grid line of samples to the next, in any direction.
    pub finest_log2: f64,
    /// Where a step to the right (first column) and one upwards (second) lead in the plane, in units of that distance; by
    /// rows.
    pub matrix: [[f64; 2]; 2],
    /// Whether samples are a square grid, as those of an upright view are.
    pub is_square: bool,
}

impl Shape {
    /// `steps`: log2 of the distances of columns and of rows before they are turned.
    pub(crate) fn new(transform: &Transform, steps: [Option<f64>; 2]) -> Self {
        let [across, up] = transform.matrix();
        let largest = steps
            .into_iter()
            .flatten()
            .fold(f64::NEG_INFINITY, f64::max);
        // A single row or column has the other's distance; a single sample any.
        let largest = if largest.is_finite() { largest } else { 0.0 };
        let [x, y] = steps.map(|step| libm::exp2(step.unwrap_or(largest) - largest));
        let matrix = [[across[0] * x, across[1] * y], [up[0] * x, up[1] * y]];
        let is_square = transform.stretch == 0.0 && x == y;
        if is_square {
            return Self {
                finest_log2: largest,
                matrix,
                is_square,
            };
        }
        // The smaller singular value, by the larger one.
        let [[a, b], [c, d]] = matrix;
        let (squares, product) = (a * a + b * b + c * c + d * d, (a * d - b * c).abs());
        let apart = (squares - 2.0 * product).max(0.0).sqrt();
        let finest = 2.0 * product / (apart + (squares + 2.0 * product).sqrt());
        Self {
            finest_log2: largest + libm::log2(finest),
            matrix: matrix.map(|row| row.map(|entry| entry / finest)),
            is_square,
        }
    }
}

/// A fraction of big integers, the denominator greater than zero.
type Fraction = (IBig, UBig);

/// A double as a fraction, exact.
fn fraction(value: f64) -> Fraction {
    let value = FloatExp::from_f64(value);
    let mantissa = IBig::from((value.mantissa() * (1u64 << 52) as f64) as i64);
    let power = value.exponent() - 52;
    let amount = usize::try_from(power.unsigned_abs()).unwrap_or(usize::MAX);
    if power >= 0 {
        (mantissa << amount, UBig::ONE)
    } else {
        (mantissa, UBig::ONE << amount)
    }
}

/// The coordinates of a turned view's samples: that of (column, row) is the sum of both, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAxes {
    /// Real and imaginary part of what a column adds: the centre's coordinates are in it.
    pub columns: [Axis; 2],
    /// Real and imaginary part of what a row adds.
    pub rows: [Axis; 2],
}

impl TurnedAxes {
    /// Of the axes that an upright view around `centre` has.
    pub(crate) fn new(
        transform: &Transform,
        (x, y): &(Axis, Axis),
        centre: &[Fraction; 2],
    ) -> Self {
        let none = (IBig::ZERO, UBig::ONE);
        let [across, up] = transform.matrix().map(|row| row.map(fraction));
        let [re, im] = centre;
        Self {
            columns: [x.mapped(re, &across[0], re), x.mapped(re, &up[0], im)],
            rows: [y.mapped(im, &across[1], &none), y.mapped(im, &up[1], &none)],
        }
    }

    /// The coordinate of a sample as `floor(value * 2^bits)`, real and imaginary part, for the oracle.
    #[must_use]
    pub fn fixed_point(&self, col: u32, row: u32, bits: usize) -> [IBig; 2] {
        [0, 1].map(|part| {
            let (a, b) = self.columns[part].fraction(col);
            let (c, d) = self.rows[part].fraction(row);
            let (b, d) = (IBig::from(b.clone()), IBig::from(d.clone()));
            crate::numbers::fraction::floor((a * &d + c * &b) << bits, &(b * d))
        })
    }
}

/// The middle of two numbers as a fraction.
pub(crate) fn middle(low: &Decimal, high: &Decimal) -> Fraction {
    low.middle(high).to_fraction()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(rotate: f64, stretch: f64, stretch_angle: f64) -> Transform {
        Transform {
            rotate,
            stretch,
            stretch_angle,
        }
    }

    #[test]
    fn quarter_turns_are_exact_and_anticlockwise() {
        for (degrees, matrix) in [
            (0.0, [[1.0, 0.0], [0.0, 1.0]]),
            (90.0, [[0.0, -1.0], [1.0, 0.0]]),
            (-180.0, [[-1.0, 0.0], [0.0, -1.0]]),
            (270.0, [[0.0, 1.0], [-1.0, 0.0]]),
            (999_990.0, [[0.0, 1.0], [-1.0, 0.0]]),
        ] {
            assert_eq!(turned(degrees, 0.0, 7.0).matrix(), matrix, "{degrees}");
        }
        assert!(turned(-720.0, 0.0, 7.0).is_identity());
        assert!(!turned(90.0, 0.0, 0.0).is_identity());
    }

    #[test]
    fn stretching_is_along_its_angle_and_before_turning() {
        assert_eq!(turned(0.0, 100.0, 0.0).matrix(), [[2.0, 0.0], [0.0, 0.5]]);
        assert_eq!(turned(0.0, 100.0, 90.0).matrix(), [[0.5, 0.0], [0.0, 2.0]]);
        assert_eq!(turned(0.0, -100.0, 0.0).matrix(), [[0.5, 0.0], [0.0, 2.0]]);
        assert_eq!(turned(90.0, 100.0, 0.0).matrix(), [[0.0, -0.5], [2.0, 0.0]]);
        let [[a, b], [c, d]] = turned(33.0, 250.0, 12.0).matrix();
        assert!((a * d - b * c - 1.0).abs() < 1e-12);
    }

    /// Kalles Fraktaler's own order, imaginary axis down, is ours upside down.
    #[test]
    fn numbers_of_kalles_fraktaler_show_what_they_show_there() {
        let (rotate, amount, angle) = (30.0, 0.5, 20.0);
        let ours = Transform::of_kalles_fraktaler(rotate, amount, angle);
        let product = |p: [[f64; 2]; 2], q: [[f64; 2]; 2]| {
            p.map(|row| [0, 1].map(|at| row[0] * q[0][at] + row[1] * q[1][at]))
        };
        // First turned, then stretched.
        let theirs = product(
            turned(0.0, 100.0 * amount, angle).matrix(),
            turned(rotate, 0.0, 0.0).matrix(),
        );
        let flipped = [[theirs[0][0], -theirs[0][1]], [-theirs[1][0], theirs[1][1]]];
        for (row, expected) in ours.matrix().iter().zip(flipped) {
            for (entry, expected) in row.iter().zip(expected) {
                assert!((entry - expected).abs() < 1e-14, "{:?}", ours.matrix());
            }
        }
        assert_eq!(ours.to_kalles_fraktaler(), (rotate, amount, angle));
        let bare = Transform::of_kalles_fraktaler(0.0, 0.0, 20.0);
        assert!(bare.is_default() && bare.rotate.is_sign_positive());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(turned(1e6, -1000.0, 0.0).check(), Ok(()));
        for wrong in [
            turned(f64::NAN, 0.0, 0.0),
            turned(0.0, f64::INFINITY, 0.0),
            turned(0.0, 1000.5, 0.0),
            turned(0.0, 1.0, -1.1e6),
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn shapes_know_their_finest_spacing() {
        let steps = [Some(-10.0); 2];
        let upright = Shape::new(&turned(12.0, 0.0, 0.0), steps);
        assert!(upright.is_square && upright.finest_log2 == -10.0);
        let long = Shape::new(&turned(12.0, 300.0, 40.0), steps);
        assert!(!long.is_square && (long.finest_log2 + 13.0).abs() < 1e-9);
        let [[a, b], [c, d]] = long.matrix;
        assert!(((a * d - b * c) / 64.0 - 1.0).abs() < 1e-9);
        // Pixels that are no squares before.
        let flat = Shape::new(&turned(45.0, 0.0, 0.0), [Some(-10.0), Some(-30.0)]);
        assert!(!flat.is_square && (flat.finest_log2 + 30.0).abs() < 1e-9);
        let row = Shape::new(&turned(45.0, 0.0, 0.0), [Some(-10.0), None]);
        assert!(row.is_square && row.finest_log2 == -10.0);
    }
}
