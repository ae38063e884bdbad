//! The count of one sample for certain: its orbit in fixed point with a bound of its error, in as many bits as it takes.

use dashu_int::IBig;

use super::exact::{Fixed, folded, point, start};
use super::numbers::{Fold, Numbers};
use super::references::rounded;
use super::slope::{Jacobian, slope};
use crate::numbers::floatexp::FloatExp;
use crate::picture::frame::FrameSpec;
use crate::picture::measure::Measure;
use crate::settled::{SettledEnd, Settlement};

/// Bits of the attempts: so many times those that tell samples apart, and so many more. Orbits that pass the critical point
/// need the former, dense places the latter.
const ATTEMPTS: [(f64, usize); 5] = [(1.0, 128), (1.2, 320), (2.2, 700), (4.2, 1400), (8.2, 2800)];
/// Fewest bits that are taken to tell samples apart.
const FEWEST_DEPTH_BITS: f64 = 44.0;
/// Steps between two looks at whether it was cancelled.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 9;
/// Steps after which the orbit of a Gaussian integer has escaped or come back to where it was, for radii that are not vast.
const INTEGER_STEPS: u64 = 256;
/// Largest part of a whole number whose orbit is followed in whole numbers.
const LARGEST_WHOLE: i64 = 16;

/// A value with a bound of its error.
#[derive(Clone)]
struct Bounded {
    z: [IBig; 2],
    /// |z|, a little more.
    size: FloatExp,
    /// How far z may be from where it belongs.
    error: FloatExp,
    /// dz/dpoint, where it is wanted.
    jacobian: Option<Jacobian>,
}

/// [`Fixed`] with bounds and derivatives.
struct Bounding {
    fixed: Fixed,
    /// What an operation rounds by at most.
    unit: FloatExp,
    /// Whether the points of the plane are those of c.
    is_parameter: bool,
    cosines: Vec<[FloatExp; 2]>,
}

impl Bounding {
    fn size(&self, z: &[IBig; 2]) -> FloatExp {
        const ABOVE: f64 = 1.0 + 1.0 / (1u64 << 50) as f64;
        let [x, y] = [&z[0], &z[1]].map(|part| rounded(part, self.fixed.bits));
        (x * x + y * y).sqrt() * FloatExp::from_f64(ABOVE)
    }

    fn bounded(&self, z: [IBig; 2], error: FloatExp, jacobian: Option<Jacobian>) -> Bounded {
        Bounded {
            size: self.size(&z),
            z,
            error,
            jacobian,
        }
    }

    /// The matrix that multiplies by `z`.
    fn matrix(&self, z: &[IBig; 2]) -> Jacobian {
        let [x, y] = [&z[0], &z[1]].map(|part| rounded(part, self.fixed.bits));
        [[x, -y], [y, x]]
    }
}

fn product(a: &Jacobian, b: &Jacobian) -> Jacobian {
    let entry = |row: usize, col: usize| a[row][0] * b[0][col] + a[row][1] * b[1][col];
    [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
}

fn sum(a: Jacobian, b: Jacobian) -> Jacobian {
    [0, 1].map(|row| [0, 1].map(|col| a[row][col] + b[row][col]))
}

impl Numbers for Bounding {
    type Value = Bounded;

    /// (z + e)² - z² = (2 z + e) e
    fn square(&mut self, of: Bounded) -> Bounded {
        let two = FloatExp::from_f64(2.0);
        let jacobian = of.jacobian.map(|slope| {
            let double = self.matrix(&of.z).map(|row| row.map(|entry| two * entry));
            product(&double, &slope)
        });
        let error = (two * of.size + of.error) * of.error + self.unit;
        let z = self.fixed.square(of.z);
        self.bounded(z, error, jacobian)
    }

    fn multiply(&mut self, of: Bounded, stored: &Bounded) -> Bounded {
        let jacobian = of.jacobian.zip(stored.jacobian).map(|(own, other)| {
            let ours = product(&self.matrix(&stored.z), &own);
            sum(ours, product(&self.matrix(&of.z), &other))
        });
        let error = of.size * stored.error + (stored.size + stored.error) * of.error + self.unit;
        let z = self.fixed.multiply(of.z, &stored.z);
        self.bounded(z, error, jacobian)
    }

    /// No fold moves two points farther apart.
    fn fold(&mut self, of: Bounded, fold: Fold) -> Bounded {
        let row = usize::from(matches!(fold, Fold::AbsY | Fold::NegY));
        let turns = match fold {
            Fold::AbsX | Fold::AbsY => of.z[row] < IBig::ZERO,
            Fold::NegX | Fold::NegY => true,
        };
        let jacobian = of.jacobian.map(|mut slope| {
            if turns {
                slope[row] = slope[row].map(|entry| -entry);
            }
            slope
        });
        Bounded {
            z: folded(of.z, fold),
            jacobian,
            ..of
        }
    }

    fn rotate(&mut self, of: Bounded, index: usize) -> Bounded {
        let [cos, sin] = self.cosines[index];
        let jacobian = of
            .jacobian
            .map(|slope| product(&[[cos, -sin], [sin, cos]], &slope));
        let two = FloatExp::from_f64(2.0);
        let error = of.error + self.unit * (two * (of.size + of.error) + FloatExp::ONE);
        let z = self.fixed.rotate(of.z, index);
        self.bounded(z, error, jacobian)
    }

    fn add(&mut self, of: Bounded) -> Bounded {
        let error = of.error + self.unit;
        let jacobian = of.jacobian.map(|mut slope| {
            if self.is_parameter {
                slope[0][0] = slope[0][0] + FloatExp::ONE;
                slope[1][1] = slope[1][1] + FloatExp::ONE;
            }
            slope
        });
        let z = self.fixed.add(of.z);
        self.bounded(z, error, jacobian)
    }
}

/// The count of the sample of a column and a row for certain. `goes_on` is asked every some hundred steps.
///
/// With e = ẑ - z, where ẑ is what is computed and z the orbit of the sample's exact point, each operation's error is bounded
/// by that of what it is made of, and its own rounding. The count is certain once each |ẑ| up to it is farther from the escape
/// radius than its bound; otherwise the orbit is made again in more bits.
#[must_use]
pub fn settle(frame: &FrameSpec, col: u32, row: u32, goes_on: &dyn Fn() -> bool) -> Settlement {
    if let Some(is_inside) = known(frame, col, row) {
        if is_inside {
            return Settlement::Settled(SettledEnd::default());
        }
    }
    let depth = (-frame.spacing_log2()).max(FEWEST_DEPTH_BITS);
    let depth = if depth.is_finite() {
        depth
    } else {
        FEWEST_DEPTH_BITS
    };
    for (times, more) in ATTEMPTS {
        let bits = (depth * times) as usize + more;
        match attempt(frame, col, row, bits, goes_on) {
            Some(Settlement::Unsettled) => {}
            Some(settled) => return settled,
            None => return Settlement::Cancelled,
        }
    }
    Settlement::Unsettled
}

/// Whether a sample is known to be inside without bits: on the real axis, or as a whole number whose orbit comes back.
fn known(frame: &FrameSpec, col: u32, row: u32) -> Option<bool> {
    if !frame.transform.is_identity() || frame.julia.is_some() || frame.z0 != (0.0, 0.0) {
        return None;
    }
    let (columns, rows) = frame.axes();
    let ((re, below), (im, under)) = (columns.fraction(col), rows.fraction(row));
    let (below, under) = (IBig::from(below.clone()), IBig::from(under.clone()));
    let on_axis = im == IBig::ZERO && frame.escape_radius >= 2.0;
    if on_axis && frame.formula.is_square_on_reals() {
        let inside = IBig::from(-2) * &below <= re && IBig::from(4) * &re <= below;
        if inside {
            return Some(true);
        }
    }
    let whole = |numerator: &IBig, denominator: &IBig| {
        let value: IBig = numerator / denominator;
        let largest = IBig::from(LARGEST_WHOLE);
        let is_small = value <= largest && value >= -&largest;
        (is_small && &value * denominator == *numerator).then_some(value)
    };
    let c = [whole(&re, &below)?, whole(&im, &under)?];
    if frame.formula.rotations().next().is_some() || frame.escape_radius > 1e4 {
        return None;
    }
    // Fixed point without a fraction: no operation rounds.
    let mut fixed = Fixed::new(&frame.formula, c, 0);
    let limit = IBig::from((frame.escape_radius * frame.escape_radius).floor() as i64);
    let mut z = [IBig::ZERO, IBig::ZERO];
    let steps = frame.iterations.min(INTEGER_STEPS);
    for n in 0..steps {
        z = frame.formula.phase(n).apply(&mut fixed, z);
        if &z[0] * &z[0] + &z[1] * &z[1] > limit {
            return Some(false);
        }
    }
    // So many values within the radius cannot all be different ones unless it grows slowly; then bits tell.
    (steps == frame.iterations || comes_back(frame, &mut fixed, z)).then_some(true)
}

/// Whether the orbit of a whole number comes back to `from`, whole rounds of the phases later.
fn comes_back(frame: &FrameSpec, fixed: &mut Fixed, from: [IBig; 2]) -> bool {
    let phases = frame.formula.phases().len() as u64;
    let mut z = from.clone();
    for n in 0..INTEGER_STEPS * phases {
        z = frame.formula.phase(INTEGER_STEPS + n).apply(fixed, z);
        if (n + 1).is_multiple_of(phases) && z == from {
            return true;
        }
    }
    false
}

/// The orbit in so many bits; `Unsettled` where they are too few, `None` if cancelled.
fn attempt(
    frame: &FrameSpec,
    col: u32,
    row: u32,
    bits: usize,
    goes_on: &dyn Fn() -> bool,
) -> Option<Settlement> {
    let [z0, c] = start(frame, point(frame, col, row, bits), bits);
    let is_parameter = frame.julia.is_none();
    let fixed = Fixed::new(&frame.formula, c, bits);
    let cosines = (0..frame.formula.rotations().count()).map(|index| {
        let [cos, sin] = fixed.rotation(index);
        [rounded(cos, bits), rounded(sin, bits)]
    });
    let mut numbers = Bounding {
        cosines: cosines.collect(),
        // Two units of each part.
        unit: FloatExp::new(1.0, 2 - i64::try_from(bits).unwrap_or(i64::MAX)),
        is_parameter,
        fixed,
    };
    let measures = [Measure::Distance, Measure::Direction];
    let differs = (measures.iter()).any(|measure| frame.measures.contains(*measure));
    let jacobian = differs.then(|| {
        let own = if is_parameter {
            FloatExp::ZERO
        } else {
            FloatExp::ONE
        };
        [[own, FloatExp::ZERO], [FloatExp::ZERO, own]]
    });
    let radius = FloatExp::from_f64(frame.escape_radius);
    let mut at = numbers.bounded(z0, numbers.unit, jacobian);
    for n in 1..=frame.iterations {
        if n.is_multiple_of(STEPS_BETWEEN_LOOKS) && !goes_on() {
            return None;
        }
        at = frame.formula.phase(n - 1).apply(&mut numbers, at);
        // Its own rounding is far less.
        let error = at.error + at.size * FloatExp::new(1.0, -48);
        if at.size - error > radius {
            let z = [&at.z[0], &at.z[1]].map(|part| rounded(part, bits).to_f64());
            let slope = at.jacobian.map(|jacobian| slope(z, &jacobian));
            return Some(Settlement::Settled(SettledEnd {
                count: n,
                z,
                slope: slope.unwrap_or_default(),
            }));
        }
        if at.size + error >= radius {
            return Some(Settlement::Unsettled);
        }
    }
    Some(Settlement::Settled(SettledEnd::default()))
}
