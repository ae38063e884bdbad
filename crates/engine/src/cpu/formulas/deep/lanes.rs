//! Orbits of some pixels side by side, for formulas of one phase in doubles.
//!
//! Where a lane is beside its reference differs from lane to lane, so what is read of it does, too. To go on beside the critical
//! orbit is a choice between two numbers; blocks, ends and new pixels are rare, and looked at lane by lane.

use fractal::formula::FormulaOrbit;
use fractal::{FloatExp, Formula};

use super::delta::norm;
use super::pixel::{is_beyond, is_within};
use super::real::Real;
use super::references::{Beside, Deep};
use super::table::Table;
use super::vectors::{Deltas, LANES, Step, Vector, read, sum};
use crate::cpu::formulas::roundoff::UNIT;

/// Steps between two looks at whether it was cancelled.
const STEPS_BETWEEN_LOOKS: u32 = 1 << 12;
/// The index of no pixel.
const NONE: usize = usize::MAX;

/// The one critical orbit of a formula of one phase.
const CRITICAL: Beside = Beside::Critical(0);

/// How a pixel's orbit ended.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cpu::formulas) struct LaneEnd {
    /// Steps to its escape, 0 where it made none.
    pub(in crate::cpu::formulas) count: u64,
    /// Whether that is certain.
    pub(in crate::cpu::formulas) is_certain: bool,
    pub(in crate::cpu::formulas) z: [f64; 2],
}

/// What the orbits of a frame have in common.
pub(in crate::cpu::formulas) struct Lanes<'a> {
    pub(in crate::cpu::formulas) deep: &'a Deep,
    pub(in crate::cpu::formulas) formula: &'a Formula,
    pub(in crate::cpu::formulas) limit: u64,
    pub(in crate::cpu::formulas) escape_radius: f64,
    pub(in crate::cpu::formulas) goes_on: &'a dyn Fn() -> bool,
}

/// Where the orbits are.
struct State {
    deltas: Deltas,
    /// Offsets of the pixels from the view's centre.
    offset: [Vector; 2],
    /// Steps made, those of the reference, and where the values of its next step begin.
    n: [u64; LANES],
    step: [u64; LANES],
    at: [usize; LANES],
    /// Steps of the reference.
    steps: [u64; LANES],
    /// Which pixels they are.
    pixel: [usize; LANES],
}

/// One of the orbits that lanes are beside.
#[derive(Clone, Copy)]
struct Reference<'a> {
    /// Where its values begin.
    begin: usize,
    steps: u64,
    table: Option<&'a Table<f64>>,
}

/// The orbits that lanes are beside: that of the view's centre, and the critical one; the same where they are.
struct References<'a> {
    values: &'a [[f64; 2]],
    taps: usize,
    first: Reference<'a>,
    critical: Reference<'a>,
    /// No block is good for the square of a modulus from this on.
    too_far2: f64,
}

impl<'a> References<'a> {
    fn of(deep: &'a Deep) -> Self {
        let (values, begin) = deep.joined();
        let (one, other) = (deep.orbit(Beside::First), deep.orbit(CRITICAL));
        let reference = |orbit: &FormulaOrbit, beside, begin| Reference {
            begin,
            steps: orbit.steps as u64,
            table: deep.table(beside),
        };
        let first = reference(one, Beside::First, 0);
        let critical = reference(other, CRITICAL, begin);
        let largest2 = |of: Reference<'_>| of.table.map_or(0.0, Table::largest2);
        Self {
            values,
            taps: other.taps,
            first,
            critical,
            too_far2: largest2(first).larger(largest2(critical)),
        }
    }

    /// That whose values are at a place.
    fn at(&self, place: usize) -> Reference<'a> {
        if place < self.critical.begin {
            self.first
        } else {
            self.critical
        }
    }
}

impl State {
    fn new() -> Self {
        Self {
            deltas: Deltas::new(),
            offset: [[0.0; LANES]; 2],
            n: [0; LANES],
            step: [0; LANES],
            at: [0; LANES],
            steps: [0; LANES],
            pixel: [NONE; LANES],
        }
    }

    /// The value of a lane: that of its reference, and the two together.
    #[inline(always)]
    fn whole(&self, i: usize) -> [[f64; 2]; 2] {
        let (big, z) = (&self.deltas.big, &self.deltas.z);
        let ([a, b], [x, y]) = ([big[0][i], big[1][i]], [z[0][i], z[1][i]]);
        [[a, b], [a + x, b + y]]
    }

    /// Begins beside a reference.
    fn move_to(&mut self, i: usize, reference: Reference<'_>, values: &[[f64; 2]]) {
        (self.step[i], self.at[i], self.steps[i]) = (0, reference.begin, reference.steps);
        self.read(i, values);
    }

    /// The value of a lane's reference.
    fn read(&mut self, i: usize, values: &[[f64; 2]]) {
        let [x, y] = values[self.at[i]];
        (self.deltas.big[0][i], self.deltas.big[1][i]) = (x, y);
    }
}

impl Lanes<'_> {
    /// Computes the ends of the pixels with these offsets from the view's centre; `false` if cancelled. `E`: with bounds of their
    /// errors.
    #[inline(always)]
    pub(in crate::cpu::formulas) fn run<const E: bool>(
        &self,
        offsets: &[[FloatExp; 2]],
        ends: &mut [LaneEnd],
    ) -> bool {
        let deep = self.deep;
        let references = References::of(deep);
        let References {
            values,
            taps,
            critical,
            too_far2,
            ..
        } = references;
        let c_error = deep.c_error.to_f64();
        let step_error = deep.step_error.to_f64().max(f64::MIN_POSITIVE);
        let radius2 = self.escape_radius * self.escape_radius;
        let (near2, quarter) = (radius2 / 4.0, self.escape_radius / 4.0);
        let mut state = State::new();
        let start = values[critical.begin];
        let mut step = Step::<E> {
            // The first taps what is there.
            instructions: &self.formula.phase(0).instructions()[1..],
            values,
            is_parameter: deep.is_parameter,
            c_error,
            rotations: &deep.rotations,
            kept: [Deltas::new(); 2],
        };
        let (mut next, mut looks) = (0, 0u32);
        // What has to be looked at: which lanes have no pixel at first, or are where a block may begin.
        let (mut is_idle, mut may_jump) = (true, [0u64; LANES]);
        loop {
            if is_idle {
                for (i, may) in may_jump.iter_mut().enumerate() {
                    if state.pixel[i] != NONE {
                        continue;
                    }
                    let pixel = if next < offsets.len() { next } else { NONE };
                    self.begin(&mut state, i, offsets.get(pixel), &references);
                    (state.pixel[i], *may) = (pixel, 0);
                    next = (next + 1).min(offsets.len());
                }
                if state.pixel == [NONE; LANES] {
                    return true;
                }
                is_idle = false;
            }
            looks += 1;
            if looks.is_multiple_of(STEPS_BETWEEN_LOOKS) && !(self.goes_on)() {
                return false;
            }
            if may_jump.iter().fold(0, |all, one| all | one) != 0 {
                for (i, may) in may_jump.into_iter().enumerate() {
                    if may != 0 && state.pixel[i] != NONE {
                        while self.jump::<E>(&references, &mut state, i) {
                            if let Some(end) = self.end::<E>(&state, i) {
                                ends[state.pixel[i]] = end;
                                (state.pixel[i], is_idle) = (NONE, true);
                                break;
                            }
                            self.rebase::<E>(&references, &mut state, i);
                        }
                    }
                }
                if is_idle {
                    continue;
                }
            }
            step.apply(&mut state.deltas, &state.at, &state.offset);
            for i in 0..LANES {
                state.n[i] += 1;
                state.step[i] += 1;
                state.at[i] += taps;
                if E {
                    state.deltas.error[i] += step_error;
                }
            }
            let big = read(values, &state.at, 0);
            let (before, mut whole) = (state.deltas.error, [[0.0; LANES]; 2]);
            let (mut due, mut jumps) = ([0u64; LANES], [0u64; LANES]);
            for i in 0..LANES {
                let (x, y) = (state.deltas.z[0][i], state.deltas.z[1][i]);
                let (whole_x, whole_y) = (big[0][i] + x, big[1][i] + y);
                (whole[0][i], whole[1][i]) = (whole_x, whole_y);
                let (size2, norm2) = (whole_x * whole_x + whole_y * whole_y, x * x + y * y);
                let stays = if E {
                    (size2 <= near2) & (state.deltas.error[i] < quarter)
                } else {
                    size2 <= radius2
                };
                due[i] = u64::from(!stays | (state.n[i] >= self.limit));
                let is_nearer = (size2 < norm2) | (state.step[i] >= state.steps[i]);
                if E {
                    let sizes = sum(big[0][i], big[1][i]) + whole_x.abs() + whole_y.abs();
                    let more = state.deltas.error[i] + sizes * (2.0 * UNIT);
                    state.deltas.error[i] = if is_nearer {
                        more
                    } else {
                        state.deltas.error[i]
                    };
                }
                state.deltas.z[0][i] = if is_nearer { whole_x } else { x };
                state.deltas.z[1][i] = if is_nearer { whole_y } else { y };
                state.deltas.big[0][i] = if is_nearer { start[0] } else { big[0][i] };
                state.deltas.big[1][i] = if is_nearer { start[1] } else { big[1][i] };
                state.step[i] = if is_nearer { 0 } else { state.step[i] };
                state.at[i] = if is_nearer {
                    critical.begin
                } else {
                    state.at[i]
                };
                state.steps[i] = if is_nearer {
                    critical.steps
                } else {
                    state.steps[i]
                };
                let norm2 = if is_nearer { size2 } else { norm2 };
                jumps[i] = u64::from((norm2 < too_far2) & (state.step[i] & 1 != 0));
            }
            may_jump = jumps;
            if due.iter().fold(0, |all, one| all | one) != 0 {
                for i in 0..LANES {
                    if due[i] == 0 {
                        continue;
                    }
                    let z = [whole[0][i], whole[1][i]];
                    if let Some(end) = self.end_at::<E>(z, before[i], state.n[i]) {
                        if state.pixel[i] != NONE {
                            ends[state.pixel[i]] = end;
                        }
                        (state.pixel[i], is_idle) = (NONE, true);
                    }
                }
            }
        }
    }

    /// Puts a pixel into a lane; nothing, beside the reference itself, where there is none.
    fn begin(
        &self,
        state: &mut State,
        i: usize,
        offset: Option<&[FloatExp; 2]>,
        references: &References<'_>,
    ) {
        let offset = offset.copied().unwrap_or([FloatExp::ZERO; 2]);
        let is_parameter = self.deep.is_parameter;
        // A Julia set's offset is that of z.
        let z = if is_parameter {
            [FloatExp::ZERO; 2]
        } else {
            offset
        };
        let error = norm(z) * FloatExp::from_f64(2.0 * UNIT);
        state.deltas.error[i] = error.to_f64().max(f64::MIN_POSITIVE);
        for row in 0..2 {
            state.deltas.z[row][i] = z[row].to_f64();
            state.offset[row][i] = offset[row].to_f64();
        }
        state.n[i] = 0;
        state.move_to(i, references.first, references.values);
    }

    /// Takes a lane over the longest block that begins where it is; `false` where none does.
    #[inline(always)]
    fn jump<const E: bool>(
        &self,
        references: &References<'_>,
        state: &mut State,
        i: usize,
    ) -> bool {
        let z = state.deltas.z.map(|v| v[i]);
        let norm2 = z[0] * z[0] + z[1] * z[1];
        let step = state.step[i] as usize;
        let left = self.limit - state.n[i];
        let table = references.at(state.at[i]).table;
        let Some((block, steps)) = table.and_then(|table| table.find(step, norm2, left)) else {
            return false;
        };
        let (next, error) = block.lead::<E>(z, state.deltas.error[i], state.offset.map(|v| v[i]));
        (
            state.deltas.z[0][i],
            state.deltas.z[1][i],
            state.deltas.error[i],
        ) = (next[0], next[1], error);
        state.n[i] += steps;
        state.step[i] += steps;
        state.at[i] += steps as usize * references.taps;
        state.read(i, references.values);
        true
    }

    /// How a lane has ended, if it has.
    #[inline(always)]
    fn end<const E: bool>(&self, state: &State, i: usize) -> Option<LaneEnd> {
        let [_, whole] = state.whole(i);
        self.end_at::<E>(whole, state.deltas.error[i], state.n[i])
    }

    /// How an orbit has ended that is here after `n` steps, if it has.
    #[inline(always)]
    fn end_at<const E: bool>(&self, [x, y]: [f64; 2], error: f64, n: u64) -> Option<LaneEnd> {
        let radius = self.escape_radius;
        let (size2, radius2) = (x * x + y * y, radius * radius);
        if size2 > radius2 {
            return Some(LaneEnd {
                count: n,
                is_certain: !E || is_beyond(size2, error, radius),
                z: [x, y],
            });
        }
        // NaN, of values that have left their range, is not certain either.
        let is_lost = size2.is_nan()
            || E && (error >= radius / 4.0 || !error.is_finite())
            || E && size2 > radius2 / 4.0 && !is_within(size2, error, radius);
        (is_lost || n >= self.limit).then(|| LaneEnd {
            is_certain: !is_lost,
            ..LaneEnd::default()
        })
    }

    /// Has a lane go on beside the critical orbit where it is nearer to that.
    #[inline(always)]
    fn rebase<const E: bool>(&self, references: &References<'_>, state: &mut State, i: usize) {
        let [big, whole] = state.whole(i);
        let [x, y] = state.deltas.z.map(|v| v[i]);
        let is_nearer = whole[0] * whole[0] + whole[1] * whole[1] < x * x + y * y;
        if is_nearer || state.step[i] >= state.steps[i] {
            if E {
                let sizes = sum(big[0], big[1]) + whole[0].abs() + whole[1].abs();
                state.deltas.error[i] += sizes * (2.0 * UNIT);
            }
            (state.deltas.z[0][i], state.deltas.z[1][i]) = (whole[0], whole[1]);
            state.move_to(i, references.critical, references.values);
        }
    }
}
