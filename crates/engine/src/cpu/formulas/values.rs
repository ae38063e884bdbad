//! From the ends of orbits to the planes of a strip.

use fractal::smooth::{self, Smoothing};
use fractal::transform::Shape;
use fractal::{FrameSpec, Measure, Plane};

/// How a pixel's orbit ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    /// Steps to its escape, 0 where it made none.
    pub(super) count: u64,
    pub(super) z: [f64; 2],
    /// The derivative of z by the point of the plane in pixels; see [`fractal::formula::slope`].
    pub(super) slope: [f64; 2],
    /// |z_N| where it is at most 2, NaN elsewhere; only of frames that ask for stability.
    pub(super) stability: f64,
}

/// What the values of a frame are made with.
pub(super) struct Values {
    /// By the phase that leads to an orbit's end.
    smoothing: Vec<Smoothing>,
    shape: Option<Shape>,
}

impl Values {
    pub(super) fn new(frame: &FrameSpec) -> Self {
        let radius = frame.escape_radius;
        let phases = frame.formula.phases().iter();
        Self {
            smoothing: phases
                .map(|phase| Smoothing::of_degree(radius, phase.degree()))
                .collect(),
            shape: frame.shape(),
        }
    }

    fn smoothing(&self, count: u64) -> &Smoothing {
        &self.smoothing[((count - 1) % self.smoothing.len() as u64) as usize]
    }

    fn slope(&self, end: &End) -> f64 {
        match self.shape.filter(|shape| !shape.is_square) {
            Some(shape) => smooth::steepness_seen(end.z, end.slope, &shape.matrix),
            None => {
                let [x, y] = end.slope;
                let size = x.abs().max(y.abs());
                if size == 0.0 || !size.is_finite() {
                    return size;
                }
                let (x, y) = (x / size, y / size);
                (x * x + y * y).sqrt() * size
            }
        }
    }

    /// The plane of a measure.
    pub(super) fn plane(&self, measure: Measure, ends: &[End]) -> Plane {
        let norm2 = |end: &End| end.z[0] * end.z[0] + end.z[1] * end.z[1];
        let escaped = |of: &dyn Fn(&End) -> f32| -> Plane {
            let value = |end: &End| if end.count == 0 { 0.0 } else { of(end) };
            Plane::new(measure, ends.iter().map(value).collect::<Vec<f32>>())
        };
        match measure {
            Measure::Iterations => {
                Plane::new(measure, ends.iter().map(|end| end.count as u32).collect())
            }
            Measure::LongIterations => {
                Plane::new(measure, ends.iter().map(|end| end.count).collect())
            }
            Measure::Smooth => {
                escaped(&|end| (self.smoothing(end.count)).long_count(end.count as f64, norm2(end)))
            }
            Measure::Fraction => escaped(&|end| self.smoothing(end.count).fraction(norm2(end))),
            Measure::Distance => {
                escaped(&|end| smooth::distance(1, norm2(end), self.slope(end), 1.0))
            }
            Measure::Phase => escaped(&|end| smooth::turns(end.z[0], end.z[1])),
            Measure::Direction => escaped(&|end| match &self.shape {
                None => smooth::direction(end.z, end.slope),
                Some(shape) => smooth::direction_seen(end.z, end.slope, &shape.matrix),
            }),
            Measure::Stability => {
                Plane::new(measure, ends.iter().map(|end| end.stability).collect())
            }
        }
    }
}
