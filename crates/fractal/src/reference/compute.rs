//! Computes a reference orbit in fixed point.

use dashu_int::IBig;

use super::orbit::{OrbitEnd, ReferenceOrbit, SMALL_LOG2};
use super::point::ReferencePoint;
use super::replay::{Waypoint, Waypoints};
use super::scaled::{Scaled, power_of_two};
use super::stepping::format::Format;
use super::stepping::stepper::{BOUND, Stepper, fraction_for, to_big_of};
use super::stepping::steppers::Steppers;
use super::taper::Taper;
use crate::numbers::floatexp::{ComplexExp, FloatExp};
use crate::picture::frame::FrameSpec;

/// Most steps between two calls of `watch`; see [`watched`].
const WATCHED: u64 = 1024;
/// Values that the first piece of an orbit has room for.
const FIRST: usize = 1 << 12;
/// Modulus below which a value is handled with an exponent of its own, and its square is not formed.
const TINY: f64 = power_of_two(-400);

/// Why there is no orbit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrbitError {
    /// `watch` cancelled it.
    #[error("cancelled")]
    Cancelled,
    /// It has more values than allowed.
    #[error("the reference orbit has more than {most} values, which need {} MiB", most * 64 / (1 << 20))]
    TooLong {
        /// How many are allowed.
        most: u64,
    },
}

/// Steps between two calls of `watch`: fewer where a step takes long.
pub(crate) fn watched(bits: u32) -> u64 {
    (WATCHED * 4096 / (u64::from(bits) + 1)).clamp(16, WATCHED)
}

/// The derivative of an orbit by C, and whether a view's image reaches 0.
pub(crate) struct Reach {
    pub(crate) slope: Scaled,
    /// Half the diagonal of the view.
    reach: FloatExp,
    /// (`reach` * 2^exponent of the slope)²; 0 where that is below the range of doubles.
    square: f64,
    /// 1 * 2^-exponent of the slope.
    one: f64,
    exponent: i64,
}

impl Reach {
    pub(crate) fn new(reach: FloatExp) -> Self {
        let mut new = Self {
            slope: Scaled::ZERO,
            reach,
            square: 0.0,
            one: 1.0,
            exponent: 0,
        };
        new.rescaled();
        new
    }

    #[cold]
    fn rescaled(&mut self) {
        if self.slope.exponent < 0 {
            // 1 is about to be added, or was: what is lost is nothing beside it.
            let by = power_of_two(self.slope.exponent.max(-1000));
            self.slope.re *= by;
            self.slope.im *= by;
            self.slope.exponent = 0;
        }
        let exponent = self.slope.exponent;
        self.exponent = exponent;
        self.one = if exponent > 1000 {
            0.0
        } else {
            power_of_two(-exponent)
        };
        let scaled =
            FloatExp::new(self.reach.mantissa(), self.reach.exponent() + exponent).to_f64();
        self.square = scaled * scaled;
    }

    /// The slope of the next value: 2 z slope + 1, z being the value before.
    #[inline(always)]
    pub(crate) fn advance(&mut self, z: [f64; 2]) {
        self.slope = self.slope.times([2.0 * z[0], 2.0 * z[1]]);
        if self.slope.exponent != self.exponent {
            self.rescaled();
        }
        self.slope.re += self.one;
    }

    /// The same where z is [`TINY`].
    #[cold]
    pub(crate) fn advance_exactly(&mut self, z: ComplexExp) {
        self.slope = self.slope * Scaled::from_exp(z) * Scaled::real(2.0) + Scaled::ONE;
        self.rescaled();
    }

    /// Whether the square of a value's modulus, above [`TINY`]'s, is less than that of the image's reach.
    #[inline(always)]
    pub(crate) fn covers(&self, norm2: f64) -> bool {
        norm2 < self.square * self.slope.norm2()
    }

    /// The same for any value.
    #[cold]
    pub(crate) fn covers_exactly(&self, z: ComplexExp) -> bool {
        let image = self.reach * self.slope.abs();
        z.norm2() < image * image
    }
}

/// A step's value.
pub(crate) struct Step {
    pub(crate) z: [f64; 2],
    /// |z|²; 0 where z is tiny.
    pub(crate) norm2: f64,
    /// z where it is tiny.
    pub(crate) tiny: Option<ComplexExp>,
}

/// A stepper with the derivative of its orbit, and as many bits as that asks for.
pub(crate) struct Walker {
    pub(crate) stepper: Box<dyn Stepper>,
    pub(crate) reach: Reach,
    steppers: Steppers,
    taper: Taper,
    last: Step,
}

impl Walker {
    pub(crate) fn new(point: &ReferencePoint, reach: FloatExp, threads: usize) -> Self {
        let mut steppers = Steppers::new(point, threads);
        let taper = Taper::new(point.bits);
        Self {
            stepper: steppers.at_zero(taper.format()),
            reach: Reach::new(reach),
            steppers,
            taper,
            last: Step {
                z: [0.0; 2],
                norm2: 0.0,
                tiny: Some(ComplexExp::ZERO),
            },
        }
    }

    /// The next value.
    #[inline(always)]
    pub(crate) fn step(&mut self) -> &Step {
        match self.last.tiny {
            None => self.reach.advance(self.last.z),
            Some(z) => self.reach.advance_exactly(z),
        }
        if let Some(format) = self.taper.change(&self.reach.slope) {
            self.change(format);
        }
        let z = self.stepper.step();
        let larger = z[0].abs().max(z[1].abs());
        self.last = if larger >= TINY {
            Step {
                z,
                norm2: z[0] * z[0] + z[1] * z[1],
                tiny: None,
            }
        } else {
            Step {
                z,
                norm2: 0.0,
                tiny: Some(self.stepper.exact()),
            }
        };
        &self.last
    }

    /// Bits of the last step.
    #[cfg(test)]
    pub(crate) fn bits(&self) -> u32 {
        self.taper.format().bits()
    }

    #[cold]
    fn change(&mut self, format: Format) {
        let mut next = self.steppers.at_zero(format);
        next.set(self.stepper.parts());
        self.stepper = next;
    }

    /// Whether the view's image around the last value reaches 0.
    #[inline(always)]
    pub(crate) fn covers(&self) -> bool {
        match self.last.tiny {
            None => self.reach.covers(self.last.norm2),
            Some(z) => self.reach.covers_exactly(z),
        }
    }
}

/// Threads that may work at one orbit: a square has two halves.
pub(crate) fn threads() -> usize {
    crate::threads::available().min(2)
}

/// Makes room for one more value, growing by an eighth: doubling would take half as much memory again.
fn push(values: &mut Vec<[f64; 2]>, value: [f64; 2]) {
    if values.len() == values.capacity() {
        values.reserve_exact((values.len() / 8).max(FIRST));
    }
    values.push(value);
}

/// Computes the orbit of `point` for a frame; `watch` is told the steps made, every thousand or so, and ends it by
/// `false`.
///
/// The orbit is the same on every machine and with any number of cores.
///
/// # Errors
/// [`OrbitError`]; `most` is the largest number of values.
pub fn compute(
    frame: &FrameSpec,
    point: ReferencePoint,
    most: u64,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<ReferenceOrbit, OrbitError> {
    compute_on(threads(), frame, point, most, watch)
}

/// [`compute`] on a number of threads.
pub(super) fn compute_on(
    threads: usize,
    frame: &FrameSpec,
    point: ReferencePoint,
    most: u64,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<ReferenceOrbit, OrbitError> {
    let radius2 = frame.escape_radius * frame.escape_radius;
    // From here on values may leave the fixed-point format.
    let outside = radius2.min(BOUND * BOUND);
    let every = watched(point.bits);
    let mut walker = Walker::new(&point, point.reach(frame), threads);
    let mut waypoints = Waypoints::new(Format::of(point.bits).limbs());
    let mut values = vec![[0.0; 2]];
    let mut small = Vec::new();
    let inside = point.within(BOUND);
    let mut end = None;
    let mut next_watch = every;
    while end.is_none() {
        let m = values.len() as u64;
        if m > frame.iterations {
            end = Some(OrbitEnd::Limit);
            break;
        }
        if m >= most {
            return Err(OrbitError::TooLong { most });
        }
        if m >= next_watch {
            next_watch = m + every;
            if !watch(m) {
                return Err(OrbitError::Cancelled);
            }
        }
        if !inside {
            break;
        }
        let step = walker.step();
        let norm2 = step.norm2;
        let mut z = step.z;
        if let Some(exact) = step.tiny {
            z = [exact.re.to_f64(), exact.im.to_f64()];
            if exact.re.log2().max(exact.im.log2()) < SMALL_LOG2 as f64 {
                small.push((m, exact));
            }
        }
        push(&mut values, z);
        if waypoints.due(z, norm2) {
            waypoints
                .list
                .push(Waypoint::here(m, walker.stepper.parts()));
        }
        if norm2 > outside {
            if norm2 > radius2 {
                end = Some(OrbitEnd::Escaped);
            }
            break;
        }
        if walker.covers() {
            end = Some(OrbitEnd::Period);
        }
    }
    let replayed = values.len() as u64 - 1;
    let end = match end {
        Some(end) => end,
        None => leave(frame, &point, &mut walker, &mut values, most)?,
    };
    Ok(ReferenceOrbit {
        point,
        values,
        small,
        end,
        waypoints: waypoints.list,
        replayed,
    })
}

/// The last steps of an orbit that leaves: any radius, any point. From [`BOUND`] to the largest escape radius they are
/// a handful.
fn leave(
    frame: &FrameSpec,
    point: &ReferencePoint,
    walker: &mut Walker,
    values: &mut Vec<[f64; 2]>,
    most: u64,
) -> Result<OrbitEnd, OrbitError> {
    let bits = fraction_for(point.bits);
    let exponent = -(bits as i64);
    let up = bits - point.bits as usize;
    let (cx, cy) = (&point.re << up, &point.im << up);
    let [mut x, mut y]: [IBig; 2] = walker.stepper.parts().map(|part| to_big_of(part, bits));
    let radius2 = FloatExp::from_f64(frame.escape_radius * frame.escape_radius);
    loop {
        let m = values.len() as u64;
        if m > frame.iterations {
            return Ok(OrbitEnd::Limit);
        }
        if m >= most {
            return Err(OrbitError::TooLong { most });
        }
        let (xx, yy, xy) = (&x * &x, &y * &y, &x * &y);
        x = ((xx - yy) >> bits) + &cx;
        y = (xy >> (bits - 1)) + &cy;
        let z = ComplexExp::new(
            FloatExp::from_big(&x, exponent),
            FloatExp::from_big(&y, exponent),
        );
        push(values, [z.re.to_f64(), z.im.to_f64()]);
        if z.norm2() > radius2 {
            return Ok(OrbitEnd::Escaped);
        }
    }
}
