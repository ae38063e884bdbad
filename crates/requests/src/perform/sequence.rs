//! A sequence of frames into a place.

use render::Deed;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use render::Stop;
use render::progress::{Event, Progress};
use render::stop::aside;
use serde::Serialize;
use zoom::keys::folder::Folder;
use zoom::keys::make::{some_missing, temporary, there};
use zoom::plan::target::Target;
use zoom::sinks::ffmpeg::check_encoder;
use zoom::sinks::sink::RawStream;
use zoom::{Sequence, SequenceReport as Report, ZoomError, ZoomPlan};

use crate::error::Error;
use crate::place::placing::{Placing, find_place};
use crate::place::staging::Staged;
use crate::place::worth::{self, Decision};
use crate::plan;
use crate::request::{FarmMeans, SequenceMeans, SequenceRequest};

/// Key frames from which the work of all is predicted.
const PREDICTED: usize = 8;

/// What a sequence says when it is done.
#[derive(Clone, Debug, Serialize)]
pub struct SequenceReport {
    /// The sequence.
    #[serde(flatten)]
    pub report: Report,
    /// Why it was computed where it was, where that was a question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Decision>,
}

/// Makes the sequence that is requested; `raw` takes its frames where they are to be raw. `stop` ends it at any time.
///
/// Call it within a runtime of tokio's of several threads.
///
/// # Errors
/// Why there is no sequence; key frames that are finished are kept, so that the same request goes on.
pub fn sequence<'a>(
    request: SequenceRequest,
    means: SequenceMeans,
    raw: RawStream,
    progress: Arc<dyn Progress>,
    stop: &'a Stop,
) -> Deed<'a, Result<SequenceReport, Error>> {
    Box::pin(async move {
        let farm = means.farm.clone();
        let read = move || {
            let plan = plan::sequence::sequence(&request, &means)?;
            Ok::<_, Error>(prepare(plan)?)
        };
        let what = "reading what the request names";
        let prepared = aside(what, &*progress, false, stop.interrupts(), read).await??;
        for warning in &prepared.plan.warnings {
            progress.tell(Event::Warning(warning));
        }
        let frames = u64::from(prepared.plan.timing.frames);
        if let Target::Pictures(pattern) = &prepared.plan.target
            && let Some(beyond) = pattern.beyond(frames)
        {
            let line = format!("of {frames} frames: {beyond} these");
            progress.tell(Event::Warning(&line));
        }
        let Prepared { plan, folder, path } = prepared;
        let is_kept = plan.folder.is_some();
        let folder = Arc::new(folder);
        let made = make(plan, &folder, &farm, raw, &progress, stop).await;
        match (made, Arc::into_inner(folder)) {
            (Ok(report), folder) => {
                if let Some(folder) = folder {
                    folder.done();
                }
                Ok(report)
            }
            (Err(error), Some(folder)) if !is_kept || !folder.holds_any() => {
                // Nothing that the same command could go on with.
                folder.done();
                Err(error)
            }
            (Err(error), _) => Err(Error::Within {
                what: format!(
                    "stopped; key frames are kept in {}, and the same command goes on",
                    path.display()
                ),
                source: Box::new(error),
            }),
        }
    })
}

/// A sequence of which nothing can be refused any more.
struct Prepared {
    plan: ZoomPlan,
    folder: Folder,
    path: PathBuf,
}

/// Refuses before any work starts what can be refused.
fn prepare(mut plan: ZoomPlan) -> Result<Prepared, ZoomError> {
    if let Some(video) = &mut plan.video {
        check_encoder(video)?;
    }
    let path = match &plan.folder {
        Some(path) => path.clone(),
        None => temporary()?,
    };
    let folder = Folder::open(&path, &plan.sequence, plan.is_temporary)?;
    Ok(Prepared { plan, folder, path })
}

/// Makes a sequence in its place.
async fn make(
    plan: ZoomPlan,
    folder: &Arc<Folder>,
    farm: &FarmMeans,
    raw: RawStream,
    progress: &Arc<dyn Progress>,
    stop: &Stop,
) -> Result<SequenceReport, Error> {
    let started = Instant::now();
    let look = {
        let (plan, folder) = (plan.clone(), Arc::clone(folder));
        move || there(&plan, &folder)
    };
    let what = "checking key frames that are there";
    let keys = aside(what, &**progress, true, stop.interrupts(), look).await?;
    // Where there is nothing to compute nobody is asked, and nothing boots.
    let placing = if keys.iter().any(|(_, record)| record.is_none()) {
        // Not on the thread that predicts, which might keep the folder for longer than anybody waits.
        let some = some_missing(&plan, folder, &keys, PREDICTED);
        let predict = move || {
            let (plans, each) = some?;
            worth::predict_all(&plans, each)
        };
        find_place(farm, plan.place.clone(), predict, &**progress, stop).await?
    } else {
        Placing::at(plan.place.clone())
    };
    let decision = placing.decision.clone();
    if let Some(decision) = &decision {
        progress.tell(Event::Note(&decision.line()));
    }
    let staged = Staged::ready(placing, &**progress, stop).await?;
    let sequence = Sequence {
        plan: Arc::new(ZoomPlan {
            place: staged.place.clone(),
            ..plan
        }),
        folder: Arc::clone(folder),
        keys,
        raw,
        started,
    };
    let made = sequence.make(Arc::clone(progress), stop).await;
    staged.end().await;
    Ok(SequenceReport {
        report: made?,
        fallback: decision,
    })
}
