//! Orbits that repeat themselves exactly.
//!
//! After a rebasing a pixel's whole state is its z: the reference begins anew, and what follows is a function of z
//! alone, as long as blocks do not end at the iteration limit. If the same z comes twice, bit for bit, so does everything
//! between, for ever. Whole cycles are then jumped over, and what is left before the limit is iterated, so every value
//! is the one that all steps would have led to. Pixels that an attracting cycle has caught get there by rounding.
//!
//! Where counts have to be certain, the bound of the error belongs to the state. All else repeating, the bound after a cycle is
//! a growing function of that before it. So if it is no more than it was, it never will be, and cycles may be jumped over;
//! if it is more, the next cycle is tried with a larger bound.

use crate::cpu::deep::rounding::Bound;

/// After how many times as many steps a pixel that was near its kept state is told of again.
const LATER: u64 = 2;

/// How much larger the bound is with which the next cycle is tried.
const INFLATED: f64 = 4.0;

/// A pixel at the start of the reference, near to where it has been there.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu::deep) struct Return {
    /// Steps since then.
    pub(in crate::cpu::deep) steps: u64,
    /// How far from there it is.
    pub(in crate::cpu::deep) distance: f64,
}

/// What a pixel's returns to the start of the reference are compared with (Brent, 1980).
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu::deep) struct Watch {
    z: [f64; 2],
    exponent: i64,
    /// See [`Bound::root`].
    root: f64,
    n: u64,
    returns: u64,
    /// The return at which the next state is kept.
    next: u64,
    /// Within which distance of the kept state a pixel counts as near, and from which n on.
    reach: f64,
    from: u64,
    near: Option<Return>,
}

impl Watch {
    /// Nothing has been seen; nor will it be where cycles are not looked for.
    /// `reach` is how near states are to be that [`Watch::take_near`] tells of.
    pub(in crate::cpu::deep) const fn new(on: bool, reach: f64) -> Self {
        Self {
            z: [f64::NAN; 2],
            exponent: 0,
            root: 0.0,
            n: 0,
            returns: 0,
            next: if on { 4 } else { u64::MAX },
            reach,
            from: 0,
            near: None,
        }
    }

    /// Looks at a pixel that is at the start of the reference after `n` steps, with `z` times 2^`exponent`. Returns its
    /// n: if it has been there before, all whole cycles that fit in before `limit` are added. `E`: where `bound` is no more
    /// than it was then.
    #[inline(always)]
    pub(in crate::cpu::deep) fn look<const E: bool>(
        &mut self,
        z: [f64; 2],
        exponent: i64,
        mut n: u64,
        limit: u64,
        bound: &mut Bound,
    ) -> u64 {
        if z == self.z && exponent == self.exponent {
            if !E || bound.root <= self.root {
                let cycle = (n - self.n).max(1);
                let jumped = limit.saturating_sub(n) / cycle * cycle;
                n += jumped;
                bound.terms = bound.terms.saturating_add(jumped);
            } else {
                bound.root *= INFLATED;
                (self.root, self.n) = (bound.root, n);
            }
        } else if n >= self.from
            && exponent == 0
            && self.exponent == 0
            && (z[0] - self.z[0]).abs() < self.reach
            && (z[1] - self.z[1]).abs() < self.reach
        {
            let distance = (z[0] - self.z[0]).abs() + (z[1] - self.z[1]).abs();
            self.near = Some(Return {
                steps: n - self.n,
                distance,
            });
            self.from = LATER * n;
        }
        self.returns += 1;
        if self.returns >= self.next {
            self.next = 2 * self.returns;
            (self.z, self.exponent, self.n) = (z, exponent, n);
            self.root = bound.root;
        }
        n
    }

    /// How the pixel has come near to the kept state, if it has since the last call.
    #[inline(always)]
    pub(in crate::cpu::deep) fn take_near(&mut self) -> Option<Return> {
        self.near.take()
    }
}
