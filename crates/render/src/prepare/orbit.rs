//! What a deep view needs before its strips can be queued: the reference orbit, and a frame with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use colour::Distribution;
use engine::{PreparedFrame, check};
use farm_queue::SharedOrbit;
use farm_worker::Fault;
use fractal::reference::{self, ReferencePoint};

use super::samples::sampled;
use crate::error::{CollectError, RenderError};
use crate::plan::{Place, RenderPlan};
use crate::progress::{Ending, Event, Progress};

/// Most values of a reference orbit: what is made of them takes up to 64 bytes each, here and on every worker.
const MOST_VALUES: u64 = 1 << 27;
/// How often the bar is told how far the orbit is.
const TICK: Duration = Duration::from_millis(100);

/// That a thread of these panicked.
fn fault(error: tokio::task::JoinError) -> Fault {
    Fault::of_task("the thread that looks at the view", error)
}

/// Stops what runs on another thread when whoever waits for it does no more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The reference orbit of a plan's view, of which `progress` is told; `None` where pixels are iterated plainly.
///
/// # Errors
/// When it is too long, or `ends` comes first.
pub async fn reference(
    plan: &RenderPlan,
    progress: &dyn Progress,
    ends: impl Future<Output = CollectError>,
) -> Result<Option<SharedOrbit>, RenderError> {
    tokio::pin!(ends);
    let deltas = plan.arithmetic.deltas
        || plan.arithmetic.checked && !doubles_suffice(plan, ends.as_mut()).await?;
    if !deltas {
        return Ok(None);
    }
    let stop = StopOnDrop(Arc::default());
    let steps = Arc::new(AtomicU64::new(0));
    let computed = tokio::task::spawn_blocking({
        let (frame, stopped, steps) = (plan.frame.clone(), Arc::clone(&stop.0), Arc::clone(&steps));
        move || {
            let point = ReferencePoint::centre_of(&frame);
            let orbit = reference::compute(&frame, point, MOST_VALUES, &mut |made| {
                steps.store(made, Ordering::Relaxed);
                !stopped.load(Ordering::Relaxed)
            })?;
            SharedOrbit::new(Arc::new(orbit)).ok_or(RenderError::OrbitTooLong)
        }
    });
    let began = Event::OrbitBegan {
        most: plan.frame.iterations,
    };
    let ending = Ending::after(progress, began, Event::OrbitEnded);
    let told = async {
        loop {
            tokio::time::sleep(TICK).await;
            progress.tell(Event::OrbitSteps(steps.load(Ordering::Relaxed)));
        }
    };
    let shared = tokio::select! {
        computed = computed => computed.map_err(fault)??,
        () = told => unreachable!("told for ever"),
        ended = &mut ends => return Err(ended.into()),
    };
    drop(ending);
    tracing::info!(
        steps = shared.orbit.steps(),
        end = ?shared.orbit.end,
        bits = shared.orbit.point.bits,
        bytes = shared.key.bytes(),
        "reference orbit"
    );
    Ok(Some(match plan.place {
        Place::InProcess { .. } => shared.without_bytes(),
        Place::Farm { .. } => shared,
    }))
}

/// Whether plain doubles are exact enough for a plan's view, by samples of it; in a few milliseconds.
///
/// # Errors
/// When `ends` comes first.
async fn doubles_suffice(
    plan: &RenderPlan,
    ends: impl Future<Output = CollectError>,
) -> Result<bool, RenderError> {
    let progress = Arc::new(engine::Progress::default());
    let compared = tokio::task::spawn_blocking({
        let (spec, progress) = (plan.frame.clone(), Arc::clone(&progress));
        move || {
            let short = check::frame_of_doubles(&spec);
            let point = ReferencePoint::centre_of(&short);
            let going = &mut |_| !progress.is_cancelled();
            let orbit = reference::compute(&short, point, MOST_VALUES, going)?;
            let deep = PreparedFrame::with_reference(short, Arc::new(orbit))?;
            let plain = PreparedFrame::new(spec)?;
            Ok::<_, RenderError>(check::doubles_suffice(&plain, &deep, &progress)?)
        }
    });
    let comparison = tokio::select! {
        compared = compared => compared.map_err(fault)??,
        ended = ends => {
            progress.cancel();
            return Err(ended.into());
        }
    };
    let suffices = comparison.is_within(check::MOST_PERCENT_OF_DOUBLES);
    tracing::info!(
        samples = comparison.samples,
        off = comparison.off,
        falsely_inside = comparison.falsely_inside,
        arithmetic = if suffices { "plain doubles" } else { "deltas" },
        "plain doubles compared with deltas"
    );
    Ok(suffices)
}

/// The values that colours are spread over, from samples of the view.
///
/// # Errors
/// When `ends` comes first.
pub async fn sampled_values(
    plan: &RenderPlan,
    orbit: Option<&SharedOrbit>,
    ends: impl Future<Output = CollectError>,
) -> Result<Distribution, RenderError> {
    let progress = Arc::new(engine::Progress::default());
    let sampled = tokio::task::spawn_blocking({
        let (spec, progress) = (plan.frame.clone(), Arc::clone(&progress));
        let measure = plan.colours.measure();
        let orbit = orbit.map(|shared| Arc::clone(&shared.orbit));
        move || {
            let frame = match orbit {
                Some(orbit) => PreparedFrame::with_reference(spec, orbit),
                None => PreparedFrame::new(spec),
            };
            frame.map(|frame| sampled(&frame, measure, &progress))
        }
    });
    tokio::select! {
        sampled = sampled => Ok(sampled.map_err(fault)??),
        ended = ends => {
            progress.cancel();
            Err(ended.into())
        }
    }
}
