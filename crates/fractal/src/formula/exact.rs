//! A formula in integers: what everything else is tested against.

use dashu_int::IBig;

use super::iterated::Formula;
use super::numbers::{Fold, Numbers};
use super::rotation::rotation;
use crate::numbers::fraction::floor;
use crate::numbers::fraction::from_f64;
use crate::picture::frame::FrameSpec;

/// Fixed point of so many fractional bits: each operation rounds down by less than two units.
pub(in crate::formula) struct Fixed {
    pub(in crate::formula) bits: usize,
    pub(in crate::formula) c: [IBig; 2],
    rotations: Vec<[IBig; 2]>,
}

impl Fixed {
    pub(in crate::formula) fn new(formula: &Formula, c: [IBig; 2], bits: usize) -> Self {
        let rotations = (formula.rotations()).map(|degrees| rotation(degrees, bits));
        Self {
            bits,
            c,
            rotations: rotations.collect(),
        }
    }

    /// Cosine and sine of an angle.
    pub(in crate::formula) fn rotation(&self, index: usize) -> &[IBig; 2] {
        &self.rotations[index]
    }

    fn product(&self, [a, b]: &[IBig; 2], [x, y]: &[IBig; 2]) -> [IBig; 2] {
        [(a * x - b * y) >> self.bits, (a * y + b * x) >> self.bits]
    }
}

/// `z` folded.
pub(in crate::formula) fn folded([x, y]: [IBig; 2], fold: Fold) -> [IBig; 2] {
    let modulus = |value: IBig| if value < IBig::ZERO { -value } else { value };
    match fold {
        Fold::AbsX => [modulus(x), y],
        Fold::AbsY => [x, modulus(y)],
        Fold::NegX => [-x, y],
        Fold::NegY => [x, -y],
    }
}

impl Numbers for Fixed {
    type Value = [IBig; 2];

    fn square(&mut self, [x, y]: [IBig; 2]) -> [IBig; 2] {
        let re = (&x + &y) * (&x - &y);
        let im = (x * y) << 1;
        [re >> self.bits, im >> self.bits]
    }

    fn multiply(&mut self, z: [IBig; 2], stored: &[IBig; 2]) -> [IBig; 2] {
        self.product(&z, stored)
    }

    fn fold(&mut self, z: [IBig; 2], fold: Fold) -> [IBig; 2] {
        folded(z, fold)
    }

    fn rotate(&mut self, z: [IBig; 2], index: usize) -> [IBig; 2] {
        self.product(&z, &self.rotations[index])
    }

    fn add(&mut self, [x, y]: [IBig; 2]) -> [IBig; 2] {
        let [re, im] = &self.c;
        [x + re, y + im]
    }
}

/// A sample's point of the plane in fixed point.
pub(in crate::formula) fn point(frame: &FrameSpec, col: u32, row: u32, bits: usize) -> [IBig; 2] {
    match frame.turned_axes() {
        Some(axes) => axes.fixed_point(col, row, bits),
        None => {
            let (columns, rows) = frame.axes();
            [columns.fixed_point(col, bits), rows.fixed_point(row, bits)]
        }
    }
}

/// z_0 and c of the orbit that belongs to a point of the plane, in fixed point.
pub(in crate::formula) fn start(
    frame: &FrameSpec,
    point: [IBig; 2],
    bits: usize,
) -> [[IBig; 2]; 2] {
    match &frame.julia {
        Some(c) => {
            let part = |value: &crate::Decimal| {
                let (numerator, denominator) = value.to_fraction();
                floor(numerator << bits, &denominator.into())
            };
            [point, [part(&c[0]), part(&c[1])]]
        }
        None => {
            let z0 = [frame.z0.0, frame.z0.1].map(|part| from_f64(part, bits));
            [z0, point]
        }
    }
}

/// The iteration count of a pixel, 0 when it does not escape within the limit, by plain iteration in integers of so many
/// fractional bits.
#[must_use]
pub fn iteration_count_in(frame: &FrameSpec, col: u32, row: u32, bits: usize) -> u64 {
    let [mut z, c] = start(frame, point(frame, col, row, bits), bits);
    let mut fixed = Fixed::new(&frame.formula, c, bits);
    let limit = {
        let radius = from_f64(frame.escape_radius, bits);
        &radius * &radius
    };
    for n in 1..=frame.iterations {
        z = frame.formula.phase(n - 1).apply(&mut fixed, z);
        if &z[0] * &z[0] + &z[1] * &z[1] > limit {
            return n;
        }
    }
    0
}
