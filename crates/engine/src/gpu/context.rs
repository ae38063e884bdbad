//! An open device: its queue, its compiled kernels, its spare buffers, and what went wrong with it.
//!
//! wgpu tells of errors through callbacks, and of a device lost while waited for by a panic; both end up in
//! [`Failure`], and a context that has failed is never used again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use fractal::Arithmetic;
use shaders::{Kernel, Program};

use super::buffers::BufferSet;
use super::delta::DeltaCache;

/// How long a submission may take before its device counts as lost: hundreds of times what it should.
const HANG: Duration = Duration::from_secs(30);
/// Spare sets of buffers that are kept: one for each strip that a lane has in flight.
const SPARE_SETS: usize = 3;

/// Steps of plain iteration in whose time a delta makes one, as a first guess.
const DELTA_COST: f64 = 10.0;

/// Why a computation on a device ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// It was asked to.
    Cancelled,
    /// The device failed.
    Lost(String),
    /// The device has not what the frame needs.
    NotServed,
}

impl Stop {
    /// In words.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Cancelled => "cancelled".into(),
            Self::NotServed => "not served".into(),
            Self::Lost(reason) => reason,
        }
    }
}

/// The first thing that went wrong with a device.
#[derive(Debug, Default)]
pub(super) struct Failure(Mutex<Option<String>>);

impl Failure {
    pub(super) fn record(&self, reason: impl Into<String>) {
        lock(&self.0).get_or_insert_with(|| reason.into());
    }

    pub(super) fn get(&self) -> Option<String> {
        lock(&self.0).clone()
    }

    /// Takes it back: only while a device is tried out, where failing is an answer.
    pub(super) fn take(&self) -> Option<String> {
        lock(&self.0).take()
    }

    pub(super) fn check(&self) -> Result<(), Stop> {
        self.get().map_or(Ok(()), |reason| Err(Stop::Lost(reason)))
    }
}

/// Locks whatever a panicking thread left behind: nothing here is left half-changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A compiled kernel.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) program: Program,
    /// Steps a second of one pixel each, as `f64` bits.
    rate: AtomicU64,
}

impl Pipeline {
    /// Steps a second by the last measurements.
    pub(super) fn rate(&self) -> f64 {
        f64::from_bits(self.rate.load(Ordering::Relaxed))
    }

    pub(super) fn set_rate(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    /// Takes in a measurement. Two computations that do so at once lose one of them, which is harmless.
    pub(super) fn measured(&self, steps: f64, elapsed: Duration) {
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

/// An open device.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) failure: Arc<Failure>,
    pub(super) limits: wgpu::Limits,
    /// See [`Context::most_binding`]: less than the limits have it in tests only.
    binding_cap: u64,
    /// Whether dispatches may take their size from a buffer.
    pub(super) indirect: bool,
    pub(super) round_layout: wgpu::BindGroupLayout,
    /// `None` where the device binds too few buffers.
    pub(super) delta_layout: Option<wgpu::BindGroupLayout>,
    pub(super) proof_layout: wgpu::BindGroupLayout,
    /// The references of deep views.
    pub(super) deltas: DeltaCache,
    pipelines: Mutex<HashMap<(Kernel, Arithmetic), Arc<Pipeline>>>,
    spare: Mutex<Vec<BufferSet>>,
}

impl Context {
    /// Opens the device of an adapter.
    pub(super) fn open(adapter: &wgpu::Adapter, binding_cap: u64) -> Result<Self, String> {
        let limits = adapter.limits();
        let downlevel = adapter.get_downlevel_capabilities().flags;
        if !downlevel.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
            return Err("it has no compute shaders".into());
        }
        if limits.max_storage_buffers_per_shader_stage < super::buffers::STORAGE_BUFFERS {
            return Err(format!(
                "it binds only {} buffers",
                limits.max_storage_buffers_per_shader_stage
            ));
        }
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("engine"),
            required_features: adapter.features() & wgpu::Features::SHADER_F64,
            required_limits: limits.clone(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            trace: wgpu::Trace::Off,
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| error.to_string())?;
        let failure = Arc::new(Failure::default());
        let recorder = Arc::clone(&failure);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            recorder.record(one_line(&error.to_string()));
        }));
        let recorder = Arc::clone(&failure);
        device.set_device_lost_callback(move |reason, message| {
            recorder.record(one_line(&format!("device lost ({reason:?}): {message}")));
        });
        let round_layout = super::buffers::round_layout(&device);
        let deltas = limits.max_storage_buffers_per_shader_stage >= super::delta::STORAGE_BUFFERS;
        let delta_layout = deltas.then(|| super::delta::layout(&device));
        let proof_layout = super::dispatch::layout(&device);
        Ok(Self {
            device,
            queue,
            failure,
            limits,
            binding_cap,
            indirect: downlevel.contains(wgpu::DownlevelFlags::INDIRECT_EXECUTION),
            round_layout,
            delta_layout,
            proof_layout,
            deltas: DeltaCache::default(),
            pipelines: Mutex::default(),
            spare: Mutex::default(),
        })
    }

    /// Most bytes of a buffer that kernels read of a reference orbit.
    pub(super) fn most_binding(&self) -> u64 {
        (self.binding_cap)
            .min(self.limits.max_buffer_size)
            .min(self.limits.max_storage_buffer_binding_size)
    }

    pub(super) fn has_f64(&self) -> bool {
        self.device.features().contains(wgpu::Features::SHADER_F64)
    }

    /// The compiled kernel, compiled now if it was not before.
    pub(super) fn pipeline(
        &self,
        kernel: Kernel,
        arithmetic: Arithmetic,
    ) -> Result<Arc<Pipeline>, Stop> {
        let mut pipelines = lock(&self.pipelines);
        if let Some(pipeline) = pipelines.get(&(kernel, arithmetic)) {
            return Ok(Arc::clone(pipeline));
        }
        let program = Program::new(kernel, arithmetic).ok_or_else(|| {
            Stop::Lost(format!(
                "there is no kernel {} in {}",
                kernel.name(),
                arithmetic.name()
            ))
        })?;
        let pipeline = Arc::new(self.compile(program)?);
        let plain = match arithmetic {
            Arithmetic::DeltaDoubleSingle => Arithmetic::DoubleSingle,
            Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => Arithmetic::F64,
            plain => plain,
        };
        if let Some(timed) = pipelines.get(&(Kernel::Escape, plain)) {
            pipeline.set_rate(timed.rate() / if plain == arithmetic { 1.0 } else { DELTA_COST });
        }
        pipelines.insert((kernel, arithmetic), Arc::clone(&pipeline));
        Ok(pipeline)
    }

    pub(super) fn compile(&self, program: Program) -> Result<Pipeline, Stop> {
        /// Before anything is measured: what a slow software adapter does.
        const FIRST_RATE: f64 = 5e7;
        let layout = match (program.state_bytes() > 0, program.arithmetic.is_delta()) {
            (true, true) => self.delta_layout.as_ref().ok_or(Stop::NotServed)?,
            (true, false) => &self.round_layout,
            (false, _) => &self.proof_layout,
        };
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(&program.name),
                source: wgpu::ShaderSource::Wgsl(program.source.as_str().into()),
            });
        let layout = self
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(&program.name),
                bind_group_layouts: &[Some(layout)],
                immediate_size: 0,
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(&program.name),
                layout: Some(&layout),
                module: &module,
                entry_point: Some(shaders::ENTRY_POINT),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            });
        self.failure.check()?;
        Ok(Pipeline {
            pipeline,
            program,
            rate: AtomicU64::new(FIRST_RATE.to_bits()),
        })
    }

    /// A set of buffers with room for `pixels` of `width` columns and `rows` rows.
    pub(super) fn take_buffers(
        &self,
        pixels: u32,
        width: u32,
        rows: u32,
        state_bytes: u32,
    ) -> Result<BufferSet, Stop> {
        let state_bytes = u64::from(state_bytes);
        let spare = {
            let mut spare = lock(&self.spare);
            let fitting = spare
                .iter()
                .position(|set| set.fits(pixels, width, rows, state_bytes));
            // One that does not fit makes room for one that does.
            fitting
                .or_else(|| (spare.len() >= SPARE_SETS).then_some(0))
                .map(|at| spare.swap_remove(at))
        };
        match spare {
            Some(set) if set.fits(pixels, width, rows, state_bytes) => Ok(set),
            other => {
                drop(other);
                let set = BufferSet::new(self, pixels, width, rows, state_bytes);
                self.failure.check()?;
                Ok(set)
            }
        }
    }

    /// Gives a set back that is in order: not after an error.
    pub(super) fn return_buffers(&self, set: BufferSet) {
        let mut spare = lock(&self.spare);
        if spare.len() < SPARE_SETS {
            spare.push(set);
        }
    }

    /// Waits until a submission is done and `buffers` (all of them the submission's targets) are mapped for reading.
    pub(super) fn wait_mapped(
        &self,
        submission: &wgpu::SubmissionIndex,
        buffers: &[wgpu::BufferSlice<'_>],
    ) -> Result<(), Stop> {
        let (sender, receiver) = mpsc::sync_channel(buffers.len());
        for buffer in buffers {
            let sender = sender.clone();
            buffer.map_async(wgpu::MapMode::Read, move |result| {
                // The receiver is gone when the wait has ended with an error.
                let _ = sender.try_send(result);
            });
        }
        drop(sender);
        let deadline = Instant::now() + HANG;
        let mut mapped = 0;
        while mapped < buffers.len() {
            let poll = self.device.poll(wgpu::PollType::Wait {
                submission_index: Some(submission.clone()),
                timeout: Some(Duration::from_secs(1)),
            });
            self.failure.check()?;
            if let Err(wgpu::PollError::WrongSubmissionIndex(..)) = poll {
                return Err(Stop::Lost("a submission was refused".into()));
            }
            // Another thread that polls may be running the callbacks: give it a moment.
            while let Ok(result) = receiver.recv_timeout(Duration::from_millis(20)) {
                result.map_err(|error| Stop::Lost(error.to_string()))?;
                mapped += 1;
                if mapped == buffers.len() {
                    break;
                }
            }
            if Instant::now() > deadline {
                return Err(Stop::Lost(format!("no answer within {} s", HANG.as_secs())));
            }
        }
        self.failure.check()
    }
}

/// Errors of wgpu are trees of many lines; ours are one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
