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
//! - [`orbit`]: an orbit's values; `compute`: how they are computed; [`codec`]: an orbit as bytes
//! - `lows`: what its doubles have lost
//! - `stepping`: the step z² + C in as many bits as asked for; `taper`: how many of them each step needs
//! - `replay`: the step with few limbs from waypoints, which gives the same doubles
//! - `scaled`: derivatives

pub mod codec;
mod compute;
mod lows;
pub mod orbit;
pub mod point;
mod replay;
pub(crate) mod scaled;
mod stepping;
mod taper;
#[cfg(test)]
pub(crate) mod tests;

pub use codec::{CodecError, digest};
pub use compute::{OrbitError, compute};
pub(crate) use compute::{Walker, threads, watched};
pub use lows::low_parts;
pub use orbit::{MAX_VALUES, OrbitEnd, ReferenceOrbit, SMALL_LOG2};
pub use point::{ReferencePoint, farthest};
pub use replay::Waypoint;
pub(crate) use stepping::fixed::stepper as limb_stepper;
pub(crate) use stepping::stepper::{
    BOUND, Stepper, fraction_bits, fraction_for, to_big_of, words_of,
};
