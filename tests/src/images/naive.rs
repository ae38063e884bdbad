//! One pixel at a time, as a textbook has it: `f64`, no shortcuts, nothing shared with the kernels.

/// Where one point escapes, if it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Escape {
    /// The smallest n >= 1 with |z_n| over the escape radius; 0 when there is none within the limit.
    pub count: u32,
    /// |z_n| there; after the limit for points inside.
    pub norm: f64,
    /// |dz_n/dc| there.
    pub derivative: f64,
}

/// Iterates z -> z² + c from `z0`, and looks after every step.
#[must_use]
pub fn iterate(c: (f64, f64), z0: (f64, f64), iterations: u32, radius: f64) -> Escape {
    let (mut x, mut y) = z0;
    // dz_0/dc is 0 whatever z_0 is.
    let (mut dx, mut dy) = (0.0, 0.0);
    for n in 1..=iterations {
        (dx, dy) = (2.0 * (x * dx - y * dy) + 1.0, 2.0 * (x * dy + y * dx));
        (x, y) = (x * x - y * y + c.0, x * y + y * x + c.1);
        if x * x + y * y > radius * radius {
            return Escape {
                count: n,
                norm: x.hypot(y),
                derivative: dx.hypot(dy),
            };
        }
    }
    Escape {
        count: 0,
        norm: x.hypot(y),
        derivative: dx.hypot(dy),
    }
}

/// The smooth count n + 1 - log2(ln|z_n| / ln R); 0 inside.
#[must_use]
pub fn smooth(escape: Escape, radius: f64) -> f64 {
    if escape.count == 0 {
        return 0.0;
    }
    f64::from(escape.count) + 1.0 - (escape.norm.ln() / radius.ln()).log2()
}

/// The exterior distance estimate 2|z|ln|z| / |dz/dc| in pixels of size `spacing`; 0 inside.
#[must_use]
pub fn distance(escape: Escape, spacing: f64) -> f64 {
    if escape.count == 0 {
        return 0.0;
    }
    2.0 * escape.norm * escape.norm.ln() / (escape.derivative * spacing)
}

/// |z_N| after exactly N steps as numpy computes it, where it is at most 2; else NaN.
#[must_use]
pub fn stability(c: (f64, f64), z0: (f64, f64), iterations: u32) -> f64 {
    let (mut x, mut y) = z0;
    for _ in 0..iterations {
        (x, y) = (x * x - y * y + c.0, x * y + y * x + c.1);
    }
    let norm = x.hypot(y);
    if norm <= 2.0 { norm } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_points_that_can_be_counted_by_hand() {
        // 1, 2, 5, 26, 677
        let far = iterate((1.0, 0.0), (0.0, 0.0), 100, 256.0);
        assert_eq!((far.count, far.norm), (5, 677.0));
        // dz: 1, 3, 13, 131, 6813
        assert_eq!(far.derivative, 6813.0);
        assert_eq!(iterate((0.0, 0.0), (0.0, 0.0), 100, 256.0).count, 0);
        assert_eq!(stability((-1.0, 0.0), (0.0, 0.0), 101), 1.0);
        assert!(stability((1.0, 0.0), (0.0, 0.0), 100).is_nan());
    }
}
