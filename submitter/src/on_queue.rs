//! The queue that a plan is carried out on, whichever it is: one in memory with a crew of workers in process, or the
//! farm's.

use std::pin::Pin;
use std::sync::Arc;

use farm_queue::JobQueue;
use farm_queue::memory::MemoryQueue;
use farm_queue::redis::RedisJobQueue;
use fractal::BackendChoice;

use crate::collect::CollectError;
use crate::crew::{self, Crew};
use crate::interrupt::{aside, doing};
use crate::plan::Place;

/// What is done on a queue.
pub trait OnQueue {
    /// What comes of it.
    type Done;

    /// Does it; `ends` ends it before its time, and says why.
    fn run<Q: JobQueue>(
        self,
        queue: &Arc<Q>,
        ends: Pin<&mut impl Future<Output = CollectError>>,
    ) -> impl Future<Output = anyhow::Result<Self::Done>>;
}

/// Does `work` on the queue of `place`, with devices of the kinds that `backend` allows where it is in process.
/// `interrupt` ends it at any time; what takes long is said, but where `quiet`.
///
/// # Errors
/// When a device cannot be opened or the farm not be reached; and those of `work`.
pub async fn on_queue<W: OnQueue>(
    place: &Place,
    backend: BackendChoice,
    quiet: bool,
    interrupt: impl Future<Output = CollectError>,
    work: W,
) -> anyhow::Result<W::Done> {
    tokio::pin!(interrupt);
    match place {
        Place::InProcess { workers, threads } => {
            let queue = Arc::new(MemoryQueue::default());
            let open = crew::opening(backend, *workers, *threads);
            let opened = aside("opening devices", quiet, interrupt.as_mut(), open).await??;
            let mut crew = Crew::start(&queue, backend, opened);
            let done = {
                let ends = async {
                    tokio::select! {
                        why = &mut interrupt => why,
                        why = crew.nobody_left() => why,
                    }
                };
                tokio::pin!(ends);
                work.run(&queue, ends).await
            };
            crew.stop().await;
            done
        }
        Place::Farm { farm, .. } => {
            // Not said while it lasts: it ends by itself within seconds, in one line where it fails.
            let connecting = doing("waiting for Redis", true);
            let queue = tokio::select! {
                connected = RedisJobQueue::connect(&**farm) => Arc::new(connected?),
                why = &mut interrupt => return Err(why.into()),
            };
            drop(connecting);
            work.run(&queue, interrupt).await
        }
    }
}
