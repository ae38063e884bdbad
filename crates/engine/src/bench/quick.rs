//! How fast a device is, in the few hundredths of a second that a worker can spare when it starts.

use std::time::{Duration, Instant};

use fractal::{Measure, MeasureSet, Strip};

use super::SCENES;
use crate::device::Compute;
use crate::frame::PreparedFrame;
use crate::progress::Progress;

/// A measurement that took this long is good enough; shorter ones are repeated with twice as many rows.
const ENOUGH: Duration = Duration::from_millis(10);
/// Rows of the first measurement, before which as many warm up threads, caches and shaders.
const FIRST_ROWS: u32 = 16;

/// Iterations a second of `device`, on a scene where neighbouring pixels escape at different times, by the way that
/// strips of jobs take through it; 0 when it failed at that. Blocks for about twice [`ENOUGH`] on a processor.
pub fn speed(device: &impl Compute) -> u64 {
    measured(device).unwrap_or(0)
}

fn measured(device: &impl Compute) -> Option<u64> {
    let scene = SCENES.iter().find(|scene| scene.name == "seahorse")?;
    let mut spec = scene.frame().ok()?;
    spec.measures = MeasureSet::default().with(Measure::Smooth);
    let height = spec.height;
    let frame = PreparedFrame::new(spec).ok()?;
    let strip = |rows: u32| Strip {
        index: 0,
        row0: (height - rows) / 2,
        rows,
    };
    let compute = |rows| device.compute(&frame, strip(rows), true, &Progress::default());
    compute(FIRST_ROWS).ok()?;
    let mut rows = FIRST_ROWS;
    loop {
        let began = Instant::now();
        let buffer = compute(rows).ok()?;
        let took = began.elapsed();
        if took >= ENOUGH || rows >= height {
            let per_sec = buffer.iterations_total as f64 / took.as_secs_f64().max(1e-9);
            return Some(per_sec as u64);
        }
        rows = (2 * rows).min(height);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::CpuDevice;
    use crate::device::Device;
    use crate::{DeviceInfo, EngineError};
    use fractal::StripBuffer;

    #[test]
    fn a_processor_is_measured() {
        let device = Device::Cpu(CpuDevice::new(Some(1)));
        // Any machine that runs this iterates more than a million and less than 1e13 times a second.
        let speed = speed(&device);
        assert!((1_000_000..10_000_000_000_000).contains(&speed), "{speed}");
    }

    #[test]
    fn a_device_that_fails_has_no_speed() {
        struct Broken(CpuDevice);
        impl Compute for Broken {
            fn info(&self) -> &DeviceInfo {
                self.0.info()
            }
            fn compute(
                &self,
                _: &PreparedFrame,
                _: Strip,
                _: bool,
                _: &Progress,
            ) -> Result<StripBuffer, EngineError> {
                Err(EngineError::Cancelled)
            }
        }
        assert_eq!(speed(&Broken(CpuDevice::new(Some(1)))), 0);
    }
}
