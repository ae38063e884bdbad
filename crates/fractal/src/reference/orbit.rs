//! A reference orbit: its values, and why it ends.

use super::point::ReferencePoint;
use super::replay::Waypoint;
use crate::numbers::floatexp::ComplexExp;

/// Values whose larger part is below 2^this are also kept with an exponent of their own.
pub const SMALL_LOG2: i64 = -900;

/// Most values of an orbit that is read from bytes: 2 GiB of memory. A few hundred bytes may stand for that many.
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
    /// Where a replay with few limbs starts anew, by index, ascending: for [`ReferenceOrbit::to_bytes`] alone, whose
    /// bytes are right without them, but more. 80 bytes each, 16 steps or more apart.
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
