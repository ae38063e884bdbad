//! The fixed scenes of the benchmark, with their right answers: a wrong fast result is an error.

use fractal::{FrameSpec, Grid, Measure, MeasureSet, View};

use super::figures::BenchError;

/// One scene: a picture whose iterations are counted.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Its name in reports.
    pub name: &'static str,
    /// Bounds in the plane as decimals: xmin, xmax, ymin, ymax.
    bounds: [&'static str; 4],
    /// Sum over all pixels of the count, or of the limit where there is none, by a plain loop in f64.
    pub total: u64,
}

/// Side of a scene in samples, and its iteration limit and escape radius.
const SIDE: u32 = 1024;
const LIMIT: u64 = 2000;
const RADIUS: f64 = 256.0;

/// All scenes.
pub const SCENES: [Scene; 2] = [
    // Long runs of pixels inside, and of cheap ones outside.
    Scene {
        name: "whole",
        bounds: ["-2", "0.5", "-1.25", "1.25"],
        total: 515_231_410,
    },
    // A square of width 2e-4 about -0.743643887037151 + 0.131825904205330i: neighbouring pixels escape at
    // different times.
    Scene {
        name: "seahorse",
        bounds: [
            "-0.743743887037151",
            "-0.743543887037151",
            "0.131725904205330",
            "0.131925904205330",
        ],
        total: 149_236_769,
    },
];

impl Scene {
    fn spec(&self) -> Result<FrameSpec, fractal::decimal::DecimalError> {
        let [xmin, xmax, ymin, ymax] = self.bounds;
        Ok(FrameSpec {
            view: View::Bounds {
                xmin: xmin.parse()?,
                xmax: xmax.parse()?,
                ymin: ymin.parse()?,
                ymax: ymax.parse()?,
            },
            transform: fractal::Transform::default(),
            grid: Grid::Pixels,
            width: SIDE,
            height: SIDE,
            iterations: LIMIT,
            escape_radius: RADIUS,
            z0: (0.0, 0.0),
            formula: fractal::Formula::default(),
            julia: None,
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: fractal::Counts::Fast,
            measures: MeasureSet::default().with(Measure::Iterations),
        })
    }

    /// The frame to compute, shortcuts off.
    ///
    /// # Errors
    /// None: the bounds are constants, and a test parses them.
    pub fn frame(&self) -> Result<FrameSpec, BenchError> {
        self.spec().map_err(|error| BenchError::Scene {
            scene: self.name,
            reason: error.to_string(),
        })
    }

    /// Holds a kernel's total against the right one; it may be off by the share `tolerance` of it, 0 for
    /// kernels whose arithmetic is f64 by the same operations.
    ///
    /// # Errors
    /// [`BenchError::WrongTotal`].
    pub fn check_total(&self, kernel: &str, total: u128, tolerance: f64) -> Result<(), BenchError> {
        if total.abs_diff(u128::from(self.total)) as f64 <= tolerance * self.total as f64 {
            Ok(())
        } else {
            Err(BenchError::WrongTotal {
                kernel: kernel.to_owned(),
                scene: self.name,
                total,
                expected: self.total,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PreparedFrame;

    /// The sum by the plain loop.
    fn total(spec: FrameSpec) -> u64 {
        let frame = PreparedFrame::new(spec).unwrap();
        let count = |cx: f64, cy: f64| {
            let (mut x, mut y) = (0.0f64, 0.0f64);
            for n in 1..=LIMIT {
                (x, y) = (x.mul_add(x, (-y).mul_add(y, cx)), (x + x).mul_add(y, cy));
                if x.mul_add(x, y * y) > RADIUS * RADIUS {
                    return n;
                }
            }
            LIMIT
        };
        frame
            .rows
            .iter()
            .map(|&cy| frame.columns.iter().map(|&cx| count(cx, cy)).sum::<u64>())
            .sum()
    }

    #[test]
    #[ignore = "a minute: a part of tests/long/run"]
    fn long_totals_are_those_of_the_plain_loop() {
        for scene in SCENES {
            assert_eq!(total(scene.frame().unwrap()), scene.total, "{}", scene.name);
        }
    }

    #[test]
    fn a_wrong_total_is_an_error() {
        let scene = SCENES[0];
        assert!(scene.check_total("k", u128::from(scene.total), 0.0).is_ok());
        assert!(
            scene
                .check_total("k", u128::from(scene.total) + 1, 0.0)
                .is_err()
        );
        assert!(
            scene
                .check_total("k", u128::from(scene.total) + 1, 1e-6)
                .is_ok()
        );
        assert!(
            scene
                .check_total("k", u128::from(scene.total) / 2, 0.01)
                .is_err()
        );
    }
}
