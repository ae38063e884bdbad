//! Orbits of any formula in doubles, some vectors of them side by side.
//!
//! Each operation is a loop over lanes that the compiler turns into vectors of the instruction set at hand. No orbit depends on
//! its neighbours, and fused operations are the same everywhere: so are the bytes.
//!
//! Orbits are looked at once a block of steps. What has left the escape radius by then goes back to where the block began,
//! and makes it again step by step beside others like it.

use fractal::Formula;

use super::linear::UNIT;
use super::program::{Plain, program, stays_outside};

/// Steps of a block, at least; it has whole rounds of the phases.
const BLOCK: u64 = 16;

/// What a frame asks of the kernel.
pub(super) struct PlainPlan {
    program: Vec<Vec<Plain>>,
    pub(super) rotations: Vec<[f64; 2]>,
    pub(super) limit: u64,
    pub(super) radius: f64,
    /// Steps between two looks.
    block: u64,
    is_parameter: bool,
}

impl PlainPlan {
    pub(super) fn new(
        formula: &Formula,
        rotations: Vec<[f64; 2]>,
        limit: u64,
        radius: f64,
        c_max: f64,
        is_parameter: bool,
    ) -> Self {
        let phases = formula.phases().len() as u64;
        Self {
            program: program(formula),
            rotations,
            limit,
            radius,
            // Orbits that may come back are looked at in each step.
            block: if stays_outside(formula, radius, c_max) {
                BLOCK.next_multiple_of(phases)
            } else {
                1
            },
            is_parameter,
        }
    }

    /// Whether the steps of a block are whole rounds of the phases: then it ends where it began.
    fn is_round(&self) -> bool {
        self.block.is_multiple_of(self.program.len() as u64)
    }
}

/// A pixel to be computed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlainPixel {
    pub(super) z: [f64; 2],
    pub(super) c: [f64; 2],
}

/// How its orbit ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlainEnd {
    /// Steps to its escape, 0 where it made none.
    pub(super) count: u64,
    /// Whether that is certain.
    pub(super) is_certain: bool,
    pub(super) z: [f64; 2],
    pub(super) slope: [f64; 4],
}

/// Where `K` orbits are. Bounds are used only with `E`, derivatives only with `D`.
#[derive(Clone, Copy)]
struct Lanes<const K: usize> {
    x: [f64; K],
    y: [f64; K],
    /// A bound of the error.
    error: [f64; K],
    /// The Jacobian matrix, row by row.
    slope: [[f64; K]; 4],
}

impl<const K: usize> Lanes<K> {
    const IDLE: Self = Self {
        x: [0.0; K],
        y: [0.0; K],
        error: [0.0; K],
        slope: [[0.0; K]; 4],
    };

    /// Takes all lanes of `from`, of what is in use.
    #[inline(always)]
    fn take<const E: bool, const D: bool>(&mut self, from: &Self) {
        (self.x, self.y) = (from.x, from.y);
        if E {
            self.error = from.error;
        }
        if D {
            self.slope = from.slope;
        }
    }

    #[inline(always)]
    fn put<const J: usize>(&mut self, lane: usize, from: &Lanes<J>, of: usize) {
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
struct Constants<const K: usize> {
    x: [f64; K],
    y: [f64; K],
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
fn advance<const K: usize, const E: bool, const D: bool>(
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

/// Whether lanes are within the radius, for certain where `E`.
#[inline(always)]
fn is_within<const E: bool>(radius: f64, x: f64, y: f64, error: f64) -> bool {
    let norm2 = x * x + y * y;
    if E {
        norm2.sqrt() * (1.0 + NEAR) + error < radius
    } else {
        norm2 <= radius * radius
    }
}

/// Share of the radius by which rounding may be off.
const NEAR: f64 = 1.0 / (1u64 << 40) as f64;

/// Orbits that wait to be traced: where their block began.
struct Waiting<const K: usize> {
    z: Lanes<K>,
    c: Constants<K>,
    n: [u64; K],
    index: [usize; K],
    len: usize,
}

impl<const K: usize> Waiting<K> {
    /// Makes their block again step by step, and writes where each has left the radius.
    #[inline(always)]
    fn trace<const E: bool, const D: bool>(&mut self, plan: &PlainPlan, ends: &mut [PlainEnd]) {
        let mut open = [false; K];
        open[..self.len].fill(true);
        // Those that never leave it for certain are left unsettled.
        for lane in 0..self.len {
            ends[self.index[lane]] = PlainEnd::default();
        }
        for passed in 0..plan.block {
            advance::<K, E, D>(plan, passed, 1, &mut self.z, &self.c);
            for lane in 0..self.len {
                if !open[lane] {
                    continue;
                }
                let (x, y, error) = (self.z.x[lane], self.z.y[lane], self.z.error[lane]);
                if is_within::<E>(plan.radius, x, y, error) {
                    continue;
                }
                open[lane] = false;
                let n = self.n[lane] + passed + 1;
                let norm2 = x * x + y * y;
                let is_beyond = !E || norm2.sqrt() * (1.0 - NEAR) - error > plan.radius;
                ends[self.index[lane]] = if n > plan.limit {
                    PlainEnd {
                        is_certain: true,
                        ..PlainEnd::default()
                    }
                } else {
                    PlainEnd {
                        count: n,
                        is_certain: is_beyond,
                        z: [x, y],
                        slope: [0, 1, 2, 3].map(|entry| self.z.slope[entry][lane]),
                    }
                };
            }
        }
        self.len = 0;
    }
}

/// Computes the ends of some pixels, `K` at a time; `false` if cancelled. `ends` is as long as `pixels`.
#[inline(always)]
pub(super) fn compute<const K: usize, const E: bool, const D: bool>(
    plan: &PlainPlan,
    pixels: &[PlainPixel],
    ends: &mut [PlainEnd],
    goes_on: &dyn Fn() -> bool,
) -> bool {
    if plan.is_round() {
        rounds::<K, E, D>(plan, pixels, ends, goes_on)
    } else {
        one_by_one::<E, D>(plan, pixels, ends, goes_on)
    }
}

/// Orbits that may come back: looked at in each step, one after the other.
#[inline(always)]
pub(super) fn one_by_one<const E: bool, const D: bool>(
    plan: &PlainPlan,
    pixels: &[PlainPixel],
    ends: &mut [PlainEnd],
    goes_on: &dyn Fn() -> bool,
) -> bool {
    for (pixel, end) in pixels.iter().zip(ends) {
        let (mut z, c) = (start::<1>(plan, pixel), constants::<1>(pixel));
        *end = PlainEnd {
            is_certain: true,
            ..PlainEnd::default()
        };
        for n in 1..=plan.limit {
            if n.is_multiple_of(1 << 16) && !goes_on() {
                return false;
            }
            advance::<1, E, D>(plan, n - 1, 1, &mut z, &c);
            let (x, y, error) = (z.x[0], z.y[0], z.error[0]);
            if !is_within::<E>(plan.radius, x, y, error) {
                let beyond = (x * x + y * y).sqrt() * (1.0 - NEAR) - error;
                *end = PlainEnd {
                    count: n,
                    is_certain: !E || beyond > plan.radius,
                    z: [x, y],
                    slope: z.slope.map(|entry| entry[0]),
                };
                break;
            }
            end.z = [x, y];
        }
    }
    goes_on()
}

#[inline(always)]
fn start<const K: usize>(plan: &PlainPlan, pixel: &PlainPixel) -> Lanes<K> {
    let [x, y] = pixel.z;
    let one = if plan.is_parameter { 0.0 } else { 1.0 };
    Lanes {
        x: [x; K],
        y: [y; K],
        // A point of the plane is rounded to nearest; a start value is what it is.
        error: [(x.abs() + y.abs()) * UNIT * one; K],
        slope: [[one; K], [0.0; K], [0.0; K], [one; K]],
    }
}

#[inline(always)]
fn constants<const K: usize>(pixel: &PlainPixel) -> Constants<K> {
    Constants {
        x: [pixel.c[0]; K],
        y: [pixel.c[1]; K],
    }
}

#[inline(always)]
fn rounds<const K: usize, const E: bool, const D: bool>(
    plan: &PlainPlan,
    pixels: &[PlainPixel],
    ends: &mut [PlainEnd],
    goes_on: &dyn Fn() -> bool,
) -> bool {
    const NONE: usize = usize::MAX;
    let mut z = Lanes::<K>::IDLE;
    let mut c = Constants::<K> {
        x: [0.0; K],
        y: [0.0; K],
    };
    let (mut n, mut index) = ([0u64; K], [NONE; K]);
    // Where orbits were some time ago: one that comes back there to the bit stays for good.
    let mut seen = Lanes::<K>::IDLE;
    let mut due = [0u64; K];
    let mut waiting = Waiting::<K> {
        z: Lanes::IDLE,
        c,
        n,
        index,
        len: 0,
    };
    let mut before = Lanes::<K>::IDLE;
    let mut next = 0;
    let mut looks = 0u32;
    loop {
        let mut live = false;
        for lane in 0..K {
            if index[lane] == NONE && next < pixels.len() {
                let pixel = &pixels[next];
                z.put(lane, &start::<1>(plan, pixel), 0);
                (c.x[lane], c.y[lane]) = (pixel.c[0], pixel.c[1]);
                (n[lane], index[lane], due[lane]) = (0, next, plan.block);
                seen.put(lane, &Lanes::<1>::IDLE, 0);
                seen.x[lane] = f64::NAN;
                next += 1;
            }
            live |= index[lane] != NONE;
        }
        if !live {
            waiting.trace::<E, D>(plan, ends);
            return true;
        }
        looks += 1;
        if looks.is_multiple_of(1 << 12) && !goes_on() {
            return false;
        }
        before.take::<E, D>(&z);
        advance::<K, E, D>(plan, 0, plan.block, &mut z, &c);
        let mut ended = [false; K];
        for lane in 0..K {
            let within = is_within::<E>(plan.radius, z.x[lane], z.y[lane], z.error[lane]);
            // Bounds that do not grow are those of the same cycle for ever.
            let back = z.x[lane] == seen.x[lane]
                && z.y[lane] == seen.y[lane]
                && (!E || z.error[lane] <= seen.error[lane]);
            n[lane] += plan.block;
            ended[lane] = !within || back || n[lane] >= plan.limit || n[lane] >= due[lane];
        }
        if ended == [false; K] {
            continue;
        }
        for lane in 0..K {
            if !ended[lane] || index[lane] == NONE {
                continue;
            }
            let (x, y, error) = (z.x[lane], z.y[lane], z.error[lane]);
            if !is_within::<E>(plan.radius, x, y, error) {
                let at = waiting.len;
                waiting.z.put(at, &before, lane);
                (waiting.c.x[at], waiting.c.y[at]) = (c.x[lane], c.y[lane]);
                (waiting.n[at], waiting.index[at]) = (n[lane] - plan.block, index[lane]);
                waiting.len += 1;
                if waiting.len == K {
                    waiting.trace::<E, D>(plan, ends);
                }
                index[lane] = NONE;
            } else if n[lane] >= plan.limit
                || x == seen.x[lane] && y == seen.y[lane] && (!E || error <= seen.error[lane])
            {
                ends[index[lane]] = PlainEnd {
                    is_certain: true,
                    z: [x, y],
                    ..PlainEnd::default()
                };
                index[lane] = NONE;
            } else {
                // Twice as far as the last time.
                seen.put(lane, &z, lane);
                due[lane] = 2 * n[lane];
            }
            if index[lane] == NONE {
                z.put(lane, &Lanes::<1>::IDLE, 0);
                (c.x[lane], c.y[lane]) = (0.0, 0.0);
            }
        }
    }
}
