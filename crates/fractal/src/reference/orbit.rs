//! The orbit computed in fixed point.

use dashu_int::IBig;

use super::{OrbitEnd, ReferenceOrbit, ReferencePoint, SMALL_LOG2};
use crate::floatexp::{ComplexExp, FloatExp};
use crate::frame::FrameSpec;

/// Steps between two calls of whoever watches.
const WATCHED: u64 = 1024;

/// Why there is no orbit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrbitError {
    /// Whoever waits for it wants it no more.
    #[error("cancelled")]
    Cancelled,
    /// It has more values than allowed.
    #[error("the reference orbit has more than {most} values, which need {} MiB", most * 64 / (1 << 20))]
    TooLong {
        /// How many are allowed.
        most: u64,
    },
}

/// Computes the orbit of `point` for a frame; `watch` is told the steps made, every thousand or so, and ends it by
/// `false`.
///
/// # Errors
/// [`OrbitError`]; `most` is the largest number of values.
pub fn compute(
    frame: &FrameSpec,
    point: ReferencePoint,
    most: u64,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<ReferenceOrbit, OrbitError> {
    let bits = point.bits as usize;
    let exponent = -i64::from(point.bits);
    // The farthest corner of the view: half its diagonal, or a little more.
    let (columns, rows) = point.offsets(frame);
    let far = |offsets: &[FloatExp]| {
        let ends = [offsets.first(), offsets.last()].into_iter().flatten();
        ends.fold(FloatExp::ZERO, |far, offset| {
            if offset.abs() > far {
                offset.abs()
            } else {
                far
            }
        })
    };
    let reach = ComplexExp::new(far(&columns), far(&rows)).abs();
    let radius2 = FloatExp::from_f64(frame.escape_radius * frame.escape_radius);
    let (mut x, mut y) = (IBig::ZERO, IBig::ZERO);
    let mut derivative = ComplexExp::ZERO;
    let mut values = vec![[0.0; 2]];
    let mut small = Vec::new();
    let two = ComplexExp::from_f64(2.0, 0.0);
    let one = ComplexExp::from_f64(1.0, 0.0);
    let mut z = ComplexExp::ZERO;
    let end = loop {
        let m = values.len() as u64;
        if m > frame.iterations {
            break OrbitEnd::Limit;
        }
        if m >= most {
            return Err(OrbitError::TooLong { most });
        }
        if m.is_multiple_of(WATCHED) && !watch(m) {
            return Err(OrbitError::Cancelled);
        }
        derivative = two * z * derivative + one;
        let (xx, yy, xy) = (&x * &x, &y * &y, &x * &y);
        x = ((xx - yy) >> bits) + &point.re;
        y = (xy >> (bits - 1)) + &point.im;
        z = ComplexExp::new(
            FloatExp::from_big(&x, exponent),
            FloatExp::from_big(&y, exponent),
        );
        let size = z.norm2();
        if z.re.log2().max(z.im.log2()) < SMALL_LOG2 as f64 {
            small.push((m, z));
        }
        values.push([z.re.to_f64(), z.im.to_f64()]);
        if size > radius2 {
            break OrbitEnd::Escaped;
        }
        if size < (reach * derivative.abs()) * (reach * derivative.abs()) {
            break OrbitEnd::Period;
        }
    };
    Ok(ReferenceOrbit {
        point,
        values,
        small,
        end,
    })
}
