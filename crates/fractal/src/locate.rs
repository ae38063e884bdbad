//! Minibrots: the period, the nucleus, the size and a view of the one in or near a view.
//!
//! - The period is the first n for which a disc around the view has an image that holds 0: |Zₙ| < r |dZₙ/dc|. That
//!   is the ball method to first order (Claude Heiland-Allen, "Finding the period of a hyperbolic component").
//! - The nucleus is the root of Z_P(c) = 0, found by Newton's method: c := c - Z_P / (dZ_P/dc), in as many bits as the
//!   last step tells.
//! - Size and orientation: the minibrot is about c + s M, M being the whole set, with s = 1 / (β λ²),
//!   λ = Π 2Zᵢ, β = 1 + Σ 1/(Π 2Zⱼ, j <= i), i from 1 to P-1 (Robert Munafo's glossary, "R2 naming system / size
//!   estimate"; Heiland-Allen, "Atom domain size estimation" and `m_size` of mandelbrot-numerics).
//! - Shape: e = -(Z_cc / 2Z_c + Z_cz / Z_z) / (Z_c Z_z) at the nucleus is near 0 for a cardioid and near 1 for a disc
//!   (Dolotin and Morozov, "On the shapes of elementary domains", equation 5.8; `m_shape` of mandelbrot-numerics).

pub(crate) mod fixed;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use dashu_int::IBig;
use dashu_int::ops::{BitTest, UnsignedAbs};

use self::fixed::{decimal_of, distance, shifted, with_bits};
use crate::numbers::decimal::Decimal;
use crate::numbers::floatexp::{ComplexExp, FloatExp};
use crate::picture::frame::FrameSpec;
use crate::reference::scaled::Scaled;
use crate::reference::{BOUND, ReferencePoint, Walker, fraction_for, threads, to_big_of, watched};

/// Most steps of Newton's method for one period: near a nucleus each doubles the digits.
pub const MAX_NEWTON_STEPS: u32 = 60;
/// Most periods that are tried: the disc of the first may reach 0 by its curvature alone.
pub const MAX_PERIODS: u32 = 8;
/// A nucleus may be so many times the view's reach away from its centre: "near".
const NEAR: f64 = 4.0;
/// log2 of the accuracy, in sizes of the minibrot, that Newton's method ends at.
const ACCURACY: f64 = -40.0;
/// Digits of a nucleus beyond those of the minibrot's size.
const MORE_DIGITS: f64 = 20.0;

/// What a component of the set looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The heart of a minibrot of its own.
    Cardioid,
    /// A disc that hangs on another component.
    Disc,
}

/// A hyperbolic component of the set, by its nucleus.
#[derive(Clone, Debug, PartialEq)]
pub struct Nucleus {
    /// Real part, to 20 digits beyond the size.
    pub re: Decimal,
    /// Imaginary part.
    pub im: Decimal,
    /// Its period.
    pub period: u64,
    /// The factor that shrinks the whole set to this minibrot; twice the radius of a disc.
    pub size: FloatExp,
    /// The angle, in radians, by which it is turned.
    pub angle: f64,
    /// Its shape.
    pub shape: Shape,
    /// A view that it fills: real part of the centre, imaginary part, zoom.
    pub view: (Decimal, Decimal, Decimal),
}

/// How far the search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Looking for the period: steps of the orbit made so far.
    Period(u64),
    /// Looking for the nucleus of a period.
    Newton {
        /// The period.
        period: u64,
        /// Which step of Newton's method, from 1.
        step: u32,
        /// Steps of its orbit made.
        made: u64,
    },
}

/// Why there is no nucleus.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// No disc around the view reaches 0 within the limit.
    #[error("no nucleus in or near the view with a period up to {0}")]
    None(u64),
    /// Newton's method leaves the view, or takes too many steps.
    #[error("Newton's method finds no nucleus of period {0} in or near the view")]
    NoConvergence(u64),
    /// The minibrot is smaller than any view can be.
    #[error("the minibrot of period {0} is too small to be shown")]
    TooSmall(u64),
    /// `watch` ended the search.
    #[error("cancelled")]
    Cancelled,
}

/// Finds the component of lowest period whose nucleus lies in the view of `frame` or near it; periods up to the
/// frame's iteration limit. `watch` ends the search by `false`.
///
/// # Errors
/// [`LocateError`]
pub fn locate(
    frame: &FrameSpec,
    watch: &mut dyn FnMut(Progress) -> bool,
) -> Result<Nucleus, LocateError> {
    let centre = ReferencePoint::centre_of(frame);
    let reach = centre.reach(frame);
    let none = LocateError::None(frame.iterations);
    if !centre.within(BOUND) {
        return Err(none);
    }
    let every = watched(centre.bits);
    let mut walker = Walker::new(&centre, reach, threads());
    let mut failed = None;
    let mut tried = 0;
    for n in 1..=frame.iterations {
        if n.is_multiple_of(every) && !watch(Progress::Period(n)) {
            return Err(LocateError::Cancelled);
        }
        if walker.step().norm2 > BOUND * BOUND {
            break;
        }
        if walker.covers() {
            match newton(&centre, reach, n, watch) {
                Err(LocateError::NoConvergence(_)) if tried + 1 < MAX_PERIODS => {
                    failed = failed.or(Some(LocateError::NoConvergence(n)));
                    tried += 1;
                }
                result => return result,
            }
        }
    }
    Err(failed.unwrap_or(none))
}

/// dZ/dc in big numbers: `(re + i im) * 2^exponent`, with so many bits and never fewer than `-bits` as exponent.
struct Slope {
    re: IBig,
    im: IBig,
    exponent: i64,
    bits: usize,
}

fn length(value: &IBig) -> i64 {
    value.clone().unsigned_abs().bit_len() as i64
}

impl Slope {
    fn new(bits: usize) -> Self {
        Self {
            re: IBig::ZERO,
            im: IBig::ZERO,
            exponent: -(bits as i64),
            bits,
        }
    }

    /// 2 z slope + 1, the parts of z having `fraction` fractional bits.
    fn advance(&mut self, x: &IBig, y: &IBig, fraction: usize) {
        let cut = fraction.saturating_sub(self.bits);
        let (x, y) = (x >> cut, y >> cut);
        // Three products for four.
        let (xx, yy) = (&x * &self.re, &y * &self.im);
        let all = (x + y) * (&self.re + &self.im);
        let re = &xx - &yy;
        let im = all - xx - yy;
        let exponent = self.exponent - (fraction - cut) as i64 + 1;
        let bits = self.bits as i64;
        let long = length(&re).max(length(&im)) - bits;
        let shift = long.max(-bits - exponent).max(0);
        (self.re, self.im) = (re >> shift as usize, im >> shift as usize);
        self.exponent = exponent + shift;
        if self.exponent <= 0 {
            self.re += IBig::ONE << self.exponent.unsigned_abs() as usize;
        }
    }
}

/// Bits of a point from which on its slope is computed on a thread of its own: a step takes microseconds by then, handing a
/// value over less than one.
const SLOPE_APART: u32 = 4000;
/// Values that may wait for that thread.
const WAITING: usize = 64;

/// The slope of an orbit whose values are handed to it one by one.
enum Slopes<'scope> {
    Here(Slope),
    Apart(SyncSender<[IBig; 2]>, ScopedJoinHandle<'scope, Slope>),
}

impl<'scope> Slopes<'scope> {
    /// For a point of so many bits whose values have `fraction` bits after the point.
    fn new<'env>(scope: &'scope Scope<'scope, 'env>, bits: u32, fraction: usize) -> Self {
        // Newton's method gains as many digits as the slope has.
        let slope = move || Slope::new(bits as usize / 2 + 64);
        if bits >= SLOPE_APART && threads() > 1 {
            let (sender, values) = sync_channel::<[IBig; 2]>(WAITING);
            let thread = std::thread::Builder::new()
                .name("slope".into())
                .spawn_scoped(scope, move || {
                    let mut slope = slope();
                    for [x, y] in values {
                        slope.advance(&x, &y, fraction);
                    }
                    slope
                });
            if let Ok(thread) = thread {
                return Self::Apart(sender, thread);
            }
        }
        Self::Here(slope())
    }

    /// Goes on from a value; whether that is possible.
    fn advance(&mut self, value: &[IBig; 2], fraction: usize) -> bool {
        match self {
            Self::Here(slope) => {
                slope.advance(&value[0], &value[1], fraction);
                true
            }
            Self::Apart(sender, _) => sender.send(value.clone()).is_ok(),
        }
    }

    fn finish(self) -> Option<Slope> {
        match self {
            Self::Here(slope) => Some(slope),
            Self::Apart(sender, thread) => {
                drop(sender);
                thread.join().ok()
            }
        }
    }
}

/// What one orbit of P steps tells about its point.
struct Lap {
    /// Z_P and dZ_P/dc.
    z: ComplexExp,
    slope: Scaled,
    /// Z_P / (dZ_P/dc), with the point's bits.
    step: (IBig, IBig),
    /// 1 / (β λ²)
    size: Scaled,
    shape: Shape,
    /// The first m at which Z_m is 0, for all that can be told: P, or a part of it.
    first: u64,
}

/// Makes P steps. `size` is that of the minibrot where it is known: Z_m is 0 where a point within a millionth of it
/// has a 0 there.
fn lap(
    point: &ReferencePoint,
    period: u64,
    size: Option<FloatExp>,
    step_of_newton: u32,
    watch: &mut dyn FnMut(Progress) -> bool,
) -> Result<Lap, LocateError> {
    std::thread::scope(|scope| lap_in(scope, point, period, size, step_of_newton, watch))
}

/// [`lap`] with room for threads.
fn lap_in<'scope>(
    scope: &'scope Scope<'scope, '_>,
    point: &ReferencePoint,
    period: u64,
    size: Option<FloatExp>,
    step_of_newton: u32,
    watch: &mut dyn FnMut(Progress) -> bool,
) -> Result<Lap, LocateError> {
    let fraction = fraction_for(point.bits);
    let every = watched(point.bits);
    let near = size.map_or(FloatExp::ZERO, |size| size * FloatExp::new(1.0, -20));
    let mut slopes = Slopes::new(scope, point.bits, fraction);
    let free = match slopes {
        Slopes::Here(_) => threads(),
        Slopes::Apart(..) => threads() - 1,
    };
    let mut walker = Walker::new(point, near, free);
    let mut exact = [IBig::ZERO, IBig::ZERO];
    let (mut lambda, mut beta) = (Scaled::ONE, Scaled::ONE);
    // Derivatives of Z_m by c and by Z₁.
    let (mut dc, mut dz) = (Scaled::ONE, Scaled::ONE);
    let (mut dcdc, mut dcdz) = (Scaled::ZERO, Scaled::ZERO);
    let two = Scaled::real(2.0);
    let mut z = ComplexExp::ZERO;
    let mut first = period;
    for m in 1..=period {
        let made = m;
        let progress = Progress::Newton {
            period,
            step: step_of_newton,
            made,
        };
        if m.is_multiple_of(every) && !watch(progress) {
            return Err(LocateError::Cancelled);
        }
        if !slopes.advance(&exact, fraction) {
            return Err(LocateError::NoConvergence(period));
        }
        let value = walker.step();
        if value.norm2 > BOUND * BOUND {
            return Err(LocateError::NoConvergence(period));
        }
        let tiny = value.tiny;
        let scaled = match tiny {
            Some(tiny) => Scaled::from_exp(tiny),
            None => Scaled {
                re: value.z[0],
                im: value.z[1],
                exponent: 0,
            },
        };
        z = tiny.unwrap_or_else(|| scaled.to_exp());
        if m < first && walker.covers() {
            first = m;
        }
        if m < period {
            let twice = two * scaled;
            dcdc = twice * dcdc + two * dc * dc;
            dcdz = twice * dcdz + two * dc * dz;
            dc = twice * dc + Scaled::ONE;
            dz = twice * dz;
            lambda = lambda * twice;
            beta = beta + lambda.inverse();
        }
        exact = walker.stepper.parts().map(|part| to_big_of(part, fraction));
    }
    let slope = slopes.finish().ok_or(LocateError::NoConvergence(period))?;
    let estimate = (dcdc * (two * dc).inverse() + dcdz * dz.inverse()) * (dc * dz).inverse();
    let estimate = Scaled::ZERO + estimate;
    // The estimate has its sign turned here: 0 or -1.
    let to = |at: f64| (estimate + Scaled::real(at)).abs();
    let shape = if to(0.0) < to(1.0) {
        Shape::Cardioid
    } else {
        Shape::Disc
    };
    Ok(Lap {
        z,
        slope: walker.reach.slope,
        step: quotient(&exact[0], &exact[1], fraction, &slope, point.bits),
        size: (beta * lambda * lambda).inverse(),
        shape,
        first,
    })
}

/// `(x + i y) / slope` with `bits` fractional bits, x and y having `fraction`.
fn quotient(x: &IBig, y: &IBig, fraction: usize, slope: &Slope, bits: u32) -> (IBig, IBig) {
    let norm = &slope.re * &slope.re + &slope.im * &slope.im;
    if norm == IBig::ZERO {
        return (IBig::ZERO, IBig::ZERO);
    }
    let shift = i64::from(bits) - fraction as i64 - slope.exponent;
    let divided = |numerator: IBig| {
        let amount = shift.unsigned_abs() as usize;
        if shift >= 0 {
            (numerator << amount) / &norm
        } else {
            (numerator >> amount) / &norm
        }
    };
    (
        divided(x * &slope.re + y * &slope.im),
        divided(y * &slope.re - x * &slope.im),
    )
}

/// The nucleus of a period next to a point.
fn newton(
    centre: &ReferencePoint,
    reach: FloatExp,
    mut period: u64,
    watch: &mut dyn FnMut(Progress) -> bool,
) -> Result<Nucleus, LocateError> {
    let far = LocateError::NoConvergence(period);
    let mut point = centre.clone();
    let mut known = None;
    for step in 1..=MAX_NEWTON_STEPS {
        let lap = lap(&point, period, known, step, watch)?;
        let size = lap.size.abs();
        if known.is_some() && lap.first < period {
            // The nucleus of a part of the period: that is its own, and has another size.
            period = lap.first;
            known = None;
            continue;
        }
        point.re -= &lap.step.0;
        point.im -= &lap.step.1;
        let original = with_bits(centre, point.bits);
        let away = distance(
            &(&point.re - original.re),
            &(&point.im - original.im),
            point.bits,
        );
        if away > reach * FloatExp::from_f64(NEAR) {
            return Err(far);
        }
        let moved = distance(&lap.step.0, &lap.step.1, point.bits);
        let ahead = size.log2() + ACCURACY;
        let accurate = lap.z.abs().log2() - lap.slope.abs().log2() < ahead;
        let enough = f64::from(point.bits) > -ahead + 64.0;
        if moved.log2() < ahead && accurate && enough {
            if known.is_some() {
                return nucleus(&point, period, &lap);
            }
            known = Some(size);
        }
        // The next step is about the square of this one, or the size is reached.
        let wanted = (-2.0 * moved.log2()).min(64.0 - ahead).max(0.0) + 128.0;
        if wanted > f64::from(crate::reference::codec::MAX_BITS) {
            return Err(LocateError::TooSmall(period));
        }
        point = with_bits(&point, point.bits.max(wanted as u32));
    }
    Err(far)
}

/// What is known of a nucleus found.
fn nucleus(point: &ReferencePoint, period: u64, lap: &Lap) -> Result<Nucleus, LocateError> {
    /// Where in the whole set, or the disc, the middle is, and how high half a picture of it is.
    const MIDDLE: [(f64, f64); 2] = [(-0.75, 1.4), (0.0, 0.75)];
    let size = lap.size.abs();
    let log10 = |value: FloatExp| value.log2() * std::f64::consts::LOG10_2;
    let digits = (MORE_DIGITS - log10(size)).max(MORE_DIGITS).ceil() as usize;
    let (middle, half) = MIDDLE[usize::from(lap.shape == Shape::Disc)];
    let offset = lap.size * Scaled::real(middle);
    let offset = offset.to_exp();
    let zoom = log10(FloatExp::from_f64(2.0 / half) / size);
    let whole = zoom.floor();
    let zoom = format!("{:.3}e{whole}", libm::pow(10.0, zoom - whole));
    let found = || {
        Some(Nucleus {
            re: decimal_of(&point.re, point.bits, digits)?,
            im: decimal_of(&point.im, point.bits, digits)?,
            period,
            size,
            angle: libm::atan2(lap.size.im, lap.size.re),
            shape: lap.shape,
            view: (
                decimal_of(
                    &shifted(&point.re, offset.re, point.bits),
                    point.bits,
                    digits,
                )?,
                decimal_of(
                    &shifted(&point.im, offset.im, point.bits),
                    point.bits,
                    digits,
                )?,
                zoom.parse().ok()?,
            ),
        })
    };
    found().ok_or(LocateError::TooSmall(period))
}

#[cfg(test)]
mod tests;
