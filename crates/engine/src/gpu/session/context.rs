//! An open device: its queue, its compiled kernels, and what went wrong with it.
//!
//! wgpu tells of errors through callbacks, and of a device lost while waited for by a panic; both end up in
//! [`Failure`], and a context that has failed is never used again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use fractal::Arithmetic;
use shaders::{Kernel, Program};

use super::layouts;
use super::pipeline::Pipeline;
use super::stop::{Failure, Stop, lock, one_line};

/// How long a submission may take before its device counts as lost: hundreds of times what it should.
const HANG: Duration = Duration::from_secs(30);
/// Steps of plain iteration in whose time a delta makes one, as a first guess.
const DELTA_COST: f64 = 10.0;

/// An open device.
#[derive(Debug)]
pub(in crate::gpu) struct Context {
    pub(in crate::gpu) device: wgpu::Device,
    pub(in crate::gpu) queue: wgpu::Queue,
    pub(in crate::gpu) failure: Arc<Failure>,
    pub(in crate::gpu) limits: wgpu::Limits,
    /// See [`Context::most_binding`]: less than the limits have it in tests only.
    binding_cap: u64,
    /// Whether dispatches may take their size from a buffer.
    pub(in crate::gpu) indirect: bool,
    pub(in crate::gpu) round_layout: wgpu::BindGroupLayout,
    /// `None` where the device binds too few buffers.
    pub(in crate::gpu) delta_layout: Option<wgpu::BindGroupLayout>,
    pub(in crate::gpu) proof_layout: wgpu::BindGroupLayout,
    pipelines: Mutex<HashMap<(Kernel, Arithmetic), Arc<Pipeline>>>,
}

impl Context {
    /// Opens the device of an adapter.
    pub(in crate::gpu) fn open(adapter: &wgpu::Adapter, binding_cap: u64) -> Result<Self, String> {
        let limits = adapter.limits();
        let downlevel = adapter.get_downlevel_capabilities().flags;
        if !downlevel.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
            return Err("it has no compute shaders".into());
        }
        if limits.max_storage_buffers_per_shader_stage < layouts::ROUND_BUFFERS {
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
        let round_layout = layouts::round_layout(&device);
        let deltas = limits.max_storage_buffers_per_shader_stage >= layouts::DELTA_BUFFERS;
        let delta_layout = deltas.then(|| layouts::delta_layout(&device));
        let proof_layout = layouts::proof_layout(&device);
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
            pipelines: Mutex::default(),
        })
    }

    /// Most bytes of a buffer that kernels read of a reference orbit.
    pub(in crate::gpu) fn most_binding(&self) -> u64 {
        (self.binding_cap)
            .min(self.limits.max_buffer_size)
            .min(self.limits.max_storage_buffer_binding_size)
    }

    pub(in crate::gpu) fn has_f64(&self) -> bool {
        self.device.features().contains(wgpu::Features::SHADER_F64)
    }

    /// The compiled kernel, compiled now if it was not before.
    pub(in crate::gpu) fn pipeline(
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

    pub(in crate::gpu) fn compile(&self, program: Program) -> Result<Pipeline, Stop> {
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
        Ok(Pipeline::new(pipeline, program, FIRST_RATE))
    }

    /// Waits until a submission is done and `buffers` (all of them the submission's targets) are mapped for reading.
    pub(in crate::gpu) fn wait_mapped(
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
