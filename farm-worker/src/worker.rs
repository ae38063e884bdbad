//! All lanes of one worker, until it is told to stop.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use engine::Device;
use farm_queue::WorkerQueue;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::frames::Frames;
use crate::lane::run_slot;
use crate::shared::{Settings, Shared, Stats, Stop, Tally};

/// Strips that one lane has in hand at a time, those on their way back included.
const SLOTS_PER_LANE: usize = 4;
/// Strips of those that are leased or computed: the next one is there when one is done. More would be kept from
/// other workers towards a job's end.
const COMPUTED_PER_LANE: usize = 2;

/// Serves `queue` with one lane for each of `devices` until `shutdown` is ready; then takes nothing new,
/// gives strips in hand `settings.grace` to finish, gives back the rest uncounted, and leaves the farm.
pub async fn run<Q: WorkerQueue>(
    queue: Q,
    devices: Vec<Device>,
    settings: Settings,
    shutdown: impl Future<Output = ()>,
) -> Stats {
    let (stop, stopped) = watch::channel(Stop::No);
    let grace = settings.grace;
    let shared = Arc::new(Shared {
        queue,
        settings,
        frames: Frames::default(),
        tally: Tally::default(),
        fallback: OnceLock::new(),
        stop: stopped,
    });
    let mut slots = JoinSet::new();
    for device in devices {
        let device = Arc::new(device);
        tracing::info!(device = %device.info().name, arithmetics = ?device.info().arithmetics, "lane opened");
        let turns = Arc::new(Semaphore::new(COMPUTED_PER_LANE));
        for _ in 0..SLOTS_PER_LANE {
            slots.spawn(run_slot(
                Arc::clone(&shared),
                Arc::clone(&device),
                Arc::clone(&turns),
            ));
        }
    }
    shutdown.await;
    stop.send_replace(Stop::Soon);
    if tokio::time::timeout(grace, all_of(&mut slots))
        .await
        .is_err()
    {
        stop.send_replace(Stop::Now);
        all_of(&mut slots).await;
    }
    if let Err(error) = shared.queue.leave().await {
        tracing::warn!(%error, "could not sign off; the farm will notice by itself");
    }
    shared.tally.stats()
}

async fn all_of(slots: &mut JoinSet<()>) {
    while let Some(ended) = slots.join_next().await {
        if let Err(panic) = ended {
            tracing::error!(%panic, "a lane's slot ended by a fault in the program");
        }
    }
}
