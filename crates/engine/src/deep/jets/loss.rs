//! What a polynomial block may lose, and how far it may carry on an error.

use super::block::{Block, modulus};
use super::jet::{DEGREE, LOW};

/// How much more A and B may be rounded than those of a linear block of the same steps, in units of the radius and the largest c.
const LINEAR_ROUNDING: f64 = 2.0;
/// The same of the coefficients of higher powers: each is a sum of several products.
const ROUNDING: f64 = 16.0;
/// What the few products of one block err by, as a share of its sums.
const PRODUCTS: f64 = 16.0 * f64::EPSILON / 2.0;
/// More than what blocks leave out may add to the derivative of one that keeps away from its radius.
const LEFT_OUT: f64 = 1.0 / (1u64 << 16) as f64;
/// Rounding of single-precision coefficients.
const SINGLE: f64 = f32::EPSILON as f64;
/// A little over 1: the rounding of these sums.
const ABOVE: f64 = 1.0 + 1.0 / (1u64 << 20) as f64;

/// What the numbers of a linear block of the same steps are rounded by, as shares: those of z, of c, and of z in doubles.
#[derive(Clone, Copy, Debug)]
pub(in crate::deep) struct Rounded {
    pub(in crate::deep) of_z: f64,
    pub(in crate::deep) of_c: f64,
    pub(in crate::deep) of_powers: f64,
}

/// What a polynomial block may lose, as shares of |a|; `f32`s, each rounded up.
///
/// With moduli in place of all numbers a block is a majorant: sums of the moduli of its terms bound what rounding them may make.
/// Here they are bounded by few powers of |u|, as a higher power of it is less.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(32))]
pub struct PolynomialLoss {
    /// Of |u| to the powers 0, 1, 2, 4 and 8.
    lost: [f32; 5],
    /// |b|
    pub(crate) of_c: f32,
    /// How far a derivative between two values of u nearer than [`PolynomialLoss::INNER`], and further than that from the
    /// radius, may be from that at one of them.
    pub(crate) slack: f32,
}

impl PolynomialLoss {
    /// No bound is known.
    pub(in crate::deep) const UNKNOWN: Self = Self {
        lost: [f32::INFINITY; 5],
        of_c: f32::INFINITY,
        slack: f32::INFINITY,
    };
    /// How far within the radius |u| has to be, and twice of how far off u may be.
    pub(crate) const INNER: f64 = 1.0 / (1u64 << 18) as f64;

    /// Of a block that is stored as [`Block::pack`] does.
    pub(in crate::deep) fn new(block: &Block, rounded: Rounded) -> Self {
        if block.radius <= 0.0 || block.radius.is_nan() {
            return Self::UNKNOWN;
        }
        let linear = modulus(block.a[0]);
        // A little over: `pack` rounds them.
        let share = |p: [f64; 2]| modulus(p) / linear * ABOVE;
        let (cross, square, of_c) = (share(block.cross), share(block.square), share(block.b));
        let [u, u2w, uw2, w3] = block.dropped();
        let (mut growth, mut bend, mut single, mut single_growth) = (0.0, 0.0, 0.0, 0.0);
        for k in 0..DEGREE - 1 {
            let (power, factor) = (share(block.a[k + 1]), (k + 2) as f64);
            growth += factor * power;
            bend += factor * (k + 1) as f64 * power;
            if k >= LOW {
                single += power;
                single_growth += factor * power;
            }
        }
        let up = |value: f64| ((value * ABOVE) as f32).next_up();
        let powers = ROUNDING * rounded.of_powers;
        Self {
            lost: [
                up(SINGLE * square + w3 + of_c * (LINEAR_ROUNDING * rounded.of_c + PRODUCTS)),
                up(LINEAR_ROUNDING * rounded.of_z
                    + powers * (cross + LEFT_OUT)
                    + SINGLE * cross
                    + uw2
                    + PRODUCTS),
                up(powers * growth + u2w),
                up(SINGLE * single),
                up(u),
            ],
            of_c: up(of_c),
            // What is left out is convex in |u|: its derivative is no more than it is at 1, over the way that is left.
            slack: up(LEFT_OUT
                + Self::INNER * bend
                + SINGLE * (single_growth + cross)
                + PRODUCTS * growth),
        }
    }

    /// What is lost, as a share of |a|, where |u| is `size`, which is no more than 1.
    #[inline(always)]
    pub(crate) fn lost_at(&self, size: f64) -> f64 {
        let [c0, c1, c2, c4, c8] = self.lost;
        let square = size * size;
        let fourth = square * square;
        let low = f64::from(c1).mul_add(size, f64::from(c0));
        let high = f64::from(c8).mul_add(fourth, f64::from(c4));
        fourth.mul_add(high, square.mul_add(c2.into(), low))
    }
}
