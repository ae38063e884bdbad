//! A polynomial block while it is built: joined step by step and block by block, with bounds of what it drops.

use fractal::{FloatExp, ReferenceOrbit};

use super::jet::{DEGREE, Jet, LOW};
use crate::deep::complex::{add, mul, scale};

/// Level of the shortest blocks: 2^5 steps. Vectors of pixels make shorter ways as fast by single steps.
pub const LOWEST_LEVEL: u32 = 5;
/// |z| stays below so much of |Z| within a block.
const SHARE: f64 = 0.25;
/// Smallest radius; and over 1 / this is no number of a block.
const NARROW: f64 = f64::from_bits((1023 - 400) << 52);

/// |p|, by operations that are the same everywhere, and without leaving the range of doubles.
pub(in crate::deep) fn modulus(p: [f64; 2]) -> f64 {
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
pub(in crate::deep) struct Block {
    pub(in crate::deep) radius: f64,
    pub(in crate::deep) a: [[f64; 2]; DEGREE],
    pub(in crate::deep) b: [f64; 2],
    /// Of uw.
    pub(in crate::deep) cross: [f64; 2],
    /// Of w².
    pub(in crate::deep) square: [f64; 2],
    /// Bound from u^(K+1) on.
    lost_u: f64,
    /// From u²w on.
    lost_u2w: f64,
    /// From uw² on.
    lost_uw2: f64,
    /// From w³ on.
    lost_w3: f64,
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
        lost_u: 0.0,
        lost_u2w: 0.0,
        lost_uw2: 0.0,
        lost_w3: 0.0,
    };

    fn moduli(&self) -> [f64; DEGREE] {
        self.a.map(modulus)
    }

    /// The same with `by` times the radius, `by` at most 1.
    pub(in crate::deep) fn shrunk(mut self, by: f64) -> Self {
        self.radius *= by;
        let mut power = 1.0;
        for a in &mut self.a {
            power *= by;
            *a = scale(*a, power);
        }
        self.lost_u *= power * by;
        self.cross = scale(self.cross, by);
        self.lost_u2w *= by * by;
        self.lost_uw2 *= by;
        self
    }

    /// The same with |z'| below `most` for each z and c that it takes.
    fn below(self, most: f64) -> Self {
        let by_z: f64 = self.moduli().iter().sum::<f64>() + self.lost_u;
        let with_c = modulus(self.b) + modulus(self.square) + self.lost_w3;
        let both = by_z + modulus(self.cross) + self.lost_u2w + self.lost_uw2;
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
        let z_modulus = modulus(z);
        if z_modulus >= rules.outside || z_modulus.is_nan() {
            return Self::NONE;
        }
        let inner = self.below(SHARE * z_modulus);
        let all = inner.moduli();
        let sum: f64 = all.iter().sum();
        let (b, d) = (modulus(inner.b), modulus(inner.cross));
        let twice = scale(z, 2.0);
        let mut next = inner;
        for a in &mut next.a {
            *a = mul(*a, twice);
        }
        for i in 0..DEGREE {
            for j in 0..DEGREE - 1 - i {
                next.a[i + j + 1] = add(next.a[i + j + 1], mul(inner.a[i], inner.a[j]));
            }
        }
        let (mut cut, mut high) = (0.0, 0.0);
        for i in 0..DEGREE {
            high += all[DEGREE - 1 - i];
            cut += all[i] * high;
        }
        next.b = add(mul(inner.b, twice), [rules.c_max, 0.0]);
        next.cross = add(
            mul(inner.cross, twice),
            scale(mul(inner.a[0], inner.b), 2.0),
        );
        next.square = add(mul(inner.square, twice), mul(inner.b, inner.b));
        let growth = 2.0 * (z_modulus + sum + inner.lost_u);
        let with_c = b + d + inner.lost_u2w;
        let with_square = modulus(inner.square) + inner.lost_uw2;
        next.lost_u = growth * inner.lost_u + cut;
        next.lost_u2w = growth * inner.lost_u2w + 2.0 * (b * (sum - all[0]) + d * sum);
        next.lost_uw2 = growth * inner.lost_uw2
            + 2.0 * sum * modulus(inner.square)
            + (d + inner.lost_u2w) * (with_c + b);
        next.lost_w3 = growth * inner.lost_w3 + (2.0 * with_c + with_square) * with_square;
        next
    }

    /// `self` and then `next`.
    pub(in crate::deep) fn then(self, next: &Self) -> Self {
        let inner = self.below(next.radius);
        if !(inner.radius > 0.0 && self.radius > 0.0) {
            return Self::NONE;
        }
        let unit = 1.0 / next.radius;
        let p = inner.a.map(|a| scale(a, unit));
        let (all, outer) = (p.map(modulus), next.moduli());
        let sum: f64 = all.iter().sum();
        let (b, d, e) = (
            scale(inner.b, unit),
            scale(inner.cross, unit),
            scale(inner.square, unit),
        );
        let (lost_u2w, lost_uw2) = (inner.lost_u2w * unit, inner.lost_uw2 * unit);
        let (b_size, e_size) = (modulus(b), modulus(e));
        let with_c = b_size + modulus(d) + lost_u2w;
        let with_square = e_size + lost_uw2;
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
        let (growth, second, third) = (
            whole + sum * first,
            first + sum * second,
            second + sum * third,
        );
        let kept: f64 = bound.iter().sum();
        let tail_in = inner.lost_u * unit;
        let power = (0..DEGREE).fold(sum, |power, _| power * sum);
        let cross = modulus(next.cross);
        Self {
            radius: inner.radius,
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
            lost_u: (value - kept).max(0.0) + growth * tail_in + next.lost_u * power,
            lost_u2w: b_size * (growth - outer[0] - 2.0 * outer[1] * all[0]).max(0.0)
                + modulus(d) * (growth - outer[0]).max(0.0)
                + cross * (sum - all[0])
                + lost_u2w * growth
                + next.lost_u2w * sum * sum
                + next.lost_u * DEGREE as f64 * with_c,
            lost_uw2: e_size * (growth - outer[0]).max(0.0)
                + lost_uw2 * growth
                + (second * with_c * with_c - outer[1] * b_size * b_size).max(0.0)
                + cross * (with_c - b_size)
                + next.lost_uw2 * sum
                + 2.0 * next.lost_u2w * sum * with_c,
            lost_w3: inner.lost_w3 * unit * growth
                + (third * with_c + next.lost_u2w) * with_c * with_c
                + second * (2.0 * with_c + with_square) * with_square
                + cross * with_square
                + next.lost_uw2 * with_c
                + next.lost_w3,
        }
    }

    /// The same with a radius at which all that it drops is small enough.
    pub(in crate::deep) fn finished(self, rules: &Rules) -> Self {
        let linear = modulus(self.a[0]);
        let most = rules.epsilon * linear;
        let mut by = 1.0f64;
        if self.lost_u > most {
            by = libm::pow(most / self.lost_u, 1.0 / DEGREE as f64);
        }
        if self.lost_u2w * by > most {
            by = most / self.lost_u2w;
        }
        let shrunk = self.shrunk(by);
        let size = |p: [f64; 2]| p[0].abs().max(p[1].abs());
        let serves = shrunk.radius > NARROW
            && linear * by > NARROW
            && size(shrunk.b) < 1.0 / NARROW
            && shrunk.lost_uw2 <= most * by
            && shrunk.lost_w3 <= rules.least * most * by;
        if serves { shrunk } else { Self::NONE }
    }

    /// What it drops at most, where |u| and |w| are 1, as shares of |a_1|: what is of u alone, of u²w, of uw², and of w³.
    pub(in crate::deep) fn dropped(&self) -> [f64; 4] {
        let linear = modulus(self.a[0]);
        [self.lost_u, self.lost_u2w, self.lost_uw2, self.lost_w3].map(|lost| lost / linear)
    }

    /// As it is stored.
    pub(in crate::deep) fn pack(&self) -> Jet {
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
pub(in crate::deep) struct Rules {
    pub(in crate::deep) epsilon: f64,
    /// |Z| of steps that may be skipped at all.
    pub(in crate::deep) outside: f64,
    pub(in crate::deep) c_max: f64,
    /// w³ may be neglected beside u where |u| is over this, and blocks serve nowhere else.
    pub(in crate::deep) least: f64,
}

impl Rules {
    /// For deltas c of up to `c_max` in modulus.
    pub(in crate::deep) fn new(c_max: FloatExp, escape_radius: f64, epsilon: f64) -> Self {
        /// log2 of the smallest |u| that blocks serve for over |c|³: a radius and Z² may be 2^-20 so.
        const CUBE_LOG2: i64 = 84;
        /// Range of the smallest |u| that blocks serve for.
        const NEAREST: f64 = 1.0 / (1u64 << 20) as f64;
        const FARTHEST: f64 = f64::from_bits((1023 - 100) << 52);
        let cube = c_max * c_max * c_max * FloatExp::new(1.0, CUBE_LOG2);
        Self {
            epsilon,
            // |z| < SHARE |Z| and |Z| < this leave |Z + z| inside: no block hides an escape.
            outside: escape_radius * 0.79,
            c_max: c_max.to_f64(),
            least: cube.to_f64().clamp(FARTHEST, NEAREST),
        }
    }
}

/// The block of the lowest level that begins at `m`.
pub(in crate::deep) fn block(orbit: &ReferenceOrbit, m: u64, rules: &Rules) -> Block {
    let first = orbit.values[m as usize];
    let z_modulus = modulus(first);
    if !(z_modulus < rules.outside && z_modulus > NARROW) {
        return Block::NONE;
    }
    let radius = SHARE * z_modulus;
    let mut all = Block {
        radius,
        b: [rules.c_max, 0.0],
        ..Block::NONE
    };
    all.a[0] = scale(first, 2.0 * radius);
    all.a[1] = [radius * radius, 0.0];
    for z in &orbit.values[m as usize + 1..m as usize + (1 << LOWEST_LEVEL)] {
        all = all.step(*z, rules);
        if all.radius <= 0.0 || all.radius.is_nan() {
            return Block::NONE;
        }
    }
    all.finished(rules)
}
