//! The count of one sample for certain: its orbit in fixed point with a bound of its error, in as many bits as it takes.
//!
//! With e = ẑ - z, where ẑ is what is computed and z the orbit of the sample's exact point, each operation's error is bounded
//! by those of what it is made of, and its own rounding. A count is certain once each |ẑ| up to it is farther from the escape
//! radius than its bound; otherwise the orbit is made again in more bits.

use dashu_int::IBig;

use super::super::exact::{Fixed, point, start};
use super::super::slope::slope;
use super::bounding::{Bounded, Bounding, Long};
use super::known::is_known_inside;
use super::limbs::{LimbNumbers, Limbs};
use crate::picture::frame::FrameSpec;
use crate::picture::measure::Measure;
use crate::settled::{SettledEnd, Settlement};

/// Bits of the attempts: so many times those that tell samples apart, and so many more. Orbits that pass the critical point
/// need the former, dense places the latter.
const ATTEMPTS: [(f64, usize); 6] = [
    (1.0, 80),
    (1.0, 210),
    (1.0, 460),
    (1.3, 960),
    (2.5, 1900),
    (4.5, 4000),
];
/// Fewest bits that are taken to tell samples apart.
const FEWEST_DEPTH_BITS: f64 = 44.0;
/// Steps between two looks at whether it was cancelled.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 9;
/// A bound that large does not shrink any more.
const HOPELESS: f64 = 0.25;

/// The count of the sample of a column and a row for certain. `goes_on` is asked every some hundred steps.
#[must_use]
pub fn settle(frame: &FrameSpec, col: u32, row: u32, goes_on: &dyn Fn() -> bool) -> Settlement {
    if is_known_inside(frame, col, row) {
        return Settlement::Settled(SettledEnd::default());
    }
    let depth = (-frame.spacing_log2()).max(FEWEST_DEPTH_BITS);
    let depth = if depth.is_finite() {
        depth
    } else {
        FEWEST_DEPTH_BITS
    };
    for (times, more) in ATTEMPTS {
        let bits = (depth * times) as usize + more;
        match attempt(frame, col, row, bits, goes_on) {
            Settlement::Unsettled => {}
            settled => return settled,
        }
    }
    Settlement::Unsettled
}

/// The orbit in so many bits or some more; `Unsettled` where they are too few.
fn attempt(
    frame: &FrameSpec,
    col: u32,
    row: u32,
    bits: usize,
    goes_on: &dyn Fn() -> bool,
) -> Settlement {
    /// Largest degree whose values keep within a limb's 64 integer bits while |z| is less than [`NEAR`].
    const LIMB_DEGREE: u32 = 24;
    let follow = Follow {
        frame,
        col,
        row,
        goes_on,
    };
    if frame.formula.degree() > LIMB_DEGREE {
        return follow.in_integers(bits);
    }
    match bits.div_ceil(64) {
        0..=2 => follow.in_limbs::<3>(),
        3 => follow.in_limbs::<4>(),
        4 => follow.in_limbs::<5>(),
        5 => follow.in_limbs::<6>(),
        6..=7 => follow.in_limbs::<8>(),
        8..=9 => follow.in_limbs::<10>(),
        10..=12 => follow.in_limbs::<13>(),
        13..=16 => follow.in_limbs::<17>(),
        17..=24 => follow.in_limbs::<25>(),
        _ => follow.in_integers(bits),
    }
}

/// Numbers of limbs hold values of |z| up to this one.
const NEAR: f64 = 4.0;

/// A sample whose orbit is followed.
struct Follow<'a> {
    frame: &'a FrameSpec,
    col: u32,
    row: u32,
    goes_on: &'a dyn Fn() -> bool,
}

impl Follow<'_> {
    /// z_0, and c with the angles, in so many bits.
    fn begin(&self, bits: usize) -> ([IBig; 2], Fixed) {
        let at = point(self.frame, self.col, self.row, bits);
        let [z0, c] = start(self.frame, at, bits);
        (z0, Fixed::new(&self.frame.formula, c, bits))
    }

    fn in_integers(&self, bits: usize) -> Settlement {
        let (z0, fixed) = self.begin(bits);
        self.follow(fixed, z0, f64::INFINITY)
    }

    fn in_limbs<const N: usize>(&self) -> Settlement {
        let (z0, fixed) = self.begin(Limbs::<N>::BITS);
        let is_far = |[x, y]: [f64; 2]| x.hypot(y) >= NEAR;
        if is_far(fixed.parts(&z0)) || is_far(fixed.parts(&fixed.c)) {
            return self.follow(fixed, z0, f64::INFINITY);
        }
        let numbers = LimbNumbers::<N>::of(&fixed, self.frame.formula.rotations().count());
        self.follow(numbers, [Limbs::of(&z0[0]), Limbs::of(&z0[1])], NEAR)
    }

    /// Follows the orbit, in these numbers while |z| is less than `near`, and then in doubles.
    fn follow<L: Long>(&self, numbers: L, z0: L::Value, near: f64) -> Settlement {
        let frame = self.frame;
        let measures = [Measure::Distance, Measure::Direction];
        let differs = (measures.iter()).any(|measure| frame.measures.contains(*measure));
        let mut numbers = Bounding::new(numbers, frame);
        let mut at = numbers.start(z0, differs);
        let mut n = 0;
        while n < frame.iterations {
            n += 1;
            if n.is_multiple_of(STEPS_BETWEEN_LOOKS) && !(self.goes_on)() {
                return Settlement::Cancelled;
            }
            at = frame.formula.phase(n - 1).apply(&mut numbers, at);
            at = numbers.rescaled(at);
            if let Some(ended) = look(frame, &numbers, &at, n) {
                return ended;
            }
            if at.size >= near {
                return self.escape(numbers, at, n);
            }
        }
        Settlement::Settled(SettledEnd::default())
    }

    /// The rest of an orbit from |z| >= [`NEAR`] on, in doubles.
    fn escape<L: Long>(
        &self,
        numbers: Bounding<L>,
        at: Bounded<L::Value>,
        from: u64,
    ) -> Settlement {
        let frame = self.frame;
        let (mut numbers, mut at) = numbers.in_doubles(frame, at);
        for n in from + 1..=frame.iterations {
            if n.is_multiple_of(STEPS_BETWEEN_LOOKS) && !(self.goes_on)() {
                return Settlement::Cancelled;
            }
            at = frame.formula.phase(n - 1).apply(&mut numbers, at);
            at = numbers.rescaled(at);
            if let Some(ended) = look(frame, &numbers, &at, n) {
                return ended;
            }
        }
        Settlement::Settled(SettledEnd::default())
    }
}

/// What is known of an orbit after `n` steps; `None`: it goes on.
fn look<L: Long>(
    frame: &FrameSpec,
    numbers: &Bounding<L>,
    at: &Bounded<L::Value>,
    n: u64,
) -> Option<Settlement> {
    /// More than what sizes are rounded by.
    const SLACK: f64 = 1.0 / (1u64 << 44) as f64;
    let error = numbers.error(at) + at.size * SLACK;
    let radius = frame.escape_radius;
    if at.size - error > radius {
        let z = numbers.parts(at);
        return Some(Settlement::Settled(SettledEnd {
            count: n,
            z,
            slope: (numbers.jacobian(at)).map_or_else(Default::default, |it| slope(z, &it)),
        }));
    }
    (at.size + error >= radius || error > HOPELESS.max(at.size * HOPELESS))
        .then_some(Settlement::Unsettled)
}
