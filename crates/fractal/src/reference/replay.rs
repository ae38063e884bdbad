//! An orbit replayed with few limbs.
//!
//! Kernels see an orbit in doubles. 250 bits, stepped from Z₀ = 0, give the same doubles for as long as errors have
//! not grown 2^180 times; then the replay has to start anew from a waypoint, 250 bits of the true orbit. Errors grow as
//! the derivative does, and all of that growth is about the zoom: an orbit of a million steps at 1e1086 needs some
//! dozens of waypoints. Steps whose doubles come out otherwise all the same are patched one by one, so that nothing
//! depends on this estimate but the size.

use super::point::ReferencePoint;
use super::scaled;
use super::stepping::fixed;
use super::stepping::format::Format;
use super::stepping::stepper::{self, Part, Stepper};

/// Limbs of a replay, unless the orbit itself has fewer.
pub(super) const LIMBS: usize = 4;
/// log2 of the rounding error of a step, or a little more.
const ROUNDING: i64 = -239;
/// Errors may be this part of a double's last bit: so many values in one need a patch.
const SHARE: i64 = 16;
/// Least number of steps between waypoints.
const APART: u64 = 16;

/// The leading 250 bits of a value of an orbit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waypoint {
    /// Its index m.
    pub(super) m: u64,
    /// Whether the real and the imaginary part are below 0.
    pub(super) negative: [bool; 2],
    /// Their moduli, least significant limb first.
    pub(super) parts: [[u64; LIMBS]; 2],
}

impl Waypoint {
    /// A waypoint at the value that a stepper of at least [`LIMBS`] limbs stands at.
    pub(super) fn here(m: u64, parts: [Part<'_>; 2]) -> Self {
        Self {
            m,
            negative: parts.map(|(negative, _)| negative),
            parts: parts.map(|(_, words)| words.last_chunk().copied().unwrap_or_default()),
        }
    }
}

/// The waypoints of an orbit while it is computed.
pub(super) struct Waypoints {
    pub(super) list: Vec<Waypoint>,
    /// Estimate of the error of a replay; 0 where it is the orbit itself.
    error: f64,
    rounding: f64,
    /// 2 |z| of the last value.
    growth: f64,
    age: u64,
}

impl Waypoints {
    /// For an orbit of `n` limbs.
    pub(super) fn new(n: usize) -> Self {
        let rounding = if n <= LIMBS {
            0.0
        } else {
            scaled::power_of_two(ROUNDING)
        };
        Self {
            list: Vec::new(),
            error: 0.0,
            rounding,
            growth: 0.0,
            age: 0,
        }
    }

    /// Whether a waypoint belongs at this value, the next one.
    #[inline(always)]
    pub(super) fn due(&mut self, z: [f64; 2], norm2: f64) -> bool {
        const FACTOR: f64 = scaled::power_of_two(53 + SHARE);
        self.error = self.error * self.growth + self.rounding;
        self.growth = 2.0 * norm2.sqrt();
        self.age += 1;
        let allowed = |part: f64| part == 0.0 || self.error * FACTOR <= part.abs();
        if (allowed(z[0]) && allowed(z[1])) || self.age < APART || self.error < 16.0 * self.rounding
        {
            return false;
        }
        self.error = self.rounding;
        self.age = 0;
        true
    }
}

/// A replay from its start.
pub(super) struct Replay<'a> {
    stepper: Box<dyn Stepper>,
    waypoints: std::iter::Peekable<std::slice::Iter<'a, Waypoint>>,
    /// Whether waypoints fit the stepper.
    full: bool,
    m: u64,
}

impl<'a> Replay<'a> {
    pub(super) fn new(point: &ReferencePoint, waypoints: &'a [Waypoint]) -> Self {
        let n = Format::of(point.bits).limbs().min(LIMBS);
        Self {
            stepper: fixed::stepper(point, n),
            waypoints: waypoints.iter().peekable(),
            full: n == LIMBS,
            m: 0,
        }
    }

    /// The next value.
    #[inline(always)]
    pub(super) fn step(&mut self) -> [f64; 2] {
        let mut z = self.stepper.step();
        self.m += 1;
        if let Some(waypoint) = self.waypoints.next_if(|waypoint| waypoint.m <= self.m)
            && self.full
        {
            let part = |i: usize| (waypoint.negative[i], &waypoint.parts[i][..]);
            self.stepper.set([part(0), part(1)]);
            z = [0, 1].map(|i| stepper::to_f64(waypoint.negative[i], &waypoint.parts[i]));
        }
        z
    }
}
