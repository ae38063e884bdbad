//! The iteration count of one sample for certain: its orbit in fixed point, with a bound of its error, in as many bits as it
//! takes.
//!
//! With e_n = ẑ_n - z_n, where ẑ is what is computed and z the orbit of the sample's exact point,
//! e_(n+1) = 2 ẑ_n e_n - e_n² + ρ, where ρ is the rounding of the step and of c: |e_(n+1)| <= (2 |ẑ_n| + E_n) E_n + |ρ|
//! where |e_n| <= E_n. A count is certain once each |ẑ| up to it is farther from the escape radius than E; otherwise the orbit
//! is made again with more bits, up to some 900 more than tell neighbouring samples apart.
//!
//! Beyond |z| = 4, from where no orbit of an escape radius over it returns, doubles go on, with a bound of their own.
//!
//! Some samples are known without: those of the real axis from -2 to 1/4 belong to the set, and orbits of whole numbers are
//! ones of whole numbers.

use dashu_int::IBig;

use crate::exact;
use crate::numbers::floatexp::{ComplexExp, FloatExp};
use crate::picture::frame::FrameSpec;
use crate::plane::axis::Axis;
use crate::reference::{BOUND, ReferencePoint, Stepper, fraction_bits, limb_stepper, words_of};

/// Bits of the attempts beyond those that tell samples apart.
const BITS: [u32; 4] = [110, 300, 620, 940];
/// Fewest bits that are taken to tell samples apart: plain views, too, have places where counts are dense.
const FEWEST_DEPTH_BITS: u32 = 44;
/// Limb bits that hold the integer part.
const INTEGER_BITS: u32 = 6;
/// log2 of what a bound's unit is divided by as soon as the bound exceeds [`LARGE`].
const RESCALE_LOG2: i32 = 800;
/// Far below the largest double.
const LARGE: f64 = f64::from_bits((1023 + 900) << 52);
/// No bound is told to be less.
const LEAST_ERROR: f64 = f64::from_bits((1023 - 1000) << 52);
/// Integer bits of limbs, and bits by which a step's error may exceed a unit of the last one: three squares lack up to 24
/// units of 2^6 each, and C and the result are cut off.
const SPARE_BITS: i32 = 6 + 14;
/// Steps between two looks at whether the computation was cancelled.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 12;
/// Slightly over 1: the rounding of a bound's own arithmetic.
const ABOVE: f64 = 1.0 + 1.0 / (1u64 << 40) as f64;
/// Unit roundoff of doubles.
const UNIT: f64 = f64::EPSILON / 2.0;
/// Steps after which the orbit of a Gaussian integer has escaped or come back to where it was.
const INTEGER_STEPS: u64 = 64;

/// Where an orbit ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SettledEnd {
    /// Its count; 0 at the limit.
    pub count: u64,
    /// z_n, of which no more than rounding to doubles is lost.
    pub z: [f64; 2],
    /// dz_n/dc there.
    pub slope: ComplexExp,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Settlement {
    /// A certain count.
    Settled(SettledEnd),
    /// The most bits are not enough.
    Unsettled,
    /// It was cancelled.
    Cancelled,
}

/// How an attempt ended.
enum Attempt {
    Ended(SettledEnd),
    /// The bits were too few.
    Unclear,
    Cancelled,
}

/// The orbit of one sample: where it is, and what it may be off by.
struct Walk {
    z: [f64; 2],
    /// |z|
    size: f64,
    /// dz/dc in units of 2^`slope_log2`.
    slope: [f64; 2],
    slope_log2: i32,
    /// The bound in units of 2^`unit_log2`: that of long limbs is below the range of doubles.
    scaled_error: f64,
    unit_log2: i32,
    n: u64,
}

fn modulus([x, y]: [f64; 2]) -> f64 {
    // Unfused: most builds of this have no instruction for fused ones.
    (x * x + y * y).sqrt()
}

impl Walk {
    /// Before a step: the derivative and the bound after it; `rough` bounds what the step itself adds, in units.
    fn lead(&mut self, rough: f64) {
        let ([x, y], [dx, dy]) = (self.z, self.slope);
        let one = libm::scalbn(1.0, -self.slope_log2);
        self.slope = [2.0 * (x * dx - y * dy) + one, 2.0 * (x * dy + y * dx)];
        if self.slope[0].abs().max(self.slope[1].abs()) > LARGE {
            self.slope = self.slope.map(|part| libm::scalbn(part, -RESCALE_LOG2));
            self.slope_log2 += RESCALE_LOG2;
        }
        let growth = 2.0 * self.size + self.error();
        self.scaled_error = (growth * self.scaled_error + rough) * ABOVE;
        if self.scaled_error > LARGE && self.unit_log2 < 0 {
            let by = RESCALE_LOG2.min(-self.unit_log2);
            self.scaled_error = libm::scalbn(self.scaled_error, -by);
            self.unit_log2 += by;
        }
        self.n += 1;
    }

    /// E
    fn error(&self) -> f64 {
        libm::scalbn(self.scaled_error, self.unit_log2).max(LEAST_ERROR)
    }

    /// From here on in doubles: E in units of 1, and the rounding of z added.
    fn leave_limbs(&mut self) {
        self.scaled_error = self.error() + 2.0 * UNIT * self.size;
        self.unit_log2 = 0;
    }

    /// Whether |z| > R; `None` where that is not certain.
    fn is_beyond(&self, radius: f64) -> Option<bool> {
        let error = self.error() + 4.0 * UNIT * self.size;
        if self.size + error < radius * (1.0 - 1.0 / (1u64 << 40) as f64) {
            Some(false)
        } else if self.size - error > radius * ABOVE {
            Some(true)
        } else {
            None
        }
    }

    fn end(&self) -> SettledEnd {
        SettledEnd {
            count: self.n,
            z: self.z,
            slope: ComplexExp::new(
                FloatExp::new(self.slope[0], self.slope_log2.into()),
                FloatExp::new(self.slope[1], self.slope_log2.into()),
            ),
        }
    }
}

/// The count of the sample of a column and a row for certain. `goes_on` is asked every some thousand steps.
#[must_use]
pub fn settle(frame: &FrameSpec, col: u32, row: u32, goes_on: &dyn Fn() -> bool) -> Settlement {
    if let Some(end) = integer_end(frame, col, row) {
        return Settlement::Settled(end);
    }
    if is_on_the_needle(frame, col, row) {
        return Settlement::Settled(SettledEnd::default());
    }
    let depth = (-frame.spacing_log2()).ceil();
    let depth = if depth.is_finite() { depth as u32 } else { 0 };
    for bits in BITS {
        let bits = depth.max(FEWEST_DEPTH_BITS) + bits + INTEGER_BITS;
        let limbs = bits.div_ceil(u64::BITS) as usize;
        match attempt(frame, col, row, limbs, goes_on) {
            Attempt::Ended(end) => return Settlement::Settled(end),
            Attempt::Cancelled => return Settlement::Cancelled,
            Attempt::Unclear => {}
        }
    }
    Settlement::Unsettled
}

/// How far a sample lies from `point`: real and imaginary part, each the sum of two numbers, some 2^-100 of itself exact and
/// no less than 2^-60 units of the point's last place.
#[must_use]
pub fn offset(frame: &FrameSpec, point: &ReferencePoint, col: u32, row: u32) -> [[FloatExp; 2]; 2] {
    /// Bits beyond those of the point.
    const MORE: u32 = 60;
    let bits = point.bits + MORE;
    let sample = fixed_point(frame, col, row, bits);
    let parts = sample.into_iter().zip([&point.re, &point.im]);
    let mut offset = parts.map(|(part, own)| {
        let mut rest = part - (own << MORE as usize);
        [(); 2].map(|()| {
            let near = FloatExp::from_big(&rest, -i64::from(bits));
            rest -= whole_of(near, i64::from(bits));
            near
        })
    });
    [(); 2].map(|()| offset.next().unwrap_or_default())
}

/// A number of at most 53 bits times 2^`bits`, which is a whole one.
fn whole_of(value: FloatExp, bits: i64) -> IBig {
    /// Bits of a mantissa.
    const MANTISSA: i64 = 53;
    let mantissa = IBig::from(libm::scalbn(value.mantissa(), MANTISSA as i32) as i64);
    let shift = value.exponent() + bits - MANTISSA;
    if shift >= 0 {
        mantissa << shift as usize
    } else {
        mantissa >> shift.unsigned_abs() as usize
    }
}

/// Real and imaginary part of a sample, times 2^`bits`.
#[must_use]
pub fn fixed_point(frame: &FrameSpec, col: u32, row: u32, bits: u32) -> [IBig; 2] {
    match frame.turned_axes() {
        Some(axes) => axes.fixed_point(col, row, bits as usize),
        None => {
            let (columns, rows) = frame.axes();
            [
                columns.fixed_point(col, bits as usize),
                rows.fixed_point(row, bits as usize),
            ]
        }
    }
}

/// The end of the orbit of a whole number, which is one of whole numbers: among those are points whose orbits stay on
/// cycles that repel, of which no bits are enough, and -2, whose orbit meets the escape radius.
fn integer_end(frame: &FrameSpec, col: u32, row: u32) -> Option<SettledEnd> {
    if frame.z0 != (0.0, 0.0) || !frame.transform.is_identity() {
        return None;
    }
    let (columns, rows) = frame.axes();
    let [x, y] = [columns.at(col), rows.at(row)];
    let is_whole = |axis: &Axis, index: u32, value: f64| {
        let (numerator, denominator) = axis.fraction(index);
        value.fract() == 0.0
            && value.abs() <= BOUND
            && numerator == IBig::from(value as i64) * IBig::from(denominator.clone())
    };
    if !(is_whole(&columns, col, x) && is_whole(&rows, row, y)) {
        return None;
    }
    let few = FrameSpec {
        iterations: frame.iterations.min(INTEGER_STEPS),
        ..frame.clone()
    };
    let count = exact::iteration_count(&few, col, row);
    let mut walk = Walk::start(frame);
    for _ in 0..count {
        walk.lead(0.0);
        walk.step([x, y]);
    }
    Some(SettledEnd {
        count,
        ..walk.end()
    })
}

/// Whether a sample lies on the real axis from -2 to 1/4, whose orbits stay between the fixed points that repel. Their
/// counts are dense without end beside it, so that no bits would be enough.
fn is_on_the_needle(frame: &FrameSpec, col: u32, row: u32) -> bool {
    if frame.z0 != (0.0, 0.0) || !frame.transform.is_identity() || frame.escape_radius < 2.0 {
        return false;
    }
    let (columns, rows) = frame.axes();
    if rows.fraction(row).0 != IBig::ZERO {
        return false;
    }
    let (numerator, denominator) = columns.fraction(col);
    let denominator = IBig::from(denominator.clone());
    IBig::from(-2) * &denominator <= numerator && IBig::from(4) * numerator <= denominator
}

impl Walk {
    fn start(frame: &FrameSpec) -> Self {
        let z = [frame.z0.0, frame.z0.1];
        Self {
            z,
            size: modulus(z),
            slope: [0.0; 2],
            slope_log2: 0,
            scaled_error: 0.0,
            unit_log2: 0,
            n: 0,
        }
    }

    fn go_to(&mut self, z: [f64; 2]) {
        self.z = z;
        self.size = modulus(z);
    }

    /// z := z² + c in doubles.
    fn step(&mut self, [cx, cy]: [f64; 2]) {
        let [x, y] = self.z;
        self.go_to([x.mul_add(x, (-y).mul_add(y, cx)), (x + x).mul_add(y, cy)]);
    }
}

/// Makes the orbit with so many limbs.
fn attempt(
    frame: &FrameSpec,
    col: u32,
    row: u32,
    limbs: usize,
    goes_on: &dyn Fn() -> bool,
) -> Attempt {
    let bits = 64 * limbs as u32;
    let turned = !frame.transform.is_identity();
    let [re, im] = fixed_point(frame, col, row, bits);
    let point = ReferencePoint { re, im, bits };
    let c = [&point.re, &point.im].map(|part| FloatExp::from_big(part, -i64::from(bits)).to_f64());
    let radius = frame.escape_radius;
    let mut walk = Walk::start(frame);
    // Doubles hold z0, and a c that is too large for limbs.
    let far = modulus(c) >= BOUND || walk.size >= BOUND;
    let mut stepper: Option<Box<dyn Stepper>> = (!far).then(|| {
        let mut stepper = limb_stepper(&point, limbs);
        if frame.z0 != (0.0, 0.0) {
            let [re, im] = walk.z.map(|part| {
                let (negative, mut words) = words_of(&crate::numbers::fraction::from_f64(
                    part,
                    fraction_bits(limbs),
                ));
                words.resize(limbs, 0);
                (negative, words)
            });
            stepper.set([(re.0, &re.1), (im.0, &im.1)]);
        }
        stepper
    });
    if stepper.is_some() {
        walk.unit_log2 = SPARE_BITS - bits as i32;
    }
    let mut looks = 0u64;
    while walk.n < frame.iterations {
        looks += 1;
        if looks.is_multiple_of(STEPS_BETWEEN_LOOKS) && !goes_on() {
            return Attempt::Cancelled;
        }
        if stepper.is_some() && walk.size + walk.error() >= BOUND / ABOVE {
            stepper = None;
            walk.leave_limbs();
        }
        match &mut stepper {
            Some(stepper) => {
                walk.lead(1.0);
                walk.go_to(stepper.step());
            }
            None => {
                walk.lead(UNIT * (3.0 * modulus(c) + 2.0 * walk.size * walk.size));
                walk.step(c);
            }
        }
        match walk.is_beyond(radius) {
            Some(true) => return Attempt::Ended(walk.end()),
            Some(false) => {}
            None if walk.n == 1 && frame.z0 == (0.0, 0.0) && !turned => {
                if exact::is_beyond(&frame.axes(), col, row, radius) {
                    return Attempt::Ended(walk.end());
                }
            }
            None => return Attempt::Unclear,
        }
    }
    Attempt::Ended(SettledEnd::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;
    use crate::picture::measure::{Measure, MeasureSet};
    use crate::plane::view::{Grid, View};

    fn frame(re: &str, im: &str, zoom: &str, iterations: u64) -> FrameSpec {
        FrameSpec {
            view: View::Centre {
                re: re.parse().unwrap(),
                im: im.parse().unwrap(),
                zoom: zoom.parse().unwrap(),
            },
            transform: crate::Transform::default(),
            grid: Grid::Pixels,
            width: 9,
            height: 9,
            iterations,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: crate::Formula::default(),
            julia: None,
            skip_error_log2: crate::SKIP_ERROR_LOG2,
            counts: crate::Counts::Settled,
            measures: MeasureSet::default().with(Measure::Iterations),
        }
    }

    fn count(frame: &FrameSpec, col: u32, row: u32) -> u64 {
        match settle(frame, col, row, &|| true) {
            Settlement::Settled(end) => end.count,
            other => panic!("{other:?} at {col}, {row}"),
        }
    }

    #[test]
    fn counts_are_those_of_big_integers() {
        let dense = frame("-0.743643887037151", "0.131825904205330", "1e9", 4000);
        let views = [
            frame("-0.75", "0.05", "3", 3000),
            FrameSpec {
                escape_radius: 2.0,
                ..dense.clone()
            },
            FrameSpec {
                z0: (0.25, -0.125),
                ..frame("-0.1", "0.8", "20", 500)
            },
            FrameSpec {
                escape_radius: 0.5,
                ..frame("-0.1", "0.1", "2", 300)
            },
            frame("5", "-3", "0.1", 300),
            dense,
        ];
        for view in views {
            for (col, row) in (0..9).flat_map(|col| [(col, 2), (col, 7)]) {
                let known = oracle::iteration_count(&view, col, row);
                assert_eq!(count(&view, col, row), known, "{view:?} at {col}, {row}");
            }
        }
    }

    #[test]
    fn orbits_that_meet_the_radius_or_repel_are_known_by_their_whole_numbers() {
        for (re, im, expected) in [("-2", "0", 0), ("0", "1", 0), ("0", "-1", 0), ("1", "0", 3)] {
            let mut point = frame(re, im, "1e10", 1_000_000);
            (point.width, point.height) = (1, 1);
            point.escape_radius = 2.0;
            assert_eq!(count(&point, 0, 0), expected, "{re} {im}");
        }
    }

    #[test]
    fn what_no_bits_tell_stays_open_and_a_cancelled_one_says_so() {
        // 2^-2000 beside -2: more than the longest limbs see of it, and less than the escape radius allows.
        let mut point = frame("-2", "0", "1e10", 1 << 20);
        (point.width, point.height) = (1, 1);
        let beside = |im: &str| FrameSpec {
            view: View::Centre {
                re: format!("-1.{}", "9".repeat(700)).parse().unwrap(),
                im: im.parse().unwrap(),
                zoom: "1e10".parse().unwrap(),
            },
            ..point.clone()
        };
        // On the axis it belongs to the set.
        let inside = Settlement::Settled(SettledEnd::default());
        assert_eq!(settle(&beside("0"), 0, 0, &|| true), inside);
        let aside = beside("1e-700");
        assert_eq!(settle(&aside, 0, 0, &|| true), Settlement::Unsettled);
        assert_eq!(settle(&aside, 0, 0, &|| false), Settlement::Unsettled);
        let long = frame("-1.9", "0.00001", "1e10", 1 << 20);
        let inside = frame("-0.5", "0.1", "1e10", 1 << 20);
        assert_eq!(settle(&inside, 0, 0, &|| false), Settlement::Cancelled);
        assert!(count(&long, 3, 3) > 0);
    }
}
