//! Bilinear approximation: many steps of a delta at once.
//!
//! While z is far smaller than Z, one step z' = 2Zz + z² + c is z' = 2Zz + c up to a relative error of |z / 2Z|.
//! Such steps join: a block of l steps from m on is z' = A z + B c, valid while |z| is below the block's radius
//! (Claude Heiland-Allen after Zhuoran, 2022). A block's radius is the largest |z| for which |z| stays below
//! epsilon |Z| at each of its steps, for every c of the view.
//!
//! Blocks of 2^L steps begin where m - 1 is a multiple of 2^L: no block begins at m = 0, where Z is 0. The lowest
//! levels are not kept: shorter blocks cost more than they save, and most of the memory.
//!
//! Where doubles serve, a block also has the square's term: z' = A z + Q z² + B c. Its error is of the third order, so
//! it reaches up to |z| of about the square root of epsilon times |Z|, where linear blocks end at epsilon |Z|. What is
//! left out, the terms of z³, cz and c², is bounded as blocks are joined.

use fractal::{ComplexExp, FloatExp, ReferenceOrbit};

use super::complex::{add, mul};
use super::parallel::parallel_map;

/// Level of the shortest blocks that are kept: 2^3 steps.
pub const LOWEST_LEVEL: u32 = 3;
/// Numbers of an entry outside 2^± this have an exponent beside them.
const NARROW_LOG2: i64 = 400;
/// No block reaches farther than this share of any Z in it: no orbit escapes or has to rebase within.
const NEAR: f64 = 1.0 / 512.0;

/// A block of steps: z' = A z + B c while |z| < radius, and z' = A z + Q z² + B c while |z| < reach.
///
/// A = `a` 2^`a_exponent`, B = `b` 2^`b_exponent`, radius = `radius` 2^`radius_exponent`. All three exponents are 0
/// where all three numbers lie within 2^±400, and the radius may then be 0: no z may take this block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Entry {
    /// Mantissa of A, real and imaginary part.
    pub a: [f64; 2],
    /// Mantissa of B, real and imaginary part.
    pub b: [f64; 2],
    /// Mantissa of the radius, of |z|.
    pub radius: f64,
    /// Q; 0 where there is none.
    pub q: [f64; 2],
    /// No less than the radius, of a block whose numbers are plain doubles; of no account in others.
    pub reach: f64,
    /// Exponent of A.
    pub a_exponent: i32,
    /// Exponent of B.
    pub b_exponent: i32,
    /// Exponent of the radius.
    pub radius_exponent: i32,
}

/// The same with an exponent beside each number.
#[derive(Clone, Copy, Debug)]
pub struct WideEntry {
    /// A.
    pub a: ComplexExp,
    /// B.
    pub b: ComplexExp,
    /// The radius.
    pub radius: FloatExp,
}

/// Bounds of the terms that a block leaves out, which joining it to another one needs.
#[derive(Clone, Copy, Debug, Default)]
struct Remainder {
    /// As in the entry, but 0 where the square's term does not help.
    reach: f64,
    /// Of z³.
    cubic: f64,
    /// Of c z.
    cross: f64,
    /// Of c².
    square: f64,
}

/// A block while the table is built.
type Draft = (Entry, Remainder);

/// All blocks of a reference orbit for one view.
#[derive(Clone, Debug, PartialEq)]
pub struct BlaTable {
    /// `levels[i]` holds the blocks of level [`LOWEST_LEVEL`] + i in ascending order of m; no level is empty.
    pub levels: Vec<Vec<Entry>>,
    /// The reach of each block of the lowest level, 0 where its numbers are not plain doubles: to look ahead.
    pub(crate) reaches: Vec<f32>,
    /// The largest of them.
    pub(crate) farthest: f64,
}

/// A complex number times a power of two.
fn pair(z: ComplexExp) -> ([f64; 2], i32) {
    let exponent = [z.re, z.im]
        .into_iter()
        .filter(|part| !part.is_zero())
        .map(FloatExp::exponent)
        .max()
        .unwrap_or(0);
    let parts = [z.re.scaled(exponent), z.im.scaled(exponent)];
    (parts, i32::try_from(exponent).unwrap_or(i32::MIN))
}

/// The inverse of [`pair`].
fn unpair(parts: [f64; 2], exponent: i32) -> ComplexExp {
    let part = |value| FloatExp::new(value, i64::from(exponent));
    ComplexExp::new(part(parts[0]), part(parts[1]))
}

fn min(a: FloatExp, b: FloatExp) -> FloatExp {
    if b < a { b } else { a }
}

impl Entry {
    /// Whether all its numbers are plain doubles.
    #[inline(always)]
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.a_exponent | self.b_exponent | self.radius_exponent == 0
    }

    /// With an exponent beside each number.
    #[must_use]
    pub fn wide(&self) -> WideEntry {
        WideEntry {
            a: unpair(self.a, self.a_exponent),
            b: unpair(self.b, self.b_exponent),
            radius: FloatExp::new(self.radius, i64::from(self.radius_exponent)),
        }
    }

    /// One step from `z` = Z_m; `radius` is that of the steps that may be skipped at all.
    fn step(z: [f64; 2], epsilon: f64, outside: f64) -> Self {
        let size = modulus(z);
        Self {
            a: [2.0 * z[0], 2.0 * z[1]],
            b: [1.0, 0.0],
            radius: if size < outside { epsilon * size } else { 0.0 },
            q: [1.0, 0.0],
            reach: 0.0,
            ..Self::default()
        }
    }

    /// `self` and then `next`, where all numbers are narrow; `None` where the result is not.
    fn then(&self, next: &Self, c_max: f64) -> Option<Self> {
        let size = |p: [f64; 2]| p[0].abs().max(p[1].abs());
        let (a, ab) = (mul(next.a, self.a), mul(next.a, self.b));
        let b = add(ab, next.b);
        let left = next.radius - modulus(self.b) * c_max;
        let radius = self.radius.min(left / modulus(self.a)).max(0.0);
        (narrow(size(a)) && narrow(size(b)) && (radius == 0.0 || narrow(radius))).then_some(Self {
            a,
            b,
            radius,
            ..Self::default()
        })
    }
}

/// |p|, by operations that are the same everywhere; for numbers whose squares are doubles.
fn modulus(p: [f64; 2]) -> f64 {
    (p[0] * p[0] + p[1] * p[1]).sqrt()
}

/// Whether a number other than 0 is within 2^± [`NARROW_LOG2`].
fn narrow(value: f64) -> bool {
    let limit = power_of_two(NARROW_LOG2);
    value < limit && value > 1.0 / limit
}

/// 2^`n` for small `n`.
fn power_of_two(n: i64) -> f64 {
    FloatExp::new(1.0, n).to_f64()
}

impl WideEntry {
    fn step(z: ComplexExp, epsilon: f64, outside: f64) -> Self {
        let size = z.abs();
        let two = FloatExp::from_f64(2.0);
        Self {
            a: ComplexExp::new(z.re * two, z.im * two),
            b: ComplexExp::from_f64(1.0, 0.0),
            radius: if size < FloatExp::from_f64(outside) {
                FloatExp::from_f64(epsilon) * size
            } else {
                FloatExp::ZERO
            },
        }
    }

    fn then(&self, next: &Self, c_max: FloatExp) -> Self {
        let left = next.radius - self.b.abs() * c_max;
        let radius = if left > FloatExp::ZERO && !self.a.abs().is_zero() {
            min(self.radius, left / self.a.abs())
        } else {
            FloatExp::ZERO
        };
        Self {
            a: next.a * self.a,
            b: next.a * self.b + next.b,
            radius,
        }
    }

    fn pack(&self) -> Entry {
        let (a, a_exponent) = pair(self.a);
        let (b, b_exponent) = pair(self.b);
        let narrow = |exponent: i64| exponent.abs() < NARROW_LOG2;
        let radius = self.radius;
        if narrow(i64::from(a_exponent))
            && narrow(i64::from(b_exponent))
            && narrow(radius.exponent())
        {
            let flat = |z: ComplexExp| [z.re.to_f64(), z.im.to_f64()];
            return Entry {
                a: flat(self.a),
                b: flat(self.b),
                radius: radius.to_f64(),
                reach: radius.to_f64(),
                ..Entry::default()
            };
        }
        Entry {
            a,
            b,
            radius: radius.mantissa(),
            q: [0.0; 2],
            reach: 0.0,
            a_exponent,
            b_exponent,
            radius_exponent: i32::try_from(radius.exponent()).unwrap_or(i32::MIN),
        }
    }
}

/// What all blocks of a table have in common.
#[derive(Clone, Copy, Debug)]
struct Build<'a> {
    orbit: &'a ReferenceOrbit,
    c_max: FloatExp,
    /// The same as a double.
    near: f64,
    epsilon: f64,
    /// Steps from farther out are not skipped: they might escape.
    outside: f64,
}

impl Build<'_> {
    /// One step from Z_m; `None` where that is too small for doubles.
    fn step(&self, m: u64) -> Option<Draft> {
        let z = self.orbit.values[m as usize];
        if z[0].abs().max(z[1].abs()) < 1e-30 {
            return None;
        }
        let entry = Entry::step(z, self.epsilon, self.outside);
        let remainder = Remainder {
            reach: entry.radius / self.epsilon * NEAR,
            ..Remainder::default()
        };
        Some((entry, remainder))
    }

    /// The square's term of `x` and then `y`, whose entries join to `joined`, and what is left out.
    fn add_square(&self, joined: &mut Entry, (x, of_x): &Draft, (y, of_y): &Draft) -> Remainder {
        let (ax, bx, qx) = (modulus(x.a), modulus(x.b), modulus(x.q));
        let (ay, qy) = (modulus(y.a), modulus(y.q));
        let (first, second) = (mul(y.a, x.q), mul(y.q, mul(x.a, x.a)));
        let q = add(first, second);
        let mut remainder = Remainder {
            reach: 0.0,
            cubic: ay * of_x.cubic + 2.0 * qy * ax * qx + of_y.cubic * ax * ax * ax,
            cross: ay * of_x.cross + 2.0 * qy * ax * bx + of_y.cross * ax,
            square: ay * of_x.square + qy * bx * bx + of_y.square + of_y.cross * bx,
        };
        let (a, b, size) = (modulus(joined.a), modulus(joined.b), modulus(q));
        let flat = remainder.cross * self.near <= self.epsilon * a
            && remainder.square * self.near <= self.epsilon * b;
        let reach = (0.99 * of_y.reach - bx * self.near) / ax;
        let reach = reach
            .min(of_x.reach)
            .min((self.epsilon * a / remainder.cubic).sqrt())
            .min(NEAR * a / size);
        joined.reach = joined.radius;
        // Sums past all range fail here as well.
        if flat && narrow(size) && narrow(remainder.cubic) && narrow(reach) {
            joined.q = q;
            joined.reach = reach.max(joined.radius);
            remainder.reach = reach;
        }
        remainder
    }

    /// Two blocks in a row as one.
    fn join(&self, first: &Draft, second: &Draft) -> Draft {
        if first.0.is_narrow()
            && second.0.is_narrow()
            && let Some(mut joined) = first.0.then(&second.0, self.near)
        {
            let remainder = self.add_square(&mut joined, first, second);
            return (joined, remainder);
        }
        let joined = first.0.wide().then(&second.0.wide(), self.c_max);
        (joined.pack(), Remainder::default())
    }

    /// The block of the lowest level that begins at `m`.
    fn block(&self, m: u64) -> Draft {
        let steps = m..m + (1 << LOWEST_LEVEL);
        self.narrow_block(steps.clone()).unwrap_or_else(|| {
            let step = |m: u64| WideEntry::step(self.orbit.at(m), self.epsilon, self.outside);
            let mut all = step(m);
            for m in steps.skip(1) {
                all = all.then(&step(m), self.c_max);
            }
            (all.pack(), Remainder::default())
        })
    }

    fn narrow_block(&self, mut steps: std::ops::Range<u64>) -> Option<Draft> {
        let mut all = self.step(steps.next()?)?;
        for m in steps {
            let next = self.step(m)?;
            let mut joined = all.0.then(&next.0, self.near)?;
            let remainder = self.add_square(&mut joined, &all, &next);
            all = (joined, remainder);
        }
        Some(all)
    }
}

impl BlaTable {
    /// The blocks of `orbit` for deltas c of up to `c_max` in modulus, and an escape radius.
    ///
    /// A skipped step is wrong by the share `epsilon` of z at most. 20 bytes for each value of the orbit.
    #[must_use]
    pub fn new(orbit: &ReferenceOrbit, c_max: FloatExp, escape_radius: f64, epsilon: f64) -> Self {
        let build = Build {
            orbit,
            c_max,
            near: c_max.to_f64(),
            epsilon,
            // |z| < |Z| / 512 and |Z| < this leave |Z + z| inside: no block hides an escape.
            outside: escape_radius * (1.0 - 2.0 * NEAR.max(epsilon)),
        };
        let size = 1u64 << LOWEST_LEVEL;
        // The last step of all leads from Z_(M-1) to Z_M.
        let count = (orbit.steps().saturating_sub(1) / size) as usize;
        let one = |i: usize| build.block(1 + i as u64 * size);
        let mut level = parallel_map(count, &one);
        let reach = |(entry, _): &Draft| {
            if entry.is_narrow() {
                entry.reach as f32
            } else {
                0.0
            }
        };
        let reaches: Vec<f32> = level.iter().map(reach).collect();
        let farthest = reaches.iter().fold(0.0, |far: f32, reach| far.max(*reach));
        let mut levels = Vec::new();
        while !level.is_empty() {
            let next = level
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[first, second]| build.join(first, second))
                .collect();
            levels.push(level.iter().map(|(entry, _)| *entry).collect());
            level = next;
        }
        Self {
            levels,
            reaches,
            farthest: farthest.into(),
        }
    }

    /// How many blocks each level has.
    pub(crate) fn counts(&self) -> Vec<usize> {
        self.levels.iter().map(Vec::len).collect()
    }

    /// The block of 2^`level` steps that begins at `m`; `None` where there is none.
    #[inline(always)]
    #[must_use]
    pub fn entry(&self, level: u32, m: u64) -> Option<&Entry> {
        let begins = m >= 1 && (m - 1) & ((1 << level) - 1) == 0;
        let entries = self.levels.get(level.checked_sub(LOWEST_LEVEL)? as usize)?;
        begins.then(|| entries.get(((m - 1) >> level) as usize))?
    }
}
