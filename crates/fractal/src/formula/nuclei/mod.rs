//! Minibrots of any formula: the period, the nucleus, the size, and the orientation where the formula is a power.
//!
//! As [`crate::locate`] does it for z² + c, with a real 2 x 2 matrix J = dZₙ/dc in place of a complex derivative, since folds
//! are no analytic maps:
//!
//! - The period is the first n, a multiple of the number of phases, for which the ellipse that the disc around the view is mapped
//!   to holds 0: |J⁻¹ Zₙ| < r.
//! - The nucleus is the root of Z_P(c) = 0, by Newton's method: c := c - J⁻¹ Z_P. J is in doubles with an exponent of its own,
//!   so that a step gains 50 bits at most, where it is not right at once.
//! - Near the nucleus Z_P is Λ z^d + J (c - c₀) for small z, where z^d is what the first phase makes of z before it adds c, and Λ the
//!   derivative of Z_P by that. With w = k z, |k|^(d-1) = |Λ|, that is w^d + k J (c - c₀): the minibrot is the whole set made
//!   smaller by |k J|, moduli of matrices being the roots of their determinants. For analytic formulas its angle is that of
//!   1 / (k J), one of d - 1 that look alike. (Claude Heiland-Allen, "Fraktaler-3", has the size by determinants.)

mod tangent;
#[cfg(test)]
mod tests;

use dashu_int::IBig;

use self::tangent::{Matrix, Tangent, Tangents};
use super::exact::Fixed;
use super::iterated::Formula;
use super::phase::Instruction;
use crate::locate::fixed::{decimal_of, distance, shifted, with_bits};
use crate::locate::{LocateError, Progress};
use crate::numbers::decimal::Decimal;
use crate::numbers::floatexp::{ComplexExp, FloatExp};
use crate::picture::frame::FrameSpec;
use crate::reference::ReferencePoint;
use crate::reference::codec::MAX_BITS;

/// Most steps of Newton's method for one period: each gains 50 bits near a nucleus.
const MAX_STEPS: u32 = 400;
/// Most periods that are tried: a fold inside the disc may let it seem to reach 0 again and again.
const MAX_PERIODS: u32 = 64;
/// A nucleus may be so many times the view's reach away from its centre.
const NEAR: f64 = 4.0;
/// And the way to it so many times: folds make Newton's method overshoot.
const ON_THE_WAY: f64 = 64.0;
/// log2 of the accuracy, in sizes of the minibrot, that Newton's method ends at.
const ACCURACY: f64 = -40.0;
/// Digits of a nucleus beyond those of the minibrot's size.
const MORE_DIGITS: f64 = 20.0;
/// Bits of an orbit beyond those of its point.
const GUARD_BITS: usize = 64;
/// |z| beyond which an orbit is given up.
const FAR: f64 = 1e6;
/// Steps between two looks at whether anybody still waits.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 8;

/// A minibrot of a formula, by its nucleus.
#[derive(Clone, Debug, PartialEq)]
pub struct FormulaNucleus {
    /// Real part, to 20 digits beyond the size.
    pub re: Decimal,
    /// Imaginary part.
    pub im: Decimal,
    /// Its period.
    pub period: u64,
    /// The factor that shrinks the whole set to it.
    pub size: FloatExp,
    /// The angle, in radians, by which it is turned; `None` where it is no turned copy: of formulas with folds or turns.
    pub angle: Option<f64>,
    /// A view that it fills: real part of the centre, imaginary part, zoom.
    pub view: (Decimal, Decimal, Decimal),
}

/// By what power of z the first phase begins, before it adds c for the first time; `None` where 0 is no critical point of it.
#[must_use]
pub fn order(formula: &Formula) -> Option<u32> {
    let phase = formula.phase(0).instructions();
    let first = phase.iter().position(|one| *one == Instruction::Add)?;
    let mut order = 1u32;
    let mut kept = [1u32; 2];
    for instruction in &phase[..first] {
        match *instruction {
            Instruction::Square => order = order.saturating_mul(2),
            Instruction::Store(place) => kept[place] = order,
            Instruction::Multiply(place) => order = order.saturating_add(kept[place]),
            _ => {}
        }
    }
    // What was kept before c was added is near 0, and a factor of it makes the phase no power of z.
    let mut is_kept_before = [true; 2];
    for instruction in &phase[first..] {
        match *instruction {
            Instruction::Store(place) => is_kept_before[place] = false,
            Instruction::Multiply(place) if is_kept_before[place] => return None,
            _ => {}
        }
    }
    (order >= 2).then_some(order)
}

/// An orbit of a point, step by step.
struct Orbit<'a> {
    formula: &'a Formula,
    tangents: Tangents,
    value: Tangent,
    made: u64,
}

impl<'a> Orbit<'a> {
    fn new(formula: &'a Formula, point: &ReferencePoint) -> Self {
        let bits = point.bits as usize + GUARD_BITS;
        let c = [&point.re, &point.im].map(|part| part << GUARD_BITS);
        Self {
            formula,
            tangents: Tangents {
                fixed: Fixed::new(formula, c, bits),
            },
            value: Tangent::zero(),
            made: 0,
        }
    }

    /// Makes a step; the value, `None` where it is far out.
    fn step(&mut self) -> Option<ComplexExp> {
        let value = std::mem::replace(&mut self.value, Tangent::zero());
        self.value = (self.formula.phase(self.made)).apply(&mut self.tangents, value);
        self.made += 1;
        let z = self.tangents.rounded(&self.value.z);
        (z.norm2() < FloatExp::from_f64(FAR * FAR)).then_some(z)
    }

    /// How far c is from where the value would be 0, to first order.
    fn away(&self, z: ComplexExp) -> Option<ComplexExp> {
        self.value.by_c.solve(z)
    }
}

/// Finds the minibrot of lowest period whose nucleus lies in the view of `frame` or near it; periods up to the frame's iteration
/// limit. `watch` ends the search by `false`.
///
/// # Errors
/// [`LocateError`]; [`LocateError::None`] also where 0 is no critical point of the formula's first phase.
pub fn locate(
    frame: &FrameSpec,
    watch: &mut dyn FnMut(Progress) -> bool,
) -> Result<FormulaNucleus, LocateError> {
    let centre = ReferencePoint::centre_of(frame);
    let reach = centre.reach(frame);
    let none = LocateError::None(frame.iterations);
    let formula = &frame.formula;
    let Some(order) = order(formula) else {
        return Err(none);
    };
    let phases = formula.phases().len() as u64;
    let mut orbit = Orbit::new(formula, &centre);
    let mut failed = None;
    let mut tried = 0;
    for n in 1..=frame.iterations {
        if n.is_multiple_of(STEPS_BETWEEN_LOOKS) && !watch(Progress::Period(n)) {
            return Err(LocateError::Cancelled);
        }
        let Some(z) = orbit.step() else {
            break;
        };
        if !n.is_multiple_of(phases) || orbit.away(z).is_none_or(|away| away.abs() >= reach) {
            continue;
        }
        match newton(formula, order, &centre, reach, n, watch) {
            Err(LocateError::NoConvergence(_)) if tried + 1 < MAX_PERIODS => {
                failed = failed.or(Some(LocateError::NoConvergence(n)));
                tried += 1;
            }
            result => return result,
        }
    }
    Err(failed.unwrap_or(none))
}

/// What one orbit of a period tells about its point.
struct Lap {
    /// How far the nucleus is, to first order.
    away: ComplexExp,
    by_c: Matrix,
    by_first: Matrix,
    /// The first m at which Z_m is 0, for all that can be told: the period, or a part of it.
    first: u64,
}

/// Makes the steps of a period. Z_m is 0 where a point within `near` has a 0 there.
fn lap(
    formula: &Formula,
    point: &ReferencePoint,
    period: u64,
    near: FloatExp,
    step: u32,
    watch: &mut dyn FnMut(Progress) -> bool,
) -> Result<Lap, LocateError> {
    let phases = formula.phases().len() as u64;
    let far = LocateError::NoConvergence(period);
    let mut orbit = Orbit::new(formula, point);
    let mut first = period;
    for made in 1..=period {
        let progress = Progress::Newton { period, step, made };
        if made.is_multiple_of(STEPS_BETWEEN_LOOKS) && !watch(progress) {
            return Err(LocateError::Cancelled);
        }
        let z = orbit.step().ok_or(far.clone())?;
        if made == period {
            return Ok(Lap {
                away: orbit.away(z).ok_or(far)?,
                by_c: orbit.value.by_c,
                by_first: orbit.value.by_first.unwrap_or(Matrix::identity()),
                first,
            });
        }
        let is_whole = made < first && made.is_multiple_of(phases);
        if is_whole && orbit.away(z).is_some_and(|away| away.abs() < near) {
            first = made;
        }
    }
    Err(far)
}

/// The nucleus of a period next to a point.
fn newton(
    formula: &Formula,
    order: u32,
    centre: &ReferencePoint,
    reach: FloatExp,
    mut period: u64,
    watch: &mut dyn FnMut(Progress) -> bool,
) -> Result<FormulaNucleus, LocateError> {
    let far = LocateError::NoConvergence(period);
    let mut point = centre.clone();
    let mut known: Option<FloatExp> = None;
    for step in 1..=MAX_STEPS {
        let near = known.map_or(FloatExp::ZERO, |size| size * FloatExp::new(1.0, -20));
        let lap = lap(formula, &point, period, near, step, watch)?;
        if lap.first < period {
            // The nucleus of a part of the period: that is its own, and has another size.
            period = lap.first;
            known = None;
            continue;
        }
        let size = size(&lap, order).ok_or(far.clone())?;
        point.re = shifted(&point.re, -lap.away.re, point.bits);
        point.im = shifted(&point.im, -lap.away.im, point.bits);
        let original = with_bits(centre, point.bits);
        let parts = [&point.re - original.re, &point.im - original.im];
        let strayed = distance(&parts[0], &parts[1], point.bits) / reach;
        if strayed > FloatExp::from_f64(ON_THE_WAY) {
            return Err(far);
        }
        let moved = lap.away.abs().log2();
        let ahead = size.log2() + ACCURACY;
        let enough = f64::from(point.bits) > -ahead + 64.0;
        if moved < ahead && enough {
            if strayed > FloatExp::from_f64(NEAR) {
                return Err(far);
            }
            if known.is_some() {
                return nucleus(formula, order, &point, period, &lap);
            }
            known = Some(size);
        }
        // The next step is about the square of this one, or the size is reached.
        let wanted = (-2.0 * moved).min(64.0 - ahead).max(0.0) + 128.0;
        if wanted > f64::from(MAX_BITS) {
            return Err(LocateError::TooSmall(period));
        }
        point = with_bits(&point, point.bits.max(wanted as u32));
    }
    Err(far)
}

/// |k J|⁻¹
fn size(lap: &Lap, order: u32) -> Option<FloatExp> {
    let modulus_log2 = |matrix: &Matrix| 0.5 * matrix.determinant().abs().log2();
    let log2 = -modulus_log2(&lap.by_first) / f64::from(order - 1) - modulus_log2(&lap.by_c);
    let whole = log2.floor();
    log2.is_finite()
        .then(|| FloatExp::new(libm::exp2(log2 - whole), whole as i64))
}

/// The angle of 1 / (k J), where the formula is analytic.
fn angle(formula: &Formula, lap: &Lap, order: u32) -> Option<f64> {
    let is_plain =
        |one: &Instruction| !matches!(one, Instruction::Fold(_) | Instruction::Rotate(_));
    if !(formula.phases().iter()).all(|phase| phase.instructions().iter().all(is_plain)) {
        return None;
    }
    let argument = |matrix: &Matrix| {
        let factor = matrix.factor();
        // Both with one exponent.
        let exponent = factor.re.exponent().max(factor.im.exponent());
        libm::atan2(factor.im.scaled(exponent), factor.re.scaled(exponent))
    };
    let angle = -argument(&lap.by_first) / f64::from(order - 1) - argument(&lap.by_c);
    // As the angle of a number has it, from -π to π.
    let (sin, cos) = libm::sincos(angle);
    Some(libm::atan2(sin, cos))
}

/// What is known of a nucleus found.
fn nucleus(
    formula: &Formula,
    order: u32,
    point: &ReferencePoint,
    period: u64,
    lap: &Lap,
) -> Result<FormulaNucleus, LocateError> {
    /// Where in the whole set of z² + c its middle is, and how high half a picture of it, or of another one, is.
    const MIDDLE_OF_SQUARE: f64 = -0.75;
    const HALF_OF_SQUARE: f64 = 1.4;
    const HALF: f64 = 2.0;
    let small = LocateError::TooSmall(period);
    let size = size(lap, order).ok_or(small.clone())?;
    let angle = angle(formula, lap, order);
    let log10 = |value: FloatExp| value.log2() * std::f64::consts::LOG10_2;
    let digits = (MORE_DIGITS - log10(size)).max(MORE_DIGITS).ceil() as usize;
    let (offset, half) = match angle {
        Some(angle) if order == 2 => {
            let (sin, cos) = libm::sincos(angle);
            let by = size * FloatExp::from_f64(MIDDLE_OF_SQUARE);
            let part = |part: f64| by * FloatExp::from_f64(part);
            (ComplexExp::new(part(cos), part(sin)), HALF_OF_SQUARE)
        }
        _ => (ComplexExp::ZERO, HALF),
    };
    let zoom = log10(FloatExp::from_f64(2.0 / half) / size);
    let whole = zoom.floor();
    let zoom = format!("{:.3}e{whole}", libm::pow(10.0, zoom - whole));
    let part = |value: &IBig, by: FloatExp| {
        decimal_of(&shifted(value, by, point.bits), point.bits, digits)
    };
    let found = || {
        Some(FormulaNucleus {
            re: part(&point.re, FloatExp::ZERO)?,
            im: part(&point.im, FloatExp::ZERO)?,
            period,
            size,
            angle,
            view: (
                part(&point.re, offset.re)?,
                part(&point.im, offset.im)?,
                zoom.parse().ok()?,
            ),
        })
    };
    found().ok_or(small)
}
