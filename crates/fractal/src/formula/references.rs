//! Reference orbits of any formula.

use dashu_int::{IBig, Sign};

use super::exact::{Fixed, start};
use super::numbers::{Fold, Numbers};
use crate::numbers::floatexp::{ComplexExp, FloatExp};
use crate::picture::frame::FrameSpec;
use crate::reference::ReferencePoint;

/// Steps between two looks at whether anybody still waits.
const STEPS_BETWEEN_LOOKS: usize = 1 << 10;

/// The reference orbits of a view: of its centre, and of the critical point 0 by each phase of the formula. A pixel's orbit
/// starts beside the first; where it comes nearer to 0 than its delta is long, it goes on beside one of the others.
///
/// Each is an orbit but for errors of [`FormulaOrbits::step_error`] in each step, whatever is added up over its length: deltas
/// from it are off by those alone.
#[derive(Clone, Debug)]
pub struct FormulaOrbits {
    /// The point of the plane that the view's deltas are from.
    pub point: ReferencePoint,
    /// Of the view's centre; `None` where that is the critical orbit of the first phase.
    pub first: Option<FormulaOrbit>,
    /// The critical orbits, by the phase that they begin with.
    pub critical: Vec<FormulaOrbit>,
    /// Fractional bits of their integers.
    pub bits: usize,
    /// log2 of what a step may be off by in units of the last of them.
    guard: i64,
}

/// log2 of the units that a step of the formula may be off by: each operation rounds by a few, and those that follow multiply
/// that by d |z|^(d-1) at most.
fn guard_bits(frame: &FrameSpec) -> usize {
    /// For the operations of a step, by eight units each.
    const OPERATIONS_LOG2: f64 = 9.0;
    let degree = f64::from(frame.formula.degree());
    let size = libm::log2(frame.escape_radius.max(2.0));
    (degree * size + libm::log2(degree) + OPERATIONS_LOG2).ceil() as usize
}

impl FormulaOrbits {
    /// Where orbits of pixels start.
    #[must_use]
    pub fn first(&self) -> &FormulaOrbit {
        self.first.as_ref().unwrap_or(&self.critical[0])
    }

    /// A bound of what a step is off by, of z and of each tapped value before it.
    #[must_use]
    pub fn step_error(&self) -> FloatExp {
        FloatExp::new(
            1.0,
            self.guard - i64::try_from(self.bits).unwrap_or(i64::MAX),
        )
    }
}

/// One reference orbit.
#[derive(Clone, Debug)]
pub struct FormulaOrbit {
    /// The phase of its first step.
    pub phase: usize,
    /// Values of each step: as many as the phase with most taps has.
    pub taps: usize,
    /// Z as it was tapped before and in each step, in doubles; after the last step one value.
    pub values: Vec<[f64; 2]>,
    /// Those with a part that is too small for a double, in full, by their place in `values`.
    tiny: Vec<(usize, ComplexExp)>,
    /// Its steps.
    pub steps: usize,
}

/// log2 of the parts of values below which they are kept in full; well within the range of doubles.
const TINY_LOG2: i64 = -900;

impl FormulaOrbit {
    /// The value at a place of `values` with all its exponent.
    #[must_use]
    pub fn wide(&self, place: usize) -> ComplexExp {
        let [x, y] = self.values[place];
        if (x == 0.0 || y == 0.0)
            && let Ok(at) = self.tiny.binary_search_by_key(&place, |(place, _)| *place)
        {
            return self.tiny[at].1;
        }
        ComplexExp::from_f64(x, y)
    }

    /// Where the values of step `step` begin.
    #[must_use]
    #[inline(always)]
    pub fn place(&self, step: usize) -> usize {
        step * self.taps
    }
}

/// Why there are no reference orbits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrbitsError {
    /// Nobody waits for them any more.
    #[error("cancelled")]
    Cancelled,
    /// They do not fit.
    #[error("the reference orbits have more than {0} values")]
    TooLong(usize),
}

/// A number of so many fractional bits in doubles, with an exponent of its own; off by less than a unit in the last place.
pub(in crate::formula) fn rounded(value: &IBig, bits: usize) -> FloatExp {
    let (sign, words) = value.as_sign_words();
    let shift = i64::try_from(bits).unwrap_or(i64::MAX);
    let (top, low) = match words {
        [] => return FloatExp::ZERO,
        [one] => (u128::from(*one), 0),
        [.., low, high] => {
            let top = u128::from(*high) << 64 | u128::from(*low);
            (top, 64 * (words.len() as i64 - 2))
        }
    };
    let magnitude = top as f64;
    let signed = if sign == Sign::Negative {
        -magnitude
    } else {
        magnitude
    };
    FloatExp::new(signed, low - shift)
}

/// [`Fixed`], and what it taps.
struct Tapping {
    fixed: Fixed,
    tapped: Vec<ComplexExp>,
}

impl Numbers for Tapping {
    type Value = [IBig; 2];

    fn square(&mut self, z: [IBig; 2]) -> [IBig; 2] {
        self.fixed.square(z)
    }

    fn multiply(&mut self, z: [IBig; 2], stored: &[IBig; 2]) -> [IBig; 2] {
        self.fixed.multiply(z, stored)
    }

    fn fold(&mut self, z: [IBig; 2], fold: Fold) -> [IBig; 2] {
        self.fixed.fold(z, fold)
    }

    fn rotate(&mut self, z: [IBig; 2], index: usize) -> [IBig; 2] {
        self.fixed.rotate(z, index)
    }

    fn add(&mut self, z: [IBig; 2]) -> [IBig; 2] {
        self.fixed.add(z)
    }

    fn tap(&mut self, z: [IBig; 2]) -> [IBig; 2] {
        let [x, y] = &z;
        let bits = self.fixed.bits;
        self.tapped
            .push(ComplexExp::new(rounded(x, bits), rounded(y, bits)));
        z
    }
}

/// The reference orbits of a frame from `point` on, the middle of its view, of `most` values together at most. `goes_on` is
/// asked every thousand steps.
///
/// # Errors
/// When they would be longer, or `goes_on` says no.
pub fn compute(
    frame: &FrameSpec,
    point: ReferencePoint,
    most: usize,
    goes_on: &dyn Fn() -> bool,
) -> Result<FormulaOrbits, OrbitsError> {
    let own = point.bits as usize;
    // Where the plane is that of z_0, deltas that pass 0 are squared without a c that is larger: twice the digits.
    let guard = guard_bits(frame);
    let bits = guard + if frame.julia.is_some() { 2 * own } else { own };
    let shifted = [&point.re, &point.im].map(|part| part << (bits - own));
    let [z0, c] = start(frame, shifted, bits);
    let mut left = most;
    let mut orbit = |from: [IBig; 2], phase: usize| {
        let fixed = Fixed::new(&frame.formula, c.clone(), bits);
        let made = one(
            frame,
            Tapping {
                fixed,
                tapped: Vec::new(),
            },
            from,
            phase,
            left,
            goes_on,
        )?;
        match left.checked_sub(made.values.len()) {
            Some(rest) => left = rest,
            None => return Err(OrbitsError::TooLong(most)),
        }
        Ok(made)
    };
    let zero = || [IBig::ZERO, IBig::ZERO];
    let first = match z0 == zero() {
        true => None,
        false => Some(orbit(z0, 0)?),
    };
    let critical = (0..frame.formula.phases().len()).map(|phase| orbit(zero(), phase));
    let critical = critical.collect::<Result<Vec<_>, _>>()?;
    Ok(FormulaOrbits {
        point,
        first,
        critical,
        bits,
        guard: guard as i64,
    })
}

/// One orbit.
fn one(
    frame: &FrameSpec,
    mut numbers: Tapping,
    from: [IBig; 2],
    phase: usize,
    most: usize,
    goes_on: &dyn Fn() -> bool,
) -> Result<FormulaOrbit, OrbitsError> {
    let formula = &frame.formula;
    let taps = formula.phases().iter().map(|phase| phase.taps()).max();
    let taps = taps.unwrap_or(1);
    let radius2 = frame.escape_radius * frame.escape_radius;
    let mut orbit = FormulaOrbit {
        phase,
        taps,
        values: Vec::new(),
        tiny: Vec::new(),
        steps: 0,
    };
    let mut z = from;
    loop {
        if orbit.steps.is_multiple_of(STEPS_BETWEEN_LOOKS) && !goes_on() {
            return Err(OrbitsError::Cancelled);
        }
        let last = {
            let [x, y] = [&z[0], &z[1]].map(|part| rounded(part, numbers.fixed.bits).to_f64());
            orbit.steps as u64 >= frame.iterations || orbit.steps > 0 && x * x + y * y > radius2
        };
        numbers.tapped.clear();
        if last {
            z = numbers.tap(z);
        } else {
            z = formula
                .phase((phase + orbit.steps) as u64)
                .apply(&mut numbers, z);
        }
        for index in 0..if last { 1 } else { taps } {
            let value = numbers.tapped.get(index).copied().unwrap_or_default();
            let is_tiny = |part: FloatExp| !part.is_zero() && part.exponent() < TINY_LOG2;
            if is_tiny(value.re) || is_tiny(value.im) {
                orbit.tiny.push((orbit.values.len(), value));
            }
            let parts = [value.re, value.im];
            (orbit.values).push(parts.map(|part| if is_tiny(part) { 0.0 } else { part.to_f64() }));
        }
        if last {
            return Ok(orbit);
        }
        if orbit.values.len() > most {
            return Err(OrbitsError::TooLong(most));
        }
        orbit.steps += 1;
    }
}
