//! The smooth iteration count, the exterior distance estimate and the angles of a pixel's escape.
//!
//! Every function here is a fixed sequence of correctly rounded operations (no logarithm of the system's,
//! no fused multiply-add that a processor may lack), so it gives the same bits on every machine; all but
//! the angles have no branches, so a compiler can run them on whole vectors.

/// `log2(x)` for finite `x > 0`, relative error below 2^-44; about -1023 for 0 and subnormals, about
/// 1024 for infinity.
///
/// log2(m 2^e) = e + 2/ln 2 · atanh((m-1)/(m+1)) with m in [√½, √2), the odd series to the 17th power.
#[inline(always)]
#[must_use]
pub fn log2(x: f64) -> f64 {
    const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;
    // Move the exponent's step from 1 to √½, so that the mantissa is nearest to 1 on both sides.
    let shifted = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
    // The biased exponent as a double without an integer conversion: 2^52 + k has k in its low bits.
    let exponent = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000)
        - (4_503_599_627_370_496.0 + 1023.0);
    let mantissa = f64::from_bits((shifted & 0x000f_ffff_ffff_ffff) + SQRT_HALF_BITS);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let q = s * s;
    let mut series = 1.0 / 17.0;
    series = series * q + 1.0 / 15.0;
    series = series * q + 1.0 / 13.0;
    series = series * q + 1.0 / 11.0;
    series = series * q + 1.0 / 9.0;
    series = series * q + 1.0 / 7.0;
    series = series * q + 1.0 / 5.0;
    series = series * q + 1.0 / 3.0;
    series = series * q + 1.0;
    exponent + s * series * (2.0 * std::f64::consts::LOG2_E)
}

/// The smooth count's constants for one escape radius.
#[derive(Clone, Copy, Debug)]
pub struct Smoothing {
    /// 1 / log2(R²), or 0 where R <= 1 leaves no smooth count.
    inverse_log2_radius2: f64,
    /// 1 / log2(degree)
    inverse_log2_degree: f64,
}

impl Smoothing {
    /// For escape radius `radius`, of z² + c.
    #[must_use]
    pub fn new(radius: f64) -> Self {
        Self::of_degree(radius, 2)
    }

    /// For escape radius `radius`, where large |z| grow by the power `degree` in a step.
    #[must_use]
    pub fn of_degree(radius: f64, degree: u32) -> Self {
        Self {
            inverse_log2_degree: if radius > 1.0 {
                1.0 / log2(f64::from(degree))
            } else {
                1.0
            },
            inverse_log2_radius2: if radius > 1.0 {
                1.0 / log2(radius * radius)
            } else {
                0.0
            },
        }
    }

    /// The smooth iteration count n + 1 - log_d(ln|z_n| / ln R), d the degree, of a pixel that escaped at step `n` with
    /// |z_n|² = `norm2`; 0 for `n` = 0 (inside). For R <= 1 there is no such formula and it is `n`.
    ///
    /// Continuous across counts, and in [n, n+1) where |z_(n-1)| <= R is large against |c|
    /// (Linas Vepstas, "Renormalizing the Mandelbrot Escape", 1997).
    #[inline(always)]
    #[must_use]
    pub fn count(&self, n: u32, norm2: f64) -> f32 {
        self.long_count(f64::from(n), norm2)
    }

    /// The same for any count `n` that a double holds.
    #[inline(always)]
    #[must_use]
    pub fn long_count(&self, n: f64, norm2: f64) -> f32 {
        joined(n, self.fraction(norm2))
    }

    /// What the smooth count has beyond n, 1 - log_d(ln|z_n| / ln R), for |z_n|² = `norm2`: from 0 to 1 where
    /// |z_(n-1)| <= R is large against |c|, below 0 far out.
    #[inline(always)]
    #[must_use]
    pub fn fraction(&self, norm2: f64) -> f32 {
        let ratio = log2(norm2) * self.inverse_log2_radius2;
        // R <= 1 makes the ratio 0: then take 2, which leaves n.
        let ratio = if ratio > 0.0 { ratio } else { 2.0 };
        // Of degree 2 times 1: nothing is rounded.
        (1.0 - log2(ratio) * self.inverse_log2_degree) as f32
    }
}

/// The smooth iteration count of a count `n` and the [`fraction`](Smoothing::fraction) beyond it, to the bit: files
/// hold these two. 0 for `n` = 0 (inside), and for nothing else.
#[inline(always)]
#[must_use]
pub fn joined(n: f64, fraction: f32) -> f32 {
    let smooth = (n + f64::from(fraction)) as f32;
    // 0 is kept for inside, whatever the formula says of a point far out.
    let smooth = if smooth == 0.0 {
        f32::MIN_POSITIVE
    } else {
        smooth
    };
    if n == 0.0 { 0.0 } else { smooth }
}

/// The angle of `x` + `y` i in turns, from 0 up to 1; 0 for what has none.
#[must_use]
pub fn turns(x: f64, y: f64) -> f32 {
    let turns = libm::atan2(y, x) / std::f64::consts::TAU;
    let turns = (turns - turns.floor()) as f32;
    // Just below a whole turn rounds to one; NaN is no angle.
    if turns < 1.0 { turns } else { 0.0 }
}

/// The angle of z / d in turns, for `z` and its derivative `d` by c: where |z| falls off towards the set, this is the
/// way straight away from it.
#[must_use]
pub fn direction([x, y]: [f64; 2], [dx, dy]: [f64; 2]) -> f32 {
    // Near the end of their range products would leave it.
    let size = dx.abs().max(dy.abs());
    let (dx, dy) = (dx / size, dy / size);
    turns(x * dx + y * dy, y * dx - x * dy)
}

/// How |z| rises in the picture, and by how much of [`steepness_seen`]'s unit: for `z` and its derivative `d` by c, whose
/// rise in the plane is the vector z/|z| times d's conjugate, where steps to the right and upwards are the columns of
/// `matrix`. The vector, and what it is to be multiplied by.
fn rise([x, y]: [f64; 2], [dx, dy]: [f64; 2], matrix: &[[f64; 2]; 2]) -> ([f64; 2], f64) {
    // Near the end of their range products would leave it.
    let size = dx.abs().max(dy.abs());
    let (dx, dy) = (dx / size, dy / size);
    let far = x.abs().max(y.abs());
    let (x, y) = (x / far, y / far);
    let far = (x * x + y * y).sqrt();
    let (right, up) = ((x * dx + y * dy) / far, (y * dx - x * dy) / far);
    let [[a, b], [c, d]] = matrix;
    ([a * right + c * up, b * right + d * up], size)
}

/// [`direction`] as a turned view shows it; see [`crate::plane::transform::Shape::matrix`].
#[must_use]
pub fn direction_seen(z: [f64; 2], slope: [f64; 2], matrix: &[[f64; 2]; 2]) -> f32 {
    let ([right, up], _) = rise(z, slope, matrix);
    turns(right, up)
}

/// |dz/dc| as a stretched view shows it: how steeply |z| rises from sample to sample, in the direction of its steepest rise;
/// infinite past all range.
#[must_use]
pub fn steepness_seen(z: [f64; 2], slope: [f64; 2], matrix: &[[f64; 2]; 2]) -> f64 {
    let ([right, up], size) = rise(z, slope, matrix);
    let steepness = (right * right + up * up).sqrt() * size;
    if steepness.is_nan() {
        f64::INFINITY
    } else {
        steepness
    }
}

/// The exterior distance estimate 2|z|ln|z| / |dz/dc| in pixels of size `spacing`, of a pixel that
/// escaped with |z|² = `norm2` and |dz/dc| = `derivative`; 0 where it did not escape (`n` = 0).
///
/// Near the set the true distance is between a quarter of it and itself (Koebe quarter theorem).
#[inline(always)]
#[must_use]
pub fn distance(n: u32, norm2: f64, derivative: f64, spacing: f64) -> f32 {
    // 2|z|ln|z| = |z| ln(|z|²)
    let estimate = norm2.sqrt() * (log2(norm2) * std::f64::consts::LN_2) / (derivative * spacing);
    // 0 is kept for inside: a derivative past all bounds, or an escape radius below 1, is as near as can be.
    let estimate = (estimate as f32).max(f32::MIN_POSITIVE);
    if n == 0 { 0.0 } else { estimate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn log2_is_close_to_the_library(x in prop_oneof![1e-300..1e300f64, 0.5..2.0f64, 0.999..1.001f64]) {
            let exact: f64 = x.log2();
            prop_assert!((log2(x) - exact).abs() <= exact.abs().max(1e-3) * 2f64.powi(-44), "{x}: {} {exact}", log2(x));
        }

        #[test]
        fn smooth_count_is_within_its_step(n in 1u32..1_000_000, norm in 256.0..65536.0f64) {
            let smooth = Smoothing::new(256.0).count(n, norm * norm);
            prop_assert!(smooth >= n as f32 && smooth <= n as f32 + 1.0);
        }
    }

    #[test]
    fn smooth_count_is_continuous_across_a_step() {
        let s = Smoothing::new(256.0);
        // |z| just at R after 10 steps, or R² after 11: the same pixel, give or take a rounding.
        assert_eq!(s.count(10, 65536.0), s.count(11, 65536.0 * 65536.0));
        assert_eq!(s.count(0, 5.0), 0.0);
        assert_eq!(Smoothing::new(1.0).count(7, 3.0), 7.0);
    }

    #[test]
    fn angles_are_turns() {
        let quarters = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)];
        for (quarter, (x, y)) in quarters.into_iter().enumerate() {
            assert_eq!(turns(x, y), quarter as f32 / 4.0);
            // z / d for z = i: a quarter more, less the derivative's.
            let expected = ((5 - quarter) % 4) as f32 / 4.0;
            for size in [1.0, 1e-300, 1e300] {
                assert_eq!(direction([0.0, 1e18], [x * size, y * size]), expected);
            }
        }
        assert_eq!(turns(1.0, -1e-30), 0.0, "never a whole turn");
        for nowhere in [[0.0, 0.0], [f64::INFINITY, 1.0], [f64::NAN, 0.0]] {
            assert_eq!(direction([1.0, 1.0], nowhere), 0.0);
        }
    }

    #[test]
    fn turned_views_see_their_own_directions_and_distances() {
        let ([z, slope], upright) = ([[3.0, 4.0], [-1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]);
        let (plain, seen) = (direction(z, slope), direction_seen(z, slope, &upright));
        assert!((plain - seen).abs() < 1e-7);
        assert!((steepness_seen(z, slope, &upright) - 5f64.sqrt()).abs() < 1e-12);
        // The view turns anticlockwise by a quarter, what it shows clockwise.
        let quarter = [[0.0, -1.0], [1.0, 0.0]];
        let turned = direction_seen(z, slope, &quarter);
        assert!((f64::from(plain - turned).rem_euclid(1.0) - 0.25).abs() < 1e-6);
        // |z| rises to the right by 1 a unit of the plane: 2 a sample where these lie twice as far apart, and not at all
        // upwards.
        let wide = [[2.0, 0.0], [0.0, 0.5]];
        assert_eq!(steepness_seen([1.0, 0.0], [1.0, 0.0], &wide), 2.0);
        assert_eq!(steepness_seen([1.0, 0.0], [0.0, -1e300], &wide), 0.5e300);
        assert_eq!(
            steepness_seen([1.0, 0.0], [f64::INFINITY, 0.0], &wide),
            f64::INFINITY
        );
    }

    #[test]
    fn a_fraction_keeps_the_digits_that_a_large_count_swallows() {
        let s = Smoothing::new(256.0);
        let (near, far) = (3e9, 3.001e9);
        assert_eq!(
            s.count(50_000_000, near),
            s.count(50_000_000, far),
            "control"
        );
        assert!(s.fraction(near) > s.fraction(far));
        assert_eq!(joined(7.0, s.fraction(near)), s.count(7, near));
        assert_eq!(joined(0.0, 0.5), 0.0);
    }

    #[test]
    fn nothing_that_escaped_looks_inside() {
        // n + 1 - log2(..) is exactly 0 here.
        let far = Smoothing::new(2.0).count(1, 256.0);
        assert!(far > 0.0 && far < 1e-30, "{far}");
        assert!(distance(1, 1e10, f64::INFINITY, 1.0) > 0.0);
        assert!(distance(1, 0.5, 1.0, 1.0) > 0.0);
    }

    #[test]
    fn distance_of_a_near_point_keeps_to_the_quarter_theorem() {
        // The set ends at -2: c = -2.001 is 0.001 away from it, and one pixel of that size.
        let (c, mut z, mut dz, mut n) = (-2.001, 0.0f64, 0.0f64, 0);
        while z.abs() <= 256.0 {
            (z, dz) = (z * z + c, 2.0 * z * dz + 1.0);
            n += 1;
        }
        let d = distance(n, z * z, dz.abs(), 0.001);
        assert!((1.0..=4.0).contains(&d), "{d}");
        assert_eq!(distance(0, 1.0, 1.0, 1.0), 0.0);
    }
}
