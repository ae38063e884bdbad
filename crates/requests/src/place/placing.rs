//! Where a render or a sequence runs: in process, on a farm whose Redis was named, or on a network of a world that is booted
//! for it.

use farm_queue::redis::RedisControl;
use farm_queue::redis::control::WorkerSummary;
use render::RenderError;
use render::job::build;
use render::plan::Place;
use world::network::figures::together;
use world::{FarmFigures, OpenNetwork};

use super::worth::{self, Decision, Work};
use crate::error::Error;
use crate::request::FarmMeans;
use crate::request::means::Fallback;

/// Where something runs, but for a network that is yet to be booted.
pub struct Placing {
    /// Where; not the last word where there is a network.
    pub place: Place,
    /// The network to boot for it.
    pub network: Option<OpenNetwork>,
    /// Most workers that take part there.
    pub workers: Option<u16>,
    /// Why there, where that was a question.
    pub decision: Option<Decision>,
}

impl Placing {
    /// In this place, whatever it is.
    #[must_use]
    pub fn at(place: Place) -> Self {
        Self {
            place,
            network: None,
            workers: None,
            decision: None,
        }
    }
}

/// Finds the place of what was to run in `place` and takes as long as `predict` says. Boots nothing.
///
/// # Errors
/// What is wrong with the world or its farm, in one line.
pub async fn find_place(
    means: &FarmMeans,
    place: Place,
    predict: impl FnOnce() -> Result<Work, Error>,
) -> Result<Placing, Error> {
    let Some(choice) = &means.world else {
        return on_named(means.fallback, place, predict).await;
    };
    if means.redis.is_some() {
        let reason = "--redis and --world: a world names its Redis itself";
        return Err(Error::Misuse(reason.to_owned()));
    }
    let opened = OpenNetwork::open(choice, means.environment.clone())?;
    let asked = means.fallback.unwrap_or(Fallback::Auto);
    let figures = opened.figures(means.workers)?;
    let decision = decide(asked, predict, figures)?;
    Ok(settled(place, Some(opened), means.workers, decision))
}

/// The same where no world is named: on the farm, unless a fallback was asked for.
async fn on_named(
    asked: Option<Fallback>,
    place: Place,
    predict: impl FnOnce() -> Result<Work, Error>,
) -> Result<Placing, Error> {
    let (Place::Farm { farm, workers }, Some(asked)) = (&place, asked) else {
        return Ok(Placing::at(place));
    };
    let figures = match asked {
        Fallback::Auto => {
            let control = RedisControl::connect(&**farm).await;
            let listed = control.map_err(RenderError::from)?.workers().await;
            let listed = listed.map_err(RenderError::from)?;
            let serving: Vec<_> = listed.iter().filter(|worker| serves(worker)).collect();
            let speeds = serving.iter().map(|worker| worker.record.about.speed);
            FarmFigures {
                speed: match &serving[..] {
                    [] => Some(0),
                    _ => together(speeds.collect(), *workers),
                },
                boot_secs: 0.0,
                guessed: false,
            }
        }
        _ => FarmFigures {
            speed: None,
            boot_secs: 0.0,
            guessed: true,
        },
    };
    let decision = decide(asked, predict, figures)?;
    Ok(settled(place, None, None, decision))
}

fn decide(
    asked: Fallback,
    predict: impl FnOnce() -> Result<Work, Error>,
    farm: FarmFigures,
) -> Result<Decision, Error> {
    if let Some(decision) = worth::as_asked(asked) {
        return Ok(decision);
    }
    let work = tokio::task::block_in_place(predict).map_err(|source| Error::Within {
        what: "the work cannot be predicted (--fallback never asks for no prediction)".to_owned(),
        source: Box::new(source),
    })?;
    Ok(worth::decided(work, farm))
}

fn settled(
    place: Place,
    network: Option<OpenNetwork>,
    workers: Option<u16>,
    decision: Decision,
) -> Placing {
    let (place, network) = if decision.in_process {
        let here = Place::InProcess {
            workers: 1,
            threads: None,
        };
        (here, None)
    } else {
        (place, network)
    };
    Placing {
        place,
        network,
        workers,
        decision: Some(decision),
    }
}

/// Whether a worker would be given strips of this build's jobs.
#[must_use]
pub fn serves(worker: &WorkerSummary) -> bool {
    let worker_build = worker.record.about.build;
    // One that has just come has not said it yet.
    let is_ours = worker_build == 0 || worker_build == build();
    is_ours && !worker.draining && worker.quarantine.is_none()
}
