//! Which stepper serves an orbit's number of bits.

use rustfft::FftPlanner;

use super::fixed;
use super::format::Format;
use super::fourier::Fourier;
use super::stepper::Stepper;
use crate::reference::point::ReferencePoint;

/// Makes steppers of one orbit.
pub(in crate::reference) struct Steppers {
    point: ReferencePoint,
    threads: usize,
    planner: FftPlanner<f64>,
}

impl Steppers {
    /// On up to so many threads.
    pub(in crate::reference) fn new(point: &ReferencePoint, threads: usize) -> Self {
        Self {
            point: point.clone(),
            threads,
            planner: FftPlanner::new(),
        }
    }

    /// A stepper that stands at z = 0.
    pub(in crate::reference) fn at_zero(&mut self, format: Format) -> Box<dyn Stepper> {
        match format {
            Format::Limbs(n) => fixed::stepper(&self.point, n),
            Format::Digits(length) => {
                let planner = &mut self.planner;
                Box::new(Fourier::new(&self.point, length, self.threads, planner))
            }
        }
    }
}
