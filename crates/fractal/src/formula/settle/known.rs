//! Samples that are known to be inside without long numbers, of which no bits might be enough.

use dashu_int::IBig;

use super::super::exact::Fixed;
use crate::picture::frame::FrameSpec;

/// Steps after which the orbit of a Gaussian integer has escaped or come back to where it was, for radii that are not vast.
const STEPS: u64 = 256;
/// Largest part of a whole number whose orbit is followed in whole numbers.
const LARGEST: i64 = 16;
/// Largest escape radius for which that is done.
const LARGEST_RADIUS: f64 = 1e4;

/// Whether a sample is inside for a reason: on the real axis, between the fixed points that repel, or as a whole number whose
/// orbit comes back.
pub(super) fn is_known_inside(frame: &FrameSpec, col: u32, row: u32) -> bool {
    if !frame.transform.is_identity() || frame.julia.is_some() || frame.z0 != (0.0, 0.0) {
        return false;
    }
    let (columns, rows) = frame.axes();
    let ((re, below), (im, under)) = (columns.fraction(col), rows.fraction(row));
    let (below, under) = (IBig::from(below.clone()), IBig::from(under.clone()));
    let on_axis = im == IBig::ZERO && frame.escape_radius >= 2.0;
    if on_axis
        && frame.formula.is_square_on_reals()
        && IBig::from(-2) * &below <= re
        && IBig::from(4) * &re <= below
    {
        return true;
    }
    let (Some(re), Some(im)) = (whole(&re, &below), whole(&im, &under)) else {
        return false;
    };
    let turns = frame.formula.rotations().next().is_some();
    !turns && frame.escape_radius <= LARGEST_RADIUS && stays(frame, [re, im])
}

/// The small whole number that a fraction is, if it is one.
fn whole(numerator: &IBig, denominator: &IBig) -> Option<IBig> {
    let value: IBig = numerator / denominator;
    let is_small = value <= IBig::from(LARGEST) && value >= IBig::from(-LARGEST);
    (is_small && &value * denominator == *numerator).then_some(value)
}

/// Whether the orbit of a whole c stays within the radius to the limit, or comes back.
fn stays(frame: &FrameSpec, c: [IBig; 2]) -> bool {
    // Fixed point without a fraction: no operation rounds.
    let mut fixed = Fixed::new(&frame.formula, c, 0);
    let limit = IBig::from((frame.escape_radius * frame.escape_radius).floor() as i64);
    let phases = frame.formula.phases().len() as u64;
    let mut z = [IBig::ZERO, IBig::ZERO];
    let mut seen = None;
    for n in 0..STEPS * (1 + phases) {
        if n >= frame.iterations {
            return true;
        }
        z = frame.formula.phase(n).apply(&mut fixed, z);
        if &z[0] * &z[0] + &z[1] * &z[1] > limit {
            return false;
        }
        if n + 1 == STEPS * phases {
            seen = Some(z.clone());
        } else if seen.as_ref() == Some(&z) && (n + 1).is_multiple_of(phases) {
            return true;
        }
    }
    false
}
