//! A frame made ready for kernels.

use std::sync::Arc;

use fractal::frame::FrameError;
use fractal::{Arithmetic, FloatExp, FrameSpec, Measure, ReferenceOrbit};

/// What a frame has beyond its own numbers when its pixels are computed as deltas from a reference orbit.
#[derive(Clone, Debug)]
pub struct DeepFrame {
    /// The reference orbit.
    pub orbit: Arc<ReferenceOrbit>,
    /// How far each column lies to the right of the reference point; `spec.width` of them.
    pub columns: Vec<FloatExp>,
    /// How far each row lies above the reference point; `spec.height` of them.
    pub rows: Vec<FloatExp>,
    /// Size of a pixel in the plane, the unit of the distance estimate.
    pub pixel_spacing: FloatExp,
}

impl DeepFrame {
    /// From its parts.
    #[must_use]
    pub fn new(
        orbit: Arc<ReferenceOrbit>,
        columns: Vec<FloatExp>,
        rows: Vec<FloatExp>,
        pixel_spacing: FloatExp,
    ) -> Self {
        Self {
            orbit,
            columns,
            rows,
            pixel_spacing,
        }
    }
}

/// A checked frame with the coordinates of its columns and rows as numbers; made once a job, shared by
/// all its strips, so that a strip's coordinates cannot depend on the strip.
#[derive(Clone, Debug)]
pub struct PreparedFrame {
    /// What is computed.
    pub spec: FrameSpec,
    /// Real part of each column, rounded to nearest; `spec.width` of them.
    pub columns: Vec<f64>,
    /// Imaginary part of each row, rounded to nearest; `spec.height` of them.
    pub rows: Vec<f64>,
    /// log2 of the smaller distance between neighbouring samples.
    pub spacing_log2: f64,
    /// log2 of the longer side of the view.
    pub extent_log2: f64,
    /// Size of a pixel in the plane, the unit of the distance estimate.
    pub pixel_spacing: f64,
    /// The reference orbit and the deltas, where pixels are computed so; `None` for plain iteration.
    pub deep: Option<Arc<DeepFrame>>,
    /// The one arithmetic that may compute it; whichever is exact enough when `None`.
    pub arithmetic: Option<Arithmetic>,
}

impl PreparedFrame {
    /// Checks a frame and computes its coordinates: about a third of a microsecond each.
    ///
    /// # Errors
    /// What [`FrameSpec::check`] finds.
    pub fn new(spec: FrameSpec) -> Result<Self, FrameError> {
        spec.check()?;
        let (x, y) = spec.axes();
        Ok(Self {
            columns: x.to_f64s(0..spec.width),
            rows: y.to_f64s(0..spec.height),
            spacing_log2: spec.spacing_log2(),
            extent_log2: spec.extent_log2(),
            pixel_spacing: spec.pixel_spacing(),
            spec,
            deep: None,
            arithmetic: None,
        })
    }

    /// The same for pixels that are computed as deltas from `orbit`.
    ///
    /// # Errors
    /// What [`FrameSpec::check`] finds.
    pub fn with_reference(spec: FrameSpec, orbit: Arc<ReferenceOrbit>) -> Result<Self, FrameError> {
        let mut prepared = Self::new(spec)?;
        let (columns, rows) = orbit.point.offsets(&prepared.spec);
        let log2 = prepared.spec.axes().1.spacing_log2().unwrap_or(0.0);
        let pixel_spacing = FloatExp::new(libm::exp2(log2 - log2.floor()), log2.floor() as i64);
        prepared.deep = Some(Arc::new(DeepFrame::new(
            orbit,
            columns,
            rows,
            pixel_spacing,
        )));
        Ok(prepared)
    }

    /// A smaller frame for `spec`, which has no more columns and rows than this one: the same view at some of this
    /// frame's own columns and rows, evenly chosen. A view by its centre is as wide as its sides are, so that a
    /// frame of other proportions made anew would show another part of the plane.
    #[must_use]
    pub fn thinned(&self, spec: FrameSpec) -> Self {
        fn picked<T: Copy>(all: &[T], samples: u32) -> Vec<T> {
            let index = |sample: u32| sample as usize * all.len() / samples.max(1) as usize;
            (0..samples)
                .filter_map(|sample| all.get(index(sample)).copied())
                .collect()
        }
        let (width, height) = (spec.width, spec.height);
        let deep = self.deep.as_ref().map(|deep| {
            Arc::new(DeepFrame::new(
                Arc::clone(&deep.orbit),
                picked(&deep.columns, width),
                picked(&deep.rows, height),
                deep.pixel_spacing,
            ))
        });
        Self {
            columns: picked(&self.columns, width),
            rows: picked(&self.rows, height),
            spec,
            deep,
            ..*self
        }
    }

    /// The same, to be computed in `arithmetic` and no other, where there is one.
    #[must_use]
    pub fn pinned(mut self, arithmetic: Option<Arithmetic>) -> Self {
        self.arithmetic = arithmetic;
        self
    }

    /// Bytes of memory, roughly: of the coordinates, of the orbit, and of what kernels make of it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        /// Of a reference iteration, the tables made from it included.
        const ITERATION: u64 = 64;
        /// Of a column or row, the delta included.
        const SIDE: u64 = 24;
        let sides = (self.columns.len() + self.rows.len()) as u64;
        let orbit = self.deep.as_ref().map_or(0, |deep| deep.orbit.steps() + 1);
        SIDE * sides + ITERATION * orbit
    }

    /// Whether escape is decided by the frame's escape radius, and not by leaving |z| <= 2 as the
    /// stability measure alone has it.
    #[must_use]
    pub fn counts_iterations(&self) -> bool {
        [Measure::Iterations, Measure::Smooth, Measure::Distance]
            .iter()
            .any(|m| self.spec.measures.contains(*m))
    }
}
