//! The whole way of a sequence: key frames are computed, and frames are made of them meanwhile.

use render::Deed;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use farm_worker::Fault;
use render::progress::Ending;
use render::queue::open::OpenQueue;
use render::{CollectError, Event, Progress, RenderError, Report, Stop};
use tokio::sync::oneshot;

use crate::error::ZoomError;
use crate::frames::pipeline::{Assembled, Assembling};
use crate::keys::folder::{Folder, Record};
use crate::keys::make::{Making, News};
use crate::plan::plan::ZoomPlan;
use crate::report::{self, SequenceReport};
use crate::sinks::sink::{RawStream, Sink};

/// How long threads that nobody waits for any more may take to end.
const LAST_GASP: Duration = Duration::from_secs(5);

/// A sequence of which nothing can be refused any more.
pub struct Sequence {
    /// The whole plan.
    pub plan: Arc<ZoomPlan>,
    /// Where key frames are.
    pub folder: Arc<Folder>,
    /// Its key frames in order, with the records of those that are there.
    pub keys: Vec<(u32, Option<Record>)>,
    /// Where frames go that are to be raw.
    pub raw: RawStream,
    /// When the work began.
    pub started: Instant,
}

impl Sequence {
    /// Makes it: computes the key frames that are missing and, beside that, frames of those that are there. `stop` ends
    /// it at any time.
    ///
    /// # Errors
    /// Why there is no sequence; nothing half-written is left of it, and finished key frames stay in their folder.
    pub fn make<'a>(
        self,
        progress: Arc<dyn Progress>,
        stop: &'a Stop,
    ) -> Deed<'a, Result<SequenceReport, ZoomError>> {
        Box::pin(async move {
            let Self {
                plan,
                folder,
                keys,
                raw,
                started,
            } = self;
            let (plan, folder) = (&plan, &folder);
            let mut interrupt = pin!(stop.requested());
            let are_missing = keys.iter().any(|(_, record)| record.is_none());
            let began = Event::SequenceBegan {
                key_frames: keys.len() as u32,
                frames: plan.timing.frames,
                computes: are_missing,
            };
            let ending = Ending::after(&*progress, began, Event::SequenceEnded);
            // Room for all there is to tell: key frames lie on the disk, whoever is behind.
            let (news, told) = sync_channel::<News>(keys.len() + 1);
            let frames_stop = Arc::new(AtomicBool::new(false));
            let assembling = Assembling {
                plan: Arc::clone(plan),
                folder: Arc::clone(folder),
                progress: Arc::clone(&progress),
                stop: Arc::clone(&frames_stop),
            };
            let sink = Sink::open(plan, raw)?;
            let (end, mut ended) = oneshot::channel::<Result<Assembled, ZoomError>>();
            std::thread::Builder::new()
                .name("frames".into())
                .spawn(move || {
                    let _ = end.send(assembling.run(told, sink));
                })?;
            let mut early = None;
            let made = {
                let ends = async {
                    tokio::select! {
                        () = &mut interrupt => CollectError::Interrupted,
                        end = &mut ended => {
                            early = Some(end);
                            CollectError::Output
                        }
                    }
                };
                let making = Making {
                    plan,
                    folder,
                    keys,
                    news: &news,
                    progress: &*progress,
                };
                make_keys(making, are_missing, ends).await
            };
            drop(news);
            let assembled = match (&made, early) {
                (_, Some(end)) => Ok(end),
                (Ok(_), None) => tokio::select! {
                    () = &mut interrupt => Err(CollectError::Interrupted),
                    end = &mut ended => Ok(end),
                },
                (Err(_), None) => {
                    frames_stop.store(true, Ordering::Relaxed);
                    // What is unfinished of the file goes with its thread.
                    let end = tokio::time::timeout(LAST_GASP, &mut ended).await;
                    match (&made, end) {
                        // The file says better what is wrong with it.
                        (
                            Err(ZoomError::Render(RenderError::Collect(CollectError::Output))),
                            Ok(end),
                        ) => Ok(end),
                        _ => Err(CollectError::Interrupted),
                    }
                }
            };
            drop(ending);
            let assembled = match assembled {
                Ok(end) => end.map_err(|_| Fault::ended("the thread that makes frames"))??,
                Err(interrupted) => {
                    frames_stop.store(true, Ordering::Relaxed);
                    made?;
                    let _ = tokio::time::timeout(LAST_GASP, ended).await;
                    return Err(interrupted.into());
                }
            };
            Ok(report(plan, folder, &made?, assembled, started))
        })
    }
}

/// Makes the key frames that are missing: on a queue, where any is. The reports of their renders.
async fn make_keys(
    making: Making<'_>,
    are_missing: bool,
    ends: impl Future<Output = CollectError>,
) -> Result<Vec<Report>, ZoomError> {
    let known = match making.known_values() {
        Some(values) if !are_missing => {
            making.tell_all(values)?;
            return Ok(Vec::new());
        }
        known => known,
    };
    let mut ends = pin!(ends);
    let (place, backend) = (&making.plan.place, making.plan.backend);
    let mut opened = OpenQueue::open(place, backend, making.progress, ends.as_mut()).await?;
    let queue = opened.queue();
    let reports = (making.run(&queue, known, pin!(opened.until_ended(ends)))).await;
    opened.close().await;
    reports
}

fn report(
    plan: &ZoomPlan,
    folder: &Folder,
    made: &[Report],
    assembled: Assembled,
    started: Instant,
) -> SequenceReport {
    let iterations_keys = assembled
        .records
        .values()
        .map(|record| record.iterations_total)
        .sum();
    let iterations_direct = report::direct(plan, &assembled.records);
    let kept = |path: &Path| path.to_string_lossy().into_owned();
    SequenceReport {
        width: plan.size.0,
        height: plan.size.1,
        frames: plan.timing.frames,
        fps: plan.fps,
        duration_secs: f64::from(plan.timing.frames) / plan.fps,
        octaves: plan.timing.octaves,
        key_frames: assembled.records.len() as u32,
        key_frames_made: made.len() as u32,
        key_width: plan.sequence.key.0,
        key_height: plan.sequence.key.1,
        iterations_total: made.iter().map(|report| report.iterations_total).sum(),
        iterations_keys,
        iterations_direct: iterations_direct as u128,
        times_less: iterations_direct / (iterations_keys as f64).max(1.0),
        colour_range: assembled.range,
        composed_fps: f64::from(plan.timing.frames) / assembled.composing.as_secs_f64().max(1e-9),
        elapsed_secs: started.elapsed().as_secs_f64(),
        keys: (!plan.is_temporary).then(|| kept(folder.path())),
        output: assembled.output,
    }
}
