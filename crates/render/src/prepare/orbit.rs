//! What a deep view needs before its strips can be queued: the reference orbit, and a frame with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// Cancels what runs on another thread when whoever waits for it does no more.
struct CancelOnDrop(Arc<engine::Progress>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Looks at a view on a thread of its own, until `ends` comes; `work` is cancelled when nobody waits for it any more.
///
/// # Errors
/// What `work` says; when `ends` comes first, or the thread panics.
async fn look<T: Send + 'static>(
    ends: impl Future<Output = CollectError>,
    work: impl FnOnce(&engine::Progress) -> Result<T, RenderError> + Send + 'static,
) -> Result<T, RenderError> {
    let cancel = CancelOnDrop(Arc::default());
    let progress = Arc::clone(&cancel.0);
    tokio::select! {
        looked = tokio::task::spawn_blocking(move || work(&progress)) => {
            looked.map_err(|error| Fault::of_task("the thread that looks at the view", error))?
        }
        why = ends => Err(why.into()),
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
    let steps = Arc::new(AtomicU64::new(0));
    let computed = look(ends, {
        let (frame, steps) = (plan.frame.clone(), Arc::clone(&steps));
        move |going| {
            let point = ReferencePoint::centre_of(&frame);
            let orbit = reference::compute(&frame, point, MOST_VALUES, &mut |made| {
                steps.store(made, Ordering::Relaxed);
                !going.is_cancelled()
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
        computed = computed => computed?,
        () = told => unreachable!("told for ever"),
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
    let spec = plan.frame.clone();
    let comparison = look(ends, move |progress| {
        let short = check::frame_of_doubles(&spec);
        let point = ReferencePoint::centre_of(&short);
        let going = &mut |_| !progress.is_cancelled();
        let orbit = reference::compute(&short, point, MOST_VALUES, going)?;
        let deep = PreparedFrame::with_reference(short, Arc::new(orbit))?;
        let plain = PreparedFrame::new(spec)?;
        Ok(check::doubles_suffice(&plain, &deep, progress)?)
    })
    .await?;
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
    let (spec, measure) = (plan.frame.clone(), plan.colours.measure());
    let orbit = orbit.map(|shared| Arc::clone(&shared.orbit));
    look(ends, move |progress| {
        let frame = PreparedFrame::of(spec, orbit)?;
        Ok(sampled(&frame, measure, progress))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[tokio::test]
    async fn a_look_that_nobody_waits_for_is_cancelled() {
        let (tell, told) = sync_channel(1);
        let never = std::future::pending();
        let looks = look(never, move |progress| {
            while !progress.is_cancelled() {
                std::thread::yield_now();
            }
            let _ = tell.send(());
            Ok(())
        });
        let waited = tokio::time::timeout(TICK, looks).await;
        assert!(waited.is_err());
        told.recv_timeout(600 * TICK).unwrap();
    }
}
