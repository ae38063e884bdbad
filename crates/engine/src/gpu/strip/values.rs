//! The host's part of the measures: from the words of kernels to planes.

use fractal::Measure;
use fractal::smooth::{self, Smoothing};

use crate::frame::PreparedFrame;

/// The values of a strip, growing part by part.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) iterations: Vec<u32>,
    pub(super) smooth: Vec<f32>,
    pub(super) distance: Vec<f32>,
    pub(super) stability: Vec<f64>,
    pub(super) fraction: Vec<f32>,
    pub(super) iterations_total: u128,
}

impl Values {
    /// Takes in the planes of the escape kernels: n, |z|², |dz|.
    pub(super) fn add_escape(
        &mut self,
        frame: &PreparedFrame,
        spacing: f64,
        words: &[u32],
        pixels: usize,
    ) {
        let spec = &frame.spec;
        let counts = &words[..pixels];
        let limit = spec.iterations;
        self.iterations_total += counts
            .iter()
            .map(|n| if *n == 0 { limit } else { u64::from(*n) })
            .map(u128::from)
            .sum::<u128>();
        if spec.measures.contains(Measure::Iterations) {
            self.iterations.extend_from_slice(counts);
        }
        let norm2 = |word: &u32| f64::from(f32::from_bits(*word));
        let smoothing = Smoothing::new(spec.escape_radius);
        if spec.measures.contains(Measure::Fraction) {
            let fraction = |(n, norm): (&u32, &u32)| match n {
                0 => 0.0,
                _ => smoothing.fraction(norm2(norm)),
            };
            let norms = &words[pixels..2 * pixels];
            self.fraction.extend(counts.iter().zip(norms).map(fraction));
        }
        if spec.measures.contains(Measure::Smooth) {
            let norms = &words[pixels..2 * pixels];
            self.smooth.extend(
                counts
                    .iter()
                    .zip(norms)
                    .map(|(n, norm)| smoothing.count(*n, norm2(norm))),
            );
        }
        if spec.measures.contains(Measure::Distance) {
            let (norms, derivatives) = words[pixels..3 * pixels].split_at(pixels);
            let pixel = |((n, norm), derivative): ((&u32, &u32), &u32)| {
                smooth::distance(*n, norm2(norm), norm2(derivative), spacing)
            };
            self.distance
                .extend(counts.iter().zip(norms).zip(derivatives).map(pixel));
        }
    }

    /// Takes in the planes of formulas' escape kernels: n, |z|, and how steeply it rises in the plane.
    pub(super) fn add_formula(&mut self, frame: &PreparedFrame, words: &[u32], pixels: usize) {
        let spec = &frame.spec;
        let limit = spec.iterations;
        let steps = |n: &u32| if *n == 0 { limit } else { u64::from(*n) };
        let counts = &words[..pixels];
        self.iterations_total += counts.iter().map(|n| u128::from(steps(n))).sum::<u128>();
        if spec.measures.contains(Measure::Iterations) {
            self.iterations.extend_from_slice(counts);
        }
        // By the phase that led to an orbit's end.
        let smoothing: Vec<Smoothing> = (spec.formula.phases().iter())
            .map(|phase| Smoothing::of_degree(spec.escape_radius, phase.degree()))
            .collect();
        let of = |n: u32| &smoothing[(n as usize - 1) % smoothing.len()];
        let number = |at: usize| f64::from(f32::from_bits(words[at]));
        for (pixel, n) in counts.iter().copied().enumerate() {
            let value = |measure: Measure| {
                if n == 0 {
                    return 0.0;
                }
                let norm = number(pixels + pixel);
                let norm2 = norm * norm;
                match measure {
                    Measure::Fraction => of(n).fraction(norm2),
                    Measure::Smooth => of(n).count(n, norm2),
                    _ => {
                        let slope = number(2 * pixels + pixel);
                        smooth::distance(n, norm2, slope, frame.pixel_spacing)
                    }
                }
            };
            for (measure, values) in [
                (Measure::Fraction, &mut self.fraction),
                (Measure::Smooth, &mut self.smooth),
                (Measure::Distance, &mut self.distance),
            ] {
                if spec.measures.contains(measure) {
                    values.push(value(measure));
                }
            }
        }
    }

    /// Takes in the planes of the stability kernel: the high and the low part of |z_N|².
    pub(super) fn add_stability(&mut self, words: &[u32], pixels: usize) {
        let (high, low) = words[..2 * pixels].split_at(pixels);
        self.stability
            .extend(high.iter().zip(low).map(|(high, low)| {
                let norm2 = f64::from(f32::from_bits(*high)) + f64::from(f32::from_bits(*low));
                let norm = norm2.max(0.0).sqrt();
                // `max` drops NaN, so ask for it first.
                if norm2.is_nan() || norm > 2.0 {
                    f64::NAN
                } else {
                    norm
                }
            }));
    }
}
