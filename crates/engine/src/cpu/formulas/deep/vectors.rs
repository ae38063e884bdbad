//! A step of the formula in deltas of some pixels side by side: what [`super::delta`] makes of one, operation by operation and to
//! the same bits. Each is a loop over lanes that the compiler turns into vectors.

use fractal::formula::{Fold, Instruction};

use crate::cpu::formulas::roundoff::UNIT;

/// Pixels side by side: more than a vector holds, so that one's latency is another's time.
pub(super) const LANES: usize = 16;

pub(super) type Vector = [f64; LANES];

/// Deltas in a step.
#[derive(Clone, Copy)]
pub(super) struct Deltas {
    /// The orbits' values, of the last tap.
    pub(super) big: [Vector; 2],
    pub(super) z: [Vector; 2],
    /// Bounds of their errors; only if `E`.
    pub(super) error: Vector,
}

impl Deltas {
    pub(super) fn new() -> Self {
        Self {
            big: [[0.0; LANES]; 2],
            z: [[0.0; LANES]; 2],
            error: [0.0; LANES],
        }
    }
}

/// What a step's deltas are made with. `E`: with a bound of their error.
pub(super) struct Step<'a, const E: bool> {
    pub(super) instructions: &'a [Instruction],
    pub(super) values: &'a [[f64; 2]],
    pub(super) is_parameter: bool,
    pub(super) c_error: f64,
    pub(super) rotations: &'a [[f64; 2]],
    pub(super) kept: [Deltas; 2],
}

/// The values of all lanes, so many after where they are.
#[inline(always)]
pub(super) fn read(values: &[[f64; 2]], at: &[usize; LANES], after: usize) -> [Vector; 2] {
    let mut read = [[0.0; LANES]; 2];
    for i in 0..LANES {
        let [x, y] = values[at[i] + after];
        (read[0][i], read[1][i]) = (x, y);
    }
    read
}

#[inline(always)]
fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

#[inline(always)]
pub(super) fn sum(x: f64, y: f64) -> f64 {
    x.abs() + y.abs()
}

impl<const E: bool> Step<'_, E> {
    /// One step of all lanes, whose orbits' values begin at `at`. The first of them are there already.
    #[inline(always)]
    pub(super) fn apply(&mut self, of: &mut Deltas, at: &[usize; LANES], c: &[Vector; 2]) {
        let mut next = 1;
        for instruction in self.instructions {
            match *instruction {
                Instruction::Tap => {
                    of.big = read(self.values, at, next);
                    next += 1;
                }
                Instruction::Square => Self::square(of),
                Instruction::Store(place) => self.kept[place] = *of,
                Instruction::Multiply(place) => Self::multiply(of, &self.kept[place]),
                Instruction::Fold(fold) => Self::fold(of, fold),
                Instruction::Rotate(index) => Self::rotate(of, self.rotations[index]),
                Instruction::Add => self.add(of, c),
            }
        }
    }

    #[inline(always)]
    fn square(of: &mut Deltas) {
        for i in 0..LANES {
            let (a, b, x, y) = (of.big[0][i], of.big[1][i], of.z[0][i], of.z[1][i]);
            let (whole_x, whole_y) = (a + x, b + y);
            let (twice_x, twice_y) = (whole_x + a, whole_y + b);
            of.z[0][i] = twice_x * x - twice_y * y;
            of.z[1][i] = twice_x * y + twice_y * x;
            if E {
                let whole = length(whole_x, whole_y);
                let rounding = (sum(a, b) + whole) * sum(x, y) * (8.0 * UNIT);
                of.error[i] = (whole + whole + of.error[i]) * of.error[i] + rounding;
            }
        }
    }

    #[inline(always)]
    fn multiply(of: &mut Deltas, kept: &Deltas) {
        for i in 0..LANES {
            let (a, b, x, y) = (of.big[0][i], of.big[1][i], of.z[0][i], of.z[1][i]);
            let (s, t, p, q) = (kept.big[0][i], kept.big[1][i], kept.z[0][i], kept.z[1][i]);
            let (other_x, other_y) = (s + p, t + q);
            of.z[0][i] = (a * p - b * q) + (other_x * x - other_y * y);
            of.z[1][i] = (a * q + b * p) + (other_x * y + other_y * x);
            if E {
                let (error, beside) = (of.error[i], kept.error[i]);
                let sizes = sum(a, b) * sum(p, q) + (sum(s, t) + sum(other_x, other_y)) * sum(x, y);
                of.error[i] = length(a + x, b + y) * beside
                    + (length(other_x, other_y) + beside) * error
                    + sizes * (8.0 * UNIT);
            }
        }
    }

    #[inline(always)]
    fn fold(of: &mut Deltas, fold: Fold) {
        let row = usize::from(matches!(fold, Fold::AbsY | Fold::NegY));
        let (bigs, parts) = (of.big[row], of.z[row]);
        if matches!(fold, Fold::NegX | Fold::NegY) {
            for i in 0..LANES {
                (of.big[row][i], of.z[row][i]) = (-bigs[i], -parts[i]);
            }
            return;
        }
        for i in 0..LANES {
            let (big, z) = (bigs[i], parts[i]);
            let whole = big + z;
            let crosses = (big < 0.0) ^ (whole < 0.0);
            let part = if crosses { big + whole } else { z };
            of.big[row][i] = big.abs();
            of.z[row][i] = if whole < 0.0 { -part } else { part };
            if E {
                let more = of.error[i] + big.abs() * (8.0 * UNIT);
                let is_near = crosses | (whole.abs() <= more);
                of.error[i] = if is_near { more } else { of.error[i] };
            }
        }
    }

    #[inline(always)]
    fn rotate(of: &mut Deltas, [cos, sin]: [f64; 2]) {
        for i in 0..LANES {
            let (x, y) = (of.z[0][i], of.z[1][i]);
            of.z[0][i] = cos * x - sin * y;
            of.z[1][i] = cos * y + sin * x;
            if E {
                of.error[i] = of.error[i] * (1.0 + 8.0 * UNIT) + sum(x, y) * (8.0 * UNIT);
            }
        }
    }

    #[inline(always)]
    fn add(&self, of: &mut Deltas, c: &[Vector; 2]) {
        if !self.is_parameter {
            return;
        }
        for (i, (re, im)) in c[0].iter().zip(&c[1]).enumerate() {
            of.z[0][i] += re;
            of.z[1][i] += im;
            if E {
                let sizes = sum(of.z[0][i], of.z[1][i]);
                of.error[i] = of.error[i] + self.c_error + sizes * (2.0 * UNIT);
            }
        }
    }
}
