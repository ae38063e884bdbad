//! The period that an orbit has fallen into, the cycle, and the proof that it attracts.

use super::course::{Course, MovingDisc, Place};
use crate::deep::complex::{add, mul, scale, sub};
use crate::deep::minibrot::{ROUNDING, modulus, quotient, sum_norm};

/// Newton steps to a cycle.
const NEWTON: usize = 6;
/// The share of the disc around a cycle's point by which the last Newton step may move it.
const STILL: f64 = 1.0 / 64.0;
/// Natural logarithm of 2^52.
const SETTLED: f64 = 36.0;
/// Farther than this nothing is that stays.
const FAR: f64 = 4.0;
/// Over how many times its own size a component may still be felt.
const FELT: f64 = 1.5;

/// A cycle of some c, by one of its points, and how it changes with c.
#[derive(Clone, Copy, Debug)]
pub struct Cycle {
    /// Its period, or a multiple of it.
    pub period: u64,
    pub(super) c: [f64; 2],
    /// The point that is nearest to 0, as far as is known.
    start: [f64; 2],
    /// By how much it moves when c does.
    slope: [f64; 2],
    /// The modulus of the cycle's multiplier, and about how much it changes with c.
    multiplier: f64,
    multiplier_slope: f64,
    /// The radius around `start` that f^period leads farthest into itself.
    best: f64,
}

impl Cycle {
    /// A guess: that there is one near `z`.
    fn guess(z: [f64; 2], c: [f64; 2], period: u64) -> Self {
        Self {
            period,
            c,
            start: z,
            slope: [0.0; 2],
            multiplier: 0.0,
            multiplier_slope: 0.0,
            best: 0.0,
        }
    }

    /// Whether it seems to attract.
    #[must_use]
    pub fn attracts(&self) -> bool {
        self.multiplier < 1.0
    }

    /// Steps, about, after which an orbit that it attracts has come to it as far as doubles can tell.
    #[must_use]
    pub fn settles(&self) -> u64 {
        let periods = SETTLED / (1.0 - self.multiplier).max(f64::EPSILON);
        (periods * self.period as f64) as u64
    }

    /// Whether it may attract for some c within `spread` of its own, to first order.
    #[must_use]
    pub fn may_attract(&self, spread: f64) -> bool {
        self.multiplier - FELT * self.multiplier_slope * spread < 1.0
    }

    /// Whether a disc of c is so near to it that it may lie in the same component.
    #[must_use]
    pub fn is_near(&self, c: [f64; 2], spread: f64) -> bool {
        let distance = modulus(sub(c, self.c));
        (distance - spread) * self.multiplier_slope < FELT
    }
}

impl Course<'_> {
    /// The cycle of `c` that an orbit approaches which is at the reference's start with `z` and within `steps` steps comes
    /// as near to it as `near`; `None` if it does not seem to attract.
    #[must_use]
    pub fn cycle_near(&self, z: [f64; 2], c: [f64; 2], steps: u64, near: f64) -> Option<Cycle> {
        let (mut place, mut start) = (Place::at(z), z);
        for period in 1..=steps {
            place = self.step(place, c);
            if sum_norm(sub(self.full(place), z)) <= near {
                let cycle = self.cycle_from(&Cycle::guess(start, c, period), c);
                return cycle.filter(Cycle::attracts);
            }
            if place.m == 0 && sum_norm(place.z) < sum_norm(start) {
                start = place.z;
            }
        }
        None
    }

    /// The cycle of `c` that is near to one of another c, by Newton's method; `None` if there seems to be none.
    #[must_use]
    pub fn cycle_from(&self, cycle: &Cycle, c: [f64; 2]) -> Option<Cycle> {
        let mut start = add(mul(cycle.slope, sub(c, cycle.c)), cycle.start);
        let mut before = FAR;
        for _ in 0..NEWTON {
            // f^p; its derivative, which is `rest` times that of the first step; and that by c.
            let mut place = self.step(Place::at(start), c);
            let (mut rest, mut by_c) = ([1.0, 0.0], [1.0, 0.0]);
            for _ in 1..cycle.period {
                let twice = scale(self.full(place), 2.0);
                rest = mul(twice, rest);
                by_c = add(mul(twice, by_c), [1.0, 0.0]);
                place = self.step(place, c);
            }
            let multiplier = mul(scale(start, 2.0), rest);
            let fixed = sub([1.0, 0.0], multiplier);
            let moved = quotient(sub(self.full(place), start), fixed);
            start = add(start, moved);
            let far = sum_norm(moved);
            if far.is_nan() || far > before {
                return None;
            }
            before = far;
            let (growth, multiplier) = (2.0 * modulus(rest), modulus(multiplier));
            let best = (1.0 - multiplier) / growth;
            if far < STILL * best.abs() {
                let slope = quotient(by_c, fixed);
                return Some(Cycle {
                    period: cycle.period,
                    c,
                    start,
                    slope,
                    multiplier,
                    multiplier_slope: growth * modulus(slope),
                    best: best.min(1.0),
                });
            }
        }
        None
    }

    /// Whether it is proved that all c within `spread` of that of `cycle` are inside.
    ///
    /// The first step of a disc of radius R that moves by W is bent by (W + R)², so that about |multiplier| R + (W + R)² / (2 best)
    /// is left of it after a period, with W = |slope| spread: least against R where R = best - W, and less than R there
    /// while W is below best / 2.
    #[must_use]
    pub fn is_inside(&self, cycle: &Cycle, spread: f64) -> bool {
        let best = cycle.best - modulus(cycle.slope) * spread;
        if !cycle.attracts() || best.is_nan() || best < 0.5 * cycle.best {
            return false;
        }
        self.is_led_into_itself(cycle, best, spread)
            || self.is_led_into_itself(cycle, 0.5 * best, spread)
    }

    fn is_led_into_itself(&self, cycle: &Cycle, radius: f64, spread: f64) -> bool {
        let mut disc = MovingDisc {
            place: Place::at(cycle.start),
            slope: cycle.slope,
            radius,
        };
        for _ in 0..cycle.period {
            disc = self.step_of_disc(disc, cycle.c, spread);
            // Such a disc does not come back.
            if disc.radius > FAR || disc.radius.is_nan() {
                return false;
            }
        }
        let off = modulus(sub(self.full(disc.place), cycle.start));
        let turned = modulus(sub(disc.slope, cycle.slope)) * spread;
        let all = disc.radius + off + turned + self.rounding(disc.place);
        all * (1.0 + 4.0 * ROUNDING) < radius
    }
}
