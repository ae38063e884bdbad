//! The reference orbit: Z₀ = 0, Zₘ₊₁ = Zₘ² + C of one point C of a view, in as many digits as the view needs.
//!
//! A pixel at C + c then follows the delta z of its orbit from the reference's, in ordinary precision:
//! z′ = (2Zₘ + z) z + c, where z and c are as small as the view (perturbation). Whenever |Zₘ + z| < |z|, and at the
//! reference's end, it goes on as z := Zₘ + z from m = 0, which is exact (rebasing; Zhuoran, 2021). That is why the
//! reference may end at the first point at which it comes as close to 0 as the view's own images do (its period,
//! as seen from this view): nothing is lost by starting over there.
//!
//! Where it ends, deltas wrap: z := Z_P + z, m := 0. That is an identity, whatever Z_P is, so any end is right in
//! exact arithmetic; what an end may cost is digits, as Z_P + z is rounded to 2^-53 of the larger of both.
//! - [`OrbitEnd::Period`]: |Z_P| is less than the image r |dZ_P/dC| of half the view's diagonal r, so the rounding is
//!   less than 2^-52 r |dZ_P/dC|. A pixel's image there is 2r/d |dZ_P/dC| for a diagonal of d pixels, so a wrap costs
//!   less than 2^-53 d of a pixel: 2^-42 at 1024 x 1024, 2^-35 at the largest picture. Such errors grow as the
//!   derivative does, that is, they stay that part of a pixel, and add up over the wraps of a pixel's orbit.
//!   No nucleus need be near. In a wide view (|C| < r) already Z₁ is covered: deltas wrap in every step and are plain
//!   iteration in `f64`, which is as exact as the view is wide. A view with one sample at C has r = 0: no end.
//! - [`OrbitEnd::Escaped`]: |Z_M| is over the escape radius R and a pixel that goes on has |w| <= R, w = Z_M + z. It
//!   did not rebase before, so |Z| <= 2|w| one step earlier: Z_M + z cancels at most a few bits.
//! - [`OrbitEnd::Limit`]: no pixel gets past it but by rebasing, for which it has its steps.
//!
//! - [`point`]: C itself, exact, and the bits that a view needs
//! - [`orbit`]: the orbit computed
//! - [`codec`]: an orbit as bytes
//! - `format`: bits in limbs or digits; `taper`: how many of them each step needs
//! - `stepper`: the step z² + C; `fixed` with `limbs`: in limbs; `fourier` with `digits` and `helper`: by transforms, on one
//!   thread or two
//! - `replay`: the step with few limbs from waypoints, which gives the same doubles
//! - `scaled`: derivatives

pub mod codec;
mod digits;
mod fixed;
mod format;
mod fourier;
mod helper;
mod limbs;
pub mod orbit;
pub mod point;
mod replay;
pub(crate) mod scaled;
mod stepper;
mod taper;
#[cfg(test)]
pub(crate) mod tests;

pub use codec::{CodecError, digest};
pub use orbit::{OrbitError, compute};
pub(crate) use orbit::{Walker, threads, watched};
pub use point::{ReferencePoint, farthest};
pub use replay::Waypoint;
pub(crate) use stepper::{BOUND, fraction_for, to_big_of};

use crate::floatexp::ComplexExp;

/// Values whose larger part is below 2^this are also kept with an exponent of their own.
pub const SMALL_LOG2: i64 = -900;

/// Most values of an orbit that anybody takes from outside: 2 GiB of them. A few hundred bytes may stand for as many.
pub const MAX_VALUES: u64 = 1 << 27;

/// Why a reference orbit has no more values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrbitEnd {
    /// Its last value Z_P is nearer to 0 than the image of the view around it reaches: P is its period there.
    Period,
    /// Its last value lies outside the frame's escape radius.
    Escaped,
    /// The iteration limit was reached.
    Limit,
}

/// A reference orbit as kernels use it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceOrbit {
    /// The point whose orbit it is.
    pub point: ReferencePoint,
    /// Z₀ to Z_M, real and imaginary parts rounded to nearest; at least Z₀ and Z₁. 16 bytes a value.
    pub values: Vec<[f64; 2]>,
    /// The values (by index, ascending; Z₀ is not among them) with |re| and |im| both below 2^[`SMALL_LOG2`],
    /// where doubles run out of exponent: few, once a period at most.
    pub small: Vec<(u64, ComplexExp)>,
    /// Why it ends.
    pub end: OrbitEnd,
    /// Where a replay with few limbs starts anew, by index, ascending: for [`ReferenceOrbit::to_bytes`] alone, which
    /// is right without them, but longer. 80 bytes each, 16 steps or more apart.
    pub waypoints: Vec<Waypoint>,
    /// How many steps can be replayed: all but the last ones of an orbit that escapes.
    pub replayed: u64,
}

impl ReferenceOrbit {
    /// Number of steps M: the index of the last value.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.values.len() as u64 - 1
    }

    /// Whether its point lies on the real axis, which its orbit never leaves.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.point.im == dashu_int::IBig::ZERO
    }

    /// Zₘ with its whole exponent.
    ///
    /// # Panics
    /// If `m` is past the end.
    #[must_use]
    pub fn at(&self, m: u64) -> ComplexExp {
        if let Ok(index) = self.small.binary_search_by_key(&m, |(at, _)| *at) {
            return self.small[index].1;
        }
        let [re, im] = self.values[m as usize];
        ComplexExp::from_f64(re, im)
    }
}
