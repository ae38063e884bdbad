//! Blocks of steps as polynomials of a delta.
//!
//! A step z' = 2Zz + z² + c is a polynomial of z, and so are many steps in a row. A linear block ([`super::bla`])
//! must end where |z| is a 2^-40th of |Z|; one that keeps the first [`DEGREE`] powers serves as long as |z| is below
//! some 2^-6 |Z|. Orbits spend most of their single steps between the two.
//!
//! A block is a polynomial of u = z / radius, |u| < 1, and w = c / the largest |c|, with the powers of u up to K, w,
//! uw and w². What is dropped is bounded while blocks are joined, each bound as the coefficient of the lowest power
//! of u that it has. A block's radius is the largest at which all that is below epsilon |a_1 u|, and at which |z|
//! stays below a quarter of |Z| in each step: then no step escapes, and none calls for rebasing.

use fractal::{FloatExp, ReferenceOrbit};

use super::bla::shared;

/// Powers of z in a block.
pub const DEGREE: usize = 7;
/// Those from u² on that have all their bits; the others are far smaller.
const LOW: usize = 3;
const HIGH: usize = DEGREE - 1 - LOW;
/// Level of the shortest blocks: 2^5 steps. Vectors of pixels make shorter ways as fast by single steps.
pub const LOWEST_LEVEL: u32 = 5;
/// Blocks of the lowest level that are looked at in advance.
const SEEN_AHEAD: usize = 64;
/// |z| stays below so much of |Z| within a block.
const SHARE: f64 = 0.25;
/// log2 of the smallest |u| that blocks serve for over |c|³: a radius and Z² may be 2^-20 so.
const CUBE_LOG2: i64 = 84;
/// Range of the smallest |u| that blocks serve for.
const NEAREST: f64 = 1.0 / (1u64 << 20) as f64;
const FARTHEST: f64 = f64::from_bits((1023 - 100) << 52);
/// Smallest radius; and over 1 / this is no number of a block.
const NARROW: f64 = f64::from_bits((1023 - 400) << 52);

/// A block of steps: z' = a (u + d uw + p_2 u² + ... + p_K u^K + e w²) + b w.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Jet {
    /// One over the radius; infinite where no z may take this block.
    pub inverse: f64,
    /// d
    pub cross: [f32; 2],
    /// e
    pub square: [f32; 2],
    /// The last ones of p.
    pub high: [[f32; 2]; HIGH],
    /// The first ones of p.
    pub low: [[f64; 2]; LOW],
    /// a
    pub a: [f64; 2],
    /// b
    pub b: [f64; 2],
}

impl Default for Jet {
    fn default() -> Self {
        Self {
            inverse: f64::INFINITY,
            cross: [0.0; 2],
            square: [0.0; 2],
            high: [[0.0; 2]; HIGH],
            low: [[0.0; 2]; LOW],
            a: [0.0; 2],
            b: [0.0; 2],
        }
    }
}

/// p q + r
#[inline(always)]
fn times_plus(p: [f64; 2], q: [f64; 2], r: [f64; 2]) -> [f64; 2] {
    [
        p[0].mul_add(q[0], (-p[1]).mul_add(q[1], r[0])),
        p[0].mul_add(q[1], p[1].mul_add(q[0], r[1])),
    ]
}

#[inline(always)]
fn double(p: [f32; 2]) -> [f64; 2] {
    [f64::from(p[0]), f64::from(p[1])]
}

impl Jet {
    /// p_k, from k = 2 on at 0.
    #[inline(always)]
    fn power(&self, k: usize) -> [f64; 2] {
        if k < LOW {
            self.low[k]
        } else {
            double(self.high[k - LOW])
        }
    }

    /// z' for a `u` and `w`.
    #[inline(always)]
    #[must_use]
    pub fn apply(&self, u: [f64; 2], w: [f64; 2]) -> [f64; 2] {
        let mut z = self.power(DEGREE - 2);
        for k in (0..DEGREE - 2).rev() {
            z = times_plus(z, u, self.power(k));
        }
        let linear = times_plus(double(self.cross), w, [1.0, 0.0]);
        let own = times_plus(double(self.square), w, [0.0; 2]);
        z = times_plus(z, u, linear);
        z = times_plus(z, u, times_plus(own, w, [0.0; 2]));
        times_plus(z, self.a, times_plus(self.b, w, [0.0; 2]))
    }

    /// About |dz'/dz|² for a `u`, by the first two powers.
    #[inline(always)]
    #[must_use]
    pub fn growth2(&self, u: [f64; 2]) -> f64 {
        let twice = [u[0] + u[0], u[1] + u[1]];
        let steep = times_plus(times_plus(self.low[0], twice, [1.0, 0.0]), self.a, [0.0; 2]);
        let steep = [steep[0] * self.inverse, steep[1] * self.inverse];
        steep[0].mul_add(steep[0], steep[1] * steep[1])
    }

    /// dz' for a `u` and `w`, from `slope` = dz and `unit` = dw, which is real.
    #[inline(always)]
    #[must_use]
    pub fn derive(&self, u: [f64; 2], w: [f64; 2], slope: [f64; 2], unit: f64) -> [f64; 2] {
        let mut steep = [0.0; 2];
        for k in (0..DEGREE - 1).rev() {
            let (factor, power) = ((k + 2) as f64, self.power(k));
            steep = times_plus(steep, u, [power[0] * factor, power[1] * factor]);
        }
        let linear = times_plus(double(self.cross), w, [1.0, 0.0]);
        steep = times_plus(steep, u, linear);
        let twice = [w[0] + w[0], w[1] + w[1]];
        let square = times_plus(double(self.square), twice, [0.0; 2]);
        let own = times_plus(times_plus(double(self.cross), u, square), self.a, self.b);
        let slope = [slope[0] * self.inverse, slope[1] * self.inverse];
        let along = times_plus(steep, slope, [0.0; 2]);
        times_plus(along, self.a, [own[0] * unit, own[1] * unit])
    }
}

fn mul(p: [f64; 2], q: [f64; 2]) -> [f64; 2] {
    [p[0] * q[0] - p[1] * q[1], p[0] * q[1] + p[1] * q[0]]
}

fn add(p: [f64; 2], q: [f64; 2]) -> [f64; 2] {
    [p[0] + q[0], p[1] + q[1]]
}

fn scale(p: [f64; 2], by: f64) -> [f64; 2] {
    [p[0] * by, p[1] * by]
}

/// |p|, by operations that are the same everywhere, and without leaving the range of doubles.
fn modulus(p: [f64; 2]) -> f64 {
    let (x, y) = (p[0].abs(), p[1].abs());
    let (large, small) = if x < y { (y, x) } else { (x, y) };
    if large == 0.0 {
        return 0.0;
    }
    let ratio = small / large;
    large * (1.0 + ratio * ratio).sqrt()
}

/// A block while it is built: the numbers of a [`Jet`] and the bounds of what it drops, at the largest |c|.
#[derive(Clone, Copy, Debug)]
struct Block {
    radius: f64,
    a: [[f64; 2]; DEGREE],
    b: [f64; 2],
    /// Of uw.
    cross: [f64; 2],
    /// Of w².
    square: [f64; 2],
    /// Bound from u^(K+1) on.
    tail: f64,
    /// From u²w on.
    mixed: f64,
    /// From uw² on.
    bent: f64,
    /// From w³ on.
    cube: f64,
}

impl Default for Block {
    fn default() -> Self {
        Self::NONE
    }
}

impl Block {
    /// No z may take it.
    const NONE: Self = Self {
        radius: 0.0,
        a: [[0.0; 2]; DEGREE],
        b: [0.0; 2],
        cross: [0.0; 2],
        square: [0.0; 2],
        tail: 0.0,
        mixed: 0.0,
        bent: 0.0,
        cube: 0.0,
    };

    fn moduli(&self) -> [f64; DEGREE] {
        self.a.map(modulus)
    }

    /// The same with `by` times the radius, `by` at most 1.
    fn shrunk(mut self, by: f64) -> Self {
        self.radius *= by;
        let mut power = 1.0;
        for a in &mut self.a {
            power *= by;
            *a = scale(*a, power);
        }
        self.tail *= power * by;
        self.cross = scale(self.cross, by);
        self.mixed *= by * by;
        self.bent *= by;
        self
    }

    /// The same with |z'| below `most` for each z and c that it takes.
    fn below(self, most: f64) -> Self {
        let own: f64 = self.moduli().iter().sum::<f64>() + self.tail;
        let with_c = modulus(self.b) + modulus(self.square) + self.cube;
        let both = own + modulus(self.cross) + self.mixed + self.bent;
        let left = most - with_c;
        if left <= 0.0 || left.is_nan() {
            return Self::NONE;
        }
        if both > left {
            self.shrunk(left / both)
        } else {
            self
        }
    }

    /// One more step, from Z = `z`.
    fn step(self, z: [f64; 2], rules: &Rules) -> Self {
        let size = modulus(z);
        if size >= rules.outside || size.is_nan() {
            return Self::NONE;
        }
        let own = self.below(SHARE * size);
        let all = own.moduli();
        let sum: f64 = all.iter().sum();
        let (b, d) = (modulus(own.b), modulus(own.cross));
        let twice = scale(z, 2.0);
        let mut next = own;
        for a in &mut next.a {
            *a = mul(*a, twice);
        }
        for i in 0..DEGREE {
            for j in 0..DEGREE - 1 - i {
                next.a[i + j + 1] = add(next.a[i + j + 1], mul(own.a[i], own.a[j]));
            }
        }
        let (mut cut, mut high) = (0.0, 0.0);
        for i in 0..DEGREE {
            high += all[DEGREE - 1 - i];
            cut += all[i] * high;
        }
        next.b = add(mul(own.b, twice), [rules.c_max, 0.0]);
        next.cross = add(mul(own.cross, twice), scale(mul(own.a[0], own.b), 2.0));
        next.square = add(mul(own.square, twice), mul(own.b, own.b));
        let steep = 2.0 * (size + sum + own.tail);
        let with_c = b + d + own.mixed;
        let with_square = modulus(own.square) + own.bent;
        next.tail = steep * own.tail + cut;
        next.mixed = steep * own.mixed + 2.0 * (b * (sum - all[0]) + d * sum);
        next.bent =
            steep * own.bent + 2.0 * sum * modulus(own.square) + (d + own.mixed) * (with_c + b);
        next.cube = steep * own.cube + (2.0 * with_c + with_square) * with_square;
        next
    }

    /// `self` and then `next`.
    fn then(self, next: &Self) -> Self {
        let own = self.below(next.radius);
        if !(own.radius > 0.0 && self.radius > 0.0) {
            return Self::NONE;
        }
        let unit = 1.0 / next.radius;
        let p = own.a.map(|a| scale(a, unit));
        let (all, outer) = (p.map(modulus), next.moduli());
        let sum: f64 = all.iter().sum();
        let (b, d, e) = (
            scale(own.b, unit),
            scale(own.cross, unit),
            scale(own.square, unit),
        );
        let (mixed, bent) = (own.mixed * unit, own.bent * unit);
        let (b_size, e_size) = (modulus(b), modulus(e));
        let with_c = b_size + modulus(d) + mixed;
        let with_square = e_size + bent;
        // Horner's rule, and the same for the moduli.
        let (mut a, mut bound) = ([[0.0; 2]; DEGREE], [0.0; DEGREE]);
        for j in (0..DEGREE).rev() {
            let (mut product, mut product_bound) = ([[0.0; 2]; DEGREE], [0.0; DEGREE]);
            for i in 0..DEGREE {
                product[i] = mul(next.a[j], p[i]);
                product_bound[i] = outer[j] * all[i];
            }
            // What has been summed up begins with u^1, its product with u^2.
            for i in 0..DEGREE - 1 {
                for k in 0..DEGREE - 1 - i {
                    product[i + k + 1] = add(product[i + k + 1], mul(a[i], p[k]));
                    product_bound[i + k + 1] += bound[i] * all[k];
                }
            }
            (a, bound) = (product, product_bound);
        }
        // The sum of the moduli as a polynomial Q of s, P = s Q, and its derivatives, over 2 and over 6.
        let (mut whole, mut first, mut second, mut third) = (0.0, 0.0, 0.0, 0.0);
        for j in (0..DEGREE).rev() {
            third = third * sum + second;
            second = second * sum + first;
            first = first * sum + whole;
            whole = whole * sum + outer[j];
        }
        let value = whole * sum;
        let (steep, second, third) = (
            whole + sum * first,
            first + sum * second,
            second + sum * third,
        );
        let kept: f64 = bound.iter().sum();
        let tail_in = own.tail * unit;
        let power = (0..DEGREE).fold(sum, |power, _| power * sum);
        let cross = modulus(next.cross);
        Self {
            radius: own.radius,
            a,
            b: add(mul(next.a[0], b), next.b),
            cross: add(
                add(mul(next.a[0], d), scale(mul(mul(next.a[1], p[0]), b), 2.0)),
                mul(next.cross, p[0]),
            ),
            square: add(
                add(mul(next.a[0], e), mul(next.a[1], mul(b, b))),
                add(mul(next.cross, b), next.square),
            ),
            tail: (value - kept).max(0.0) + steep * tail_in + next.tail * power,
            mixed: b_size * (steep - outer[0] - 2.0 * outer[1] * all[0]).max(0.0)
                + modulus(d) * (steep - outer[0]).max(0.0)
                + cross * (sum - all[0])
                + mixed * steep
                + next.mixed * sum * sum
                + next.tail * DEGREE as f64 * with_c,
            bent: e_size * (steep - outer[0]).max(0.0)
                + bent * steep
                + (second * with_c * with_c - outer[1] * b_size * b_size).max(0.0)
                + cross * (with_c - b_size)
                + next.bent * sum
                + 2.0 * next.mixed * sum * with_c,
            cube: own.cube * unit * steep
                + (third * with_c + next.mixed) * with_c * with_c
                + second * (2.0 * with_c + with_square) * with_square
                + cross * with_square
                + next.bent * with_c
                + next.cube,
        }
    }

    /// The same with a radius at which all that it drops is small enough.
    fn finished(self, rules: &Rules) -> Self {
        let linear = modulus(self.a[0]);
        let most = rules.epsilon * linear;
        let mut by = 1.0f64;
        if self.tail > most {
            by = libm::pow(most / self.tail, 1.0 / DEGREE as f64);
        }
        if self.mixed * by > most {
            by = most / self.mixed;
        }
        let own = self.shrunk(by);
        let size = |p: [f64; 2]| p[0].abs().max(p[1].abs());
        let serves = own.radius > NARROW
            && linear * by > NARROW
            && size(own.b) < 1.0 / NARROW
            && own.bent <= most * by
            && own.cube <= rules.least * most * by;
        if serves { own } else { Self::NONE }
    }

    /// As it is stored.
    fn pack(&self) -> Jet {
        if self.radius <= 0.0 || self.radius.is_nan() {
            return Jet::default();
        }
        let size = modulus(self.a[0]);
        let a = scale(self.a[0], 1.0 / size);
        let share = |p: [f64; 2]| mul(scale(p, 1.0 / size), [a[0], -a[1]]);
        let single = |p: [f64; 2]| share(p).map(|part| part as f32);
        let mut jet = Jet {
            inverse: 1.0 / self.radius,
            cross: single(self.cross),
            square: single(self.square),
            a: self.a[0],
            b: self.b,
            ..Jet::default()
        };
        for (k, p) in jet.low.iter_mut().enumerate() {
            *p = share(self.a[1 + k]);
        }
        for (k, p) in jet.high.iter_mut().enumerate() {
            *p = single(self.a[1 + LOW + k]);
        }
        jet
    }
}

/// What all blocks of a table obey.
struct Rules {
    epsilon: f64,
    /// |Z| of steps that may be skipped at all.
    outside: f64,
    c_max: f64,
    /// w³ may be neglected beside u where |u| is over this, and blocks serve nowhere else.
    least: f64,
}

/// The block of the lowest level that begins at `m`.
fn block(orbit: &ReferenceOrbit, m: u64, rules: &Rules) -> Block {
    let first = orbit.values[m as usize];
    let size = modulus(first);
    if !(size < rules.outside && size > NARROW) {
        return Block::NONE;
    }
    let radius = SHARE * size;
    let mut own = Block {
        radius,
        b: [rules.c_max, 0.0],
        ..Block::NONE
    };
    own.a[0] = scale(first, 2.0 * radius);
    own.a[1] = [radius * radius, 0.0];
    for z in &orbit.values[m as usize + 1..m as usize + (1 << LOWEST_LEVEL)] {
        own = own.step(*z, rules);
        if own.radius <= 0.0 || own.radius.is_nan() {
            return Block::NONE;
        }
    }
    own.finished(rules)
}

/// All blocks of a reference orbit for one view.
#[derive(Clone, Debug, PartialEq)]
pub struct JetTable {
    /// `levels[i]` holds the blocks of level [`LOWEST_LEVEL`] + i in ascending order of m; no level is empty.
    pub levels: Vec<Vec<Jet>>,
    /// The radius of each block of the lowest level.
    reaches: Vec<f32>,
    /// The largest of them.
    pub farthest: f64,
    /// The square of the smallest |u| that blocks serve for.
    pub(crate) least2: f64,
}

impl JetTable {
    /// The blocks of `orbit` for deltas c of up to `c_max` in modulus, and an escape radius.
    ///
    /// A skipped block is wrong by the share `epsilon` of z at most. 9 bytes for each value of the orbit.
    #[must_use]
    pub fn new(orbit: &ReferenceOrbit, c_max: FloatExp, escape_radius: f64, epsilon: f64) -> Self {
        let cube = c_max * c_max * c_max * FloatExp::new(1.0, CUBE_LOG2);
        let least = cube.to_f64().clamp(FARTHEST, NEAREST);
        let rules = Rules {
            epsilon,
            // |z| < SHARE |Z| and |Z| < this leave |Z + z| inside: no block hides an escape.
            outside: escape_radius * 0.79,
            c_max: c_max.to_f64(),
            least,
        };
        // The last step of all leads from Z_(M-1) to Z_M.
        let steps = orbit.steps().saturating_sub(1);
        let count = (steps >> LOWEST_LEVEL) as usize;
        let one = |i: usize| block(orbit, 1 + ((i as u64) << LOWEST_LEVEL), &rules);
        let mut level = shared(count, &one);
        let reaches: Vec<f32> = level.iter().map(|block| block.radius as f32).collect();
        let farthest = reaches.iter().fold(0.0, |far: f32, reach| far.max(*reach));
        let mut levels = Vec::new();
        while !level.is_empty() {
            levels.push(shared(level.len(), &|i| level[i].pack()));
            let pairs = level.as_chunks::<2>().0;
            level = shared(pairs.len(), &|i| {
                let [first, second] = pairs[i];
                first.then(&second).finished(&rules)
            });
        }
        Self {
            levels,
            reaches,
            farthest: farthest.into(),
            least2: least * least,
        }
    }

    /// The longest block from `m` that takes `z` and has at most `most` steps, u, and its steps.
    #[inline(always)]
    #[must_use]
    pub fn longest(&self, m: u64, z: [f64; 2], most: u64) -> Option<(&Jet, [f64; 2], u64)> {
        let place = m.wrapping_sub(1);
        let mut level = LOWEST_LEVEL;
        let mut best = None;
        while m > 0
            && place & ((1 << level) - 1) == 0
            && 1 << level <= most
            && let Some(jets) = self.levels.get((level - LOWEST_LEVEL) as usize)
            && let Some(jet) = jets.get((place >> level) as usize)
        {
            let u = [z[0] * jet.inverse, z[1] * jet.inverse];
            let square = u[0] * u[0] + u[1] * u[1];
            // Also where no z may take it, and u is not a number.
            if square >= 1.0 || square.is_nan() {
                break;
            }
            // Too small a z may do for a longer block.
            if square > self.least2 {
                best = Some((jet, u, 1 << level));
            }
            level += 1;
        }
        best
    }

    /// The largest |z_1| that a block of at least `steps` steps from Z_1 on takes; 0 if there is none.
    #[must_use]
    pub fn first_reach(&self, steps: u64) -> f64 {
        let reach = |(level, jets): (u32, &Vec<Jet>)| {
            let first = jets.first().filter(|_| 1 << level >= steps)?;
            Some(1.0 / first.inverse)
        };
        let reaches = (LOWEST_LEVEL..).zip(&self.levels).filter_map(reach);
        reaches.fold(0.0, f64::max)
    }

    /// The next m from which a block may take a z of modulus `bound`, as far as one can see: where it is worth
    /// looking again.
    #[inline(always)]
    #[must_use]
    pub fn next_block(&self, m: u64, bound: f64) -> u64 {
        let first = (m.saturating_sub(1) >> LOWEST_LEVEL) + 1;
        let ahead = self.reaches.iter().skip(first as usize);
        let wait = ahead
            .take(SEEN_AHEAD)
            .take_while(|reach| f64::from(**reach) <= bound)
            .count();
        1 + ((first + wait as u64) << LOWEST_LEVEL)
    }
}

#[cfg(test)]
mod tests;
