//! A tile of pixels as one Taylor series.
//!
//! z_n is a polynomial in c, so over a small tile of the picture it is a series in t = (c - c_t) / rho, where c_t is
//! the tile's centre and rho its radius: z = a_0 + a_1 t + ... + a_K t^K, for all |t| <= 1 at once. With f = Z + a_0,
//! the orbit of the centre, and r the rest of the series, a step is r' = 2 f r + r^2 + rho t, and a_0 is a pixel of its
//! own, with rebasing. What r^2 loses beyond t^K is bounded in every step; when the sum of it reaches
//! [`Deep::tolerance`] the tile is cut into four, whose series are the same polynomial about their own centres.
//!
//! All these bounds are for the tile as a whole, in pixels of its mean |dz/dc|. Near a nucleus, where z_n is about c^2, c^4
//! or c^8, a pixel's own |dz/dc| is many powers of two smaller, and an error of the same size moves it by as much more.
//! So a tile whose slopes differ by much is cut as well, down to the smallest ones, and of these [`Series::suits`] tells
//! which pixels had better go their own way from the start.
//!
//! All numbers of a series share an exponent, 0 wherever doubles serve.

use fractal::{ComplexExp, FloatExp};

use crate::cpu::deep::frame::Deep;
use crate::cpu::deep::numbers::{exponent_of, larger, power_of_two};
use crate::cpu::deep::rounding::Bound;
use crate::cpu::deep::square::{Disc, SMALLEST};
use crate::deep::bla::Entry;
use crate::deep::complex::times_plus;

/// Order of the series: a vector of AVX-512.
pub(in crate::cpu::deep) const ORDER: usize = 8;
/// All errors of a series may move one pixel, by its own |dz/dc|, by so many times [`Deep::tolerance`].
const OWN_SHARE: f64 = 256.0;
/// A tile is cut where the slopes of all other powers may be so many times that of the first.
const MOST_CURVATURE: f64 = 8.0;
/// Rounding of a series, as a share of what it spreads over: that of millions of steps, as it adds up by chance.
pub(in crate::cpu::deep) const ROUNDING: f64 = 1.0 / (1u64 << 48) as f64;
/// Steps between two looks at whether the computation was cancelled.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 12;
/// Slightly over 1: more than the rounding of a few operations.
const ABOVE: f64 = 1.0 + 1e-12;

/// Why a series went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cpu::deep) enum Stop {
    /// Its truncation would be seen.
    Invalid,
    /// Some of its points escape in the next step and others do not.
    Straddles,
    /// All of its points escaped in the last step, and none before.
    Escaped,
    /// The iteration limit.
    Limit,
}

/// The deltas z_n of all points of a tile.
#[derive(Clone, Debug)]
pub(in crate::cpu::deep) struct Series {
    /// Index of the reference value that z is a delta from.
    pub(in crate::cpu::deep) m: u64,
    /// Steps done.
    pub(in crate::cpu::deep) n: u64,
    /// All values below are times 2^this.
    pub(in crate::cpu::deep) exponent: i64,
    /// a_0.
    pub(in crate::cpu::deep) centre: [f64; 2],
    /// a_1 to a_K.
    pub(in crate::cpu::deep) re: [f64; ORDER],
    pub(in crate::cpu::deep) im: [f64; ORDER],
    /// Bound of what was lost.
    pub(in crate::cpu::deep) lost: f64,
    /// Rounding so far, of this series and of those that it was cut from.
    pub(in crate::cpu::deep) rough: f64,
    /// Bound of |a_1| + ... + |a_K|.
    pub(in crate::cpu::deep) spread: f64,
    /// Of what any of its points is off by, but for what was lost; of no account where counts need not be certain.
    pub(in crate::cpu::deep) bound: Bound,
}

/// Sums of the moduli of coefficients.
#[inline(always)]
pub(in crate::cpu::deep) fn moduli(re: &[f64; ORDER], im: &[f64; ORDER]) -> ([f64; ORDER], f64) {
    let mut all = [0.0; ORDER];
    for k in 0..ORDER {
        all[k] = re[k].abs() + im[k].abs();
    }
    let pairs = [
        all[0] + all[4],
        all[1] + all[5],
        all[2] + all[6],
        all[3] + all[7],
    ];
    (all, (pairs[0] + pairs[2]) + (pairs[1] + pairs[3]))
}

/// |p|
#[inline(always)]
fn modulus(p: [f64; 2]) -> f64 {
    p[0].mul_add(p[0], p[1] * p[1]).sqrt()
}

impl Series {
    /// z_1 = c; or z_0 where orbits do not begin at 0.
    pub(in crate::cpu::deep) fn start(deep: &Deep<'_>, disc: &Disc) -> Self {
        let mut series = Self {
            m: 0,
            n: 0,
            exponent: 0,
            centre: [deep.z0.0, deep.z0.1],
            re: [0.0; ORDER],
            im: [0.0; ORDER],
            lost: 0.0,
            rough: 0.0,
            spread: 0.0,
            bound: Bound::default(),
        };
        if deep.z0 == (0.0, 0.0) {
            let largest = larger(larger(disc.c.re.abs(), disc.c.im.abs()), disc.radius);
            let exponent = deep.shared(largest.exponent());
            series.exponent = exponent;
            series.centre = [disc.c.re.scaled(exponent), disc.c.im.scaled(exponent)];
            series.re[0] = disc.radius.scaled(exponent);
            series.spread = series.re[0];
            series.bound = deep.rounding.of_c(exponent);
            (series.m, series.n) = (1, 1);
        }
        series
    }

    /// The arithmetic of a step, or of a block with the square's term: r' = `linear` r + `quadratic` r^2 + `radius` t.
    #[inline(always)]
    fn step_with(
        &self,
        linear: [f64; 2],
        quadratic: [f64; 2],
        radius: [f64; 2],
        centre: [f64; 2],
    ) -> Self {
        let ([gx, gy], [qx, qy]) = (linear, quadratic);
        let (mut re, mut im) = ([0.0; ORDER], [0.0; ORDER]);
        for k in 0..ORDER {
            re[k] = gx.mul_add(self.re[k], -(gy * self.im[k]));
            im[k] = gx.mul_add(self.im[k], gy * self.re[k]);
        }
        re[0] += radius[0];
        im[0] += radius[1];
        // The series again, with zeros before it, so that a shifted one is a load.
        let (mut sx, mut sy) = ([0.0; 2 * ORDER], [0.0; 2 * ORDER]);
        for k in 0..ORDER {
            sx[ORDER + k] = qx.mul_add(self.re[k], -(qy * self.im[k]));
            sy[ORDER + k] = qx.mul_add(self.im[k], qy * self.re[k]);
        }
        for i in 0..ORDER - 1 {
            let (ax, ay) = (self.re[i], self.im[i]);
            for k in 0..ORDER {
                let (bx, by) = (sx[ORDER + k - i - 1], sy[ORDER + k - i - 1]);
                re[k] = ax.mul_add(bx, (-ay).mul_add(by, re[k]));
                im[k] = ax.mul_add(by, ay.mul_add(bx, im[k]));
            }
        }
        // Products of a_i and a_j with i + j > K.
        let (all, spread) = moduli(&self.re, &self.im);
        let (mut cut, mut tail) = (0.0, 0.0);
        for i in 0..ORDER {
            tail += all[ORDER - 1 - i];
            cut += all[i] * tail;
        }
        let quadratic = qx.abs() + qy.abs();
        let growth = gx.abs() + gy.abs() + 2.0 * spread * quadratic;
        let lost = growth * self.lost + (cut + self.lost * self.lost) * quadratic;
        Self {
            centre,
            lost,
            rough: self.rough * (modulus(linear) + 2.0 * spread * quadratic),
            spread: moduli(&re, &im).1,
            re,
            im,
            ..*self
        }
    }

    /// The arithmetic of a block: z' = `a` z + `b` c, with the radius and centre of the tile in c's units.
    #[inline(always)]
    fn skip_with(&self, a: [f64; 2], b: [f64; 2], radius: f64, centre: [f64; 2]) -> Self {
        let [gx, gy] = a;
        let (mut re, mut im) = ([0.0; ORDER], [0.0; ORDER]);
        for k in 0..ORDER {
            re[k] = gx.mul_add(self.re[k], -(gy * self.im[k]));
            im[k] = gx.mul_add(self.im[k], gy * self.re[k]);
        }
        re[0] = b[0].mul_add(radius, re[0]);
        im[0] = b[1].mul_add(radius, im[0]);
        Self {
            centre,
            lost: self.lost * (gx.abs() + gy.abs()),
            rough: self.rough * modulus(a),
            spread: moduli(&re, &im).1,
            re,
            im,
            ..*self
        }
    }

    /// Whether slopes may differ by much within the tile.
    #[inline(always)]
    fn is_curved(&self) -> bool {
        let (all, _) = moduli(&self.re, &self.im);
        let mut curvature = 0.0;
        for (k, modulus) in all.iter().enumerate().skip(1) {
            curvature += (k + 1) as f64 * modulus;
        }
        curvature > MOST_CURVATURE * all[0]
    }

    /// Whether doubles without an exponent would have lost something.
    #[inline(always)]
    fn is_tiny(&self, deep: &Deep<'_>) -> bool {
        let [x, y] = self.centre;
        self.spread.max(x.abs()).max(y.abs()) < deep.tiny
    }

    /// The centre with its whole exponent.
    fn wide_centre(&self) -> ComplexExp {
        let part = |value| FloatExp::new(value, self.exponent);
        ComplexExp::new(part(self.centre[0]), part(self.centre[1]))
    }

    #[inline(always)]
    fn step(&self, deep: &Deep<'_>, disc: &Disc) -> Self {
        if self.exponent == 0 {
            let [zx, zy] = deep.orbit.values[self.m as usize];
            let [x, y] = self.centre;
            let (fx, fy) = (zx + x, zy + y);
            let (hx, hy) = (zx + fx, zy + fy);
            let centre = [
                hx.mul_add(x, (-hy).mul_add(y, disc.near[0])),
                hx.mul_add(y, hy.mul_add(x, disc.near[1])),
            ];
            let linear = [fx + fx, fy + fy];
            let next = self.step_with(linear, [1.0, 0.0], [disc.near_radius, 0.0], centre);
            if !next.is_tiny(deep) {
                return next;
            }
        }
        self.step_wide(deep, disc)
    }

    #[inline(never)]
    fn step_wide(&self, deep: &Deep<'_>, disc: &Disc) -> Self {
        let z = deep.orbit.at(self.m);
        let a0 = self.wide_centre();
        let f = z + a0;
        let centre = (z + f) * a0 + disc.c;
        let rest = FloatExp::new(self.spread + self.lost, self.exponent);
        let rest = if rest.is_zero() {
            i64::MIN / 4
        } else {
            rest.exponent()
        };
        let largest = (exponent_of(f) + rest + 2)
            .max(2 * rest + 1)
            .max(disc.radius.exponent())
            .max(exponent_of(centre));
        let exponent = deep.shared(largest);
        let mut next = self.step_with(
            [
                2.0 * f.re.scaled(exponent - self.exponent),
                2.0 * f.im.scaled(exponent - self.exponent),
            ],
            [power_of_two(2 * self.exponent - exponent), 0.0],
            [disc.radius.scaled(exponent), 0.0],
            [centre.re.scaled(exponent), centre.im.scaled(exponent)],
        );
        next.exponent = exponent;
        next
    }

    #[inline(always)]
    fn skip(&self, deep: &Deep<'_>, disc: &Disc, entry: &Entry) -> Self {
        if self.exponent == 0 && entry.is_narrow() {
            let from_c = times_plus(entry.b, disc.near, [0.0; 2]);
            let chord = times_plus(entry.q, self.centre, entry.a);
            let centre = times_plus(chord, self.centre, from_c);
            let tangent = times_plus(entry.q, self.centre, chord);
            let radius = [entry.b[0] * disc.near_radius, entry.b[1] * disc.near_radius];
            let next = self.step_with(tangent, entry.q, radius, centre);
            if !next.is_tiny(deep) {
                return next;
            }
        }
        self.skip_wide(deep, disc, entry)
    }

    #[inline(never)]
    fn skip_wide(&self, deep: &Deep<'_>, disc: &Disc, entry: &Entry) -> Self {
        let wide = entry.wide();
        let centre = wide.a * self.wide_centre() + wide.b * disc.c;
        let rest = FloatExp::new(self.spread + self.lost, self.exponent);
        let rest = if rest.is_zero() {
            i64::MIN / 4
        } else {
            rest.exponent()
        };
        let largest = (exponent_of(wide.a) + rest + 1)
            .max(exponent_of(wide.b) + disc.radius.exponent() + 1)
            .max(exponent_of(centre));
        let exponent = deep.shared(largest);
        let a = [
            wide.a.re.scaled(exponent - self.exponent),
            wide.a.im.scaled(exponent - self.exponent),
        ];
        let radius = disc.radius.scaled(exponent - i64::from(entry.b_exponent));
        let centre = [centre.re.scaled(exponent), centre.im.scaled(exponent)];
        let mut next = self.skip_with(a, entry.b, radius, centre);
        next.exponent = exponent;
        next
    }

    /// Iterates as far as the series is exact enough for all points of the tile; `None` if cancelled.
    #[inline(always)]
    pub(in crate::cpu::deep) fn advance(&mut self, deep: &Deep<'_>, disc: &Disc) -> Option<Stop> {
        let tolerance = deep.tolerance / disc.radius_pixels.max(1.0);
        let cuttable = disc.radius_pixels > f64::from(SMALLEST);
        // What begins with c has to be looked at before its first step.
        let mut next = self.clone();
        let mut looks = 0u64;
        loop {
            if next.n > 0 {
                if next.lost > tolerance * next.spread || cuttable && next.is_curved() {
                    return Some(Stop::Invalid);
                }
                let scale = power_of_two(next.exponent);
                let [zx, zy] = deep.orbit.values[next.m as usize];
                let (fx, fy) = (
                    next.centre[0].mul_add(scale, zx),
                    next.centre[1].mul_add(scale, zy),
                );
                let spread = (next.spread + next.lost) * scale;
                if fx.abs() + fy.abs() + spread >= deep.radius {
                    let size = (fx * fx + fy * fy).sqrt();
                    if size - spread > deep.radius * ABOVE {
                        *self = next;
                        return Some(Stop::Escaped);
                    }
                    // Also where a number has overflowed.
                    let far = size + spread;
                    if far >= deep.radius / ABOVE || far.is_nan() {
                        // A tile that straddles at once has nothing to fall back on but its first point.
                        return Some(Stop::Straddles);
                    }
                }
                next.rebase(deep, [fx, fy]);
                *self = next;
            }
            if self.n >= deep.limit {
                return Some(Stop::Limit);
            }
            looks += 1;
            if looks.is_multiple_of(STEPS_BETWEEN_LOOKS) && !deep.look() {
                return None;
            }
            let (entry, steps) = self.block(deep);
            next = match entry {
                Some(entry) => self.skip(deep, disc, entry),
                None => self.step(deep, disc),
            };
            if deep.settled {
                next.bound = self.bound_after(deep, &next, entry, steps);
            }
            next.m += steps;
            next.n += steps;
        }
    }

    /// The bound of all points of `next`, which a step or the block `entry` has led to.
    #[inline(never)]
    fn bound_after(
        &self,
        deep: &Deep<'_>,
        next: &Self,
        entry: Option<&Entry>,
        steps: u64,
    ) -> Bound {
        let unknown = Bound {
            root: f64::INFINITY,
            ..self.bound
        };
        if !self.bound.root.is_finite() {
            return unknown;
        }
        let up = |value: f64| FloatExp::new(value, self.exponent);
        let (root, centre, spread) = (
            up(self.bound.root),
            self.wide_centre().abs(),
            up(self.spread),
        );
        let size = centre + spread;
        let root = match entry {
            Some(entry) => {
                let wide = entry.wide();
                let loss = deep.losses.loss(steps, self.m);
                let (of_z, of_c) = (f64::from(loss.of_z), f64::from(loss.of_c));
                if !(of_z + of_c).is_finite() {
                    return unknown;
                }
                let number = FloatExp::from_f64;
                let a = wide.a.abs();
                let (by_z, by_c) = (a * size, wide.b.abs() * deep.rounding.c_max);
                let bend = ComplexExp::from_f64(entry.q[0], entry.q[1]).abs() * size;
                let growth = a * number(1.0 + 8.0 * of_z) + bend + bend;
                let lost = by_z * number(of_z) + by_c * number(of_c);
                deep.rounding.wide_block(root, growth, [by_z, by_c], lost)
            }
            None => {
                let full = (deep.orbit.at(self.m) + self.wide_centre()).abs() + spread;
                deep.rounding
                    .tile_step(self.bound, root, full, centre, spread)
            }
        };
        Bound {
            root: root.scaled(next.exponent).max(f64::MIN_POSITIVE),
            terms: self.bound.terms + 1,
        }
    }

    /// The longest block that all points may take, and its steps: 1 if there is none.
    #[inline(always)]
    fn block<'a>(&self, deep: &Deep<'a>) -> (Option<&'a Entry>, u64) {
        let [x, y] = self.centre;
        let bound = x.abs() + y.abs() + self.spread + self.lost;
        deep.longest(self.m, self.n, |entry| {
            if self.exponent == 0 && entry.is_narrow() {
                bound < entry.reach
            } else {
                let radius = FloatExp::new(entry.radius, i64::from(entry.radius_exponent));
                FloatExp::new(bound, self.exponent) < radius
            }
        })
    }

    /// Goes on from the start of the reference if the centre's own orbit `full` is nearer to 0 than its delta is, or
    /// if the reference ends here.
    #[inline(always)]
    fn rebase(&mut self, deep: &Deep<'_>, full: [f64; 2]) {
        let last = self.m == deep.last;
        if self.exponent == 0 {
            let size = |p: [f64; 2]| p[0].abs().max(p[1].abs());
            if last || size(full) < size(self.centre) {
                let reference = deep.orbit.values[self.m as usize];
                self.bound = deep.rounding.rebased(self.bound, reference, full);
                self.centre = full;
                self.m = 0;
            }
            return;
        }
        let delta = self.wide_centre();
        let full = deep.orbit.at(self.m) + delta;
        let size = |z: ComplexExp| larger(z.re.abs(), z.im.abs());
        if last || size(full) < size(delta) {
            let exponent = deep.shared(
                exponent_of(full).max(FloatExp::new(self.spread, self.exponent).exponent()),
            );
            self.rescale(exponent);
            if self.bound.root.is_finite() {
                let root = FloatExp::new(self.bound.root, exponent);
                let reference = deep.orbit.at(self.m).abs();
                let root = deep.rounding.wide_rebased(root, reference, full.abs());
                self.bound.root = root.scaled(exponent);
                self.bound.terms += 1;
            }
            self.centre = [full.re.scaled(exponent), full.im.scaled(exponent)];
            self.m = 0;
        }
    }

    /// The same numbers with another exponent.
    fn rescale(&mut self, exponent: i64) {
        let factor = power_of_two(self.exponent - exponent);
        for value in self.re.iter_mut().chain(&mut self.im) {
            *value *= factor;
        }
        self.lost *= factor;
        self.bound.root *= factor;
        self.rough *= factor;
        self.spread *= factor;
        self.exponent = exponent;
    }

    /// Whether the series is exact enough for a point where |dz/dc| times the size of a pixel is `steep`.
    #[inline(always)]
    pub(in crate::cpu::deep) fn suits(&self, deep: &Deep<'_>, steep: f64) -> bool {
        let rough = self.rough.max(ROUNDING * self.spread);
        self.n <= 1 || self.lost + rough <= OWN_SHARE * deep.tolerance * steep
    }
}
