//! The workers of a render in process: the same as on a farm, on a queue in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use engine::device::NoDevice;
use engine::{Compute, Device, device};
use farm_queue::memory::MemoryQueue;
use farm_worker::{EndReason, Fault, Meters, WorkerEnd};
use fractal::BackendChoice;
use tokio::sync::oneshot;
use tokio::task::{Id, JoinSet};

use crate::error::CollectError;

/// How long a device of this process may show no progress before its strip goes to another one, and for how long all
/// of them may hang.
const STRIP_TIMEOUT: Duration = Duration::from_secs(60);

/// The workers of a render in process.
#[derive(Default)]
pub struct LocalWorkers {
    stop: Vec<oneshot::Sender<()>>,
    workers: JoinSet<WorkerEnd>,
    names: HashMap<Id, String>,
}

/// Devices of workers in process.
pub struct OpenDevices {
    devices: Vec<Vec<Device>>,
    threads: Option<usize>,
}

/// Opens devices for `workers` workers of so many threads each; without a number they share this machine's cores. May
/// block for seconds.
pub fn open_devices(
    choice: BackendChoice,
    workers: u16,
    threads: Option<usize>,
) -> impl FnOnce() -> Result<OpenDevices, NoDevice> + Send + use<> {
    move || {
        let share = || {
            let cores = fractal::threads::available();
            (cores / usize::from(workers)).max(1)
        };
        let threads = threads.or_else(|| (workers > 1).then(share));
        let devices = (0..workers).map(|_| device::open(choice, threads));
        Ok(OpenDevices {
            devices: devices.collect::<Result<_, _>>()?,
            threads,
        })
    }
}

impl LocalWorkers {
    /// Starts a worker with each of these sets of devices, which serve `choice`.
    #[must_use]
    pub fn start(queue: &Arc<MemoryQueue>, choice: BackendChoice, opened: OpenDevices) -> Self {
        let mut workers = Self::default();
        let is_alone = opened.devices.len() == 1;
        for (number, devices) in (1..).zip(opened.devices) {
            let name = if is_alone {
                "in process".to_owned()
            } else {
                format!("in process {number}")
            };
            let settings = farm_worker::Settings {
                backend: choice,
                cpu_threads: opened.threads,
                grace: Duration::ZERO,
                strip_timeout: STRIP_TIMEOUT,
                // Its orbits are this process' own.
                memory: u64::MAX,
            };
            workers.join(&name, queue.as_worker(&name), devices, settings);
        }
        workers
    }

    fn join<D: Compute + 'static>(
        &mut self,
        name: &str,
        queue: MemoryQueue,
        devices: Vec<D>,
        settings: farm_worker::Settings,
    ) {
        let meters = Arc::new(Meters::new(env!("CARGO_PKG_VERSION"), engine::build_id()));
        let (stop, stopped) = oneshot::channel();
        let told = async {
            let _ = stopped.await;
        };
        let run = farm_worker::run(queue, devices, settings, meters, told);
        let id = self.workers.spawn(run).id();
        self.names.insert(id, format!("worker '{name}'"));
        self.stop.push(stop);
    }

    /// Resolves when there is nobody left who could compute anything, and says why: how the last one ended.
    pub async fn nobody_left(&mut self) -> CollectError {
        let mut last = None;
        while let Some(ended) = self.workers.join_next_with_id().await {
            let id = match &ended {
                Ok((id, _)) => *id,
                Err(error) => error.id(),
            };
            let name = self.names.remove(&id).unwrap_or_default();
            let why = match ended {
                Ok((_, WorkerEnd { ended, .. })) => match ended {
                    EndReason::Hung(hung) => CollectError::Hung(hung),
                    EndReason::Broken(fault) => CollectError::Fault(fault),
                    // Nobody told it to.
                    EndReason::Told | EndReason::Ordered(_) => {
                        CollectError::Fault(Fault::ended(name))
                    }
                },
                Err(error) => CollectError::Fault(Fault::of_task(name, error)),
            };
            match &why {
                CollectError::Hung(hung) if !self.workers.is_empty() => {
                    tracing::warn!(
                        secs = hung.as_secs(),
                        "all devices of one worker hang; the others go on"
                    );
                }
                CollectError::Hung(_) => {}
                fault => tracing::error!("{fault}"),
            }
            last = Some(why);
        }
        match last {
            Some(why) => why,
            // There was none from the start.
            None => std::future::pending().await,
        }
    }

    /// Stops them, and waits until they have.
    pub async fn stop(mut self) {
        drop(std::mem::take(&mut self.stop));
        while self.workers.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use engine::cpu::CpuDevice;
    use engine::{DeviceInfo, EngineError, PreparedFrame, Progress};
    use farm_queue::{JobId, JobQueue, JobSpec, Order};
    use fractal::{FrameSpec, Grid, Measure, MeasureSet, Strip, StripBuffer, StripPlan, View};

    use super::*;

    /// One that computes nothing until nobody waits for it.
    struct Hanging(DeviceInfo);

    impl Compute for Hanging {
        fn info(&self) -> &DeviceInfo {
            &self.0
        }

        fn compute(
            &self,
            _: &PreparedFrame,
            _: Strip,
            _: bool,
            progress: &Progress,
        ) -> Result<StripBuffer, EngineError> {
            while !progress.is_cancelled() {
                std::thread::sleep(TIMEOUT / 20);
            }
            // Later, as a device does that is in the midst of a step of minutes.
            std::thread::sleep(10 * TIMEOUT);
            Err(EngineError::Cancelled)
        }
    }

    const TIMEOUT: Duration = Duration::from_millis(300);

    /// Workers on a job of some strips: one worker for each of `hang`, with a device that does or does not.
    async fn workers(hang: &[bool]) -> (Arc<MemoryQueue>, LocalWorkers) {
        let queue = Arc::new(MemoryQueue::default());
        let height = 24;
        let job = JobSpec {
            id: JobId::generate(),
            frame: FrameSpec {
                view: View::Bounds {
                    xmin: "-2".parse().unwrap(),
                    xmax: "0.5".parse().unwrap(),
                    ymin: "-1.5".parse().unwrap(),
                    ymax: "1.5".parse().unwrap(),
                },
                transform: fractal::Transform::default(),
                grid: Grid::Pixels,
                width: 16,
                height,
                iterations: 100,
                escape_radius: 256.0,
                z0: (0.0, 0.0),
                formula: fractal::Formula::default(),
                julia: None,
                skip_error_log2: fractal::SKIP_ERROR_LOG2,
                counts: fractal::Counts::Fast,
                measures: MeasureSet::default().with(Measure::Iterations),
            },
            strips: StripPlan {
                height,
                strip_rows: 1,
            },
            backend: BackendChoice::Cpu,
            max_workers: None,
            build: engine::build_id(),
            orbit: None,
            arithmetic: None,
            on: None,
        };
        queue.create(Arc::new(job.clone())).await.unwrap();
        let orders: Vec<_> = job.strips.strips().map(Order::from).collect();
        queue.enqueue(&job.id, &orders).await.unwrap();
        let settings = || farm_worker::Settings {
            backend: BackendChoice::Cpu,
            cpu_threads: Some(1),
            grace: Duration::ZERO,
            strip_timeout: TIMEOUT,
            memory: u64::MAX,
        };
        let mut workers = LocalWorkers::default();
        for (number, hangs) in hang.iter().enumerate() {
            let worker = queue.as_worker(&number.to_string());
            let good = Device::Cpu(CpuDevice::new(Some(1)));
            let name = &number.to_string();
            if *hangs {
                workers.join(name, worker, vec![Hanging(good.info().clone())], settings());
            } else {
                workers.join(name, worker, vec![good], settings());
            }
        }
        (queue, workers)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn when_all_devices_hang_nobody_waits_for_ever() {
        let (_queue, mut workers) = workers(&[true, true]).await;
        let why = tokio::time::timeout(100 * TIMEOUT, workers.nobody_left()).await;
        assert!(matches!(why.unwrap(), CollectError::Hung(hung) if hung >= TIMEOUT));
        workers.stop().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_that_works_is_enough() {
        let (_queue, mut workers) = workers(&[true, false]).await;
        let hung = tokio::time::timeout(10 * TIMEOUT, workers.nobody_left()).await;
        assert!(hung.is_err(), "{hung:?}");
        workers.stop().await;
    }

    #[tokio::test]
    async fn one_that_ends_by_a_fault_is_named() {
        let mut workers = LocalWorkers::default();
        let id = workers.workers.spawn(async { panic!("no more") }).id();
        workers.names.insert(id, "worker 'in process'".to_owned());
        let said = workers.nobody_left().await.to_string();
        assert_eq!(
            said,
            "worker 'in process' ended by a fault in the program: no more"
        );
    }
}
