//! Opens the queue of a place: with workers of its own where it is in process.

use std::pin::Pin;
use std::sync::Arc;

use farm_queue::memory::MemoryQueue;
use farm_queue::redis::{ConnectOptions, RedisJobQueue};
use fractal::BackendChoice;

use super::local_workers::{LocalWorkers, open_devices};
use super::queue::Queue;
use crate::error::{CollectError, RenderError};
use crate::plan::Place;
use crate::progress::{Ending, Progress};
use crate::stop::aside;

/// A queue, and the workers in process that serve it.
pub struct OpenQueue {
    queue: Queue,
    workers: Option<LocalWorkers>,
}

impl OpenQueue {
    /// Opens the queue of `place`, with devices of the kinds that `backend` allows where it is in process; until `ends`
    /// comes.
    ///
    /// # Errors
    /// When a device cannot be opened, the farm cannot be reached, or `ends` comes first.
    pub async fn open(
        place: &Place,
        backend: BackendChoice,
        progress: &dyn Progress,
        mut ends: Pin<&mut impl Future<Output = CollectError>>,
    ) -> Result<Self, RenderError> {
        match place {
            Place::InProcess { workers, threads } => {
                let queue = Arc::new(MemoryQueue::default());
                let open = open_devices(backend, *workers, *threads);
                let devices = aside("opening devices", progress, true, ends, open).await??;
                let workers = LocalWorkers::start(&queue, backend, devices);
                Ok(Self {
                    queue: Queue::Memory(queue),
                    workers: Some(workers),
                })
            }
            Place::Farm { farm, .. } => {
                // Not told while it lasts: it ends by itself within seconds, in one line where it fails.
                let _activity = Ending::activity(progress, "waiting for Redis", false);
                let queue = tokio::select! {
                    connected = RedisJobQueue::connect(&**farm) => Arc::new(connected?),
                    why = &mut ends => return Err(why.into()),
                };
                Ok(Self {
                    queue: Queue::Redis(queue),
                    workers: None,
                })
            }
        }
    }

    /// Opens the queue of a farm for jobs that come before those of other submitters, by this weight.
    ///
    /// # Errors
    /// When the farm cannot be reached, or `ends` comes first.
    pub async fn open_urgent(
        farm: &ConnectOptions,
        priority: f64,
        ends: Pin<&mut impl Future<Output = CollectError>>,
    ) -> Result<Self, RenderError> {
        let queue = tokio::select! {
            connected = RedisJobQueue::connect(farm) => connected?.of_priority(priority),
            why = ends => return Err(why.into()),
        };
        Ok(Self {
            queue: Queue::Redis(Arc::new(queue)),
            workers: None,
        })
    }

    /// The queue.
    #[must_use]
    pub fn queue(&self) -> Queue {
        self.queue.clone()
    }

    /// Resolves when `ends` does, or when nobody is left in process who could compute anything; says why.
    pub async fn until_ended(&mut self, ends: impl Future<Output = CollectError>) -> CollectError {
        let nobody_left = async {
            match &mut self.workers {
                Some(workers) => workers.nobody_left().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            why = ends => why,
            why = nobody_left => why,
        }
    }

    /// Stops its workers, and waits until they have.
    pub async fn close(self) {
        if let Some(workers) = self.workers {
            workers.stop().await;
        }
    }
}
