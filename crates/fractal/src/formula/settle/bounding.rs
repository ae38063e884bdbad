//! Long numbers with a bound of their error, and a derivative.

use dashu_int::IBig;

use super::super::exact::Fixed;
use super::super::numbers::{Fold, Numbers};
use super::super::references::rounded;
use super::super::slope::Jacobian;
use super::limbs::{LimbNumbers, Limbs};
use crate::numbers::floatexp::FloatExp;
use crate::picture::frame::FrameSpec;

/// Numbers whose operations round by a known amount at most.
pub(super) trait Long: Numbers {
    /// Real and imaginary part as doubles, off by less than 2^-50 of themselves.
    fn parts(&self, z: &Self::Value) -> [f64; 2];
    /// log2 of a unit: half a dozen of them are more than what an operation rounds by, c and the angles included.
    fn unit_log2(&self) -> i32;
    /// What an operation rounds by in units, where its result is this large.
    fn rounding(&self, size: f64) -> f64;
    /// c
    fn constant(&self) -> [f64; 2];
    /// Cosine and sine of an angle.
    fn turn(&self, index: usize) -> [f64; 2];
}

/// More than what an operation of fixed point is off by, in units of the last place: of both parts, c cut off.
const FIXED_UNITS: f64 = 16.0;

fn log2_of(bits: usize) -> i32 {
    -i32::try_from(bits).unwrap_or(i32::MAX)
}

impl Long for Fixed {
    fn parts(&self, z: &[IBig; 2]) -> [f64; 2] {
        [&z[0], &z[1]].map(|part| rounded(part, self.bits).to_f64())
    }
    fn unit_log2(&self) -> i32 {
        log2_of(self.bits)
    }
    fn rounding(&self, _: f64) -> f64 {
        FIXED_UNITS
    }
    fn constant(&self) -> [f64; 2] {
        self.parts(&self.c)
    }
    fn turn(&self, index: usize) -> [f64; 2] {
        self.parts(self.rotation(index))
    }
}

impl<const N: usize> Long for LimbNumbers<N> {
    #[inline(always)]
    fn parts(&self, z: &[Limbs<N>; 2]) -> [f64; 2] {
        [z[0].to_f64(), z[1].to_f64()]
    }
    #[inline(always)]
    fn unit_log2(&self) -> i32 {
        log2_of(Limbs::<N>::BITS)
    }
    #[inline(always)]
    fn rounding(&self, _: f64) -> f64 {
        FIXED_UNITS
    }
    fn constant(&self) -> [f64; 2] {
        self.parts(&self.c)
    }
    fn turn(&self, index: usize) -> [f64; 2] {
        self.parts(self.rotation(index))
    }
}

/// Doubles, for the last steps of an orbit that escapes.
pub(super) struct Doubles {
    c: [f64; 2],
    turns: Vec<[f64; 2]>,
}

impl Doubles {
    fn product([a, b]: [f64; 2], [x, y]: [f64; 2]) -> [f64; 2] {
        [a * x - b * y, a * y + b * x]
    }
}

impl Numbers for Doubles {
    type Value = [f64; 2];

    fn square(&mut self, z: [f64; 2]) -> [f64; 2] {
        Self::product(z, z)
    }
    fn multiply(&mut self, z: [f64; 2], stored: &[f64; 2]) -> [f64; 2] {
        Self::product(z, *stored)
    }
    fn fold(&mut self, [x, y]: [f64; 2], fold: Fold) -> [f64; 2] {
        match fold {
            Fold::AbsX => [x.abs(), y],
            Fold::AbsY => [x, y.abs()],
            Fold::NegX => [-x, y],
            Fold::NegY => [x, -y],
        }
    }
    fn rotate(&mut self, z: [f64; 2], index: usize) -> [f64; 2] {
        Self::product(z, self.turns[index])
    }
    fn add(&mut self, [x, y]: [f64; 2]) -> [f64; 2] {
        [x + self.c[0], y + self.c[1]]
    }
}

impl Long for Doubles {
    fn parts(&self, z: &[f64; 2]) -> [f64; 2] {
        *z
    }
    fn unit_log2(&self) -> i32 {
        -53
    }
    /// Sixteen roundings of the result, of what it is a difference of, or of c.
    fn rounding(&self, size: f64) -> f64 {
        16.0 * (size + self.c[0].abs() + self.c[1].abs())
    }
    fn constant(&self) -> [f64; 2] {
        self.c
    }
    fn turn(&self, index: usize) -> [f64; 2] {
        self.turns[index]
    }
}

/// A value with a bound of its error.
#[derive(Clone)]
pub(super) struct Bounded<Z> {
    z: Z,
    /// |z|, a little more.
    pub(super) size: f64,
    parts: [f64; 2],
    /// How far z may be from where it belongs, in units.
    error: f64,
    /// dz/dpoint in its own unit.
    slope: [[f64; 2]; 2],
}

/// Numbers with bounds and derivatives.
pub(super) struct Bounding<L> {
    inner: L,
    /// log2 of the unit of bounds; it grows with them.
    unit_log2: i32,
    /// The same as a number, of at least the smallest.
    unit: f64,
    /// What a rounding of the numbers' own unit is in that of bounds.
    share: f64,
    /// log2 of the unit of derivatives.
    slope_log2: i32,
    /// 1 in that unit; 0 where points of the plane are values of z_0.
    one: f64,
    is_parameter: bool,
    differs: bool,
}

/// Slightly over 1: the rounding of a bound's own arithmetic.
const ABOVE: f64 = 1.0 + 1.0 / (1u64 << 40) as f64;
/// log2 of what bounds and derivatives are divided by once they are over [`LARGE`].
const RESCALE_LOG2: i32 = 600;
const LARGE: f64 = f64::from_bits((1023 + 640) << 52);

fn product(a: [[f64; 2]; 2], b: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    let entry = |row: usize, col: usize| a[row][0] * b[0][col] + a[row][1] * b[1][col];
    [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
}

fn matrix([x, y]: [f64; 2]) -> [[f64; 2]; 2] {
    [[x, -y], [y, x]]
}

impl<const N: usize> Bounded<[Limbs<N>; 2]> {
    /// With fewer limbs; [`Bounding::narrowed`] takes the cut in at the next operation.
    pub(super) fn narrowed<const M: usize>(self) -> Bounded<[Limbs<M>; 2]> {
        // What is cut off is less than the bound by far: a millionth of it.
        Bounded {
            z: self.z.map(|part| part.narrowed()),
            size: self.size,
            parts: self.parts,
            error: self.error * (1.0 + 1.0 / (1u64 << 20) as f64),
            slope: self.slope,
        }
    }
}

impl<const N: usize> Bounding<LimbNumbers<N>> {
    /// With fewer limbs, in the same unit.
    pub(super) fn narrowed<const M: usize>(self) -> Bounding<LimbNumbers<M>> {
        let log2 = self.unit_log2;
        let mut made = Bounding {
            inner: self.inner.narrowed(),
            unit_log2: log2,
            unit: self.unit,
            share: 1.0,
            slope_log2: self.slope_log2,
            one: self.one,
            is_parameter: self.is_parameter,
            differs: self.differs,
        };
        made.set_unit(log2);
        made
    }
}

impl<L: Long> Bounding<L> {
    pub(super) fn new(inner: L, frame: &FrameSpec) -> Self {
        let mut made = Self {
            unit_log2: inner.unit_log2(),
            inner,
            unit: 0.0,
            share: 1.0,
            slope_log2: 0,
            one: 1.0,
            is_parameter: frame.julia.is_none(),
            differs: false,
        };
        made.set_unit(made.unit_log2);
        made
    }

    fn set_unit(&mut self, log2: i32) {
        self.unit_log2 = log2;
        self.unit = libm::scalbn(1.0, log2).max(f64::MIN_POSITIVE);
        self.share = libm::scalbn(1.0, self.inner.unit_log2() - log2).max(f64::MIN_POSITIVE);
    }

    /// z_0, cut off; `differs`: with its derivative.
    pub(super) fn start(&mut self, z0: L::Value, differs: bool) -> Bounded<L::Value> {
        self.differs = differs;
        let own = if self.is_parameter { 0.0 } else { 1.0 };
        let parts = self.inner.parts(&z0);
        Bounded {
            z: z0,
            size: size_of(parts),
            parts,
            error: FIXED_UNITS,
            slope: [[own, 0.0], [0.0, own]],
        }
    }

    /// A bound of how far a value may be from where it belongs.
    pub(super) fn error(&self, of: &Bounded<L::Value>) -> f64 {
        of.error * self.unit
    }

    /// log2 of the same.
    pub(super) fn error_log2(&self, of: &Bounded<L::Value>) -> f64 {
        libm::log2(of.error) + f64::from(self.unit_log2)
    }

    pub(super) fn parts(&self, of: &Bounded<L::Value>) -> [f64; 2] {
        of.parts
    }

    /// The derivative, where there is one.
    pub(super) fn jacobian(&self, of: &Bounded<L::Value>) -> Option<Jacobian> {
        let entry = |value: f64| FloatExp::new(value, self.slope_log2.into());
        self.differs.then(|| of.slope.map(|row| row.map(entry)))
    }

    /// Between two steps: in a larger unit where bounds or derivatives are about to leave their range.
    #[inline(always)]
    pub(super) fn rescaled(&mut self, mut of: Bounded<L::Value>) -> Bounded<L::Value> {
        if of.error > LARGE {
            self.set_unit(self.unit_log2 + RESCALE_LOG2);
            of.error = libm::scalbn(of.error, -RESCALE_LOG2);
        }
        if self.differs && of.slope.iter().flatten().any(|entry| entry.abs() > LARGE) {
            self.slope_log2 += RESCALE_LOG2;
            self.one = libm::scalbn(self.one, -RESCALE_LOG2);
            of.slope = of
                .slope
                .map(|row| row.map(|entry| libm::scalbn(entry, -RESCALE_LOG2)));
        }
        of
    }

    /// The same value to go on in doubles.
    pub(super) fn in_doubles(
        self,
        frame: &FrameSpec,
        at: &Bounded<L::Value>,
    ) -> (Bounding<Doubles>, Bounded<[f64; 2]>) {
        let turns = frame.formula.rotations().count();
        let inner = Doubles {
            c: self.inner.constant(),
            turns: (0..turns).map(|index| self.inner.turn(index)).collect(),
        };
        let error = at.error * self.unit;
        let mut made = Bounding {
            unit_log2: inner.unit_log2(),
            inner,
            unit: 0.0,
            share: 1.0,
            slope_log2: self.slope_log2,
            one: self.one,
            is_parameter: self.is_parameter,
            differs: self.differs,
        };
        made.set_unit(made.unit_log2);
        let parts = at.parts;
        let bounded = Bounded {
            z: parts,
            size: at.size,
            parts,
            error: error / made.unit * ABOVE + made.inner.rounding(at.size),
            slope: at.slope,
        };
        (made, bounded)
    }

    #[inline(always)]
    fn bounded(&self, z: L::Value, error: f64, slope: [[f64; 2]; 2]) -> Bounded<L::Value> {
        let parts = self.inner.parts(&z);
        let size = size_of(parts);
        Bounded {
            error: (error + self.inner.rounding(size) * self.share) * ABOVE,
            z,
            size,
            parts,
            slope,
        }
    }
}

#[inline(always)]
fn size_of([x, y]: [f64; 2]) -> f64 {
    (x * x + y * y).sqrt() * (1.0 + 8.0 * f64::EPSILON)
}

impl<L: Long> Numbers for Bounding<L> {
    type Value = Bounded<L::Value>;

    /// (z + e)² - z² = (2 z + e) e
    #[inline(always)]
    fn square(&mut self, of: Bounded<L::Value>) -> Bounded<L::Value> {
        let slope = if self.differs {
            let double = matrix(of.parts.map(|part| part + part));
            product(double, of.slope)
        } else {
            of.slope
        };
        let error = (of.size + of.size + of.error * self.unit) * of.error;
        let z = self.inner.square(of.z);
        self.bounded(z, error, slope)
    }

    #[inline(always)]
    fn multiply(&mut self, of: Bounded<L::Value>, stored: &Bounded<L::Value>) -> Bounded<L::Value> {
        let slope = if self.differs {
            let (ours, other) = (
                product(matrix(stored.parts), of.slope),
                product(matrix(of.parts), stored.slope),
            );
            [0, 1].map(|row| [0, 1].map(|col| ours[row][col] + other[row][col]))
        } else {
            of.slope
        };
        let error = of.size * stored.error + (stored.size + stored.error * self.unit) * of.error;
        let z = self.inner.multiply(of.z, &stored.z);
        self.bounded(z, error, slope)
    }

    /// No fold moves two points farther apart.
    #[inline(always)]
    fn fold(&mut self, of: Bounded<L::Value>, fold: Fold) -> Bounded<L::Value> {
        let row = usize::from(matches!(fold, Fold::AbsY | Fold::NegY));
        let turns = match fold {
            Fold::AbsX | Fold::AbsY => of.parts[row] < 0.0,
            Fold::NegX | Fold::NegY => true,
        };
        let (mut slope, mut parts) = (of.slope, of.parts);
        if turns {
            slope[row] = slope[row].map(|entry| -entry);
            parts[row] = -parts[row];
        }
        Bounded {
            z: self.inner.fold(of.z, fold),
            slope,
            parts,
            ..of
        }
    }

    #[inline(always)]
    fn rotate(&mut self, of: Bounded<L::Value>, index: usize) -> Bounded<L::Value> {
        let slope = product(matrix(self.inner.turn(index)), of.slope);
        // The angle's own rounding, times |z|.
        let error = of.error + (of.size + of.error * self.unit) * FIXED_UNITS * self.share;
        let z = self.inner.rotate(of.z, index);
        self.bounded(z, error, slope)
    }

    #[inline(always)]
    fn add(&mut self, of: Bounded<L::Value>) -> Bounded<L::Value> {
        let mut slope = of.slope;
        if self.is_parameter {
            slope[0][0] += self.one;
            slope[1][1] += self.one;
        }
        let z = self.inner.add(of.z);
        self.bounded(z, of.error, slope)
    }
}
