//! The minibrot of a view as one map.
//!
//! Where a reference orbit ends at a period M, the pixels of a minibrot return to near 0 every M steps, and one return
//! F = f^M is very nearly a quadratic map. [`ReturnMap`] is that map with a bound of what it leaves out, so that
//! something can be proved with it ([`super::trap`]).
//!
//! From z = F's argument, v = z² + c - c_0 is the first delta from the orbit of a point c_0 near the nucleus. Later ones
//! are carried as polynomials of degree 2 in that first delta over its largest modulus and in the offset (c - c_0) / radius, with one bound
//! for all else: the terms of higher degree, the reference's and all other rounding, and the error of c_0's own orbit.

use fractal::reference::OrbitEnd;
use fractal::{ComplexExp, FloatExp, ReferenceOrbit};

use super::bla::{BlaTable, LOWEST_LEVEL};
use super::complex::{add, mul, scale};

/// Bounds of |z| and |c - c_0| where the map serves, in units in which it is y² + offset: there the set lies within 2 of 0.
pub(super) const REACH: f64 = 2.2;
/// Minibrots smaller than this many pixels are not worth a proof.
const SMALLEST: f64 = 1.0 / 64.0;
/// More than the rounding of an operation, and of all those of one evaluation, whose numbers are below 2^6.
pub(super) const ROUNDING: f64 = f64::EPSILON * 4.0;
pub(super) const SLACK: f64 = f64::EPSILON * 4096.0;
/// |y'| at 0 of a centre that is near enough to the nucleus, and how often a better one is looked for.
const CENTRED: f64 = 0.25;
const ATTEMPTS: usize = 4;
/// Largest bound of what is left out that proves anything.
const MOST_LOST: f64 = 1e-2;
/// Numbers of a step are kept within 2^± this.
const RANGE_LOG2: i64 = 200;

/// |p|, a little more rather than less.
pub(super) fn modulus(p: [f64; 2]) -> f64 {
    (p[0] * p[0] + p[1] * p[1]).sqrt() * (1.0 + ROUNDING)
}

/// At least |p|, at most 1.42 times as much.
pub(super) fn sum_norm(p: [f64; 2]) -> f64 {
    p[0].abs() + p[1].abs()
}

/// p / q
pub(super) fn quotient(p: [f64; 2], q: [f64; 2]) -> [f64; 2] {
    let norm = q[0] * q[0] + q[1] * q[1];
    scale(mul(p, [q[0], -q[1]]), 1.0 / norm)
}

/// The same with an exponent beside each number.
fn wide_quotient(p: ComplexExp, q: ComplexExp) -> ComplexExp {
    let norm = q.norm2();
    let product = p * ComplexExp::new(q.re, -q.im);
    ComplexExp::new(product.re / norm, product.im / norm)
}

fn wide_scale(p: ComplexExp, by: FloatExp) -> ComplexExp {
    ComplexExp::new(p.re * by, p.im * by)
}

/// 2^`n`; 0 or infinite where that is no double.
fn power_of_two(n: i64) -> f64 {
    FloatExp::new(1.0, n).to_f64()
}

/// One return f^M of the points around a minibrot, in units in which it is about y² + offset.
#[derive(Clone, Debug, PartialEq)]
pub struct ReturnMap {
    /// Steps M of a return.
    pub period: u64,
    /// c_0, as a delta from the reference point.
    centre: ComplexExp,
    /// How far from c_0 the map serves: the unit of offsets.
    radius: FloatExp,
    /// first = `first_by_y2` y² + `first_by_offset` offset.
    pub(super) first_by_y2: f64,
    pub(super) first_by_offset: f64,
    /// y' = `constant` + `a` first + `b` offset + `first2` first² + `first_offset` first offset + `offset2` offset², or up
    /// to `lost` beside it.
    pub(super) constant: [f64; 2],
    pub(super) a: [f64; 2],
    pub(super) b: [f64; 2],
    pub(super) first2: [f64; 2],
    pub(super) first_offset: [f64; 2],
    pub(super) offset2: [f64; 2],
    pub(super) lost: f64,
}

/// A delta as a polynomial while a return is followed. All values are times 2^exponent.
struct DeltaPolynomial {
    exponent: i64,
    /// The delta of c_0's orbit from the reference, and a bound of its error.
    base: [f64; 2],
    off: f64,
    a: [f64; 2],
    b: [f64; 2],
    first2: [f64; 2],
    first_offset: [f64; 2],
    offset2: [f64; 2],
    lost: f64,
}

impl DeltaPolynomial {
    /// One step from the reference's value `z`, times 2^`shift`; `c` and `radius` are c_0 and the unit of offsets times
    /// 2^-exponent of the result.
    fn step(&mut self, z: [f64; 2], shift: i64, c: [f64; 2], radius: f64) {
        // Of a square, in units of the result.
        let square = power_of_two(self.exponent - shift);
        let base = scale(self.base, power_of_two(self.exponent - shift));
        let full = add(z, base);
        let twice = scale(full, 2.0);
        let off = self.off * square;
        let growth = 2.0 * modulus(full);
        let blurred = 2.0 * (off + ROUNDING * (sum_norm(z) + sum_norm(base)));
        let line = sum_norm(self.a) + sum_norm(self.b);
        let bend = sum_norm(self.first2) + sum_norm(self.first_offset) + sum_norm(self.offset2);
        let all = line + bend;
        self.lost = (1.0 + ROUNDING)
            * ((growth + blurred + (2.0 * all + self.lost) * square) * self.lost
                + (2.0 * line + bend) * bend * square
                + (blurred + ROUNDING * (growth + line * square)) * all
                + ROUNDING * radius);
        let (z_size, base_size) = (sum_norm(z), sum_norm(self.base));
        self.off = (1.0 + ROUNDING)
            * ((growth + blurred) * self.off
                + ROUNDING * ((2.0 * z_size + sum_norm(base)) * base_size + sum_norm(c)));
        self.first2 = add(mul(twice, self.first2), scale(mul(self.a, self.a), square));
        self.first_offset = add(
            mul(twice, self.first_offset),
            scale(mul(self.a, self.b), 2.0 * square),
        );
        self.offset2 = add(mul(twice, self.offset2), scale(mul(self.b, self.b), square));
        self.a = mul(twice, self.a);
        self.b = add(mul(twice, self.b), [radius, 0.0]);
        self.base = add(mul(add(z, full), self.base), c);
        self.exponent += shift;
    }

    /// The same numbers with an exponent at which they are about 1.
    fn rescale(&mut self) {
        let largest = self.size();
        let by = FloatExp::from_f64(largest).exponent();
        let factor = power_of_two(-by);
        for value in [
            &mut self.base,
            &mut self.a,
            &mut self.b,
            &mut self.first2,
            &mut self.first_offset,
            &mut self.offset2,
        ] {
            *value = scale(*value, factor);
        }
        self.off *= factor;
        self.lost *= factor;
        self.exponent += by;
    }

    fn size(&self) -> f64 {
        sum_norm(self.base)
            .max(sum_norm(self.a))
            .max(sum_norm(self.b))
    }

    fn wide(&self, p: [f64; 2]) -> ComplexExp {
        let part = |value| FloatExp::new(value, self.exponent);
        ComplexExp::new(part(p[0]), part(p[1]))
    }
}

/// dZ_M/dv and dZ_M/dc of the reference point, v the first delta: by the longest blocks, whose factors hold at the
/// reference itself whatever their radius.
fn derivatives(orbit: &ReferenceOrbit, blocks: &BlaTable) -> (ComplexExp, ComplexExp) {
    let last = orbit.steps();
    let one = ComplexExp::from_f64(1.0, 0.0);
    let (mut a, mut b) = (one, ComplexExp::ZERO);
    let mut m = 1;
    while m < last {
        let mut steps = 1;
        let z = orbit.at(m);
        let (mut by, mut plus) = (z + z, one);
        let mut level = LOWEST_LEVEL;
        while let Some(entry) = blocks.entry(level, m)
            && m + (1 << level) <= last
        {
            let wide = entry.wide();
            (by, plus, steps) = (wide.a, wide.b, 1 << level);
            level += 1;
        }
        a = by * a;
        b = by * b + plus;
        m += steps;
    }
    (a, b)
}

impl ReturnMap {
    /// That of the minibrot whose period ends the reference orbit; `None` where there is none, where it lies outside the
    /// view (|c| up to `c_max`) or is too small to be seen among pixels of size `spacing`, and where its return is not as
    /// simple as that.
    #[must_use]
    pub fn new(
        orbit: &ReferenceOrbit,
        blocks: &BlaTable,
        c_max: FloatExp,
        spacing: FloatExp,
    ) -> Option<Self> {
        if orbit.end != OrbitEnd::Period || orbit.steps() < 2 {
            return None;
        }
        let (alpha, gamma) = derivatives(orbit, blocks);
        let beta = alpha + gamma;
        let (by_first, by_c) = (alpha.abs(), beta.abs());
        if by_first.is_zero() || by_c.is_zero() {
            return None;
        }
        let mini = FloatExp::ONE / (by_first * by_c);
        let mut centre = wide_quotient(
            wide_scale(orbit.at(orbit.steps()), FloatExp::from_f64(-1.0)),
            beta,
        );
        let visible = mini > spacing * FloatExp::from_f64(SMALLEST);
        if !visible {
            return None;
        }
        for _ in 0..ATTEMPTS {
            if centre.abs() > c_max + mini + mini {
                return None;
            }
            let map = Self::around(orbit, centre, (by_first, by_c))?;
            let size = modulus(map.constant);
            if size <= CENTRED {
                return (map.lost <= MOST_LOST).then_some(map);
            }
            // Newton's method: at y = 0, first is `first_by_offset` offset.
            let slope = add(scale(map.a, map.first_by_offset), map.b);
            let step = quotient(map.constant, slope);
            let wide = ComplexExp::from_f64(-step[0], -step[1]);
            centre = centre + wide_scale(wide, map.radius);
        }
        None
    }

    /// The return around c_0 = `centre`, whose |dF/dv| and |dF/dc| are about `slopes`; `None` where a number is out of
    /// all proportion.
    fn around(
        orbit: &ReferenceOrbit,
        centre: ComplexExp,
        slopes: (FloatExp, FloatExp),
    ) -> Option<Self> {
        let (by_first, by_c) = slopes;
        let unit = FloatExp::ONE / by_first;
        let reach = FloatExp::from_f64(REACH);
        let radius = reach * unit / by_c;
        let first = reach * reach * unit * unit + radius;
        let exponent = first.exponent().max(centre.abs().exponent());
        let mut follow = DeltaPolynomial {
            exponent,
            base: [centre.re.scaled(exponent), centre.im.scaled(exponent)],
            off: 0.0,
            a: [first.scaled(exponent), 0.0],
            b: [0.0; 2],
            first2: [0.0; 2],
            first_offset: [0.0; 2],
            offset2: [0.0; 2],
            lost: 0.0,
        };
        let last = orbit.steps();
        let mut small = orbit.small.iter().filter(|(m, _)| *m < last).peekable();
        let parts = |exponent: i64| {
            (
                [centre.re.scaled(exponent), centre.im.scaled(exponent)],
                radius.scaled(exponent),
            )
        };
        let (mut c, mut s) = parts(exponent);
        let limit = power_of_two(RANGE_LOG2);
        for m in 1..last {
            let mut z = orbit.values[m as usize];
            let mut shift = 0;
            if let Some((_, value)) = small.next_if(|(at, _)| *at == m) {
                shift = value.abs().exponent();
                z = [value.re.scaled(shift), value.im.scaled(shift)];
                (c, s) = parts(follow.exponent + shift);
            }
            follow.step(z, shift, c, s);
            let size = follow.size();
            if shift != 0 || size.is_nan() || size >= limit || size * limit <= 1.0 {
                if size <= 0.0 || size == f64::INFINITY || size.is_nan() {
                    return None;
                }
                follow.rescale();
                (c, s) = parts(follow.exponent);
            }
        }
        let normal = |p: ComplexExp| {
            let p = wide_scale(p, by_first);
            [p.re.to_f64(), p.im.to_f64()]
        };
        let t = orbit.at(last) + follow.wide(follow.base);
        let lost = FloatExp::new(follow.lost + follow.off, follow.exponent)
            + (orbit.at(last).abs() + t.abs()) * FloatExp::from_f64(ROUNDING);
        let map = Self {
            period: last,
            centre,
            radius,
            first_by_y2: (unit * unit / first).to_f64(),
            first_by_offset: (radius / first).to_f64(),
            constant: normal(t),
            a: normal(follow.wide(follow.a)),
            b: normal(follow.wide(follow.b)),
            first2: normal(follow.wide(follow.first2)),
            first_offset: normal(follow.wide(follow.first_offset)),
            offset2: normal(follow.wide(follow.offset2)),
            lost: (lost * by_first).to_f64() + SLACK,
        };
        let sizes = [map.a, map.b, map.first2, map.first_offset, map.offset2].map(sum_norm);
        let modest = sizes.iter().all(|size| *size < 64.0) && map.constant[0].is_finite();
        (modest && map.constant[1].is_finite() && map.lost.is_finite()).then_some(map)
    }

    /// The offset of a c, both as delta from the reference point.
    #[must_use]
    pub fn share(&self, c: ComplexExp) -> [f64; 2] {
        let from = c - self.centre;
        [
            (from.re / self.radius).to_f64(),
            (from.im / self.radius).to_f64(),
        ]
    }

    /// The radius in offsets of a disc of radius `radius` in c around one at `c`: with what [`ReturnMap::share`] may be off.
    #[must_use]
    pub fn share_of(&self, radius: FloatExp, c: ComplexExp) -> f64 {
        let rounding = (c.abs() + self.centre.abs()) * FloatExp::from_f64(ROUNDING);
        ((radius + rounding) / self.radius).to_f64() * (1.0 + ROUNDING) + ROUNDING
    }
}
