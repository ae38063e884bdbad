//! The processor as a device: its threads, and a strip cut into pieces for them.

use std::time::Instant;

use fractal::{Arithmetic, Backend, Origin, Plane, Settling, Strip, StripBuffer};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::deep::square::TASK;
use super::deep::task::{Output, Task, TaskScratch};
use super::deep::trees::Trees;
use super::isa::Isa;
#[cfg(target_arch = "aarch64")]
use super::neon;
use super::plain::band::{self, Band, Planes, Scratch};
use super::plain::interior::Inside;
use super::plan::Plan;
use super::planes::{copy_row, cut};
use super::simd::Portable;
#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{deep, formulas, peak, plain};
use crate::frame::{DeepFrame, PreparedFrame};
use crate::info::{DeviceInfo, EngineError};
use crate::progress::Progress;
use crate::spares::Spares;

/// Bands that a strip is cut into for each thread at least, so that no thread waits long for another's
/// last band.
const BANDS_PER_THREAD: usize = 4;
/// Fewest pixels of a band, if the strip has as many: at its end lanes run empty.
const MIN_BAND: usize = 1 << 12;
/// Most pixels of a band: its working memory should stay within a second-level cache.
const MAX_BAND: usize = 1 << 15;
const _: () = assert!(MAX_BAND <= band::MAX_PIXELS);

/// The processor as a device: a pool of threads and the kernels of one instruction set.
#[derive(Debug)]
pub struct CpuDevice {
    info: DeviceInfo,
    isa: Isa,
    pub(super) shortcuts: bool,
    /// `None` where threads cannot be started: then the caller's thread computes.
    pool: Option<ThreadPool>,
    /// Working memory of bands and tasks that are done.
    scratch: Spares<Scratch>,
    task_scratch: Spares<TaskScratch>,
}

impl CpuDevice {
    /// The fastest kernels on `threads` threads; `None` is [`fractal::threads::available`].
    #[must_use]
    pub fn new(threads: Option<usize>) -> Self {
        Self::with_isa(Isa::detect(), threads)
    }

    /// The kernels of one instruction set, or the portable ones if this processor has not got it.
    #[must_use]
    pub fn with_isa(isa: Isa, threads: Option<usize>) -> Self {
        let isa = if isa.is_available() {
            isa
        } else {
            Isa::Portable
        };
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads.unwrap_or_else(fractal::threads::available))
            .thread_name(|i| format!("cpu-{i}"))
            .build()
            .inspect_err(|error| tracing::warn!("computing without threads of its own: {error}"))
            .ok();
        let count = pool.as_ref().map_or(1, ThreadPool::current_num_threads);
        let plural = if count == 1 { "" } else { "s" };
        let info = DeviceInfo {
            backend: Backend::Cpu,
            name: format!("{}, {count} thread{plural}", isa.name()),
            arithmetics: vec![
                Arithmetic::F64,
                Arithmetic::DeltaF64,
                Arithmetic::DeltaFloatexp,
            ],
            software: false,
        };
        Self {
            info,
            isa,
            shortcuts: true,
            pool,
            scratch: Spares::new(),
            task_scratch: Spares::new(),
        }
    }

    /// With or without interior shortcuts, which change a strip's time but not its bytes. They are on
    /// unless this is called.
    #[must_use]
    pub fn shortcuts(mut self, on: bool) -> Self {
        self.shortcuts = on;
        self
    }

    /// What it is.
    #[must_use]
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Number of threads that compute.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool
            .as_ref()
            .map_or(1, ThreadPool::current_num_threads)
    }

    /// Computes one strip. May be called from several threads at once: the pool's threads then find work in
    /// one strip while the last bands of another are computed.
    ///
    /// `busy_secs` of the result is thread-seconds divided by the number of threads, so that it adds
    /// up to no more than the elapsed time. `iterations_total` of a frame that asks for stability alone
    /// is N for each pixel, although orbits that cannot return are left early.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`], within milliseconds of [`Progress::cancel`].
    ///
    /// # Panics
    /// If the strip does not lie within the frame.
    pub fn compute(
        &self,
        frame: &PreparedFrame,
        strip: Strip,
        progress: &Progress,
    ) -> Result<StripBuffer, EngineError> {
        let width = frame.columns.len();
        let rows = strip.rows as usize;
        let first = strip.row0 as usize * width;
        assert!(
            first + rows * width <= width * frame.rows.len(),
            "strip {strip:?} is not within its frame"
        );
        if frame.spec.is_general() {
            return self.compute_general(frame, strip, progress);
        }
        if let Some(deep) = &frame.deep {
            return self.compute_deep(frame, deep, strip, progress);
        }
        let plan = Plan::new(frame, self.shortcuts);
        let proves = plan.proves() && width * frame.rows.len() <= Inside::MOST_PIXELS;
        let inside = proves.then(|| frame.cache.get_or_init(Inside::default));
        let mut planes: Vec<Plane> = frame
            .spec
            .measures
            .iter()
            .map(|measure| Plane::zeroed(measure, rows * width))
            .collect();
        let share = (rows * width).div_ceil(BANDS_PER_THREAD * self.threads());
        let bands = cut(&mut planes, rows * width, share.clamp(MIN_BAND, MAX_BAND));

        let one = |(offset, len, planes): (usize, usize, Planes<'_>)| {
            if progress.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            let began = Instant::now();
            let mut scratch = self.scratch.take(Scratch::new);
            let mut band = Band {
                frame,
                plan: &plan,
                first: first + offset,
                len,
                planes,
                scratch: &mut scratch,
                progress,
                inside: inside.as_deref(),
                iterations_total: 0,
                settling: Settling::default(),
            };
            let done = self.run(&mut band);
            let total = (band.iterations_total, band.settling);
            self.scratch.leave(scratch);
            if !done {
                return Err(EngineError::Cancelled);
            }
            progress.step();
            Ok((total.0, total.1, began.elapsed().as_secs_f64()))
        };
        type Sums = (u128, Settling, f64);
        let none = || (0, Settling::default(), 0.0);
        let sum = |a: Sums, b: Sums| Ok((a.0 + b.0, a.1 + b.1, a.2 + b.2));
        let (iterations_total, settling, thread_secs) = match &self.pool {
            Some(pool) => pool.install(|| {
                bands
                    .into_par_iter()
                    .with_max_len(1)
                    .map(one)
                    .try_reduce(none, sum)
            }),
            None => bands
                .into_iter()
                .try_fold(none(), |total, band| sum(total, one(band)?)),
        }?;
        Ok(StripBuffer {
            strip,
            width: frame.spec.width,
            planes,
            iterations_total,
            // Of the kernels that settle counts, where `frame.spec.counts` asks for them.
            settling,
            origin: Origin {
                backend: Backend::Cpu,
                arithmetic: Arithmetic::F64,
                device: self.info.name.clone(),
                kernel_id: plain::KERNEL_ID,
            },
            busy_secs: thread_secs / self.threads() as f64,
        })
    }

    /// The same for a frame with a reference orbit.
    fn compute_deep(
        &self,
        frame: &PreparedFrame,
        deep: &DeepFrame,
        strip: Strip,
        progress: &Progress,
    ) -> Result<StripBuffer, EngineError> {
        let (width, rows) = (frame.spec.width, (strip.row0, strip.row0 + strip.rows));
        let plan = Plan::new(frame, self.shortcuts);
        // Before the pool is asked for anything: none of its threads may wait for what another one builds.
        let _ = (deep.bla(), deep.jets());
        let trees = Trees::of(frame, deep);
        if plan.settled {
            let _ = deep.losses();
        }
        if plan.known_parts {
            let _ = deep.minibrot(plan.limit);
        }
        let cut = |(from, to): (u32, u32)| {
            let first = from / TASK * TASK;
            (first..to)
                .step_by(TASK as usize)
                .map(move |at| (at.max(from), (at + TASK).min(to)))
        };
        let tasks: Vec<Task<'_>> = cut(rows)
            .flat_map(|rows| cut((0, width)).map(move |columns| (rows, columns)))
            .map(|(rows, columns)| Task {
                frame,
                deep,
                trees: &trees,
                plan: &plan,
                progress,
                columns,
                rows,
            })
            .collect();
        let one = |task: &Task<'_>| {
            if progress.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            let began = Instant::now();
            let mut scratch = self.task_scratch.take(TaskScratch::default);
            let output = self.run_deep(task, &mut scratch);
            self.task_scratch.leave(scratch);
            let output = output.ok_or(EngineError::Cancelled)?;
            progress.step();
            Ok((output, began.elapsed().as_secs_f64()))
        };
        let outputs: Vec<(Output, f64)> = match &self.pool {
            Some(pool) => pool.install(|| {
                tasks
                    .par_iter()
                    .with_max_len(1)
                    .map(one)
                    .collect::<Result<_, _>>()
            }),
            None => tasks.iter().map(one).collect(),
        }?;
        let pixels = strip.rows as usize * width as usize;
        let mut planes: Vec<Plane> = frame
            .spec
            .measures
            .iter()
            .map(|measure| Plane::zeroed(measure, pixels))
            .collect();
        let (mut iterations_total, mut thread_secs) = (0, 0.0);
        let mut settling = Settling::default();
        for (task, (output, secs)) in tasks.iter().zip(&outputs) {
            let at =
                |row: u32| (row - strip.row0) as usize * width as usize + task.columns.0 as usize;
            let across = (task.columns.1 - task.columns.0) as usize;
            for plane in &mut planes {
                let Some(made) = Plane::find(&output.planes, plane.measure()) else {
                    continue;
                };
                for (row, from) in (task.rows.0..task.rows.1).zip((0..).step_by(across)) {
                    copy_row(plane, at(row)..at(row) + across, made, from..from + across);
                }
            }
            iterations_total += output.iterations_total;
            settling += output.settling;
            thread_secs += secs;
        }
        Ok(StripBuffer {
            strip,
            width,
            planes,
            iterations_total,
            settling,
            origin: Origin {
                backend: Backend::Cpu,
                arithmetic: frame.cpu_arithmetic(),
                device: self.info.name.clone(),
                kernel_id: deep::KERNEL_ID,
            },
            busy_secs: thread_secs / self.threads() as f64,
        })
    }

    /// The same for a frame of another formula.
    fn compute_general(
        &self,
        frame: &PreparedFrame,
        strip: Strip,
        progress: &Progress,
    ) -> Result<StripBuffer, EngineError> {
        let run = |band: &mut formulas::Band<'_>| match self.isa {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `with_isa` has seen that the processor has it.
            Isa::Avx512 => unsafe { x86::general_avx512(band) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Isa::Avx2 => unsafe { x86::general_avx2(band) },
            _ => band.run::<8>(),
        };
        let crew = formulas::Crew {
            device: &self.info.name,
            threads: self.threads(),
            pool: self.pool.as_ref(),
            run: &run,
        };
        formulas::compute(&crew, frame, strip, progress)
    }

    /// Computes one task of a deep frame with this device's instruction set; `None` if it was cancelled.
    fn run_deep(&self, task: &Task<'_>, scratch: &mut TaskScratch) -> Option<Output> {
        if task.plan.settled {
            self.run_deep_with::<true>(task, scratch)
        } else {
            self.run_deep_with::<false>(task, scratch)
        }
    }

    /// The same; `E`: each count for certain.
    fn run_deep_with<const E: bool>(
        &self,
        task: &Task<'_>,
        scratch: &mut TaskScratch,
    ) -> Option<Output> {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `with_isa` has seen that the processor has it.
            Isa::Avx512 => unsafe { x86::deep_avx512::<E>(task, scratch) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Isa::Avx2 => unsafe { x86::deep_avx2::<E>(task, scratch) },
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => neon::deep_neon::<E>(task, scratch),
            _ => task.run::<Portable, 1, 2, E>(Portable, scratch, |task, scratch| {
                task.settle::<Portable, 1>(Portable, scratch)
            }),
        }
    }

    /// Multiply-adds a second, counted in lanes, that this device's threads do together when nothing else
    /// is asked of them; each thread does `lanes` of them.
    #[must_use]
    pub fn multiply_add_rate(&self, lanes: u64) -> f64 {
        let one = || match self.isa {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `with_isa` has seen that the processor has it.
            Isa::Avx512 => unsafe { x86::multiply_adds_avx512(lanes) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Isa::Avx2 => unsafe { x86::multiply_adds_avx2(lanes) },
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => peak::multiply_adds(neon::Neon, lanes),
            _ => peak::multiply_adds(Portable, lanes),
        };
        let began = Instant::now();
        let done = match &self.pool {
            Some(pool) => pool.broadcast(|_| one()).into_iter().sum(),
            None => one(),
        };
        done as f64 / began.elapsed().as_secs_f64()
    }

    /// Computes one band with this device's instruction set; `false` if it was cancelled.
    fn run(&self, band: &mut Band<'_>) -> bool {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `with_isa` has seen that the processor has it.
            Isa::Avx512 => unsafe { x86::band_avx512(band) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Isa::Avx2 => unsafe { x86::band_avx2(band) },
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => neon::band_neon(band),
            _ => plain::compute::<Portable, 2>(Portable, band),
        }
    }
}
