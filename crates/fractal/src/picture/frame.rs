//! The complete mathematical description of one picture.

use serde::{Deserialize, Serialize};

use crate::Decimal;
use crate::formula::Formula;
use crate::picture::arithmetic::Arithmetic;
use crate::picture::counts::{Counts, SettledError};
use crate::picture::measure::{Measure, MeasureSet};
use crate::plane::axis::Axis;
use crate::plane::transform::{Shape, Transform, TransformError, TurnedAxes};
use crate::plane::view::{Grid, View, ViewError};

/// Largest side of a picture in samples.
pub const MAX_SIDE: u32 = 1 << 17;
/// Largest iteration limit: doubles tell all counts up to it apart.
pub const MAX_ITERATIONS: u64 = 1 << 53;
/// Largest iteration limit whose counts travel as 32 bits; one value is kept free.
pub const MAX_SHORT_ITERATIONS: u64 = u32::MAX as u64 - 1;
/// Largest escape radius: its fourth power, which |z|² may reach, must stay within `f32` on a GPU.
pub const MAX_ESCAPE_RADIUS: f64 = 1e9;
/// Largest start value, in either part, for the same reason.
pub const MAX_START: f64 = 1e9;

/// log2 of the relative error that one skipped step of a deep view may have, unless a frame says otherwise.
pub const SKIP_ERROR_LOG2: i32 = -40;
/// The values that it may have: from one bit less than doubles have to what is enough for a quick look.
pub const SKIP_ERRORS_LOG2: std::ops::RangeInclusive<i32> = -52..=-8;

/// log2 of how many of the smaller distances between samples the longer side of a deep view may have. A picture of square
/// pixels has [`MAX_SIDE`] at most; with this many, doubles still hold the c of a delta to 2^-29 of a pixel.
const OBLONG_LOG2: f64 = 24.0;

/// Everything that decides the values of a picture, and nothing else: complete, no defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameSpec {
    /// Where in the plane.
    pub view: View,
    /// How that is turned and stretched about its centre.
    #[serde(default, skip_serializing_if = "Transform::is_default")]
    pub transform: Transform,
    /// How samples are laid out.
    pub grid: Grid,
    /// Columns, 1 to [`MAX_SIDE`].
    pub width: u32,
    /// Rows, 1 to [`MAX_SIDE`].
    pub height: u32,
    /// Iteration limit N, 1 to [`MAX_ITERATIONS`].
    pub iterations: u64,
    /// Escape radius R, over 0 and at most [`MAX_ESCAPE_RADIUS`].
    pub escape_radius: f64,
    /// Start value z₀ as (real part, imaginary part); not of a Julia set, of which it is the point of the plane.
    pub z0: (f64, f64),
    /// What is iterated.
    #[serde(default, skip_serializing_if = "Formula::is_mandelbrot")]
    pub formula: Formula,
    /// The c of a Julia set, real and imaginary part: points of the plane are values of z₀ then, and of c otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub julia: Option<[Decimal; 2]>,
    /// log2 of the relative error that one skipped step of a deep view may have, within [`SKIP_ERRORS_LOG2`].
    #[serde(default = "skip_error_log2")]
    pub skip_error_log2: i32,
    /// How counts are made.
    #[serde(default, skip_serializing_if = "Counts::is_fast")]
    pub counts: Counts,
    /// What each pixel carries; not empty.
    pub measures: MeasureSet,
}

fn skip_error_log2() -> i32 {
    SKIP_ERROR_LOG2
}

/// What processors alone compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessorsAlone {
    /// A deep view of another formula than z² + c, of a Julia set, or from a z₀ beyond 0.
    DeepFormulas,
    /// A formula of more operations than adapters compile soon, or of a higher degree than their numbers hold.
    LargeFormulas,
    /// Counts that are certain.
    SettledCounts,
    /// Counts beyond 32 bits.
    LongCounts,
    /// Where orbits end, and not only how far out.
    Angles,
    /// Distances in a stretched view: they depend on where orbits end.
    StretchedDistances,
}

/// Why a [`FrameSpec`] describes no picture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// A side is 0 or over [`MAX_SIDE`].
    #[error(
        "a picture of {width} x {height} samples is not within 1 x 1 and {MAX_SIDE} x {MAX_SIDE}"
    )]
    Size {
        /// Columns asked for.
        width: u32,
        /// Rows asked for.
        height: u32,
    },
    /// The view has no extent.
    #[error(transparent)]
    View(#[from] ViewError),
    /// Its [`Transform`] is not within its limits.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// The iteration limit is 0 or over [`MAX_ITERATIONS`].
    #[error("an iteration limit of {0} is not within 1 and {MAX_ITERATIONS}")]
    Iterations(u64),
    /// Counts of 32 bits are asked for where they need 64, or both kinds.
    #[error("iteration counts up to {0} are wanted in 32 bits, or in 32 and in 64")]
    Counts(u64),
    /// The escape radius is not in its range.
    #[error("escape radius {0:?} is not over 0 and at most {MAX_ESCAPE_RADIUS:e}")]
    EscapeRadius(f64),
    /// The start value is not in its range.
    #[error("start value {0:?} {1:?} is not within {MAX_START:e} in both parts")]
    Start(f64, f64),
    /// The c of a Julia set is not in its range.
    #[error("the c of a Julia set is not within {MAX_START:e} in both parts")]
    Julia,
    /// The plane is that of z₀, and z₀ is given, too.
    #[error("the points of a Julia set are its start values: there is no other")]
    JuliaStart,
    /// Values beyond the escape radius would leave the range of doubles.
    #[error(
        "an escape radius of {radius:e} is too large for a formula of degree {degree}: 2 * {degree} powers of it must stay below 1e300"
    )]
    Degree {
        /// That of the formula.
        degree: u32,
        /// The radius asked for.
        radius: f64,
    },
    /// The error of skipped steps is not in its range.
    #[error(
        "an error of 2^{0} in a skipped step is not within 2^{start} and 2^{end}",
        start = SKIP_ERRORS_LOG2.start(),
        end = SKIP_ERRORS_LOG2.end()
    )]
    SkipError(i32),
    /// One side is so much longer than the distance of samples along the other that doubles cannot hold both.
    #[error(
        "pixels are too far from square: the view is 2^{0} times as long as the smaller distance between its samples, \
         and deltas tell 2^{OBLONG_LOG2} of them apart; give both sides of the view the proportions of the picture"
    )]
    Oblong(i64),
    /// Its counts cannot be settled.
    #[error(transparent)]
    Settled(#[from] SettledError),
    /// No measure is asked for.
    #[error("a picture without measures carries nothing")]
    NoMeasure,
}

impl FrameSpec {
    /// Checks every limit; whatever takes a frame from outside calls this before it allocates.
    ///
    /// # Errors
    /// The first limit that the frame exceeds.
    pub fn check(&self) -> Result<(), FrameError> {
        let side = 1..=MAX_SIDE;
        if !side.contains(&self.width) || !side.contains(&self.height) {
            return Err(FrameError::Size {
                width: self.width,
                height: self.height,
            });
        }
        self.view.check_order()?;
        self.transform.check()?;
        if !(1..=MAX_ITERATIONS).contains(&self.iterations) {
            return Err(FrameError::Iterations(self.iterations));
        }
        if !(self.escape_radius > 0.0 && self.escape_radius <= MAX_ESCAPE_RADIUS) {
            return Err(FrameError::EscapeRadius(self.escape_radius));
        }
        let (re, im) = self.z0;
        if !(re.abs() <= MAX_START && im.abs() <= MAX_START) {
            return Err(FrameError::Start(re, im));
        }
        self.check_formula()?;
        if !SKIP_ERRORS_LOG2.contains(&self.skip_error_log2) {
            return Err(FrameError::SkipError(self.skip_error_log2));
        }
        let (short, long) = (Measure::Iterations, Measure::LongIterations);
        if self.measures.contains(short)
            && (self.iterations > MAX_SHORT_ITERATIONS || self.measures.contains(long))
        {
            return Err(FrameError::Counts(self.iterations));
        }
        if self.measures.is_empty() {
            return Err(FrameError::NoMeasure);
        }
        self.counts.check(self.measures)?;
        self.check_proportions()
    }

    /// Whether doubles can hold the longer side of a view in units of the smaller distance between samples; deltas need
    /// that.
    fn check_proportions(&self) -> Result<(), FrameError> {
        let spacing = self.spacing_log2();
        if spacing >= Arithmetic::F64.drawable_spacing_log2() {
            return Ok(());
        }
        let samples = self.extent_log2() - spacing;
        if samples > OBLONG_LOG2 {
            return Err(FrameError::Oblong(samples.ceil() as i64));
        }
        Ok(())
    }

    /// The coordinates of a turned view's samples; `None` where it is upright: then [`FrameSpec::axes`] are enough.
    #[must_use]
    pub fn turned_axes(&self) -> Option<TurnedAxes> {
        let turned = !self.transform.is_identity();
        turned.then(|| TurnedAxes::new(&self.transform, &self.axes(), &self.view.middle()))
    }

    /// How the samples of a turned view are arranged; `None` where it is upright.
    #[must_use]
    pub fn shape(&self) -> Option<Shape> {
        if self.transform.is_identity() {
            return None;
        }
        Some(Shape::new(&self.transform, self.steps()))
    }

    /// log2 of the distances of columns and of rows before the view is turned; `None` of a single one where its grid has
    /// none for it. A single sample that has neither stands for its whole view.
    fn steps(&self) -> [Option<f64>; 2] {
        let of = |grid| {
            let (x, y) = self.view.axes(grid, self.width, self.height);
            [x.spacing_log2(), y.spacing_log2()]
        };
        match of(self.grid) {
            [None, None] => of(Grid::Pixels),
            steps => steps,
        }
    }

    /// The coordinates of the columns (real parts) and the rows (imaginary parts) before the view is turned.
    #[must_use]
    pub fn axes(&self) -> (Axis, Axis) {
        self.view.axes(self.grid, self.width, self.height)
    }

    /// The measure that carries `measure` in this frame: long iteration counts where 32 bits are too few for them.
    #[must_use]
    pub fn carrier(&self, measure: Measure) -> Measure {
        match measure {
            Measure::Iterations if self.short_limit().is_none() => Measure::LongIterations,
            other => other,
        }
    }

    /// The iteration limit for kernels whose counts have 32 bits; `None` where it needs more.
    #[must_use]
    pub fn short_limit(&self) -> Option<u32> {
        u32::try_from(self.iterations)
            .ok()
            .filter(|limit| u64::from(*limit) <= MAX_SHORT_ITERATIONS)
    }

    /// log2 of the smaller distance between neighbouring samples: what an arithmetic must tell apart.
    #[must_use]
    pub fn spacing_log2(&self) -> f64 {
        if let Some(shape) = self.shape() {
            return shape.finest_log2;
        }
        let steps = self.steps().into_iter().flatten();
        steps.fold(f64::INFINITY, f64::min)
    }

    /// log2 of the longer side of the view in the plane: what decides which arithmetic is exact enough;
    /// minus infinity for a single sample of a turned view, which has no side.
    #[must_use]
    pub fn extent_log2(&self) -> f64 {
        if let Some(shape) = self.shape() {
            // By the finer side of its pixels where it is stretched: that is what has to be told apart.
            let longer = match self.width.max(self.height) {
                1 => return f64::NEG_INFINITY,
                longer => f64::from(longer),
            };
            return shape.finest_log2 + libm::log2(longer);
        }
        let sides = self.steps().into_iter().zip([self.width, self.height]);
        sides
            .filter_map(|(step, len)| Some(step? + libm::log2(f64::from(len))))
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// The smaller distance between neighbouring samples: the size of a pixel in the plane (that of the view for a single
    /// sample of a linspace grid, which has none).
    #[must_use]
    pub fn pixel_spacing(&self) -> f64 {
        libm::exp2(self.pixel_spacing_log2())
    }

    /// log2 of [`FrameSpec::pixel_spacing`].
    #[must_use]
    pub fn pixel_spacing_log2(&self) -> f64 {
        self.spacing_log2()
    }

    /// Number of pixels.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> FrameSpec {
        FrameSpec {
            view: View::Bounds {
                xmin: "-2".parse().unwrap(),
                xmax: "0.5".parse().unwrap(),
                ymin: "-1.5".parse().unwrap(),
                ymax: "1.5".parse().unwrap(),
            },
            transform: Transform::default(),
            grid: Grid::Pixels,
            width: 10,
            height: 12,
            iterations: 100,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: crate::Formula::default(),
            julia: None,
            skip_error_log2: crate::SKIP_ERROR_LOG2,
            counts: crate::Counts::Fast,
            measures: MeasureSet::default().with(Measure::Smooth),
        }
    }

    #[test]
    fn survives_json_bit_for_bit() {
        let mut spec = frame();
        spec.escape_radius = 0.1 + 0.2;
        spec.z0 = (1.0 / 3.0, -0.0);
        let text = serde_json::to_string(&spec).unwrap();
        let back: FrameSpec = serde_json::from_str(&text).unwrap();
        assert_eq!(back, spec);
        assert_eq!(back.escape_radius.to_bits(), spec.escape_radius.to_bits());
        assert!(
            serde_json::from_str::<FrameSpec>(&text.replacen("\"grid\"", "\"gird\"", 1)).is_err()
        );
    }

    #[test]
    fn refuses_what_is_over_a_limit() {
        let refused = |change: fn(&mut FrameSpec)| {
            let mut spec = frame();
            change(&mut spec);
            spec.check().unwrap_err()
        };
        assert_eq!(frame().check(), Ok(()));
        assert!(matches!(refused(|s| s.width = 0), FrameError::Size { .. }));
        assert!(matches!(
            refused(|s| s.height = MAX_SIDE + 1),
            FrameError::Size { .. }
        ));
        assert!(matches!(
            refused(|s| s.iterations = 0),
            FrameError::Iterations(0)
        ));
        assert!(matches!(
            refused(|s| s.iterations = MAX_ITERATIONS + 1),
            FrameError::Iterations(_)
        ));
        assert!(matches!(
            refused(|s| s.escape_radius = f64::NAN),
            FrameError::EscapeRadius(_)
        ));
        assert!(matches!(
            refused(|s| s.escape_radius = 0.0),
            FrameError::EscapeRadius(_)
        ));
        assert!(matches!(
            refused(|s| s.z0.1 = f64::INFINITY),
            FrameError::Start(..)
        ));
        assert!(matches!(
            refused(|s| s.measures = MeasureSet::default()),
            FrameError::NoMeasure
        ));
        let bounds = refused(|s| {
            let View::Bounds { ymax, .. } = &mut s.view else {
                unreachable!()
            };
            *ymax = "-1.5".parse().unwrap();
        });
        assert_eq!(
            bounds.to_string(),
            "bounds out of order: ymin -1.5 is not below ymax -1.5"
        );
        let zoom = refused(|s| {
            let zero = || "0".parse().unwrap();
            s.view = View::Centre {
                re: zero(),
                im: zero(),
                zoom: zero(),
            };
        });
        assert_eq!(zoom, FrameError::View(ViewError::Zoom("0".into())));
    }

    #[test]
    fn an_upright_frame_says_nothing_of_turning() {
        let text = serde_json::to_string(&frame()).unwrap();
        assert!(!text.contains("transform"), "{text}");
        let mut turned = frame();
        turned.transform.rotate = 30.1;
        let text = serde_json::to_string(&turned).unwrap();
        let back: FrameSpec = serde_json::from_str(&text).unwrap();
        assert_eq!(back, turned);
        turned.transform.stretch = -1001.0;
        assert_eq!(
            turned.check().unwrap_err().to_string(),
            "a view's stretch of -1001.0 is not within 1000 hundredths of an octave"
        );
        turned.transform.rotate = 2e6;
        assert_eq!(
            turned.check().unwrap_err().to_string(),
            "a view's rotation of 2000000.0 degrees is not within a million"
        );
    }

    #[test]
    fn a_turned_view_is_the_upright_one_seen_from_the_side() {
        let mut turned = frame();
        (turned.width, turned.height) = (9, 7);
        turned.view = View::Centre {
            re: "-0.75".parse().unwrap(),
            im: "0.1".parse().unwrap(),
            zoom: "8".parse().unwrap(),
        };
        let (bits, upright) = (200, turned.clone());
        turned.transform.rotate = 90.0;
        let axes = turned.turned_axes().unwrap();
        let (x, y) = upright.axes();
        // A step to the right leads upwards in the plane, one downwards to the right.
        let near = |a: dashu_int::IBig, b: dashu_int::IBig| {
            let apart = a - b;
            (dashu_int::IBig::from(-2)..=dashu_int::IBig::from(2)).contains(&apart)
        };
        let centre = |part: usize| {
            let (numerator, denominator) = turned.view.middle()[part].clone();
            crate::numbers::fraction::floor(numerator << bits, &dashu_int::IBig::from(denominator))
        };
        for (col, row) in [(0, 0), (8, 0), (3, 6), (4, 3)] {
            let [re, im] = axes.fixed_point(col, row, bits);
            let right = x.fixed_point(col, bits) - centre(0);
            let up = y.fixed_point(row, bits) - centre(1);
            assert!(near(re, centre(0) - up), "{col} {row}");
            assert!(near(im, centre(1) + right), "{col} {row}");
        }
        let [re, im] = axes.fixed_point(4, 3, bits);
        assert_eq!([re, im], [centre(0), centre(1)], "the centre itself");
        assert!((turned.spacing_log2() - upright.spacing_log2()).abs() < 1e-12);
    }

    #[test]
    fn a_single_sample_stands_for_its_view() {
        let mut single = frame();
        (single.width, single.height) = (1, 1);
        let pixels = (single.spacing_log2(), single.extent_log2());
        single.grid = Grid::Linspace;
        assert_eq!((single.spacing_log2(), single.extent_log2()), pixels);
        assert!((single.pixel_spacing() - 2.5).abs() < 1e-12);
        single.transform.rotate = 30.0;
        assert!((single.pixel_spacing() - 2.5).abs() < 1.0);
    }

    #[test]
    fn spacing_is_that_of_the_grid() {
        assert!((frame().spacing_log2() - (-2.0)).abs() < 1e-9);
        assert!((frame().extent_log2() - 3f64.log2()).abs() < 1e-9);
        assert!((frame().pixel_spacing() - 0.25).abs() < 1e-12);
    }
}
