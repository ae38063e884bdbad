//! The orbit of one pixel: steps and blocks of deltas beside a reference orbit, and beside another one from where it passes the
//! critical point nearer than its delta is long.

use fractal::formula::{FormulaOrbit, Jacobian};
use fractal::{FloatExp, Formula};

use super::delta::{Delta, Deltas, Slope, norm};
use super::matrix::Matrix;
use super::real::Real;
use super::references::{Beside, DOUBLES_LOG2, Deep};
use super::table::Table;
use crate::cpu::formulas::roundoff::UNIT;

/// Exponents below which they no longer do.
const WIDE_LOG2: i64 = -440;
/// Steps between two looks at whether it was cancelled.
const STEPS_BETWEEN_LOOKS: u32 = 1 << 14;

/// How a pixel's orbit ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cpu::formulas) enum Outcome {
    /// Beyond the escape radius after so many steps, or 0: at the limit.
    Ended(PixelEnd),
    /// Its count is not certain.
    Unsettled,
    /// Nobody waits for it.
    Cancelled,
}

/// Where it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::cpu::formulas) struct PixelEnd {
    pub(in crate::cpu::formulas) count: u64,
    pub(in crate::cpu::formulas) z: [f64; 2],
    /// The derivative by the point of the plane.
    pub(in crate::cpu::formulas) jacobian: Jacobian,
}

/// Where an orbit is, in one kind of number.
#[derive(Clone, Copy)]
struct State<R, S> {
    z: [R; 2],
    error: R,
    slope: S,
}

/// Where it is beside its reference.
#[derive(Clone, Copy)]
struct Place {
    /// Which reference: that of the view's centre, or a critical one by its phase.
    beside: Beside,
    /// Steps made, and those of the reference.
    n: u64,
    step: usize,
}

/// Why a run of one kind of number came to its end.
enum Stop {
    Ended(PixelEnd),
    Unsettled,
    Cancelled,
    /// The other kind of number is to go on.
    Other,
}

/// Numbers of one kind: how they take up a reference's values, and how deep they go.
pub(super) trait Kind: Real {
    fn tap(orbit: &FormulaOrbit, place: usize) -> [Self; 2];
    fn table(deep: &Deep, beside: Beside) -> Option<&Table<Self>>;
    /// What is taken for what lies below its range.
    const LEAST: Self;
    /// Whether the other kind is the better one for a delta with this square of its modulus.
    fn is_past(norm2: Self) -> bool;
}

impl Kind for f64 {
    const LEAST: f64 = f64::MIN_POSITIVE;

    #[inline(always)]
    fn tap(orbit: &FormulaOrbit, place: usize) -> [f64; 2] {
        orbit.values[place]
    }
    #[inline(always)]
    fn table(deep: &Deep, beside: Beside) -> Option<&Table<f64>> {
        deep.table(beside)
    }
    #[inline(always)]
    fn is_past(norm2: f64) -> bool {
        const LEAST: f64 = f64::from_bits(((1023 + 2 * WIDE_LOG2) as u64) << 52);
        norm2 < LEAST
    }
}

impl Kind for FloatExp {
    const LEAST: FloatExp = FloatExp::ZERO;

    fn tap(orbit: &FormulaOrbit, place: usize) -> [FloatExp; 2] {
        let value = orbit.wide(place);
        [value.re, value.im]
    }
    fn table(deep: &Deep, beside: Beside) -> Option<&Table<FloatExp>> {
        deep.wide_table(beside)
    }
    fn is_past(norm2: FloatExp) -> bool {
        !norm2.is_zero() && norm2.exponent() > 2 * DOUBLES_LOG2
    }
}

/// A pixel's orbit.
pub(in crate::cpu::formulas) struct Pixel<'a> {
    pub(in crate::cpu::formulas) deep: &'a Deep,
    pub(in crate::cpu::formulas) formula: &'a Formula,
    pub(in crate::cpu::formulas) limit: u64,
    pub(in crate::cpu::formulas) escape_radius: f64,
    /// Its offset from the view's centre.
    pub(in crate::cpu::formulas) offset: [FloatExp; 2],
    pub(in crate::cpu::formulas) goes_on: &'a dyn Fn() -> bool,
}

impl Pixel<'_> {
    /// Follows it to its end. `E`: with a bound of its error; `D`: with its derivative.
    pub(in crate::cpu::formulas) fn run<const E: bool, const D: bool>(&self) -> Outcome {
        if D {
            self.run_with::<Matrix<FloatExp>, Matrix<f64>, E>()
        } else {
            self.run_with::<(), (), E>()
        }
    }

    /// The same with derivatives of two kinds of number.
    #[inline(always)]
    fn run_with<W: Slope<FloatExp>, S: Slope<f64>, const E: bool>(&self) -> Outcome {
        let (deep, zero) = (self.deep, FloatExp::ZERO);
        let mut place = Place {
            beside: Beside::First,
            n: 0,
            step: 0,
        };
        // A Julia set's offset is that of z.
        let is_parameter = deep.is_parameter;
        let z = if is_parameter { [zero; 2] } else { self.offset };
        let mut state = State {
            z,
            error: norm(z) * FloatExp::from_f64(2.0 * UNIT),
            slope: W::of(match is_parameter {
                true => Matrix::zero(),
                false => Matrix::scalar(FloatExp::ONE),
            }),
        };
        let unit = deep.unit_log2;
        let mut is_wide = deep.is_wide();
        loop {
            let stop = if is_wide {
                self.follow::<FloatExp, W, E>(&mut state, &mut place, 0)
            } else {
                let narrow = |value: FloatExp| value.to_f64();
                let mut near = State {
                    z: state.z.map(narrow),
                    // What is below their range must not be taken for nothing.
                    error: narrow(state.error).max(f64::LEAST),
                    slope: S::of((state.slope.matrix()).map(|entry| entry.shifted(unit).to_f64())),
                };
                let stop = self.follow::<f64, S, E>(&mut near, &mut place, unit);
                state = State {
                    z: near.z.map(FloatExp::from_f64),
                    error: FloatExp::from_f64(near.error),
                    slope: W::of(
                        (near.slope.matrix()).map(|entry| FloatExp::from_f64(entry).shifted(-unit)),
                    ),
                };
                stop
            };
            match stop {
                Stop::Ended(end) => return Outcome::Ended(end),
                Stop::Unsettled => return Outcome::Unsettled,
                Stop::Cancelled => return Outcome::Cancelled,
                Stop::Other => is_wide = !is_wide,
            }
        }
    }

    /// Goes on in one kind of number until the orbit ends or the other kind is the better one; derivatives, and the offsets of
    /// blocks, are in a unit of 2^`unit` of the plane.
    #[inline(always)]
    fn follow<R: Kind, S: Slope<R>, const E: bool>(
        &self,
        state: &mut State<R, S>,
        place: &mut Place,
        unit: i64,
    ) -> Stop {
        let deep = self.deep;
        let offset = self.offset.map(|part| R::narrow(part));
        let scaled = self.offset.map(|part| R::narrow(part.shifted(-unit)));
        let c = deep.is_parameter.then_some(offset);
        let c_error = R::narrow(deep.c_error);
        let step_error = R::narrow(deep.step_error).larger(R::LEAST);
        let one = R::narrow(FloatExp::new(1.0, unit));
        let radius = self.escape_radius;
        let (radius2, near2) = (radius * radius, radius * radius / 4.0);
        let quarter = R::of(radius / 4.0);
        let mut orbit = deep.orbit(place.beside);
        let mut table = R::table(deep, place.beside);
        let mut looks = 0u32;
        loop {
            looks += 1;
            if looks.is_multiple_of(STEPS_BETWEEN_LOOKS) && !(self.goes_on)() {
                return Stop::Cancelled;
            }
            let [x, y] = state.z;
            let norm2 = x * x + y * y;
            if deep.is_wide() && R::is_past(norm2) {
                return Stop::Other;
            }
            let left = self.limit - place.n;
            let found = table.and_then(|table| table.find(place.step, norm2, left));
            if let Some((block, steps)) = found {
                (state.z, state.error) = block.lead::<E>(state.z, state.error, scaled);
                state.slope = state.slope.mapped(&block.a, &block.b);
                place.n += steps;
                place.step += steps as usize;
            } else {
                let at = orbit.place(place.step);
                let mut deltas = Deltas::<R, _, S, E> {
                    slopes: std::marker::PhantomData,
                    tap: |index: usize| R::tap(orbit, at + index),
                    next: 0,
                    c,
                    c_error,
                    one,
                    rotations: &deep.rotations,
                };
                let next = self.formula.phase(place.n).apply(
                    &mut deltas,
                    Delta {
                        big: [R::ZERO; 2],
                        z: state.z,
                        error: state.error,
                        slope: state.slope,
                    },
                );
                *state = State {
                    z: next.z,
                    error: if E {
                        next.error + step_error
                    } else {
                        next.error
                    },
                    slope: next.slope,
                };
                place.n += 1;
                place.step += 1;
            }
            let big = R::tap(orbit, orbit.place(place.step));
            let whole = [big[0] + state.z[0], big[1] + state.z[1]];
            let [x, y] = whole.map(Real::to_f64);
            let size2 = x * x + y * y;
            if size2 > radius2 {
                let count = place.n;
                if E && !is_beyond(size2, state.error.to_f64(), radius) {
                    return Stop::Unsettled;
                }
                let jacobian = (state.slope.matrix())
                    .0
                    .map(|row| row.map(|entry| entry.wide().shifted(-unit)));
                return Stop::Ended(PixelEnd {
                    count,
                    z: [x, y],
                    jacobian,
                });
            }
            // NaN, of values that have left their range, is not certain either.
            if E && (state.error >= quarter || !state.error.is_finite())
                || E && size2 > near2 && !is_within(size2, state.error.to_f64(), radius)
                || size2.is_nan()
            {
                return Stop::Unsettled;
            }
            if place.n >= self.limit {
                return Stop::Ended(PixelEnd::default());
            }
            let [zx, zy] = state.z;
            let is_nearer = whole[0] * whole[0] + whole[1] * whole[1] < zx * zx + zy * zy;
            if is_nearer || place.step >= orbit.steps {
                if E {
                    let sizes = big[0].abs() + big[1].abs() + whole[0].abs() + whole[1].abs();
                    state.error = state.error + sizes * R::of(2.0 * UNIT);
                }
                state.z = whole;
                place.beside = deep.critical(place.n);
                place.step = 0;
                orbit = deep.orbit(place.beside);
                table = R::table(deep, place.beside);
            }
        }
    }
}

/// Share of the radius by which rounding may be off.
const NEAR: f64 = 1.0 / (1u64 << 40) as f64;

/// Whether z is beyond the radius for certain.
pub(super) fn is_beyond(size2: f64, error: f64, radius: f64) -> bool {
    size2.sqrt() * (1.0 - NEAR) - error > radius
}

/// Whether it is within for certain.
pub(super) fn is_within(size2: f64, error: f64, radius: f64) -> bool {
    size2.sqrt() * (1.0 + NEAR) + error < radius
}
