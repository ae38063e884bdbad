//! A frame prepared for a device: checked, with the coordinates of its columns and rows as numbers.

use std::sync::Arc;

use fractal::exact;
use fractal::frame::FrameError;
use fractal::transform::Shape;
use fractal::{Arithmetic, Axis, Counts, FloatExp, FrameSpec, Measure, ReferenceOrbit};

use super::cache::FrameCache;
use super::deep_frame::DeepFrame;
use super::general::GeneralFrame;
use super::picks::picked;
use super::turned::{Cross, TurnedPoints};

/// Bytes of a value of a reference orbit, roughly: itself, and what kernels make of it for counts of this kind.
#[must_use]
pub fn orbit_value_bytes(counts: Counts) -> u64 {
    match counts {
        Counts::Fast => 64,
        // With the low parts, with what blocks lose, and with blocks in pairs of doubles.
        Counts::Settled => 128,
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
    /// Columns and rows as fractions; `None` for turned views and for thinned frames.
    pub(crate) axes: Option<Arc<(Axis, Axis)>>,
    /// The samples of a turned view; columns and rows are those of the upright one then.
    pub(crate) turned: Option<Arc<TurnedPoints>>,
    /// How they are arranged.
    pub(crate) shape: Option<Shape>,
    /// log2 of the smaller distance between neighbouring samples.
    pub spacing_log2: f64,
    /// log2 of the longer side of the view.
    pub extent_log2: f64,
    /// Size of a pixel in the plane, the unit of the distance estimate.
    pub pixel_spacing: f64,
    /// The reference orbit and the deltas, where pixels are computed so; `None` for plain iteration.
    pub deep: Option<Arc<DeepFrame>>,
    /// The offsets of a frame of another formula, where its pixels are computed as deltas.
    pub general: Option<Arc<GeneralFrame>>,
    /// The one arithmetic that may compute it; whichever is exact enough when `None`.
    pub arithmetic: Option<Arithmetic>,
    /// What devices keep with it between strips.
    pub(crate) cache: Arc<FrameCache>,
}

impl PreparedFrame {
    /// Prepares a frame with its reference orbit, where it has one.
    ///
    /// # Errors
    /// What [`FrameSpec::check`] finds.
    pub fn of(spec: FrameSpec, orbit: Option<Arc<ReferenceOrbit>>) -> Result<Self, FrameError> {
        match orbit {
            Some(orbit) => Self::with_reference(spec, orbit),
            None => Self::new(spec),
        }
    }

    /// Checks a frame and computes its coordinates: about a third of a microsecond each.
    ///
    /// # Errors
    /// What [`FrameSpec::check`] finds.
    pub fn new(spec: FrameSpec) -> Result<Self, FrameError> {
        spec.check()?;
        let (x, y) = spec.axes();
        let is_delta = spec.is_general() && spec.general_arithmetic().is_delta();
        Ok(Self {
            general: is_delta.then(|| Arc::new(GeneralFrame::new(&spec))),
            columns: x.to_f64s(0..spec.width),
            rows: y.to_f64s(0..spec.height),
            turned: (spec.turned_axes()).map(|axes| Arc::new(TurnedPoints::new(&axes))),
            shape: spec.shape(),
            axes: (spec.transform.is_identity()).then(|| Arc::new((x, y))),
            spacing_log2: spec.spacing_log2(),
            extent_log2: spec.extent_log2(),
            pixel_spacing: spec.pixel_spacing(),
            spec,
            deep: None,
            arithmetic: None,
            cache: Arc::default(),
        })
    }

    /// The same for pixels that are computed as deltas from `orbit`.
    ///
    /// # Errors
    /// What [`FrameSpec::check`] finds.
    pub fn with_reference(spec: FrameSpec, orbit: Arc<ReferenceOrbit>) -> Result<Self, FrameError> {
        let mut prepared = Self::new(spec)?;
        let (columns, rows, cross) = match orbit.point.turned_offsets(&prepared.spec) {
            Some([[re, im], [re_of_rows, im_of_rows]]) => {
                let cross = Cross {
                    columns: im,
                    rows: re_of_rows,
                };
                (re, im_of_rows, Some(cross))
            }
            None => {
                let (columns, rows) = orbit.point.offsets(&prepared.spec);
                (columns, rows, None)
            }
        };
        let log2 = prepared.spec.pixel_spacing_log2();
        let pixel_spacing = FloatExp::new(libm::exp2(log2 - log2.floor()), log2.floor() as i64);
        let deep = DeepFrame::new(
            orbit,
            columns,
            rows,
            pixel_spacing,
            prepared.spec.escape_radius,
            prepared.spec.skip_error_log2,
        );
        let mut deep = deep.turned(cross);
        if prepared.spec.counts == Counts::Settled {
            deep = deep.settled();
        }
        prepared.deep = Some(Arc::new(deep));
        Ok(prepared)
    }

    /// A smaller frame for `spec`, which has no more columns and rows than this one: the same view at some of this
    /// frame's own columns and rows, evenly chosen. A view by its centre is as wide as its sides are, so that a
    /// frame of other proportions made anew would show another part of the plane.
    #[must_use]
    pub fn thinned(&self, spec: FrameSpec) -> Self {
        let (width, height) = (spec.width, spec.height);
        let deep = self.deep.as_ref();
        let deep = deep.map(|deep| Arc::new(deep.thinned(width, height)));
        let general = self.general.as_ref();
        let general = general.map(|general| Arc::new(general.thinned(width, height)));
        Self {
            columns: picked(&self.columns, width),
            rows: picked(&self.rows, height),
            turned: (self.turned.as_ref()).map(|all| Arc::new(all.thinned(width, height))),
            axes: None,
            spec,
            deep,
            general,
            cache: Arc::default(),
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
        /// Of a column or row, the delta included.
        const SIDE: u64 = 24;
        /// The same of a turned view, which has pairs of doubles for both parts.
        const TURNED_SIDE: u64 = 72;
        let sides = (self.columns.len() + self.rows.len()) as u64;
        let each = if self.turned.is_some() {
            TURNED_SIDE
        } else {
            SIDE
        };
        let orbit = self.deep.as_ref().map_or(0, |deep| deep.orbit.steps() + 1);
        each * sides + orbit_value_bytes(self.spec.counts) * orbit
    }

    /// The number type of the processor's kernels for this frame.
    #[must_use]
    pub fn cpu_arithmetic(&self) -> Arithmetic {
        if self.spec.is_general() {
            return self.spec.general_arithmetic();
        }
        match self.deep {
            None => Arithmetic::F64,
            Some(_) => Arithmetic::delta_of_processors(self.spacing_log2),
        }
    }

    /// Real and imaginary part of a sample, each rounded to nearest.
    #[must_use]
    #[inline]
    pub fn at(&self, col: usize, row: usize) -> [f64; 2] {
        match &self.turned {
            None => [self.columns[col], self.rows[row]],
            Some(turned) => turned.at(col, row),
        }
    }

    /// Whether |c| > R of a sample, without rounding; `None` where its c is not known as a fraction, or is not the first value
    /// of its orbit.
    pub(crate) fn starts_beyond(&self, col: usize, row: usize) -> Option<bool> {
        let axes = self.axes.as_ref().filter(|_| self.spec.z0 == (0.0, 0.0))?;
        let radius = self.spec.escape_radius;
        Some(exact::is_beyond(axes, col as u32, row as u32, radius))
    }

    /// The square of a bound of |c| over its samples.
    pub(crate) fn farthest2(&self) -> f64 {
        if let Some(turned) = &self.turned {
            return turned.farthest2();
        }
        let farthest = |values: &[f64]| {
            values
                .iter()
                .fold(0.0, |far: f64, value| far.max(value.abs()))
        };
        let (re, im) = (farthest(&self.columns), farthest(&self.rows));
        re * re + im * im
    }

    /// Whether adapters offer all of its measures.
    #[must_use]
    pub fn is_for_adapters(&self) -> bool {
        self.spec.short_limit().is_some() && self.spec.processors_alone().is_none()
    }

    /// Whether escape is decided by the frame's escape radius, and not by leaving |z| <= 2 as the
    /// stability measure alone has it.
    #[must_use]
    pub fn counts_iterations(&self) -> bool {
        [
            Measure::Iterations,
            Measure::Smooth,
            Measure::Distance,
            Measure::LongIterations,
            Measure::Fraction,
            Measure::Phase,
            Measure::Direction,
        ]
        .iter()
        .any(|m| self.spec.measures.contains(*m))
    }
}
