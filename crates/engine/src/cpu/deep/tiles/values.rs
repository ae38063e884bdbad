//! What a series says: its values and slopes at pixels, and the series of a part of its tile.

use super::series::{ORDER, ROUNDING, Series, moduli};
use crate::cpu::deep::frame::Deep;
use crate::cpu::deep::rounding::Bound;
use crate::cpu::simd::Simd;

impl Series {
    /// z at each t = (`across[i]`, `down[i]`).
    #[inline(always)]
    pub(in crate::cpu::deep) fn all_at<S: Simd>(
        &self,
        s: S,
        across: &[f64; 8],
        down: &[f64; 8],
    ) -> [[f64; 8]; 2] {
        let mut all = [[0.0; 8]; 2];
        for first in (0..8).step_by(S::LANES) {
            let (across, down) = (s.load(&across[first..]), s.load(&down[first..]));
            let (mut x, mut y) = (s.splat(self.re[ORDER - 1]), s.splat(self.im[ORDER - 1]));
            for k in (0..ORDER).rev() {
                let [px, py] = if k > 0 {
                    [self.re[k - 1], self.im[k - 1]]
                } else {
                    self.centre
                };
                (x, y) = (
                    s.fma(x, across, s.fnma(y, down, s.splat(px))),
                    s.fma(x, down, s.fma(y, across, s.splat(py))),
                );
            }
            s.store(&mut all[0][first..], x);
            s.store(&mut all[1][first..], y);
        }
        all
    }

    /// dz/dt at each t = (`across[i]`, `down[i]`).
    #[inline(always)]
    pub(in crate::cpu::deep) fn all_slopes_at<S: Simd>(
        &self,
        s: S,
        across: &[f64; 8],
        down: &[f64; 8],
    ) -> [[f64; 8]; 2] {
        let mut all = [[0.0; 8]; 2];
        let at = |k: usize, part: &[f64; ORDER]| s.splat((k + 1) as f64 * part[k]);
        for first in (0..8).step_by(S::LANES) {
            let (across, down) = (s.load(&across[first..]), s.load(&down[first..]));
            let (mut x, mut y) = (at(ORDER - 1, &self.re), at(ORDER - 1, &self.im));
            for k in (0..ORDER - 1).rev() {
                (x, y) = (
                    s.fma(x, across, s.fnma(y, down, at(k, &self.re))),
                    s.fma(x, down, s.fma(y, across, at(k, &self.im))),
                );
            }
            s.store(&mut all[0][first..], x);
            s.store(&mut all[1][first..], y);
        }
        all
    }

    /// The bound of a point of the tile.
    pub(in crate::cpu::deep) fn point_bound(&self, deep: &Deep<'_>) -> Bound {
        deep.rounding.with(self.bound, self.lost + self.rounding())
    }

    /// What evaluating it at a point of the tile may add to its error.
    pub(in crate::cpu::deep) fn rounding(&self) -> f64 {
        let centre = self.centre[0].abs() + self.centre[1].abs();
        ROUNDING * (centre + self.spread)
    }

    /// The same polynomial about the point `t` with `ratio` times the radius.
    #[inline(always)]
    pub(in crate::cpu::deep) fn about(&self, deep: &Deep<'_>, t: [f64; 2], ratio: f64) -> Self {
        let (mut re, mut im) = ([0.0; ORDER + 1], [0.0; ORDER + 1]);
        re[0] = self.centre[0];
        im[0] = self.centre[1];
        re[1..].copy_from_slice(&self.re);
        im[1..].copy_from_slice(&self.im);
        for i in 0..ORDER {
            for j in (i..ORDER).rev() {
                let (x, y) = (re[j + 1], im[j + 1]);
                re[j] = x.mul_add(t[0], (-y).mul_add(t[1], re[j]));
                im[j] = x.mul_add(t[1], y.mul_add(t[0], im[j]));
            }
        }
        let mut child = self.clone();
        child.centre = [re[0], im[0]];
        let mut power = ratio;
        for k in 0..ORDER {
            child.re[k] = re[k + 1] * power;
            child.im[k] = im[k + 1] * power;
            power *= ratio;
        }
        child.bound = (deep.rounding).with(self.bound, self.lost + self.rounding());
        child.lost = 0.0;
        child.rough = self.rough.max(ROUNDING * self.spread);
        child.spread = moduli(&child.re, &child.im).1;
        child
    }
}
