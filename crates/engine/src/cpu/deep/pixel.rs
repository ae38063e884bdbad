//! One pixel's orbit, by steps and blocks, to its end.

use fractal::{ComplexExp, FloatExp};

use super::frame::{Deep, exponent_of, larger, power_of_two};

/// Steps between two looks at whether the computation was cancelled.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 14;
/// Over the square root of 2: |z| is at most so many times its larger part.
const DIAGONAL: f64 = 1.4143;

/// A pixel on its way. All values are times 2^exponent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pixel {
    /// The delta z_n from Z_m.
    pub(super) z: [f64; 2],
    /// dz_n/dc times the size of a pixel; zero where no distance is asked for.
    pub(super) slope: [f64; 2],
    pub(super) exponent: i64,
    pub(super) m: u64,
    pub(super) n: u64,
    pub(super) col: u32,
    pub(super) row: u32,
}

/// Where a pixel's orbit ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    /// Its count; 0 at the limit.
    pub(super) count: u64,
    /// |z_n|^2 there.
    pub(super) norm2: f64,
    /// |dz_n/dc|^2 there, c in pixels.
    pub(super) slope2: f64,
}

#[inline(always)]
fn size(p: [f64; 2]) -> f64 {
    p[0].abs().max(p[1].abs())
}

/// p q + r
#[inline(always)]
fn times_plus(p: [f64; 2], q: [f64; 2], r: [f64; 2]) -> [f64; 2] {
    [
        p[0].mul_add(q[0], (-p[1]).mul_add(q[1], r[0])),
        p[0].mul_add(q[1], p[1].mul_add(q[0], r[1])),
    ]
}

/// |p|^2, always by these operations.
#[inline(always)]
fn norm2(p: [f64; 2]) -> f64 {
    p[0].mul_add(p[0], p[1] * p[1])
}

impl Pixel {
    /// Iterates to the end; `D`: with the derivative. `None` if cancelled.
    #[inline(always)]
    pub(super) fn run<const D: bool>(mut self, deep: &Deep<'_>) -> Option<End> {
        let c = [
            deep.columns[self.col as usize].to_f64(),
            deep.rows[self.row as usize].to_f64(),
        ];
        let spacing = [deep.spacing.to_f64(), 0.0];
        let radius2 = deep.radius * deep.radius;
        let mut looks = 0u64;
        // The state that a tile hands over has been looked at, but for the very first.
        if self.n == 1
            && let Some(end) = self.check(deep, radius2)
        {
            return Some(end);
        }
        loop {
            if self.n >= deep.limit {
                let full = self.full(deep);
                return Some(End {
                    count: 0,
                    norm2: norm2(full),
                    slope2: 0.0,
                });
            }
            looks += 1;
            if looks.is_multiple_of(STEPS_BETWEEN_LOOKS) && !deep.look() {
                return None;
            }
            if self.exponent != 0 {
                self.wide_step::<D>(deep);
                if let Some(end) = self.check(deep, radius2) {
                    return Some(end);
                }
                continue;
            }
            let bound = size(self.z) * DIAGONAL;
            let (entry, steps) = deep.longest(self.m, self.n, |entry| {
                entry.is_narrow() && bound < entry.radius
            });
            let (z, slope) = match entry {
                Some(entry) => (
                    times_plus(entry.a, self.z, times_plus(entry.b, c, [0.0; 2])),
                    if D {
                        times_plus(entry.a, self.slope, times_plus(entry.b, spacing, [0.0; 2]))
                    } else {
                        [0.0; 2]
                    },
                ),
                None => {
                    let [zx, zy] = deep.orbit.values[self.m as usize];
                    let f = [zx + self.z[0], zy + self.z[1]];
                    let slope = if D {
                        times_plus([f[0] + f[0], f[1] + f[1]], self.slope, spacing)
                    } else {
                        [0.0; 2]
                    };
                    (times_plus([zx + f[0], zy + f[1]], self.z, c), slope)
                }
            };
            if size(z) < deep.tiny {
                self.wide_step::<D>(deep);
                if let Some(end) = self.check(deep, radius2) {
                    return Some(end);
                }
                continue;
            }
            (self.z, self.slope) = (z, slope);
            self.m += steps;
            self.n += steps;
            let [zx, zy] = deep.orbit.values[self.m as usize];
            let full = [zx + z[0], zy + z[1]];
            let square = norm2(full);
            // NaN, past all range, is outside as well.
            if !(square <= radius2) {
                return Some(self.escaped(square));
            }
            if size(full) < size(z) || self.m == deep.last {
                self.z = full;
                self.m = 0;
            }
        }
    }

    /// The end of a pixel that is known to have escaped in its last step, and not before.
    pub(super) fn escaped_here(&self, deep: &Deep<'_>) -> End {
        let scale = power_of_two(self.exponent);
        Self {
            slope: [self.slope[0] * scale, self.slope[1] * scale],
            ..*self
        }
        .escaped(norm2(self.full(deep)))
    }

    fn escaped(&self, norm2: f64) -> End {
        let [x, y] = self.slope;
        End {
            count: self.n,
            norm2,
            slope2: x.mul_add(x, y * y),
        }
    }

    /// Z + z
    fn full(&self, deep: &Deep<'_>) -> [f64; 2] {
        let scale = power_of_two(self.exponent);
        let [zx, zy] = deep.orbit.values[self.m as usize];
        [self.z[0].mul_add(scale, zx), self.z[1].mul_add(scale, zy)]
    }

    /// Whether it has escaped.
    fn check(&self, deep: &Deep<'_>, radius2: f64) -> Option<End> {
        let square = norm2(self.full(deep));
        (!(square <= radius2)).then(|| self.escaped_here(deep))
    }

    /// A step or a block with an exponent beside each number, and the rebasing after it.
    #[inline(never)]
    fn wide_step<const D: bool>(&mut self, deep: &Deep<'_>) {
        let up = |p: [f64; 2]| {
            ComplexExp::new(
                FloatExp::new(p[0], self.exponent),
                FloatExp::new(p[1], self.exponent),
            )
        };
        let (z, slope) = (up(self.z), up(self.slope));
        let c = ComplexExp::new(
            deep.columns[self.col as usize],
            deep.rows[self.row as usize],
        );
        let modulus = z.abs();
        let (entry, steps) = deep.longest(self.m, self.n, |entry| {
            modulus < FloatExp::new(entry.radius, i64::from(entry.radius_exponent))
        });
        let spacing = ComplexExp::new(deep.spacing, FloatExp::ZERO);
        let (next, slope) = match entry {
            Some(entry) => {
                let wide = entry.wide();
                (wide.a * z + wide.b * c, wide.a * slope + wide.b * spacing)
            }
            None => {
                let reference = deep.orbit.at(self.m);
                let full = reference + z;
                ((reference + full) * z + c, (full + full) * slope + spacing)
            }
        };
        self.m += steps;
        self.n += steps;
        let full = deep.orbit.at(self.m) + next;
        let size = |z: ComplexExp| larger(z.re.abs(), z.im.abs());
        let next = if self.m == deep.last || size(full) < size(next) {
            self.m = 0;
            full
        } else {
            next
        };
        let exponent = deep.shared(exponent_of(next));
        self.exponent = exponent;
        self.z = [next.re.scaled(exponent), next.im.scaled(exponent)];
        if D {
            self.slope = [slope.re.scaled(exponent), slope.im.scaled(exponent)];
        }
    }
}
