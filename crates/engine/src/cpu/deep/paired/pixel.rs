//! One pixel in pairs of doubles, by blocks and by the steps for which doubles have no exponent.

use fractal::{FloatExp, settled};

use super::frame::{Paired, SMALLEST_LOG2, smallest};
use crate::cpu::deep::numbers::{modulus, power_of_two};
use crate::cpu::deep::pixels::pixel::{End, norm2, size};
use crate::cpu::deep::rounding::{Bound, wide_joined};
use crate::deep::complex::times_plus as double_times_plus;
use crate::deep::jets::LOWEST_LEVEL;
use crate::deep::pairs::{Complex, LinearBlock, Pair, PairedJet, times_plus};

/// Steps between two looks at whether the computation was cancelled.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 12;
/// Share of R² by which |z|² may be off it where doubles do not decide between them.
const TIE: f64 = 1.0 / (1u64 << 44) as f64;
/// Slightly over the square root of 2: |z| is at most this many times its larger part.
const DIAGONAL: f64 = 1.4143;
/// What is off by this share of itself and of 1 is not certain any more.
const HOPELESS: f64 = 0.25;
/// How much more the coefficients of polynomials may be rounded than A of a block of the same steps: each is a sum of several
/// products of up to seven of those.
const JET_ROUNDING: f64 = 64.0;
/// Roundings of the terms that are computed in doubles.
const DOUBLES_ROUNDING: f64 = 16.0 * f64::EPSILON;
/// What numbers below the range of doubles may be off by, and far more.
const LEAST: f64 = f64::from_bits((1023 - 900) << 52);
/// How far within its radius a z has to be, and more than the error is of the radius.
const INNER: f64 = 1.0 / (1u64 << 18) as f64;

/// A pixel on its way. All values are times 2^exponent.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu::deep) struct Pixel {
    /// The delta z_n from Z_m.
    pub(super) z: [Pair; 2],
    /// dz_n/dc times the size of a pixel.
    pub(super) slope: [f64; 2],
    pub(super) bound: Bound,
    exponent: i64,
    pub(super) m: u64,
    pub(super) n: u64,
    /// c with an exponent of its own, without one, and in units of the jets.
    c: Complex,
    pub(super) near_c: [Pair; 2],
    w: [Pair; 2],
    pub(in crate::cpu::deep) col: u32,
    pub(in crate::cpu::deep) row: u32,
}

/// Where a pixel is after blocks of steps.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Ended(End),
    /// Only single steps lead on, until m is this or z is small enough again.
    Ready(u64),
    Cancelled,
}

#[inline(always)]
pub(super) fn rounded(p: [Pair; 2]) -> [f64; 2] {
    [p[0].0, p[1].0]
}

#[inline(always)]
fn part_sum(a: Pair, b: Pair) -> Pair {
    let high = Pair::of_sum(a.0, b.0);
    Pair::of_sorted(high.0, high.1 + (a.1 + b.1))
}

#[inline(always)]
fn sum(p: [Pair; 2], q: [Pair; 2]) -> [Pair; 2] {
    [part_sum(p[0], q[0]), part_sum(p[1], q[1])]
}

/// p times a power of two.
#[inline(always)]
fn scaled(p: [Pair; 2], by: f64) -> [Pair; 2] {
    [
        Pair(p[0].0 * by, p[0].1 * by),
        Pair(p[1].0 * by, p[1].1 * by),
    ]
}

impl Pixel {
    /// One at z_1 = c.
    #[inline(never)]
    pub(in crate::cpu::deep) fn start(paired: &Paired<'_>, col: u32, row: u32) -> Self {
        let deep = paired.deep;
        let c = Complex::of(settled::offset(
            &paired.frame.spec,
            &deep.orbit.point,
            col,
            row,
        ));
        let slope = deep.spacing;
        let mut pixel = Self {
            z: [Pair::default(); 2],
            slope: [0.0; 2],
            bound: Bound::default(),
            exponent: 0,
            m: 1,
            n: 1,
            c,
            near_c: c.in_units_of(0),
            w: c.in_units_of(paired.tables.unit_log2),
            col,
            row,
        };
        // The centre's own delta is 0.
        let exponent = if c.size() == 0.0 {
            slope.exponent()
        } else {
            c.exponent
        };
        pixel.exponent = shared(exponent);
        pixel.z = c.in_units_of(pixel.exponent);
        pixel.slope = [slope.scaled(pixel.exponent), 0.0];
        pixel.bound = paired.rounding.of_c(pixel.exponent);
        pixel
    }

    /// Iterates by blocks and where there is no other way by steps, until the orbit has ended or vectors lead on.
    #[inline(always)]
    pub(super) fn settle(&mut self, paired: &Paired<'_>, looks: &mut u64) -> Stage {
        let (deep, tables) = (paired.deep, paired.tables);
        loop {
            if self.n >= deep.limit {
                return Stage::Ended(self.end(paired, 0));
            }
            *looks += 1;
            if looks.is_multiple_of(STEPS_BETWEEN_LOOKS) && !deep.look() {
                return Stage::Cancelled;
            }
            if self.exponent == 0 {
                let near = rounded(self.z);
                let size = size(near);
                if size < paired.skippable
                    && let Some((jet, level)) =
                        tables.jets.longest(self.m, near, deep.limit - self.n)
                {
                    self.jet(paired, jet, level);
                } else if let Some((block, level)) = self.longest(paired) {
                    self.linear(paired, block, level);
                } else if self.m == 0 || paired.lacking(self.m) > 0.0 || size < smallest() {
                    self.step(paired);
                } else {
                    let wake = if size < paired.skippable {
                        tables.jets.next_block(self.m, size * DIAGONAL)
                    } else {
                        u64::MAX
                    };
                    return Stage::Ready(wake.min(tables.next_unpaired(self.m)));
                }
            } else if let Some((block, level)) = self.longest(paired) {
                self.linear(paired, block, level);
            } else {
                self.wide_step(paired);
            }
            if let Some(end) = self.arrive(paired) {
                return Stage::Ended(end);
            }
        }
    }

    fn longest<'t>(&self, paired: &Paired<'t>) -> Option<(&'t LinearBlock, u32)> {
        let modulus = FloatExp::new(DIAGONAL * size(rounded(self.z)), self.exponent);
        let mut best = None;
        let mut level = LOWEST_LEVEL;
        while let Some(block) = paired.tables.block(level, self.m)
            && self.n + (1 << level) <= paired.deep.limit
            && modulus < block.radius
        {
            best = Some((block, level));
            level += 1;
        }
        best
    }

    /// A polynomial of 2^`level` steps.
    #[inline(always)]
    fn jet(&mut self, paired: &Paired<'_>, jet: &PairedJet, level: u32) {
        let (deep, tables) = (paired.deep, paired.tables);
        let u = scaled(self.z, jet.inverse);
        let steps = 1 << level;
        let loss = tables.block(level, self.m).map(|block| block.loss);
        let near_u = rounded(u);
        let length = modulus(near_u);
        let farther = length + INNER / 2.0;
        let sizes = jet.sizes(length, farther);
        let is_exact = paired
            .rounding
            .is_below(self.bound, jet.inverse * (2.0 / INNER));
        // Within the radius by that much, what is left out adds no more to the derivative.
        let growth = sizes.growth + sizes.linear * INNER;
        let loss = loss.unwrap_or_default();
        let (rough_of_z, rough_of_c) = (f64::from(loss.rough_of_z), f64::from(loss.rough_of_c));
        let lost = sizes.dropped
            + sizes.by_u * JET_ROUNDING * rough_of_z
            + sizes.doubles * (DOUBLES_ROUNDING + JET_ROUNDING * f64::from(loss.rough_of_powers))
            + sizes.by_c * JET_ROUNDING * rough_of_c
            + LEAST;
        let mut bound = paired.rounding.block(
            self.bound,
            growth * jet.inverse,
            [sizes.by_u, sizes.by_c],
            lost,
        );
        // Also where no bound is known.
        if !(is_exact && farther < 1.0 - INNER) {
            bound.root = f64::INFINITY;
        }
        let unit = deep.spacing.scaled(tables.unit_log2);
        self.slope = jet.derive(near_u, rounded(self.w), self.slope, unit);
        self.z = jet.apply(u, self.w);
        self.bound = bound;
        self.m += steps;
        self.n += steps;
    }

    /// A step without an exponent.
    #[inline(always)]
    fn step(&mut self, paired: &Paired<'_>) {
        let reference = paired.near(self.m);
        let full = rounded(sum(reference, self.z));
        let from = rounded(self.z);
        let lacking = 4.0 * paired.lacking(self.m) * modulus(rounded(reference)) * modulus(from);
        self.bound = paired.rounding.step(self.bound, full, size(from));
        self.bound = paired.rounding.with(self.bound, lacking + LEAST);
        self.slope = double_times_plus(
            [full[0] + full[0], full[1] + full[1]],
            self.slope,
            paired.deep.unit,
        );
        self.z = times_plus(sum(scaled(reference, 2.0), self.z), self.z, self.near_c);
        self.m += 1;
        self.n += 1;
    }

    /// A step with an exponent.
    #[inline(never)]
    fn wide_step(&mut self, paired: &Paired<'_>) {
        let (deep, rounding) = (paired.deep, &paired.rounding);
        let z = self.wide();
        let reference = paired.tables.value(deep.orbit, self.m);
        let full = reference.plus(z);
        let mut root = rounding.wide_step(self.bound, self.root(), full.abs(), z.abs());
        let lacking = paired.lacking(self.m);
        if lacking > 0.0 {
            let error = reference.abs() * z.abs() * FloatExp::from_f64(4.0 * lacking);
            root = wide_joined(root, rounding.root_of(error));
        }
        let slope = self.wide_slope(full.plus(full), Complex::ONE, deep.spacing);
        self.put(reference.plus(full).times(z).plus(self.c), slope, root, 2);
        self.m += 1;
        self.n += 1;
    }

    /// A linear block of 2^`level` steps.
    #[inline(never)]
    fn linear(&mut self, paired: &Paired<'_>, block: &LinearBlock, level: u32) {
        let (deep, rounding) = (paired.deep, &paired.rounding);
        let z = self.wide();
        let loss = block.loss;
        let (of_z, of_c) = (f64::from(loss.of_z), f64::from(loss.of_c));
        let a = block.a.abs();
        let (by_z, by_c) = (a * z.abs(), block.b.abs() * rounding.c_max);
        let part = |share: f64| FloatExp::from_f64(share.min(1.0));
        let all = by_z * part(of_z) + by_c * part(of_c);
        let growth = a * FloatExp::from_f64(1.0 + 8.0 * of_z.min(1.0));
        let root = rounding.wide_block(self.root(), growth, [by_z, by_c], all);
        let slope = self.wide_slope(block.a, block.b, deep.spacing);
        let next = block.a.times(z).plus(block.b.times(self.c));
        self.put(next, slope, root, 1);
        // No bound is known where these are infinite.
        if !(of_z + of_c).is_finite() {
            self.bound.root = f64::INFINITY;
        }
        self.m += 1 << level;
        self.n += 1 << level;
    }

    fn wide(&self) -> Complex {
        Complex::new(self.z, self.exponent)
    }

    fn root(&self) -> FloatExp {
        if self.bound.root.is_finite() {
            FloatExp::new(self.bound.root, self.exponent)
        } else {
            FloatExp::ZERO
        }
    }

    /// a times the slope, plus b times the size of a pixel.
    fn wide_slope(&self, a: Complex, b: Complex, spacing: FloatExp) -> Complex {
        let pair = |value: f64| Pair(value, 0.0);
        let slope = Complex::new(self.slope.map(pair), self.exponent);
        let unit = Complex::new([pair(spacing.mantissa()), pair(0.0)], spacing.exponent());
        a.times(slope).plus(b.times(unit))
    }

    /// Takes over a z with its slope and bound.
    fn put(&mut self, z: Complex, slope: Complex, root: FloatExp, terms: u64) {
        let exponent = if z.size() == 0.0 {
            slope.exponent
        } else {
            z.exponent
        };
        let known = self.bound.root.is_finite();
        self.exponent = shared(exponent);
        self.z = z.in_units_of(self.exponent);
        self.slope = rounded(slope.in_units_of(self.exponent));
        self.bound = Bound {
            root: if known {
                root.scaled(self.exponent).max(f64::MIN_POSITIVE)
            } else {
                f64::INFINITY
            },
            terms: self.bound.terms + terms,
        };
    }

    /// After a step: the end, if the orbit has escaped or nothing is certain any more; if not, rebases where that is due.
    #[inline(always)]
    pub(super) fn arrive(&mut self, paired: &Paired<'_>) -> Option<End> {
        if self.exponent != 0 {
            return self.arrive_wide(paired);
        }
        let deep = paired.deep;
        let reference = paired.near(self.m);
        let full = sum(reference, self.z);
        let near = rounded(full);
        if let Some(end) = self.ended(paired, near) {
            return Some(end);
        }
        let length = size(rounded(self.z));
        if size(near) < length || self.m == deep.last {
            let lacking = paired.lacking(self.m) * modulus(rounded(reference));
            self.bound = paired
                .rounding
                .rebased(self.bound, rounded(reference), near);
            self.bound = paired.rounding.with(self.bound, lacking + LEAST);
            self.z = full;
            self.m = 0;
        }
        if size(rounded(self.z)) < smallest() {
            self.give_exponent(deep.spacing);
        }
        None
    }

    #[inline(never)]
    fn give_exponent(&mut self, spacing: FloatExp) {
        let z = self.wide();
        let exponent = if z.size() == 0.0 {
            spacing.exponent()
        } else {
            z.exponent
        };
        let exponent = shared(exponent);
        let by = power_of_two(-exponent);
        self.z = z.in_units_of(exponent);
        self.slope = self.slope.map(|part| part * by);
        self.bound.root *= by;
        self.exponent = exponent;
    }

    #[inline(never)]
    fn arrive_wide(&mut self, paired: &Paired<'_>) -> Option<End> {
        let (deep, rounding) = (paired.deep, &paired.rounding);
        let (z, reference) = (self.wide(), paired.tables.value(deep.orbit, self.m));
        let full = reference.plus(z);
        let near = rounded(full.in_units_of(0));
        if let Some(end) = self.ended(paired, near) {
            return Some(end);
        }
        let size = |p: Complex| FloatExp::new(p.size(), p.exponent);
        if size(full) < size(z) || self.m == deep.last {
            let mut root = rounding.wide_rebased(self.root(), reference.abs(), full.abs());
            let lacking = paired.lacking(self.m);
            if lacking > 0.0 {
                let error = reference.abs() * FloatExp::from_f64(lacking);
                root = wide_joined(root, rounding.root_of(error));
            }
            let pair = |value: f64| Pair(value, 0.0);
            let slope = Complex::new(self.slope.map(pair), self.exponent);
            self.put(full, slope, root, 2);
            self.m = 0;
        }
        None
    }

    /// The end of an orbit that is at `full`, if it is one.
    #[inline(always)]
    fn ended(&self, paired: &Paired<'_>, full: [f64; 2]) -> Option<End> {
        let limit = paired.deep.radius * paired.deep.radius;
        let square = norm2(full);
        if (square - limit).abs() <= TIE * limit || !self.bound.root.is_finite() {
            return Some(End {
                error: f64::INFINITY,
                ..End::default()
            });
        }
        (square > limit || square.is_nan()).then(|| self.end(paired, self.n))
    }

    #[inline(never)]
    fn end(&self, paired: &Paired<'_>, count: u64) -> End {
        let scale = power_of_two(self.exponent);
        let z = self.z.map(|part| Pair(part.0 * scale, part.1 * scale));
        let full = rounded(sum(paired.near(self.m), z));
        let own = paired.rounding.error(self.bound) * scale;
        End {
            count,
            z: full,
            slope: if count == 0 {
                [0.0; 2]
            } else {
                self.slope.map(|part| part * scale)
            },
            error: own + f64::EPSILON * (1.0 + modulus(full)),
        }
    }

    /// z_n in pairs, of a pixel without an exponent, and the bound of its error.
    #[cfg(test)]
    pub(in crate::cpu::deep) fn value(&self, paired: &Paired<'_>) -> Option<([Pair; 2], f64)> {
        let error = paired.rounding.error(self.bound);
        (self.exponent == 0).then(|| (sum(paired.near(self.m), self.z), error))
    }

    /// Whether nothing is certain any more.
    #[inline(always)]
    pub(super) fn is_hopeless(&self, paired: &Paired<'_>) -> bool {
        let far = 1.0 + size(rounded(self.z));
        let error = paired.rounding.error(self.bound) * power_of_two(self.exponent);
        error >= HOPELESS * far || error.is_nan()
    }
}

/// The exponent that numbers share of which the largest has `exponent`.
fn shared(exponent: i64) -> i64 {
    if exponent >= SMALLEST_LOG2 {
        0
    } else {
        exponent
    }
}
