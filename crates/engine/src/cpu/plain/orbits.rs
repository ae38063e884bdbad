//! Vectors of orbits and their step.

use super::rounding::Rounding;
use crate::cpu::radius::Radius;
use crate::cpu::simd::Simd;

/// One vector of orbits.
#[derive(Clone, Copy)]
pub(super) struct Orbits<S: Simd> {
    pub(super) x: S::V,
    pub(super) y: S::V,
    /// dz/dc; constant where the kernel carries no derivative.
    pub(super) dx: S::V,
    pub(super) dy: S::V,
    pub(super) cx: S::V,
    pub(super) cy: S::V,
    /// W of [`Rounding`]; constant where it is not followed.
    pub(super) off2: S::V,
}

impl<S: Simd> Orbits<S> {
    /// Orbits of zero: c = 0 from z = 0, which stay where they are.
    #[inline(always)]
    pub(super) fn idle(s: S) -> Self {
        let zero = s.splat(0.0);
        Self {
            x: zero,
            y: zero,
            dx: zero,
            dy: zero,
            cx: zero,
            cy: zero,
            off2: zero,
        }
    }

    /// |z|², always by these operations.
    #[inline(always)]
    pub(super) fn norm2(&self, s: S) -> S::V {
        s.fma(self.x, self.x, s.mul(self.y, self.y))
    }

    /// `self` where the mask is true, `other` elsewhere.
    #[inline(always)]
    pub(super) fn select<const D: bool, const E: bool>(
        &self,
        s: S,
        mask: S::M,
        other: &Self,
    ) -> Self {
        let pick = |a, b| s.select(mask, a, b);
        Self {
            x: pick(self.x, other.x),
            y: pick(self.y, other.y),
            dx: if D { pick(self.dx, other.dx) } else { self.dx },
            dy: if D { pick(self.dy, other.dy) } else { self.dy },
            cx: pick(self.cx, other.cx),
            cy: pick(self.cy, other.cy),
            off2: if E {
                pick(self.off2, other.off2)
            } else {
                self.off2
            },
        }
    }
}

/// Iterates `V` vectors of orbits for `steps` steps, with the derivative if `D`, and with what rounding amounts to if `E`.
#[inline(always)]
pub(super) fn advance<S: Simd, const V: usize, const D: bool, const E: bool>(
    s: S,
    z: &mut [Orbits<S>; V],
    steps: u64,
    rounding: &Rounding,
) {
    let one = s.splat(1.0);
    for _ in 0..steps {
        for o in z.iter_mut() {
            let twice_x = s.add(o.x, o.x);
            if E {
                o.off2 = rounding.next(s, o.norm2(s), o.off2);
            }
            if D {
                let twice_y = s.add(o.y, o.y);
                let dx = s.fma(twice_x, o.dx, s.fnma(twice_y, o.dy, one));
                o.dy = s.fma(twice_x, o.dy, s.mul(twice_y, o.dx));
                o.dx = dx;
            }
            // In this order a compiler needs no register for a copy of y, of which a loop of many vectors has none to spare.
            let y = s.fma(twice_x, o.y, o.cy);
            o.x = s.fma(o.x, o.x, s.fnma(o.y, o.y, o.cx));
            o.y = y;
        }
    }
}

/// The lanes that are not outside of a radius; NaN is outside. Rounded squares decide, except where rounding could change
/// the answer: then all lanes are compared exactly.
#[inline(always)]
pub(super) fn within<S: Simd, const V: usize>(
    s: S,
    z: &[Orbits<S>; V],
    radius: &Radius,
) -> [S::M; V] {
    let (below2, above2) = (s.splat(radius.below2), s.splat(radius.above2));
    let mut within = [s.le(below2, below2); V];
    let mut tied = 0;
    for v in 0..V {
        let norm2 = z[v].norm2(s);
        within[v] = s.le(norm2, below2);
        tied |= s.bits(within[v]) ^ s.bits(s.le(norm2, above2));
    }
    if tied != 0 {
        let bits = compared_exactly(s, z, radius);
        for v in 0..V {
            within[v] = s.mask(bits[v]);
        }
    }
    within
}

/// The same lane by lane, as bits.
#[cold]
#[inline(never)]
pub(super) fn compared_exactly<S: Simd, const V: usize>(
    s: S,
    z: &[Orbits<S>; V],
    radius: &Radius,
) -> [u32; V] {
    let mut bits = [0; V];
    for (bits, orbits) in bits.iter_mut().zip(z) {
        let (mut x, mut y) = ([0.0; 8], [0.0; 8]);
        s.store(&mut x, orbits.x);
        s.store(&mut y, orbits.y);
        for lane in (0..S::LANES).filter(|lane| radius.holds(x[*lane], y[*lane])) {
            *bits |= 1 << lane;
        }
    }
    bits
}
