//! Proofs that points lie inside a minibrot.
//!
//! If some disc D has f^M(D), or f^(kM)(D), inside itself, then by Schwarz' lemma f^(kM) has a fixed point in D that
//! attracts all of it. An attracting cycle of z² + c attracts the orbit of 0 (Fatou, 1919), which is bounded then: c is
//! inside. Nothing else is concluded: a point for which no such disc is found is iterated.
//!
//! The disc is looked for around the cycle that the orbit of 0 approaches. Where it is led to follows from the mean value
//! inequality, with the bound of all that the map leaves out; one disc may serve for all c of a square of pixels.

use super::complex::{add, mul, scale, sub};
use super::minibrot::{REACH, ReturnMap, SLACK, modulus, quotient, size};

/// Longest cycle of returns that is looked for.
const LONGEST_CYCLE: usize = 64;
/// Newton steps to a cycle, and cycle lengths that are tried for one c.
const NEWTON: usize = 8;
const CANDIDATES: usize = 3;
/// After how many returns the orbit of 0 may have come near enough to a cycle.
const STAGES: [u64; 3] = [16, 64, 512];

/// What is known of a point, or of all points of a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// All of it is proved to be inside.
    Inside,
    /// Nothing is proved, nor would it be of a part of it.
    Elsewhere,
    /// Nothing is proved of all of it together.
    Open,
}

impl ReturnMap {
    /// One return of y, and what its derivatives are made of: dy'/du and dy'/dw at fixed u.
    fn apply(&self, y: [f64; 2], w: [f64; 2]) -> Return {
        let u = add(scale(mul(y, y), self.p), scale(w, self.q));
        let du = add(add(self.a, scale(mul(self.uu, u), 2.0)), mul(self.uw, w));
        let along = add(add(self.a, mul(self.uu, u)), mul(self.uw, w));
        let dw = add(add(self.b, mul(self.uw, u)), scale(mul(self.ww, w), 2.0));
        let rest = add(self.b, mul(self.ww, w));
        Return {
            y: add(self.t, add(mul(along, u), mul(rest, w))),
            du,
            dw,
        }
    }

    /// dy'/dy
    fn slope(&self, at: [f64; 2], step: &Return) -> [f64; 2] {
        scale(mul(step.du, at), 2.0 * self.p)
    }

    /// Tries to prove that all c within `radius` of `w` are inside, both in units of S; `most` bounds the returns that
    /// are followed.
    #[must_use]
    pub fn prove(&self, w: [f64; 2], radius: f64, most: u64) -> Proof {
        let far = modulus(w);
        if far - radius > 1.0 {
            return Proof::Elsewhere;
        }
        if far + radius > 1.0 || far.is_nan() {
            return Proof::Open;
        }
        // The orbit of 0, and how it changes with w.
        let (mut y, mut slope) = ([0.0; 2], [0.0; 2]);
        let mut done = 0;
        for stage in STAGES {
            for _ in done..stage.min(most) {
                let step = self.apply(y, w);
                let along = add(mul(self.slope(y, &step), slope), scale(step.du, self.q));
                (y, slope) = (step.y, add(along, step.dw));
                let size = modulus(y);
                if size > REACH || size.is_nan() {
                    // Some estimate of the distance from the set: nothing follows from it but where to look.
                    let distance = size * libm::log(size) / modulus(slope);
                    return if radius < 0.25 * distance {
                        Proof::Elsewhere
                    } else {
                        Proof::Open
                    };
                }
            }
            done = stage;
            let mut attracts = false;
            for length in self.lengths(y, w).into_iter().flatten() {
                if let Some(cycle) = self.cycle(y, w, length) {
                    if self.is_trapped(&cycle, w, radius) {
                        return Proof::Inside;
                    }
                    attracts = true;
                }
            }
            if attracts || stage >= most {
                break;
            }
        }
        Proof::Open
    }

    /// Lengths that the cycle may have which y approaches.
    fn lengths(&self, y: [f64; 2], w: [f64; 2]) -> [Option<usize>; CANDIDATES] {
        let mut found = [None; CANDIDATES];
        let mut count = 0;
        let mut nearest = 2.0 * REACH;
        let mut next = y;
        for length in 1..=LONGEST_CYCLE {
            next = self.apply(next, w).y;
            let distance = modulus(sub(next, y));
            // Each one nearer than all before.
            if distance < nearest * 0.5 {
                nearest = distance;
                found[count % CANDIDATES] = Some(length);
                count += 1;
            }
        }
        found
    }

    /// The cycle of `length` returns near `y`, by Newton's method, from its point nearest to 0 on; `None` if it does not
    /// seem to attract.
    fn cycle(&self, y: [f64; 2], w: [f64; 2], length: usize) -> Option<Cycle> {
        let mut start = y;
        let mut nearest = (f64::INFINITY, y);
        let mut multiplier = f64::INFINITY;
        for _ in 0..NEWTON {
            let (mut at, mut slope) = (start, [1.0, 0.0]);
            nearest = (f64::INFINITY, start);
            for _ in 0..length {
                let own = size(at);
                if own < nearest.0 {
                    nearest = (own, at);
                }
                let step = self.apply(at, w);
                slope = mul(self.slope(at, &step), slope);
                at = step.y;
            }
            multiplier = modulus(slope);
            let step = quotient(sub(at, start), sub([1.0, 0.0], slope));
            let moved = size(step);
            if moved >= REACH || moved.is_nan() {
                return None;
            }
            start = add(start, step);
            if moved < SLACK {
                break;
            }
        }
        (multiplier < 1.0).then_some(Cycle {
            start: nearest.1,
            length,
            multiplier,
        })
    }

    /// Whether some disc around the cycle's first point is led into itself by all c within `radius` of `w`.
    fn is_trapped(&self, cycle: &Cycle, w: [f64; 2], radius: f64) -> bool {
        // f^(kM) is about y_0 + e (y² - y_0²) near its point nearest to 0.
        let mut steep = 1.0;
        let mut at = cycle.start;
        for i in 0..cycle.length {
            let step = self.apply(at, w);
            steep *= if i == 0 {
                modulus(step.du) * self.p
            } else {
                modulus(self.slope(at, &step))
            };
            at = step.y;
        }
        let best = (1.0 - cycle.multiplier) / (2.0 * steep);
        [1.0, 0.5, 0.25, 0.125]
            .iter()
            .any(|by| self.is_led_into_itself(cycle, (best * by).min(1.0), w, radius))
    }

    fn is_led_into_itself(&self, cycle: &Cycle, disc: f64, w: [f64; 2], radius: f64) -> bool {
        let (mut at, mut r) = (cycle.start, disc);
        let edge = self.q * (modulus(w) + radius);
        for _ in 0..cycle.length {
            let far = modulus(at) + r;
            let first = self.p * far * far + edge;
            if first >= 1.0 || first.is_nan() {
                return false;
            }
            let step = self.apply(at, w);
            let spread = self.p * (far + modulus(at)) * r + self.q * radius;
            let (uu, uw, ww) = (modulus(self.uu), modulus(self.uw), modulus(self.ww));
            let du = modulus(step.du) + 2.0 * uu * spread + uw * radius;
            let dw = du * self.q + modulus(step.dw) + uw * spread + 2.0 * ww * radius;
            r = du * 2.0 * self.p * far * r + dw * radius + self.lost + SLACK;
            at = step.y;
        }
        r + modulus(sub(at, cycle.start)) + SLACK < disc
    }
}

/// A return of one point.
struct Return {
    y: [f64; 2],
    du: [f64; 2],
    dw: [f64; 2],
}

/// A cycle of the return map that seems to attract.
struct Cycle {
    start: [f64; 2],
    length: usize,
    /// |(f^(kM))'| there.
    multiplier: f64,
}
