//! What a job will cost, before it is begun.

use fractal::{Counts, FrameSpec, Grid, Measure, MeasureSet, StripPlan};
use render::RenderPlan;
use render::tile::tiles::{Tiles, Wanted};
use render::{RenderError, Stop};
use requests::perform::preview::Preview;
use requests::place::placing::Placing;
use requests::place::worth;
use serde::Serialize;
use utoipa::ToSchema;

use super::request::PlannedJob;
use crate::answer::Problem;
use crate::farm::Crew;

/// Samples along the longer side of what is computed to predict the rest.
const SAMPLES: u32 = 160;
/// Key frames of a sequence that the others are predicted from.
const KEY_FRAMES: u32 = 4;
/// Bytes of values that are held at a time, at most.
const WINDOW_BYTES: u64 = 128 << 20;

/// What a job will cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct Estimate {
    /// Columns of pixels.
    pub width: u32,
    /// Rows of pixels.
    pub height: u32,
    /// Samples, of all key frames in a sequence.
    pub samples: u64,
    /// Frames of a sequence.
    pub frames: Option<u32>,
    /// Key frames of a sequence.
    pub key_frames: Option<u32>,
    /// Iterations, predicted from a coarse grid.
    pub iterations: f64,
    /// Seconds that it will take, those of reference orbits and of encoding left out.
    pub seconds: f64,
    /// Where it is computed, in words.
    pub place: String,
    /// Bytes of memory on the server, about.
    pub memory_bytes: u64,
    /// Bytes of the files, at most; of a video about.
    pub file_bytes: u64,
    /// Bytes of what is kept on the disk until it is done.
    pub work_bytes: u64,
    /// What may not be as whoever asks wants it.
    pub warnings: Vec<String>,
}

impl PlannedJob {
    /// Computes a little of it on `tiles`, and says what the whole costs on the farm's `crew`, or here where there is none.
    ///
    /// # Errors
    /// When it cannot be computed, or `stop` comes.
    pub async fn estimate(
        &self,
        tiles: &Tiles,
        crew: Option<Crew>,
        stop: &Stop,
    ) -> Result<Estimate, Problem> {
        let (width, height) = self.size();
        let (plans, each) = self.some_of_it().map_err(requests::Error::from)?;
        let (mut iterations, mut seconds, mut samples) = (0.0, 0.0, 0.0);
        let mut memory_bytes = 0;
        for plan in &plans {
            let placing = Placing::at(plan.place.clone());
            let preview = Preview::of(plan, &placing);
            let orbit = preview
                .reference
                .as_ref()
                .map_or(0, |orbit| orbit.most_bytes);
            memory_bytes = memory_bytes.max(orbit + preview.picture_bytes.min(WINDOW_BYTES));
            let tile = tiles.tile(coarse(plan), Wanted::Any(plan), stop).await?;
            let share = preview.pixels as f64 / tile.report.pixels.max(1) as f64 * each;
            iterations += tile.report.iterations_total as f64 * share;
            seconds += tile.report.elapsed_secs * share;
            samples += preview.pixels as f64 * each;
        }
        let (place, seconds) = match crew {
            Some(crew) if crew.workers > 0 => {
                let here = plans.first().map(speed_here).transpose()?.unwrap_or(1);
                // Who has not measured itself counts as this machine.
                let speed = crew.speed + crew.unmeasured as u64 * here;
                let faster = speed.max(1) as f64 / here.max(1) as f64;
                (
                    format!("on {} workers of the farm", crew.workers),
                    seconds / faster,
                )
            }
            Some(_) => ("on the farm, which has no worker now".to_owned(), seconds),
            None => ("on the server's machine".to_owned(), seconds),
        };
        let (frames, key_frames, warnings) = match self {
            Self::Picture(plan) => (None, None, plan.warnings.clone()),
            Self::Sequence(plan) => {
                let (deepest, shallowest) = plan.keys();
                let keys = shallowest - deepest + 1;
                (Some(plan.timing.frames), Some(keys), plan.warnings.clone())
            }
        };
        Ok(Estimate {
            width,
            height,
            samples: samples.round() as u64,
            frames,
            key_frames,
            iterations,
            seconds,
            place,
            memory_bytes,
            file_bytes: self.file_bytes(),
            work_bytes: self.work_bytes(),
            warnings,
        })
    }

    /// Pictures of it that stand for all, and for how many each does.
    fn some_of_it(&self) -> Result<(Vec<RenderPlan>, f64), RenderError> {
        match self {
            Self::Picture(plan) if plan.computes_nothing() => Ok((Vec::new(), 0.0)),
            Self::Picture(plan) => Ok((vec![(**plan).clone()], 1.0)),
            Self::Sequence(plan) => {
                let (deepest, shallowest) = plan.keys();
                let keys = shallowest - deepest + 1;
                let some = keys.min(KEY_FRAMES);
                // In the middle of as many parts.
                let depth = |at: u32| {
                    let place = (2 * u64::from(at) + 1) * u64::from(keys) / (2 * u64::from(some));
                    deepest + place as u32
                };
                let nowhere = |_| std::path::PathBuf::new();
                let plans = (0..some).map(|at| plan.key(depth(at), nowhere));
                let plans = plans.collect::<Result<Vec<_>, _>>()?;
                Ok((plans, f64::from(keys) / f64::from(some)))
            }
        }
    }
}

/// The same view in few samples.
fn coarse(plan: &RenderPlan) -> RenderPlan {
    let frame = &plan.frame;
    let scale = f64::from(SAMPLES) / f64::from(frame.width.max(frame.height));
    let side = |samples: u32| ((f64::from(samples) * scale.min(1.0)) as u32).clamp(1, samples);
    let measures = MeasureSet::default().with(frame.carrier(Measure::Smooth));
    let frame = FrameSpec {
        width: side(frame.width),
        height: side(frame.height),
        grid: Grid::Pixels,
        counts: Counts::Fast,
        measures,
        ..frame.clone()
    };
    RenderPlan {
        strips: StripPlan::for_picture(frame.width, frame.height, measures.bytes_per_pixel()),
        frame,
        outputs: Vec::new(),
        keeps: true,
        colours: colour::Scheme::default(),
        journal: None,
        audit: 0,
        ..plan.clone()
    }
}

/// Iterations a second of this machine.
fn speed_here(plan: &RenderPlan) -> Result<u64, requests::Error> {
    Ok(worth::predict(plan)?.speed)
}
