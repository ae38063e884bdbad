//! Frames of other formulas than z² + c from 0: which they are, and in what they are computed.

use crate::picture::arithmetic::Arithmetic;
use crate::picture::counts::Counts;
use crate::picture::frame::{FrameError, FrameSpec, MAX_START, ProcessorsAlone};
use crate::picture::measure::Measure;

/// log2 of the distance of samples below which kernels of all formulas take deltas: an error of a double's rounding is a smaller
/// share of a delta.
const GENERAL_DELTAS_LOG2: f64 = -26.0;
/// log2 of the distance of samples below which orbits from a z₀ beyond 0 are computed as deltas: kernels of all formulas do it.
const PLAIN_START_SPACING_LOG2: f64 = -44.0;

/// Most multiplications of complex numbers in the phases of a formula that adapters compute: what is composed of more takes their
/// drivers long to compile.
const MAX_ADAPTER_PRODUCTS: usize = 32;
/// log2 of the largest |z| that an orbit may end with on adapters, which hold it in single precision.
const MAX_ADAPTER_LOG2: f64 = 120.0;

impl FrameSpec {
    /// Whether the kernels of all formulas compute it, and not those of z² + c from one z₀: another formula, a Julia set, or a
    /// view from a z₀ beyond 0 that is too deep for plain doubles.
    #[must_use]
    pub fn is_general(&self) -> bool {
        let is_started = self.z0 != (0.0, 0.0);
        !self.formula.is_mandelbrot()
            || self.julia.is_some()
            || is_started
                && (self.spacing_log2() < PLAIN_START_SPACING_LOG2 || self.short_limit().is_none())
    }

    /// The number type in which kernels of all formulas compute the frame: doubles, or deltas from reference orbits where pixels
    /// are closer or counts longer than those are for.
    #[must_use]
    pub fn general_arithmetic(&self) -> Arithmetic {
        let spacing = self.spacing_log2();
        if spacing >= GENERAL_DELTAS_LOG2 && self.short_limit().is_some() {
            return Arithmetic::F64;
        }
        Arithmetic::delta_of_processors(spacing)
    }

    /// Why adapters compute no such frame, where they do not: some values are made by processors alone.
    #[must_use]
    pub fn processors_alone(&self) -> Option<ProcessorsAlone> {
        if self.is_general() {
            if self.general_arithmetic().is_delta() {
                return Some(ProcessorsAlone::DeepFormulas);
            }
            let largest = f64::from(self.formula.degree()) * libm::log2(self.escape_radius);
            if self.formula.products() > MAX_ADAPTER_PRODUCTS || largest > MAX_ADAPTER_LOG2 {
                return Some(ProcessorsAlone::LargeFormulas);
            }
        }
        if self.counts == Counts::Settled {
            return Some(ProcessorsAlone::SettledCounts);
        }
        let own = (self.measures.iter()).find(|measure| !measure.is_on_adapters());
        match own {
            Some(Measure::LongIterations) => Some(ProcessorsAlone::LongCounts),
            Some(_) => Some(ProcessorsAlone::Angles),
            None if self.measures.contains(Measure::Distance)
                && self.shape().is_some_and(|shape| !shape.is_square) =>
            {
                Some(ProcessorsAlone::StretchedDistances)
            }
            None => None,
        }
    }

    /// Whether what is iterated is within the limits of numbers.
    pub(super) fn check_formula(&self) -> Result<(), FrameError> {
        if let Some(c) = &self.julia {
            if c.iter().any(|part| part.to_f64().abs() > MAX_START) {
                return Err(FrameError::Julia);
            }
            if self.z0 != (0.0, 0.0) {
                return Err(FrameError::JuliaStart);
            }
        }
        let (degree, radius) = (self.formula.degree(), self.escape_radius);
        if 2.0 * f64::from(degree) * libm::log10(radius) > 300.0 {
            return Err(FrameError::Degree { degree, radius });
        }
        Ok(())
    }
}
