//! The workers of a render in process: the same as on a farm, on a queue in memory.

use std::sync::Arc;
use std::time::Duration;

use engine::device;
use farm_queue::memory::MemoryQueue;
use farm_worker::Meters;
use fractal::BackendChoice;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How long a device of this process may show no progress before its strip goes to another one.
const STRIP_TIMEOUT: Duration = Duration::from_secs(60);

/// The workers of a render in process.
pub struct Crew {
    stop: Vec<oneshot::Sender<()>>,
    workers: JoinSet<()>,
}

impl Crew {
    /// Opens devices for `workers` workers that share this machine's cores.
    ///
    /// # Errors
    /// When a device cannot be opened.
    pub fn start(
        queue: &Arc<MemoryQueue>,
        choice: BackendChoice,
        workers: u16,
    ) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (workers > 1).then(|| (cores / usize::from(workers)).max(1));
        let mut crew = Self {
            stop: Vec::new(),
            workers: JoinSet::new(),
        };
        for number in 1..=workers {
            let name = if workers == 1 {
                "in process".to_owned()
            } else {
                format!("in process {number}")
            };
            let devices = device::open(choice, threads)?;
            let settings = farm_worker::Settings {
                backend: choice,
                cpu_threads: threads,
                grace: Duration::ZERO,
                strip_timeout: STRIP_TIMEOUT,
            };
            let meters = Arc::new(Meters::new(env!("CARGO_PKG_VERSION"), engine::build_id()));
            let (stop, stopped) = oneshot::channel();
            let worker =
                farm_worker::run(queue.as_worker(&name), devices, settings, meters, async {
                    let _ = stopped.await;
                });
            crew.workers.spawn(async move {
                worker.await;
            });
            crew.stop.push(stop);
        }
        Ok(crew)
    }

    /// Stops them, and waits until they have.
    pub async fn stop(mut self) {
        drop(std::mem::take(&mut self.stop));
        while self.workers.join_next().await.is_some() {}
    }
}
