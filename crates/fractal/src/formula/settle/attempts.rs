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
        0..=2 => follow.begun(Follow::limbs_3),
        3 => follow.begun(Follow::limbs_4),
        4 => follow.begun(Follow::limbs_5),
        5 => follow.begun(Follow::limbs_6),
        6..=7 => follow.begun(Follow::limbs_8),
        8..=9 => follow.begun(Follow::limbs_10),
        10..=12 => follow.begun(Follow::limbs_13),
        13..=16 => follow.begun(Follow::limbs_17),
        17..=24 => follow.begun(Follow::limbs_25),
        _ => follow.in_integers(bits),
    }
}

/// Numbers of limbs hold values of |z| up to this one.
const NEAR: f64 = 4.0;

/// An orbit under way.
struct Walk<L: Long> {
    numbers: Bounding<L>,
    at: Bounded<L::Value>,
    n: u64,
}

/// Why it is not followed on in the same numbers.
enum Stop<L: Long> {
    Ended(Settlement),
    /// The last limbs say nothing any more.
    Narrow(Walk<L>),
}

/// The way of an orbit from so many limbs to fewer and fewer: bounds grow, and what is below them is not computed.
macro_rules! stages {
    ($($stage:ident $limbs:literal -> $next:ident $fewer:literal;)*) => {
        impl Follow<'_> {
            $(
                fn $stage(&self, walk: Walk<LimbNumbers<$limbs>>) -> Settlement {
                    match self.follow(walk, NEAR, Some(LimbNumbers::<$fewer>::BITS)) {
                        Stop::Ended(end) => end,
                        Stop::Narrow(walk) => self.$next(Walk {
                            n: walk.n,
                            at: walk.at.narrowed(),
                            numbers: walk.numbers.narrowed(),
                        }),
                    }
                }
            )*
        }
    };
}

stages! {
    limbs_25 25 -> limbs_17 17;
    limbs_17 17 -> limbs_13 13;
    limbs_13 13 -> limbs_10 10;
    limbs_10 10 -> limbs_8 8;
    limbs_8 8 -> limbs_6 6;
    limbs_6 6 -> limbs_5 5;
    limbs_5 5 -> limbs_4 4;
    limbs_4 4 -> limbs_3 3;
}

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
        self.whole(fixed, z0)
    }

    /// In numbers that hold all values of an orbit.
    fn whole(&self, numbers: Fixed, z0: [IBig; 2]) -> Settlement {
        match self.follow(self.walk(numbers, z0), f64::INFINITY, None) {
            Stop::Ended(end) => end,
            Stop::Narrow(_) => unreachable!("integers do not narrow"),
        }
    }

    /// The last stage.
    fn limbs_3(&self, walk: Walk<LimbNumbers<3>>) -> Settlement {
        match self.follow(walk, NEAR, None) {
            Stop::Ended(end) => end,
            Stop::Narrow(_) => unreachable!("nothing is narrower"),
        }
    }

    /// Begins an orbit in limbs, and follows it by `stage`; in integers where its values are too large for limbs.
    fn begun<const N: usize>(
        &self,
        stage: impl Fn(&Self, Walk<LimbNumbers<N>>) -> Settlement,
    ) -> Settlement {
        let (z0, fixed) = self.begin(LimbNumbers::<N>::BITS);
        let is_far = |[x, y]: [f64; 2]| libm::hypot(x, y) >= NEAR;
        if is_far(fixed.parts(&z0)) || is_far(fixed.parts(&fixed.c)) {
            return self.whole(fixed, z0);
        }
        let numbers = LimbNumbers::<N>::of(&fixed, self.frame.formula.rotations().count());
        stage(
            self,
            self.walk(numbers, [Limbs::of(&z0[0]), Limbs::of(&z0[1])]),
        )
    }

    fn walk<L: Long>(&self, numbers: L, z0: L::Value) -> Walk<L> {
        let measures = [Measure::Distance, Measure::Direction];
        let differs = (measures.iter()).any(|measure| self.frame.measures.contains(*measure));
        let mut numbers = Bounding::new(numbers, self.frame);
        let at = numbers.start(z0, differs);
        Walk { numbers, at, n: 0 }
    }

    /// Follows an orbit while |z| is less than `near`, and then in doubles; or until so many fewer bits are enough.
    fn follow<L: Long>(&self, walk: Walk<L>, near: f64, fewer: Option<usize>) -> Stop<L> {
        /// Steps between two looks at bounds.
        const LOOK: u64 = 16;
        /// Bits that are kept below the bound.
        const SPARE: f64 = 24.0;
        let frame = self.frame;
        let Walk {
            mut numbers,
            mut at,
            mut n,
        } = walk;
        while n < frame.iterations {
            n += 1;
            if n.is_multiple_of(STEPS_BETWEEN_LOOKS) && !(self.goes_on)() {
                return Stop::Ended(Settlement::Cancelled);
            }
            at = frame.formula.phase(n - 1).apply(&mut numbers, at);
            at = numbers.rescaled(at);
            if let Some(ended) = look(frame, &numbers, &at, n) {
                return Stop::Ended(ended);
            }
            if at.size >= near {
                return Stop::Ended(self.escape(numbers, &at, n));
            }
            if let Some(bits) = fewer.filter(|_| n.is_multiple_of(LOOK))
                && numbers.error_log2(&at) > SPARE - bits as f64
            {
                return Stop::Narrow(Walk { numbers, at, n });
            }
        }
        Stop::Ended(Settlement::Settled(SettledEnd::default()))
    }

    /// The rest of an orbit from |z| >= [`NEAR`] on, in doubles.
    fn escape<L: Long>(
        &self,
        numbers: Bounding<L>,
        at: &Bounded<L::Value>,
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
