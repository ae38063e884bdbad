//! Samples as fractions, without any rounding: for orbits that meet the escape radius exactly.

use dashu_int::ops::{Gcd, UnsignedAbs};
use dashu_int::{IBig, UBig};

use crate::picture::frame::FrameSpec;
use crate::plane::axis::Axis;

/// A double as a fraction.
fn fraction_of(value: f64) -> (IBig, UBig) {
    let (mantissa, exponent) = libm::frexp(value);
    let whole = IBig::from((mantissa * 2f64.powi(53)) as i64);
    let shift = exponent - 53;
    let amount = shift.unsigned_abs() as usize;
    if shift >= 0 {
        (whole << amount, UBig::ONE)
    } else {
        (whole, UBig::ONE << amount)
    }
}

/// Whether (x² + y²) / parts² > (radius of its own parts)².
fn exceeds(x: &IBig, y: &IBig, parts: &UBig, radius: &(IBig, UBig)) -> bool {
    let own = IBig::from(&radius.1 * &radius.1) * (x * x + y * y);
    own > &radius.0 * &radius.0 * IBig::from(parts * parts)
}

/// Whether the sample of a column and a row lies farther from 0 than `radius`.
#[must_use]
pub fn is_beyond(axes: &(Axis, Axis), col: u32, row: u32, radius: f64) -> bool {
    let ((x, x_parts), (y, y_parts)) = (axes.0.fraction(col), axes.1.fraction(row));
    let (x, y) = (
        x * IBig::from(y_parts.clone()),
        y * IBig::from(x_parts.clone()),
    );
    exceeds(&x, &y, &(x_parts * y_parts), &fraction_of(radius))
}

/// The iteration count of a pixel of an upright view, 0 when it does not escape within the limit. Each step doubles the
/// digits, so this is for limits of about a dozen.
#[must_use]
pub fn iteration_count(frame: &FrameSpec, col: u32, row: u32) -> u64 {
    let (columns, rows) = frame.axes();
    let ((re, re_parts), (im, im_parts)) = (columns.fraction(col), rows.fraction(row));
    let (start_re, start_im) = (fraction_of(frame.z0.0), fraction_of(frame.z0.1));
    let radius = fraction_of(frame.escape_radius);
    // All four over one denominator, in lowest terms.
    let parts = re_parts * im_parts * &start_re.1 * &start_im.1;
    let over = |part: &IBig, own: &UBig| part * IBig::from(&parts / own);
    let mut all = [
        over(&re, re_parts),
        over(&im, im_parts),
        over(&start_re.0, &start_re.1),
        over(&start_im.0, &start_im.1),
    ];
    let common = all.iter().fold(parts.clone(), |common, part| {
        common.gcd(part.clone().unsigned_abs())
    });
    for part in &mut all {
        *part = &*part / IBig::from(common.clone());
    }
    let [cx, cy, mut x, mut y] = all;
    let unit = parts / common;
    let mut parts = unit.clone();
    for n in 1..=frame.iterations {
        let square = &parts * &parts;
        let share = IBig::from(&square / &unit);
        (x, y) = (
            &x * &x - &y * &y + &cx * &share,
            (&x * &y) * IBig::from(2) + &cy * &share,
        );
        parts = square;
        if exceeds(&x, &y, &parts, &radius) {
            return n;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::measure::{Measure, MeasureSet};
    use crate::plane::view::{Grid, View};

    fn point(re: &str, im: &str, escape_radius: f64, z0: (f64, f64)) -> FrameSpec {
        FrameSpec {
            view: View::Centre {
                re: re.parse().unwrap(),
                im: im.parse().unwrap(),
                zoom: "1e30".parse().unwrap(),
            },
            transform: crate::Transform::default(),
            grid: Grid::Pixels,
            width: 1,
            height: 1,
            iterations: 9,
            escape_radius,
            z0,
            formula: crate::Formula::default(),
            julia: None,
            skip_error_log2: crate::SKIP_ERROR_LOG2,
            counts: crate::Counts::Fast,
            measures: MeasureSet::default().with(Measure::Iterations),
        }
    }

    #[test]
    fn knows_points_that_can_be_counted_by_hand() {
        let count = |re, im, radius, z0| iteration_count(&point(re, im, radius, z0), 0, 0);
        // 1, 2, 5, 26, 677; -2, 2, 2, ...
        assert_eq!(count("1", "0", 256.0, (0.0, 0.0)), 5);
        assert_eq!(count("1", "0", 5.0, (0.0, 0.0)), 4);
        assert_eq!(count("-2", "0", 2.0, (0.0, 0.0)), 0);
        assert_eq!(count("-2", "1e-40", 2.0, (0.0, 0.0)), 1);
        assert_eq!(count("0.25", "0", 0.5, (0.5, 0.0)), 0);
        assert_eq!(count("0.6", "0.8", 1.0, (0.0, 0.0)), 2);
        assert_eq!(count("0.6", "0.8", 1.0, (0.0, 0.5)), 2);
    }

    #[test]
    fn agrees_with_fixed_point_where_nothing_is_met() {
        for (re, im) in [("-0.75", "0.3"), ("0.4", "-0.5"), ("-2.5", "1.25")] {
            let frame = point(re, im, 3.7, (0.0, 0.0));
            let known = crate::oracle::iteration_count(&frame, 0, 0);
            assert_eq!(iteration_count(&frame, 0, 0), known, "{re} {im}");
        }
    }

    #[test]
    fn a_point_on_a_circle_is_not_beyond_it() {
        let beyond = |re: &str, im: &str, radius| {
            is_beyond(&point(re, im, 1.0, (0.0, 0.0)).axes(), 0, 0, radius)
        };
        assert!(!beyond("0.6", "0.8", 1.0) && !beyond("-1.2", "1.6", 2.0));
        assert!(beyond("0.6", "0.80000000000000000000000000000001", 1.0));
        assert!(!beyond("-2", "0", 2.0) && beyond("-2", "1e-99", 2.0));
    }
}
