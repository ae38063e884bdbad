//! One block of steps as a polynomial.

use crate::deep::complex::times_plus;

/// Powers of z in a block.
pub const DEGREE: usize = 7;
/// Those from u² on that have all their bits; the others are far smaller.
pub(super) const LOW: usize = 3;
pub(super) const HIGH: usize = DEGREE - 1 - LOW;

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

/// What a block drops where |u| is `size`, as a share of |a_1|, from what it drops where that is 1: see `Block::dropped`.
#[inline(always)]
pub(crate) fn dropped_at([u, u2w, uw2, w3]: [f64; 4], size: f64) -> f64 {
    let square = size * size;
    let fourth = square * square;
    (u * fourth).mul_add(fourth, u2w.mul_add(square, uw2.mul_add(size, w3)))
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
        let square = times_plus(double(self.square), w, [0.0; 2]);
        z = times_plus(z, u, linear);
        z = times_plus(z, u, times_plus(square, w, [0.0; 2]));
        times_plus(z, self.a, times_plus(self.b, w, [0.0; 2]))
    }

    /// About |dz'/dz|² for a `u`, by the first two powers.
    #[inline(always)]
    #[must_use]
    pub fn growth2(&self, u: [f64; 2]) -> f64 {
        let twice = [u[0] + u[0], u[1] + u[1]];
        let by_u = times_plus(times_plus(self.low[0], twice, [1.0, 0.0]), self.a, [0.0; 2]);
        let growth = [by_u[0] * self.inverse, by_u[1] * self.inverse];
        growth[0].mul_add(growth[0], growth[1] * growth[1])
    }

    /// dz'/du for a `u` and `w`, as a share of a.
    #[inline(always)]
    #[must_use]
    pub(crate) fn by_u(&self, u: [f64; 2], w: [f64; 2]) -> [f64; 2] {
        let mut by_u = [0.0; 2];
        for k in (0..DEGREE - 1).rev() {
            let (factor, power) = ((k + 2) as f64, self.power(k));
            by_u = times_plus(by_u, u, [power[0] * factor, power[1] * factor]);
        }
        let linear = times_plus(double(self.cross), w, [1.0, 0.0]);
        times_plus(by_u, u, linear)
    }

    /// dz' for a `u` and `w`, from `slope` = dz and `unit` = dw, which is real.
    #[inline(always)]
    #[must_use]
    pub fn derive(&self, u: [f64; 2], w: [f64; 2], slope: [f64; 2], unit: f64) -> [f64; 2] {
        let by_u = self.by_u(u, w);
        let twice = [w[0] + w[0], w[1] + w[1]];
        let square = times_plus(double(self.square), twice, [0.0; 2]);
        let by_w = times_plus(times_plus(double(self.cross), u, square), self.a, self.b);
        let slope = [slope[0] * self.inverse, slope[1] * self.inverse];
        let along = times_plus(by_u, slope, [0.0; 2]);
        times_plus(along, self.a, [by_w[0] * unit, by_w[1] * unit])
    }
}
