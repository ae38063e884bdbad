//! One pixel's orbit, by steps and blocks, to its end.

use fractal::{ComplexExp, FloatExp};

use super::cycle::{Return, Watch};
use crate::cpu::deep::frame::{Deep, SMALLEST_SKIPPABLE};
use crate::cpu::deep::numbers::{exponent_of, larger, power_of_two};
use crate::cpu::deep::rounding::Bound;
use crate::deep::bla::Entry;
use crate::deep::complex::times_plus;

/// Steps between two looks at whether the computation was cancelled.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 14;
/// Fewest steps for which a pixel goes to a lane.
const WORTHWHILE: u64 = 4;
/// Share of R² by which |z|² may be off it where doubles do not decide between them.
const TIE: f64 = 1.0 / (1u64 << 46) as f64;
/// The smallest z that goes to a lane where the squares of its error have to be doubles.
const SMALLEST_BOUNDED: f64 = f64::from_bits((1023 - 200) << 52);
/// Slightly over the square root of 2: |z| is at most this many times its `size`.
const DIAGONAL: f64 = 1.4143;

/// A pixel on its way. All values are times 2^exponent.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu::deep) struct Pixel {
    /// The delta z_n from Z_m.
    pub(in crate::cpu::deep) z: [f64; 2],
    /// dz_n/dc times the size of a pixel; zero where no distance is asked for.
    pub(in crate::cpu::deep) slope: [f64; 2],
    /// About |dz_n/dc|² times the square of a pixel's size; 0 where that is not known or of no account.
    pub(in crate::cpu::deep) steep2: f64,
    /// Of what z may be off by; of no account where counts need not be certain.
    pub(in crate::cpu::deep) bound: Bound,
    /// How often it has been a tail.
    pub(in crate::cpu::deep) visits: u32,
    pub(in crate::cpu::deep) exponent: i64,
    pub(in crate::cpu::deep) m: u64,
    pub(in crate::cpu::deep) n: u64,
    pub(in crate::cpu::deep) col: u32,
    pub(in crate::cpu::deep) row: u32,
}

/// Where a pixel is after blocks of steps.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu::deep) enum Stage {
    /// At its end.
    Ended(End),
    /// Where doubles serve and only single steps lead on, until m is this or z is small enough again.
    Ready(u64),
    /// At the start of the reference, near to where it has been there before.
    Near(Return),
    /// The computation was cancelled.
    Cancelled,
}

/// Where a pixel's orbit ended.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cpu::deep) struct End {
    /// Its count; 0 at the limit.
    pub(in crate::cpu::deep) count: u64,
    /// z_n
    pub(in crate::cpu::deep) z: [f64; 2],
    /// dz_n/dc there, c in pixels.
    pub(in crate::cpu::deep) slope: [f64; 2],
    /// What z_n may be off by, where counts have to be certain.
    pub(in crate::cpu::deep) error: f64,
}

impl End {
    /// |z_n|^2
    pub(in crate::cpu::deep) fn norm2(&self) -> f64 {
        norm2(self.z)
    }

    /// |dz_n/dc|; infinite past the range of doubles.
    pub(in crate::cpu::deep) fn steepness(&self) -> f64 {
        let square = norm2(self.slope);
        if square < f64::INFINITY {
            square.sqrt()
        } else {
            f64::INFINITY
        }
    }
}

/// The smallest z that goes to a lane; `E`: with the bound of its error.
#[inline(always)]
pub(in crate::cpu::deep) const fn smallest<const E: bool>() -> f64 {
    if E {
        SMALLEST_BOUNDED
    } else {
        SMALLEST_SKIPPABLE
    }
}

/// The larger of |re| and |im|.
#[inline(always)]
pub(in crate::cpu::deep) fn size(p: [f64; 2]) -> f64 {
    p[0].abs().max(p[1].abs())
}

/// |p|^2, always by these operations.
#[inline(always)]
pub(in crate::cpu::deep) fn norm2(p: [f64; 2]) -> f64 {
    p[0].mul_add(p[0], p[1] * p[1])
}

impl Pixel {
    /// One at z_1 = c, or at z_0 where orbits do not begin at 0.
    pub(in crate::cpu::deep) fn start(deep: &Deep<'_>, col: u32, row: u32) -> Self {
        let mut pixel = Self {
            z: [deep.z0.0, deep.z0.1],
            slope: [0.0; 2],
            steep2: 0.0,
            bound: Bound::default(),
            visits: 0,
            exponent: 0,
            m: 0,
            n: 0,
            col,
            row,
        };
        if deep.z0 == (0.0, 0.0) {
            let c = deep.wide_c(col, row);
            let exponent = deep.shared(exponent_of(c).max(deep.spacing.exponent()));
            pixel.exponent = exponent;
            pixel.z = [c.re.scaled(exponent), c.im.scaled(exponent)];
            pixel.slope = [deep.spacing.scaled(exponent), 0.0];
            let steep2 = norm2(pixel.slope);
            // As far as it is a number with all its bits.
            if exponent == 0 && steep2 > f64::MIN_POSITIVE / f64::EPSILON {
                pixel.steep2 = steep2;
            }
            (pixel.m, pixel.n) = (1, 1);
            if deep.settled {
                pixel.bound = deep.rounding.of_c(exponent);
                if size(pixel.full(deep)) < size(pixel.z) * power_of_two(exponent) {
                    // Bounds of steps are those of deltas that are less than the orbit itself.
                    pixel.bound.root = f64::INFINITY;
                }
            }
        }
        pixel
    }

    /// The pixel, moved to the reference's start if the reference ends at its first value.
    pub(in crate::cpu::deep) fn begun(mut self, deep: &Deep<'_>) -> Self {
        if self.m > 0 && self.m == deep.last {
            self.wrap(deep);
        }
        self
    }

    #[cold]
    fn wrap(&mut self, deep: &Deep<'_>) {
        let full = deep.orbit.at(self.m) + deep.wide_c(self.col, self.row);
        let power = FloatExp::new(1.0, self.exponent);
        let exponent = deep.shared(exponent_of(full).max(deep.spacing.exponent()));
        self.z = [full.re.scaled(exponent), full.im.scaled(exponent)];
        self.slope = [
            (FloatExp::from_f64(self.slope[0]) * power).scaled(exponent),
            0.0,
        ];
        self.bound.root *= power_of_two(self.exponent - exponent);
        (self.exponent, self.m) = (exponent, 0);
        self.bound = (deep.rounding).rebased(self.bound, self.z, self.z);
        if exponent != 0 {
            self.steep2 = 0.0;
        }
    }

    /// Iterates, by blocks where possible, until the orbit has ended or steps alone lead on; `D`: with the derivative, `E`:
    /// with the bound of its error.
    /// `looks` counts, from one call to the next, what is done between two looks at cancellation.
    #[inline(always)]
    pub(in crate::cpu::deep) fn settle<const D: bool, const E: bool>(
        &mut self,
        deep: &Deep<'_>,
        watch: &mut Watch,
        looks: &mut u64,
    ) -> Stage {
        let c = self.c(deep);
        let w = self.share(deep);
        loop {
            if self.n >= deep.limit {
                let z = self.full(deep);
                return Stage::Ended(End {
                    count: 0,
                    z,
                    slope: [0.0; 2],
                    error: self.error(deep, z),
                });
            }
            if let Some(near) = watch.take_near() {
                return Stage::Near(near);
            }
            *looks += 1;
            if looks.is_multiple_of(STEPS_BETWEEN_LOOKS) && !deep.look() {
                return Stage::Cancelled;
            }
            if self.exponent == 0 {
                let size = size(self.z);
                if size >= deep.skippable {
                    return Stage::Ready(u64::MAX);
                }
                if let Some((jet, u, steps)) =
                    deep.jets.longest(self.m, self.z, deep.limit - self.n)
                {
                    if D {
                        self.slope = jet.derive(u, w, self.slope, deep.unit_share);
                    }
                    self.steep2 *= if E {
                        self.follow_bound(deep, jet, [u, w], steps)
                    } else {
                        jet.growth2(u)
                    };
                    self.z = jet.apply(u, w);
                    self.m += steps;
                    self.n += steps;
                    match self.arrive::<E>(deep, watch) {
                        Some(end) => return Stage::Ended(end),
                        None => continue,
                    }
                }
                let bound = size * DIAGONAL;
                let (entry, steps) = deep.longest(self.m, self.n, |entry| {
                    entry.is_narrow() && bound < entry.reach
                });
                if entry.is_none() && self.m > 0 && size > smallest::<E>() {
                    let wake = deep.jets.next_block(self.m, bound);
                    if wake - self.m >= WORTHWHILE {
                        return Stage::Ready(wake);
                    }
                }
                if self.near_step::<D, E>(deep, c, entry, steps) {
                    match self.arrive::<E>(deep, watch) {
                        Some(end) => return Stage::Ended(end),
                        None => continue,
                    }
                }
            }
            self.wide_step::<D, E>(deep, watch);
            if let Some(end) = self.check(deep) {
                return Stage::Ended(end);
            }
        }
    }

    /// A step, or the block `entry` of `steps` steps, in doubles; `false`, and nothing is done, if they do not serve.
    #[inline(always)]
    fn near_step<const D: bool, const E: bool>(
        &mut self,
        deep: &Deep<'_>,
        c: [f64; 2],
        entry: Option<&Entry>,
        steps: u64,
    ) -> bool {
        let mut slope = [0.0; 2];
        let growth2;
        let mut bound = self.bound;
        let z = match entry {
            Some(entry) => {
                // From 0 to z, and at z.
                let chord = times_plus(entry.q, self.z, entry.a);
                let tangent = times_plus(entry.q, self.z, chord);
                growth2 = norm2(tangent);
                if E {
                    bound = self.bound_after_block(deep, entry, tangent, steps);
                }
                if D {
                    let from_c = times_plus(entry.b, deep.unit, [0.0; 2]);
                    slope = times_plus(tangent, self.slope, from_c);
                }
                times_plus(chord, self.z, times_plus(entry.b, c, [0.0; 2]))
            }
            None => {
                let [zx, zy] = deep.orbit.values[self.m as usize];
                let f = [zx + self.z[0], zy + self.z[1]];
                growth2 = 4.0 * norm2(f);
                if E {
                    bound = deep.rounding.step(bound, f, size(self.z));
                }
                if D {
                    slope = times_plus([f[0] + f[0], f[1] + f[1]], self.slope, deep.unit);
                }
                times_plus([zx + f[0], zy + f[1]], self.z, c)
            }
        };
        if size(z) < deep.tiny {
            return false;
        }
        (self.z, self.slope) = (z, slope);
        if E {
            self.bound = bound;
        }
        self.steep2 *= growth2;
        self.m += steps;
        self.n += steps;
        true
    }

    /// After a step: the end, if the orbit has escaped; if not, rebases where that is due.
    #[inline(always)]
    pub(in crate::cpu::deep) fn arrive<const E: bool>(
        &mut self,
        deep: &Deep<'_>,
        watch: &mut Watch,
    ) -> Option<End> {
        let [zx, zy] = deep.orbit.values[self.m as usize];
        let full = [zx + self.z[0], zy + self.z[1]];
        if self.is_out(deep, norm2(full)) {
            return Some(self.escaped(deep, full));
        }
        if size(full) < size(self.z) || self.m == deep.last {
            if E {
                self.bound = deep.rounding.rebased(self.bound, [zx, zy], full);
            }
            self.z = full;
            self.m = 0;
            self.look::<E>(deep, watch);
        }
        None
    }

    /// Shows the pixel, which is at the start of the reference, to its watch.
    #[inline(always)]
    fn look<const E: bool>(&mut self, deep: &Deep<'_>, watch: &mut Watch) {
        self.n = watch.look::<E>(self.z, self.exponent, self.n, deep.limit, &mut self.bound);
    }

    /// c in doubles.
    #[inline(always)]
    pub(in crate::cpu::deep) fn c(&self, deep: &Deep<'_>) -> [f64; 2] {
        deep.near_c(self.col, self.row)
    }

    /// c as a share of the largest |c|.
    #[inline(always)]
    fn share(&self, deep: &Deep<'_>) -> [f64; 2] {
        deep.share_of_c(self.col, self.row)
    }

    /// The end of a pixel that is known to have escaped in its last step, and not before.
    pub(in crate::cpu::deep) fn escaped_here(&self, deep: &Deep<'_>) -> End {
        let scale = power_of_two(self.exponent);
        Self {
            slope: [self.slope[0] * scale, self.slope[1] * scale],
            ..*self
        }
        .escaped(deep, self.full(deep))
    }

    fn escaped(&self, deep: &Deep<'_>, z: [f64; 2]) -> End {
        End {
            count: self.n,
            z,
            slope: self.slope,
            error: self.error(deep, z),
        }
    }

    /// Z + z
    #[inline(always)]
    pub(in crate::cpu::deep) fn full(&self, deep: &Deep<'_>) -> [f64; 2] {
        let scale = power_of_two(self.exponent);
        let [zx, zy] = deep.orbit.values[self.m as usize];
        [self.z[0].mul_add(scale, zx), self.z[1].mul_add(scale, zy)]
    }

    /// Whether it has escaped.
    pub(in crate::cpu::deep) fn check(&self, deep: &Deep<'_>) -> Option<End> {
        let square = norm2(self.full(deep));
        (self.is_out(deep, square)).then(|| self.escaped_here(deep))
    }

    /// Whether |Z + z| > R, where `square` is |Z + z|² as doubles have it.
    #[inline(always)]
    fn is_out(&self, deep: &Deep<'_>, square: f64) -> bool {
        let limit = deep.radius * deep.radius;
        if (square - limit).abs() <= TIE * limit {
            return self.is_just_out(deep);
        }
        square > limit || square.is_nan()
    }

    /// The same where doubles cannot tell: by |Z|² - R² without rounding, and what z adds to it, however little.
    #[cold]
    #[inline(never)]
    fn is_just_out(&self, deep: &Deep<'_>) -> bool {
        if self.n == 1
            && let Some(beyond) = deep.starts_beyond(self.col, self.row)
        {
            return beyond;
        }
        let [zx, zy] = deep.orbit.values[self.m as usize];
        let product = |a: f64, b: f64| (a * b, a.mul_add(b, -(a * b)));
        let ((xx, xx_rest), (yy, yy_rest)) = (product(zx, zx), product(zy, zy));
        let (limit, limit_rest) = product(deep.radius, deep.radius);
        // Each difference is exact where it matters: its terms are within twice of each other (Sterbenz).
        let (large, small) = if xx > yy { (xx, yy) } else { (yy, xx) };
        let excess = ((large - limit) + small) + (xx_rest + yy_rest - limit_rest);
        let part = |value| FloatExp::new(value, self.exponent);
        let [x, y] = self.z.map(part);
        let two = FloatExp::from_f64(2.0);
        let along = FloatExp::from_f64(zx) * x + FloatExp::from_f64(zy) * y;
        FloatExp::from_f64(excess) + (along * two + x * x + y * y) > FloatExp::ZERO
    }

    /// A step or a block with an exponent beside each number, and the rebasing after it.
    #[inline(never)]
    fn wide_step<const D: bool, const E: bool>(&mut self, deep: &Deep<'_>, watch: &mut Watch) {
        let up = |p: [f64; 2]| {
            ComplexExp::new(
                FloatExp::new(p[0], self.exponent),
                FloatExp::new(p[1], self.exponent),
            )
        };
        let (z, slope) = (up(self.z), up(self.slope));
        let c = deep.wide_c(self.col, self.row);
        let modulus = z.abs();
        let (entry, steps) = deep.longest(self.m, self.n, |entry| {
            modulus < FloatExp::new(entry.radius, i64::from(entry.radius_exponent))
        });
        let spacing = ComplexExp::new(deep.spacing, FloatExp::ZERO);
        let known = E && self.bound.root.is_finite();
        let mut root = if known {
            FloatExp::new(self.bound.root, self.exponent)
        } else {
            FloatExp::ZERO
        };
        let mut lost = 0.0;
        let (next, slope) = match entry {
            Some(entry) => {
                let wide = entry.wide();
                if known {
                    let loss = deep.losses.loss(steps, self.m);
                    let (of_z, of_c) = (f64::from(loss.of_z), f64::from(loss.of_c));
                    // No bound is known where these are infinite.
                    lost = of_z + of_c;
                    let a = wide.a.abs();
                    let (by_z, by_c) = (a * modulus, wide.b.abs() * deep.rounding.c_max);
                    let part = |share: f64| FloatExp::from_f64(share.min(1.0));
                    let all = by_z * part(of_z) + by_c * part(of_c);
                    let growth = a * FloatExp::from_f64(1.0 + 8.0 * of_z.min(1.0));
                    root = deep.rounding.wide_block(root, growth, [by_z, by_c], all);
                }
                (wide.a * z + wide.b * c, wide.a * slope + wide.b * spacing)
            }
            None => {
                let reference = deep.orbit.at(self.m);
                let full = reference + z;
                if known {
                    root = deep
                        .rounding
                        .wide_step(self.bound, root, full.abs(), modulus);
                }
                ((reference + full) * z + c, (full + full) * slope + spacing)
            }
        };
        self.m += steps;
        self.n += steps;
        let reference = deep.orbit.at(self.m);
        let full = reference + next;
        let size = |z: ComplexExp| larger(z.re.abs(), z.im.abs());
        let rebased = self.m == deep.last || size(full) < size(next);
        let next = if rebased { full } else { next };
        // At 0, the centre's own delta, the slope's.
        let exponent = if exponent_of(next) > i64::MIN / 4 {
            exponent_of(next)
        } else {
            exponent_of(slope).max(deep.spacing.exponent())
        };
        let exponent = deep.shared(exponent);
        self.exponent = exponent;
        self.steep2 = 0.0;
        if E {
            if rebased {
                root = deep
                    .rounding
                    .wide_rebased(root, reference.abs(), next.abs());
            }
            self.bound = Bound {
                root: if known && lost < f64::INFINITY {
                    root.scaled(exponent).max(f64::MIN_POSITIVE)
                } else {
                    f64::INFINITY
                },
                terms: self.bound.terms + 2,
            };
        }
        self.z = [next.re.scaled(exponent), next.im.scaled(exponent)];
        if D {
            self.slope = [slope.re.scaled(exponent), slope.im.scaled(exponent)];
        }
        if rebased {
            self.m = 0;
            self.look::<E>(deep, watch);
        }
    }
}
