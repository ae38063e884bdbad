//! The reference orbit: Z₀ = 0, Zₘ₊₁ = Zₘ² + C of one point C of a view, in as many digits as the view needs.
//!
//! A pixel at C + c then follows the delta z of its orbit from the reference's, in ordinary precision:
//! z′ = (2Zₘ + z) z + c, where z and c are as small as the view (perturbation). Whenever |Zₘ + z| < |z|, and at the
//! reference's end, it goes on as z := Zₘ + z from m = 0, which is exact (rebasing; Zhuoran, 2021). That is why the
//! reference may end at the first point at which it comes as close to 0 as the view's own images do (its period,
//! as seen from this view): nothing is lost by starting over there.
//!
//! - [`point`]: C itself, exact
//! - [`orbit`]: the orbit computed

pub mod orbit;
pub mod point;
mod provisional;

pub use orbit::{OrbitError, compute};
pub use point::ReferencePoint;
pub use provisional::DecodeError;

use crate::floatexp::ComplexExp;

/// Values whose larger part is below 2^this are also kept with an exponent of their own.
pub const SMALL_LOG2: i64 = -900;

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
}

impl ReferenceOrbit {
    /// Number of steps M: the index of the last value.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.values.len() as u64 - 1
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
