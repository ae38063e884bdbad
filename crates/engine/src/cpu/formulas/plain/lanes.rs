//! Some orbits side by side, and their steps: each operation is a loop over lanes that the compiler turns into vectors.

use super::program::{Plain, PlainPlan};
use crate::cpu::formulas::roundoff::UNIT;

/// Where `K` orbits are. Bounds are used only with `E`, derivatives only with `D`.
#[derive(Clone, Copy)]
pub(super) struct Lanes<const K: usize> {
    pub(super) x: [f64; K],
    pub(super) y: [f64; K],
    /// A bound of the error.
    pub(super) error: [f64; K],
    /// The Jacobian matrix, row by row.
    pub(super) slope: [[f64; K]; 4],
}

impl<const K: usize> Lanes<K> {
    pub(super) const IDLE: Self = Self {
        x: [0.0; K],
        y: [0.0; K],
        error: [0.0; K],
        slope: [[0.0; K]; 4],
    };

    /// Takes all lanes of `from`, of what is in use.
    #[inline(always)]
    pub(super) fn take<const E: bool, const D: bool>(&mut self, from: &Self) {
        (self.x, self.y) = (from.x, from.y);
        if E {
            self.error = from.error;
        }
        if D {
            self.slope = from.slope;
        }
    }

    #[inline(always)]
    pub(super) fn put<const J: usize>(&mut self, lane: usize, from: &Lanes<J>, of: usize) {
        self.x[lane] = from.x[of];
        self.y[lane] = from.y[of];
        self.error[lane] = from.error[of];
        for (own, other) in self.slope.iter_mut().zip(&from.slope) {
            own[lane] = other[of];
        }
    }
}

/// The c of `K` orbits.
#[derive(Clone, Copy)]
pub(super) struct Constants<const K: usize> {
    pub(super) x: [f64; K],
    pub(super) y: [f64; K],
}

#[inline(always)]
fn masked(value: f64, and: u64, xor: u64) -> f64 {
    f64::from_bits(value.to_bits() & and ^ xor)
}

/// One step of all lanes.
#[inline(always)]
fn step<const K: usize, const E: bool, const D: bool>(
    plan: &PlainPlan,
    phase: usize,
    z: &mut Lanes<K>,
    c: &Constants<K>,
    kept: &mut [Lanes<K>; 2],
) {
    let one = if plan.is_parameter { 1.0 } else { 0.0 };
    for operation in &plan.program[phase] {
        match *operation {
            Plain::Square => square::<K, E, D, false>(z, c, one),
            Plain::SquareAdd => square::<K, E, D, true>(z, c, one),
            Plain::Store(place) => kept[place].take::<E, D>(z),
            Plain::Multiply(place) => multiply::<K, E, D>(z, &kept[place]),
            Plain::Fold { and, xor } => fold::<K, D>(z, and, xor),
            Plain::Rotate(index) => {
                let [cos, sin] = plan.rotations[index];
                for i in 0..K {
                    let (x, y) = (z.x[i], z.y[i]);
                    z.x[i] = x.mul_add(cos, -(y * sin));
                    z.y[i] = x.mul_add(sin, y * cos);
                    if E {
                        z.error[i] +=
                            (x.abs() + y.abs()) * (8.0 * UNIT) + z.error[i] * (8.0 * UNIT);
                    }
                    if D {
                        for col in 0..2 {
                            let (a, b) = (z.slope[col][i], z.slope[2 + col][i]);
                            z.slope[col][i] = a * cos - b * sin;
                            z.slope[2 + col][i] = a * sin + b * cos;
                        }
                    }
                }
            }
            Plain::Add => {
                for i in 0..K {
                    z.x[i] += c.x[i];
                    z.y[i] += c.y[i];
                    if E {
                        let sizes = z.x[i].abs() + z.y[i].abs() + c.x[i].abs() + c.y[i].abs();
                        z.error[i] += sizes * (2.0 * UNIT);
                    }
                    if D {
                        z.slope[0][i] += one;
                        z.slope[3][i] += one;
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn square<const K: usize, const E: bool, const D: bool, const ADD: bool>(
    z: &mut Lanes<K>,
    c: &Constants<K>,
    one: f64,
) {
    if D {
        for i in 0..K {
            let (x, y) = (z.x[i] + z.x[i], z.y[i] + z.y[i]);
            for col in 0..2 {
                let (a, b) = (z.slope[col][i], z.slope[2 + col][i]);
                z.slope[col][i] = a * x - b * y;
                z.slope[2 + col][i] = a * y + b * x;
            }
            if ADD {
                z.slope[0][i] += one;
                z.slope[3][i] += one;
            }
        }
    }
    if E {
        for i in 0..K {
            let norm2 = z.x[i] * z.x[i] + z.y[i] * z.y[i];
            let size = norm2.sqrt();
            let mut error =
                (size + size + z.error[i]) * z.error[i] * (1.0 + 8.0 * UNIT) + norm2 * (6.0 * UNIT);
            if ADD {
                error += (c.x[i].abs() + c.y[i].abs()) * (3.0 * UNIT);
            }
            z.error[i] = error;
        }
    }
    for i in 0..K {
        let (x, y) = (z.x[i], z.y[i]);
        if ADD {
            z.x[i] = x.mul_add(x, (-y).mul_add(y, c.x[i]));
            z.y[i] = (x + x).mul_add(y, c.y[i]);
        } else {
            z.x[i] = x.mul_add(x, -(y * y));
            z.y[i] = (x + x) * y;
        }
    }
}

#[inline(always)]
fn multiply<const K: usize, const E: bool, const D: bool>(z: &mut Lanes<K>, stored: &Lanes<K>) {
    for i in 0..K {
        let (x, y, a, b) = (z.x[i], z.y[i], stored.x[i], stored.y[i]);
        if D {
            for col in 0..2 {
                let (own, below) = (z.slope[col][i], z.slope[2 + col][i]);
                let (other, under) = (stored.slope[col][i], stored.slope[2 + col][i]);
                z.slope[col][i] = (a * own - b * below) + (x * other - y * under);
                z.slope[2 + col][i] = (a * below + b * own) + (x * under + y * other);
            }
        }
        if E {
            let size = (x * x + y * y).sqrt();
            let other = (a * a + b * b).sqrt();
            let error = size * stored.error[i]
                + (other + stored.error[i]) * z.error[i]
                + size * other * (8.0 * UNIT);
            z.error[i] = error * (1.0 + 8.0 * UNIT);
        }
        z.x[i] = x.mul_add(a, -(y * b));
        z.y[i] = x.mul_add(b, y * a);
    }
}

#[inline(always)]
fn fold<const K: usize, const D: bool>(z: &mut Lanes<K>, and: [u64; 2], xor: [u64; 2]) {
    if D {
        for i in 0..K {
            for (row, part) in [z.x[i], z.y[i]].into_iter().enumerate() {
                // Whether the sign of the part is another one than before.
                let turned = (part.to_bits() ^ (part.to_bits() & and[row] ^ xor[row])) & SIGN;
                for col in 0..2 {
                    let slope = &mut z.slope[2 * row + col][i];
                    *slope = f64::from_bits(slope.to_bits() ^ turned);
                }
            }
        }
    }
    for i in 0..K {
        z.x[i] = masked(z.x[i], and[0], xor[0]);
        z.y[i] = masked(z.y[i], and[1], xor[1]);
    }
}

const SIGN: u64 = 1 << 63;

/// `steps` steps of all lanes from step `from` on.
#[inline(always)]
pub(super) fn advance<const K: usize, const E: bool, const D: bool>(
    plan: &PlainPlan,
    from: u64,
    steps: u64,
    z: &mut Lanes<K>,
    c: &Constants<K>,
) {
    let phases = plan.program.len() as u64;
    if phases == 1 && !E && !D {
        // The commonest formulas stay in registers.
        match plan.program[0][..] {
            [Plain::SquareAdd] => return repeat::<K>(steps, z, c, [u64::MAX; 2], [0; 2]),
            [Plain::Fold { and, xor }, Plain::SquareAdd] => {
                return repeat::<K>(steps, z, c, and, xor);
            }
            _ => {}
        }
    }
    let mut phase = (from % phases) as usize;
    let mut kept = [Lanes::IDLE; 2];
    for _ in 0..steps {
        step::<K, E, D>(plan, phase, z, c, &mut kept);
        phase += 1;
        if phase as u64 == phases {
            phase = 0;
        }
    }
}

/// Steps of a fold and z² + c. The square of the real part does not see folds.
#[inline(always)]
fn repeat<const K: usize>(
    steps: u64,
    z: &mut Lanes<K>,
    c: &Constants<K>,
    and: [u64; 2],
    xor: [u64; 2],
) {
    let (mut zx, mut zy, cx, cy) = (z.x, z.y, c.x, c.y);
    for _ in 0..steps {
        for i in 0..K {
            let (x, y) = (masked(zx[i], and[0], xor[0]), masked(zy[i], and[1], xor[1]));
            zx[i] = x.mul_add(x, (-y).mul_add(y, cx[i]));
            zy[i] = (x + x).mul_add(y, cy[i]);
        }
    }
    (z.x, z.y) = (zx, zy);
}
