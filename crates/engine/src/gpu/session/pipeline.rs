//! A compiled kernel and its measured rate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shaders::Program;

/// A compiled kernel.
#[derive(Debug)]
pub(in crate::gpu) struct Pipeline {
    pub(in crate::gpu) pipeline: wgpu::ComputePipeline,
    pub(in crate::gpu) program: Program,
    /// Steps a second of one pixel each, as `f64` bits.
    rate: AtomicU64,
}

impl Pipeline {
    /// A kernel whose rate is taken to be `rate` steps a second until it is measured.
    pub(super) fn new(pipeline: wgpu::ComputePipeline, program: Program, rate: f64) -> Self {
        Self {
            pipeline,
            program,
            rate: AtomicU64::new(rate.to_bits()),
        }
    }

    /// Steps a second by the last measurements.
    pub(in crate::gpu) fn rate(&self) -> f64 {
        f64::from_bits(self.rate.load(Ordering::Relaxed))
    }

    pub(in crate::gpu) fn set_rate(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    /// Takes in a measurement. Two computations that do so at once lose one of them, which is harmless.
    pub(in crate::gpu) fn measured(&self, steps: f64, elapsed: Duration) {
        self.set_rate(next_rate(self.rate(), steps, elapsed));
    }
}

/// The rate after a measurement: half way to it; but one too short to tell more than the overhead of a submission only
/// shows that the device is at least so fast.
fn next_rate(rate: f64, steps: f64, elapsed: Duration) -> f64 {
    const SHORTEST: Duration = Duration::from_millis(4);
    if steps <= 0.0 || elapsed.is_zero() {
        return rate;
    }
    let measured = steps / elapsed.as_secs_f64();
    if elapsed < SHORTEST {
        rate.max(measured)
    } else {
        0.5 * (rate + measured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_a_fast_device_is_found_in_a_few_submissions() {
        // 3e12 steps a second behind 100 us of overhead, from a first guess 60 000 times too low.
        let (mut rate, true_rate) = (5e7, 3e12);
        for _ in 0..8 {
            let steps = rate * 0.04;
            rate = next_rate(
                rate,
                steps,
                Duration::from_secs_f64(steps / true_rate + 1e-4),
            );
        }
        assert!(rate > 0.8 * true_rate && rate <= true_rate, "{rate:e}");
        // And a slow one's is brought down.
        for _ in 0..12 {
            rate = next_rate(rate, 1e6, Duration::from_secs_f64(0.1));
        }
        assert!(rate < 1e9, "{rate:e}");
        assert_eq!(next_rate(7.0, 0.0, Duration::from_secs(1)), 7.0);
    }
}
