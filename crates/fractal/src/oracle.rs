//! Exact iteration counts by plain iteration in big integers: slow, simple, and what every
//! kernel on every device is tested against.
//!
//! Fixed point with `bits` fractional bits, rounding down: each step loses less than 2^(2-bits), and an
//! error at most doubles times |z| a step, so `2 log2(zoom) + 160` bits leave the counts of all but
//! astronomically rare pixels untouched by rounding.

use crate::formula;
use crate::picture::frame::FrameSpec;

/// The iteration count of pixel (`col`, `row`) of `frame`, 0 when it does not escape within the limit.
///
/// Takes time proportional to the count times the square of the bits or a little less: for tests and
/// samples, not for pictures.
#[must_use]
pub fn iteration_count(frame: &FrameSpec, col: u32, row: u32) -> u64 {
    let depth = (-frame.spacing_log2()).max(0.0);
    iteration_count_in(frame, col, row, 160 + 2 * depth as usize)
}

/// The same in so many bits: where |dz/dc| grows beyond what depth tells, those of [`iteration_count`] are too few.
#[must_use]
pub fn iteration_count_in(frame: &FrameSpec, col: u32, row: u32, bits: usize) -> u64 {
    formula::iteration_count_in(frame, col, row, bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::measure::{Measure, MeasureSet};
    use crate::plane::view::{Grid, View};

    #[test]
    fn knows_points_that_can_be_counted_by_hand() {
        // One column at c = 1: 1, 2, 5, 26, 677 -> first over 256 at n = 5. With R = 2: 1, 2, 5 -> n = 3.
        let mut frame = FrameSpec {
            view: View::Bounds {
                xmin: "0.5".parse().unwrap(),
                xmax: "1.5".parse().unwrap(),
                ymin: "-0.5".parse().unwrap(),
                ymax: "0.5".parse().unwrap(),
            },
            transform: crate::Transform::default(),
            grid: Grid::Pixels,
            width: 1,
            height: 1,
            iterations: 100,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: crate::Formula::default(),
            julia: None,
            skip_error_log2: crate::SKIP_ERROR_LOG2,
            counts: crate::Counts::Fast,
            measures: MeasureSet::default().with(Measure::Iterations),
        };
        assert_eq!(iteration_count(&frame, 0, 0), 5);
        frame.escape_radius = 2.0;
        assert_eq!(iteration_count(&frame, 0, 0), 3);
        frame.z0 = (2.0, 0.0); // 5 at once
        assert_eq!(iteration_count(&frame, 0, 0), 1);
        frame.iterations = 2;
        frame.z0 = (0.0, 0.0);
        assert_eq!(iteration_count(&frame, 0, 0), 0);
    }
}
