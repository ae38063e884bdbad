//! Proofs that points lie inside a minibrot.
//!
//! If some disc D has f^M(D), or f^(kM)(D), inside itself, then by Schwarz' lemma f^(kM) has a fixed point in D that
//! attracts all of it. An attracting cycle of z² + c attracts the orbit of 0 (Fatou, 1919), which is bounded then: c is
//! inside. Nothing else is concluded: a point for which no such disc is found is iterated.
//!
//! The disc is looked for around the cycle that the orbit of 0 approaches. Where it is led to follows from the mean value
//! inequality, with the bound of all that the map leaves out; one disc may serve for all c of a square of pixels.

use super::complex::{add, mul, scale, sub};
use super::minibrot::{REACH, ReturnMap, SLACK, modulus, quotient, sum_norm};

/// Longest cycle of returns that is looked for.
const LONGEST_CYCLE: usize = 64;
/// Newton steps to a cycle, and cycle lengths that are tried for one c.
const NEWTON: usize = 8;
const CANDIDATES: usize = 3;
/// After how many returns the orbit of 0 may have come near enough to a cycle.
const STAGES: [u64; 3] = [16, 64, 512];

/// What was proved of a point, or of all points of a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// All of it is inside.
    Inside,
    /// Nothing, and a smaller disc would not help.
    Elsewhere,
    /// Nothing of the disc as a whole; a smaller one may help.
    Open,
}

impl ReturnMap {
    /// One return of y, and what its derivatives are made of: dy'/dfirst and dy'/doffset, each with the other fixed.
    fn apply(&self, y: [f64; 2], offset: [f64; 2]) -> Return {
        let first = add(
            scale(mul(y, y), self.first_by_y2),
            scale(offset, self.first_by_offset),
        );
        let by_first = add(
            add(self.a, scale(mul(self.first2, first), 2.0)),
            mul(self.first_offset, offset),
        );
        let along = add(
            add(self.a, mul(self.first2, first)),
            mul(self.first_offset, offset),
        );
        let by_offset = add(
            add(self.b, mul(self.first_offset, first)),
            scale(mul(self.offset2, offset), 2.0),
        );
        let rest = add(self.b, mul(self.offset2, offset));
        Return {
            y: add(self.constant, add(mul(along, first), mul(rest, offset))),
            by_first,
            by_offset,
        }
    }

    /// dy'/dy
    fn slope(&self, at: [f64; 2], step: &Return) -> [f64; 2] {
        scale(mul(step.by_first, at), 2.0 * self.first_by_y2)
    }

    /// Tries to prove that all c within `radius` of `offset` are inside, both in units of the map's radius; `most` bounds the returns that
    /// are followed.
    #[must_use]
    pub fn prove(&self, offset: [f64; 2], radius: f64, most: u64) -> Proof {
        let far = modulus(offset);
        if far - radius > 1.0 {
            return Proof::Elsewhere;
        }
        if far + radius > 1.0 || far.is_nan() {
            return Proof::Open;
        }
        // The orbit of 0, and how it changes with offset.
        let (mut y, mut slope) = ([0.0; 2], [0.0; 2]);
        let mut done = 0;
        for stage in STAGES {
            for _ in done..stage.min(most) {
                let step = self.apply(y, offset);
                let along = add(
                    mul(self.slope(y, &step), slope),
                    scale(step.by_first, self.first_by_offset),
                );
                (y, slope) = (step.y, add(along, step.by_offset));
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
            for length in self.lengths(y, offset).into_iter().flatten() {
                if let Some(cycle) = self.cycle(y, offset, length) {
                    if self.is_trapped(&cycle, offset, radius) {
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
    fn lengths(&self, y: [f64; 2], offset: [f64; 2]) -> [Option<usize>; CANDIDATES] {
        let mut found = [None; CANDIDATES];
        let mut count = 0;
        let mut nearest = 2.0 * REACH;
        let mut next = y;
        for length in 1..=LONGEST_CYCLE {
            next = self.apply(next, offset).y;
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
    fn cycle(&self, y: [f64; 2], offset: [f64; 2], length: usize) -> Option<Cycle> {
        let mut start = y;
        let mut nearest = (f64::INFINITY, y);
        let mut multiplier = f64::INFINITY;
        for _ in 0..NEWTON {
            let (mut at, mut slope) = (start, [1.0, 0.0]);
            nearest = (f64::INFINITY, start);
            for _ in 0..length {
                let distance = sum_norm(at);
                if distance < nearest.0 {
                    nearest = (distance, at);
                }
                let step = self.apply(at, offset);
                slope = mul(self.slope(at, &step), slope);
                at = step.y;
            }
            multiplier = modulus(slope);
            let step = quotient(sub(at, start), sub([1.0, 0.0], slope));
            let moved = sum_norm(step);
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

    /// Whether some disc around the cycle's first point is led into itself by all c within `radius` of `offset`.
    fn is_trapped(&self, cycle: &Cycle, offset: [f64; 2], radius: f64) -> bool {
        // f^(kM) is about y_0 + e (y² - y_0²) near its point nearest to 0.
        let mut growth = 1.0;
        let mut at = cycle.start;
        for i in 0..cycle.length {
            let step = self.apply(at, offset);
            growth *= if i == 0 {
                modulus(step.by_first) * self.first_by_y2
            } else {
                modulus(self.slope(at, &step))
            };
            at = step.y;
        }
        let best = (1.0 - cycle.multiplier) / (2.0 * growth);
        [1.0, 0.5, 0.25, 0.125]
            .iter()
            .any(|by| self.is_led_into_itself(cycle, (best * by).min(1.0), offset, radius))
    }

    fn is_led_into_itself(&self, cycle: &Cycle, disc: f64, offset: [f64; 2], radius: f64) -> bool {
        let (mut at, mut r) = (cycle.start, disc);
        let edge = self.first_by_offset * (modulus(offset) + radius);
        for _ in 0..cycle.length {
            let far = modulus(at) + r;
            let first = self.first_by_y2 * far * far + edge;
            if first >= 1.0 || first.is_nan() {
                return false;
            }
            let step = self.apply(at, offset);
            let spread = self.first_by_y2 * (far + modulus(at)) * r + self.first_by_offset * radius;
            let (first2, first_offset, offset2) = (
                modulus(self.first2),
                modulus(self.first_offset),
                modulus(self.offset2),
            );
            let by_first = modulus(step.by_first) + 2.0 * first2 * spread + first_offset * radius;
            let by_offset = by_first * self.first_by_offset
                + modulus(step.by_offset)
                + first_offset * spread
                + 2.0 * offset2 * radius;
            r = by_first * 2.0 * self.first_by_y2 * far * r
                + by_offset * radius
                + self.lost
                + SLACK;
            at = step.y;
        }
        r + modulus(sub(at, cycle.start)) + SLACK < disc
    }
}

/// A return of one point.
struct Return {
    y: [f64; 2],
    by_first: [f64; 2],
    by_offset: [f64; 2],
}

/// A cycle of the return map that seems to attract.
struct Cycle {
    start: [f64; 2],
    length: usize,
    /// |(f^(kM))'| there.
    multiplier: f64,
}
