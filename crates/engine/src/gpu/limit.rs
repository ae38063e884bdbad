//! The adapter's own limit: how many multiply-adds a second it makes when it does nothing else.

use std::time::{Duration, Instant};

use fractal::Arithmetic;
use shaders::layout::{Proof, split};
use shaders::{Kernel, Program, WORKGROUP};

use super::device::GpuDevice;
use super::session::dispatch::dispatch;
use super::session::stop::Stop;
use crate::info::EngineError;

/// Workgroups of a measurement: enough to fill any GPU.
const WORKGROUPS: u32 = 4096;
/// Multiply-adds of one invocation in a step: 4 vectors of 4 chains, 8 links each; see `limit.wgsl`.
const FMAS_PER_STEP: f64 = 128.0;
/// A measurement takes this long at least, and less than twice as long: short of what a watchdog minds.
const ENOUGH: Duration = Duration::from_millis(40);
/// Measurements of which the best counts.
const ROUNDS: usize = 3;

impl GpuDevice {
    /// Multiply-adds a second of single numbers in `arithmetic`; for double-single, which is made of
    /// singles, theirs.
    ///
    /// # Errors
    /// [`EngineError::DeviceLost`].
    pub fn multiply_add_rate(&self, arithmetic: Arithmetic) -> Result<f64, EngineError> {
        let native = match arithmetic {
            Arithmetic::F32 | Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle => {
                Arithmetic::F32
            }
            Arithmetic::F64 | Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => Arithmetic::F64,
        };
        self.with_workspace(|workspace| {
            let context = &workspace.context;
            let program = Program::new(Kernel::Limit, native)
                .ok_or_else(|| Stop::Lost("there is no limit kernel".into()))?;
            let pipeline = context.compile(program)?;
            let measure = |steps: u32| {
                let params = Proof {
                    zero: 0,
                    count: 1,
                    steps,
                    padding: 0,
                    radius2: split(0.0),
                    radius: split(0.0),
                };
                let begun = Instant::now();
                let factor_and_summand = bytemuck::cast::<[f32; 2], [u8; 8]>([0.75, 0.125]);
                dispatch(
                    context,
                    &pipeline,
                    params,
                    &factor_and_summand,
                    16,
                    WORKGROUPS,
                )?;
                Ok::<_, Stop>(begun.elapsed())
            };
            let mut steps = 1;
            while measure(steps)? < ENOUGH && steps < 1 << 24 {
                steps *= 2;
            }
            let mut best = Duration::MAX;
            for _ in 0..ROUNDS {
                best = best.min(measure(steps)?);
            }
            let fmas = f64::from(WORKGROUPS * WORKGROUP) * f64::from(steps) * FMAS_PER_STEP;
            Ok(fmas / best.as_secs_f64())
        })
    }
}
