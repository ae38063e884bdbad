//! All lanes of one worker, until it is told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engine::Compute;
use farm_queue::{LeaveOrder, WorkerAbout, WorkerFigures, WorkerQueue};
use fractal::Backend;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fault::Fault;
use crate::lanes::frames::Frames;
use crate::lanes::lane::{Lane, run_slot};
use crate::lanes::pace::SLOTS_PER_LANE;
use crate::lanes::shared::{Settings, Shared, Stop};
use crate::lanes::station::Station;
use crate::metrics::meters::Meters;

/// How often lanes that hang are looked at, at least.
const LOOK: Duration = Duration::from_secs(1);
/// How often figures that have changed are told.
const TELL: Duration = Duration::from_secs(2);

/// Why a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It was told to.
    Told,
    /// An operator asked the farm to do without it, so.
    Ordered(LeaveOrder),
    /// Every device has hung for this long: nothing but a new process will help.
    Hung(Duration),
    /// A task of it ended in the midst of its work.
    Broken(Fault),
}

/// What a worker did, and why it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerEnd {
    /// What it did.
    pub figures: WorkerFigures,
    /// Why it ended.
    pub ended: EndReason,
}

/// Serves `queue` with one lane for each of `devices` until `shutdown` is ready or the queue says that an operator
/// wants to do without this worker; then takes nothing new,
/// gives strips in hand `settings.grace` to finish, gives back the rest uncounted, and leaves the farm.
///
/// Call `queue.describe` before: see [`about`].
///
/// A device that shows no progress for too long loses its strip and takes no other one until it moves again; when
/// all of them hang, the worker ends.
pub async fn run<Q: WorkerQueue, D: Compute + 'static>(
    queue: Q,
    devices: Vec<D>,
    settings: Settings,
    meters: Arc<Meters>,
    shutdown: impl Future<Output = ()>,
) -> WorkerEnd {
    let (stop, stopped) = watch::channel(Stop::No);
    let (mut grace, timeout) = (settings.grace, settings.strip_timeout);
    let shared = Arc::new(Shared {
        queue,
        frames: Frames::new(settings.memory),
        settings,
        meters,
        fallback: OnceLock::new(),
        stop: stopped,
    });
    let mut slots = JoinSet::new();
    let mut lanes = Vec::new();
    for device in devices {
        let info = device.info();
        tracing::info!(device = %info.name, arithmetics = ?info.arithmetics, "lane opened");
        shared.meters.add_device(info);
        let lane = Arc::new(Lane::new(Arc::new(Station::new(Arc::new(device)))));
        for _ in 0..SLOTS_PER_LANE {
            slots.spawn(run_slot(Arc::clone(&shared), Arc::clone(&lane)));
        }
        lanes.push(lane);
    }
    shared.meters.set_up(true);
    let ended = tokio::select! {
        () = shutdown => EndReason::Told,
        order = shared.queue.leave_order() => EndReason::Ordered(order),
        hung = wait_until_all_hung(&lanes, timeout) => EndReason::Hung(hung),
        helper = shared.queue.broken() => EndReason::Broken(Fault::ended(helper)),
        fault = wait_for_slot_end(&mut slots) => EndReason::Broken(fault),
        never = report_figures(&shared) => match never {},
    };
    shared.meters.set_up(false);
    if matches!(
        ended,
        EndReason::Hung(_) | EndReason::Ordered(LeaveOrder::Stop)
    ) {
        grace = Duration::ZERO;
    }
    stop.send_replace(Stop::Soon);
    if tokio::time::timeout(grace, join_all(&mut slots))
        .await
        .is_err()
    {
        stop.send_replace(Stop::Now);
        join_all(&mut slots).await;
    }
    shared.queue.tell(shared.meters.figures());
    if let Err(error) = shared.queue.leave().await {
        tracing::warn!(%error, "could not sign off; the farm will notice by itself");
    }
    WorkerEnd {
        figures: shared.meters.figures(),
        ended,
    }
}

/// Waits until one of the slots has ended, which none does before it is told to.
async fn wait_for_slot_end(slots: &mut JoinSet<()>) -> Fault {
    let name = "the task that computes strips";
    match slots.join_next().await {
        None => std::future::pending().await,
        Some(Ok(())) => Fault::ended(name),
        Some(Err(error)) => Fault::of_task(name, error),
    }
}

/// Waits until every lane has hung for `timeout`; says for how long.
async fn wait_until_all_hung(lanes: &[Arc<Lane>], timeout: Duration) -> Duration {
    loop {
        tokio::time::sleep(timeout.min(LOOK)).await;
        // That of the lane which hung last; `None` as soon as one lane works.
        let hung = lanes
            .iter()
            .map(|lane| lane.hung_for())
            .min()
            .unwrap_or_default();
        if let Some(hung) = hung.filter(|hung| *hung >= timeout) {
            return hung;
        }
    }
}

/// Tells the queue what the worker has done, again whenever that has changed; and the meters what the queue holds.
async fn report_figures<Q: WorkerQueue>(shared: &Shared<Q>) -> Infallible {
    let mut told = WorkerFigures::default();
    loop {
        let figures = shared.meters.figures();
        if figures != told {
            shared.queue.tell(figures);
            told = figures;
        }
        if let Some(strips) = shared.queue.depth() {
            shared.meters.set_queue_depth(strips);
        }
        tokio::time::sleep(TELL).await;
    }
}

/// What a worker of this build says of itself, for `workers list`; it also decides which jobs it is offered. `speed` is
/// that of all its devices together, in iterations a second; 0 when it was not measured.
pub fn about<D: Compute>(devices: &[D], host: String, speed: u64) -> WorkerAbout {
    let has = |backend| (devices.iter()).any(|device| device.info().backend == backend);
    let backends = [Backend::Cpu, Backend::Gpu];
    let kinds: Vec<&str> = (backends.into_iter().filter(|backend| has(*backend)))
        .map(Backend::name)
        .collect();
    WorkerAbout {
        host,
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        build: engine::build_id(),
        devices: (devices.iter())
            .map(|device| device.info().name.clone())
            .collect(),
        backend: kinds.join(","),
        arithmetics: (devices.iter())
            .filter_map(|device| device.info().arithmetics.first())
            .map(|arithmetic| arithmetic.name().to_owned())
            .collect(),
        speed,
        cores: std::thread::available_parallelism()
            .map_or(0, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
        threads: 0,
        tags: Vec::new(),
    }
}

async fn join_all(slots: &mut JoinSet<()>) {
    while let Some(ended) = slots.join_next().await {
        if let Err(panic) = ended {
            tracing::error!(%panic, "a lane's slot ended by a fault in the program");
        }
    }
}
